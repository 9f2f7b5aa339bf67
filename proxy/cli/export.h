// `tlsblame export`: records out as a capture, a key log or JSON.
#ifndef PROXY_CLI_EXPORT_H_
#define PROXY_CLI_EXPORT_H_

int export_main(int argc, char **argv);

#endif // PROXY_CLI_EXPORT_H_
