/*
 * What the collector says of itself: to the administrator's door, and into /run/sekisho/collector.json.
 */
#include "collector/ingest/cosign.h"
#include "collector/ingest/shared.h"
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

struct number {
	const char *name;
	uint64_t n;
};

static json_t *numbers(const struct number *list, size_t n)
{
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < n; i++)
		json_object_set_new(o, list[i].name, json_integer((json_int_t)list[i].n));
	return o;
}
#define NUMBERS(...) numbers((const struct number[]){__VA_ARGS__}, ARRAY_SIZE(((const struct number[]){__VA_ARGS__})))

json_t *status_json(struct ingest *in)
{
	const struct server *s = &in->server;
	struct store_stats st = {0};
	json_t *o = json_object(), *log;

	(void)store_stats(in->store, &st);
	log = NUMBERS({"size", store_size(in->store)}, {"index_lag", commit_index_lag(in)}, {"records", st.records});
	json_object_set_new(log, "cosigned", cosign_json(in));
	json_object_set_new(log, "origin", json_string(in->keys.origin));
	json_object_set_new(o, "program", json_string(PROGRAM));
	json_object_set_new(o, "version", json_string(SEKISHO_VERSION));
	json_object_set_new(o, "pid", json_integer(getpid()));
	json_object_set_new(o, "since_us", json_integer(in->started_wall_us));
	json_object_set_new(o, "log", log);
	json_object_set_new(o, "segments",
		NUMBERS({"stored", in->count.segments_stored}, {"known", in->count.segments_known},
			{"gap", in->count.segments_gap}, {"refused", in->count.segments_refused},
			{"records", in->count.records}, {"bytes", in->count.bytes}));
	json_object_set_new(o, "refused", refused_json(in));
	json_object_set_new(o, "hosts",
		NUMBERS({"known", st.hosts}, {"enrolled", in->count.enrolled}, {"renewed", in->count.renewed},
			{"denied", in->count.enrol_denied}));
	json_object_set_new(o, "connections",
		NUMBERS({"now", s->conns_n}, {"waiting", wait_count(in)}, {"most", s->count.most},
			{"accepted", s->count.accepted}, {"too_slow", s->count.killed_slow},
			{"idle", s->count.killed_idle}, {"too_large", s->count.killed_large},
			{"too_much", s->count.killed_memory}, {"made_room", s->count.killed_crowd},
			{"turned_away", in->count.turned_away}, {"slowed", in->count.slowed}));
	json_object_set_new(o, "store",
		NUMBERS({"header_bytes", st.header_bytes}, {"body_bytes", st.body_bytes},
			{"index_bytes", st.index_bytes}, {"commits", in->count.commits}));
	json_object_set_new(o, "database",
		json_pack("{s:b, s:I, s:I, s:b, s:I, s:i}", "lost", in->lost, "since_us",
			(json_int_t)(in->lost ? in->lost_since_us : 0), "losses", (json_int_t)in->count.losses, "waits",
			in->waits_since_us != 0, "waits_since_us", (json_int_t)in->waits_since_us, "standbys",
			(int)store_standbys(in->store)));
	json_object_set_new(o, "collectors", shared_json(in));
	json_object_set_new(o, "memory", json_integer(memory_bytes()));
	json_object_set_new(o, "disk_full", json_boolean(disk_is_full(in) || (in->lost && in->lost_full)));
	return o;
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
