/*
 * See book.h.
 */
#include "collector/herald/book.h"
#include "collector/store/sql.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <stdlib.h>

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS number(k TEXT PRIMARY KEY, v INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS rule(name TEXT PRIMARY KEY, hash BLOB NOT NULL) STRICT, WITHOUT ROWID;"
	/* What a rule remembers of a key: times of records (count), or until when it is quiet. */
	"CREATE TABLE IF NOT EXISTS memory(id INTEGER PRIMARY KEY, rule TEXT NOT NULL, what INTEGER NOT NULL,"
	" key BLOB NOT NULL, v BLOB NOT NULL, UNIQUE(rule, what, key)) STRICT;"
	"CREATE TABLE IF NOT EXISTS word(n INTEGER PRIMARY KEY AUTOINCREMENT, told INTEGER NOT NULL DEFAULT 0,"
	" kind INTEGER NOT NULL, alert BLOB NOT NULL, severity INTEGER NOT NULL, rule BLOB NOT NULL,"
	" title BLOB NOT NULL, host BLOB NOT NULL, host_name BLOB NOT NULL, user BLOB NOT NULL, text BLOB NOT NULL,"
	" time INTEGER NOT NULL, count INTEGER NOT NULL, about INTEGER NOT NULL) STRICT;"
	"CREATE INDEX IF NOT EXISTS word_told ON word(told, n);"
	"CREATE TABLE IF NOT EXISTS message(id INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL,"
	" word INTEGER NOT NULL, due INTEGER NOT NULL, since INTEGER NOT NULL, attempts INTEGER NOT NULL) STRICT;"
	"CREATE INDEX IF NOT EXISTS message_target ON message(target, id);"
	"CREATE INDEX IF NOT EXISTS message_word ON message(word);"
	/* Producer 0: any of the PC's. */
	"CREATE TABLE IF NOT EXISTS heard(host BLOB NOT NULL, producer INTEGER NOT NULL, at INTEGER NOT NULL,"
	" since INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY(host, producer)) STRICT, WITHOUT ROWID;"
	/* PCs that said that they go to sleep: when, by their own clocks. */
	"CREATE TABLE IF NOT EXISTS asleep(host BLOB PRIMARY KEY, boot BLOB NOT NULL, boot_us INTEGER NOT NULL,"
	" wall_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

#define STIRS_US 60000000ll

enum what { SEEN = 1, TIMES = 2, QUIET = 3 };

enum {
	Q_GET,
	Q_SET,
	Q_RULE_GET,
	Q_RULE_PUT,
	Q_RULE_FORGET,
	Q_MEMORY_GET,
	Q_MEMORY_PUT,
	Q_MEMORY_DROP,
	Q_MEMORY_CUT,
	Q_HEAR,
	Q_HEARD,
	Q_SLEEPS,
	Q_WOKE,
	Q_STIRS,
	Q_ASLEEP,
	Q_SLEEPERS,
	Q_SAY,
	Q_UNTOLD,
	Q_TOLD,
	Q_WORD,
	Q_WORD_DROP,
	Q_SEND,
	Q_DUE,
	Q_SENT,
	Q_FAILED,
	Q_MESSAGES,
	Q_TARGETS,
	Q_TARGET_DROP,
	QUERIES
};

#define WORD_COLUMNS "n, kind, alert, severity, rule, title, host, host_name, user, text, time, count, about"

static const char *const texts[QUERIES] = {
	[Q_GET] = "SELECT v FROM number WHERE k = ?",
	[Q_SET] = "INSERT INTO number(k, v) VALUES(?, ?) ON CONFLICT(k) DO UPDATE SET v = excluded.v",
	[Q_RULE_GET] = "SELECT hash FROM rule WHERE name = ?",
	[Q_RULE_PUT] = "INSERT INTO rule(name, hash) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET hash = excluded.hash",
	[Q_RULE_FORGET] = "DELETE FROM memory WHERE rule = ?",
	[Q_MEMORY_GET] = "SELECT v FROM memory WHERE rule = ? AND what = ? AND key = ?",
	/* A new id at each writing: the lowest ones are those that were not touched for longest. */
	[Q_MEMORY_PUT] = "INSERT OR REPLACE INTO memory(rule, what, key, v) VALUES(?, ?, ?, ?)",
	[Q_MEMORY_DROP] = "DELETE FROM memory WHERE rule = ? AND what = ? AND key = ?",
	[Q_MEMORY_CUT] = "DELETE FROM memory WHERE id IN (SELECT id FROM memory WHERE rule = ?1 ORDER BY id LIMIT"
			 " max(0, (SELECT count(*) FROM memory WHERE rule = ?1) - ?2))",
	[Q_HEAR] = "INSERT INTO heard(host, producer, at, since, last) VALUES(?1, ?2, ?3, ?3, ?5)"
		   " ON CONFLICT(host, producer) DO UPDATE SET at = ?3, last = ?5,"
		   " since = CASE WHEN ?3 - at > ?4 OR ?3 < at THEN ?3 ELSE since END",
	[Q_HEARD] = "SELECT producer, at, since, last FROM heard WHERE host = ?",
	[Q_SLEEPS] = "INSERT OR REPLACE INTO asleep(host, boot, boot_us, wall_us) VALUES(?, ?, ?, ?)",
	[Q_WOKE] = "DELETE FROM asleep WHERE host = ?",
	/* The clock of a boot does not jump; of another one only the wall clock says which was first. */
	[Q_STIRS] = "DELETE FROM asleep WHERE host = ?1 AND"
		    " CASE WHEN boot = ?2 THEN ?3 - boot_us > ?5 ELSE ?4 - wall_us > ?5 END",
	[Q_ASLEEP] = "SELECT 1 FROM asleep WHERE host = ?",
	[Q_SLEEPERS] = "SELECT host, wall_us FROM asleep",
	[Q_SAY] =
		"INSERT INTO word(kind, alert, severity, rule, title, host, host_name, user, text, time, count, about)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[Q_UNTOLD] = "SELECT " WORD_COLUMNS " FROM word WHERE told = 0 AND n > ? ORDER BY n LIMIT 1",
	[Q_TOLD] = "UPDATE word SET told = 1 WHERE n = ?",
	[Q_WORD] = "SELECT " WORD_COLUMNS " FROM word WHERE n = ? AND told = 1",
	[Q_WORD_DROP] = "DELETE FROM word WHERE n = ?1 AND told = 1 AND NOT EXISTS"
			" (SELECT 1 FROM message WHERE word = ?1)",
	[Q_SEND] = "INSERT INTO message(target, word, due, since, attempts) VALUES(?, ?, 0, ?, 0)",
	[Q_DUE] = "SELECT m.id, m.word, m.due, m.since, m.attempts FROM message m JOIN word w ON w.n = m.word"
		  " WHERE m.target = ? AND w.told = 1 AND m.due <= ? ORDER BY m.id LIMIT 1",
	[Q_SENT] = "DELETE FROM message WHERE id = ?",
	[Q_FAILED] = "UPDATE message SET due = ?, attempts = attempts + 1 WHERE id = ?",
	[Q_MESSAGES] = "SELECT count(*) FROM message",
	[Q_TARGETS] = "SELECT DISTINCT target FROM message",
	[Q_TARGET_DROP] = "DELETE FROM message WHERE target = ?",
};

struct book {
	sqlite3 *db;
	sqlite3_stmt *q[QUERIES];
	uint64_t memories; /* written since they were cut last */
	uint8_t times[8 * PLAN_COUNT_MAX];
};

int book_open(const char *path, struct book **out)
{
	struct book *b = calloc(1, sizeof(*b));
	unsigned i;
	int r;

	if (!b)
		return -ENOMEM;
	r = sql_open(path, true, schema, &b->db);
	for (i = 0; !r && i < QUERIES; i++)
		r = sql_prepare(b->db, texts[i], &b->q[i]);
	if (r) {
		book_close(b);
		return r;
	}
	*out = b;
	return 0;
}

void book_close(struct book *b)
{
	unsigned i;

	if (!b)
		return;
	for (i = 0; i < QUERIES; i++)
		sqlite3_finalize(b->q[i]);
	sqlite3_close_v2(b->db);
	free(b);
}

int book_begin(struct book *b)
{
	return sql_exec(b->db, "BEGIN IMMEDIATE");
}

int book_commit(struct book *b)
{
	return sql_exec(b->db, "COMMIT");
}

void book_rollback(struct book *b)
{
	if (!sqlite3_get_autocommit(b->db))
		(void)sql_exec(b->db, "ROLLBACK");
}

static void bind_text(sqlite3_stmt *st, int at, const char *s)
{
	sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC);
}

