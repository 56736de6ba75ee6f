/*
 * The policy's decision, and what lives in it. Pure: see policy.h for the order in which things are looked at.
 *
 * Called for every device that is plugged in, and for all of them when anything changes: with twenty thousand rows it
 * looks at the few that a device can fit.
 */
#include "policy/rule/policy_parts.h"
#include <errno.h>
#include <limits.h>
#include <time.h>

#define MINUTES_OF_DAY 1440
#define MEDIUM_KINDS (1u << DEVICE_KIND_STORAGE | 1u << DEVICE_KIND_OPTICAL | 1u << DEVICE_KIND_SD)

/* --- memory --- */

void *policy_keep(struct policy *p, size_t n)
{
	struct chunk *c = calloc(1, sizeof(*c) + n);

	if (!c)
		return NULL;
	c->next = p->chunks;
	p->chunks = c;
	return c->bytes;
}

const char *policy_keep_text(struct policy *p, struct span s)
{
	char *out = policy_keep(p, s.n + 1);

	if (out && s.n)
		memcpy(out, s.p, s.n);
	return out;
}

static bool is_separator(uint8_t c)
{
	return c && strchr(" ,;|\t\r\n", c);
}

static unsigned count_words(struct span s)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < s.n; i++)
		n += !is_separator(s.p[i]) && (!i || is_separator(s.p[i - 1]));
	return n;
}

int policy_keep_words(struct policy *p, struct span s, words *out)
{
	static const char separators[] = " ,;|\t\r\n";
	const char *text = policy_keep_text(p, s), **list;
	char *at, *word, *save = NULL;
	unsigned n = count_words(s);

	if (n > LIST_MAX)
		return V_FULL;
	list = policy_keep(p, (n + 1) * sizeof(*list));
	if (!text || !list)
		return -ENOMEM;
	n = 0;
	at = (char *)(uintptr_t)text;
	for (word = strtok_r(at, separators, &save); word; word = strtok_r(NULL, separators, &save))
		list[n++] = word;
	*out = n ? list : NULL;
	return 0;
}

void match_init(struct match *m)
{
	*m = (struct match){.listed = ANY,
		.encrypted = ANY,
		.has_serial = ANY,
		.vendor = ANY,
		.product = ANY,
		.from_min = ANY,
		.to_min = ANY,
		.from_us = INT64_MIN,
		.until_us = INT64_MAX};
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	while (p->chunks) {
		struct chunk *c = p->chunks;

		p->chunks = c->next;
		free(c);
	}
	free(p->rules);
	free(p->rows);
	free(p->expectations);
	free(p->buckets);
	free(p->loose);
	free(p);
}

static struct policy *new_policy(void)
{
	struct policy *p = calloc(1, sizeof(*p));
	unsigned kind;

	if (!p)
		return NULL;
	p->rules = calloc(POLICY_RULES_MAX, sizeof(*p->rules));
	p->expectations = NULL;
	for (kind = 1; kind < DEVICE_KINDS; kind++)
		p->defaults[kind] = ACCESS_READ_WRITE;
	p->defaults[DEVICE_KIND_STORAGE] = ACCESS_READ_ONLY;
	p->defaults[DEVICE_KIND_OPTICAL] = ACCESS_READ_ONLY;
	p->defaults[DEVICE_KIND_SD] = ACCESS_READ_ONLY;
	p->defaults[DEVICE_KIND_PHONE] = ACCESS_DENY;
	p->defaults[DEVICE_KIND_NETWORK] = ACCESS_DENY;
	p->defaults[DEVICE_KIND_SERIAL] = ACCESS_DENY;
	p->release_max_s = 8 * 3600;
	p->release_per_day = 5;
	if (!p->rules) {
		policy_free(p);
		return NULL;
	}
	return p;
}

int policy_builtin(struct policy **out)
{
	*out = new_policy();
	return *out ? 0 : -ENOMEM;
}

int policy_load(struct span yaml, struct span csv, struct policy **out, struct why *why)
{
	_cleanup_(policy_freep) struct policy *p = new_policy();
	int r = p ? policy_read_yaml(p, yaml, why) : -ENOMEM;

	r = r ? r : policy_read_ledger(p, csv, why);
	r = r ? r : policy_index(p);
	if (r)
		return r;
	*out = STEAL(p);
	return 0;
}

uint64_t policy_version(const struct policy *p)
{
	return p->version;
}

bool policy_notes_only(const struct policy *p)
{
	return p->note;
}

unsigned policy_rules_n(const struct policy *p)
{
	return p->rules_n;
}

unsigned policy_rows_n(const struct policy *p)
{
	return p->rows_n;
}

unsigned policy_default(const struct policy *p, unsigned kind)
{
	return kind && kind < DEVICE_KINDS ? p->defaults[kind] : ACCESS_DENY;
}

const char *policy_release_key(const struct policy *p)
{
	return p->release_key;
}

unsigned policy_release_max_s(const struct policy *p)
{
	return p->release_max_s;
}

unsigned policy_release_per_day(const struct policy *p)
{
	return p->release_per_day;
}

void policy_row(const struct policy *p, unsigned i, struct ledger_row *out)
{
	*out = p->rows[i].as;
}

/* --- words --- */

int policy_hex16(const char *s)
{
	unsigned long v;
	char *end;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	if (!*s || strlen(s) > 4 || s[strspn(s, "0123456789abcdefABCDEF")])
		return ANY;
	v = strtoul(s, &end, 16);
	return (int)v;
}

unsigned policy_access(const char *name)
{
	const struct enum_info *e = enum_by_name(F_ACCESS, name);

	return e ? (unsigned)e->value : 0;
}

