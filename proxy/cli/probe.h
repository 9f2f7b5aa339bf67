// tlsblame probe.
#ifndef PROXY_CLI_PROBE_H_
#define PROXY_CLI_PROBE_H_

int probe_main(int argc, char **argv);

#endif // PROXY_CLI_PROBE_H_
