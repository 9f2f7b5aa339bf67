// Answers of our own.
#include <stdlib.h>
#include <string.h>

#include "tests/unit/proxy/session/playbook.h"

#define REFUSED ">> dial-failed ECONNREFUSED\n"

// length_is_right returns whether Content-Length is what follows the head.
static bool length_is_right(struct span got) {
    char text[16 * 1024];
    CHECK(got.len < sizeof(text));
    memcpy(text, got.p, got.len);
    text[got.len] = '\0';
    const char *length = strstr(text, "Content-Length: "), *body = strstr(text, "\r\n\r\n");
    return length != NULL && body != NULL && (size_t)atoi(length + 16) == strlen(body + 4);
}

static void lengths_are_right(void) {
    static const char *const scripts[] = {
        ">> client bytes CONNECT :0 HTTP/1.1||\n",
        ">> client bytes nonsense||\n",
        ">> client bytes CONNECT a.test:1 HTTP/1.1||\n" REFUSED,
        ">> client bytes GET http://a.test/ HTTP/1.1||\n" REFUSED,
        ">> client bytes GET http://a.test/ HTTP/1.1|Accept: text/html||\n" REFUSED,
        ">> client bytes GET / HTTP/1.1||\n",
        ">> client bytes GET /proxy.pac HTTP/1.1||\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct play *p = play_new(NULL);
        play_run(p, scripts[i]);
        CU_ASSERT(length_is_right(play_got(p, SIDE_CLIENT)));
        play_free(p);
    }
}

static void browsers_get_a_page_and_others_text(void) {
    static const struct {
        const char *request, *type;
    } rows[] = {
        {"GET http://a.test/ HTTP/1.1|Accept: text/html,*/*;q=0.8||", "text/html"},
        {"GET http://a.test/ HTTP/1.1|Accept: */*||", "text/plain"},
        {"GET http://a.test/ HTTP/1.1||", "text/plain"},
        {"CONNECT a.test:443 HTTP/1.1|Accept: text/html||", "text/plain"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        playf(NULL,
              ">> client bytes %s\n" REFUSED "<< client gets *Content-Type: %s*a.test port*\n",
              rows[i].request, rows[i].type);
    }
}

static void an_answer_is_the_end(void) {
    play(NULL, ">> client bytes CONNECT a.test:443 HTTP/1.1||\n" REFUSED
               "<< client gets HTTP/1.1 502 *Connection: close*\n"
               "<< client fin\n"
               "<< client read\n"
               ">> client bytes more and more\n"
               "<< client gets \n"
               ">> timer\n"
               "<< client reset\n"
               "<< done\n");
}

static void an_answer_waits_for_a_slow_client_only_so_long(void) {
    play(NULL, ">> client stops\n"
               ">> client bytes CONNECT a.test:443 HTTP/1.1||\n" REFUSED "<< client open\n"
               ">> timer 119\n"
               "<< client open\n"
               ">> timer 2\n"
               "<< client reset\n"
               "<< done\n");
}

const struct unit_case unit_cases[] = {
    {"lengths are right", lengths_are_right},
    {"browsers get a page and others text", browsers_get_a_page_and_others_text},
    {"an answer is the end", an_answer_is_the_end},
    {"an answer waits for a slow client only so long",
     an_answer_waits_for_a_slow_client_only_so_long},
    {NULL, NULL},
};
