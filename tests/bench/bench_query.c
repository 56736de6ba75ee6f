/*
 * How long questions take: what the console and `sekishoctl log` ask a store, beside the same questions to a plain
 * SQLite table with three indexes that holds the same records. Called by tests/bench/query.
 *
 *   bench_query STORE PEER ROUNDS [QUESTION]    PEER: the table's file; made where it is not; "-": none is asked
 *
 * Each question is asked ROUNDS times with other words (users, programs, paths, hours drawn from the store itself, from
 * one seed), after one round that is not counted. One line of JSON for each question.
 */
#include "collector/store/store.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sqlite3.h>
#include <time.h>

#define WORDS 64u
#define ROUNDS_MAX 1000u
#define PEER_BUDGET_US 20000000 /* a question that the peer needs longer for is asked fewer times */
#define PAGE 50u

/* What one row of the store offers to ask for. */
struct word {
	char host[128], user[64], program[128], path[600];
	unsigned kind, class;
	int64_t time;
};

struct bench {
	struct store *store;
	sqlite3 *peer;
	struct word words[WORDS];
	unsigned words_n;
	int64_t first, last;
	uint64_t dice;
};

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench_query: %s\n", what);
	exit(1);
}

static uint64_t draw(struct bench *b)
{
	uint64_t z = b->dice += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void copy(char *to, size_t size, struct span s)
{
	snprintf(to, size, "%.*s", (int)s.n, (const char *)s.p);
}

/* --- the peer: a row for each record, an index each for time, user and program --- */

static sqlite3_stmt *prepare(struct bench *b, const char *text)
{
	sqlite3_stmt *st = NULL;

	need(sqlite3_prepare_v2(b->peer, text, -1, &st, NULL) == SQLITE_OK, sqlite3_errmsg(b->peer));
	return st;
}

static void run(struct bench *b, const char *text)
{
	need(sqlite3_exec(b->peer, text, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(b->peer));
}

struct copying {
	struct bench *b;
	sqlite3_stmt *put;
};

static void bind(sqlite3_stmt *st, int at, struct span s)
{
	sqlite3_bind_text(st, at, (const char *)s.p, (int)s.n, SQLITE_STATIC);
}

static int on_row(void *ctx, const struct store_row *row)
{
	struct copying *c = ctx;
	struct bench *b = c->b;
	const struct record *r = &row->record;

	sqlite3_bind_int64(c->put, 1, r->v[F_TIME].i);
	bind(c->put, 2, SPAN_STR(row->host_name ? row->host_name : ""));
	bind(c->put, 3, record_text(r, F_USER));
	bind(c->put, 4, record_text(r, F_PROGRAM));
	sqlite3_bind_int64(c->put, 5, (int64_t)r->v[F_KIND].u);
	sqlite3_bind_int64(c->put, 6, record_has(r, F_CLASS) ? (int64_t)r->v[F_CLASS].u : 0);
	bind(c->put, 7, record_text(r, F_PATH));
	bind(c->put, 8, record_text(r, F_PATH2));
	bind(c->put, 9, record_text(r, F_ARGS));
	need(sqlite3_step(c->put) == SQLITE_DONE, sqlite3_errmsg(b->peer));
	sqlite3_reset(c->put);
	return 0;
}

static int on_word(void *ctx, const struct store_row *row)
{
	struct bench *b = ctx;
	const struct record *r = &row->record;
	struct word *w = &b->words[b->words_n];

	w->time = r->v[F_TIME].i;
	if (!record_text(r, F_PATH).n || !record_text(r, F_USER).n)
		return 0;
	copy(w->host, sizeof(w->host), SPAN_STR(row->host_name ? row->host_name : ""));
	copy(w->user, sizeof(w->user), record_text(r, F_USER));
	copy(w->program, sizeof(w->program), record_text(r, F_PROGRAM));
	copy(w->path, sizeof(w->path), record_text(r, F_PATH));
	w->kind = (unsigned)r->v[F_KIND].u;
	w->class = record_has(r, F_CLASS) ? (unsigned)r->v[F_CLASS].u : 0;
	b->words_n++;
	return V_END;
}

static int on_time(void *ctx, const struct store_row *row)
{
	*(int64_t *)ctx = row->record.v[F_TIME].i;
	return V_END;
}

/* Words to ask for: of records at moments that the dice choose. */
static void find_words(struct bench *b)
{
	struct store_filter first = {.limit = 1}, last = {.limit = 1, .newest_first = true};
	unsigned tries;

	need(!store_query(b->store, &first, on_time, &b->first, NULL) &&
			!store_query(b->store, &last, on_time, &b->last, NULL) && b->last > b->first,
		"no rows");
	for (tries = 0; b->words_n < WORDS; tries++) {
		struct store_filter f = {.limit = 30};

		f.from_us = b->first + (int64_t)(draw(b) % (uint64_t)(b->last - b->first));
		need(tries < 100 * WORDS && !store_query(b->store, &f, on_word, b, NULL), "no words");
	}
}

/* The peer's rows, where it has none yet, and words to ask for. */
static void learn(struct bench *b, const char *peer)
{
	struct copying c = {.b = b};
	struct store_filter all = {.limit = 0};
	struct store_stats st;
	struct why why = {""};
	bool none = !strcmp(peer, "-"), there = none || !access(peer, F_OK);
	int64_t begin = clock_boot_us();

	need(!store_stats(b->store, &st) && st.records, "the store is empty");
	need(none || sqlite3_open(peer, &b->peer) == SQLITE_OK, peer);
	if (!none)
		run(b, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-262144;");
	if (!there) {
		run(b, "CREATE TABLE record(time INTEGER, host TEXT, user TEXT, program TEXT, kind INTEGER, class "
		       "INTEGER, "
		       "path TEXT, path2 TEXT, args TEXT); BEGIN;");
		c.put = prepare(b, "INSERT INTO record VALUES(?,?,?,?,?,?,?,?,?)");
	}
	if (!there) {
		need(!store_query(b->store, &all, on_row, &c, &why), why.text);
		sqlite3_finalize(c.put);
		run(b, "COMMIT; CREATE INDEX by_time ON record(time); CREATE INDEX by_user ON record(user, time); "
		       "CREATE INDEX by_program ON record(program, time); ANALYZE;");
	}
	find_words(b);
	printf("{\"records\": %llu, \"segments\": %llu, \"index_mib\": %.0f, \"log_mib\": %.0f, \"read_all_s\": "
	       "%.0f}\n",
		(unsigned long long)st.records, (unsigned long long)st.leaves, (double)st.index_bytes / 1048576,
		(double)(st.header_bytes + st.body_bytes) / 1048576, (double)(clock_boot_us() - begin) / 1e6);
}

/* --- questions --- */

struct question {
	const char *name;
	double goal_ms; /* p95 */
	/* Fills the filter for our store, and the peer's WHERE (its words bound at ?1.. in order). */
	void (*make)(struct bench *b, const struct word *w, struct store_filter *f, char *where, size_t size);
};

static char glob[640];

static void quote(char *out, size_t size, const char *column, const char *op, const char *word)
{
	char *s = sqlite3_mprintf(" AND %s %s %Q", column, op, word);
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s", s);
	sqlite3_free(s);
}

/* Either name, as the store takes it. */
static void quote_path(char *out, size_t size, const char *op, const char *word)
{
	char *s = sqlite3_mprintf(" AND (path %s %Q OR path2 %s %Q)", op, word, op, word);
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s", s);
	sqlite3_free(s);
}

static void until(char *out, size_t size, int64_t from, int64_t to)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, " AND time >= %lld AND time < %lld", (long long)from, (long long)to);
}

static void number(char *out, size_t size, const char *column, unsigned v)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, " AND %s = %u", column, v);
}

