#ifndef PROXY_CLI_IMPORT_H_
#define PROXY_CLI_IMPORT_H_

// import_main is `tlsblame import`; it returns the exit status.
int import_main(int argc, char **argv);

#endif // PROXY_CLI_IMPORT_H_
