/*
 * The rules on the log, as it goes on. What a piece of the log causes goes into the book in one transaction with the
 * place behind it (book.h), so that a crash neither loses an alert nor makes one twice.
 */
#include "collector/herald/herald.h"
#include "collector/herald/judge.h"
#include "policy/base/clock.h"
#include <errno.h>

#define STEP_US 100000 /* of the loop's time */
#define STEP_LEAVES 512u
#define HEARD_MAX (PRODUCER_PRINT + 1u) /* producers of a PC */
#define TITLE_SIZE 512
#define LEARN_US (400ll * 86400 * 1000000) /* how far back a `first` rule knows what was there */
#define LEARN_RECORDS 5000000u
#define SILENT_EVERY_US 30000000
#define GROWN_US (40ll * 60 * 1000000) /* the collector seals something at least every 15 minutes */

/* The id of an alert: the same rule and record give the same one, whatever happens between. */
static void alert_id(const char *rule, struct span about, uint8_t out[BOOK_ALERT_SIZE])
{
	const struct span parts[] = {SPAN_STR("sekisho alert 1"), SPAN("", 1), SPAN_STR(rule), SPAN("", 1), about};
	struct digest d;

	digest_of(&d, parts, ARRAY_SIZE(parts));
	memcpy(out, d.b, BOOK_ALERT_SIZE);
}

struct judging {
	struct herald *h;
	const struct rule *only; /* learn: this one; NULL: all */
	uint64_t learned;
	unsigned sleep; /* KIND_SLEEP, KIND_WAKE: what a piece of the log said last of it; 0: nothing */
};

static int raise(struct herald *h, const struct rule *rule, const struct store_row *row, uint64_t count)
{
	const struct record *r = &row->record;
	uint8_t about[8];
	struct word w = {
		.kind = KIND_ALERT,
		.severity = rule->severity,
		.rule = SPAN_STR(rule->name),
		.title = SPAN_STR(rule->title),
		.host_name = SPAN_STR(row->host_name),
		.has_host = true,
		.host = row->host,
		.time_us = record_has(r, F_TIME) ? r->v[F_TIME].i : clock_wall_us(),
		.count = count,
		.about = row->row,
		.user = record_has(r, F_USER) ? r->v[F_USER].s : SPAN("", 0),
	};

	/* What a server says of a PC is that PC's matter; anybody else could say anything of anybody. */
	if (record_has(r, F_PEER) && r->v[F_PEER].s.n == DIGEST_SIZE && record_has(r, F_PEER_NAME) &&
		store_server(h->store, &row->host)) {
		memcpy(w.host.b, r->v[F_PEER].s.p, DIGEST_SIZE);
		w.host_name = r->v[F_PEER_NAME].s;
	}
	put_be64(about, row->row);
	alert_id(rule->name, SPAN(about, 8), w.alert);
	h->count.alerts++;
	return book_say(h->book, &h->plan, &w);
}

static int judge_one(struct herald *h, const struct rule *rule, const struct store_row *row)
{
	int64_t t = record_has(&row->record, F_TIME) ? row->record.v[F_TIME].i : 0;
	struct digest key;
	uint64_t count = 1;
	bool any, yes;
	int r;

	if (!judge_record(rule, &row->record, row->host_name))
		return 0;
	if (rule->first.n) {
		judge_key(&rule->first, &row->record, row->host_name, &key, &any);
		if (!any)
			return 0;
		r = book_first(h->book, rule->name, &key, &yes);
		if (r || !yes)
			return r;
	}
	judge_key(&rule->per, &row->record, row->host_name, &key, &any);
	if (rule->count) {
		r = book_count(h->book, rule, &key, t, &count);
		if (r || count < rule->count)
			return r;
	}
	if (rule->again_us) {
		r = book_quiet(h->book, rule, &key, t, &yes);
		if (r || yes)
			return r;
	}
	return raise(h, rule, row, count);
}

