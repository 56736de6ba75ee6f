/*
 * See judge.h. Called for each record and rule, so nothing here allocates.
 */
#include "collector/herald/judge.h"
#include <time.h>

static bool number_fits(enum term_op op, int64_t want, bool has_sign, struct value v)
{
	/* What a record holds as unsigned and is beyond all that a rule can name is more than it. */
	int64_t got = has_sign || v.u <= INT64_MAX ? v.i : INT64_MAX;

	switch (op) {
	case TERM_IS:
		return got == want;
	case TERM_LESS:
		return got < want;
	case TERM_AT_MOST:
		return got <= want;
	case TERM_MORE:
		return got > want;
	case TERM_AT_LEAST:
		return got >= want;
	}
	return false;
}

static bool name_fits(const char *pattern, struct span name)
{
	struct match m = match_of(pattern);

	return match_name(&m, name);
}

static bool term_fits(const struct term *t, const struct record *r, const char *host)
{
	unsigned i;

	if (t->field != PLAN_HOST && !record_has(r, t->field))
		return false;
	for (i = 0; i < t->values_n; i++) {
		const char *pattern = t->values[i].pattern;

		if (t->field == PLAN_HOST ? name_fits(pattern, SPAN_STR(host))
			: pattern         ? name_fits(pattern, r->v[t->field].s)
					  : number_fits(t->values[i].op, t->values[i].number,
						    field_table[t->field].type == T_INT, r->v[t->field]))
			return true;
	}
	return false;
}

bool judge_terms(const struct terms *when, const struct terms *unless, const struct record *r, const char *host)
{
	unsigned i;

	for (i = 0; i < when->n; i++)
		if (!term_fits(&when->v[i], r, host))
			return false;
	for (i = 0; i < unless->n; i++)
		if (term_fits(&unless->v[i], r, host))
			return false;
	return true;
}

bool judge_hours(const struct rule *rule, int64_t wall_us)
{
	time_t t = (time_t)(wall_us / 1000000);
	unsigned minute;
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return true;
	minute = (unsigned)tm.tm_hour * 60 + (unsigned)tm.tm_min;
	return !(rule->days >> tm.tm_wday & 1) || minute < rule->from_min || minute >= rule->to_min;
}

bool judge_record(const struct rule *rule, const struct record *r, const char *host)
{
	return !rule->silent_us && judge_terms(&rule->when, &rule->unless, r, host) &&
	       (!rule->has_hours || (record_has(r, F_TIME) && judge_hours(rule, r->v[F_TIME].i)));
}

bool judge_host(const struct words *hosts, const char *name)
{
	unsigned i;

	for (i = 0; i < hosts->n; i++)
		if (name_fits(hosts->v[i], SPAN_STR(name)))
			return true;
	return !hosts->n;
}

void judge_key(const struct fields *f, const struct record *r, const char *host, struct digest *out, bool *any)
{
	/* Each fact with its length before it: no two sets of facts are the same bytes. */
	struct span parts[2 * PLAN_FIELDS_MAX];
	uint8_t heads[PLAN_FIELDS_MAX][9], numbers[PLAN_FIELDS_MAX][8];
	unsigned i;

	*any = false;
	for (i = 0; i < f->n; i++) {
		unsigned at = f->v[i];
		bool has = at == PLAN_HOST || record_has(r, at);
		struct span s = SPAN("", 0);

		if (at == PLAN_HOST) {
			s = SPAN_STR(host);
		} else if (has && (field_table[at].type == T_NAME || field_table[at].type == T_BYTES)) {
			s = r->v[at].s;
		} else if (has) {
			put_be64(numbers[i], r->v[at].u);
			s = SPAN(numbers[i], 8);
		}
		*any |= has && at != PLAN_HOST;
		heads[i][0] = has;
		put_be64(heads[i] + 1, s.n);
		parts[2 * i] = SPAN(heads[i], 9);
		parts[2 * i + 1] = s;
	}
	digest_of(out, parts, 2u * f->n);
}
