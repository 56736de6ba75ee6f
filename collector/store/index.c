/*
 * index/<month>.db, written: what queries read. One row and one block of columns for each segment, a dictionary of
 * names, and posting lists: which segments hold a name, or a combination of user, program, kind and class.
 *
 * Why not a row of a table for each record: an index over ten million rows takes 150 bytes a record and 5 us of a core,
 * most of it in B-trees that are entered at random places. Segments are what comes together and lies together; a list
 * of those that hold something is a hundredth as long, and the records of one are gone through in microseconds.
 *
 * What is indexed while segments keep coming is one transaction for a quarter of a second: each writes pages all over
 * the posting lists, and what text search has gathered. The writer of these files is the only one who checkpoints them.
 */
#include "collector/store/block.h"
#include "collector/store/dict.h"
#include "collector/store/index_behind.h"
#include "collector/store/match.h"
#include "collector/store/month.h"
#include "collector/store/store_parts.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>

#define NAMES_AT_ONCE 4096 /* taken in when a month ends; more are left behind, for when nothing else is to be done */
#define PAIRS_MAX (1u << 20)
#define PAIRS_AT_ONCE 16384u  /* put into the posting lists together: some 30 ms, in which nothing else is done */
#define TRANSACTION_US 250000 /* what came is to be found after that, also under load */

static const char schema[] =
	"CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE host(id INTEGER PRIMARY KEY, host BLOB NOT NULL UNIQUE) STRICT;"
	/* Its hash, and that of its last component: one index finds it by either. */
	"CREATE TABLE name(id INTEGER PRIMARY KEY, h INTEGER NOT NULL, t INTEGER NOT NULL, s BLOB NOT NULL) STRICT;"
	"CREATE INDEX name_t ON name(t, h);"
	"CREATE TABLE combo(id INTEGER PRIMARY KEY, h INTEGER NOT NULL, user INTEGER NOT NULL, program "
	"INTEGER "
	"NOT NULL, kind INTEGER NOT NULL, class INTEGER NOT NULL) STRICT;"
	"CREATE INDEX combo_h ON combo(h);"
	"CREATE TABLE seg(leaf INTEGER PRIMARY KEY, host INTEGER NOT NULL, n INTEGER NOT NULL, first "
	"INTEGER "
	"NOT NULL, last INTEGER NOT NULL, long INTEGER NOT NULL) STRICT;"
	/* Without those that only say that the PC is there: at night they are most. */
	"CREATE INDEX seg_first ON seg(long, first) WHERE n>0;"
	"CREATE INDEX seg_last ON seg(long, last) WHERE n>0;"
	"CREATE INDEX seg_host_first ON seg(host, long, first) WHERE n>0;"
	"CREATE INDEX seg_host_last ON seg(host, long, last) WHERE n>0;"
	"CREATE TABLE zone(id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;"
	"CREATE TABLE block(leaf INTEGER PRIMARY KEY, b BLOB NOT NULL) STRICT;"
	"CREATE TABLE post(id INTEGER NOT NULL, leaf INTEGER NOT NULL, PRIMARY KEY(id, leaf)) STRICT, "
	"WITHOUT "
	"ROWID;"
	/* Which combinations a PC has: few, of all that there are. */
	"CREATE TABLE had(host INTEGER NOT NULL, combo INTEGER NOT NULL, PRIMARY KEY(host, combo)) "
	"STRICT, "
	"WITHOUT ROWID;"
	"CREATE TABLE odd(id INTEGER PRIMARY KEY) STRICT;"
	"CREATE VIRTUAL TABLE fts USING fts5(s, content='', tokenize='trigram', detail=none, "
	"columnsize=0);";