#define MAKE(name) \
	static void name(struct bench *b, const struct word *w, struct store_filter *f, char *where, size_t size)

MAKE(newest)
{
	(void)b, (void)w, (void)f, (void)where, (void)size;
}

MAKE(by_user)
{
	(void)b;
	f->user = w->user;
	quote(where, size, "user", "=", w->user);
}

MAKE(by_program)
{
	(void)b;
	f->program = w->program;
	quote(where, size, "program", "=", w->program);
}

MAKE(by_host)
{
	(void)b;
	f->host = w->host;
	quote(where, size, "host", "=", w->host);
}

MAKE(by_kind)
{
	static const unsigned kinds[] = {
		KIND_FILE, KIND_RENAME, KIND_MOUNT, KIND_LOGIN, KIND_PLUG, KIND_EXEC, KIND_DECISION};

	f->kinds[f->kinds_n++] = kinds[draw(b) % ARRAY_SIZE(kinds)];
	number(where, size, "kind", f->kinds[0]);
	(void)w;
}

MAKE(by_class)
{
	static const unsigned classes[] = {CLASS_USB, CLASS_CLOUD, CLASS_NETWORK, CLASS_FIXED};

	f->classes[f->classes_n++] = classes[draw(b) % ARRAY_SIZE(classes)];
	number(where, size, "class", f->classes[0]);
	(void)w;
}

