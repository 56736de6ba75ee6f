/*
 * How a program begins: its command line (--config FILE, -h, --help, --version, and what is its own), the settings of a
 * PC's, and how it becomes its own user. Used by the main.c of every daemon, before anything else; what privilege each
 * takes and gives up stays visible there.
 */
#ifndef SEKISHO_WIRE_PROGRAM_H
#define SEKISHO_WIRE_PROGRAM_H

#include "policy/wire/agent_conf.h"
#include <getopt.h>

#define PROGRAM_OWN 256 /* `val` of a program's own options begin here */
#define PROGRAM_OPTIONS_MAX 8u
#define PROGRAM_NOT_MADE 78 /* EX_CONFIG of sysexits.h: no use in starting again before that is changed */

struct program {
	const char *name;  /* "sekisho-guard": in logs and --version */
	const char *usage; /* whole lines */
	/* its own options, ended by a NULL name; may be NULL. Those with a `flag` set it (getopt_long(3)) */
	const struct option *own;
	void (*take)(void *ctx, int val, const char *value); /* one of the others was given */
	void *ctx;
};

/*
 * Opens the log and reads the line. True: it is for running; *config is what --config says, or NULL, and optind stands
 * at the first operand. False: the program ends with *code.
 */
bool program_line(const struct program *p, int argc, char **argv, const char **config, int *code);
/* The usage, to standard error: ends with 2. */
int program_usage(const struct program *p);
/* Reads `config`, or agent.conf where it is NULL, and lets the log say as much as that asks for. 0; V_NOT_FOUND; V_BAD;
 * -errno. */
int program_settings(const struct program *p, const char *config, struct agent_conf *out, struct why *why);
/* Logs that `what` failed, by `why` where that says something. EXIT_FAILURE. */
int program_complain(const char *what, int r, const struct why *why);
/* The same for a start that lacks what `--init` or an enrolment makes: PROGRAM_NOT_MADE where `r` is V_NOT_FOUND. */
int program_not_started(const char *what, int r, const struct why *why);
/* What --check prints of settings that were read with `r`, and its exit code. */
int program_checked(int r, const struct why *why);
/* `path` behind SEKISHO_ROOT, where a test sets it. 0; -ENAMETOOLONG. */
int program_path(char *out, size_t size, const char *path);
/* confine_program(), and a line of the log where it stayed root. */
int program_give_up_power(const char *user, struct why *why);

#endif
