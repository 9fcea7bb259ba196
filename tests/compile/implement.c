/* The file that holds the implementation, as the header's first lines show it. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
