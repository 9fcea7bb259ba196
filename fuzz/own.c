/* own.c - the smallest target, to copy: call another function of chatgptt.h, say what must hold of it, then
   `make fuzz T=own`. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cgt_buffer form;
    cgt_buffer_init(&form, fuzz_hooks(), SIZE_MAX / 4);
    cgt_form_encode(&form, fuzz_input(data, size));
    FUZZ_CHECK(form.len <= 3 * size && strspn(form.len ? form.data : "", "*-._+%0123456789"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == form.len);
    cgt_buffer_free(&form);
    return 0;
}
