/* The header first of all, in the compiler's default dialect: what the system's headers show there must still
   be shown. */
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

double first_pi(void);
int first_sleep(void);
void *first_pages(size_t size);
char *first_copy(const char *text);

double first_pi(void) { return M_PI; }
int first_sleep(void) { return usleep(1); }
void *first_pages(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
char *first_copy(const char *text) { return strdup(text); }
