// The two clocks of an event: the only place that asks them.
#ifndef PROXY_NET_CLOCK_H_
#define PROXY_NET_CLOCK_H_

#include <stdbool.h>
#include <stdint.h>

// clock_mono_us is monotonic time in microseconds; clock_wall_ms is UTC, in milliseconds since
// 1970.
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void);

// clock_kept asks the kernel whether a time service keeps the clock of clock_wall_ms, and sets
// `*out_kept`. It returns false where the kernel does not say.
bool clock_kept(bool *out_kept);

#endif // PROXY_NET_CLOCK_H_
