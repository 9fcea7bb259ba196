#include "static_two.c"
