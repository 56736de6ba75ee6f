/*
 * `token` and `host`: the administrator's requests to the collector, one each.
 */
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include "policy/wire/api.h"
#include <errno.h>

#define VALID_DEFAULT 86400
#define VALID_MAX (365 * 86400)

/* "30m", "24h", "7d", or seconds. */
static int parse_valid(const struct ctl *c, json_int_t *out)
{
	const char *v = option_value(c, OPT_VALID);
	char text[SHOWN_MAX], *end;
	unsigned long n;

	*out = VALID_DEFAULT;
	if (!v)
		return EXIT_GOOD;
	errno = 0;
	n = strtoul(v, &end, 10);
	if (*v < '0' || *v > '9' || errno || n > VALID_MAX)
		n = 0;
	if (n && *end && !end[1])
		n *= *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 0;
	else if (*end)
		n = 0;
	if (!n || n > VALID_MAX)
		return complain(EXIT_USAGE,
			SAY(c, "--valid: \"%s\" is no time from 1s to 365d",
				"--valid: 「%s」は 1s から 365d の期間ではありません"),
			shown(text, v));
	*out = (json_int_t)n;
	return EXIT_GOOD;
}

int command_token_create(struct ctl *c)
{
	_cleanup_json_ json_t *body = NULL, *answer = NULL;
	const char *token;
	char text[SHOWN_MAX];
	json_int_t valid;
	int r = parse_valid(c, &valid);

	if (r)
		return r;
	body = json_pack("{s:s?, s:I}", "name", option_value(c, OPT_NAME), "valid", valid);
	if (!body)
		return complain(EXIT_USAGE, SAY(c, "--name: not UTF-8", "--name: UTF-8 ではありません"));
	r = door(c, API_ADMIN_TOKENS, body, &answer);
	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	token = json_string_value(json_object_get(answer, "token"));
	if (!token)
		return complain(
			EXIT_PROBLEM, SAY(c, "collector: gave no token", "コレクターがトークンを返しませんでした"));
	puts(shown(text, token));
	if (isatty(STDOUT_FILENO))
		fputs(SAY(c, "good once; on the PC: sekisho-uplink enrol --collector https://HOST:8443 TOKEN\n",
			      "一度だけ有効です。PC で実行: sekisho-uplink enrol --collector https://HOST:8443 "
			      "TOKEN\n"),
			stderr);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_token_list(struct ctl *c)
{
	_cleanup_json_ json_t *answer = NULL;
	char id[SHOWN_MAX], name[SHOWN_MAX], t[TEXT_TIME_SIZE];
	json_t *o;
	size_t i;
	int r = door(c, API_ADMIN_TOKENS, NULL, &answer);

	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	json_array_foreach(json_object_get(answer, "tokens"), i, o)
	{
		printf("%-18s %-24s %s\n", door_text(id, o, "id"), door_text(name, o, "name"),
			door_time(t, o, "expires"));
	}
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

/* "recorder 4711, collector 3": where the chains of a PC stand; more than one head is a fork. */
static void print_chains(const struct ctl *c, const json_t *host)
{
	char producer[SHOWN_MAX], seq[SHOWN_MAX];
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(host, "chains"), i, o)
	{
		json_int_t heads = json_integer_value(json_object_get(o, "heads"));

		printf("%s%s %s", i ? ", " : "  ", door_text(producer, o, "producer"), door_text(seq, o, "seq"));
		if (heads > 1)
			printf(SAY(c, " (FORKED: %d heads)", "(分岐: %d 系統)"), (int)heads);
	}
}

int command_host_list(struct ctl *c)
{
	_cleanup_json_ json_t *answer = NULL;
	char id[SHOWN_MAX], name[SHOWN_MAX], state[SHOWN_MAX], t[TEXT_TIME_SIZE];
	json_t *o;
	size_t i;
	int r = door_hosts(c, &answer);

	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	json_array_foreach(json_object_get(answer, "hosts"), i, o)
	{
		printf("%-20s %.16s  %-8s  %s", door_text(name, o, "name"), door_text(id, o, "id"),
			door_text(state, o, "state"), door_time(t, o, "seen"));
		print_chains(c, o);
		putchar('\n');
	}
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

/* Asks for it at the collector's door, and says what came of it. */
static int shut_out(struct ctl *c, const char *target, json_t *body, const char *said)
{
	_cleanup_json_ json_t *answer = NULL;
	char text[SHOWN_MAX];
	int r;

	if (!body)
		return complain(EXIT_USAGE,
			SAY(c, "the name or the reason is not UTF-8", "名前または理由が UTF-8 ではありません"));
	r = door(c, target, body, &answer);
	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	printf("%s: %s\n", shown(text, c->operands[0]), said);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_host_revoke(struct ctl *c)
{
	const char *reason = option_value(c, OPT_REASON);
	_cleanup_json_ json_t *body = json_pack("{s:s, s:s}", "host", c->operands[0], "reason", reason ? reason : "");

	return shut_out(c, API_ADMIN_REVOKE, body, SAY(c, "revoked", "失効しました"));
}

int command_host_retire(struct ctl *c)
{
	const char *reason = option_value(c, OPT_REASON);
	_cleanup_json_ json_t *body = json_pack("{s:s, s:s, s:b}", "host", c->operands[0], "reason",
		reason ? reason : "", "unheard", option_on(c, OPT_UNHEARD));

	return shut_out(c, API_ADMIN_RETIRE, body, SAY(c, "retired", "廃止しました"));
}
