/* The implementation comes before every system header. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "system.h"
