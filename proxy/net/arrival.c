#include "proxy/net/arrival.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "proxy/net/address.h"
#include "proxy/net/clock.h"

// The kernel's headers for these clash with those of libc.
enum { ORIGINAL_DST = 80, NUM_PORTS = 65536, RECENT_S = 10 };

// struct loops holds for each local port what the last attempt from there was: a hash of both
// addresses, whether it came back to us, and when. The lock is held from before an attempt until it
// is noted, for on this machine another thread may have accepted it by then.
struct loops {
    pthread_mutex_t connecting;
    _Atomic uint64_t ports[NUM_PORTS];
};

bool arrival_accept(int fd) {
    int on = 1;
    return setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0 ||
           setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on)) == 0;
}

static bool local_of(struct address *out, int fd) {
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
        return false;
    }
    address_from_sockaddr(out, (struct sockaddr *)&sa);
    return true;
}

bool arrival_original(struct address *out, int fd, const struct address *listen) {
    struct sockaddr_storage sa;
    struct address local;
    socklen_t len = sizeof(sa);
    if (!local_of(&local, fd)) {
        return false;
    }
    bool redirected = getsockopt(fd, IPPROTO_IP, ORIGINAL_DST, &sa, &len) == 0;
    if (!redirected) {
        len = sizeof(sa);
        redirected = getsockopt(fd, IPPROTO_IPV6, ORIGINAL_DST, &sa, &len) == 0;
    }
    if (redirected) {
        address_from_sockaddr(out, (struct sockaddr *)&sa);
        if (!address_equal(out, &local)) {
            return true;
        }
    }
    *out = local;
    return local.port != listen->port ||
           (!address_is_any(listen) && !address_same_ip(listen, &local));
}

struct loops *loops_new(void) {
    struct loops *loops = xcalloc(1, sizeof(*loops));
    CHECK(pthread_mutex_init(&loops->connecting, NULL) == 0);
    return loops;
}

void loops_free(struct loops *loops) {
    if (loops != NULL) {
        pthread_mutex_destroy(&loops->connecting);
        free(loops);
    }
}

static uint32_t hash_add(uint32_t hash, const struct address *address) {
    for (size_t i = 0; i < sizeof(address->ip); i++) { // FNV-1a
        hash = (hash ^ address->ip[i]) * 16777619U;
    }
    return (hash ^ address->port) * 16777619U;
}

// entry_of describes a connection at `us`: 31 bits of hash, one for whether it came back, seconds.
static uint64_t entry_of(const struct address *from, const struct address *to, int64_t us) {
    uint64_t hash = hash_add(hash_add(2166136261U, from), to) >> 1;
    return hash << 33 | ((uint64_t)(us / 1000000) & UINT32_MAX);
}

static const uint64_t came_back = UINT64_C(1) << 32;

int loops_connect(struct loops *loops, int fd, const struct sockaddr *sa, socklen_t sa_len,
                  const struct address *to) {
    struct address local;
    CHECK(pthread_mutex_lock(&loops->connecting) == 0);
    int result = connect(fd, sa, sa_len), errnum = errno;
    if ((result == 0 || errnum == EINPROGRESS) && local_of(&local, fd)) {
        atomic_store(&loops->ports[local.port], entry_of(&local, to, clock_mono_us()));
    }
    CHECK(pthread_mutex_unlock(&loops->connecting) == 0);
    errno = errnum;
    return result;
}

bool loops_meets(struct loops *loops, const struct address *client, const struct address *to) {
    CHECK(pthread_mutex_lock(&loops->connecting) == 0);
    uint64_t now = entry_of(client, to, clock_mono_us());
    uint64_t known = atomic_load(&loops->ports[client->port]) & ~came_back;
    bool same = now >> 33 == known >> 33 && (uint32_t)now - (uint32_t)known <= RECENT_S;
    if (same) {
        atomic_store(&loops->ports[client->port], known | came_back);
    }
    CHECK(pthread_mutex_unlock(&loops->connecting) == 0);
    return same;
}

bool loops_met(const struct loops *loops, int fd) {
    struct address local;
    return local_of(&local, fd) && (atomic_load(&loops->ports[local.port]) & came_back) != 0;
}
