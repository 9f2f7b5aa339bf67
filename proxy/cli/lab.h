// tlsblame lab.
#ifndef PROXY_CLI_LAB_H_
#define PROXY_CLI_LAB_H_

int lab_main(int argc, char **argv);

#endif // PROXY_CLI_LAB_H_
