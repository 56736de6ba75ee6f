/*
 * sekishoctl's main: finds the subcommand in the table and runs it. It takes no privileges and gives none up: what it
 * may read is what its user may read.
 */
#include "policy/ctl/ctl.h"
#include <locale.h>
#include <signal.h>

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

/* A word that only begins commands: they are listed, and what else was said is named. */
static int of_group(const struct ctl *c, const char *name, const char *sub)
{
	bool asked = sub && is_help(sub);
	char text[SHOWN_MAX];

	if (sub && sub[0] != '-')
		complain_command(c, name, sub, text);
	options_overview(c, name, asked ? stdout : stderr);
	return asked ? EXIT_GOOD : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct ctl c = {.lang = lang_of_environment(), .argv = argv};
	const char *name = argc > 1 ? argv[1] : NULL;
	char text[SHOWN_MAX];
	bool group;
	int skip, r;

	setlocale(LC_CTYPE, "");
	/* A reader that goes away is an error of write(), not a death. */
	signal(SIGPIPE, SIG_IGN);
	if (!name) {
		options_overview(&c, NULL, stderr);
		return EXIT_USAGE;
	}
	if (is_help(name))
		name = "help";
	else if (!strcmp(name, "--version"))
		name = "version";
	c.command = command_find(name, argc > 2 ? argv[2] : NULL, &group);
	if (!c.command && group)
		return of_group(&c, name, argc > 2 ? argv[2] : NULL);
	if (!c.command)
		return complain_command(&c, name, NULL, text);
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