unsigned policy_kind(const char *name)
{
	const struct enum_info *e = enum_by_name(F_DEVICE_KIND, name);

	return e ? (unsigned)e->value : 0;
}

bool is_pattern(const char *s)
{
	for (; s && *s; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '*' || *s == '?')
			return true;
	}
	return false;
}

/*
 * "*" for anything, "?" for one byte, a backslash before either for itself: byte by byte, so that the answer is the
 * same under every locale. What stands for itself is never read as a pattern (a device may call itself "****").
 */
static bool like(const char *pattern, const char *s)
{
	const char *star = NULL, *from = NULL;

	while (*s) {
		bool quoted = *pattern == '\\' && pattern[1];

		if (*pattern == '*') {
			star = ++pattern;
			from = s;
		} else if (*pattern == '?' || (*pattern && pattern[quoted] == *s)) {
			pattern += 1 + (*pattern != '?' && quoted);
			s++;
		} else if (star) {
			pattern = star;
			s = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool one_like(words list, const char *s)
{
	for (; s && *list; list++)
		if (like(*list, s))
			return true;
	return false;
}

static bool one_of_groups(words list, const char *const *groups)
{
	for (; groups && *groups; groups++)
		if (one_like(list, *groups))
			return true;
	return false;
}

/* --- time --- */

static void local_time(int64_t wall_us, struct tm *tm)
{
	time_t t = (time_t)(wall_us / 1000000);

	/* The PC may have been carried to another zone. */
	tzset();
	if (!localtime_r(&t, tm))
		memset(tm, 0, sizeof(*tm));
}

static bool time_fits(const struct match *m, int64_t wall_us)
{
	struct tm tm;
	int now, day;
	bool over_midnight;

	if (wall_us < m->from_us || wall_us >= m->until_us)
		return false;
	if (!m->days && m->from_min == ANY)
		return true;
	local_time(wall_us, &tm);
	now = tm.tm_hour * 60 + tm.tm_min;
	day = tm.tm_wday;
	over_midnight = m->from_min != ANY && m->from_min >= m->to_min;
	/* The small hours belong to the day on which the shift began. */
	if (over_midnight && now < m->to_min)
		day = (day + 6) % 7;
	if (m->days && !(m->days >> day & 1))
		return false;
	if (m->from_min == ANY)
		return true;
	return over_midnight ? now >= m->from_min || now < m->to_min : now >= m->from_min && now < m->to_min;
}

/* The next moment at which time_fits may say something else. */
static int64_t next_edge(const struct match *m, int64_t wall_us)
{
	int64_t next = INT64_MAX, minute = 60000000, midnight;
	const int edges[] = {m->from_min, m->to_min, MINUTES_OF_DAY};
	struct tm tm;
	size_t i;

	if (wall_us < m->from_us)
		next = m->from_us;
	else if (wall_us < m->until_us)
		next = m->until_us;
	if (!m->days && m->from_min == ANY)
		return next;
	local_time(wall_us, &tm);
	midnight = wall_us - ((int64_t)(tm.tm_hour * 60 + tm.tm_min) * 60 + tm.tm_sec) * 1000000;
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		int64_t at = midnight + edges[i] * minute;

		if (edges[i] != ANY && at > wall_us && at < next)
			next = at;
	}
	return next;
}

/* --- fitting --- */

static bool interface_fits(const struct match *m, const struct device *d)
{
	unsigned i, k;

	for (i = 0; i < m->interfaces_n; i++)
		for (k = 0; k < d->interfaces_n; k++)
			if ((m->interface[i].class == ANY || m->interface[i].class == d->interface[k].class) &&
				(m->interface[i].subclass == ANY ||
					m->interface[i].subclass == d->interface[k].subclass) &&
				(m->interface[i].protocol == ANY ||
					m->interface[i].protocol == d->interface[k].protocol))
				return true;
	return false;
}

static bool device_fits(const struct match *m, const struct device *d)
{
	if ((m->vendor != ANY || m->product != ANY) && !d->usb)
		return false;
	if ((m->vendor != ANY && m->vendor != d->vendor) || (m->product != ANY && m->product != d->product))
		return false;
	if (m->has_serial != ANY && m->has_serial != (d->serial[0] != 0))
		return false;
	/* A pattern for any serial does not stand for none. */
	if (m->serial && (!d->serial[0] || !like(m->serial, d->serial)))
		return false;
	if (m->has_fingerprint && (!d->has_fingerprint || !digest_eq(&m->fingerprint, &d->fingerprint)))
		return false;
	if (m->encrypted != ANY && m->encrypted != d->encrypted)
		return false;
	if (m->port && !like(m->port, d->port))
		return false;
	return !m->interfaces_n || interface_fits(m, d);
}

static bool people_fit(const struct match *m, const struct device_user *who)
{
	if (m->users && !one_like(m->users, who->user))
		return false;
	if (m->groups && (!who->user || !one_of_groups(m->groups, who->groups)))
		return false;
	return !m->hosts || one_like(m->hosts, who->host);
}

bool match_fits(
	const struct match *m, const struct device *d, unsigned kind, const struct device_user *who, bool listed)
{
	if (m->kinds && !(m->kinds >> kind & 1))
		return false;
	if (m->listed != ANY && m->listed != listed)
		return false;
	return device_fits(m, d) && people_fit(m, who) && time_fits(m, who->wall_us);
}

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

	if (!device_fits(&row->match, d))
		return;
	f->listed = true;
	if (!people_fit(&row->match, who))
		return;
	edge = next_edge(&row->match, who->wall_us);
	if (edge < f->until_us)
		f->until_us = edge;
	if (!time_fits(&row->match, who->wall_us))
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
		int64_t edge = next_edge(&r->match, who->wall_us);

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
