/*
 * Reading bodies at the collector and in verifiers. See body.h for the items.
 *
 * The bytes come from outside (signed, but a PC may be in foreign hands): every head is checked, keys ascend (so that
 * none is doubled), and everything that is kept has a named bound.
 */
#include "policy/base/cbor.h"
#include "policy/base/text.h"
#include "policy/wire/body.h"
#include "policy/wire/body_parts.h"
#include <errno.h>

#define SKIP_DEPTH 4
#define SUBJECT_FIELDS (SUBJECT_LAST - SUBJECT_FIRST + 1)

struct subject {
	uint32_t have; /* bit f - SUBJECT_FIRST */
	struct value v[SUBJECT_FIELDS];
};

struct body_reader {
	struct cbor_reader in;
	bool has_clock;
	int64_t base_wall_us, base_boot_us;
	struct subject *subjects;
	uint32_t subjects_n, subjects_cap;
	uint32_t records;
};

int body_reader_new(struct span raw, struct body_reader **out)
{
	struct body_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->in = cbor_reader(raw);
	*out = r;
	return 0;
}

void body_reader_free(struct body_reader *r)
{
	if (!r)
		return;
	free(r->subjects);
	free(r);
}

static int to_int(const struct cbor_item *item, int64_t *out)
{
	if ((item->kind != CBOR_UINT && item->kind != CBOR_NINT) || item->u > INT64_MAX)
		return V_BAD;
	*out = item->kind == CBOR_UINT ? (int64_t)item->u : -1 - (int64_t)item->u;
	return 0;
}

/* The value of a known field. */
static int read_fact(struct body_reader *r, unsigned f, struct value *v, struct why *why)
{
	size_t at = r->in.at;
	struct cbor_item item;
	int x = cbor_next(&r->in, &item, why);

	if (x)
		return x == V_END ? why_set(why, V_BAD, "body: cut off at offset %zu", at) : x;
	switch (field_table[f].type) {
	case T_UINT:
	case T_ENUM:
		if (item.kind != CBOR_UINT)
			break;
		v->u = item.u;
		return 0;
	case T_INT:
	case T_TIME:
	case T_DURATION:
		if (to_int(&item, &v->i))
			break;
		return 0;
	case T_NAME:
		if (item.kind != CBOR_BYTES && (item.kind != CBOR_TEXT || !text_is_utf8(item.s)))
			break;
		if (item.s.n > BODY_NAME_MAX)
			return why_set(why, V_BAD, "body: %s longer than %u bytes at offset %zu", field_table[f].name,
				BODY_NAME_MAX, at);
		v->s = item.s;
		return 0;
	case T_BYTES:
		if (item.kind != CBOR_BYTES || item.s.n > BODY_NAME_MAX)
			break;
		v->s = item.s;
		return 0;
	case T_NONE:
		break;
	}
	return why_set(why, V_BAD, "body: %s is of the wrong type at offset %zu", field_table[f].name, at);
}

/* The next key of a map; keys ascend. */
static int read_key(struct body_reader *r, uint64_t *key, bool *first, struct why *why)
{
	size_t at = r->in.at;
	uint64_t k;
	int x = cbor_expect_uint(&r->in, "body: key", &k, why);

	if (x)
		return x;
	if (!*first && k <= *key)
		return why_set(why, V_BAD, "body: key out of order at offset %zu", at);
	*first = false;
	*key = k;
	return 0;
}

static int read_clock(struct body_reader *r, uint64_t pairs, uint64_t key, struct why *why)
{
	size_t at = r->in.at;
	int64_t wall = 0, boot = 0;
	unsigned got = 0;
	bool first = false;

	while (pairs--) {
		struct cbor_item item;
		int x = read_key(r, &key, &first, why);

		if (x)
			return x;
		if (key != CLOCK_WALL && key != CLOCK_BOOT) {
			x = cbor_skip(&r->in, SKIP_DEPTH, why);
			if (x)
				return x == V_END ? why_set(why, V_BAD, "body: cut off at offset %zu", at) : x;
			continue;
		}
		x = cbor_next(&r->in, &item, why);
		if (x == V_BAD)
			return x;
		if (x || to_int(&item, key == CLOCK_WALL ? &wall : &boot))
			return why_set(why, V_BAD, "body: clock without a time at offset %zu", at);
		got |= 1u << key;
	}
	if (got != (1u << CLOCK_WALL | 1u << CLOCK_BOOT))
		return why_set(why, V_BAD, "body: clock without a time at offset %zu", at);
	r->base_wall_us = wall;
	r->base_boot_us = boot;
	r->has_clock = true;
	return 0;
}

