# chatgptt.h is used by copying it: nothing here has to be built for that. This builds the tools, tests, and checks.
#   make demo      ask a stand-in site a question      make test    the tests; needs gcc and libmbedtls-dev only
#   make           the tools, into build/              make lint    the rules of the code
#   make fuzz T=json SECS=60    new inputs for a target of fuzz/; needs clang
#   make bench     how fast it is, beside others
#   make NO_TLS=1  without mbedTLS: http only          make size    what it costs in a program
#   make MBEDTLS=DIR BUILD=build/other                 against DIR/include and DIR/lib/*.a instead of the system's mbedTLS

CC      = cc
CFLAGS  = -O2 -g
BUILD   = build
PREFIX  = /usr/local
DESTDIR =
FUZZ_CC = clang
SECS    = 60
# The demo's site speaks https, with a certificate authority made for the occasion.
DEMO_FLAGS = $(if $(NO_TLS),,--tls)

WARN     = -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef
BASE     = -std=c99 -D_POSIX_C_SOURCE=200809L -I. $(WARN)
SANITIZE = $(shell cat $(BUILD)/sanitize)
ifdef NO_TLS
TLS_CFLAGS = -DCHATGPTT_NO_TLS
else ifdef MBEDTLS
TLS_CFLAGS = -isystem $(MBEDTLS)/include
TLS_LIBS   = $(addprefix $(MBEDTLS)/lib/,libmbedtls.a libmbedx509.a libmbedcrypto.a)
else
TLS_LIBS   = -lmbedtls -lmbedx509 -lmbedcrypto
endif

# What follows the flags of every program.
LINK = $(TLS_CFLAGS) $< $(LDFLAGS) $(TLS_LIBS) -pthread -o $@

