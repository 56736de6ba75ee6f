/*
 * The section `past_cups:` of policy.yaml: what becomes of connections to printers by programs that are not CUPS. Read
 * here, kept by the policy, put into force by the guard; the manual is policy.yaml(5).
 */
#include "policy/rule/reading.h"

static int take_action(struct reading *r, const yaml_node_t *n, const char *key, unsigned *out)
{
	static const struct {
		const char *name;
		unsigned action;
	} actions[] = {{"ignore", PAST_CUPS_IGNORE}, {"note", PAST_CUPS_NOTE}, {"deny", PAST_CUPS_DENY}};
	const char *s = reading_text_of(r, n, key);
	size_t i;

	if (!s)
		return V_BAD;
	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (strcmp(s, actions[i].name) == 0) {
			*out = actions[i].action;
			return 0;
		}
	return reading_bad_value(r, n, key, s, SAID("ignore, note or deny", "ignore、note、deny のいずれか"));
}

/* One to five digits from 1 to 65535; what follows them. NULL where it is none. */
static const char *port(const char *s, uint16_t *out)
{
	unsigned v = 0, digits = 0;

	for (; *s >= '0' && *s <= '9'; s++, digits++)
		v = digits < 5 ? v * 10 + (unsigned)(*s - '0') : UINT16_MAX + 1;
	if (!digits || !v || v > UINT16_MAX)
		return NULL;
	*out = (uint16_t)v;
	return s;
}

static int add_range(struct reading *r, const yaml_node_t *n, const char *key, const char *s, bool local)
{
	struct policy_past_cups *c = &r->p->past_cups;
	struct past_cups_range range = {.local = local};
	const char *end = port(s, &range.from);

	range.to = range.from;
	if (end && *end == '-')
		end = port(end + 1, &range.to);
	if (!end || *end || range.from > range.to)
		return reading_bad_value(r, n, key, s,
			SAID("port or range of ports (9100, 9100-9107)", "ポートまたはその範囲 (9100、9100-9107)"));
	if (c->ranges_n == PAST_CUPS_RANGES_MAX)
		return reading_bad(r, n, key, SAID("too many ports", "ポートが多すぎます"));
	c->range[c->ranges_n++] = range;
	return 0;
}

static int one_port(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	(void)ctx;
	return add_range(r, n, key, s, false);
}

static int one_local_port(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	(void)ctx;
	return add_range(r, n, key, s, true);
}

static int one_service(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	struct policy_past_cups *c = &r->p->past_cups;

	(void)ctx;
	if (!*s || strlen(s) >= PAST_CUPS_SERVICE_SIZE || strchr(s, '/'))
		return reading_bad_value(
			r, n, key, s, SAID("name of a service (cups.service)", "サービス名 (cups.service)"));
	if (c->services_n == PAST_CUPS_SERVICES_MAX)
		return reading_bad(r, n, key, SAID("too many services", "サービスが多すぎます"));
	snprintf(c->service[c->services_n++], PAST_CUPS_SERVICE_SIZE, "%s", s);
	return 0;
}

int policy_read_past_cups(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct policy_past_cups *c = &r->p->past_cups;

	(void)ctx;
	if (!strcmp(key, "action"))
		return take_action(r, n, key, &c->action);
	if (!strcmp(key, "ports"))
		return reading_items(r, n, key, one_port, NULL);
	if (!strcmp(key, "local_ports"))
		return reading_items(r, n, key, one_local_port, NULL);
	if (!strcmp(key, "services"))
		return reading_items(r, n, key, one_service, NULL);
	return V_NOT_FOUND;
}

const struct policy_past_cups *policy_past_cups(const struct policy *p)
{
	return &p->past_cups;
}
