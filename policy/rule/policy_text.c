/*
 * Rules and settings as one line of text each, so that two policies can be compared and what differs be shown to a
 * person (sekishoctl policy diff). Written as policy.yaml has them; the same text is the same rule.
 */
#include "policy/base/text.h"
#include "policy/rule/policy_parts.h"

static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static int key(struct buf *out, const char *name)
{
	int r = out->n ? buf_puts(out, ", ") : 0;

	return r ? r : buf_putf(out, "%s: ", name);
}

int policy_put_text(struct buf *out, const char *name, const char *s)
{
	int r = s ? key(out, name) : 0;

	return r || !s ? r : buf_puts(out, s);
}

static int put_hex(struct buf *out, const char *name, int v)
{
	int r = v == ANY ? 0 : key(out, name);

	return r || v == ANY ? r : buf_putf(out, "%04x", (unsigned)v);
}

static int put_yes(struct buf *out, const char *name, int v)
{
	return policy_put_text(out, name, v == ANY ? NULL : v ? "yes" : "no");
}

static int put_time(struct buf *out, const char *name, int64_t us)
{
	char text[TEXT_TIME_SIZE];

	return policy_put_text(out, name, us == INT64_MIN || us == INT64_MAX ? NULL : text_time_local(text, us));
}

int policy_put_words(struct buf *out, const char *name, words list)
{
	int r = list ? key(out, name) : 0;
	words w;

	for (w = list; !r && w && *w; w++)
		r = buf_putf(out, "%s%s", w == list ? "[" : ", ", *w);
	return r || !list ? r : buf_puts(out, "]");
}

/* A set of up to 64, by names. */
static int put_set(struct buf *out, const char *name, uint64_t set, const char *(*name_of)(unsigned))
{
	const char *before = "[";
	unsigned i;
	int r = set ? key(out, name) : 0;

	for (i = 0; i < 64 && !r && set; i++) {
		if (!(set >> i & 1))
			continue;
		r = buf_putf(out, "%s%s", before, name_of(i));
		before = ", ";
	}
	return r || !set ? r : buf_puts(out, "]");
}

static const char *kind_name(unsigned kind)
{
	const struct enum_info *e = enum_by_value(F_DEVICE_KIND, kind);

	return e ? e->name : "unknown";
}

static const char *day_name(unsigned day)
{
	return days[day % 7];
}

static int put_class(struct buf *out, int v)
{
	return v == ANY ? buf_puts(out, "*") : buf_putf(out, "%02x", (unsigned)v);
}

static int put_interfaces(struct buf *out, const struct match *m)
{
	unsigned i;
	int r = m->interfaces_n ? key(out, "interfaces") : 0;

	for (i = 0; i < m->interfaces_n && !r; i++) {
		r = buf_puts(out, i ? ", " : "[");
		r = r ? r : put_class(out, m->interface[i].class);
		r = r ? r : buf_puts(out, ":");
		r = r ? r : put_class(out, m->interface[i].subclass);
		r = r ? r : buf_puts(out, ":");
		r = r ? r : put_class(out, m->interface[i].protocol);
	}
	return r || !m->interfaces_n ? r : buf_puts(out, "]");
}

static int put_hours(struct buf *out, const struct match *m)
{
	int r = m->from_min == ANY ? 0 : key(out, "hours");

	if (r || m->from_min == ANY)
		return r;
	return buf_putf(out, "%02d:%02d-%02d:%02d", m->from_min / 60, m->from_min % 60, m->to_min / 60, m->to_min % 60);
}

int policy_put_people(struct buf *out, const struct match *m)
{
	int r = policy_put_words(out, "users", m->users);

	r = r ? r : policy_put_words(out, "groups", m->groups);
	r = r ? r : policy_put_words(out, "hosts", m->hosts);
	r = r ? r : put_set(out, "days", m->days, day_name);
	r = r ? r : put_hours(out, m);
	r = r ? r : put_time(out, "from", m->from_us);
	return r ? r : put_time(out, "until", m->until_us);
}

