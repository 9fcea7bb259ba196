# chatgptt.h is used by copying it: nothing here has to be built for that. This builds the tools, tests, and checks.
#   make demo      ask a stand-in site a question      make test    the tests; needs gcc and libmbedtls-dev only
#   make           the tools, into build/              make lint    the rules of the code
#   make cover     what the tests reach                make mutate  do they notice a broken line? SECTIONS="URL SSE" SITES=1000
#   make bench     how fast it is, beside others       make size    what it costs in a program
#   make slow      all that takes long                 make install, make uninstall: PREFIX=/usr/local DESTDIR=
#   examples/picture.py     plays `make demo` and draws README's moving picture of it, examples/session.svg; needs python3
# with any of them:
#   NO_TLS=1   without mbedTLS: http only              NO_NET=1     without sockets and TLS: what brings a transport of its own
#   MBEDTLS=DIR BUILD=build/other                      against DIR/include and DIR/lib/*.a instead of the system's mbedTLS
#
# Fuzzing: fuzz/NAME.c is a target, fuzz/corpus/NAME/ what it starts from, fuzz/regress/NAME/ what was found; `make test` replays both.
#   make fuzz T=json SECS=60                      libFuzzer with ASan and UBSan; needs clang
#   make fuzz T=json SECS=60 SAN=memory NO_TLS=1  with MSan, for which the system's mbedTLS is not built
#   make fuzz T=json SECS=60 ENGINE=afl           AFL++ with ASan and UBSan; needs afl++
# New inputs stay in build/libfuzzer/ or build/afl/ for the next time. One that breaks something is named at the end:
# `build/fuzz/NAME FILE` shows it again, and with its cure it becomes a file under fuzz/regress/NAME/.

CC      = cc
CFLAGS  = -O2 -g
BUILD   = build
PREFIX  = /usr/local
DESTDIR =
FUZZ_CC = clang
ENGINE  = libfuzzer
SAN     = address,undefined
SECS    = 60
# of `make mutate`; `make slow` takes 1000
SITES   = 100
SEED    = 1
# The demo's site speaks https, with a certificate authority made for the occasion.
DEMO_FLAGS = $(if $(NO_TLS),,--tls)

WARN     = -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef
BASE     = -std=c99 -D_POSIX_C_SOURCE=200809L -I. $(WARN)
SANITIZE = $(shell cat $(BUILD)/sanitize)
ifdef NO_NET
NO_TLS     = 1
TLS_CFLAGS = -DCHATGPTT_NO_TLS -DCHATGPTT_NO_NET
else ifdef NO_TLS
TLS_CFLAGS = -DCHATGPTT_NO_TLS
else ifdef MBEDTLS
TLS_CFLAGS = -isystem $(MBEDTLS)/include
TLS_LIBS   = $(addprefix $(MBEDTLS)/lib/,libmbedtls.a libmbedx509.a libmbedcrypto.a)
else
TLS_LIBS   = -lmbedtls -lmbedx509 -lmbedcrypto
endif

# What follows the flags of every program.
LINK = $(TLS_CFLAGS) $< $(LDFLAGS) $(TLS_LIBS) -pthread -o $@

# The tools start a fifth sooner, and take a seventh less memory, with mbedTLS's archives than with its three shared libraries.
ifeq ($(TLS_LIBS)$(LDFLAGS),-lmbedtls -lmbedx509 -lmbedcrypto)
ARCHIVES := $(wildcard $(foreach name,mbedtls mbedx509 mbedcrypto,$(shell $(CC) -print-file-name=lib$(name).a)))
endif
TOOL_LINK = $(if $(word 3,$(ARCHIVES)),$(subst $(TLS_LIBS),$(ARCHIVES),$(LINK)),$(LINK))