int book_get(struct book *b, const char *name, int64_t other, int64_t *out)
{
	sqlite3_stmt *st = b->q[Q_GET];
	int r;

	bind_text(st, 1, name);
	r = sql_step(st);
	*out = r ? other : sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return r == V_END ? 0 : r;
}

int book_set(struct book *b, const char *name, int64_t v)
{
	sqlite3_stmt *st = b->q[Q_SET];

	bind_text(st, 1, name);
	sqlite3_bind_int64(st, 2, v);
	return sql_run(st);
}

/* --- rules --- */

int book_rule(struct book *b, const struct rule *r, bool *fresh)
{
	const struct span hash = SPAN(r->hash.b, DIGEST_SIZE);
	sqlite3_stmt *st = b->q[Q_RULE_GET];
	int x;

	bind_text(st, 1, r->name);
	x = sql_step(st);
	*fresh = x || !span_eq(sql_blob(st, 0), hash);
	sqlite3_reset(st);
	if ((x && x != V_END) || !*fresh)
		return x == V_END ? 0 : x;
	st = b->q[Q_RULE_FORGET];
	bind_text(st, 1, r->name);
	x = sql_run(st);
	st = b->q[Q_RULE_PUT];
	bind_text(st, 1, r->name);
	sql_bind(st, 2, hash);
	return x ? x : sql_run(st);
}

