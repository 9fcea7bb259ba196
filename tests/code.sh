# Sourced by the scripts that build: which compilers there are, which flags the code must stand, and what Makefile exports by default.

CC=${CC:-cc}
WARNINGS="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef"
TLS_CFLAGS=${TLS_CFLAGS-}
TLS_LIBS=${TLS_LIBS--lmbedtls -lmbedx509 -lmbedcrypto}

present() {
    for program; do
        if command -v "$program" >/dev/null 2>&1; then printf '%s ' "$program"; else echo "skip: no $program" >&2; fi
    done
}
C_COMPILERS=$(present gcc clang)
CXX_COMPILERS=$(present g++ clang++)