enum {
	Q_HOST_GET,
	Q_HOST_PUT,
	Q_NAME_GET,
	Q_NAME_PUT,
	Q_COMBO_GET,
	Q_COMBO_PUT,
	Q_SEG_PUT,
	Q_ZONE_PUT,
	Q_BLOCK_PUT,
	Q_POST_PUT,
	Q_HAD_PUT,
	Q_META_PUT,
	Q_NAMES_FROM,
	Q_FTS_PUT,
	Q_ODD_PUT,
	Q_COUNT
};

static const char *const texts[Q_COUNT] = {
	[Q_HOST_GET] = "SELECT id FROM host WHERE host=?1",
	[Q_HOST_PUT] = "INSERT INTO host(host) VALUES(?1)",
	[Q_NAME_GET] = "SELECT id FROM name WHERE t=?2 AND h=?1",
	[Q_NAME_PUT] = "INSERT INTO name(id, h, s, t) VALUES(?1, ?2, ?3, ?4)",
	[Q_COMBO_GET] = "SELECT id FROM combo WHERE h=?1",
	[Q_COMBO_PUT] = "INSERT INTO combo VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_SEG_PUT] = "INSERT INTO seg VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_ZONE_PUT] = ("INSERT INTO zone VALUES(?1, ?2, ?3) ON CONFLICT(id) DO UPDATE SET first=min(first, ?2), "
			"last=max(last, ?3)"),
	[Q_BLOCK_PUT] = "INSERT INTO block VALUES(?1, ?2)",
	[Q_POST_PUT] = "INSERT OR IGNORE INTO post VALUES(?1, ?2)",
	[Q_HAD_PUT] = "INSERT OR IGNORE INTO had VALUES(?1, ?2)",
	[Q_META_PUT] = "INSERT OR REPLACE INTO meta VALUES(?1, ?2)",
	[Q_NAMES_FROM] = NAMES_FROM,
	[Q_FTS_PUT] = NAMES_TO_TEXT,
	[Q_ODD_PUT] = NAMES_TO_ODD,
};

/* Of a file without last components. */
static const char name_get_4[] = "SELECT id FROM name WHERE h=?1", name_put_4[] = "INSERT INTO name VALUES(?1, ?2, ?3)";

struct pair {
	int64_t id, leaf;
};

struct index {
	uint64_t next; /* leaf */
	struct pack *pack;
	char month[8];   /* that is open; empty: none */
	int64_t version; /* of its file */
	sqlite3 *db;
	sqlite3_stmt *q[Q_COUNT];
	bool open;        /* a transaction is .. */
	int64_t since_us; /* .. since then */
	bool behind;      /* a month before may have names that text search has not taken in */
	bool thorough;    /* text search takes in all names of a month before the next one is begun */
	uint64_t key[2];
	int64_t names, combos, searched, records;
	int64_t channels; /* of which there are rows: bit by producer */
	struct dict name, combo, had;
	struct pair *pairs;
	size_t pairs_n;
	struct buf header, body, raw, bytes;
	struct block block;
};

static sqlite3_stmt *query(struct index *x, unsigned q)
{
	sqlite3_reset(x->q[q]);
	return x->q[q];
}

/* --- a month's file --- */

static void close_month(struct index *x)
{
	unsigned i;

	for (i = 0; i < Q_COUNT; i++) {
		sqlite3_finalize(x->q[i]);
		x->q[i] = NULL;
	}
	sqlite3_close_v2(x->db);
	x->db = NULL;
	x->open = false;
	x->month[0] = 0;
	x->pairs_n = 0;
	dict_deinit(&x->name);
	dict_deinit(&x->combo);
	dict_deinit(&x->had);
}

static int put_meta(struct index *x, const char *k, int64_t v)
{
	sqlite3_stmt *st = query(x, Q_META_PUT);

	sqlite3_bind_text(st, 1, k, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, v);
	return sql_run(st);
}

static int load_dict(struct index *x, const char *text, struct dict *d, int64_t *last)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = sql_prepare(x->db, text, &st);

	*last = 0;
	while (!r && !(r = sql_step(st))) {
		int64_t id = sqlite3_column_int64(st, 1);

		if (id > *last)
			*last = id;
		r = dict_put(d, (uint64_t)sqlite3_column_int64(st, 0), id);
	}
	return r == V_END ? 0 : r;
}

