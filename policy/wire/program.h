/*
 * How a program of a PC begins: its command line (--config FILE, -h, --help, --version, and what is its own) and its
 * settings. Used by the main.c of sekisho-guard, sekisho-recorder and sekisho-uplink, before anything else; what
 * privilege each takes and gives up stays visible there.
 */
#ifndef SEKISHO_WIRE_PROGRAM_H
#define SEKISHO_WIRE_PROGRAM_H

#include "policy/wire/agent_conf.h"
#include <getopt.h>

#define PROGRAM_OWN 256 /* `val` of a program's own options begin here */
#define PROGRAM_OPTIONS_MAX 8u

struct program {
	const char *name;                                    /* "sekisho-guard": in logs and --version */
	const char *usage;                                   /* whole lines */
	const struct option *own;                            /* its own options, ended by a NULL name; may be NULL */
	void (*take)(void *ctx, int val, const char *value); /* one of them was given */
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

#endif