static int put_match(struct buf *out, const struct match *m)
{
	char hex[2 * DIGEST_SIZE + 1];
	int r = put_set(out, "kind", m->kinds, kind_name);

	r = r ? r : put_yes(out, "listed", m->listed);
	r = r ? r : put_hex(out, "vendor", m->vendor);
	r = r ? r : put_hex(out, "product", m->product);
	r = r ? r : policy_put_text(out, "serial", m->serial);
	r = r ? r : put_yes(out, "no_serial", m->has_serial == ANY ? ANY : !m->has_serial);
	r = r ? r
	      : policy_put_text(
			out, "fingerprint", m->has_fingerprint ? hex_encode(hex, m->fingerprint.b, DIGEST_SIZE) : NULL);
	r = r ? r : put_interfaces(out, m);
	r = r ? r : policy_put_text(out, "port", m->port);
	r = r ? r : policy_put_people(out, m);
	return r ? r : put_yes(out, "encrypted", m->encrypted);
}

static const char *access_name(unsigned access)
{
	const struct enum_info *e = enum_by_value(F_ACCESS, access);

	return e ? e->name : "listed";
}

int policy_rule(const struct policy *p, unsigned i, struct policy_rule_text *out, struct buf *text)
{
	const struct rule *rule = &p->rules[i];
	int r = put_match(text, &rule->match);

	r = r ? r : key(text, "access");
	r = r ? r : buf_puts(text, access_name(rule->access));
	r = r ? r : rule->note ? policy_put_text(text, "mode", "note") : 0;
	if (r)
		return r;
	*out = (struct policy_rule_text){.name = rule->name, .line = rule->line};
	return 0;
}

static int past_cups_settings(const struct policy_past_cups *c, policy_setting_fn fn, void *ctx)
{
	static const char *const actions[] = {
		[PAST_CUPS_NOTE] = "note", [PAST_CUPS_DENY] = "deny", [PAST_CUPS_IGNORE] = "ignore"};
	_cleanup_buf_ struct buf remote = BUF_INIT(1024), local = BUF_INIT(1024), services = BUF_INIT(1024);
	unsigned i;
	int r = fn(ctx, "past_cups: action", actions[c->action]);

	for (i = 0; i < c->ranges_n && !r; i++) {
		struct buf *b = c->range[i].local ? &local : &remote;

		r = buf_putf(b, "%s%u-%u", b->n ? ", " : "", c->range[i].from, c->range[i].to);
	}
	for (i = 0; i < c->services_n && !r; i++)
		r = buf_putf(&services, "%s%s", services.n ? ", " : "", c->service[i]);
	r = r ? r : fn(ctx, "past_cups: ports", remote.n ? buf_str(&remote) : "");
	r = r ? r : fn(ctx, "past_cups: local_ports", local.n ? buf_str(&local) : "");
	return r ? r : fn(ctx, "past_cups: services", services.n ? buf_str(&services) : "");
}

int policy_settings(const struct policy *p, policy_setting_fn fn, void *ctx)
{
	char name[48], number[32];
	unsigned kind;
	int r = fn(ctx, "mode", p->note ? "note" : "enforce");

	r = r ? r : fn(ctx, "lockout", p->lockout ? "yes" : "no");
	for (kind = 1; kind < DEVICE_KINDS && !r; kind++) {
		if (!enum_by_value(F_DEVICE_KIND, kind))
			continue;
		snprintf(name, sizeof(name), "defaults: %s", kind_name(kind));
		r = fn(ctx, name, access_name(p->defaults[kind]));
	}
	r = r ? r : fn(ctx, "release: key", p->release_key);
	snprintf(number, sizeof(number), "%u", p->release_max_s / 3600);
	r = r ? r : fn(ctx, "release: max_hours", number);
	snprintf(number, sizeof(number), "%u", p->release_per_day);
	r = r ? r : fn(ctx, "release: per_day", number);
	return r ? r : past_cups_settings(&p->past_cups, fn, ctx);
}
