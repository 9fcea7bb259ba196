/* Every function static: may stand in any number of files of one program. */
#define CHATGPTT_STATIC
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"

#ifdef __cplusplus
extern "C" const char *model_of_two(void);
#else
const char *model_of_two(void);
#endif

int main(void)
{
    return chatgptt_model(0) && model_of_two() ? 0 : 1;
}