static uint64_t had_hash(const struct index *x, int64_t host, int64_t combo)
{
	const int64_t pair[] = {host, combo};

	return siphash(x->key, SPAN(pair, sizeof(pair)));
}

static int load_had(struct index *x)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = sql_prepare(x->db, "SELECT host, combo FROM had", &st);

	while (!r && !(r = sql_step(st)))
		r = dict_put(&x->had, had_hash(x, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1)), 1);
	return r == V_END ? 0 : r;
}

static int new_file(struct index *x, uint64_t first)
{
	int r = random_bytes(x->key, sizeof(x->key));

	r = r ? r : sql_exec(x->db, "BEGIN");
	r = r ? r : sql_exec(x->db, schema);
	r = r ? r : sql_prepare(x->db, texts[Q_META_PUT], &x->q[Q_META_PUT]);
	r = r ? r : put_meta(x, "version", MONTH_VERSION);
	r = r ? r : put_meta(x, "key0", (int64_t)x->key[0]);
	r = r ? r : put_meta(x, "key1", (int64_t)x->key[1]);
	r = r ? r : put_meta(x, "next", (int64_t)first);
	r = r ? r : put_meta(x, "records", 0);
	r = r ? r : put_meta(x, "searched", 0);
	r = r ? r : put_meta(x, "channels", 0);
	return r ? r : sql_exec(x->db, "COMMIT");
}

/* Have bodies expired of which there are rows? A power cut may have come between the two. */
static bool outlived(struct store *s, const struct index *x, const struct pack *k)
{
	uint64_t bytes;
	unsigned c;

	for (c = 0; c < PACK_CHANNELS; c++)
		if (x->channels >> c & 1 && !packs_have(&s->packs, k, c, &bytes))
			return true;
	return false;
}

int index_forget(const char *dir, const char *month)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/index/%s.db", dir, month);
	return sql_remove(path);
}

/* Its version; what is not there yet is made. */
static int open_file(struct index *x, const char *path, uint64_t first)
{
	int64_t tables = 0;
	int r = sql_open(path, false, "", &x->db);

	x->version = 0;
	r = r ? r : sql_number(x->db, "SELECT count(*) FROM sqlite_schema WHERE name='meta'", 0, &tables);
	if (!r && tables)
		r = sql_number(x->db, "SELECT v FROM meta WHERE k='version'", 0, &x->version);
	if (!r && !x->version) {
		r = new_file(x, first);
		x->version = MONTH_VERSION;
	}
	return !r && (x->version < MONTH_VERSION_LEAST || x->version > MONTH_VERSION) ? V_BAD : r;
}

static const char *text_of(const struct index *x, unsigned q)
{
	if (x->version == MONTH_VERSION_LEAST && q == Q_NAME_GET)
		return name_get_4;
	return x->version == MONTH_VERSION_LEAST && q == Q_NAME_PUT ? name_put_4 : texts[q];
}

