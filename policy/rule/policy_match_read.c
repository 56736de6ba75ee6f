/*
 * `match:` of a rule: which devices, people and times it is for. Called by policy_yaml.c; what belongs to the
 * description of a device is read by policy_expect.c with the same functions.
 */
#include "policy/base/text.h"
#include "policy/rule/reading.h"
#include <stdio.h>

int policy_read_kind(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	uint64_t *kinds = ctx;
	unsigned kind = policy_kind(s);

	if (!kind)
		return reading_bad_value(r, n, key, s,
			SAID("kind of device (storage, optical, sd, phone, network, ...)",
				"機器の種類 (storage、optical、sd、phone、network など)"));
	*kinds |= 1ull << kind;
	return 0;
}

int policy_read_interface(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	struct match *m = ctx;
	int *parts[3], i;

	if (m->interfaces_n == INTERFACES_MATCH_MAX)
		return reading_bad(r, n, key, SAID("too many", "多すぎます"));
	parts[0] = &m->interface[m->interfaces_n].class;
	parts[1] = &m->interface[m->interfaces_n].subclass;
	parts[2] = &m->interface[m->interfaces_n].protocol;
	for (i = 0; i < 3; i++) {
		char two[3] = {s[0], s[0] ? s[1] : 0, 0};

		if (s[0] == '*') {
			*parts[i] = ANY;
			s++;
		} else if (strlen(two) == 2 && policy_hex16(two) != ANY) {
			*parts[i] = policy_hex16(two);
			s += 2;
		} else {
			return reading_bad(r, n, key,
				SAID("class:subclass:protocol in hex belongs here (08:06:50, 08:*:*)",
					"16 進の class:subclass:protocol を書きます (08:06:50、08:*:*)"));
		}
		if (*s != (i < 2 ? ':' : 0))
			return reading_bad(r, n, key,
				SAID("class:subclass:protocol in hex belongs here (08:06:50, 08:*:*)",
					"16 進の class:subclass:protocol を書きます (08:06:50、08:*:*)"));
		s += i < 2;
	}
	m->interfaces_n++;
	return 0;
}

static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static int day_of(const char *s, size_t n)
{
	int i;

	for (i = 0; i < 7; i++)
		if (n == 3 && !strncasecmp(s, day_names[i], 3))
			return i;
	return ANY;
}

/* "mon" or "mon-fri", also over the end of the week. */
static int one_day(struct reading *r, void *ctx, const yaml_node_t *n, const char *key, const char *s)
{
	unsigned *days = ctx;
	size_t first = strcspn(s, "-");
	int from = day_of(s, first), to = s[first] ? day_of(s + first + 1, strlen(s + first + 1)) : from;

	if (from == ANY || to == ANY)
		return reading_bad_value(r, n, key, s, SAID("day (mon, mon-fri)", "曜日 (mon、mon-fri)"));
	*days |= 1u << from;
	while (from != to) {
		from = (from + 1) % 7;
		*days |= 1u << from;
	}
	return 0;
}

/* "07:00-19:00" */
static int take_hours(struct reading *r, const yaml_node_t *n, const char *key, struct match *m)
{
	const char *s = reading_text_of(r, n, key);
	unsigned h1, m1, h2, m2;
	int end = 0;

	if (!s)
		return V_BAD;
	if (sscanf(s, "%2u:%2u-%2u:%2u%n", &h1, &m1, &h2, &m2, &end) != 4 || s[end] || h1 > 23 || m1 > 59 || h2 > 24 ||
		m2 > 59 || (h2 == 24 && m2))
		return reading_bad_value(r, n, key, s, SAID("time of the day (07:00-19:00)", "時間帯 (07:00-19:00)"));
	m->from_min = (int)(h1 * 60 + m1);
	m->to_min = (int)(h2 * 60 + m2);
	return m->from_min == m->to_min ? reading_bad(r, n, key, SAID("begins when it ends", "開始と終了が同じです"))
					: 0;
}

int policy_read_fingerprint(struct reading *r, const yaml_node_t *n, const char *key, struct match *m)
{
	const char *s = reading_text_of(r, n, key);

	if (!s)
		return V_BAD;
	if (!strncmp(s, "sha256:", 7))
		s += 7;
	m->has_fingerprint = true;
	return hex_decode(s, m->fingerprint.b, DIGEST_SIZE)
		       ? reading_bad_value(
				 r, n, key, s, SAID("fingerprint of 64 hexadecimal digits", "16 進 64 桁の指紋"))
		       : 0;
}

int policy_read_match(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct match *m = ctx;
	int yes;

	if (!strcmp(key, "kind"))
		return reading_items(r, n, key, policy_read_kind, &m->kinds);
	if (!strcmp(key, "listed"))
		return reading_yes(r, n, key, &m->listed);
	if (!strcmp(key, "vendor"))
		return reading_hex(r, n, key, &m->vendor);
	if (!strcmp(key, "product"))
		return reading_hex(r, n, key, &m->product);
	if (!strcmp(key, "serial"))
		return reading_text(r, n, key, &m->serial);
	if (!strcmp(key, "no_serial")) {
		int v = reading_yes(r, n, key, &yes);

		m->has_serial = v ? ANY : !yes;
		return v;
	}
	if (!strcmp(key, "fingerprint"))
		return policy_read_fingerprint(r, n, key, m);
	if (!strcmp(key, "interfaces"))
		return reading_items(r, n, key, policy_read_interface, m);
	if (!strcmp(key, "port"))
		return reading_text(r, n, key, &m->port);
	if (!strcmp(key, "users"))
		return reading_words(r, n, key, &m->users);
	if (!strcmp(key, "groups"))
		return reading_words(r, n, key, &m->groups);
	if (!strcmp(key, "hosts"))
		return reading_words(r, n, key, &m->hosts);
	if (!strcmp(key, "days"))
		return reading_items(r, n, key, one_day, &m->days);
	if (!strcmp(key, "hours"))
		return take_hours(r, n, key, m);
	if (!strcmp(key, "from"))
		return reading_time(r, n, key, &m->from_us);
	if (!strcmp(key, "until"))
		return reading_time(r, n, key, &m->until_us);
	if (!strcmp(key, "encrypted"))
		return reading_yes(r, n, key, &m->encrypted);
	return V_NOT_FOUND;
}
