// The subcommand `learn`: from records of a real box to its profile.
#ifndef PROXY_CLI_LEARN_H_
#define PROXY_CLI_LEARN_H_

int learn_main(int argc, char **argv);

#endif // PROXY_CLI_LEARN_H_
