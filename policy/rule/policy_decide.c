/*
 * The policy's decision. Pure: see policy.h for the order in which things are looked at.
 *
 * Called for every device that is plugged in, and for all of them when anything changes: with twenty thousand rows it
 * looks at the few that a device can fit.
 */
#include "policy/rule/policy_parts.h"
#include <errno.h>

#define MEDIUM_KINDS (1u << DEVICE_KIND_STORAGE | 1u << DEVICE_KIND_OPTICAL | 1u << DEVICE_KIND_SD)

/* --- the ledger --- */

static uint32_t hash_of(unsigned vendor, unsigned product, const char *serial)
{
	uint32_t h = 2166136261u ^ (vendor << 16 | product);

	for (; *serial; serial++)
		h = (h ^ (uint8_t)*serial) * 16777619u;
	return h % BUCKETS;
}

static bool is_exact(const struct match *m)
{
	return m->vendor != ANY && m->product != ANY && m->serial && !strpbrk(m->serial, "*?\\");
}

int policy_index(struct policy *p)
{
	unsigned i;

	p->buckets = malloc(BUCKETS * sizeof(*p->buckets));
	p->loose = calloc(p->rows_n + 1, sizeof(*p->loose));
	if (!p->buckets || !p->loose)
		return -ENOMEM;
	for (i = 0; i < BUCKETS; i++)
		p->buckets[i] = -1;
	for (i = 0; i < p->rows_n; i++) {
		const struct match *m = &p->rows[i].match;

		if (is_exact(m)) {
			uint32_t h = hash_of((unsigned)m->vendor, (unsigned)m->product, m->serial);

			p->rows[i].next = p->buckets[h];
			p->buckets[h] = (int)i;
		} else {
			p->loose[p->loose_n++] = (int)i;
		}
	}
	return 0;
}

struct found {
	const struct row *row;
	unsigned access;
	const char *lacks; /* what keeps it from more */
	bool listed;       /* a row is for this device, whoever and whenever it is for */
	int64_t until_us;
};

static bool has_uuid(words media, const struct device *d)
{
	unsigned i;

	for (; *media; media++)
		for (i = 0; i < d->media_n; i++)
			if (!strcasecmp(*media, d->medium[i].uuid))
				return true;
	return false;
}

/* What a row grants to this device as it is now. */
static unsigned granted(const struct row *row, const struct device *d, const char **lacks)
{
	*lacks = NULL;
	if (row->as.access <= ACCESS_READ_ONLY)
		return row->as.access;
	if (d->twin)
		*lacks = "another device with this serial number is plugged in";
	else if (row->as.encrypted && !d->encrypted)
		*lacks = "the medium is not encrypted";
	else if (row->media && !has_uuid(row->media, d))
		*lacks = "the medium is not the one that is listed";
	return *lacks ? ACCESS_READ_ONLY : row->as.access;
}

static void look_at(const struct row *row, const struct device *d, const struct device_user *who, struct found *f)
{
	const char *lacks;
	unsigned access;
	int64_t edge;

	if (!match_device(&row->match, d))
		return;
	f->listed = true;
	if (!match_people(&row->match, who))
		return;
	edge = match_next_edge(&row->match, who->wall_us);
	if (edge < f->until_us)
		f->until_us = edge;
	if (!match_time(&row->match, who->wall_us))
		return;
	access = granted(row, d, &lacks);
	if (f->row && access >= f->access)
		return;
	f->row = row;
	f->access = access;
	f->lacks = lacks;
}

static void look_up(const struct policy *p, const struct device *d, const struct device_user *who, struct found *f)
{
	unsigned i;
	int k;

	*f = (struct found){.until_us = INT64_MAX};
	if (!p->buckets)
		return;
	if (d->usb && d->serial[0])
		for (k = p->buckets[hash_of(d->vendor, d->product, d->serial)]; k >= 0; k = p->rows[k].next)
			look_at(&p->rows[k], d, who, f);
	for (i = 0; i < p->loose_n; i++)
		look_at(&p->rows[p->loose[i]], d, who, f);
}

/* --- the decision --- */

static void take_row(struct decision *out, const struct found *f)
{
	const struct ledger_row *row = &f->row->as;

	out->row = row->line;
	snprintf(out->owner, sizeof(out->owner), "%s", row->owner);
	snprintf(out->label, sizeof(out->label), "%s", row->label);
	if (f->lacks)
		snprintf(out->reason, sizeof(out->reason), "devices.csv:%u grants more, but %s", row->line, f->lacks);
	else
		snprintf(out->reason, sizeof(out->reason), "listed in devices.csv:%u%s%s", row->line,
			row->label[0] ? ": " : "", row->label);
}

/* One serial number at two places: one of them is not what it says it is, whatever a rule says of it. */
static void hold_twin(const struct device *d, struct decision *out)
{
	if (!d->twin || !(MEDIUM_KINDS >> out->kind & 1) || out->access != ACCESS_READ_WRITE)
		return;
	out->access = ACCESS_READ_ONLY;
	snprintf(out->reason, sizeof(out->reason), "another device with this serial number is plugged in");
}

static bool take_rule(const struct rule *r, const struct found *f, struct decision *out)
{
	if (r->access == ACCESS_LISTED && !f->row)
		return false;
	out->access = r->access == ACCESS_LISTED ? f->access : r->access;
	out->note |= r->note;
	snprintf(out->rule, sizeof(out->rule), "rule:%s", r->name);
	if (r->access == ACCESS_LISTED)
		take_row(out, f);
	else
		snprintf(out->reason, sizeof(out->reason), "the first rule that fits, policy.yaml:%u", r->line);
	return true;
}

static const char *kind_name(unsigned kind)
{
	const struct enum_info *e = enum_by_value(F_DEVICE_KIND, kind);

	return e ? e->name : "unknown";
}

void policy_decide(const struct policy *p, const struct device *d, unsigned kind, const struct device_user *who,
	struct decision *out)
{
	struct found f;
	unsigned i;

	*out = (struct decision){.kind = kind, .note = p->note, .until_us = INT64_MAX};
	look_up(p, d, who, &f);
	if (d->kinds & MEDIUM_KINDS && !(MEDIUM_KINDS >> kind & 1))
		f.row = NULL;
	out->until_us = f.until_us;
	for (i = 0; i < p->rules_n; i++) {
		const struct rule *r = &p->rules[i];
		int64_t edge = match_next_edge(&r->match, who->wall_us);

		if (edge < out->until_us)
			out->until_us = edge;
		if (match_fits(&r->match, d, kind, who, f.listed) && take_rule(r, &f, out)) {
			hold_twin(d, out);
			return;
		}
	}
	if (f.row) {
		out->access = f.access;
		snprintf(out->rule, sizeof(out->rule), "ledger:%u", f.row->as.line);
		take_row(out, &f);
		return;
	}
	out->access = policy_default(p, kind);
	snprintf(out->rule, sizeof(out->rule), "default:%s", kind_name(kind));
	snprintf(out->reason, sizeof(out->reason), "%s",
		f.listed ? "listed, but not for who is here, or not now" : "in no rule and in no row of the ledger");
}
