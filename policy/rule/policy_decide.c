/*
 * The policy's decision. Pure: see policy.h for the order in which things are looked at.
 *
 * Called for every device that is plugged in, and for all of them when anything changes: with twenty thousand rows it
 * looks at the few that a device can fit.
 */
#include "policy/rule/policy_parts.h"
#include <errno.h>

#define BUCKETS 16384u /* and one more, for rows that hang at nothing */
#define MEDIUM_KINDS (1u << DEVICE_KIND_STORAGE | 1u << DEVICE_KIND_OPTICAL | 1u << DEVICE_KIND_SD)

/* --- the ledger --- */

/*
 * Each row hangs at the most exact thing that it asks for, so that a device meets only the rows that it can fit: its
 * own, those of its serial number, its fingerprint, its model, its vendor, and the few that ask for none of these.
 */
enum hook { HOOK_DEVICE, HOOK_SERIAL, HOOK_FINGERPRINT, HOOK_MODEL, HOOK_VENDOR, HOOK_NONE };

static uint32_t mix(uint32_t h, const void *p, size_t n)
{
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < n; i++)
		h = (h ^ b[i]) * 16777619u;
	return h;
}

static uint32_t mix_number(uint32_t h, unsigned v)
{
	const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	return mix(h, b, sizeof(b));
}

/* A serial number as the ledger has it (a backslash before what stands for itself), or as the device says it. */
static uint32_t mix_serial(uint32_t h, const char *s, bool quoted)
{
	for (; *s; s++) {
		s += quoted && *s == '\\' && s[1];
		h = mix(h, s, 1);
	}
	return h;
}

static unsigned bucket(enum hook hook, unsigned vendor, unsigned product, const char *serial, bool quoted,
	const struct digest *fingerprint)
{
	uint32_t h = (2166136261u ^ (uint32_t)hook) * 16777619u;

	if (hook == HOOK_DEVICE || hook == HOOK_MODEL || hook == HOOK_VENDOR)
		h = mix_number(h, vendor);
	if (hook == HOOK_DEVICE || hook == HOOK_MODEL)
		h = mix_number(h, product);
	if (hook == HOOK_DEVICE || hook == HOOK_SERIAL)
		h = mix_serial(h, serial, quoted);
	if (hook == HOOK_FINGERPRINT)
		h = mix(h, fingerprint->b, DIGEST_SIZE);
	return hook == HOOK_NONE ? BUCKETS : (h ^ h >> 16) % BUCKETS;
}

static enum hook hook_of(const struct match *m)
{
	bool model = m->vendor != ANY && m->product != ANY;

	if (m->serial && !is_pattern(m->serial))
		return model ? HOOK_DEVICE : HOOK_SERIAL;
	if (m->has_fingerprint)
		return HOOK_FINGERPRINT;
	return model ? HOOK_MODEL : m->vendor != ANY ? HOOK_VENDOR : HOOK_NONE;
}

int policy_index(struct policy *p)
{
	unsigned i;

	p->buckets = malloc((BUCKETS + 1) * sizeof(*p->buckets));
	if (!p->buckets)
		return -ENOMEM;
	for (i = 0; i <= BUCKETS; i++)
		p->buckets[i] = -1;
	for (i = 0; i < p->rows_n; i++) {
		const struct match *m = &p->rows[i].match;
		unsigned h = bucket(hook_of(m), (unsigned)m->vendor, (unsigned)m->product, m->serial ? m->serial : "",
			true, &m->fingerprint);

		p->rows[i].next = p->buckets[h];
		p->buckets[h] = (int)i;
	}
	return 0;
}

static void walk(const struct policy *p, unsigned h, policy_row_fn fn, void *ctx)
{
	int k;

	for (k = p->buckets[h]; k >= 0; k = p->rows[k].next)
		fn(ctx, &p->rows[k]);
}

