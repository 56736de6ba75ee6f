/*
 * `expectations:` of policy.yaml: devices that the policy itself names, and what it must decide of them. Called by
 * policy_yaml.c; policy_check.c tries them.
 */
#include "policy/rule/reading.h"
#include <errno.h>

static int add_interface(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	struct device *d = ctx;
	struct match m = {.interfaces_n = 0};
	int v = policy_read_interface(r, &m, n, key, s);

	if (v || d->interfaces_n == DEVICE_INTERFACES_MAX)
		return v ? v : reading_bad(r, n, key, SAID("too many", "多すぎます"));
	d->interface[d->interfaces_n++] = (struct device_interface){.class = (uint8_t)m.interface[0].class,
		.subclass = (uint8_t)m.interface[0].subclass,
		.protocol = (uint8_t)m.interface[0].protocol};
	return 0;
}

static int take_device_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct expectation *e = ctx;
	struct device *d = &e->device;
	struct match m;
	const char *s = "";
	int v, id, yes = 0;

	if (!strcmp(key, "vendor") || !strcmp(key, "product")) {
		v = reading_hex(r, n, key, &id);
		if (!v && key[0] == 'v')
			d->vendor = (uint16_t)id;
		else if (!v)
			d->product = (uint16_t)id;
		d->usb = true;
		return v;
	}
	if (!strcmp(key, "serial") || !strcmp(key, "port")) {
		v = reading_text(r, n, key, &s);
		if (!v && key[0] == 's')
			device_serial(d->serial, s);
		else if (!v)
			snprintf(d->port, sizeof(d->port), "%s", s);
		return v;
	}
	if (!strcmp(key, "kind")) {
		uint64_t kinds = 0;

		v = reading_items(r, n, key, policy_read_kind, &kinds);
		d->kinds |= kinds;
		e->kind = v ? 0 : (unsigned)__builtin_ctzll(kinds);
		return v;
	}
	if (!strcmp(key, "fingerprint")) {
		v = policy_read_fingerprint(r, n, key, &m);
		d->has_fingerprint = !v;
		d->fingerprint = m.fingerprint;
		return v;
	}
	if (!strcmp(key, "interfaces"))
		return reading_items(r, n, key, add_interface, d);
	if (!strcmp(key, "encrypted")) {
		v = reading_yes(r, n, key, &yes);
		d->encrypted = yes;
		return v;
	}
	if (!strcmp(key, "medium")) {
		v = reading_text(r, n, key, &s);
		snprintf(d->medium[0].uuid, sizeof(d->medium[0].uuid), "%s", s);
		d->media_n = 1;
		return v;
	}
	return V_NOT_FOUND;
}

static int take_expectation_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct expectation *e = ctx;

	if (!strcmp(key, "name"))
		return reading_name(r, n, key, e->name);
	if (!strcmp(key, "device")) {
		e->has_device = true;
		return reading_pairs(r, n, key, take_device_key, e);
	}
	if (!strcmp(key, "user"))
		return reading_text(r, n, key, &e->who.user);
	if (!strcmp(key, "groups"))
		return reading_words(r, n, key, &e->groups);
	if (!strcmp(key, "host"))
		return reading_text(r, n, key, &e->who.host);
	if (!strcmp(key, "at"))
		return reading_time(r, n, key, &e->who.wall_us);
	if (!strcmp(key, "access"))
		return reading_access(r, n, key, false, &e->access);
	return V_NOT_FOUND;
}

int policy_read_expectation(struct reading *r, const yaml_node_t *n)
{
	static const char *const nobody[] = {NULL};
	struct policy *p = r->p;
	struct expectation *e;
	int v;

	if (p->expectations_n == POLICY_EXPECTATIONS_MAX)
		return reading_bad(r, n, "expectations", SAID("too many", "多すぎます"));
	if (p->expectations_n % 64 == 0) {
		void *more = realloc(p->expectations, (p->expectations_n + 64) * sizeof(*p->expectations));

		if (!more)
			return -ENOMEM;
		p->expectations = more;
	}
	e = &p->expectations[p->expectations_n];
	*e = (struct expectation){
		.line = (unsigned)n->start_mark.line + 1, .kind = DEVICE_KIND_STORAGE, .who = {.host = ""}};
	v = reading_pairs(r, n, "expectations", take_expectation_key, e);
	if (v)
		return v;
	if (!e->access || !e->has_device)
		return reading_bad(r, n, "expectations",
			SAID("an expectation needs device and access", "expectation には device と access が必要です"));
	e->device.kinds |= 1ull << e->kind;
	e->who.groups = e->groups ? e->groups : nobody;
	p->expectations_n++;
	return 0;
}
