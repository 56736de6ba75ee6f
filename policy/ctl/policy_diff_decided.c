/*
 * What is decided of a device by one policy and by the other. See policy_diff_parts.h.
 */
#include "policy/ctl/policy_diff_parts.h"
#include <errno.h>

#define STRANGER "\x01 no device has this" /* a serial number that no row names by itself */

static json_t *decision_json(const struct decision *d)
{
	const struct enum_info *access = enum_by_value(F_ACCESS, d->access);

	return json_pack("{s:s, s:b, s:s}", "access", access ? access->name : "?", "note", d->note, "rule", d->rule);
}

static int compare(const struct policy *from, const struct policy *to, const struct device *d, unsigned kind,
	const struct device_user *who, json_t **out)
{
	struct decision a, b;

	*out = NULL;
	policy_decide(from, d, kind, who, &a);
	policy_decide(to, d, kind, who, &b);
	if (a.access == b.access && a.note == b.note)
		return 0;
	*out = json_pack("{s:s, s:o, s:o}", "kind", enum_by_value(F_DEVICE_KIND, kind)->name, "from", decision_json(&a),
		"to", decision_json(&b));
	return *out ? 0 : -ENOMEM;
}

/* The first word of a cell; "" where it is empty. */
static const char *first_word(char out[128], const char *cell)
{
	snprintf(out, 128, "%.*s", (int)strcspn(cell, " ,;|\t\r\n"), cell);
	return out;
}

/* A device that the row is for: false where it is for many. */
static bool device_of(const struct ledger_row *row, struct device *d)
{
	char word[128];
	const char *s;
	size_t n = 0;

	*d = (struct device){.usb = row->has_vendor,
		.vendor = row->vendor,
		.product = row->product,
		.kinds = 1ull << DEVICE_KIND_STORAGE,
		.encrypted = row->encrypted,
		.has_fingerprint = row->has_fingerprint,
		.fingerprint = row->fingerprint};
	for (s = row->serial; *s && n + 1 < sizeof(d->serial); s++) {
		if (*s == '*' || *s == '?')
			return false;
		s += *s == '\\' && s[1];
		d->serial[n++] = *s;
	}
	if (!n && !row->has_fingerprint)
		return false;
	if (*first_word(word, row->medium)) {
		snprintf(d->medium[0].uuid, sizeof(d->medium[0].uuid), "%.63s", word);
		d->media_n = 1;
	}
	return true;
}

static int diff_device(const struct policy *from, const struct policy *to, const struct row_text *t,
	const struct device_user *given, json_t *list)
{
	const struct ledger_row *row = &t->row;
	char user[128], group[128], host[128], id[16] = "";
	const char *groups[2] = {first_word(group, row->groups), NULL};
	struct device_user who = *given;
	struct device d;
	json_t *o;
	int r;

	if (!device_of(row, &d))
		return 0;
	if (!who.user)
		who.user = *first_word(user, row->users) ? user : *group ? "somebody" : NULL;
	if (!who.groups)
		who.groups = *group ? groups : groups + 1;
	if (!who.host)
		who.host = first_word(host, row->hosts);
	r = compare(from, to, &d, DEVICE_KIND_STORAGE, &who, &o);
	if (r || !o)
		return r;
	if (d.usb)
		snprintf(id, sizeof(id), "%04x:%04x", d.vendor, d.product);
	json_object_set_new(o, "usb_id", json_string(id));
	json_object_set_new(o, "serial", json_string(d.serial));
	json_object_set_new(o, "owner", json_string(row->owner));
	json_object_set_new(o, "label", json_string(row->label));
	if (row->users[0])
		json_object_set_new(o, "users", json_string(row->users));
	if (row->groups[0])
		json_object_set_new(o, "groups", json_string(row->groups));
	if (row->hosts[0])
		json_object_set_new(o, "hosts", json_string(row->hosts));
	return list_add(list, o);
}

static bool is_for_one_of(const struct row_text *rows, unsigned n, const struct row_text *t)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (!strcmp(rows[i].row.users, t->row.users) && !strcmp(rows[i].row.groups, t->row.groups) &&
			!strcmp(rows[i].row.hosts, t->row.hosts))
			return true;
	return false;
}

/* One device, for everybody whom a row of it is for, once. */
int diff_decisions(const struct policy *from, const struct policy *to, const struct row_text *a, unsigned a_n,
	const struct row_text *b, unsigned b_n, const struct device_user *who, json_t *list)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < b_n && !r; i++)
		if (!is_for_one_of(b, i, &b[i]))
			r = diff_device(from, to, &b[i], who, list);
	for (i = 0; i < a_n && !r; i++)
		if (!is_for_one_of(b, b_n, &a[i]) && !is_for_one_of(a, i, &a[i]))
			r = diff_device(from, to, &a[i], who, list);
	return r;
}

/* What holds for a device that no row names. */
int diff_strangers(const struct policy *from, const struct policy *to, const struct device_user *given, json_t *list)
{
	static const char *const no_groups[] = {NULL};
	struct device_user who = *given;
	unsigned kind;
	int r = 0;

	who.groups = who.groups ? who.groups : no_groups;
	who.host = who.host ? who.host : "";
	for (kind = 1; kind < DEVICE_KINDS && !r; kind++) {
		struct device d = {.kinds = 1ull << kind, .serial = STRANGER};
		json_t *o;

		if (!enum_by_value(F_DEVICE_KIND, kind))
			continue;
		r = compare(from, to, &d, kind, &who, &o);
		if (!r && o)
			r = list_add(list, o);
	}
	return r;
}
