/*
 * Segments made for the tests of the store: chains of signed headers with real bodies, from PCs that exist only here.
 */
#ifndef SEKISHO_TESTS_STORE_MADE_H
#define SEKISHO_TESTS_STORE_MADE_H

#include "collector/store/store.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/wire/body.h"
#include "tests/unit/cm.h"
#include <sys/wait.h>

#define MADE_TIME INT64_C(1780000000000000) /* 2026-05-28T20:26:40Z */

/* A PC's chain. */
struct made {
	struct digest host;
	unsigned producer;
	struct key *key;
	uint64_t seq;
	bool has_prev;
	struct digest prev;
	int64_t time;
	struct body_writer *body;
	struct buf raw, bytes;
	struct segment seg;
};

static inline void made_begin(struct made *m, const char *name, unsigned producer)
{
	*m = (struct made){
		.producer = producer, .time = MADE_TIME, .raw = BUF_INIT(BODY_RAW_MAX), .bytes = BUF_INIT(SEGMENT_MAX)};
	digest_span(&m->host, SPAN_STR(name));
	assert_int_equal(key_new(KEY_ED25519, &m->key), 0);
	m->body = calloc(1, sizeof(*m->body));
	assert_non_null(m->body);
	body_begin(m->body, &m->raw);
}

static inline void made_end(struct made *m)
{
	body_writer_deinit(m->body);
	free(m->body);
	key_free(m->key);
	buf_deinit(&m->raw);
	buf_deinit(&m->bytes);
}

static inline void made_put(struct made *m, struct record *r)
{
	m->time += 1000;
	record_set_int(r, F_BOOT_TIME, m->time - MADE_TIME + 1000000);
	record_set_int(r, F_TIME, m->time);
	assert_int_equal(body_put(m->body, r), 0);
}

static inline void made_file(
	struct made *m, const char *user, const char *program, const char *path, unsigned kind, unsigned class)
{
	static struct record r;

	record_reset(&r);
	record_set_uint(&r, F_KIND, kind);
	record_set_uint(&r, F_PID, 4711);
	record_set_str(&r, F_USER, user);
	record_set_str(&r, F_PROGRAM, program);
	record_set_str(&r, F_PATH, path);
	record_set_uint(&r, F_CLASS, class);
	record_set_uint(&r, F_WRITTEN, 42);
	made_put(m, &r);
	record_reset(&r); /* the strings are the caller's */
}

/* Seals what was put; m->seg is it until the next one. */
static inline struct segment *made_seal(struct made *m)
{
	struct segment_writer w = {.epoch_key = m->key};
	struct digest hash;
	struct why why = {""};

	w.header = (struct header){
		.host = m->host,
		.producer = m->producer,
		.epoch = 1,
		.seq = m->seq++,
		.has_prev = m->has_prev,
		.prev = m->prev,
		.count = m->body->records,
		.first_us = m->body->records ? m->body->first_wall_us : m->time,
		.last_us = m->body->records ? m->body->last_wall_us : m->time,
		.boot_us = m->time - MADE_TIME,
	};
	if (!m->has_prev)
		w.header.epoch_cert = SPAN_STR("a certificate");
	buf_clear(&m->bytes);
	assert_int_equal(segment_seal(&w, buf_span(&m->raw), &m->bytes, &hash), 0);
	m->has_prev = true;
	m->prev = hash;
	body_begin(m->body, &m->raw);
	assert_int_equal(segment_parse(buf_span(&m->bytes), &m->seg, &why), 0);
	return &m->seg;
}

static inline struct segment *made_next(struct made *m)
{
	char path[64];

	snprintf(path, sizeof(path), "/home/alice/report-%llu.xlsx", (unsigned long long)m->seq);
	made_file(m, "alice", "/usr/bin/soffice", path, KIND_FILE, CLASS_FIXED);
	return made_seal(m);
}

