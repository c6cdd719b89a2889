/* What glibc's headers made of fprintf and snprintf in libunwind; musl has no such functions. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

int __fprintf_chk(FILE *stream, int flag, const char *format, ...) {
    (void)flag;
    va_list arguments;
    va_start(arguments, format);
    int written = vfprintf(stream, format, arguments);
    va_end(arguments);
    return written;
}

int __snprintf_chk(char *text, size_t size, int flag, size_t room, const char *format, ...) {
    (void)flag;
    (void)room;
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(text, size, format, arguments);
    va_end(arguments);
    return written;
}
