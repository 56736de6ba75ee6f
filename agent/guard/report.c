/*
 * How the guard is, as JSON: the status file that `sekishoctl status` reads, and the list that `sekishoctl usb list`
 * asks for at the desk. Strings of devices that are not UTF-8 are shown escaped.
 */
#include "agent/guard/guard.h"
#include "agent/service/service.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"

static json_t *text(const char *s)
{
	char shown[2 * DEVICE_TEXT_SIZE];

	return json_string(text_escape_to(shown, sizeof(shown), SPAN_STR(s)));
}

static const char *name_of(unsigned field, uint64_t value)
{
	const struct enum_info *e = enum_by_value(field, value);

	return e ? e->name : "unknown";
}

static json_t *layers_list(unsigned layers)
{
	_cleanup_buf_ struct buf b = BUF_INIT(256);
	json_t *list = json_array();
	char *word, *save = NULL;

	if (gate_layers_text(layers, &b) || !buf_str(&b))
		return list;
	for (word = strtok_r((char *)b.p, ",", &save); word; word = strtok_r(NULL, ",", &save))
		json_array_append_new(list, json_string(word));
	return list;
}

/* --- the list --- */

static json_t *decision_json(const struct decision *d)
{
	json_t *j = json_pack("{s:s, s:s, s:b, s:o, s:o}", "kind", name_of(F_DEVICE_KIND, d->kind), "access",
		name_of(F_ACCESS, d->access), "note", d->note, "rule", text(d->rule), "reason", text(d->reason));
	char ja[POLICY_REASON_SIZE];

	policy_reason(d, LANG_JA, ja);
	json_object_set_new(j, "reason_ja", text(ja));
	if (d->label[0])
		json_object_set_new(j, "label", text(d->label));
	if (d->owner[0])
		json_object_set_new(j, "owner", text(d->owner));
	if (d->until_us != INT64_MAX)
		json_object_set_new(j, "until_us", json_integer(d->until_us));
	return j;
}

static json_t *disk_json(const struct disk *d)
{
	json_t *media = json_array(), *j = decision_json(&d->decided);
	unsigned i;

	for (i = 0; i < d->media_n; i++)
		json_array_append_new(
			media, json_pack("{s:o, s:o, s:o}", "name", text(d->media[i].name), "type",
				       text(d->media[i].medium.type), "uuid", text(d->media[i].medium.uuid)));
	json_object_set_new(j, "name", text(d->name));
	json_object_set_new(j, "size", json_integer((json_int_t)d->size));
	json_object_set_new(j, "media", media);
	return j;
}

static bool is_held(const struct unit *u)
{
	const struct disk *d;
	unsigned kind;

	for (d = u->disks; d; d = d->next)
		if (!d->decided.note && d->decided.access != ACCESS_READ_WRITE)
			return true;
	for (kind = 1; kind < DEVICE_KINDS; kind++)
		if (u->device.kinds >> kind & 1 && !u->decided[kind].note && u->decided[kind].access == ACCESS_DENY)
			return true;
	return false;
}

static json_t *unit_json(const struct unit *u)
{
	const struct device *f = &u->device;
	json_t *decisions = json_array(), *disks = json_array(), *interfaces = json_array(), *j;
	char hex[2 * DIGEST_SIZE + 1], id[16] = "";
	const struct disk *d;
	unsigned i;

	for (i = 1; i < DEVICE_KINDS; i++)
		if (f->kinds >> i & 1)
			json_array_append_new(decisions, decision_json(&u->decided[i]));
	for (d = u->disks; d; d = d->next)
		json_array_append_new(disks, disk_json(d));
	for (i = 0; i < f->interfaces_n; i++) {
		char one[12];

		snprintf(one, sizeof(one), "%02x:%02x:%02x", f->interface[i].class, f->interface[i].subclass,
			f->interface[i].protocol);
		json_array_append_new(interfaces, json_string(one));
	}
	if (f->usb)
		snprintf(id, sizeof(id), "%04x:%04x", f->vendor, f->product);
	j = json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "id", (int)u->id, "usb_id", id,
		"maker", text(f->vendor_name), "product", text(f->product_name), "serial", text(f->serial), "port",
		text(f->port), "interfaces", interfaces, "twin", f->twin, "held", is_held(u), "decisions", decisions,
		"disks", disks);
	if (f->has_fingerprint)
		json_object_set_new(j, "fingerprint", json_string(hex_encode(hex, f->fingerprint.b, DIGEST_SIZE)));
	return j;
}

struct json_t *report_list(struct guard *g, bool held_only)
{
	json_t *list = json_array();
	const struct unit *u;

	for (u = g->units; u; u = u->next)
		if (!u->root_hub && !u->hub && !u->own && (!held_only || is_held(u)))
			json_array_insert_new(list, 0, unit_json(u));
	return json_pack("{s:o, s:I, s:o}", "devices", list, "policy", (json_int_t)g->orders.version, "person",
		g->people[0].there ? text(g->people[0].name) : json_null());
}

/* --- the status file --- */

static json_t *policy_json(const struct orders *o)
{
	return json_pack("{s:I, s:o, s:i, s:i, s:b, s:b, s:o, s:i, s:o, s:o}", "version", (json_int_t)o->version,
		"signer", o->signer[0] ? text(o->signer) : json_null(), "rules", (int)policy_rules_n(o->policy),
		"devices", (int)policy_rows_n(o->policy), "note", policy_notes_only(o->policy), "expired", o->expired,
		"refused", o->why.text[0] ? json_string(o->why.text) : json_null(), "admins", (int)o->admins.n,
		"until_us", o->version && o->not_after_us != INT64_MAX ? json_integer(o->not_after_us) : json_null(),
		"issued_us", o->version ? json_integer(o->issued_us) : json_null());
}

static json_t *status(struct guard *g)
{
	const struct unit *u;
	unsigned held = 0;
	json_t *j;

	for (u = g->units; u; u = u->next)
		held += !u->root_hub && !u->hub && is_held(u);
	j = json_pack("{s:s, s:s, s:i, s:b, s:I, s:I, s:o, s:o, s:i, s:i, s:I, s:I}", "program", "sekisho-guard",
		"version", SEKISHO_VERSION, "pid", (int)getpid(), "running", !g->stopping, "since_us",
		(json_int_t)g->since_wall_us, "written_us", (json_int_t)clock_wall_us(), "policy",
		policy_json(&g->orders), "layers", layers_list(g->layers), "devices", (int)g->units_n, "held",
		(int)held, "denials", (json_int_t)g->denials, "refused_devices", (json_int_t)g->refused_units);
	json_object_set_new(j, "gate", json_string(!g->gate ? "none" : gate_dry_run(g->gate) ? "note" : "enforce"));
	json_object_set_new(j, "proved_ago_s",
		g->proved_boot_us ? json_integer((clock_boot_us() - g->proved_boot_us) / 1000000) : json_null());
	json_object_set_new(j, "enforce", json_string(g->layers & GATE_OPEN ? "full" : "none"));
	json_object_set_new(j, "printers_seen", json_boolean(g->printers != NULL));
	json_object_set_new(j, "protection", json_string(protect_level(g)));
	json_object_set_new(j, "protected_files", refuse_state(g));
	json_object_set_new(j, "maintenance", g->maintenance.open ? json_string(g->maintenance.purpose) : json_null());
	json_object_set_new(j, "scan", written_scan_json(g));
	service_put_chain(j, g->sealer);
	return j;
}

void report_save(struct guard *g)
{
	g->status_boot_us = clock_boot_us();
	service_write_status(g->status_path, status(g));
}