TOOLS   = $(patsubst examples/%.c,$(BUILD)/%,$(wildcard examples/*.c)) $(patsubst tests/probe.c,$(BUILD)/probe,$(wildcard tests/probe.c))
TESTS   = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
CHECKED = $(patsubst tests/%.c,$(BUILD)/valgrind/%,$(wildcard tests/test_*.c))
FUZZED  = $(patsubst fuzz/%.c,$(BUILD)/fuzz/%,$(filter-out fuzz/replay.c,$(wildcard fuzz/*.c)))
SCRIPTS = $(wildcard tests/test_*.sh)
BENCHES = $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
MANUALS = $(wildcard examples/*.1)

# What the scripts under tests/ build with.
export CC CFLAGS BUILD TLS_CFLAGS TLS_LIBS

# A job for each processor; goals given together run one after another.
ifeq ($(MAKELEVEL)$(filter-out 0 1,$(words $(MAKECMDGOALS))),0)
MAKEFLAGS += -j$(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
else ifeq ($(MAKELEVEL),0)
.NOTPARALLEL:
endif

.PHONY: all demo test fuzz lint size bench slow valgrind clean install uninstall mbedtls-found always

all: $(TOOLS)

demo: all
	@examples/demo.sh $(DEMO_FLAGS)

test: all $(TESTS) $(FUZZED)
	@tests/run.sh $(TESTS) $(SCRIPTS)

# Inputs that reach something new are kept for the next time; one that breaks something is named at the end.
fuzz: FOUND = $(BUILD)/libfuzzer/$(T).found
fuzz: $(BUILD)/flags | mbedtls-found
	@test -f 'fuzz/$(T).c' || { echo 'make fuzz T=NAME SECS=60, NAME one of: $(notdir $(FUZZED))' >&2; exit 1; }
	@command -v $(FUZZ_CC) >/dev/null || { echo 'make fuzz needs libFuzzer, which comes with clang: apt-get install clang' >&2; exit 1; }
	@mkdir -p $(FOUND)
	$(FUZZ_CC) $(BASE) -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(TLS_CFLAGS) fuzz/$(T).c \
	    $(LDFLAGS) $(TLS_LIBS) -o $(BUILD)/libfuzzer/$(T)
	$(BUILD)/libfuzzer/$(T) -max_total_time=$(SECS) -max_len=2000 -timeout=10 -print_final_stats=1 -artifact_prefix=$(FOUND)- \
	    $(patsubst %,-dict=%,$(wildcard fuzz/$(T).dict)) $(FOUND) $(wildcard fuzz/corpus/$(T))

lint: mbedtls-found
	@tests/lint.sh

size: mbedtls-found
	@tests/size.sh

# One after another, since they share the processors. Peers that are not installed are skipped with a word.
bench: $(BUILD)/chatgptt $(BENCHES)
	@printf '%-36s %13s %11s %13s  %-28s %12s\n' what ours '' peer '' 'times as fast'
	@$(foreach program,$(BENCHES),$(program) $(BUILD)/chatgptt && ) true

# What takes too long for every change: real proxies, the tests against the mbedTLS of Debian 13, and under valgrind.
slow: all
	tests/run.sh tests/slow_proxy.sh
	tests/mbedtls.sh $(BUILD)/mbedtls-3.6
	$(MAKE) test BUILD=$(BUILD)/3.6 MBEDTLS=$(BUILD)/mbedtls-3.6
	$(MAKE) valgrind

valgrind: $(CHECKED)
	@TEST_TIMEOUT=600 tests/run.sh $(CHECKED)

clean:
	rm -rf $(BUILD)

install: $(BUILD)/chatgptt
	mkdir -p $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/bin
	cp chatgptt.h $(DESTDIR)$(PREFIX)/include/
	cp $(BUILD)/chatgptt $(DESTDIR)$(PREFIX)/bin/
ifneq ($(MANUALS),)
	mkdir -p $(DESTDIR)$(PREFIX)/share/man/man1
	cp $(MANUALS) $(DESTDIR)$(PREFIX)/share/man/man1/
endif

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/include/chatgptt.h $(DESTDIR)$(PREFIX)/bin/chatgptt \
	    $(patsubst examples/%,$(DESTDIR)$(PREFIX)/share/man/man1/%,$(MANUALS))

$(BUILD)/%: examples/%.c chatgptt.h $(BUILD)/flags | mbedtls-found
	$(CC) $(BASE) $(CFLAGS) $(LINK)

$(BUILD)/probe: tests/probe.c chatgptt.h $(BUILD)/flags | mbedtls-found
	$(CC) $(BASE) $(CFLAGS) $(LINK)

$(BUILD)/tests/%: tests/%.c chatgptt.h $(wildcard tests/*.h) $(BUILD)/flags $(BUILD)/sanitize | mbedtls-found
	@mkdir -p $(@D)
	$(CC) $(BASE) -O1 -g $(SANITIZE) $(LINK)

# A peer's flags if a header of it is there: $(call peer,HEADER,FLAGS).
peer = $(shell echo '\#include <$1>' | $(CC) -DPCRE2_CODE_UNIT_WIDTH=8 -E -x c - >/dev/null 2>&1 && echo '$2')

$(BUILD)/bench/%: tests/bench/%.c tests/bench/bench.h chatgptt.h $(wildcard tests/*.h) $(BUILD)/flags | mbedtls-found
	@mkdir -p $(@D)
	$(CC) $(BASE) $(CFLAGS) $(LINK) $(call peer,cjson/cJSON.h,-DBENCH_CJSON -lcjson) $(call peer,pcre2.h,-DBENCH_PCRE2 -lpcre2-8)

# The target as a program that replays files.
$(BUILD)/fuzz/%: fuzz/%.c fuzz/fuzz.h fuzz/replay.c chatgptt.h $(wildcard tests/*.h) $(BUILD)/flags $(BUILD)/sanitize | mbedtls-found
	@mkdir -p $(@D)
	$(CC) $(BASE) -g $(SANITIZE) fuzz/replay.c $(LINK)

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
	@if $(CC) -fsanitize=address,undefined $@.c -o $@.out 2>/dev/null; \
	then echo '-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' >$@; \
	else echo 'skip: $(CC) has no sanitizers, the tests run without'; : >$@; fi; rm -f $@.c $@.out

mbedtls-found:
	@echo '#include <mbedtls/ssl.h>' | $(CC) $(TLS_CFLAGS) -E -x c - >/dev/null 2>&1 || $(if $(NO_TLS),true, \
	    { echo 'mbedTLS is missing: apt-get install libmbedtls-dev, or "make NO_TLS=1" for http only' >&2; exit 1; })
