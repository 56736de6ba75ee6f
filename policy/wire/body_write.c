/*
 * Writing bodies on a PC: records become CBOR items, each subject once. See body.h for the items. Nothing is allocated
 * once the scratch buffer has seen the largest subject.
 */
#include "policy/base/cbor.h"
#include "policy/base/clock.h"
#include "policy/wire/body.h"
#include "policy/wire/body_parts.h"
#include <errno.h>

/* Wall clocks drift and are slewed; only a jump is worth a new base. */
#define CLOCK_JUMP_US 50000

void body_begin(struct body_writer *w, struct buf *out)
{
	struct buf scratch = w->scratch;

	memset(w, 0, sizeof(*w));
	scratch.max = BODY_RAW_MAX;
	w->scratch = scratch;
	w->out = out;
	buf_clear(out);
}

void body_writer_deinit(struct body_writer *w)
{
	if (w)
		buf_deinit(&w->scratch);
}

static int put_fact(struct buf *b, const struct record *r, unsigned f)
{
	int x = cbor_put_uint(b, f);

	if (x)
		return x;
	switch (field_table[f].type) {
	case T_UINT:
	case T_ENUM:
		return cbor_put_uint(b, r->v[f].u);
	case T_INT:
	case T_TIME:
	case T_DURATION:
		return cbor_put_int(b, r->v[f].i);
	case T_NAME:
		return cbor_put_name(b, r->v[f].s);
	case T_BYTES:
		return cbor_put_bytes(b, r->v[f].s);
	case T_NONE:
		break;
	}
	return -EINVAL;
}

static int put_clock(struct body_writer *w, int64_t wall, int64_t boot)
{
	struct buf *b = w->out;
	int r = cbor_put_map(b, 3);

	r = r ? r : cbor_put_uint(b, ITEM_KEY);
	r = r ? r : cbor_put_uint(b, ITEM_CLOCK);
	r = r ? r : cbor_put_uint(b, CLOCK_WALL);
	r = r ? r : cbor_put_int(b, wall);
	r = r ? r : cbor_put_uint(b, CLOCK_BOOT);
	r = r ? r : cbor_put_int(b, boot);
	if (r)
		return r;
	w->base_wall_us = wall;
	w->base_boot_us = boot;
	w->has_clock = true;
	return 0;
}

/* FNV-1a: only speed hangs on it, since the facts themselves are compared. */
static uint64_t hash(struct span s)
{
	uint64_t h = 0xcbf29ce484222325ull;
	size_t i;

	for (i = 0; i < s.n; i++)
		h = (h ^ s.p[i]) * 0x100000001b3ull;
	return h ^ h >> 32;
}

/* The subject's number, writing its item first where these facts are new. `fields` is how many it has. */
static int put_subject(struct body_writer *w, const struct record *r, unsigned fields, uint32_t *number)
{
	struct buf *b = w->out;
	uint32_t slot, n;
	uint64_t h;
	unsigned f;
	int x = 0;

	buf_clear(&w->scratch);
	for (f = record_next(r, SUBJECT_FIRST - 1); !x && f && f <= SUBJECT_LAST; f = record_next(r, f))
		x = put_fact(&w->scratch, r, f);
	if (x)
		return x;
	h = hash(buf_span(&w->scratch));
	for (slot = (uint32_t)(h % ARRAY_SIZE(w->table)); w->table[slot]; slot = (slot + 1) % ARRAY_SIZE(w->table)) {
		n = w->table[slot] - 1u;
		if (w->subject_hash[n] == h &&
			span_eq(SPAN(b->p + w->subject_at[n], w->subject_len[n]), buf_span(&w->scratch))) {
			*number = n;
			return 0;
		}
	}
	if (w->subjects == BODY_SUBJECTS_MAX)
		return V_FULL;
	x = cbor_put_map(b, fields + 1);
	x = x ? x : cbor_put_uint(b, ITEM_KEY);
	x = x ? x : cbor_put_uint(b, ITEM_SUBJECT);
	if (x)
		return x;
	n = w->subjects;
	w->subject_at[n] = (uint32_t)b->n;
	w->subject_len[n] = (uint32_t)w->scratch.n;
	w->subject_hash[n] = h;
	x = buf_put_span(b, buf_span(&w->scratch));
	if (x)
		return x;
	w->table[slot] = (uint16_t)(n + 1);
	w->subjects++;
	*number = n;
	return 0;
}

static int put_record(struct body_writer *w, const struct record *r, int64_t boot, int64_t wall)
{
	struct buf *b = w->out;
	unsigned f, facts = 0, subject_facts = 0;
	uint32_t subject = 0;
	int x = 0;

	if (!w->has_clock || llabs(wall - boot - (w->base_wall_us - w->base_boot_us)) > CLOCK_JUMP_US)
		x = put_clock(w, wall, boot);
	if (x)
		return x;
	for (f = record_next(r, 0); f; f = record_next(r, f)) {
		if (field_of_subject(f))
			subject_facts++;
		else if (f != F_KIND && f != F_TIME && f != F_BOOT_TIME)
			facts++;
	}
	if (subject_facts) {
		x = put_subject(w, r, subject_facts, &subject);
		if (x)
			return x;
		facts++;
	}
	x = cbor_put_map(b, facts + 2);
	x = x ? x : put_fact(b, r, F_KIND);
	x = x ? x : cbor_put_uint(b, F_TIME);
	x = x ? x : cbor_put_int(b, boot - w->base_boot_us);
	for (f = record_next(r, F_BOOT_TIME); !x && f && f < KEY_SUBJECT; f = record_next(r, f))
		x = put_fact(b, r, f);
	if (!x && subject_facts) {
		x = cbor_put_uint(b, KEY_SUBJECT);
		x = x ? x : cbor_put_uint(b, subject);
	}
	for (f = record_next(r, SUBJECT_LAST); !x && f; f = record_next(r, f))
		x = put_fact(b, r, f);
	return x;
}

int body_put(struct body_writer *w, const struct record *r)
{
	size_t before = w->out->n;
	uint32_t subjects = w->subjects;
	int64_t boot, wall, base_wall = w->base_wall_us, base_boot = w->base_boot_us;
	bool had_clock = w->has_clock;
	int x;

	if (w->records == BODY_RECORDS_MAX)
		return V_FULL;
	boot = record_has(r, F_BOOT_TIME) ? r->v[F_BOOT_TIME].i : clock_boot_us();
	wall = record_has(r, F_TIME) ? r->v[F_TIME].i : boot + (clock_wall_us() - clock_boot_us());
	x = put_record(w, r, boot, wall);
	if (x) {
		/* As it was before: no half item, no subject that nobody wrote. */
		if (w->subjects > subjects) {
			uint32_t slot = (uint32_t)(w->subject_hash[subjects] % ARRAY_SIZE(w->table));

			while (w->table[slot] != subjects + 1)
				slot = (slot + 1) % ARRAY_SIZE(w->table);
			w->table[slot] = 0;
			w->subjects = subjects;
		}
		w->out->n = before;
		w->base_wall_us = base_wall;
		w->base_boot_us = base_boot;
		w->has_clock = had_clock;
		return x;
	}
	/* What a reader will make of it: the base is not moved for small differences. */
	wall = w->base_wall_us + (boot - w->base_boot_us);
	if (!w->records || wall < w->first_wall_us)
		w->first_wall_us = wall;
	if (!w->records || wall > w->last_wall_us)
		w->last_wall_us = wall;
	w->last_boot_us = boot;
	w->records++;
	return 0;
}
