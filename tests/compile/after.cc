#include "after.c"
