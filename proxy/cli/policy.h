// The subcommand `policy`: check a policy file, and the manual of its keys.
#ifndef PROXY_CLI_POLICY_H_
#define PROXY_CLI_POLICY_H_

// policy_main returns the exit status.
int policy_main(int argc, char **argv);

#endif // PROXY_CLI_POLICY_H_