static void bind_memory(sqlite3_stmt *st, const char *rule, enum what what, const struct digest *key)
{
	bind_text(st, 1, rule);
	sqlite3_bind_int64(st, 2, what);
	sql_bind(st, 3, SPAN(key->b, DIGEST_SIZE));
}

/* *n bytes of what is remembered, at most `max`; 0 where there is nothing. */
static int remembered(
	struct book *b, const char *rule, enum what what, const struct digest *key, uint8_t *out, size_t max, size_t *n)
{
	sqlite3_stmt *st = b->q[Q_MEMORY_GET];
	struct span s;
	int r;

	bind_memory(st, rule, what, key);
	r = sql_step(st);
	*n = 0;
	if (!r) {
		s = sql_blob(st, 0);
		*n = s.n < max ? s.n : max;
		if (*n)
			memcpy(out, s.p, *n);
	}
	sqlite3_reset(st);
	return r == V_END ? 0 : r;
}

static int remember(struct book *b, const char *rule, enum what what, const struct digest *key, struct span v)
{
	sqlite3_stmt *st = b->q[Q_MEMORY_PUT];
	int r;

	bind_memory(st, rule, what, key);
	sql_bind(st, 4, v);
	r = sql_run(st);
	if (r || ++b->memories % 1024)
		return r;
	st = b->q[Q_MEMORY_CUT];
	bind_text(st, 1, rule);
	sqlite3_bind_int64(st, 2, BOOK_KEYS_MAX);
	return sql_run(st);
}

int book_first(struct book *b, const char *rule, const struct digest *key, bool *first)
{
	static const uint8_t yes[1] = {1};
	uint8_t v[1];
	size_t n;
	int r = remembered(b, rule, SEEN, key, v, sizeof(v), &n);

	if (r)
		return r;
	*first = !n;
	return n ? 0 : remember(b, rule, SEEN, key, SPAN(yes, 1));
}

static int by_time(const void *x, const void *y)
{
	/* Times behind 1970, big-endian. */
	return memcmp(x, y, 8);
}