static int open_month(struct store *s, struct index *x, const struct pack *k, uint64_t *next)
{
	char path[PATH_MAX];
	int64_t at = 0, key0 = 0, key1 = 0;
	unsigned i;
	int r;

	close_month(x);
	snprintf(path, sizeof(path), "%s/index/%s.db", s->dir, k->month);
	r = open_file(x, path, k->first);
	for (i = 0; !r && i < Q_COUNT; i++)
		r = x->q[i] ? 0 : sql_prepare(x->db, text_of(x, i), &x->q[i]);
	r = r ? r : sql_number(x->db, "SELECT v FROM meta WHERE k='next'", 0, &at);
	r = r ? r : sql_number(x->db, "SELECT v FROM meta WHERE k='records'", 0, &x->records);
	r = r ? r : sql_number(x->db, "SELECT v FROM meta WHERE k='searched'", 0, &x->searched);
	r = r ? r : sql_number(x->db, "SELECT v FROM meta WHERE k='channels'", 0, &x->channels);
	r = r ? r : sql_number(x->db, "SELECT v FROM meta WHERE k='key0'", 0, &key0);
	r = r ? r : sql_number(x->db, "SELECT v FROM meta WHERE k='key1'", 0, &key1);
	if (!r && ((uint64_t)at < k->first || (uint64_t)at > k->first + k->count))
		r = V_BAD;
	if (r)
		return r;
	if (outlived(s, x, k)) {
		close_month(x);
		r = index_forget(s->dir, k->month);
		return r ? r : open_month(s, x, k, next);
	}
	x->key[0] = (uint64_t)key0;
	x->key[1] = (uint64_t)key1;
	r = load_dict(x, "SELECT h, id FROM name", &x->name, &x->names);
	r = r ? r : load_dict(x, "SELECT h, id FROM combo", &x->combo, &x->combos);
	r = r ? r : load_had(x);
	if (r)
		return r;
	memcpy(x->month, k->month, sizeof(x->month));
	*next = (uint64_t)at;
	return 0;
}

int index_open(struct store *s, struct index **out)
{
	struct index *x = calloc(1, sizeof(*x));
	unsigned i;
	int r = 0;

	if (!x)
		return -ENOMEM;
	x->header = BUF_INIT(SEGMENT_HEADER_MAX);
	x->body = BUF_INIT(SEGMENT_BODY_MAX);
	x->raw = BUF_INIT(BODY_RAW_MAX);
	x->bytes = BUF_INIT(BLOCK_BYTES_MAX);
	x->pairs = malloc(PAIRS_MAX * sizeof(*x->pairs));
	if (!x->pairs)
		r = -ENOMEM;
	x->behind = true; /* it is looked at once */
	/* Where the last call ended: in the first month that is not done. */
	for (i = 0; !r && i < s->packs.n; i++) {
		const struct pack *k = &s->packs.v[i];

		x->next = k->first + k->count;
		r = open_month(s, x, k, &x->next);
		if (!r && x->next < k->first + k->count)
			break;
	}
	if (r) {
		index_close(x);
		return r;
	}
	*out = x;
	return 0;
}

void index_close(struct index *x)
{
	if (!x)
		return;
	close_month(x);
	free(x->pairs);
	buf_deinit(&x->header);
	buf_deinit(&x->body);
	buf_deinit(&x->raw);
	buf_deinit(&x->bytes);
	free(x);
}

int index_remove(const char *dir)
{
	char path[PATH_MAX], names[MONTHS_MAX][8];
	unsigned i, n;
	int r = months_list(dir, names, &n);

	for (i = 0; !r && i < n; i++) {
		snprintf(path, sizeof(path), "%s/index/%s.db", dir, names[i]);
		r = sql_remove(path);
	}
	return r;
}

/* --- a segment --- */

/*
 * The id that `hash` has: from memory, or where that has only a part, from the table by `get`. 0; V_END where it has
 * none yet; -errno.
 */
static int known_id(struct index *x, const struct dict *d, unsigned get, uint64_t hash, int64_t *id)
{
	sqlite3_stmt *st;
	int r;

	*id = dict_get(d, hash);
	if (*id)
		return 0;
	if (!d->partial)
		return V_END;
	st = query(x, get);
	sqlite3_bind_int64(st, 1, (int64_t)hash);
	r = sql_step(st);
	if (!r)
		*id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return r;
}

