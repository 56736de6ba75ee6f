/* Options to filter: what is meant is set, what makes no sense is a usage error. */
#include "policy/ctl/log_filter.h"
#include "tests/unit/cm.h"

static struct ctl c;
static struct store_filter f;

static const struct command *find_log(void)
{
	const struct command *cmd = commands;

	while (strcmp(cmd->name, "log"))
		cmd++;
	return cmd;
}

/* Parses "log" with these words; ends with NULL. */
static int parse(const char *first, ...)
{
	/* What was parsed borrows from the words. */
	static char words[32][256];
	char *argv[32] = {(char[]){"log"}};
	int argc = 1, r;
	const char *a;
	va_list ap;

	va_start(ap, first);
	for (a = first; a; a = va_arg(ap, const char *)) {
		snprintf(words[argc], sizeof(words[argc]), "%s", a);
		argv[argc] = words[argc];
		argc++;
	}
	va_end(ap);
	argv[argc] = NULL;
	c = (struct ctl){.command = find_log()};
	r = options_parse(&c, argc, argv);
	if (!r)
		r = log_filter(&c, 1795428000000000, &f);
	return r;
}

static void words_are_understood(void **state)
{
	(void)state;
	assert_int_equal(
		parse("--since", "-2h", "-u", "2026-11-23T10:00:00Z", "--host=pc-17", "-U", "花子", "-k", "exec,file",
			"--kind", "rename", "--class", "usb", "-n", "50", "--newest", "--text", "給与", NULL),
		0);
	assert_true(f.from_us == 1795428000000000 - 7200000000);
	assert_true(f.until_us == 1795428000000000);
	assert_string_equal(f.host, "pc-17");
	assert_string_equal(f.user, "花子");
	assert_string_equal(f.text, "給与");
	assert_int_equal(f.kinds_n, 3);
	assert_int_equal(f.kinds[2], KIND_RENAME);
	assert_int_equal(f.classes_n, 1);
	assert_int_equal(f.limit, 50);
	assert_true(f.newest_first);
	assert_null(f.path);
	assert_int_equal(parse(NULL), 0);
	assert_int_equal(f.kinds_n + f.classes_n + f.limit, 0);
}

static void nonsense_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse("--since", "yesterday", NULL), EXIT_USAGE);
	assert_int_equal(parse("--kind", "explode", NULL), EXIT_USAGE);
	assert_int_equal(parse("--kind", "exec,", NULL), EXIT_USAGE);
	assert_int_equal(parse("--class", "floppy", NULL), EXIT_USAGE);
	assert_int_equal(parse("--limit", "0", NULL), EXIT_USAGE);
	assert_int_equal(parse("--limit", "-1", NULL), EXIT_USAGE);
	assert_int_equal(parse("--limit", "5x", NULL), EXIT_USAGE);
	assert_int_equal(parse("--limit", "99999999999999999999", NULL), EXIT_USAGE);
	assert_int_equal(parse("--since", "-1h", "--until", "-2h", NULL), EXIT_USAGE);
	assert_int_equal(parse("--no-such", NULL), EXIT_USAGE);
	assert_int_equal(parse("stray", NULL), EXIT_USAGE);
	assert_int_equal(parse("--lang", "fr", NULL), EXIT_USAGE);
	assert_int_equal(
		parse("--kind",
			"exec,fork,exit,file,rename,link,symlink,unlink,mkdir,rmdir,truncate,chmod,chown,"
			"mount,umount,login,logout,lock,unlock,plug,unplug,decision,medium,denied,policy,"
			"policy-refused,release,release-refused,write-seen,guard-start,guard-stop,proof,release-end",
			NULL),
		EXIT_USAGE);
}

static void columns(void **state)
{
	unsigned fields[FIELD_MAX + 1];

	(void)state;
	assert_int_equal(parse("--fields", "time,path,user", NULL), 0);
	assert_int_equal(log_fields(&c, fields), 0);
	assert_int_equal(fields[0], F_TIME);
	assert_int_equal(fields[2], F_USER);
	assert_int_equal(fields[3], 0);
	assert_int_equal(parse("--fields", "time,nothing", NULL), 0);
	assert_int_equal(log_fields(&c, fields), EXIT_USAGE);
	assert_int_equal(parse(NULL), 0);
	assert_int_equal(log_fields(&c, fields), 0);
	assert_int_equal(fields[0], F_TIME);
	assert_int_equal(fields[1], F_KIND);
}

static void the_first_variable_that_is_set_decides_the_language(void **state)
{
	(void)state;
	unsetenv("LC_ALL");
	unsetenv("LC_MESSAGES");
	setenv("LANG", "ja_JP.UTF-8", 1);
	assert_int_equal(lang_of_environment(), LANG_JA);
	setenv("LC_MESSAGES", "en_GB.UTF-8", 1);
	assert_int_equal(lang_of_environment(), LANG_EN);
	setenv("LC_ALL", "ja_JP.UTF-8", 1);
	assert_int_equal(lang_of_environment(), LANG_JA);
	setenv("LC_ALL", "", 1);
	assert_int_equal(lang_of_environment(), LANG_EN);
}

static void the_table_is_whole(void **state)
{
	const struct command *cmd, *other;
	const struct option_row *o, *p;

	(void)state;
	for (cmd = commands; cmd->name; cmd++) {
		assert_non_null(cmd->run);
		assert_true(cmd->help.en && cmd->help.ja);
		/* Each once; the name alone comes behind those with a second word, which it would hide otherwise. */
		for (other = cmd + 1; other->name; other++)
			assert_false(!strcmp(cmd->name, other->name) &&
				     (!cmd->sub || (other->sub && !strcmp(cmd->sub, other->sub))));
		for (o = cmd->options; o->id; o++) {
			assert_true(o->name && o->help.en && o->help.ja);
			for (p = o + 1; p->id; p++) {
				assert_string_not_equal(o->name, p->name);
				assert_true(!o->letter || o->letter != p->letter);
			}
			for (p = common_options; p->id; p++)
				assert_true(strcmp(o->name, p->name) && (!o->letter || o->letter != p->letter));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_understood),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(columns),
		cmocka_unit_test(the_first_variable_that_is_set_decides_the_language),
		cmocka_unit_test(the_table_is_whole),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