MAKE(user_and_class)
{
	by_user(b, w, f, where, size);
	by_class(b, w, f, where, size);
}

MAKE(user_and_kind)
{
	by_user(b, w, f, where, size);
	by_kind(b, w, f, where, size);
}

MAKE(host_and_program)
{
	/* A program that this PC may never have run. */
	by_host(b, w, f, where, size);
	by_program(b, &b->words[draw(b) % b->words_n], f, where, size);
}

MAKE(program_and_class)
{
	by_program(b, w, f, where, size);
	by_class(b, w, f, where, size);
}

MAKE(deep)
{
	int64_t at = b->first + (int64_t)(draw(b) % (uint64_t)(b->last - b->first));

	f->until_us = at;
	until(where, size, 0, at);
	(void)w;
}

MAKE(deep_by_user)
{
	by_user(b, w, f, where, size);
	deep(b, w, f, where, size);
}

MAKE(deep_by_two)
{
	by_user(b, w, f, where, size);
	by_class(b, w, f, where, size);
	deep(b, w, f, where, size);
}

MAKE(an_hour)
{
	int64_t at = w->time - INT64_C(1800000000);

	f->from_us = at;
	f->until_us = at + INT64_C(3600000000);
	until(where, size, f->from_us, f->until_us);
	(void)b;
}

MAKE(an_hour_of_user)
{
	by_user(b, w, f, where, size);
	an_hour(b, w, f, where, size);
}

MAKE(path_whole)
{
	(void)b;
	f->path = w->path;
	quote_path(where, size, "=", w->path);
}

MAKE(path_below)
{
	char *slash;

	snprintf(glob, sizeof(glob), "%s", w->path);
	slash = strrchr(glob, '/');
	snprintf(slash, sizeof(glob) - (size_t)(slash - glob), "/*");
	f->path = glob;
	quote_path(where, size, "GLOB", glob);
	(void)b;
}

MAKE(path_name)
{
	const char *name = strrchr(w->path, '/') + 1;

	snprintf(glob, sizeof(glob), "*%.590s", name);
	f->path = glob;
	quote_path(where, size, "GLOB", glob);
	(void)b;
}

/* As the console asks for it. */
MAKE(path_last)
{
	snprintf(glob, sizeof(glob), "*%.590s", strrchr(w->path, '/'));
	f->path = glob;
	quote_path(where, size, "GLOB", glob);
	(void)b;
}

MAKE(path_nowhere)
{
	snprintf(glob, sizeof(glob), "*/A%04u/*_nowhere_*", (unsigned)(draw(b) % 400));
	f->path = glob;
	quote_path(where, size, "GLOB", glob);
	(void)w;
}

MAKE(path_common_of_user)
{
	by_user(b, w, f, where, size);
	snprintf(glob, sizeof(glob), "/mnt/share/*");
	f->path = glob;
	quote_path(where, size, "GLOB", glob);
}

MAKE(text_anywhere)
{
	const char *name = strrchr(w->path, '/') + 1;
	char like[256];
	size_t i = 0, n;

	/* Its first six letters, as the console's benchmark asks. */
	for (n = 0; name[i] && n < 6; n++)
		for (i++; ((unsigned char)name[i] & 0xc0) == 0x80; i++)
			;
	snprintf(glob, sizeof(glob), "%.*s", (int)i, name);
	f->text = glob;
	snprintf(like, sizeof(like), "%%%.200s%%", glob);
	quote(where, size, "path || char(10) || path2 || char(10) || args || char(10) || program || char(10) || user",
		"LIKE", like);
	(void)b;
}

static const struct question questions[] = {
	{"newest 50", 10, newest},
	{"newest 50 of a user", 10, by_user},
	{"newest 50 of a program", 10, by_program},
	{"newest 50 of a PC", 10, by_host},
	{"newest 50 of a kind", 10, by_kind},
	{"newest 50 of a class", 10, by_class},
	{"newest 50 of a user in a class", 50, user_and_class},
	{"newest 50 of a user of a kind", 50, user_and_kind},
	{"newest 50 of a PC by a program", 50, host_and_program},
	{"newest 50 of a program in a class", 50, program_and_class},
	{"50 before any moment", 100, deep},
	{"50 of a user before any moment", 100, deep_by_user},
	{"50 of a user in a class before any moment", 100, deep_by_two},
	{"50 within an hour", 100, an_hour},
	{"50 of a user within an hour", 100, an_hour_of_user},
	{"newest 50 of a path", 100, path_whole},
	{"newest 50 below a folder", 100, path_below},
	{"newest 50 of a file's name", 100, path_last},
	{"newest 50 of a name's end", 100, path_name},
	{"newest 50 of a path that is nowhere", 100, path_nowhere},
	{"newest 50 of a user on the share", 100, path_common_of_user},
	{"newest 50 with a text anywhere", 100, text_anywhere},
};

