/*
 * Storage that was plugged in somewhere and is not in the ledger of the newest policy: what a person has to decide
 * about, each with a line for the ledger.
 */
#include "collector/console/plugged.h"
#include "collector/console/search.h"
#include "policy/base/clock.h"
#include "policy/base/distinct.h"
#include "policy/base/text.h"
#include "policy/rule/policy.h"
#include "policy/wire/bundle.h"
#include <errno.h>

#define SEEN_MAX 1000u
#define WORDS_MAX 16u

struct seen {
	struct sighting s;
	char maker[DEVICE_TEXT_SIZE], name[DEVICE_TEXT_SIZE];
	uint64_t row;
	int64_t first_us, last_us;
	struct distinct hosts, users;
};

struct learning {
	struct seen *list;
	struct distinct which; /* by what a drive says itself to be, in the order of `list` */
	bool full;
};

/* Plugs come newest first. */
static int take(void *ctx, const struct plug *now)
{
	char which[DEVICE_TEXT_SIZE + 16];
	struct learning *l = ctx;
	struct seen *s;
	unsigned i;
	int r = snprintf(which, sizeof(which), "%04x:%04x:%s", now->sighting.vendor, now->sighting.product,
		now->sighting.serial);
	struct span key = SPAN(which, (size_t)r);

	if (distinct_find(&l->which, key, &i)) {
		s = &l->list[i];
		sighting_fold(&s->s, &now->sighting);
	} else {
		r = distinct_add(&l->which, key);
		if (r)
			return r;
		l->full |= l->which.more;
		if (l->which.more)
			return 0;
		s = &l->list[l->which.n - 1];
		*s = (struct seen){.s = now->sighting,
			.row = now->row,
			.last_us = now->us,
			.hosts = {.most = WORDS_MAX},
			.users = {.most = WORDS_MAX}};
		text_copy(s->maker, sizeof(s->maker), now->maker);
		text_copy(s->name, sizeof(s->name), now->product);
	}
	s->first_us = now->us;
	r = distinct_add(&s->hosts, now->host);
	return r ? r : distinct_add(&s->users, now->user);
}

/* A line for the ledger. */
static json_t *ledger_json(const struct seen *s)
{
	_cleanup_buf_ struct buf line = BUF_INIT(8192);
	const struct device d = sighting_device(&s->s);

	if (ledger_put_device(&line, &d, s->name, ""))
		return NULL;
	while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	return text_json(buf_span(&line));
}

static json_t *names_json(const struct distinct *d)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < d->n; i++)
		json_array_append_new(list, text_json(d->v[i]));
	return list;
}

static json_t *seen_json(const struct seen *s)
{
	static const char *const doubts[] = {[SIGHTING_CERTAIN] = "none",
		[SIGHTING_NO_SERIAL] = "no-serial",
		[SIGHTING_TWO_FINGERPRINTS] = "two-fingerprints",
		[SIGHTING_SHORT_SERIAL] = "short-serial"};
	char id[16], row[24];

	snprintf(id, sizeof(id), "%04x:%04x", s->s.vendor, s->s.product);
	snprintf(row, sizeof(row), "%llu", (unsigned long long)s->row);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:s, s:s, s:o}", "usb_id", id, "serial",
		text_json(SPAN_STR(s->s.serial)), "maker", text_json(SPAN_STR(s->maker)), "product",
		text_json(SPAN_STR(s->name)), "fingerprint",
		s->s.has_fingerprint ? digest_json(&s->s.fingerprint) : json_null(), "times", (json_int_t)s->s.times,
		"first", time_json(s->first_us), "last", time_json(s->last_us), "hosts", names_json(&s->hosts), "users",
		names_json(&s->users), "warning", doubts[sighting_doubt(&s->s)], "row", row, "ledger", ledger_json(s));
}

/* The ledger that holds now, or none. */
static int known_policy(struct console *c, struct policy **out)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX), raw = BUF_INIT(BUNDLE_RAW_MAX);
	struct bundle b;
	int r = policy_newest(c, &bytes, &raw, &b);

	r = r ? r : policy_load(b.policy_yaml, b.devices_csv, out, NULL);
	return r == V_NOT_FOUND ? 0 : r;
}

/* What was plugged in by now, and a piece of what was there before the console began: a small office's is all of it. */
static int follow(struct console *c)
{
	int r = traffic_follow(c);

	return r ? r : plugged_back(c);
}

void unlisted_get(struct call *x)
{
	_cleanup_(policy_freep) struct policy *known = NULL;
	struct learning n = {.list = calloc(SEEN_MAX, sizeof(*n.list)), .which = {.most = SEEN_MAX}};
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	json_t *list = json_array();
	struct why why = {""};
	bool complete = false;
	int64_t from_us;
	unsigned i;
	int r;

	if (!s || !n.list) {
		reply_error(x, 503, "busy", "no memory");
		goto out;
	}
	if (search_parse(x->a->query, SEARCH_DAYS, clock_wall_us(), s, &why)) {
		reply_error(x, 400, "filter", why.text);
		goto out;
	}
	if (known_policy(x->c, &known)) {
		reply_error(x, 503, "policy", "the newest policy cannot be read");
		goto out;
	}
	from_us = clock_wall_us() - (int64_t)s->days * 86400 * 1000000;
	r = follow(x->c);
	r = r ? r : plugged_each(x->c, x->account, from_us, take, &n, &complete);
	if (r) {
		store_failed(x, r, &why);
		goto out;
	}
	for (i = 0; i < n.which.n; i++) {
		const struct device d = sighting_device(&n.list[i].s);

		if (!known || !policy_lists(known, &d))
			json_array_append_new(list, seen_json(&n.list[i]));
	}
	if (tell_view(x, KIND_CONSOLE_VIEW, x->a->query, 0))
		reply(x, json_pack("{s:b, s:O}", "complete", complete && !n.full, "devices", list));
out:
	for (i = 0; n.list && i < n.which.n; i++) {
		distinct_deinit(&n.list[i].hosts);
		distinct_deinit(&n.list[i].users);
	}
	distinct_deinit(&n.which);
	free(n.list);
	json_decref(list);
}
