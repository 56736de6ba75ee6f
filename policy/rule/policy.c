/*
 * A policy as a whole: its memory, how its two texts become one, and what is asked of it besides a decision (which is
 * in policy_decide.c).
 */
#include "policy/rule/policy_parts.h"
#include <errno.h>

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
