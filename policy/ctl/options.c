/*
 * The command line by the tables: parsing with getopt_long, and the help that is made from the same rows.
 */
#include "policy/ctl/ctl.h"
#include <getopt.h>

#define OPTIONS_MAX 32

enum record_lang lang_of_environment(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = getenv(names[i]);

		if (v && *v)
			return strncmp(v, "ja", 2) ? LANG_EN : LANG_JA;
	}
	return LANG_EN;
}

bool option_on(const struct ctl *c, int id)
{
	unsigned i;

	for (i = 0; i < c->given_n; i++)
		if (c->given[i].id == id)
			return true;
	return false;
}

const char *option_value(const struct ctl *c, int id)
{
	const char *value = NULL;
	unsigned i;

	for (i = 0; i < c->given_n; i++)
		if (c->given[i].id == id)
			value = c->given[i].value;
	return value;
}

/* Adds rows to getopt's own tables; the ids become what it returns. */
static unsigned add(const struct option_row *rows, struct option *longs, unsigned n, char *shorts)
{
	size_t at = strlen(shorts);

	for (; rows->id && n < OPTIONS_MAX; rows++, n++) {
		longs[n] =
			(struct option){rows->name, rows->arg ? required_argument : no_argument, NULL, 256 + rows->id};
		if (!rows->letter)
			continue;
		shorts[at++] = rows->letter;
		if (rows->arg)
			shorts[at++] = ':';
		shorts[at] = 0;
	}
	return n;
}

static int id_of_letter(const struct option_row *rows, int letter)
{
	for (; rows->id; rows++)
		if (rows->letter == letter)
			return rows->id;
	return 0;
}

static int set_lang(struct ctl *c, const char *value)
{
	if (strcmp(value, "ja") != 0 && strcmp(value, "en") != 0)
		return complain(EXIT_USAGE, SAY(c, "--lang: en or ja", "--lang: en か ja を指定してください"));
	c->lang = strcmp(value, "ja") == 0 ? LANG_JA : LANG_EN;
	return EXIT_GOOD;
}

/* What getopt_long did not take: `o` is its answer, `word` where it stopped. */
static int complain_option(const struct ctl *c, int o, const char *word)
{
	const char letter[3] = {'-', (char)optopt, 0};
	char a[SHOWN_MAX];

	shown(a, optopt && optopt < 256 ? letter : word);
	return complain(EXIT_USAGE,
		o == ':'        ? SAY(c, "%s: its value is missing", "%s: 値を指定してください")
		: optopt >= 256 ? SAY(c, "%s: takes no value", "%s: 値は指定できません")
				: SAY(c, "%s: no such option; see --help",
					  "%s: このようなオプションはありません。--help を参照してください"),
		a);
}

int options_parse(struct ctl *c, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + 1] = {{NULL, 0, NULL, 0}};
	char shorts[3 * OPTIONS_MAX + 2] = ":", program[] = "sekishoctl";
	char *first = argv[0];
	unsigned n;
	int o, r = EXIT_GOOD;

	n = add(c->command->options, longs, 0, shorts);
	add(common_options, longs, n, shorts);
	argv[0] = program;
	optind = 0;
	opterr = 0;
	while (r == EXIT_GOOD && (o = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		int id = o >= 256 ? o - 256 : id_of_letter(c->command->options, o);

		if (o == '?' || o == ':')
			r = complain_option(c, o, argv[optind - 1]);
		else if (!id)
			id = id_of_letter(common_options, o);
		if (r == EXIT_GOOD && c->given_n == OPTIONS_GIVEN_MAX)
			r = complain(EXIT_USAGE, SAY(c, "too many options", "オプションが多すぎます"));
		if (r == EXIT_GOOD && id == OPT_LANG)
			r = set_lang(c, optarg);
		if (r == EXIT_GOOD) {
			c->given[c->given_n].id = id;
			c->given[c->given_n++].value = optarg;
		}
	}
	argv[0] = first;
	if (r)
		return r;
	c->operands = argv + optind;
	c->operands_n = argc - optind;
	if (option_on(c, OPT_HELP))
		return EXIT_GOOD;
	if (c->operands_n < c->command->operands_min)
		return complain(EXIT_USAGE,
			SAY(c, "%s is missing; see --help", "%s を指定してください。--help を参照してください"),
			c->command->operands);
	if (c->operands_n > c->command->operands_max)
		return complain(EXIT_USAGE,
			SAY(c, "too many arguments; see --help", "引数が多すぎます。--help を参照してください"));
	return EXIT_GOOD;
}

static void print_rows(const struct ctl *c, const struct option_row *rows, FILE *out)
{
	char left[64];

	for (; rows->id; rows++) {
		snprintf(left, sizeof(left), "--%s%s%s", rows->name, rows->arg ? " " : "", rows->arg ? rows->arg : "");
		if (rows->letter)
			fprintf(out, "  -%c, %-24s %s\n", rows->letter, left, SAY(c, rows->help.en, rows->help.ja));
		else
			fprintf(out, "      %-24s %s\n", left, SAY(c, rows->help.en, rows->help.ja));
	}
}

void options_help(const struct ctl *c, FILE *out)
{
	const struct command *cmd = c->command;

	fprintf(out,
		SAY(c, "Usage: sekishoctl %s%s%s [OPTION...]%s%s\n\n",
			"使い方: sekishoctl %s%s%s [オプション...]%s%s\n\n"),
		cmd->name, cmd->sub ? " " : "", cmd->sub ? cmd->sub : "", cmd->operands ? " " : "",
		cmd->operands ? cmd->operands : "");
	fprintf(out, "%s\n\n", SAY(c, cmd->help.en, cmd->help.ja));
	print_rows(c, cmd->options, out);
	print_rows(c, common_options, out);
}

void options_overview(const struct ctl *c, const char *name, FILE *out)
{
	const struct command *cmd;
	char left[32];

	fputs(SAY(c, "Usage: sekishoctl COMMAND [OPTION...]\n\n", "使い方: sekishoctl コマンド [オプション...]\n\n"),
		out);
	for (cmd = commands; cmd->name; cmd++) {
		if (name && strcmp(cmd->name, name) != 0)
			continue;
		snprintf(left, sizeof(left), "%s%s%s", cmd->name, cmd->sub ? " " : "", cmd->sub ? cmd->sub : "");
		fprintf(out, "  %-16s %s\n", left, SAY(c, cmd->help.en, cmd->help.ja));
	}
	fputs(SAY(c, "\nsekishoctl COMMAND --help says more; the manual is sekishoctl(1).\n",
		      "\n詳しくは sekishoctl コマンド --help、または sekishoctl(1) を参照してください。\n"),
		out);
}

int complain_command(const struct ctl *c, const char *name, const char *sub, char text[SHOWN_MAX])
{
	char words[SHOWN_MAX];

	snprintf(words, sizeof(words), "%s%s%s", name, sub ? " " : "", sub ? sub : "");
	return complain(EXIT_USAGE,
		SAY(c, "no command \"%s\"; see sekishoctl help",
			"「%s」というコマンドはありません。sekishoctl help を参照してください"),
		shown(text, words));
}