static int name_id(struct index *x, struct span s, int64_t *id)
{
	bool tails = x->version > MONTH_VERSION_LEAST;
	int64_t t = tails ? dict_tail(x->key, name_tail(s)) : 0;
	uint64_t h = siphash(x->key, s);
	sqlite3_stmt *st;
	int r;

	if (tails)
		sqlite3_bind_int64(query(x, Q_NAME_GET), 2, t);
	r = known_id(x, &x->name, Q_NAME_GET, h, id);
	if (r != V_END)
		return r;
	st = query(x, Q_NAME_PUT);
	*id = ++x->names;
	sqlite3_bind_int64(st, 1, *id);
	sqlite3_bind_int64(st, 2, (int64_t)h);
	sql_bind(st, 3, s);
	if (tails)
		sqlite3_bind_int64(st, 4, t);
	r = sql_run(st);
	return r ? r : dict_put(&x->name, h, *id);
}

static int combo_id(struct index *x, int64_t user, int64_t program, uint64_t kind, uint64_t class, int64_t *id)
{
	const uint64_t facts[] = {(uint64_t)user, (uint64_t)program, kind, class};
	uint64_t h = siphash(x->key, SPAN(facts, sizeof(facts)));
	sqlite3_stmt *st;
	int r = known_id(x, &x->combo, Q_COMBO_GET, h, id);

	if (r != V_END)
		return r;
	st = query(x, Q_COMBO_PUT);
	*id = ++x->combos;
	sqlite3_bind_int64(st, 1, *id);
	sqlite3_bind_int64(st, 2, (int64_t)h);
	sqlite3_bind_int64(st, 3, user);
	sqlite3_bind_int64(st, 4, program);
	sqlite3_bind_int64(st, 5, (int64_t)kind);
	sqlite3_bind_int64(st, 6, (int64_t) class);
	r = sql_run(st);
	return r ? r : dict_put(&x->combo, h, *id);
}

static int by_id(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;

	return p->id != q->id ? (p->id < q->id ? -1 : 1) : p->leaf < q->leaf ? -1 : p->leaf > q->leaf;
}

/* All postings of a transaction in the order of the B-tree. */
static int flush_pairs(struct index *x)
{
	sqlite3_stmt *st;
	size_t i;
	int r = 0;

	qsort(x->pairs, x->pairs_n, sizeof(*x->pairs), by_id);
	for (i = 0; !r && i < x->pairs_n; i++) {
		if (i && !by_id(&x->pairs[i - 1], &x->pairs[i]))
			continue;
		st = query(x, Q_POST_PUT);
		sqlite3_bind_int64(st, 1, x->pairs[i].id);
		sqlite3_bind_int64(st, 2, x->pairs[i].leaf);
		r = sql_run(st);
	}
	x->pairs_n = 0;
	return r;
}

static inline void add_pair(struct index *x, int64_t id)
{
	if (id)
		x->pairs[x->pairs_n++] = (struct pair){.id = id, .leaf = (int64_t)x->next};
}

static int name_of(struct index *x, const struct record *r, unsigned f, int64_t *id)
{
	*id = 0;
	return record_has(r, f) && r->v[f].s.n ? name_id(x, r->v[f].s, id) : 0;
}

/* The records of a body; what follows something that is no record is not told (a PC may sign anything). */
static int take_records(struct index *x, const struct segment *s)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	static struct record rec;
	const uint8_t *user_at = NULL, *program_at = NULL;
	int64_t user = 0, program = 0;
	struct block *b = &x->block;
	int r;

	b->n = 0;
	if (!s->body.n)
		return 0;
	r = segment_raw(s, &x->raw, NULL);
	r = r ? r : body_reader_new(buf_span(&x->raw), &in);
	while (!r && b->n < BODY_RECORDS_MAX && !(r = body_next(in, &rec, NULL))) {
		unsigned i = b->n;

		/* Subjects are written once a body: the same bytes are the same name. */
		if (!record_has(&rec, F_USER) || rec.v[F_USER].s.p != user_at) {
			r = name_of(x, &rec, F_USER, &user);
			user_at = record_has(&rec, F_USER) ? rec.v[F_USER].s.p : NULL;
		}
		if (!r && (!record_has(&rec, F_PROGRAM) || rec.v[F_PROGRAM].s.p != program_at)) {
			r = name_of(x, &rec, F_PROGRAM, &program);
			program_at = record_has(&rec, F_PROGRAM) ? rec.v[F_PROGRAM].s.p : NULL;
		}
		b->time[i] = rec.v[F_TIME].i;
		r = r ? r
		      : combo_id(x, user, program, record_number(&rec, F_KIND, 0), record_number(&rec, F_CLASS, 0),
				&b->combo[i]);
		r = r ? r : name_of(x, &rec, F_PATH, &b->path[i]);
		r = r ? r : name_of(x, &rec, F_PATH2, &b->path2[i]);
		r = r ? r : name_of(x, &rec, F_ARGS, &b->args[i]);
		if (r)
			return r > 0 ? -EIO : r; /* of the database, not of the body */
		b->n++;
	}
	return r < 0 ? r : 0;
}

