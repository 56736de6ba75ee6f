/*
 * What the collector says of itself: to the administrator's door, and into /run/sekisho/collector.json.
 */
#include "collector/ingest/ingest.h"
#include "policy/base/file.h"
#include <inttypes.h>
#include <sys/resource.h>
#include <unistd.h>

#define PROGRAM "sekisho-collector"

static int64_t memory_bytes(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT(256);
	long pages = 0;

	if (file_read("/proc/self/statm", &b) || !buf_str(&b) || sscanf((const char *)b.p, "%*d %ld", &pages) != 1)
		return 0;
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static json_t *refused_json(struct ingest *in)
{
	json_t *o = json_object();
	unsigned cause;

	for (cause = CAUSE_BAD_FORMAT; cause < 64; cause++) {
		const struct enum_info *e = enum_by_value(F_CAUSE, cause);
		uint64_t n = journal_refusals(in->journal, cause);

		if (e && n)
			json_object_set_new(o, e->name, json_integer((json_int_t)n));
	}
	return o;
}

json_t *status_json(struct ingest *in)
{
	const struct server *s = &in->server;
	struct store_stats st = {0};

	(void)store_stats(in->store, &st);
	return json_pack(
		"{s:s, s:s, s:i, s:I, s:{s:s, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:o, s:{s:I, s:I, "
		"s:I}, s:{s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I}, s:I, s:b}",
		"program", PROGRAM, "version", SEKISHO_VERSION, "pid", (int)getpid(), "since_us",
		(json_int_t)in->started_wall_us, "log", "origin", in->keys.origin, "size",
		(json_int_t)store_size(in->store), "index_lag", (json_int_t)in->index_lag, "records",
		(json_int_t)st.records, "segments", "stored", (json_int_t)in->count.segments_stored, "known",
		(json_int_t)in->count.segments_known, "gap", (json_int_t)in->count.segments_gap, "refused",
		(json_int_t)in->count.segments_refused, "records", (json_int_t)in->count.records, "bytes",
		(json_int_t)in->count.bytes, "refused", refused_json(in), "hosts", "known", (json_int_t)st.hosts,
		"enrolled", (json_int_t)in->count.enrolled, "renewed", (json_int_t)in->count.renewed, "connections",
		"now", (int)s->conns_n, "waiting", (int)wait_count(in), "most", (json_int_t)s->count.most, "accepted",
		(json_int_t)s->count.accepted, "too_slow", (json_int_t)s->count.killed_slow, "idle",
		(json_int_t)s->count.killed_idle, "too_large",
		(json_int_t)(s->count.killed_large + s->count.killed_memory), "turned_away",
		(json_int_t)in->count.turned_away, "store", "header_bytes", (json_int_t)st.header_bytes, "body_bytes",
		(json_int_t)st.body_bytes, "index_bytes", (json_int_t)st.index_bytes, "commits",
		(json_int_t)in->count.commits, "memory", (json_int_t)memory_bytes(), "disk_full", disk_is_full(in));
}

void status_write(struct ingest *in, bool running)
{
	json_t *o = status_json(in);
	_cleanup_free_ char *text = NULL;
	int r;

	if (o && !running)
		json_object_set_new(o, "running", json_false());
	text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	json_decref(o);
	r = text ? file_replace_volatile(in->conf.status, SPAN_STR(text), 0644) : 0;
	if (r && log_allowed(&in->refused_log))
		log_warning("%s: %s", in->conf.status, strerror(-r));
}