void policy_rows_for(const struct policy *p, const struct row *like, policy_row_fn fn, void *ctx)
{
	const struct match *m = &like->match;
	unsigned vendor = (unsigned)m->vendor, product = (unsigned)m->product;
	bool exact = m->serial && !is_pattern(m->serial);

	if (!p->buckets)
		return;
	if (exact && m->vendor != ANY && m->product != ANY)
		walk(p, bucket(HOOK_DEVICE, vendor, product, m->serial, true, NULL), fn, ctx);
	if (exact)
		walk(p, bucket(HOOK_SERIAL, 0, 0, m->serial, true, NULL), fn, ctx);
	if (m->has_fingerprint)
		walk(p, bucket(HOOK_FINGERPRINT, 0, 0, "", false, &m->fingerprint), fn, ctx);
	if (m->vendor != ANY && m->product != ANY)
		walk(p, bucket(HOOK_MODEL, vendor, product, "", false, NULL), fn, ctx);
	if (m->vendor != ANY)
		walk(p, bucket(HOOK_VENDOR, vendor, 0, "", false, NULL), fn, ctx);
	walk(p, BUCKETS, fn, ctx);
}

struct found {
	const struct row *row;
	unsigned access;
	enum policy_because because; /* with what keeps it from more */
	bool listed;                 /* a row is for this device, whoever and whenever it is for */
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
static unsigned granted(const struct row *row, const struct device *d, enum policy_because *because)
{
	*because = BECAUSE_ROW;
	if (row->as.access <= ACCESS_READ_ONLY)
		return row->as.access;
	if (d->twin)
		*because = BECAUSE_ROW_TWIN;
	else if (row->as.encrypted && !d->encrypted)
		*because = BECAUSE_ROW_PLAIN;
	else if (row->media && !has_uuid(row->media, d))
		*because = BECAUSE_ROW_MEDIUM;
	return *because == BECAUSE_ROW ? row->as.access : ACCESS_READ_ONLY;
}

struct looking {
	const struct device *d;
	const struct device_user *who;
	struct found *f;
};

static void look_at(void *ctx, const struct row *row)
{
	const struct looking *l = ctx;
	struct found *f = l->f;
	enum policy_because because;
	unsigned access;
	int64_t edge;

	if (!match_device(&row->match, l->d))
		return;
	f->listed = true;
	if (!match_people(&row->match, l->who))
		return;
	edge = match_next_edge(&row->match, l->who->wall_us);
	if (edge < f->until_us)
		f->until_us = edge;
	if (!match_time(&row->match, l->who->wall_us))
		return;
	access = granted(row, l->d, &because);
	/* The most restrictive; of two that say the same, the first in the ledger. */
	if (f->row && (access > f->access || (access == f->access && row->as.line > f->row->as.line)))
		return;
	f->row = row;
	f->access = access;
	f->because = because;
}

static void look_up(const struct policy *p, const struct device *d, const struct device_user *who, struct found *f)
{
	struct looking l = {.d = d, .who = who, .f = f};

	*f = (struct found){.until_us = INT64_MAX};
	if (!p->buckets)
		return;
	if (d->usb && d->serial[0])
		walk(p, bucket(HOOK_DEVICE, d->vendor, d->product, d->serial, false, NULL), look_at, &l);
	if (d->serial[0])
		walk(p, bucket(HOOK_SERIAL, 0, 0, d->serial, false, NULL), look_at, &l);
	if (d->has_fingerprint)
		walk(p, bucket(HOOK_FINGERPRINT, 0, 0, "", false, &d->fingerprint), look_at, &l);
	if (d->usb) {
		walk(p, bucket(HOOK_MODEL, d->vendor, d->product, "", false, NULL), look_at, &l);
		walk(p, bucket(HOOK_VENDOR, d->vendor, 0, "", false, NULL), look_at, &l);
	}
	walk(p, BUCKETS, look_at, &l);
}

/* --- the decision --- */

static void take_row(struct decision *out, const struct found *f)
{
	const struct ledger_row *row = &f->row->as;

	out->row = row->line;
	snprintf(out->owner, sizeof(out->owner), "%s", row->owner);
	snprintf(out->label, sizeof(out->label), "%s", row->label);
	out->because = f->because;
}

/* One serial number at two places: one of them is not what it says it is, whatever a rule says of it. */
static void hold_twin(const struct device *d, struct decision *out)
{
	if (!d->twin || !(MEDIUM_KINDS >> out->kind & 1) || out->access != ACCESS_READ_WRITE)
		return;
	out->access = ACCESS_READ_ONLY;
	out->because = BECAUSE_TWIN;
}

static bool take_rule(const struct rule *r, const struct found *f, struct decision *out)
{
	bool listed = r->access == ACCESS_LISTED;

	if (listed && !f->row)
		return false;
	out->access = listed ? f->access : r->access;
	out->note |= r->note;
	snprintf(out->rule, sizeof(out->rule), "rule:%s", r->name);
	out->line = r->line;
	out->because = BECAUSE_RULE;
	if (listed)
		take_row(out, f);
	return true;
}

static const char *kind_name(unsigned kind)
{
	const struct enum_info *e = enum_by_value(F_DEVICE_KIND, kind);

	return e ? e->name : "unknown";
}

static void decide(const struct policy *p, const struct device *d, unsigned kind, const struct device_user *who,
	struct decision *out)
{
	struct found f;
	unsigned i;

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
	out->because = f.listed ? BECAUSE_NOT_NOW : BECAUSE_DEFAULT;
}

void policy_decide(const struct policy *p, const struct device *d, unsigned kind, const struct device_user *who,
	struct decision *out)
{
	*out = (struct decision){.kind = kind, .note = p->note, .until_us = INT64_MAX};
	decide(p, d, kind, who, out);
	policy_reason(out, LANG_EN, out->reason);
}

bool policy_lists(const struct policy *p, const struct device *d)
{
	const struct device_user nobody = {.groups = (const char *const[]){NULL}, .host = ""};
	struct decision out;

	policy_decide(p, d, DEVICE_KIND_STORAGE, &nobody, &out);
	return out.row || out.because == BECAUSE_NOT_NOW;
}

/* --- in words --- */

static const struct {
	const char *en, *ja;
} reasons[] = {
	[BECAUSE_DEFAULT] = {"in no rule and in no row of the ledger", "該当する規則も台帳の行もありません"},
	[BECAUSE_NOT_NOW] = {"listed, but not for who is here, or not now",
		"台帳にありますが、この利用者・PC・日時には許可されていません"},
	[BECAUSE_RULE] = {"the first rule that fits, policy.yaml:%u", "最初に該当した規則(policy.yaml:%u)"},
	[BECAUSE_ROW] = {"listed in devices.csv:%u", "台帳に登録済み(devices.csv:%u)"},
	[BECAUSE_ROW_TWIN] = {"devices.csv:%u grants more, but another device with this serial number is plugged in",
		"devices.csv:%u は書き込みを許可していますが、同じシリアル番号の機器がもう 1 台接続されています"},
	[BECAUSE_ROW_PLAIN] = {"devices.csv:%u grants more, but the medium is not encrypted",
		"devices.csv:%u は書き込みを許可していますが、媒体が暗号化されていません"},
	[BECAUSE_ROW_MEDIUM] = {"devices.csv:%u grants more, but the medium is not the one that is listed",
		"devices.csv:%u は書き込みを許可していますが、登録された媒体ではありません"},
	[BECAUSE_TWIN] = {"another device with this serial number is plugged in",
		"同じシリアル番号の機器がもう 1 台接続されています"},
	[BECAUSE_RELEASE] = {"released by a code of the administrator's", "管理者の解除コードにより一時解除中"},
};

void policy_reason(const struct decision *d, enum record_lang lang, char out[POLICY_REASON_SIZE])
{
	const char *text = lang == LANG_JA ? reasons[d->because].ja : reasons[d->because].en, *at = strstr(text, "%u");
	unsigned line = d->because == BECAUSE_RULE ? d->line : d->row;

	if (!at)
		snprintf(out, POLICY_REASON_SIZE, "%s", text);
	else
		snprintf(out, POLICY_REASON_SIZE, "%.*s%u%s%s%s", (int)(at - text), text, line, at + 2,
			d->because == BECAUSE_ROW && d->label[0] ? ": " : "",
			d->because == BECAUSE_ROW ? d->label : "");
}
