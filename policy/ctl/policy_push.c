/*
 * `policy push` and `policy status`: a signed policy to the collector, and which PC has it in force.
 */
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include "policy/ctl/policy_files.h"
#include "policy/wire/api.h"
#include <errno.h>
#include <inttypes.h>

#define WAIT_DEFAULT_S 10
#define LOOK_EVERY_US 100000

struct tally {
	unsigned current, behind, away;
};

static void count(const json_t *status, struct tally *t)
{
	json_int_t version = json_integer_value(json_object_get(status, "version"));
	json_t *o;
	size_t i;

	*t = (struct tally){0};
	json_array_foreach(json_object_get(status, "hosts"), i, o)
	{
		if (json_integer_value(json_object_get(o, "policy")) == version)
			t->current++;
		else if (json_is_true(json_object_get(o, "connected")))
			t->behind++;
		else
			t->away++;
	}
}

/* Until every connected PC has it in force, or for WAIT_DEFAULT_S; `told` is then what is known of them. */
static int follow(struct ctl *c, json_t *told)
{
	int64_t until = clock_boot_us() + WAIT_DEFAULT_S * 1000000ll;
	struct tally t = {0};
	int r;

	do {
		_cleanup_json_ json_t *status = NULL;

		r = door(c, API_ADMIN_POLICY, NULL, &status);
		if (r)
			return r;
		count(status, &t);
		if (isatty(STDERR_FILENO))
			fprintf(stderr,
				SAY(c, "\r%u in force, %u to come, %u away ",
					"\r適用済み %u 台、適用待ち %u 台、未接続 %u 台 "),
				t.current, t.behind, t.away);
		if (!t.behind)
			break;
		usleep(LOOK_EVERY_US);
	} while (clock_boot_us() < until);
	if (isatty(STDERR_FILENO))
		fputc('\n', stderr);
	if (!option_on(c, OPT_JSON))
		printf(SAY(c,
			       "in force on %u PCs; %u connected ones have not said so yet; %u are away and get it "
			       "when "
			       "they return\n",
			       "%u 台で適用済み。接続中で未確認 %u 台。未接続 %u 台は復帰時に適用されます\n"),
			t.current, t.behind, t.away);
	else if (json_object_set_new(told, "in_force", json_integer(t.current)) ||
		 json_object_set_new(told, "to_come", json_integer(t.behind)) ||
		 json_object_set_new(told, "away", json_integer(t.away)) || say_json(told))
		return EXIT_MACHINE;
	return t.behind ? EXIT_PROBLEM : EXIT_GOOD;
}

int command_policy_push(struct ctl *c)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX);
	_cleanup_json_ json_t *answer = NULL;
	struct why why = {""};
	int r = bundle_read(c, c->operands[0], &bytes);

	if (r)
		return r;
	r = door_send(c, API_ADMIN_POLICY, API_POLICY_TYPE, buf_span(&bytes), &answer, &why);
	if (r)
		return complain_of(c, SAY(c, "collector", "コレクター"), r, &why);
	if (option_on(c, OPT_JSON))
		return option_on(c, OPT_WAIT) ? follow(c, answer) : say_json(answer);
	printf(SAY(c, "policy %" PRId64 ": taken, %" PRId64 " PCs are connected\n",
		       "ポリシー %" PRId64 " を受け付けました。接続中の PC は %" PRId64 " 台です\n"),
		(int64_t)json_integer_value(json_object_get(answer, "version")),
		(int64_t)json_integer_value(json_object_get(answer, "connected")));
	return option_on(c, OPT_WAIT) ? follow(c, answer) : fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_policy_status(struct ctl *c)
{
	_cleanup_json_ json_t *status = NULL;
	char name[SHOWN_MAX], id[SHOWN_MAX], version[SHOWN_MAX], means[SHOWN_MAX], t[TEXT_TIME_SIZE];
	json_int_t newest;
	json_t *o;
	size_t i;
	int r = door(c, API_ADMIN_POLICY, NULL, &status);

	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(status);
	newest = json_integer_value(json_object_get(status, "version"));
	printf(SAY(c, "newest policy: %" PRId64 "\n", "最新のポリシー: 版 %" PRId64 "\n"), (int64_t)newest);
	json_array_foreach(json_object_get(status, "hosts"), i, o)
	{
		json_int_t has = json_integer_value(json_object_get(o, "policy"));
		json_int_t seen = json_integer_value(json_object_get(o, "seen"));

		printf("%-20s %.16s  %8s  %-10s %-16s %s\n", door_text(name, o, "name"), door_text(id, o, "id"),
			has ? door_text(version, o, "policy") : "-",
			has == newest                                    ? SAY(c, "current", "最新")
			: !json_is_true(json_object_get(o, "connected")) ? SAY(c, "away", "未接続")
									 : SAY(c, "behind", "未適用"),
			seen ? text_time_local(t, seen) : "-",
			json_object_get(o, "means") ? door_text(means, o, "means") : "-");
	}
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}