int book_count(struct book *b, const struct rule *r, const struct digest *key, int64_t time_us, uint64_t *n)
{
	sqlite3_stmt *st = b->q[Q_MEMORY_DROP];
	uint64_t newest;
	size_t bytes, from = 0;
	int x = remembered(b, r->name, TIMES, key, b->times, 8u * (r->count - 1), &bytes);

	if (x)
		return x;
	bytes -= bytes % 8;
	put_be64(b->times + bytes, time_us > 0 ? (uint64_t)time_us : 0);
	bytes += 8;
	/* PCs tell in their own time: what comes later can be of before. */
	qsort(b->times, bytes / 8, 8, by_time);
	newest = get_be64(b->times + bytes - 8);
	while (newest - get_be64(b->times + from) > r->within_us)
		from += 8;
	*n = (bytes - from) / 8;
	if (*n < r->count)
		return remember(b, r->name, TIMES, key, SPAN(b->times + from, bytes - from));
	bind_memory(st, r->name, TIMES, key);
	return sql_run(st);
}

int book_quiet(struct book *b, const struct rule *r, const struct digest *key, int64_t time_us, bool *told)
{
	uint64_t now = time_us > 0 ? (uint64_t)time_us : 0, last;
	uint8_t v[8];
	size_t n;
	int x = remembered(b, r->name, QUIET, key, v, sizeof(v), &n);

	if (x)
		return x;
	last = n == 8 ? get_be64(v) : 0;
	*told = n == 8 && (now > last ? now - last : last - now) < r->again_us;
	if (*told)
		return 0;
	put_be64(v, now);
	return remember(b, r->name, QUIET, key, SPAN(v, 8));
}

/* --- who was heard of --- */

static int hear(struct book *b, const struct digest *host, unsigned producer, int64_t now, int64_t pause, bool last)
{
	sqlite3_stmt *st = b->q[Q_HEAR];

	sql_bind(st, 1, SPAN(host->b, DIGEST_SIZE));
	sqlite3_bind_int64(st, 2, producer);
	sqlite3_bind_int64(st, 3, now);
	sqlite3_bind_int64(st, 4, pause);
	sqlite3_bind_int64(st, 5, last);
	return sql_run(st);
}

int book_hear(struct book *b, const struct digest *host, unsigned producer, int64_t now_us, int64_t pause_us, bool last)
{
	int r = hear(b, host, producer, now_us, pause_us, last);

	return r ? r : hear(b, host, 0, now_us, pause_us, last);
}

int book_heard(struct book *b, const struct digest *host, struct heard *out, unsigned max)
{
	sqlite3_stmt *st = b->q[Q_HEARD];
	int r;

	memset(out, 0, max * sizeof(*out));
	sql_bind(st, 1, SPAN(host->b, DIGEST_SIZE));
	while (!(r = sql_step(st))) {
		int64_t producer = sqlite3_column_int64(st, 0);

		if (producer < 0 || producer >= max)
			continue;
		out[producer] = (struct heard){.at_us = sqlite3_column_int64(st, 1),
			.since_us = sqlite3_column_int64(st, 2),
			.last = sqlite3_column_int64(st, 3) != 0};
	}
	sqlite3_reset(st);
	return r == V_END ? 0 : r;
}

/* --- who sleeps --- */

static void bind_moment(sqlite3_stmt *st, const struct digest *host, const struct pc_time *at)
{
	sql_bind(st, 1, SPAN(host->b, DIGEST_SIZE));
	sql_bind(st, 2, SPAN(at->boot, sizeof(at->boot)));
	sqlite3_bind_int64(st, 3, at->boot_us);
	sqlite3_bind_int64(st, 4, at->wall_us);
}

int book_sleeps(struct book *b, const struct digest *host, const struct pc_time *at)
{
	bind_moment(b->q[Q_SLEEPS], host, at);
	return sql_run(b->q[Q_SLEEPS]);
}

int book_woke(struct book *b, const struct digest *host)
{
	sql_bind(b->q[Q_WOKE], 1, SPAN(host->b, DIGEST_SIZE));
	return sql_run(b->q[Q_WOKE]);
}

int book_stirs(struct book *b, const struct digest *host, const struct pc_time *at)
{
	sqlite3_stmt *st = b->q[Q_STIRS];

	bind_moment(st, host, at);
	sqlite3_bind_int64(st, 5, STIRS_US);
	return sql_run(st);
}

int book_asleep(struct book *b, const struct digest *host, bool *yes)
{
	sqlite3_stmt *st = b->q[Q_ASLEEP];
	int r;

	sql_bind(st, 1, SPAN(host->b, DIGEST_SIZE));
	r = sql_step(st);
	*yes = !r;
	sqlite3_reset(st);
	return r == V_END ? 0 : r;
}

