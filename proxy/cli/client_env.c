#include "proxy/cli/client_env.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/cli/bundle.h"

// clang-format off
const struct client_variable client_variables[] = {
    {"https_proxy",          CLIENT_PROXY_URL, "curl, wget, git, Python, Ruby, Go, cargo, most others"},
    {"HTTPS_PROXY",          CLIENT_PROXY_URL, "the same but wget; some tools read only this one"},
    {"http_proxy",           CLIENT_PROXY_URL, "the same, for plain http; curl reads only lower case"},
    {"HTTP_PROXY",           CLIENT_PROXY_URL, "Go, Python requests, Node tools"},
    {"NODE_USE_ENV_PROXY",   CLIENT_ONE,       "Node.js 22.21, 24 and later: read the four above"},
    {"SSL_CERT_FILE",        CLIENT_BUNDLE,    "OpenSSL (Python, Ruby, PHP, ...), Go, Rust"},
    {"CURL_CA_BUNDLE",       CLIENT_BUNDLE,    "curl, Python requests"},
    {"REQUESTS_CA_BUNDLE",   CLIENT_BUNDLE,    "Python requests"},
    {"PIP_CERT",             CLIENT_BUNDLE,    "pip"},
    {"HTTPLIB2_CA_CERTS",    CLIENT_BUNDLE,    "Python httplib2"},
    {"GIT_SSL_CAINFO",       CLIENT_BUNDLE,    "git"},
    {"AWS_CA_BUNDLE",        CLIENT_BUNDLE,    "AWS CLI, boto3 and other AWS SDKs"},
    {"CARGO_HTTP_CAINFO",    CLIENT_BUNDLE,    "cargo"},
    {"PERL_LWP_SSL_CA_FILE", CLIENT_BUNDLE,    "Perl LWP"},
    {"NIX_SSL_CERT_FILE",    CLIENT_BUNDLE,    "programs from Nixpkgs"},
    {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
                             CLIENT_BUNDLE,    "gRPC (C core: C++, Python, Ruby, PHP)"},
    {"NODE_EXTRA_CA_CERTS",  CLIENT_CA,        "Node.js, npm: added to the built-in roots"},
    {"DENO_CERT",            CLIENT_CA,        "Deno: added to its roots"},
    {"JAVA_TOOL_OPTIONS",    CLIENT_JAVA_OPTIONS,
                                               "every JVM (\"Picked up ...\" on standard error)"},
    {NULL, 0, NULL},
};
// clang-format on

void client_env_init(struct client_env *env, const char *host, uint16_t port) {
    *env = (struct client_env){.host = host, .port = port};
    env->no_proxy = getenv("no_proxy");
    if (env->no_proxy == NULL) {
        env->no_proxy = getenv("NO_PROXY");
    }
    env->java_options = getenv("JAVA_TOOL_OPTIONS");
}

// java_quoted puts quotes around a value where the JVM would break it at white space. A value with
// both kinds of quotes cannot be said, so that it is left bare.
static const char *java_quoted(struct arena *arena, const char *value) {
    if (strpbrk(value, " \t\n'\"") == NULL) {
        return value;
    }
    char quote = strchr(value, '\'') == NULL ? '\'' : '"';
    return arena_printf(arena, "%c%s%c", quote, value, quote);
}

// java_no_proxy turns NO_PROXY into http.nonProxyHosts: a name stands for itself and all below it.
// Networks and ports cannot be said there and are left out. An empty value, unlike none, has even
// loopback go through the proxy, as with other programs.
static char *java_no_proxy(struct arena *arena, const char *no_proxy) {
    char *hosts = arena_printf(arena, "%s", "");
    for (const char *p = no_proxy == NULL ? "" : no_proxy; *p != '\0';) {
        p += strspn(p, ", \t");
        size_t len = strcspn(p, ", \t");
        char *item = arena_dup(arena, p, len);
        p += len;
        const char *name = item + strspn(item, "*.");
        const char *bar = hosts[0] == '\0' ? "" : "|";
        if (strcmp(item, "*") == 0) {
            hosts = arena_printf(arena, "%s%s*", hosts, bar);
        } else if (name[0] != '\0' && strpbrk(name, "/:'\" |") == NULL) {
            bool address = strspn(name, "0123456789.") == strlen(name);
            hosts = address ? arena_printf(arena, "%s%s%s", hosts, bar, name)
                            : arena_printf(arena, "%s%s%s|*.%s", hosts, bar, name, name);
        }
    }
    return hosts;
}

static char *java_options(struct arena *arena, const struct client_env *env) {
    bool own = env->java_options != NULL && env->java_options[0] != '\0';
    char *options = arena_printf(
        arena,
        "%s%s-Dhttp.proxyHost=%s -Dhttp.proxyPort=%u -Dhttps.proxyHost=%s -Dhttps.proxyPort=%u "
        "-Dhttp.nonProxyHosts=%s",
        own ? env->java_options : "", own ? " " : "", env->host, env->port, env->host, env->port,
        java_no_proxy(arena, env->no_proxy));
    if (env->java_bundle == NULL) {
        return options;
    }
    return arena_printf(arena,
                        "%s -Djavax.net.ssl.trustStore=%s -Djavax.net.ssl.trustStoreType=JKS "
                        "-Djavax.net.ssl.trustStorePassword=" BUNDLE_JAVA_PASSWORD,
                        options, java_quoted(arena, env->java_bundle));
}

// value_of returns NULL where `env` does not have what is needed.
static const char *value_of(struct arena *arena, const struct client_env *env,
                            enum client_value value) {
    switch (value) {
    case CLIENT_PROXY_URL:
        return arena_printf(arena,
                            strchr(env->host, ':') != NULL ? "http://[%s]:%u" : "http://%s:%u",
                            env->host, env->port);
    case CLIENT_BUNDLE:
        return env->bundle;
    case CLIENT_CA:
        return env->ca;
    case CLIENT_ONE:
        return "1";
    case CLIENT_JAVA_OPTIONS:
        return java_options(arena, env);
    }
    CHECK(false);
    return NULL;
}

char **client_env_list(struct arena *arena, const struct client_env *env) {
    size_t num = 0;
    while (client_variables[num].name != NULL) {
        num++;
    }
    char **list = arena_alloc(arena, (num + 1) * sizeof(*list)), **end = list;
    for (size_t i = 0; i < num; i++) {
        const char *value = value_of(arena, env, client_variables[i].value);
        if (value != NULL) {
            *end++ = arena_printf(arena, "%s=%s", client_variables[i].name, value);
        }
    }
    return list;
}
