/*
 * A policy tried against the records of a period (policy/rule/trial.h): in pieces beside everything else, no longer
 * than a bound, and told as one answer. That it was tried, by whom and with which texts, is in the access log before
 * anything is read.
 *
 * Must never show a record of a PC outside the account's scope, nor what only auditors may read to others; not by the
 * answer to a rule, either, that asks for it.
 */
#include "collector/console/trial.h"
#include "collector/console/route.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <stddef.h>

#define TRIALS_MAX 2u
#define TEXTS_MAX (2u << 20) /* both texts as JSON */
#define TIME_MAX 64u
#define GROUP_MAX 256u
#define DEFAULT_US (7ll * 86400 * 1000000)
#define LOOK_US 30000000ll  /* so long records are looked at */
#define COUNT_US 10000000ll /* ... and then counted, to say of how many */
#define SLICE_US 10000      /* a turn of the loop */
#define PIECE_RECORDS 5000u
#define PIECE_COUNTED 50000u

static void trying_free(struct trying *t)
{
	struct trying **at;

	for (at = &t->c->trials; *at && *at != t; at = &(*at)->next)
		;
	if (*at) {
		*at = t->next;
		t->c->trials_n--;
	}
	trial_free(t->trial);
	policy_free(t->policy);
	json_decref(t->groups);
	secret_wipe(&t->by, sizeof(t->by));
	free(t);
}

static void on_gone(struct held *h)
{
	trying_free((struct trying *)((char *)h - offsetof(struct trying, held)));
}

/* --- looking --- */

static int take(void *ctx, const struct store_row *row)
{
	struct trying *t = ctx;

	if (t->counting) {
		t->counted++;
		return 0;
	}
	if (trial_counts(t->trial)->looked >= t->c->conf.trial_records) {
		t->cut |= TRIAL_CUT_RECORDS;
		return V_END;
	}
	return trial_add(t->trial, &row->record, row->host_name, row->row);
}

/* From now on the rest is counted, as far as there is time. */
static void count_on(struct trying *t, int64_t now)
{
	t->counting = true;
	t->count_us = now;
}

/* A turn. 0; V_END: that was the last; V_*, -errno. */
static int step(struct trying *t, struct why *why)
{
	int64_t now = clock_boot_us();
	struct looking l = {.c = t->c,
		.account = &t->by.account,
		.search = &t->search,
		.most = t->counting ? PIECE_COUNTED : PIECE_RECORDS,
		.slice_us = SLICE_US,
		.take = take,
		.ctx = t,
		/* Whose a record is that is not read, nobody knows. */
		.bare = t->counting && !t->by.account.scope_n};
	int r;

	r = look(&l, why);
	if (r)
		return r;
	look_on(&l, &t->search);
	if (!l.more)
		return V_END;
	if (t->counting) {
		t->of_least = now - t->count_us > COUNT_US;
		return t->of_least ? V_END : 0;
	}
	if (now - t->by.began_us > LOOK_US)
		t->cut |= TRIAL_CUT_TIME;
	if (t->cut)
		count_on(t, now);
	return 0;
}

/* --- its life --- */

static void give_up(struct trying *t, int status, const char *word, const char *reason)
{
	struct evhttp_request *req = held_release(&t->held);

	answer_header(req, "Cache-Control", "no-store");
	answer_error(req, status, word, reason, status == 503 ? 5 : 0);
	trying_free(t);
}

static void tell_it(struct trying *t)
{
	/* By the rights of now: who lost some meanwhile is not told what they were for. */
	const struct account *a = account_find(&t->c->accounts, t->by.account.name);
	bool read = route_reads(&t->by.account), reads = a && route_reads(a);
	struct evhttp_request *req;
	json_t *answer;

	if (read && !reads) {
		give_up(t, 403, "role", "that is not among this account's rights any more");
		return;
	}
	answer = trial_told(t, read);
	if (!answer) {
		give_up(t, 503, "busy", "no memory");
		return;
	}
	req = held_release(&t->held);
	answer_header(req, "Cache-Control", "no-store");
	answer_json(req, 200, answer);
	trying_free(t);
}

/* Goes on with one; it may be over then, and released. */
static void go_on(struct trying *t)
{
	const char *over = outgoing_over(t->c, &t->by, clock_boot_us());
	struct why why = {""};
	int r = over ? V_DENIED : step(t, &why);

	if (!r)
		return;
	if (r == V_END) {
		tell_it(t);
	} else if (over) {
		give_up(t, 401, "session", over);
	} else {
		if (log_allowed(&t->c->limit))
			log_error("trial of a policy: %s", r < 0 ? strerror(-r) : why.text);
		give_up(t, 503, "store", "the collector's store cannot be read now");
	}
}

void trial_tick(struct console *c)
{
	struct trying *t = c->trials, *next;

	for (; t; t = next) {
		next = t->next;
		go_on(t);
	}
}

void trial_stop(struct console *c)
{
	while (c->trials)
		give_up(c->trials, 503, "stopping", "the console stops");
}

/* --- what is asked --- */

static int moment(const json_t *o, const char *name, int64_t now, int64_t *out, struct why *why)
{
	const json_t *v = json_object_get(o, name);
	const char *s = json_string_value(v);

	if (!v)
		return 0;
	if (!s || json_string_length(v) > TIME_MAX || text_time_parse(s, now, out))
		return why_set(why, V_BAD, "\"%s\" is not a moment", name);
	return 0;
}

