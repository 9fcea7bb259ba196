#define CHATGPTT_STATIC
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"

#ifdef __cplusplus
extern "C"
#endif
const char *model_of_two(void);

const char *model_of_two(void)
{
    return chatgptt_model(0);
}