/* A scheduled report was made, as the console says: whoever wants them gets it. */
static int report(struct herald *h, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct word w = {.kind = KIND_CONSOLE_EXPORT, .severity = SEVERITY_NOTE, .has_host = true, .about = row->row};

	if (!record_has(r, F_KIND) || r->v[F_KIND].u != KIND_CONSOLE_EXPORT || !record_has(r, F_OPERATION) ||
		!span_eq(r->v[F_OPERATION].s, SPAN_STR("/desk/reports")) || !record_has(r, F_PATH) ||
		!record_has(r, F_HASH) || r->v[F_HASH].s.n != DIGEST_SIZE || !words_report_name(r->v[F_PATH].s) ||
		store_server(h->store, &row->host) != PRODUCER_CONSOLE)
		return 0;
	memcpy(w.host.b, r->v[F_HASH].s.p, DIGEST_SIZE);
	memcpy(w.alert, r->v[F_HASH].s.p, BOOK_ALERT_SIZE);
	w.host_name = r->v[F_PATH].s;
	w.time_us = record_has(r, F_TIME) ? r->v[F_TIME].i : 0;
	return book_say(h->book, &h->plan, &w);
}

static int on_row(void *ctx, const struct store_row *row)
{
	struct judging *j = ctx;
	struct herald *h = j->h;
	uint64_t kind = record_number(&row->record, F_KIND, 0);
	unsigned i;
	int r = 0;

	/* Of our own alerts none is made. */
	if (digest_eq(&row->host, &h->own))
		return 0;
	if (kind == KIND_SLEEP || kind == KIND_WAKE)
		j->sleep = (unsigned)kind;
	r = report(h, row);
	for (i = 0; !r && i < h->plan.rules_n; i++)
		r = judge_one(h, &h->plan.rules[i], row);
	h->count.judged++;
	/* The book's own verdicts are no record's. */
	return r > 0 ? -EIO : r;
}

/* --- the past, for rules that ask what was seen before --- */

static int on_past(void *ctx, const struct store_row *row)
{
	struct judging *j = ctx;
	struct digest key;
	bool any, first;
	int r;

	if (j->learned == LEARN_RECORDS)
		return V_END;
	j->learned++;
	/* What comes behind the place where we stand is judged in its turn. */
	if (row->leaf >= j->h->leaf || !judge_terms(&j->only->when, &j->only->unless, &row->record, row->host_name))
		return 0;
	judge_key(&j->only->first, &row->record, row->host_name, &key, &any);
	r = any ? book_first(j->h->book, j->only->name, &key, &first) : 0;
	return r > 0 ? -EIO : r;
}

static int learn(struct herald *h, const struct rule *rule)
{
	struct store_filter f = {.from_us = clock_wall_us() - LEARN_US};
	struct judging j = {.h = h, .only = rule};
	struct why why = {""};
	unsigned i, k;
	int r;

	/* The index finds kinds; the other conditions are looked at record by record. */
	for (i = 0; i < rule->when.n; i++)
		for (k = 0; rule->when.v[i].field == F_KIND && k < rule->when.v[i].values_n; k++)
			if (f.kinds_n < STORE_FILTER_MAX)
				f.kinds[f.kinds_n++] = (unsigned)rule->when.v[i].values[k].number;
	r = store_query(h->store, &f, on_past, &j, &why);
	if (r == V_BAD || r == V_FULL) {
		log_warning("rule %s: what was there before cannot be asked: %s", rule->name, why.text);
		r = 0;
	}
	log_notice("rule %s: went through %llu earlier records", rule->name, (unsigned long long)j.learned);
	return r == V_NOT_FOUND ? 0 : r;
}

int watch_begin(struct herald *h)
{
	struct store_stats st;
	int64_t at;
	unsigned i;
	bool fresh;
	int r = follow_store(h);

	if (r)
		return r == V_NOT_FOUND ? V_AGAIN : r;
	r = store_refresh(h->store);
	r = r ? r : book_get(h->book, "leaf", -1, &at);
	if (r)
		return r < 0 ? r : V_AGAIN;
	h->leaf = at >= 0 ? (uint64_t)at : store_size(h->store);
	if (h->leaf > store_size(h->store)) {
		log_error("the log is shorter (%llu) than what was judged (%llu): was it restored? Rules go on at its "
			  "end",
			(unsigned long long)store_size(h->store), (unsigned long long)h->leaf);
		h->leaf = store_size(h->store);
	}
	/* What is learned comes from the index: it must have all that is before our place. */
	r = store_stats(h->store, &st);
	if (r || st.indexed < h->leaf)
		return r < 0 ? r : V_AGAIN;
	r = book_begin(h->book);
	for (i = 0; !r && i < h->plan.rules_n; i++) {
		r = book_rule(h->book, &h->plan.rules[i], &fresh);
		if (!r && fresh && h->plan.rules[i].first.n)
			r = learn(h, &h->plan.rules[i]);
	}
	r = r ? r : book_set(h->book, "leaf", (int64_t)h->leaf);
	r = r ? r : book_commit(h->book);
	if (r) {
		book_rollback(h->book);
		return r < 0 ? r : -EIO;
	}
	h->begun = true;
	h->size = store_size(h->store);
	h->grown_us = clock_boot_us();
	log_notice("watching from leaf %llu, %u rules", (unsigned long long)h->leaf, h->plan.rules_n);
	return 0;
}

