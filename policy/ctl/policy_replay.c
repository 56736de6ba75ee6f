/*
 * `policy replay`: a policy tried against what happened: which devices and print jobs of the log it would have judged
 * otherwise. Alike cases are one line, with how often, where and who.
 */
#include "collector/store/store.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/ctl/log_filter.h"
#include "policy/ctl/policy_files.h"
#include "policy/rule/replay.h"
#include <errno.h>
#include <inttypes.h>

#define CASES_MAX 5000u
#define WORDS_MAX 12u /* PCs and people named in a case */
#define LAST_WEEK_US (7ll * 86400 * 1000000)

struct trial {
	const struct policy *policy;
	const char *groups[POLICY_GROUPS_MAX + 1];
	json_t *devices, *prints; /* by what makes them alike: objects */
	uint64_t looked, otherwise, not_compared, left_out;
};

static const char *text_of(char out[SHOWN_MAX], const struct record *r, unsigned f)
{
	return text_escape_to(out, SHOWN_MAX, record_has(r, f) ? r->v[f].s : SPAN("", 0));
}

static void count(json_t *o, const char *key, uint64_t more)
{
	json_object_set_new(o, key, json_integer(json_integer_value(json_object_get(o, key)) + (json_int_t)more));
}

static void add_word(json_t *o, const char *key, const char *word)
{
	json_t *list = json_object_get(o, key), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (!strcmp(json_string_value(one), word))
			return;
	}
	if (*word && json_array_size(list) < WORDS_MAX)
		json_array_append_new(list, json_string(word));
}

/* The case that this one is another of; a new one is made by `fresh` (taken over). NULL: there are too many. */
static json_t *case_of(struct trial *t, json_t *cases, const char *key, json_t *fresh)
{
	json_t *o = json_object_get(cases, key);

	if (o || json_object_size(cases) >= CASES_MAX) {
		json_decref(fresh);
		t->left_out += !o;
		return o;
	}
	return json_object_set_new(cases, key, fresh) ? NULL : json_object_get(cases, key);
}

static void add(const struct store_row *row, json_t *o)
{
	char user[SHOWN_MAX], host[SHOWN_MAX], time[TEXT_TIME_SIZE];

	count(o, "times", 1);
	add_word(o, "hosts", shown(host, row->host_name));
	add_word(o, "users", text_of(user, &row->record, F_USER));
	json_object_set_new(o, "last", json_string(text_time_utc(time, row->record.v[F_TIME].i)));
}

static void add_device(struct trial *t, const struct store_row *row, const struct replay *p)
{
	const struct record *r = &row->record;
	const char *kind = enum_by_value(F_DEVICE_KIND, r->v[F_DEVICE_KIND].u)->name,
		   *was = enum_by_value(F_ACCESS, p->was)->name, *now = enum_by_value(F_ACCESS, p->now)->name;
	char id[SHOWN_MAX], serial[SHOWN_MAX], product[SHOWN_MAX], key[4 * SHOWN_MAX];
	json_t *o;

	text_of(id, r, F_USB_ID);
	text_of(serial, r, F_SERIAL);
	snprintf(key, sizeof(key), "%s %s %s %s %s %s", id, kind, was, now, p->rule, serial);
	o = case_of(t, t->devices, key,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:[], s:[]}", "device", id, "serial", serial,
			"product", text_of(product, r, F_PRODUCT), "kind", kind, "was", was, "now", now, "rule",
			p->rule, "reason", p->reason, "times", 0, "hosts", "users"));
	if (o)
		add(row, o);
}

static void add_print(struct trial *t, const struct store_row *row, const struct replay *p)
{
	const struct record *r = &row->record;
	const char *was = enum_by_value(F_ACTION, p->was)->name, *now = enum_by_value(F_ACTION, p->now)->name;
	char printer[SHOWN_MAX], user[SHOWN_MAX], title[SHOWN_MAX], key[4 * SHOWN_MAX];
	json_t *o;

	text_of(printer, r, F_PRINTER);
	snprintf(key, sizeof(key), "%s %s %s %s %s", was, now, p->rule, text_of(user, r, F_USER), printer);
	o = case_of(t, t->prints, key,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:[], s:[]}", "printer", printer, "was", was, "now", now,
			"rule", p->rule, "reason", p->reason, "times", 0, "pages", 0, "hosts", "users"));
	if (!o)
		return;
	add(row, o);
	count(o, "pages", record_has(r, F_PAGES) ? r->v[F_PAGES].u : 0);
	json_object_set_new(o, "title", json_string(text_of(title, r, F_TITLE)));
}

static int on_row(void *ctx, const struct store_row *row)
{
	struct trial *t = ctx;
	struct replay p;

	t->looked++;
	if (replay_record(t->policy, &row->record, row->host_name, t->groups, &p)) {
		t->not_compared++;
		return 0;
	}
	if (p.was == p.now)
		return 0;
	t->otherwise++;
	if (p.of_device)
		add_device(t, row, &p);
	else
		add_print(t, row, &p);
	return 0;
}

