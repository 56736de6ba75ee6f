/*
 * When things happen: working days, hours, PCs that stay on at night, PCs that are away and tell their day later. See
 * office.h.
 */
#include "tests/bench/office/office.h"
#include <errno.h>

#define ACTS_MAX 6000u /* of one PC and day */
#define HOUR_US INT64_C(3600000000)
#define IDLE_US INT64_C(900000000) /* a PC that is on says so every quarter of an hour */
#define RECORDS_A_BURST 8u         /* a first guess; what comes is counted */

struct life {
	struct desk desk;
	bool stays_on;
	int64_t reaches; /* nothing of its day reaches the collector before */
	unsigned n, at;
	struct {
		int64_t when;
		enum moment what;
	} * plan;
};

static bool is_working_day(int64_t midnight)
{
	/* 1970-01-01 was a Thursday. */
	int64_t weekday = ((midnight + OFFICE_JST_US) / OFFICE_DAY_US + 3) % 7;

	return weekday < 5;
}

static int by_time(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void add(struct life *l, int64_t when, enum moment what)
{
	l->plan[l->n].when = when;
	l->plan[l->n++].what = what;
}

/* Between two moments of a PC that is on and not used. */
static void idle(struct life *l, int64_t from, int64_t until)
{
	for (from += IDLE_US; from < until && l->n < 2 * ACTS_MAX; from += IDLE_US)
		add(l, from, MOMENT_IDLE);
}

static void plan_day(struct office *o, struct life *l, bool working, unsigned acts)
{
	static int64_t at[ACTS_MAX];
	struct dice *dice = &o->dice;
	int64_t begin = o->day + 8 * HOUR_US + dice_under(dice, 90) * HOUR_US / 60;
	int64_t end = o->day + 17 * HOUR_US + dice_under(dice, 210) * HOUR_US / 60;
	unsigned i;

	l->n = l->at = 0;
	l->reaches = 0;
	if (!working || !dice_chance(dice, 92)) {
		if (l->stays_on)
			idle(l, o->day, o->day + OFFICE_DAY_US);
		return;
	}
	if (l->stays_on)
		idle(l, o->day, begin);
	add(l, begin, MOMENT_ARRIVE);
	acts = acts > ACTS_MAX ? ACTS_MAX : acts;
	for (i = 0; i < acts; i++) {
		at[i] = begin + (int64_t)(dice_next(dice) % (uint64_t)(end - begin));
		/* Hardly anything at lunch. */
		if (at[i] > o->day + 12 * HOUR_US && at[i] < o->day + 13 * HOUR_US && dice_chance(dice, 80))
			at[i] += HOUR_US + HOUR_US / 7;
		at[i] = at[i] < end ? at[i] : end - 1;
	}
	qsort(at, acts, sizeof(at[0]), by_time);
	for (i = 0; i < acts; i++) {
		if (i)
			idle(l, at[i - 1], at[i]);
		add(l, at[i], MOMENT_ACT);
	}
	add(l, end, MOMENT_LEAVE);
	l->stays_on = dice_chance(dice, 25);
	if (l->stays_on)
		idle(l, end, o->day + OFFICE_DAY_US);
	/* Somebody is with a customer, without a network: the day reaches the collector the next morning. */
	if (dice_chance(dice, 3))
		l->reaches = o->day + OFFICE_DAY_US + 8 * HOUR_US;
}

static void live_day(struct office *o)
{
	bool working = is_working_day(o->day);
	uint64_t left = o->want > o->told ? o->want - o->told : 0;
	unsigned i, acts = 0, days = 0;
	int64_t day;

	for (day = o->day; day < o->end; day += OFFICE_DAY_US)
		days += is_working_day(day);
	if (working && o->n)
		acts = (unsigned)(left * o->acts / (o->told ? o->told : o->acts * RECORDS_A_BURST) / days * 100 / 92 /
				  o->n);
	for (i = 0; i < o->n; i++)
		plan_day(o, &o->lives[i], working, acts / 2 + dice_under(&o->dice, acts + 1));
}

int office_open(struct office *o, uint64_t seed, unsigned pcs, unsigned days, uint64_t records, int64_t end_us)
{
	unsigned i;

	*o = (struct office){.dice = {.state = seed}, .want = records, .n = pcs, .acts = 1};
	o->end = (end_us + OFFICE_JST_US) / OFFICE_DAY_US * OFFICE_DAY_US - OFFICE_JST_US;
	o->begin = o->day = o->end - (int64_t)days * OFFICE_DAY_US;
	o->lives = calloc(pcs, sizeof(*o->lives));
	if (!o->lives)
		return -ENOMEM;
	for (i = 0; i < pcs; i++) {
		struct life *l = &o->lives[i];

		desk_make(&l->desk, seed, i);
		l->plan = calloc(2 * ACTS_MAX + 8, sizeof(*l->plan));
		if (!l->plan)
			return -ENOMEM;
	}
	live_day(o);
	return 0;
}

void office_close(struct office *o)
{
	unsigned i;

	for (i = 0; o->lives && i < o->n; i++)
		free(o->lives[i].plan);
	free(o->lives);
	o->lives = NULL;
}

struct desk *office_desk(struct office *o, unsigned i)
{
	return &o->lives[i].desk;
}

int office_next(struct office *o, struct desk **desk, enum moment *what, int64_t *reaches_us)
{
	for (;;) {
		struct life *best = NULL;
		int64_t when = 0;
		unsigned i;

		for (i = 0; i < o->n; i++) {
			struct life *l = &o->lives[i];
			int64_t t;

			if (l->at == l->n)
				continue;
			t = l->plan[l->at].when > l->reaches ? l->plan[l->at].when : l->reaches;
			if (!best || t < when) {
				best = l;
				when = t;
			}
		}
		if (best) {
			/* A burst that took longer than the plan pushes what is behind it. */
			if (best->desk.now < best->plan[best->at].when)
				best->desk.now = best->plan[best->at].when;
			*what = best->plan[best->at++].what;
			*desk = &best->desk;
			*reaches_us = when > best->desk.now ? when : best->desk.now;
			return 0;
		}
		o->day += OFFICE_DAY_US;
		if (o->day >= o->end)
			return V_END;
		live_day(o);
	}
}
