/*
 * `sekishoctl completion SHELL`: the completion of bash, zsh or fish, made from the table of commands. The files in
 * packaging/completion are its output; a test compares them.
 */
#include "policy/ctl/ctl.h"

#define HEAD "# Completion of sekishoctl for %s. Made by: sekishoctl completion %s\n"

/* Fixed words, by what offers them. */
static const char *const fixed[][6] = {
	[OFFER_ACCESS] = {"read-only", "read-write"},
	[OFFER_PURPOSE] = {"upgrade", "removal", "repair"},
	[OFFER_ROLE] = {"administrator", "auditor", "viewer"},
	[OFFER_CHANNEL] = {"recorder", "guard", "print", "posture", "console", "herald"},
	[OFFER_LANG] = {"en", "ja"},
	[OFFER_COLOR] = {"auto", "always", "never"},
};

static void put_names(FILE *out, unsigned field, const char *between)
{
	const struct enum_info *e;
	const char *gap = "";
	size_t i;

	for (i = 0; (e = enum_at(i)); i++) {
		if (e->field != field)
			continue;
		fprintf(out, "%s%s", gap, e->name);
		gap = between;
	}
}

static void put_fields(FILE *out, const char *between)
{
	const char *gap = "";
	unsigned f;

	for (f = 1; f <= FIELD_MAX; f++) {
		if (!field_table[f].name)
			continue;
		fprintf(out, "%s%s", gap, field_table[f].name);
		gap = between;
	}
}

/* The words that an offer stands for, with `between`, into `out`. */
static void put_words(FILE *out, enum offer offer, const char *between)
{
	size_t i;

	if (offer == OFFER_KIND || offer == OFFER_CLASS || offer == OFFER_DEVICE_KIND)
		put_names(out, offer == OFFER_KIND ? F_KIND : offer == OFFER_CLASS ? F_CLASS : F_DEVICE_KIND, between);
	else if (offer == OFFER_FIELD)
		put_fields(out, between);
	else if (offer < ARRAY_SIZE(fixed))
		for (i = 0; i < ARRAY_SIZE(fixed[0]) && fixed[offer][i]; i++)
			fprintf(out, "%s%s", i ? between : "", fixed[offer][i]);
}

static bool has_words(enum offer offer)
{
	return offer != OFFER_NOTHING && offer != OFFER_FILE && offer != OFFER_DIR;
}

/* Is this the first command of its name? */
static bool first_of_name(const struct command *cmd)
{
	return cmd == commands || strcmp(cmd[-1].name, cmd->name) != 0;
}

/* The command that the name alone is, beside those with a second word; NULL where there is none. */
static const struct command *plain_of(const struct command *cmd)
{
	for (; cmd->name; cmd++)
		if (!cmd->sub)
			return cmd;
		else if (!cmd[1].name || strcmp(cmd[1].name, cmd->name) != 0)
			break;
	return NULL;
}

/* What a name is described by. */
static const char *help_of(const struct command *cmd)
{
	return plain_of(cmd) ? plain_of(cmd)->help.en : cmd->help.en;
}

static void bash_options(const struct option_row *rows, FILE *out)
{
	for (; rows->id; rows++) {
		fprintf(out, " --%s", rows->name);
		if (rows->letter)
			fprintf(out, " -%c", rows->letter);
	}
}

/* What follows an option that takes a value. One name means one thing in all commands. */
static void bash_values(const struct option_row *rows, bool *done, FILE *out)
{
	for (; rows->id; rows++) {
		if (!rows->arg || done[rows->id])
			continue;
		done[rows->id] = true;
		fprintf(out, "\t--%s", rows->name);
		if (rows->letter)
			fprintf(out, "|-%c", rows->letter);
		fputs(") ", out);
		if (has_words(rows->offer)) {
			fputs("COMPREPLY=($(compgen -W \"", out);
			put_words(out, rows->offer, " ");
			fputs("\" -- \"$cur\")); return ;;\n", out);
		} else if (rows->offer != OFFER_NOTHING) {
			fprintf(out, "COMPREPLY=($(compgen -%c -- \"$cur\")); return ;;\n",
				rows->offer == OFFER_DIR ? 'd' : 'f');
		} else {
			fputs("return ;;\n", out);
		}
	}
}

