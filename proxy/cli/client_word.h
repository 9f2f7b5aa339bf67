// What the client said to the certificate it was shown, and which clients say that.
#ifndef PROXY_CLI_CLIENT_WORD_H_
#define PROXY_CLI_CLIENT_WORD_H_

#include "logs/base/arena.h"
#include "logs/record/obj.h"
#include "policy/verdict/client_alert.h"

// struct client_word is the alert in words and those who send it: names of stacks that send it for
// the same reasons stand together. `code` is CLIENT_CLOSES where the client just left.
struct client_word {
    uint8_t code;
    const char *says;
    size_t num;
    struct {
        const char *names, *reasons, *source;
    } senders[CLIENT_STACK_COUNT];
};

// client_word_of fills `out` with strings in `arena`, from the first error alert of the client
// after the ServerHello, or its leaving without one when it had the certificate and before it sent
// data. False where there is neither, or where no known client says that of a certificate.
bool client_word_of(struct client_word *out, struct arena *arena, const struct obj *root);

#endif // PROXY_CLI_CLIENT_WORD_H_