/* A PC that was not heard of for longer was asleep, switched off, or cut off: half of the shortest time of a rule. */
static int64_t pause_us(const struct herald *h)
{
	uint64_t least = 0;
	unsigned i;

	for (i = 0; i < h->plan.rules_n; i++)
		if (h->plan.rules[i].of_program && (!least || h->plan.rules[i].silent_us < least))
			least = h->plan.rules[i].silent_us;
	return (int64_t)(least / 2);
}

/* `sleep`: what its records say of sleeping, as in struct judging. That is the guard's to say. */
static int hear(struct herald *h, const struct followed *f, unsigned sleep)
{
	int r;

	if (!f->producer || f->producer >= HEARD_MAX)
		return 0;
	r = book_hear(h->book, &f->host, f->producer, clock_wall_us(), pause_us(h), f->last);
	if (r || f->producer != PRODUCER_GUARD || !sleep)
		return r ? r : book_stirs(h->book, &f->host, &f->sealed);
	return sleep == KIND_SLEEP ? book_sleeps(h->book, &f->host, &f->sealed) : book_woke(h->book, &f->host);
}

int watch_step(struct herald *h, bool *more)
{
	const int64_t until = clock_boot_us() + STEP_US;
	struct judging j = {.h = h};
	uint64_t leaf = h->leaf;
	int r = follow_store(h);

	*more = false;
	if (r)
		return r == V_NOT_FOUND ? V_AGAIN : r;
	r = leaf < store_size(h->store) ? 0 : store_refresh(h->store);
	if (r)
		return r < 0 ? r : V_AGAIN;
	if (store_size(h->store) > h->size) {
		h->size = store_size(h->store);
		h->grown_us = clock_boot_us();
	}
	if (leaf >= store_size(h->store))
		return 0;
	r = book_begin(h->book);
	while (!r && leaf < store_size(h->store) && leaf - h->leaf < STEP_LEAVES && clock_boot_us() < until) {
		struct followed f;

		j.sleep = 0;
		r = follow_leaf(h, leaf, &f, on_row, &j);
		r = r ? r : hear(h, &f, j.sleep);
		leaf += !r;
	}
	r = r ? r : book_set(h->book, "leaf", (int64_t)leaf);
	r = r ? r : book_commit(h->book);
	if (r) {
		book_rollback(h->book);
		return r < 0 ? r : -EIO;
	}
	h->leaf = leaf;
	*more = leaf < store_size(h->store);
	return 0;
}

/* --- silence --- */

struct listening {
	struct herald *h;
	const struct rule *rule;
	int64_t now;
};

/* Once for each time that it fell silent: `since` is when it was heard of last. `program`: NULL, or which of its. */
static int tell_silent(struct listening *l, const struct store_host *host, const char *program, int64_t since)
{
	struct herald *h = l->h;
	uint8_t about[DIGEST_SIZE + 8 + 1] = {0};
	char title[TITLE_SIZE];
	struct digest key;
	bool first;
	struct word w = {
		.kind = KIND_ALERT,
		.severity = l->rule->severity,
		.rule = SPAN_STR(l->rule->name),
		.title = SPAN_STR(l->rule->title),
		.host_name = SPAN_STR(host->name),
		.has_host = true,
		.host = host->id,
		.time_us = since,
		.count = 1,
	};
	int r;

	if (program) {
		snprintf(title, sizeof(title), "%s: %s", l->rule->title, program);
		w.title = SPAN_STR(title);
	}
	memcpy(about, host->id.b, DIGEST_SIZE);
	put_be64(about + DIGEST_SIZE, (uint64_t)since);
	about[DIGEST_SIZE + 8] = program ? (uint8_t)program[0] : 0;
	digest_span(&key, SPAN(about, sizeof(about) - (program ? 0 : 1)));
	r = book_first(h->book, l->rule->name, &key, &first);
	if (r || !first)
		return r;
	alert_id(l->rule->name, SPAN(about, sizeof(about) - (program ? 0 : 1)), w.alert);
	h->count.alerts++;
	return book_say(h->book, &h->plan, &w);
}

