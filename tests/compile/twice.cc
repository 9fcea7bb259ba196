#include "twice.c"