static inline int made_run(const char *const *argv)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/*
 * The engine that a run tests: files, or a database in a PostgreSQL server of the run's own (tests/postgresql), where
 * SEKISHO_TEST_STORE says so. Everywhere below `dir` is a test's folder, also where the store lies in the database of
 * its name.
 */
static char made_server[64];

static inline bool made_in_database(void)
{
	return made_server[0];
}

static inline int made_server_run(const char *what, const char *name)
{
	return made_run((const char *[]){TEST_ROOT "/tests/postgresql", what, made_server, name, NULL});
}

static inline int made_server_start(void **state)
{
	const char *store = getenv("SEKISHO_TEST_STORE");
	int r;

	(void)state;
	if (!store || strcmp(store, "postgresql") != 0)
		return 0;
	snprintf(made_server, sizeof(made_server), "/tmp/sekisho-pg-XXXXXX");
	r = mkdtemp(made_server) ? 0 : -1;
	return r ? r : made_server_run("start", NULL);
}

/* Folders of made_dir that are still there. */
static unsigned made_dirs;

/* The status of a program of which so many tests failed: they leave nothing behind. */
static inline int made_status(int failed)
{
	if (made_dirs)
		print_error("%u folders of made_dir were left behind\n", made_dirs);
	return failed || made_dirs;
}

static inline int made_server_stop(void **state)
{
	(void)state;
	return made_in_database() ? made_server_run("stop", NULL) : 0;
}

static inline const char *made_base(const char *dir)
{
	return strrchr(dir, '/') + 1;
}

/* Where the store of that folder is, for one who writes and for one who reads. Good until four more are asked for. */
static inline const char *made_place_as(const char *role, const char *dir)
{
	static char places[4][512];
	static unsigned at;
	char *out = places[at++ % 4];

	if (!made_in_database())
		return dir;
	snprintf(out, sizeof(places[0]), "postgresql://%s@/%s?host=%s", role, made_base(dir), made_server);
	return out;
}

static inline const char *made_place(const char *dir)
{
	return made_place_as("collector", dir);
}

static inline const char *made_to_read(const char *dir)
{
	return made_place_as("console", dir);
}

static inline const char *made_state(const char *dir)
{
	return made_in_database() ? dir : NULL;
}

/* A folder of the test's own, removed by made_dir_remove. */
static inline char *made_dir(char *path, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, size, "%s/sekisho-store-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(path));
	made_dirs++;
	if (made_in_database())
		assert_int_equal(made_server_run("database", made_base(path)), 0);
	return path;
}

static inline void made_dir_remove(const char *path)
{
	if (made_in_database() && !strncmp(made_base(path), "sekisho-store-", 14))
		assert_int_equal(made_server_run("drop", made_base(path)), 0);
	assert_int_equal(made_run((const char *[]){"rm", "-rf", "--", path, NULL}), 0);
	made_dirs--;
}

static inline void made_copy(const char *from, const char *to)
{
	assert_int_equal(made_run((const char *[]){"cp", "-a", "--", from, to, NULL}), 0);
}

#define MADE_ORIGIN "sekisho.example/log/2026"

/* A key that is the same in every run of a test: a copy of the store must open with it. */
static inline struct key *made_log_key(void)
{
	static struct key *k;

	if (!k)
		assert_int_equal(key_new(KEY_ED25519, &k), 0);
	return k;
}

/* As a collector opens the store of that folder. `now` may be NULL. */
static inline struct store_options made_options(const char *dir, int64_t (*now)(void))
{
	return (struct store_options){.dir = made_place(dir),
		.state_dir = made_state(dir),
		.log_key = made_log_key(),
		.origin = MADE_ORIGIN,
		.now_us = now};
}

static inline int made_open(const char *dir, struct store **out, struct why *why)
{
	struct store_options o = made_options(dir, NULL);

	return store_open(&o, out, why);
}

static inline void made_index(struct store *s)
{
	uint64_t left = 1;

	while (left)
		assert_int_equal(store_index_step(s, 64, &left), 0);
}

#endif