/* Did each program that was heard of say that it stops? */
static bool said_farewell(const struct heard heard[HEARD_MAX])
{
	unsigned p;

	for (p = 1; p < HEARD_MAX; p++)
		if (heard[p].at_us && !heard[p].last)
			return false;
	return heard[0].at_us != 0;
}

/* The disk knows of a PC's last request to some minutes, and the book of its last segment. */
static int on_pc(struct listening *l, const struct store_host *host)
{
	int64_t seen = host->last_seen_us > host->enrolled_us ? host->last_seen_us : host->enrolled_us;
	struct heard heard[HEARD_MAX];
	bool asleep = false;
	int r;

	if (l->now - seen < (int64_t)l->rule->silent_us)
		return 0;
	r = book_heard(l->h->book, &host->id, heard, HEARD_MAX);
	r = r ? r : book_asleep(l->h->book, &host->id, &asleep);
	if (r || (l->rule->unannounced && (!heard[0].at_us || asleep || said_farewell(heard))))
		return r;
	if (heard[0].at_us > seen)
		seen = heard[0].at_us;
	return l->now - seen < (int64_t)l->rule->silent_us ? 0 : tell_silent(l, host, NULL, seen);
}

/*
 * A PC that came back after a pause has half of the rule's time for all of its programs to say so: what one of them
 * sends first does not make the others silent.
 */
static int on_programs(struct listening *l, const struct store_host *host)
{
	const int64_t silent = (int64_t)l->rule->silent_us;
	struct heard heard[HEARD_MAX];
	unsigned p;
	int r = book_heard(l->h->book, &host->id, heard, HEARD_MAX);

	if (r || !heard[0].at_us || l->now - heard[0].at_us > silent / 2 || l->now - heard[0].since_us < silent / 2)
		return r;
	for (p = 1; !r && p < HEARD_MAX; p++)
		if (heard[p].at_us && l->now - heard[p].at_us >= silent)
			r = tell_silent(l, host, producer_name(p), heard[p].at_us);
	return r;
}

static int on_host(void *ctx, const struct store_host *host)
{
	struct listening *l = ctx;

	if (host->state != HOST_ACTIVE || !judge_host(&l->rule->hosts, host->name) ||
		store_server(l->h->store, &host->id))
		return 0;
	return l->rule->of_program ? on_programs(l, host) : on_pc(l, host);
}

int64_t watch_silent_every(const struct herald *h)
{
	int64_t every = SILENT_EVERY_US;
	unsigned i;

	for (i = 0; i < h->plan.rules_n; i++) {
		int64_t fits = (int64_t)h->plan.rules[i].silent_us / 8;

		if (fits && fits < every)
			every = fits;
	}
	return every;
}

int watch_silent(struct herald *h)
{
	struct listening l = {.h = h, .now = clock_wall_us()};
	unsigned i;
	int r = 0;

	/*
	 * While the log does not grow at all, it is the collector that is silent; while it is not read to its end,
	 * nobody knows who was heard of.
	 */
	if (!h->store || h->leaf < h->size || clock_boot_us() - h->grown_us > GROWN_US)
		return 0;
	for (i = 0; !r && i < h->plan.rules_n; i++) {
		if (!h->plan.rules[i].silent_us)
			continue;
		l.rule = &h->plan.rules[i];
		r = book_begin(h->book);
		r = r ? r : store_host_each(h->store, on_host, &l);
		r = r ? r : book_commit(h->book);
		if (r)
			book_rollback(h->book);
	}
	return r > 0 ? 0 : r;
}