/* Takes what is asked over, but for the policy. 0; V_BAD with the reason. */
static int understand(struct trying *t, const json_t *o, int64_t now, struct why *why)
{
	json_t *groups = json_object_get(o, "groups"), *one;
	size_t i;
	int r;

	t->since_us = now - DEFAULT_US;
	t->until_us = now;
	r = moment(o, "since", now, &t->since_us, why);
	r = r ? r : moment(o, "until", now, &t->until_us, why);
	if (r)
		return r;
	if (t->since_us >= t->until_us)
		return why_set(why, V_BAD, "the time ends before it begins");
	if (groups && (!json_is_array(groups) || json_array_size(groups) > TRIAL_GROUPS_MAX))
		return why_set(why, V_BAD, "\"groups\" is a list of at most %u names", TRIAL_GROUPS_MAX);
	t->groups = json_incref(groups);
	json_array_foreach(groups, i, one)
	{
		t->group[i] = json_string_value(one);
		if (!t->group[i] || !json_string_length(one) || json_string_length(one) > GROUP_MAX ||
			strlen(t->group[i]) != json_string_length(one))
			return why_set(why, V_BAD, "\"groups\" holds what is no name");
	}
	r = search_parse("", 0, now, &t->search, why);
	t->search.filter.from_us = t->since_us;
	t->search.filter.until_us = t->until_us;
	t->search.filter.kinds[0] = KIND_DECISION;
	t->search.filter.kinds[1] = KIND_PRINT;
	t->search.filter.kinds_n = 2;
	return r;
}

/* In the access log: the period, the version, and the hash of the texts, YAML and then CSV, each behind its length. */
static bool tell_trial(struct call *x, const struct trying *t, struct span yaml, struct span csv)
{
	struct told told = {.kind = KIND_CONSOLE_VIEW, .operation = x->a->path};
	uint8_t lengths[2][8];
	const struct span parts[] = {SPAN(lengths[0], 8), yaml, SPAN(lengths[1], 8), csv};
	char text[200], since[TEXT_TIME_SIZE], until[TEXT_TIME_SIZE];
	struct digest hash;

	put_be64(lengths[0], yaml.n);
	put_be64(lengths[1], csv.n);
	digest_of(&hash, parts, ARRAY_SIZE(parts));
	snprintf(text, sizeof(text), "policy %llu tried: since=%s&until=%s",
		(unsigned long long)policy_version(t->policy), text_time_utc(since, t->since_us),
		text_time_utc(until, t->until_us));
	told.text = text;
	told.hash = &hash;
	return tell_call(x, told);
}

/* Sets the trial up. False: answered. */
static bool begin(struct call *x, struct trying *t, const json_t *o)
{
	const json_t *yaml = json_object_get(o, "policy_yaml"), *csv = json_object_get(o, "devices_csv");
	struct span texts[2];
	struct why why = {""};
	int r;

	if (!json_is_string(yaml) || !json_is_string(csv)) {
		reply_error(x, 400, "request", "\"policy_yaml\" and \"devices_csv\" are texts");
		return false;
	}
	if (understand(t, o, clock_wall_us(), &why)) {
		reply_error(x, 400, "request", why.text);
		return false;
	}
	texts[0] = SPAN(json_string_value(yaml), json_string_length(yaml));
	texts[1] = SPAN(json_string_value(csv), json_string_length(csv));
	r = policy_load(texts[0], texts[1], &t->policy, &why);
	if (r > 0) {
		reply_error(x, 400, "policy", why.text);
		return false;
	}
	if (r || trial_new(t->policy, t->group, &t->trial)) {
		reply_error(x, 503, "busy", "no memory");
		return false;
	}
	if (!route_reads(x->account))
		trial_blind(t->trial);
	if ((r = store_of(x->c)) || (r = store_refresh(x->c->store))) {
		store_failed(x, r, &why);
		return false;
	}
	if (!tell_trial(x, t, texts[0], texts[1]))
		return false;
	if (held_begin(x->a, &t->held, on_gone)) {
		reply_error(x, 503, "busy", "no memory");
		return false;
	}
	return true;
}

void policy_replay_post(struct call *x)
{
	static const char *const names[] = {"policy_yaml", "devices_csv", "since", "until", "groups", NULL};
	struct trying *t;
	json_t *o;

	for (t = x->c->trials; t && !digest_eq(&t->by.session, &x->session->id); t = t->next)
		;
	if (t || x->c->trials_n == TRIALS_MAX) {
		answer_header(x->a->req, "Retry-After", "10");
		reply_error(x, 429, "busy", "too many policies are tried at once");
		return;
	}
	o = body_object(x, TEXTS_MAX, names);
	if (!o)
		return;
	t = calloc(1, sizeof(*t));
	if (!t) {
		reply_error(x, 503, "busy", "no memory");
	} else {
		t->c = x->c;
		outgoing_begin(&t->by, x);
		if (begin(x, t, o)) {
			t->next = x->c->trials;
			x->c->trials = t;
			x->c->trials_n++;
			x->c->count.searches++;
		} else {
			trying_free(t);
		}
	}
	json_decref(o);
}
