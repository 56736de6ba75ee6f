/*
 * The recorder's status as JSON. See status.h. Called at each seal, at most once a second, and at stop.
 */
#include "agent/recorder/status.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <jansson.h>

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static const char *enum_name(unsigned field, uint64_t value)
{
	const struct enum_info *e = enum_by_value(field, value);

	return e ? e->name : "unknown";
}

static json_t *losses(const struct status *s)
{
	json_t *lost = json_object();
	unsigned i;

	for (i = 0; i < s->sealer.lost_n; i++)
		json_object_set_new(lost, enum_name(F_CAUSE, s->sealer.lost[i].cause), number(s->sealer.lost[i].n));
	return lost;
}

static json_t *tables(const struct status *s)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "processes",
		number(s->processes), "processes_evicted", number(s->processes_evicted), "names", number(s->names),
		"names_refused", number(s->names_refused), "devices", number(s->devices), "devices_evicted",
		number(s->devices_evicted), "sessions_refused", number(s->sessions_refused), "copies",
		number(s->copies.told), "copies_hashed", number(s->copies.hashed), "copies_unlooked",
		number(s->copies.unlooked), "copies_reads_evicted", number(s->copies.reads_evicted),
		"copies_drafts_evicted", number(s->copies.drafts_evicted), "copies_names_refused",
		number(s->copies.names_refused));
}

int status_json(const struct status *s, struct buf *out)
{
	const struct sealer_stats *k = &s->sealer;
	json_t *j = json_object();
	char *text;
	int r;

	json_object_set_new(j, "program", json_string("sekisho-recorder"));
	json_object_set_new(j, "version", json_string(SEKISHO_VERSION));
	json_object_set_new(j, "pid", number((uint64_t)getpid()));
	json_object_set_new(j, "running", json_boolean(s->running));
	json_object_set_new(j, "since_us", json_integer(s->since_wall_us));
	json_object_set_new(j, "written_us", json_integer(s->now_wall_us));
	json_object_set_new(j, "probe_set", json_string(enum_name(F_PROBE_SET, s->probe_set)));
	json_object_set_new(j, "enforce", json_string(enum_name(F_ENFORCE, s->enforce)));
	json_object_set_new(j, "seq", number(k->seq));
	json_object_set_new(j, "epoch", number(k->epoch));
	json_object_set_new(j, "records", number(k->records));
	json_object_set_new(j, "segments", number(k->segments));
	json_object_set_new(j, "sealed_bytes", number(k->sealed_bytes));
	json_object_set_new(j, "last_seal_us", json_integer(k->last_seal_wall_us));
	json_object_set_new(j, "device_key", json_string(key_place_name(k->key_place)));
	json_object_set_new(j, "device_key_waits", json_boolean(k->key_waits));
	json_object_set_new(j, "spool_segments", number(k->spool_segments));
	json_object_set_new(j, "spool_bytes", number(k->spool_bytes));
	json_object_set_new(j, "spool_full", json_boolean(k->full));
	json_object_set_new(j, "unprotected", json_boolean(k->unprotected));
	json_object_set_new(j, "cut", json_boolean(k->cut));
	json_object_set_new(j, "lost", losses(s));
	json_object_set_new(j, "events", number(s->events));
	json_object_set_new(j, "filtered", number(s->filtered));
	json_object_set_new(j, "malformed", number(s->malformed));
	json_object_set_new(j, "events_per_s", json_real(s->events_per_s));
	json_object_set_new(j, "tables", tables(s));
	json_object_set_new(j, "sessions", json_string(s->sessions));
	json_object_set_new(j, "filter_refused", s->filter_why ? json_string(s->filter_why) : json_null());
	json_object_set_new(j, "filter_note", s->filter_note ? json_string(s->filter_note) : json_null());
	text = json_dumps(j, JSON_INDENT(2));
	json_decref(j);
	if (!text)
		return -ENOMEM;
	r = buf_puts(out, text);
	if (!r)
		r = buf_puts(out, "\n");
	free(text);
	return r;
}
