/*
 * Storage that was plugged in somewhere and is not in the ledger of the newest policy: what a person has to decide
 * about, each with a line for the ledger.
 */
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include "policy/base/distinct.h"
#include "policy/base/text.h"
#include "policy/rule/policy.h"
#include "policy/rule/sighting.h"
#include "policy/wire/bundle.h"
#include <errno.h>

#define LOOK_MOST 50000u
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
	unsigned n;
	bool full;
	const struct policy *known;
};

/* Plugs come newest first. */
static int take(void *ctx, const struct store_row *row)
{
	struct learning *l = ctx;
	const struct record *r = &row->record;
	struct sighting now;
	struct seen *s;
	unsigned i;
	int x;

	if (!sighting_read(&now, r))
		return 0;
	for (i = 0; i < l->n && !sighting_same(&l->list[i].s, &now); i++)
		;
	if (i == SEEN_MAX) {
		l->full = true;
		return 0;
	}
	s = &l->list[i];
	if (i < l->n) {
		sighting_fold(&s->s, &now);
	} else {
		l->n++;
		*s = (struct seen){.s = now,
			.row = row->row,
			.last_us = r->v[F_TIME].i,
			.hosts = {.most = WORDS_MAX},
			.users = {.most = WORDS_MAX}};
		text_copy(s->maker, sizeof(s->maker), record_text(r, F_MAKER));
		text_copy(s->name, sizeof(s->name), record_text(r, F_PRODUCT));
	}
	s->first_us = r->v[F_TIME].i;
	x = distinct_add(&s->hosts, SPAN_STR(row->host_name ? row->host_name : ""));
	return x ? x : distinct_add(&s->users, record_text(r, F_USER));
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

void unlisted_get(struct call *x)
{
	_cleanup_(policy_freep) struct policy *known = NULL;
	struct learning n = {.list = calloc(SEEN_MAX, sizeof(*n.list))};
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	struct looking l = {.c = x->c, .account = x->account, .search = s, .most = LOOK_MOST, .take = take, .ctx = &n};
	json_t *list = json_array();
	struct why why = {""};
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
	s->filter.from_us = clock_wall_us() - (int64_t)s->days * 86400 * 1000000;
	s->filter.kinds[0] = KIND_PLUG;
	s->filter.kinds_n = 1;
	r = look(&l, &why);
	if (r) {
		store_failed(x, r, &why);
		goto out;
	}
	for (i = 0; i < n.n; i++) {
		const struct device d = sighting_device(&n.list[i].s);

		if (!known || !policy_lists(known, &d))
			json_array_append_new(list, seen_json(&n.list[i]));
	}
	if (tell_view(x, KIND_CONSOLE_VIEW, x->a->query, 0))
		reply(x, json_pack("{s:b, s:O}", "complete", !l.more && !n.full, "devices", list));
out:
	for (i = 0; n.list && i < n.n; i++) {
		distinct_deinit(&n.list[i].hosts);
		distinct_deinit(&n.list[i].users);
	}
	free(n.list);
	json_decref(list);
}