int book_sleepers(struct book *b, book_sleeper_fn fn, void *ctx)
{
	sqlite3_stmt *st = b->q[Q_SLEEPERS];
	struct digest host;
	int r;

	while (!(r = sql_step(st))) {
		struct span id = sql_blob(st, 0);

		if (id.n != DIGEST_SIZE)
			continue;
		memcpy(host.b, id.p, DIGEST_SIZE);
		r = fn(ctx, &host, sqlite3_column_int64(st, 1));
		if (r)
			break;
	}
	sqlite3_reset(st);
	return r == V_END ? 0 : r;
}

/* --- words --- */

static bool wants(const struct target *t, const struct word *w)
{
	unsigned i;

	if (w->kind == KIND_CONSOLE_EXPORT)
		return t->reports != NULL;
	/* 1 weighs most. */
	if (w->severity > t->least)
		return false;
	for (i = 0; i < t->rules.n; i++)
		if (span_eq(SPAN_STR(t->rules.v[i]), w->rule))
			return true;
	return !t->rules.n;
}

/* So many wait that one has to go: it is told that it will not be delivered. */
static int make_room(struct book *b)
{
	int64_t n;
	int r = sql_number(b->db, texts[Q_MESSAGES], 0, &n);

	if (r || n < (int64_t)BOOK_QUEUE_MAX)
		return r;
	return sql_exec(b->db,
		"INSERT INTO word(kind, alert, severity, rule, title, host, host_name, user, text, time, count, about)"
		" SELECT 153, w.alert, w.severity, w.rule, w.title, w.host, w.host_name, x'',"
		" CAST(m.target || ': too many messages wait' AS BLOB), w.time, m.attempts, w.about"
		" FROM message m JOIN word w ON w.n = m.word WHERE m.id = (SELECT min(id) FROM message);"
		"DELETE FROM message WHERE id = (SELECT min(id) FROM message)");
}

int book_say(struct book *b, const struct plan *p, const struct word *w)
{
	sqlite3_stmt *st = b->q[Q_SAY];
	unsigned i;
	int64_t n;
	int r;

	sqlite3_bind_int64(st, 1, w->kind);
	sql_bind(st, 2, SPAN(w->alert, BOOK_ALERT_SIZE));
	sqlite3_bind_int64(st, 3, w->severity);
	sql_bind(st, 4, w->rule);
	sql_bind(st, 5, w->title);
	sql_bind(st, 6, SPAN(w->host.b, w->has_host ? DIGEST_SIZE : 0));
	sql_bind(st, 7, w->host_name);
	sql_bind(st, 8, w->user);
	sql_bind(st, 9, w->text);
	sqlite3_bind_int64(st, 10, w->time_us);
	sqlite3_bind_int64(st, 11, (int64_t)w->count);
	sqlite3_bind_int64(st, 12, (int64_t)w->about);
	r = sql_run(st);
	n = sqlite3_last_insert_rowid(b->db);
	for (i = 0; !r && w->kind != KIND_ALERT_UNSENT && i < p->targets_n; i++) {
		if (!wants(&p->targets[i], w))
			continue;
		r = make_room(b);
		st = b->q[Q_SEND];
		bind_text(st, 1, p->targets[i].name);
		sqlite3_bind_int64(st, 2, n);
		sqlite3_bind_int64(st, 3, clock_wall_us());
		r = r ? r : sql_run(st);
	}
	return r || w->kind != KIND_CONSOLE_EXPORT ? r : book_told(b, n);
}

static int word_of(sqlite3_stmt *st, int r, struct word *out)
{
	struct span alert, host;

	if (r)
		return r;
	alert = sql_blob(st, 2);
	host = sql_blob(st, 6);
	if (alert.n != BOOK_ALERT_SIZE || (host.n && host.n != DIGEST_SIZE))
		return V_BAD;
	*out = (struct word){.n = sqlite3_column_int64(st, 0),
		.kind = (unsigned)sqlite3_column_int64(st, 1),
		.severity = (unsigned)sqlite3_column_int64(st, 3),
		.rule = sql_blob(st, 4),
		.title = sql_blob(st, 5),
		.has_host = host.n,
		.host_name = sql_blob(st, 7),
		.user = sql_blob(st, 8),
		.text = sql_blob(st, 9),
		.time_us = sqlite3_column_int64(st, 10),
		.count = (uint64_t)sqlite3_column_int64(st, 11),
		.about = (uint64_t)sqlite3_column_int64(st, 12)};
	memcpy(out->alert, alert.p, BOOK_ALERT_SIZE);
	if (host.n)
		memcpy(out->host.b, host.p, DIGEST_SIZE);
	return 0;
}

