// The subcommand "profiles".
#ifndef PROXY_CLI_PROFILES_H_
#define PROXY_CLI_PROFILES_H_

int profiles_main(int argc, char **argv);

#endif // PROXY_CLI_PROFILES_H_