static int host_id(struct index *x, const struct digest *host, int64_t *id)
{
	sqlite3_stmt *st = query(x, Q_HOST_GET);
	int r;

	sql_bind(st, 1, SPAN(host->b, DIGEST_SIZE));
	r = sql_step(st);
	if (!r)
		*id = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (r != V_END)
		return r;
	st = query(x, Q_HOST_PUT);
	sql_bind(st, 1, SPAN(host->b, DIGEST_SIZE));
	r = sql_run(st);
	*id = sqlite3_last_insert_rowid(x->db);
	return r;
}

static int put_had(struct index *x, int64_t host, int64_t combo)
{
	uint64_t h = had_hash(x, host, combo);
	sqlite3_stmt *st;
	int r;

	if (dict_get(&x->had, h))
		return 0;
	st = query(x, Q_HAD_PUT);
	sqlite3_bind_int64(st, 1, host);
	sqlite3_bind_int64(st, 2, combo);
	r = sql_run(st);
	return r ? r : dict_put(&x->had, h, 1);
}

static int put_segment(struct index *x, const struct segment *s)
{
	const struct block *b = &x->block;
	int64_t first = s->header.first_us, last = s->header.last_us, host = 0;
	sqlite3_stmt *st;
	unsigned i;
	int r = host_id(x, &s->header.host, &host);

	for (i = 0; i < b->n; i++) {
		first = !i || b->time[i] < first ? b->time[i] : first;
		last = !i || b->time[i] > last ? b->time[i] : last;
		/* What a program does, it does many times in a row. */
		if (!i || b->combo[i] != b->combo[i - 1]) {
			r = r ? r : put_had(x, host, b->combo[i]);
			add_pair(x, -b->combo[i]);
		}
		add_pair(x, b->path[i]);
		add_pair(x, b->path2[i]);
		add_pair(x, b->args[i]);
	}
	st = query(x, Q_SEG_PUT);
	sqlite3_bind_int64(st, 1, (int64_t)x->next);
	sqlite3_bind_int64(st, 2, host);
	sqlite3_bind_int64(st, 3, b->n);
	sqlite3_bind_int64(st, 4, first);
	sqlite3_bind_int64(st, 5, last);
	sqlite3_bind_int64(st, 6, (uint64_t)last - (uint64_t)first > MONTH_LONG_US);
	r = r ? r : sql_run(st);
	if (!r && b->n) {
		st = query(x, Q_ZONE_PUT);
		sqlite3_bind_int64(st, 1, (int64_t)(x->next >> ZONE_BITS));
		sqlite3_bind_int64(st, 2, first);
		sqlite3_bind_int64(st, 3, last);
		r = sql_run(st);
	}
	buf_clear(&x->bytes);
	r = r ? r : block_encode(b, &x->bytes);
	st = query(x, Q_BLOCK_PUT);
	sqlite3_bind_int64(st, 1, (int64_t)x->next);
	sql_bind(st, 2, buf_span(&x->bytes));
	return r ? r : sql_run(st);
}