static void bash(FILE *out)
{
	const struct command *cmd, *other;
	bool done[256] = {false};

	fprintf(out, HEAD, "bash", "bash");
	fputs("_sekishoctl()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal name=${COMP_WORDS[1]} sub=${COMP_WORDS[2]}\n\tCOMPREPLY=()\n\tif ((COMP_CWORD == 1)); then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"",
		out);
	for (cmd = commands; cmd->name; cmd++)
		if (first_of_name(cmd))
			fprintf(out, "%s%s", cmd == commands ? "" : " ", cmd->name);
	fputs("\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $prev in\n", out);
	bash_values(common_options, done, out);
	for (cmd = commands; cmd->name; cmd++)
		bash_values(cmd->options, done, out);
	fputs("\tesac\n\tif ((COMP_CWORD == 2)); then\n\t\tcase $name in\n", out);
	for (cmd = commands; cmd->name; cmd++) {
		if (!cmd->sub || !first_of_name(cmd))
			continue;
		fprintf(out, "\t\t%s) COMPREPLY=($(compgen -W \"", cmd->name);
		for (other = cmd; other->name && !strcmp(other->name, cmd->name); other++)
			if (other->sub)
				fprintf(out, "%s%s", other == cmd ? "" : " ", other->sub);
		/* Its operands, too, where the name alone is a command. */
		fputs(plain_of(cmd) ? "\" -- \"$cur\") $(compgen -f -- \"$cur\")); [[ $cur == -* ]] || return ;;\n"
				    : "\" -- \"$cur\")); return ;;\n",
			out);
	}
	fputs("\t\tcompletion) COMPREPLY=($(compgen -W \"bash zsh fish\" -- \"$cur\")); return ;;\n", out);
	fputs("\t\tesac\n\tfi\n\tcase $name,$sub in\n", out);
	for (cmd = commands; cmd->name; cmd++) {
		fprintf(out, "\t%s,%s)\n\t\tif [[ $cur == -* ]]; then\n\t\t\tCOMPREPLY=($(compgen -W \"", cmd->name,
			cmd->sub ? cmd->sub : "*");
		/* The first word needs no blank before it, but compgen does not mind. */
		bash_options(cmd->options, out);
		bash_options(common_options, out);
		fputs("\" -- \"$cur\"))\n", out);
		if (cmd->offer == OFFER_FILE)
			fputs("\t\telse\n\t\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n", out);
		fputs("\t\tfi ;;\n", out);
	}
	fputs("\tesac\n}\ncomplete -o filenames -F _sekishoctl sekishoctl\n", out);
}

/* A sentence inside single quotes, brackets and colons of _arguments. */
static void zsh_text(const char *s, FILE *out)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\'", out);
		else if (strchr("[]:", *s))
			fputc('\\', out);
		fputc(*s, out);
	}
}

static void zsh_options(const struct option_row *rows, FILE *out)
{
	for (; rows->id; rows++) {
		if (rows->letter)
			fprintf(out, " \\\n\t\t\t'*'{-%c,--%s}'[", rows->letter, rows->name);
		else
			fprintf(out, " \\\n\t\t\t'*--%s[", rows->name);
		zsh_text(rows->help.en, out);
		fputs("]", out);
		if (rows->arg) {
			fputs(":", out);
			zsh_text(rows->arg, out);
			fputs(":", out);
		}
		if (has_words(rows->offer)) {
			fputs("(", out);
			put_words(out, rows->offer, " ");
			fputs(")", out);
		} else if (rows->offer != OFFER_NOTHING) {
			fputs(rows->offer == OFFER_DIR ? "_files -/" : "_files", out);
		}
		fputs("'", out);
	}
}