static int count(void *ctx, const struct store_row *row)
{
	(void)row;
	++*(unsigned *)ctx;
	return 0;
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static unsigned ask_peer(struct bench *b, const char *where)
{
	char text[4300];
	sqlite3_stmt *st;
	unsigned n = 0;

	snprintf(text, sizeof(text), "SELECT * FROM record WHERE 1=1%s ORDER BY time DESC LIMIT %u", where, PAGE);
	st = prepare(b, text);
	while (sqlite3_step(st) == SQLITE_ROW)
		n++;
	sqlite3_finalize(st);
	return n;
}

/* What we took of a processor, on a machine that others use too. */
static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void ask(struct bench *b, const struct question *q, unsigned rounds)
{
	static double ours[ROUNDS_MAX], cpu[ROUNDS_MAX], theirs[ROUNDS_MAX];
	int64_t begin, spent = 0;
	unsigned i, n = 0, rows = 0;
	double used;

	for (i = 0; i < rounds + 1; i++) {
		const struct word *w = &b->words[draw(b) % b->words_n];
		struct store_filter f = {.limit = PAGE, .newest_first = true};
		unsigned got = 0, peer = 0;
		struct why why = {""};
		char where[4096] = "";

		q->make(b, w, &f, where, sizeof(where));
		begin = clock_boot_us();
		used = cpu_ms();
		need(!store_query(b->store, &f, count, &got, &why), why.text);
		if (i) {
			ours[i - 1] = (double)(clock_boot_us() - begin) / 1e3;
			cpu[i - 1] = cpu_ms() - used;
		}
		rows += got;
		if (!b->peer || spent > PEER_BUDGET_US)
			continue;
		begin = clock_boot_us();
		peer = ask_peer(b, where);
		spent += clock_boot_us() - begin;
		if (i)
			theirs[n++] = (double)(clock_boot_us() - begin) / 1e3;
		if (got != peer) {
			fprintf(stderr, "bench_query: %s%s: %u rows, the peer has %u\n", q->name, where, got, peer);
			exit(1);
		}
	}
	qsort(ours, rounds, sizeof(ours[0]), ascending);
	qsort(cpu, rounds, sizeof(cpu[0]), ascending);
	qsort(theirs, n, sizeof(theirs[0]), ascending);
	printf("{\"question\": \"%s\", \"p50_ms\": %.2f, \"p95_ms\": %.2f, \"most_ms\": %.2f, \"cpu_p50_ms\": %.2f, "
	       "\"cpu_p95_ms\": %.2f, \"goal_ms\": %.0f, "
	       "\"met\": %s, "
	       "\"peer_p50_ms\": %.2f, \"peer_p95_ms\": %.2f, \"peer_rounds\": %u, \"rows\": %.1f}\n",
		q->name, ours[rounds / 2], ours[rounds * 95 / 100], ours[rounds - 1], cpu[rounds / 2],
		cpu[rounds * 95 / 100], q->goal_ms, ours[rounds * 95 / 100] <= q->goal_ms ? "true" : "false",
		n ? theirs[n / 2] : 0.0, n ? theirs[n * 95 / 100] : 0.0, n, (double)rows / (rounds + 1));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct bench b = {.dice = 1};
	struct store_options o = {.dir = argc > 1 ? argv[1] : ""};
	struct why why = {""};
	unsigned rounds;
	size_t i;

	need(argc == 4 || argc == 5, "usage: bench_query STORE PEER ROUNDS [QUESTION]");
	rounds = (unsigned)strtoul(argv[3], NULL, 10);
	need(rounds && rounds <= ROUNDS_MAX, "between 1 and 1000 rounds");
	need(!store_open(&o, &b.store, &why), why.text[0] ? why.text : argv[1]);
	learn(&b, argv[2]);
	for (i = 0; i < ARRAY_SIZE(questions); i++)
		if (argc == 4 || strstr(questions[i].name, argv[4]))
			ask(&b, &questions[i], rounds);
	sqlite3_close(b.peer);
	store_close(b.store);
	return 0;
}