static int read_subject(struct body_reader *r, uint64_t pairs, uint64_t key, struct why *why)
{
	struct subject s = {0};
	bool first = false;

	if (r->subjects_n == BODY_SUBJECTS_MAX)
		return why_set(why, V_BAD, "body: more than %u subjects", BODY_SUBJECTS_MAX);
	while (pairs--) {
		int x = read_key(r, &key, &first, why);

		if (x)
			return x;
		if (key < SUBJECT_FIRST || key > SUBJECT_LAST || !field_table[key].name) {
			x = cbor_skip(&r->in, SKIP_DEPTH, why);
			if (x == V_END)
				return why_set(why, V_BAD, "body: cut off at offset %zu", r->in.at);
		} else {
			x = read_fact(r, (unsigned)key, &s.v[key - SUBJECT_FIRST], why);
			s.have |= 1u << (key - SUBJECT_FIRST);
		}
		if (x)
			return x;
	}
	if (r->subjects_n == r->subjects_cap) {
		uint32_t cap = r->subjects_cap ? r->subjects_cap * 2 : 32;
		struct subject *p = realloc(r->subjects, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		r->subjects = p;
		r->subjects_cap = cap;
	}
	r->subjects[r->subjects_n++] = s;
	return 0;
}

static int add_subject(struct body_reader *r, uint64_t number, struct record *out, struct why *why)
{
	const struct subject *s;
	uint32_t have;

	if (number >= r->subjects_n)
		return why_set(why, V_BAD, "body: subject %llu is not there", (unsigned long long)number);
	s = &r->subjects[number];
	for (have = s->have; have; have &= have - 1) {
		unsigned i = (unsigned)__builtin_ctz(have);

		out->v[SUBJECT_FIRST + i] = s->v[i];
	}
	out->have[0] |= (uint64_t)s->have << SUBJECT_FIRST;
	return 0;
}

static int read_record(struct body_reader *r, uint64_t pairs, struct record *out, struct why *why)
{
	size_t at = r->in.at;
	uint64_t key = F_KIND;
	bool first = false;
	int x;

	if (!r->has_clock)
		return why_set(why, V_BAD, "body: record before any clock, at offset %zu", at);
	if (r->records == BODY_RECORDS_MAX)
		return why_set(why, V_BAD, "body: more than %u records", BODY_RECORDS_MAX);
	x = read_fact(r, F_KIND, &out->v[F_KIND], why);
	out->have[0] |= 1ull << F_KIND;
	for (pairs--; !x && pairs; pairs--) {
		uint64_t number;

		x = read_key(r, &key, &first, why);
		if (x)
			break;
		if (key == KEY_SUBJECT) {
			x = cbor_expect_uint(&r->in, "body: subject", &number, why);
			if (!x)
				x = add_subject(r, number, out, why);
		} else if (key > FIELD_MAX || !field_table[key].name) {
			x = cbor_skip(&r->in, SKIP_DEPTH, why);
			if (x == V_END)
				x = why_set(why, V_BAD, "body: cut off at offset %zu", r->in.at);
		} else if (field_of_subject((unsigned)key) || key == F_BOOT_TIME) {
			x = why_set(why, V_BAD, "body: %s does not belong into a record item, at offset %zu",
				field_table[key].name, at);
		} else {
			x = read_fact(r, (unsigned)key, &out->v[key], why);
			out->have[key >> 6] |= 1ull << (key & 63);
		}
	}
	if (x)
		return x;
	if (!record_has(out, F_TIME))
		return why_set(why, V_BAD, "body: record without a time, at offset %zu", at);
	{
		int64_t delta = out->v[F_TIME].i, wall, boot;

		if (__builtin_add_overflow(r->base_wall_us, delta, &wall) ||
			__builtin_add_overflow(r->base_boot_us, delta, &boot))
			return why_set(why, V_BAD, "body: time out of range at offset %zu", at);
		record_set_int(out, F_TIME, wall);
		record_set_int(out, F_BOOT_TIME, boot);
	}
	r->records++;
	return 0;
}

/* One item. 0 for a record, V_AGAIN for a clock or subject, V_END, V_BAD. */
static int step(struct body_reader *r, struct record *out, struct why *why)
{
	struct cbor_item item;
	uint64_t key = 0;
	bool first = true;
	int x;

	if (cbor_at_end(&r->in))
		return V_END;
	x = cbor_expect(&r->in, CBOR_MAP, "body: item", &item, why);
	if (x)
		return x;
	if (!item.u)
		return why_set(why, V_BAD, "body: empty item at offset %zu", r->in.at);
	x = read_key(r, &key, &first, why);
	if (x)
		return x;
	if (key == F_KIND) {
		record_reset(out);
		return read_record(r, item.u, out, why);
	}
	if (key == ITEM_KEY) {
		uint64_t what;

		x = cbor_expect_uint(&r->in, "body: kind of item", &what, why);
		if (!x && what == ITEM_CLOCK)
			x = read_clock(r, item.u - 1, key, why);
		else if (!x && what == ITEM_SUBJECT)
			x = read_subject(r, item.u - 1, key, why);
		else if (!x)
			x = why_set(why, V_BAD, "body: item of unknown kind at offset %zu", r->in.at);
		return x ? x : V_AGAIN;
	}
	return why_set(why, V_BAD, "body: item without a kind at offset %zu", r->in.at);
}

int body_next(struct body_reader *r, struct record *out, struct why *why)
{
	int x;

	do
		x = step(r, out, why);
	while (x == V_AGAIN);
	return x;
}

int body_recover(struct span raw, struct body_writer *w)
{
	_cleanup_(body_reader_freep) struct body_reader *r = NULL;
	static struct record rec;
	size_t whole = 0;
	int x = body_reader_new(raw, &r);

	if (x)
		return x;
	w->records = 0;
	while ((x = step(r, &rec, NULL)) == 0 || x == V_AGAIN) {
		whole = r->in.at;
		if (x == V_AGAIN)
			continue;
		if (!w->records || rec.v[F_TIME].i < w->first_wall_us)
			w->first_wall_us = rec.v[F_TIME].i;
		if (!w->records || rec.v[F_TIME].i > w->last_wall_us)
			w->last_wall_us = rec.v[F_TIME].i;
		w->last_boot_us = rec.v[F_BOOT_TIME].i;
		w->records++;
	}
	if (x < 0)
		return x;
	w->out->n = whole;
	return 0;
}
