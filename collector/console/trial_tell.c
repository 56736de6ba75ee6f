/*
 * What is told of a policy that was tried: its cases, as far as they fit, and what was looked at. Whoever may read no
 * records gets no titles, no people, no records; of print jobs no PCs and no times either, but counts by printer and
 * rule.
 */
#include "collector/console/trial.h"
#include <errno.h>

static const char *value_of(const struct trial_case *k, unsigned v)
{
	return enum_by_value(k->decided.of_device ? F_ACCESS : F_ACTION, v)->name;
}

static json_t *words_json(const struct distinct *d, bool names)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; names && i < d->n && i < TRIAL_NAMES_TOLD; i++)
		json_array_append_new(list, text_json(d->v[i]));
	return json_pack("{s:I, s:b, s:o}", "count", (json_int_t)d->n, "more", d->more, "names", list);
}

static json_t *string_of(const char *s)
{
	return text_json(SPAN_STR(s));
}

static json_t *device_json(const struct trial_case *k)
{
	return k->decided.of_device
		       ? json_pack("{s:s, s:o, s:o, s:o}", "kind", enum_by_value(F_DEVICE_KIND, k->kind)->name,
				 "usb_id", string_of(k->usb_id), "serial", string_of(k->serial), "product",
				 string_of(k->product))
		       : json_null();
}

static json_t *print_json(const struct trial_case *k, bool reads)
{
	return k->decided.of_device ? json_null()
				    : json_pack("{s:o, s:I, s:o}", "printer", string_of(k->printer), "pages",
					      (json_int_t)k->pages, "title", reads ? string_of(k->title) : json_null());
}

static json_t *records_json(const struct trial_case *k, bool reads)
{
	json_t *list = json_array();
	char row[24];
	unsigned i;

	for (i = 0; reads && i < k->latest_n; i++) {
		snprintf(row, sizeof(row), "%llu", (unsigned long long)k->latest[i].row);
		json_array_append_new(list, json_pack("{s:s, s:o}", "row", row, "time", time_json(k->latest[i].at_us)));
	}
	return list;
}

static json_t *case_json(const struct trial_case *k, bool reads)
{
	const struct replay *p = &k->decided;
	bool pcs = reads || p->of_device;

	return json_pack("{s:s, s:s, s:b, s:s, s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "effect",
		trial_effect_name(k->effect), "decided", value_of(k, p->decided), "noted", p->noted, "was",
		value_of(k, p->was), "now", value_of(k, p->now), "rule", string_of(p->rule), "reason",
		string_of(p->reason), "reason_ja", string_of(p->reason_ja), "times", (json_int_t)k->times, "last",
		pcs ? time_json(k->last_us) : json_null(), "hosts", words_json(&k->hosts, pcs), "users",
		words_json(&k->users, reads), "device", device_json(k), "print", print_json(k, reads), "records",
		records_json(k, reads));
}

static json_t *cases_json(struct trying *t, bool reads, size_t *all)
{
	const struct trial_case *const *v = trial_cases(t->trial, all);
	json_t *list = json_array();
	size_t i, bytes = 0;

	for (i = 0; i < *all; i++) {
		json_t *o = case_json(v[i], reads);

		bytes += json_dumpb(o, NULL, 0, JSON_COMPACT);
		if (i == TRIAL_CASES_TOLD || bytes > TRIAL_BYTES_TOLD) {
			t->cut |= TRIAL_CUT_ANSWER;
			json_decref(o);
			break;
		}
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *cut_json(unsigned cut)
{
	static const char *const words[] = {"records", "time", "cases", "answer"};
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (cut >> i & 1)
			json_array_append_new(list, json_string(words[i]));
	return list;
}

json_t *trial_told(struct trying *t, bool reads)
{
	const struct trial_counts *n = trial_counts(t->trial);
	const uint64_t of = n->looked + t->counted;
	size_t all = 0;
	json_t *cases = cases_json(t, reads, &all);

	if (n->left_out)
		t->cut |= TRIAL_CUT_CASES;
	return json_pack("{s:I, s:o, s:o, s:b, s:I, s:I, s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "version",
		(json_int_t)policy_version(t->policy), "since", time_json(t->since_us), "until", time_json(t->until_us),
		"reads", reads, "looked_at", (json_int_t)n->looked, "of", (json_int_t)of, "of_more", t->of_least, "cut",
		cut_json(t->cut), "stricter", (json_int_t)n->stricter, "looser", (json_int_t)n->looser, "same",
		(json_int_t)n->same, "not_compared", (json_int_t)n->not_compared, "left_out", (json_int_t)n->left_out,
		"cases_found", (json_int_t)all, "cases", cases);
}
