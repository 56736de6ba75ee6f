/*
 * sekishoctl's main: finds the subcommand in the table and runs it. It takes no privileges and gives none up: what it
 * may read is what its user may read.
 */
#include "policy/ctl/ctl.h"
#include <locale.h>
#include <signal.h>

static const struct command *find(const char *name, const char *sub, bool *group)
{
	const struct command *cmd;

	*group = false;
	for (cmd = commands; cmd->name; cmd++) {
		if (strcmp(cmd->name, name) != 0)
			continue;
		if (!cmd->sub || (sub && !strcmp(cmd->sub, sub)))
			return cmd;
		*group = true;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct ctl c = {.lang = lang_of_environment()};
	const char *name = argc > 1 ? argv[1] : NULL;
	char text[SHOWN_MAX];
	bool group;
	int skip, r;

	setlocale(LC_CTYPE, "");
	/* A reader that goes away is an error of write(), not a death. */
	signal(SIGPIPE, SIG_IGN);
	if (!name) {
		options_overview(&c, stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	else if (!strcmp(name, "--version"))
		name = "version";
	c.command = find(name, argc > 2 ? argv[2] : NULL, &group);
	if (!c.command && group) {
		options_overview(
			&c, argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")) ? stdout : stderr);
		return argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")) ? EXIT_GOOD : EXIT_USAGE;
	}
	if (!c.command)
		return complain(EXIT_USAGE,
			SAY(&c, "no command \"%s\"; see sekishoctl help",
				"「%s」というコマンドはありません。sekishoctl help を参照してください"),
			shown(text, name));
	skip = c.command->sub ? 2 : 1;
	r = options_parse(&c, argc - skip, argv + skip);
	if (r)
		return r;
	if (option_on(&c, OPT_HELP)) {
		options_help(&c, stdout);
		return EXIT_GOOD;
	}
	return c.command->run(&c);
}
