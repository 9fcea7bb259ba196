/* Declared by one header, implemented later, and then included once more with the switch still on. */
#include "../../chatgptt.h"
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include "../../chatgptt.h"