# Flags of a library if a program with its header builds with them, for the machine and in the way that CC and LDFLAGS say:
# $(call peer,HEADER,FLAGS). What a # is inside $(shell) depends on make's version.
hash := \#
comma := ,
peer = $(shell printf '%s\n' '$(hash)include <$1>' 'int main(void) { return 0; }' | $(CC) -DPCRE2_CODE_UNIT_WIDTH=8 -x c - \
    $(LDFLAGS) $2 -o /dev/null >/dev/null 2>&1 && echo '$2')

# Two examples need more than the header: one is built to say so where its library is absent, the other left out with a word.
package = $(call peer,$1,$(shell pkg-config --cflags --libs $2 2>/dev/null))
UV := $(call package,uv.h,libuv)
FLAGS_libuv_loop     := $(if $(UV),-DWITH_UV $(UV))
FLAGS_openai_gateway := $(call package,microhttpd.h,libmicrohttpd libcjson)
ABSENT := $(if $(wildcard examples/openai_gateway.c),$(if $(FLAGS_openai_gateway),,examples/openai_gateway.c))

# Without sockets no tool is built, and what includes a server or runs a tool is left out, unless it minds the switch itself.
ifdef NO_NET
TOOLS    =
MINDED   = $(shell grep -lw CHATGPTT_NO_NET tests/test_*.c)
LEFT_OUT = $(filter-out $(MINDED),$(shell grep -lE 'include .*(site|sys/socket|sys/wait)\.h' tests/test_*.c)) \
    $(filter-out tests/test_fuzz.sh,$(wildcard tests/test_*.sh))