/* --- text search --- */

static int search_names(struct index *x, bool *more)
{
	return names_search(query(x, Q_NAMES_FROM), query(x, Q_FTS_PUT), query(x, Q_ODD_PUT), &x->searched, more);
}

static int commit(struct index *x)
{
	int r;

	if (!x->open)
		return 0;
	r = flush_pairs(x);
	r = r ? r : put_meta(x, "next", (int64_t)x->next);
	r = r ? r : put_meta(x, "records", x->records);
	r = r ? r : put_meta(x, "searched", x->searched);
	r = r ? r : put_meta(x, "channels", x->channels);
	r = r ? r : sql_exec(x->db, "COMMIT");
	x->open = false;
	return r;
}

static int begin(struct index *x)
{
	int r = x->open ? 0 : sql_exec(x->db, "BEGIN IMMEDIATE");

	if (!r && !x->open) {
		x->open = true;
		x->since_us = clock_boot_us();
	}
	return r;
}

static int leave_month(struct index *x)
{
	bool more = x->month[0] && (x->thorough || x->names - x->searched <= NAMES_AT_ONCE);
	int r = more ? begin(x) : 0;

	while (!r && more)
		r = search_names(x, &more);
	x->behind |= x->searched < x->names;
	return r ? r : commit(x);
}

void index_thorough(struct index *x)
{
	x->thorough = true;
}

static int take_segment(struct store *s, struct index *x)
{
	struct pack *k = packs_find(&s->packs, x->next);
	struct segment seg;
	uint64_t at;
	int r;

	if (!k)
		return V_BAD;
	if (strcmp(k->month, x->month) != 0) {
		r = leave_month(x);
		r = r ? r : open_month(s, x, k, &at);
		if (r)
			return r;
		/* A month before it was made again: this one is further already. */
		if (at < x->next)
			return V_BAD;
		if (at > x->next) {
			x->next = at;
			return 0;
		}
	}
	r = begin(x);
	if (r)
		return r;
	r = log_read(s, x->next, &x->header, &x->body, &seg, NULL);
	if (r < 0)
		return r;
	if (!r) {
		r = take_records(x, &seg);
		if (!r && (x->pairs_n > PAIRS_AT_ONCE || x->pairs_n + 4u * x->block.n > PAIRS_MAX))
			r = flush_pairs(x);
		r = r ? r : put_segment(x, &seg);
		if (r)
			return r;
		x->records += x->block.n;
		if (x->block.n)
			x->channels |= INT64_C(1) << seg.header.producer;
	}
	/* A damaged segment has no rows here; `verify` names it. */
	x->next++;
	return 0;
}

int index_step(struct store *s, struct index *x, unsigned budget, int64_t until, bool goes_on, uint64_t *left)
{
	uint64_t rest;
	int r = 0;
	bool more;

	while (!r && budget && x->next < s->head.size && clock_boot_us() < until) {
		r = take_segment(s, x);
		budget--;
	}
	more = x->month[0] && x->searched < x->names;
	while (!r && budget && more && x->month[0] && clock_boot_us() < until) {
		r = begin(x);
		r = r ? r : search_names(x, &more);
		budget--;
	}
	rest = s->head.size - x->next + (x->searched < x->names);
	if (!r && !rest && budget && x->behind) {
		r = commit(x);
		r = r ? r : index_behind(s, x->month, budget, until, &x->behind);
	}
	if (!r && !(goes_on && rest && clock_boot_us() - x->since_us < TRANSACTION_US))
		r = commit(x);
	if (r) {
		/* Nothing half-done stays. The caller closes the index: the dictionaries know too much now. */
		if (x->open)
			sql_exec(x->db, "ROLLBACK");
		x->open = false;
		return r;
	}
	/* Names of a month behind are found without text search, only slower: they count as one. */
	*left = rest + x->behind;
	return 0;
}