static void zsh(FILE *out)
{
	const struct command *cmd, *other;

	fputs("#compdef sekishoctl\n", out);
	fprintf(out, HEAD, "zsh", "zsh");
	fputs("_sekishoctl()\n{\n\tlocal -a names subs\n\tnames=(", out);
	for (cmd = commands; cmd->name; cmd++) {
		if (!first_of_name(cmd))
			continue;
		fprintf(out, "\n\t\t'%s:", cmd->name);
		zsh_text(help_of(cmd), out);
		fputs("'", out);
	}
	fputs(")\n\tif ((CURRENT == 2)); then\n\t\t_describe command names\n\t\treturn\n\tfi\n\tif ((CURRENT == 3)); "
	      "then\n"
	      "\t\tcase $words[2] in\n",
		out);
	for (cmd = commands; cmd->name; cmd++) {
		if (!cmd->sub || !first_of_name(cmd))
			continue;
		fprintf(out, "\t\t%s)\n\t\t\tsubs=(", cmd->name);
		for (other = cmd; other->name && !strcmp(other->name, cmd->name); other++) {
			if (!other->sub)
				continue;
			fprintf(out, "%s'%s:", other == cmd ? "" : " ", other->sub);
			zsh_text(other->help.en, out);
			fputs("'", out);
		}
		fputs(")\n\t\t\t_describe command subs\n", out);
		fputs(plain_of(cmd) ? "\t\t\t;;\n" : "\t\t\treturn ;;\n", out);
	}
	fputs("\t\tcompletion) compadd bash zsh fish; return ;;\n\t\tesac\n\tfi\n\tcase $words[2],$words[3] in\n", out);
	for (cmd = commands; cmd->name; cmd++) {
		fprintf(out, "\t%s,%s)\n\t\t_arguments", cmd->name, cmd->sub ? cmd->sub : "*");
		zsh_options(cmd->options, out);
		zsh_options(common_options, out);
		if (cmd->offer == OFFER_FILE)
			fputs(" \\\n\t\t\t'*:file:_files'", out);
		fputs(" ;;\n", out);
	}
	fputs("\tesac\n}\n_sekishoctl \"$@\"\n", out);
}

static void fish_text(const char *s, FILE *out)
{
	fputc('\'', out);
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
	fputc('\'', out);
}

static void fish_options(const struct command *cmd, const struct option_row *rows, FILE *out)
{
	for (; rows->id; rows++) {
		fprintf(out, "complete -c sekishoctl -n '__fish_seen_subcommand_from %s", cmd->name);
		if (cmd->sub)
			fprintf(out, "; and __fish_seen_subcommand_from %s", cmd->sub);
		fprintf(out, "' -l %s", rows->name);
		if (rows->letter)
			fprintf(out, " -s %c", rows->letter);
		if (rows->arg && has_words(rows->offer)) {
			fputs(" -x -a '", out);
			put_words(out, rows->offer, " ");
			fputs("'", out);
		} else if (rows->arg) {
			fputs(rows->offer == OFFER_DIR      ? " -x -a '(__fish_complete_directories)'"
				: rows->offer == OFFER_FILE ? " -r -F"
							    : " -x",
				out);
		}
		fputs(" -d ", out);
		fish_text(rows->help.en, out);
		fputs("\n", out);
	}
}

static void fish(FILE *out)
{
	const struct command *cmd, *other;

	fprintf(out, HEAD, "fish", "fish");
	fputs("complete -c sekishoctl -f\n", out);
	for (cmd = commands; cmd->name; cmd++) {
		if (first_of_name(cmd)) {
			fprintf(out, "complete -c sekishoctl -n __fish_use_subcommand -a %s -d ", cmd->name);
			fish_text(help_of(cmd), out);
			fputs("\n", out);
		}
		if (cmd->sub) {
			fprintf(out,
				"complete -c sekishoctl -n '__fish_seen_subcommand_from %s; and not "
				"__fish_seen_subcommand_from",
				cmd->name);
			for (other = commands; other->name; other++)
				if (other->sub && !strcmp(other->name, cmd->name))
					fprintf(out, " %s", other->sub);
			fprintf(out, "' -a %s -d ", cmd->sub);
			fish_text(cmd->help.en, out);
			fputs("\n", out);
		}
		if (cmd->offer == OFFER_FILE)
			fprintf(out, "complete -c sekishoctl -n '__fish_seen_subcommand_from %s' -F\n", cmd->name);
		fish_options(cmd, cmd->options, out);
		fish_options(cmd, common_options, out);
	}
	fputs("complete -c sekishoctl -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n", out);
}

int command_completion(struct ctl *c)
{
	static const struct {
		const char *name;
		void (*make)(FILE *out);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	char text[SHOWN_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shells); i++)
		if (!strcmp(c->operands[0], shells[i].name)) {
			shells[i].make(stdout);
			return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
		}
	return complain(EXIT_USAGE,
		SAY(c, "no completion for \"%s\": bash, zsh or fish", "「%s」の補完はありません(bash, zsh, fish)"),
		shown(text, c->operands[0]));
}