else
# A site that speaks TLS needs mbedTLS even where the header does without.
SITE_TLS := $(if $(NO_TLS),$(call peer,mbedtls/ssl.h,-lmbedtls -lmbedx509 -lmbedcrypto))
LEFT_OUT = $(if $(NO_TLS),$(if $(SITE_TLS),,$(filter-out tests/test_tls.c,$(shell grep -l '"tls_site\.h"' tests/test_*.c))))
TOOLS    = $(patsubst examples/%.c,$(BUILD)/%,$(filter-out $(ABSENT),$(wildcard examples/*.c))) $(BUILD)/probe \
    $(if $(MBEDTLS)$(filter -static,$(LDFLAGS)),,$(BUILD)/libchatgptt.so)
endif
TESTS    = $(patsubst tests/%.c,$(BUILD)/tests/%,$(filter-out $(LEFT_OUT),$(wildcard tests/test_*.c)))
CHECKED  = $(patsubst tests/%.c,$(BUILD)/valgrind/%,$(filter-out $(LEFT_OUT),$(wildcard tests/test_*.c)))
FUZZED   = $(patsubst fuzz/%.c,$(BUILD)/fuzz/%,$(filter-out fuzz/replay.c,$(wildcard fuzz/*.c)))
SCRIPTS  = $(filter-out $(LEFT_OUT),$(wildcard tests/test_*.sh))
BENCHES  = $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
TORTURES = $(patsubst tests/torture/%.c,$(BUILD)/torture/%,$(wildcard tests/torture/*.c))
MANUALS  = $(wildcard examples/*.1)

# What the scripts under tests/ build with, and what they leave out.
export CC CFLAGS BUILD TLS_CFLAGS TLS_LIBS LEFT_OUT SITES SEED SECTIONS
export WHY = it needs $(if $(NO_NET),sockets$(comma) or a tool that does,mbedTLS)

# A job for each processor; goals given together run one after another.
ifeq ($(MAKELEVEL)$(filter-out 0 1,$(words $(MAKECMDGOALS))),0)
MAKEFLAGS += -j$(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
else ifeq ($(MAKELEVEL),0)
.NOTPARALLEL:
endif

.PHONY: all demo test fuzz libfuzzer afl lint size bench cover mutate torture firmware slow valgrind clean install uninstall mbedtls-found always

all: $(TOOLS)
	@$(foreach example,$(ABSENT),echo 'skip: $(example): a library it is for is not installed';) :
	@$(if $(TOOLS),:,echo 'skip: the tools: they need sockets')

demo: all
	@examples/demo.sh $(DEMO_FLAGS)

test: all $(TESTS) $(FUZZED)
	@tests/run.sh $(SCRIPTS) $(TESTS)

# Inputs that reach something new are kept for the next time; one that breaks something is named at the end.
fuzz: $(ENGINE)

libfuzzer afl: $(BUILD)/flags | mbedtls-found
	@test -f 'fuzz/$(T).c' || { echo 'make fuzz T=NAME SECS=60, NAME one of: $(notdir $(FUZZED))' >&2; exit 1; }
	@command -v $(if $(filter afl,$@),afl-clang-fast,$(FUZZ_CC)) >/dev/null || { echo 'make fuzz: no $(if $(filter afl,$@),afl-clang-fast: \
	    apt-get install afl++,$(FUZZ_CC), with which libFuzzer comes: apt-get install clang)' >&2; exit 1; }
	@FUZZ_CC='$(FUZZ_CC)' BASE='$(BASE)' LDFLAGS='$(LDFLAGS)' tests/fuzz.sh $@ '$(T)' '$(SECS)' '$(SAN)'

lint: mbedtls-found
	@tests/lint.sh

size: mbedtls-found
	@tests/size.sh

# One after another, since they share the processors. A peer that is not installed is said.
bench: $(BUILD)/chatgptt $(BENCHES)
	@{ for program in $(BENCHES); do $$program $(BUILD)/chatgptt || echo "$$program	failed"; done; tests/size.sh budgets; } | \
	    awk -f tests/bench/sum.awk tests/bench/targets -

cover: mbedtls-found
	@tests/cover.sh

# Does a test notice when a line is broken? SECTIONS="URL SSE": those alone.
mutate: $(BUILD)/mutants $(BUILD)/sanitize mbedtls-found
	@tests/mutate.sh

# Every allocation and every call of the transport fails once.
torture: $(TORTURES)
	@$(if $(TORTURES),TEST_TIMEOUT=3000 tests/run.sh $(TORTURES),echo 'skip: torture: nothing in tests/torture')

# A Cortex-M3 asks a question: needs gcc-arm-none-eabi, libnewlib-arm-none-eabi and qemu-system-arm.
firmware: $(BUILD)/demo_site
	@tests/firmware.sh

# What takes too long for every change. Each part says in its last line what it did; the first that fails ends it.
slow: all
	tests/run.sh tests/slow_proxy.sh tests/slow_gateway.sh tests/static.sh tests/firmware.sh tests/readme.sh
	tests/mbedtls.sh $(BUILD)/mbedtls-3.6 || [ $$? -eq 77 ]
	if [ -f $(BUILD)/mbedtls-3.6/lib/libmbedtls.a ]; then $(MAKE) test BUILD=$(BUILD)/3.6 MBEDTLS=$(BUILD)/mbedtls-3.6; \
	else echo 'skip: no mbedTLS 3.6'; fi
	$(MAKE) test BUILD=$(BUILD)/no-tls NO_TLS=1
	$(MAKE) test BUILD=$(BUILD)/no-net NO_NET=1
	$(MAKE) valgrind
	$(if $(wildcard tests/cross.sh),tests/cross.sh,@echo 'skip: cross: no tests/cross.sh')
	tests/rules.sh
	$(MAKE) torture
	$(MAKE) cover
	$(MAKE) mutate SITES=1000

valgrind: all $(CHECKED)
	@$(if $(shell command -v valgrind),TEST_TIMEOUT=1200 tests/run.sh $(CHECKED),echo 'skip: no valgrind')

clean:
	rm -rf $(BUILD)

# What is installed, and into which folder; what is made for it comes from the header itself.
IN_bin     = $(BUILD)/chatgptt $(filter $(BUILD)/openai_gateway,$(TOOLS))
IN_include = chatgptt.h
IN_man1    = $(MANUALS)
IN_man3    = $(BUILD)/chatgptt.3
IN_pc      = $(BUILD)/chatgptt.pc
IN_cmake   = $(BUILD)/chatgptt-config.cmake
IN_doc     = $(BUILD)/LICENCE
IN_bash    = examples/completions/chatgptt.bash
IN_zsh     = examples/completions/_chatgptt
IN_fish    = examples/completions/chatgptt.fish
TO_bin     = bin
TO_include = include
TO_man1    = share/man/man1
TO_man3    = share/man/man3
TO_pc      = share/pkgconfig
TO_cmake   = share/cmake/chatgptt
TO_doc     = share/doc/chatgptt
TO_bash    = share/bash-completion/completions
TO_zsh     = share/zsh/site-functions
TO_fish    = share/fish/vendor_completions.d
KINDS      = bin include man1 man3 pc cmake doc bash zsh fish
ROOT       = $(DESTDIR)$(PREFIX)

install: $(foreach kind,$(KINDS),$(IN_$(kind)))
	@$(foreach kind,$(KINDS),mkdir -p '$(ROOT)/$(TO_$(kind))' && cp $(IN_$(kind)) '$(ROOT)/$(TO_$(kind))/' && ) \
	    echo 'installed under $(ROOT)'

uninstall:
	rm -f $(foreach kind,$(KINDS),$(addprefix $(ROOT)/$(TO_$(kind))/,$(notdir $(IN_$(kind)))))

VERSION = $(shell sed -n 's/^.define CHATGPTT_VERSION "\(.*\)"/\1/p' chatgptt.h)

$(BUILD)/chatgptt.pc: chatgptt.h $(BUILD)/flags
	@printf '%s\n' 'prefix=$${pcfiledir}/../..' 'Name: chatgptt' 'Version: $(VERSION)' 'URL: https://chatgptt.me' \
	    'Description: chat with a web site that runs the WordPress plugin AI Power' 'Cflags: -I$${prefix}/include' \
	    'Libs: $(if $(NO_TLS),,-lmbedtls -lmbedx509 -lmbedcrypto)' >$@

$(BUILD)/chatgptt-config.cmake: chatgptt.h $(BUILD)/flags
	@printf '%s\n' '# find_package(chatgptt); target_link_libraries(program chatgptt::chatgptt)' \
	    'get_filename_component(CHATGPTT_PREFIX "$${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)' \
	    'if(NOT TARGET chatgptt::chatgptt)' '  add_library(chatgptt::chatgptt INTERFACE IMPORTED)' \
	    '  set_target_properties(chatgptt::chatgptt PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "$${CHATGPTT_PREFIX}/include"' \
	    '    INTERFACE_LINK_LIBRARIES "$(if $(NO_TLS),,mbedtls;mbedx509;mbedcrypto)")' 'endif()' >$@

# The header's own manual and API, as a page.
$(BUILD)/chatgptt.3: chatgptt.h examples/manual.awk $(BUILD)/flags
	@awk -v version='$(VERSION)' -f examples/manual.awk chatgptt.h >$@

$(BUILD)/LICENCE: chatgptt.h $(BUILD)/flags
	@sed -n '/^   LICENCE/,$$ s/^   //p' chatgptt.h | sed 's/ \*\/$$//' >$@

$(BUILD)/%: examples/%.c chatgptt.h $(wildcard examples/*.h) $(BUILD)/flags | mbedtls-found
	$(CC) $(BASE) $(CFLAGS) $(TOOL_LINK) $(FLAGS_$*)

$(BUILD)/demo_site: tests/certs.h

# For other languages: all of the API and nothing else.
$(BUILD)/libchatgptt.so: tests/compile/implement.c chatgptt.h $(BUILD)/flags | mbedtls-found
	$(CC) $(BASE) $(CFLAGS) -fPIC -shared -Wl,-soname,libchatgptt.so $(LINK)

$(BUILD)/probe: tests/probe.c chatgptt.h $(BUILD)/flags | mbedtls-found
	$(CC) $(BASE) $(CFLAGS) $(LINK)

$(BUILD)/mutants: tests/mutants.c $(BUILD)/flags
	$(CC) $(BASE) $(CFLAGS) $< -o $@

# Without optimizing the sanitizers take a third of the time to build; it pays only where a test runs long. Without TLS
# in the header, a test may still include the site that speaks it.
LONG = test_aipkit test_match test_page test_stream test_wpaicg_reply
$(BUILD)/tests/%: tests/%.c chatgptt.h $(wildcard tests/*.h examples/*.h) $(BUILD)/flags $(BUILD)/sanitize | mbedtls-found
	@mkdir -p $(@D)
	$(CC) $(BASE) $(if $(filter $*,$(LONG)),-O1,-O0) -g1 $(SANITIZE) $(LINK) $(SITE_TLS)

$(BUILD)/torture/%: tests/torture/%.c chatgptt.h $(wildcard tests/*.h tests/torture/*.h) $(BUILD)/flags $(BUILD)/sanitize | mbedtls-found
	@mkdir -p $(@D)
	$(CC) $(BASE) -O1 -g $(SANITIZE) $(LINK)

$(BUILD)/bench/%: tests/bench/%.c $(wildcard tests/bench/*.h) chatgptt.h $(wildcard tests/*.h) $(BUILD)/flags | mbedtls-found
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(LINK) $(call peer,cjson/cJSON.h,-DBENCH_CJSON -lcjson) $(call peer,pcre2.h,-DBENCH_PCRE2 -lpcre2-8) \
	    $(call peer,curl/curl.h,-DBENCH_CURL -lcurl) $(call peer,http_parser.h,-DBENCH_HTTP_PARSER -lhttp_parser)

# The target as a program that replays files.
$(BUILD)/fuzz/%: fuzz/%.c $(wildcard fuzz/*.h) fuzz/replay.c chatgptt.h $(wildcard tests/*.h) $(BUILD)/flags $(BUILD)/sanitize | mbedtls-found
	@mkdir -p $(@D)
	$(CC) $(BASE) -O0 -g1 $(SANITIZE) fuzz/replay.c $(LINK) $(call fuzz-peer,$*)

# A differential target's peer: it names the header in an #include of its own.
fuzz-peer = $(if $(shell grep -l 'cjson/cJSON.h' fuzz/$1.c),$(call peer,cjson/cJSON.h,-DFUZZ_CJSON -lcjson))

# A script that runs the test under valgrind, built without the sanitizers, which do not bear it.
$(BUILD)/valgrind/%: tests/%.c chatgptt.h $(wildcard tests/*.h) $(BUILD)/flags | mbedtls-found
	@mkdir -p $(@D)
	$(CC) $(BASE) -O1 -g $(LINK).program
	@printf '#!/bin/sh\nexec valgrind -q --leak-check=full --error-exitcode=9 %s\n' $@.program >$@; chmod +x $@

# Rewritten when the flags change, so that what was built with others is built anew.
$(BUILD)/flags: always
	@mkdir -p $(@D)
	@echo '$(CC) $(BASE) $(CFLAGS) $(TLS_CFLAGS) $(LDFLAGS) $(TLS_LIBS)' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# The sanitizers, if this compiler has them.
$(BUILD)/sanitize: $(BUILD)/flags
	@echo 'int main(void) { return 0; }' >$@.c
	@if $(CC) -fsanitize=address,undefined $(LDFLAGS) $@.c -o $@.out 2>/dev/null; \
	then echo '-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' >$@; \
	else echo 'skip: $(CC) has no sanitizers, the tests run without'; : >$@; fi; rm -f $@.c $@.out

mbedtls-found:
	@echo '#include <mbedtls/ssl.h>' | $(CC) $(TLS_CFLAGS) -E -x c - >/dev/null 2>&1 || $(if $(NO_TLS),true, \
	    { echo 'mbedTLS is missing: apt-get install libmbedtls-dev, or "make NO_TLS=1" for http only' >&2; exit 1; })
