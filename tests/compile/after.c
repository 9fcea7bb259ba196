/* The implementation comes after the system headers. */
#include "system.h"
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