int book_untold(struct book *b, int64_t after, struct word *out)
{
	sqlite3_stmt *st = b->q[Q_UNTOLD];

	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, after);
	return word_of(st, sql_step(st), out);
}

/* Drops a word that nobody waits for. */
static int drop_word(struct book *b, int64_t n)
{
	sqlite3_stmt *st = b->q[Q_WORD_DROP];

	sqlite3_bind_int64(st, 1, n);
	return sql_run(st);
}

int book_told(struct book *b, int64_t n)
{
	sqlite3_stmt *st = b->q[Q_TOLD];
	int r;

	sqlite3_reset(b->q[Q_UNTOLD]);
	sqlite3_bind_int64(st, 1, n);
	r = sql_run(st);
	return r ? r : drop_word(b, n);
}

int book_word(struct book *b, int64_t n, struct word *out)
{
	sqlite3_stmt *st = b->q[Q_WORD];
	int r;

	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, n);
	r = word_of(st, sql_step(st), out);
	return r == V_END ? V_NOT_FOUND : r;
}

/* --- messages --- */

int book_due(struct book *b, const char *target, int64_t now_us, struct message *out)
{
	sqlite3_stmt *st = b->q[Q_DUE];
	int r;

	bind_text(st, 1, target);
	sqlite3_bind_int64(st, 2, now_us);
	r = sql_step(st);
	if (r)
		return r;
	*out = (struct message){.id = sqlite3_column_int64(st, 0),
		.word = sqlite3_column_int64(st, 1),
		.due_us = sqlite3_column_int64(st, 2),
		.since_us = sqlite3_column_int64(st, 3),
		.attempts = (unsigned)sqlite3_column_int64(st, 4)};
	sqlite3_reset(st);
	return 0;
}

int book_sent(struct book *b, const struct message *m)
{
	sqlite3_stmt *st = b->q[Q_SENT];
	int r;

	sqlite3_reset(b->q[Q_WORD]);
	sqlite3_bind_int64(st, 1, m->id);
	r = sql_run(st);
	return r ? r : drop_word(b, m->word);
}

int book_failed(struct book *b, const struct message *m, int64_t due_us)
{
	sqlite3_stmt *st = b->q[Q_FAILED];

	sqlite3_bind_int64(st, 1, due_us);
	sqlite3_bind_int64(st, 2, m->id);
	return sql_run(st);
}

int book_tidy(struct book *b, const struct plan *p, uint64_t *n)
{
	char gone[PLAN_NAME_SIZE] = "";
	sqlite3_stmt *st = b->q[Q_TARGETS];
	int64_t left = 0;
	unsigned i;
	int r;

	/* One at a time: a cursor is not gone on with while its table changes. */
	do {
		gone[0] = 0;
		while (!(r = sql_step(st))) {
			const char *name = (const char *)sqlite3_column_text(st, 0);

			for (i = 0; name && i < p->targets_n && strcmp(p->targets[i].name, name) != 0; i++)
				;
			if (name && i == p->targets_n && !gone[0])
				snprintf(gone, sizeof(gone), "%s", name);
		}
		sqlite3_reset(st);
		r = r == V_END ? 0 : r;
		if (!r && gone[0]) {
			bind_text(b->q[Q_TARGET_DROP], 1, gone);
			r = sql_run(b->q[Q_TARGET_DROP]);
		}
	} while (!r && gone[0]);
	r = r ? r : sql_exec(b->db, "DELETE FROM word WHERE told = 1 AND n NOT IN (SELECT word FROM message)");
	r = r ? r : sql_number(b->db, texts[Q_MESSAGES], 0, &left);
	*n = (uint64_t)left;
	return r;
}
