#include "proxy/net/clock.h"

#include <sys/timex.h>
#include <time.h>

int64_t clock_mono_us(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_wall_ms(void) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool clock_kept(bool *out_kept) {
    enum { APART_S = 2 };
    struct timex kernel = {.modes = 0};
    if (adjtimex(&kernel) < 0) {
        return false;
    }
    // A library may have come between this program and the kernel's clock.
    int64_t apart = clock_wall_ms() / 1000 - (int64_t)kernel.time.tv_sec;
    bool own = -APART_S <= apart && apart <= APART_S;
    *out_kept = own && (kernel.status & STA_UNSYNC) == 0;
    return true;
}
