#include "static_one.c"
