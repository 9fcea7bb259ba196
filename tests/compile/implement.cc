#include "implement.c"