/* --- telling --- */

/* An array of the objects that `cases` has, in the order in which they were met. */
static json_t *values(json_t *cases)
{
	json_t *list = json_array(), *o;
	const char *key;

	json_object_foreach(cases, key, o)
	{
		json_array_append(list, o);
	}
	return list;
}

static void say_words(const json_t *o, const char *key)
{
	const json_t *list = json_object_get(o, key), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		printf(" %s", json_string_value(one));
	}
}

static const char *word_of(const struct ctl *c, unsigned f, const json_t *o, const char *key)
{
	const struct enum_info *e = enum_by_name(f, json_string_value(json_object_get(o, key)));

	return c->lang == LANG_JA ? e->ja : e->name;
}

/* What the lines of both kinds end with. */
static void say_rest(const struct ctl *c, const json_t *o)
{
	printf("\n    %s: %s\n    ", json_string_value(json_object_get(o, "rule")),
		json_string_value(json_object_get(o, "reason")));
	printf(SAY(c, "%" PRId64 " times, last %s;", "%" PRId64 " 回、最後は %s、"),
		(int64_t)json_integer_value(json_object_get(o, "times")),
		json_string_value(json_object_get(o, "last")));
	say_words(o, "hosts");
	say_words(o, "users");
	putchar('\n');
}

static void say_cases(const struct ctl *c, const struct trial *t)
{
	const json_t *o;
	const char *key;

	json_object_foreach(t->devices, key, o)
	{
		printf("%s → %s  %s %s  %s (%s)", word_of(c, F_ACCESS, o, "was"), word_of(c, F_ACCESS, o, "now"),
			json_string_value(json_object_get(o, "device")),
			json_string_value(json_object_get(o, "serial")),
			json_string_value(json_object_get(o, "product")), word_of(c, F_DEVICE_KIND, o, "kind"));
		say_rest(c, o);
	}
	json_object_foreach(t->prints, key, o)
	{
		printf(SAY(c, "%s → %s  print on %s: %" PRId64 " pages, last \"%s\"",
			       "%s → %s  印刷 %s: %" PRId64 " ページ、最後は「%s」"),
			word_of(c, F_ACTION, o, "was"), word_of(c, F_ACTION, o, "now"),
			json_string_value(json_object_get(o, "printer")),
			(int64_t)json_integer_value(json_object_get(o, "pages")),
			json_string_value(json_object_get(o, "title")));
		say_rest(c, o);
	}
}

static int say_trial(struct ctl *c, const struct trial *t)
{
	if (option_on(c, OPT_JSON)) {
		_cleanup_json_ json_t *o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "version",
			(json_int_t)policy_version(t->policy), "decisions", (json_int_t)t->looked, "otherwise",
			(json_int_t)t->otherwise, "not_compared", (json_int_t)t->not_compared, "left_out",
			(json_int_t)t->left_out, "devices", values(t->devices), "prints", values(t->prints));

		return say_json(o);
	}
	say_cases(c, t);
	printf(SAY(c, "%" PRIu64 " decisions, %" PRIu64 " of them would be others\n",
		       "判定 %" PRIu64 " 件のうち %" PRIu64 " 件が変わります\n"),
		t->looked, t->otherwise);
	if (t->not_compared)
		printf(SAY(c, "%" PRIu64 " were not a policy's (codes, released jobs, faults), and are not compared\n",
			       "%" PRIu64 " 件はポリシーによる判定ではないため(解除コードなど)比較していません\n"),
			t->not_compared);
	if (t->left_out)
		printf(SAY(c, "%" PRIu64 " more are not shown: there are too many kinds of them\n",
			       "ほか %" PRIu64 " 件は種類が多いため表示していません\n"),
			t->left_out);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

static int replay(struct ctl *c, struct trial *t, struct store_filter *f)
{
	_cleanup_(store_closep) struct store *s = NULL;
	struct why why = {""};
	int r = store_to_search(c, &s);

	if (r)
		return r;
	f->kinds[0] = KIND_DECISION;
	f->kinds[1] = KIND_PRINT;
	f->kinds_n = 2;
	r = store_query(s, f, on_row, t, &why);
	return r ? complain_of(c, "policy replay", r, &why) : say_trial(c, t);
}

int command_policy_replay(struct ctl *c)
{
	struct trial t = {.devices = json_object(), .prints = json_object()};
	struct policy_files files = {.policy = NULL};
	struct store_filter f;
	int r = log_filter(c, clock_wall_us(), &f);

	if (!r && !option_value(c, OPT_SINCE))
		f.from_us = clock_wall_us() - LAST_WEEK_US;
	policy_groups(c, t.groups, POLICY_GROUPS_MAX);
	r = r ? r : policy_files_open(c, c->operands[0], &files);
	t.policy = files.policy;
	r = r ? r : replay(c, &t, &f);
	policy_files_deinit(&files);
	json_decref(t.devices);
	json_decref(t.prints);
	return r;
}
