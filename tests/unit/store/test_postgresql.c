/*
 * What only a database can do to a store: several collectors at one log, a server that dies, a copy that is older than
 * what was promised, roles. The suite of every engine is test_store.c and test_query.c.
 */
#include "tests/unit/store/made.h"
#include <errno.h>
#include <time.h>

static int sql(const char *role, const char *database, const char *text)
{
	return made_run((const char *[]){"psql", "-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-h",
		made_server, "-U", role, "-d", database, "-c", text, NULL});
}

/* A number that the database says, by another program than ours. */
static long ask(const char *database, const char *text)
{
	char command[1024];
	long n = -1;
	FILE *f;

	snprintf(command, sizeof(command), "psql -X -A -t -h %s -U postgres -d '%s' -c \"%s\"", made_server, database,
		text);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld", &n), 1);
	assert_int_equal(pclose(f), 0);
	return n;
}

static unsigned told; /* that others have appended */

static int put(struct store *s, const struct segment *seg, uint64_t *index)
{
	int r = store_append(s, seg, index);

	/* Others have appended: what was known of the log is known anew. */
	if (r == V_AGAIN) {
		told++;
		assert_int_equal(store_commit(s), 0);
		r = store_append(s, seg, index);
	}
	return r;
}

static void check_proof(struct store *s, uint64_t index, const struct digest *hash)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), text = BUF_INIT(1024);
	struct verifier v = {.key = NULL};
	struct merkle_proof proof;
	struct digest got, leaf;
	struct checkpoint c;
	struct why why = {""};

	assert_int_equal(store_refresh(s), 0);
	assert_int_equal(store_read(s, index, &header, NULL, &why), 0);
	digest_span(&got, buf_span(&header));
	assert_memory_equal(got.b, hash->b, DIGEST_SIZE);
	assert_int_equal(verifier_encode(MADE_ORIGIN, made_log_key(), &text), 0);
	assert_int_equal(verifier_decode(buf_span(&text), &v, &why), 0);
	assert_int_equal(checkpoint_verify(store_checkpoint(s), &v, &c, &why), 0);
	merkle_leaf(buf_span(&header), &leaf);
	assert_int_equal(store_prove(s, index, &proof), 0);
	assert_int_equal(merkle_verify_inclusion(index, c.size, &leaf, &proof, &c.root), 0);
	verifier_deinit(&v);
}

#define COLLECTORS 3u
#define ROUNDS 120u

/* Three at one log: each leaf once, each proven by each, no checkpoint that another one does not lead on from. */
static void collectors_take_turns(void **state)
{
	char dir[256], states[COLLECTORS][300];
	struct digest hashes[3 * ROUNDS];
	struct store *s[COLLECTORS];
	struct made m[COLLECTORS];
	struct why why = {""};
	uint64_t index, n = 0, at, before;
	unsigned i, k;

	(void)state;
	made_dir(dir, sizeof(dir));
	for (k = 0; k < COLLECTORS; k++) {
		struct store_options o = made_options(dir, NULL);
		char name[16];

		snprintf(states[k], sizeof(states[k]), "%s/state-%u", dir, k);
		o.state_dir = states[k];
		assert_int_equal(store_open(&o, &s[k], &why), 0);
		snprintf(name, sizeof(name), "pc-%u", k);
		made_begin(&m[k], name, PRODUCER_RECORDER);
	}
	for (i = 0; i < ROUNDS; i++) {
		struct store *of = s[i % COLLECTORS], *next = s[(i + 1) % COLLECTORS];
		struct merkle_proof proof;

		before = store_size(of);
		for (k = 0; k < 1 + i % 3; k++) {
			at = n;
			assert_int_equal(put(of, made_next(&m[i % COLLECTORS]), &index), 0);
			assert_int_equal(index, at);
			hashes[n++] = m[i % COLLECTORS].seg.hash;
		}
		assert_int_equal(store_commit(of), 0);
		assert_int_equal(store_size(of), n);
		assert_int_equal(store_consistency(of, before, &proof), 0);
		/* A PC that had no answer sends it to another collector. */
		assert_int_equal(put(next, &m[i % COLLECTORS].seg, &index), V_EXISTS);
		assert_int_equal(index, n - 1);
	}
	/* Each time that it was another one's turn, so that nobody judges by what is no more. */
	assert_int_equal(told, ROUNDS);
	for (k = 0; k < COLLECTORS; k++)
		for (at = 0; at < n; at += 7)
			check_proof(s[k], at, &hashes[at]);
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.leaf"), (long)n);
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.body"), (long)n);
	assert_int_equal(ask(made_base(dir), "SELECT max(idx) + 1 FROM sekisho.leaf"), (long)n);
	/* Indexed by one or another of them, once. */
	for (k = 0; k < COLLECTORS; k++)
		made_index(s[k]);
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.record"), (long)n);
	for (k = 0; k < COLLECTORS; k++) {
		store_close(s[k]);
		made_end(&m[k]);
	}
	made_dir_remove(dir);
}

/* One whose group is open is stopped for good: its turn is taken from it, nothing of it is there, and others go on. */
static void a_stopped_collector_holds_up_nobody(void **state)
{
	struct why why = {""};
	struct store *a, *b;
	struct made m[2];
	uint64_t index;
	char dir[256];

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m[0], "pc-0", PRODUCER_RECORDER);
	made_begin(&m[1], "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &a, &why), 0);
	assert_int_equal(made_open(dir, &b, &why), 0);
	assert_int_equal(store_append(a, made_next(&m[0]), &index), 0);
	assert_int_equal(sql("postgres", made_base(dir),
				 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = "
				 "'idle in transaction' AND usename = 'collector'"),
		0);
	assert_int_equal(put(b, made_next(&m[1]), &index), 0);
	assert_int_equal(index, 0);
	assert_int_equal(store_commit(b), 0);
	assert_true(store_commit(a) < 0);
	assert_int_equal(store_append(a, &m[0].seg, &index), -EIO);
	store_close(a);
	assert_int_equal(made_open(dir, &a, &why), 0);
	assert_int_equal(put(a, &m[0].seg, &index), 0);
	assert_int_equal(index, 1);
	assert_int_equal(store_commit(a), 0);
	store_close(a);
	store_close(b);
	made_end(&m[0]);
	made_end(&m[1]);
	made_dir_remove(dir);
}

/* The server dies with a group open, and again and again: what was committed is there, what was not is taken in again.
 */
static void the_server_dies(void **state)
{
	struct digest hashes[12];
	struct why why = {""};
	struct store *s;
	struct made m;
	uint64_t index, i;
	char dir[256];

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	for (i = 0; i < ARRAY_SIZE(hashes); i++) {
		hashes[i] = made_next(&m)->hash;
		assert_int_equal(store_append(s, &m.seg, &index), 0);
		assert_int_equal(index, i);
		if (i % 4 == 3) {
			assert_int_equal(made_server_run("kill", NULL), 0);
			assert_true(store_commit(s) < 0);
			store_close(s);
			assert_true(made_open(dir, &s, &why) < 0);
			assert_int_equal(made_server_run("again", NULL), 0);
			assert_int_equal(made_open(dir, &s, &why), 0);
			assert_int_equal(store_size(s), i);
			assert_int_equal(store_append(s, &m.seg, &index), 0);
			assert_int_equal(index, i);
		}
		assert_int_equal(store_commit(s), 0);
	}
	/* Straight behind a commit: that was promised. */
	assert_int_equal(made_server_run("kill", NULL), 0);
	assert_int_equal(made_server_run("again", NULL), 0);
	store_close(s);
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_size(s), ARRAY_SIZE(hashes));
	for (i = 0; i < ARRAY_SIZE(hashes); i++)
		check_proof(s, i, &hashes[i]);
	store_close(s);
	made_end(&m);
	made_dir_remove(dir);
}

/* As a collector waits for it. */
static void reach(struct store *s)
{
	int r;

	while ((r = store_reach(s)) == V_AGAIN)
		usleep(10000);
	assert_int_equal(r, 0);
}

/*
 * The same without opening anew: while the server is down nothing is taken, known or lost for good; and what was
 * committed in doubt, by the server's death behind it, is found.
 */
static void the_server_comes_back(void **state)
{
	struct digest hashes[8];
	struct why why = {""};
	struct store *s;
	struct made m;
	uint64_t index, i;
	char dir[256], text[300];

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	for (i = 0; i < ARRAY_SIZE(hashes); i++) {
		hashes[i] = made_next(&m)->hash;
		assert_false(store_lost(s));
		assert_int_equal(store_append(s, &m.seg, &index), 0);
		assert_int_equal(index, i);
		if (i % 4 == 3) {
			assert_int_equal(made_server_run("kill", NULL), 0);
			assert_true(store_commit(s) < 0);
			assert_true(store_lost(s));
			assert_true(store_again(s, &why) < 0);
			assert_true(store_lost(s));
			reach(s);
			assert_true(store_again(s, &why) < 0);
			assert_true(store_append(s, &m.seg, &index) < 0);
			assert_int_equal(store_size(s), i);
			assert_int_equal(made_server_run("again", NULL), 0);
			assert_int_equal(store_again(s, &why), 0);
			assert_int_equal(store_size(s), i);
			assert_int_equal(store_append(s, &m.seg, &index), 0);
			assert_int_equal(index, i);
		} else if (i % 4 == 1) {
			/* Only the connection that asks is gone: the group is lost with it. */
			assert_int_equal(sql("postgres", "postgres",
						 "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE "
						 "state = 'idle' AND usename = 'collector'"),
				0);
			assert_true(store_refresh(s) < 0 || store_last_row(s, &index) < 0);
			assert_true(store_lost(s));
			reach(s);
			assert_int_equal(store_again(s, &why), 0);
			assert_int_equal(store_append(s, &m.seg, &index), 0);
			assert_int_equal(index, i);
		}
		assert_int_equal(store_commit(s), 0);
		check_proof(s, i, &hashes[i]);
	}
	/* What others have committed meanwhile, in its place or behind it, is there. */
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(made_server_run("kill", NULL), 0);
	assert_int_equal(made_server_run("again", NULL), 0);
	assert_true(store_commit(s) < 0);
	{
		struct store_options o = made_options(dir, NULL);
		struct store *other;

		snprintf(text, sizeof(text), "%s/other", dir);
		o.state_dir = text;
		assert_int_equal(store_open(&o, &other, &why), 0);
		assert_int_equal(store_append(other, &m.seg, &index), 0);
		assert_int_equal(store_commit(other), 0);
		store_close(other);
	}
	reach(s);
	assert_int_equal(store_again(s, &why), 0);
	assert_int_equal(store_size(s), ARRAY_SIZE(hashes) + 1);
	assert_int_equal(store_append(s, &m.seg, &index), V_EXISTS);
	assert_int_equal(index, ARRAY_SIZE(hashes));
	for (i = 0; i < ARRAY_SIZE(hashes); i++)
		check_proof(s, i, &hashes[i]);
	/* Left while it is under way. */
	assert_in_range(store_reach(s), 0, V_AGAIN);
	store_close(s);
	made_end(&m);
	made_dir_remove(dir);
}

static void copy_database(const char *from, const char *to)
{
	char text[300];

	snprintf(text, sizeof(text), "CREATE DATABASE \"%s\" TEMPLATE \"%s\"", to, from);
	assert_int_equal(sql("postgres", "postgres", text), 0);
}

static void put_in_place_of(const char *name, const char *other)
{
	char text[300];

	snprintf(text, sizeof(text), "DROP DATABASE \"%s\" WITH (FORCE)", name);
	assert_int_equal(sql("postgres", "postgres", text), 0);
	snprintf(text, sizeof(text), "ALTER DATABASE \"%s\" RENAME TO \"%s\"", other, name);
	assert_int_equal(sql("postgres", "postgres", text), 0);
}

/* A database that was restored from before what was promised, and one that went on from there otherwise. */
static void old_copies_are_refused(void **state)
{
	_cleanup_buf_ struct buf kept = BUF_INIT(NOTE_SIZE_MAX);
	char dir[256], copy[64], path[300];
	struct why why = {""};
	struct store *s;
	struct made m;
	uint64_t index;
	unsigned i;

	(void)state;
	made_dir(dir, sizeof(dir));
	snprintf(copy, sizeof(copy), "%.50s-copy", made_base(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	for (i = 0; i < 300; i++)
		assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	copy_database(made_base(dir), copy);
	assert_int_equal(made_open(dir, &s, &why), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(buf_put_span(&kept, store_checkpoint(s)), 0);
	put_in_place_of(made_base(dir), copy);
	/* Neither is it gone on from by one that had the other open. */
	assert_true(store_append(s, made_next(&m), &index) < 0);
	assert_true(store_lost(s));
	assert_int_equal(store_again(s, &why), V_BAD);
	assert_true(store_append(s, &m.seg, &index) < 0);
	store_close(s);
	assert_int_equal(made_open(dir, &s, &why), V_BAD);
	assert_non_null(strstr(why.text, "old copy"));
	/* Somebody without that checkpoint goes on from the copy, further than it. */
	snprintf(path, sizeof(path), "%s/checkpoint", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(made_open(dir, &s, &why), 0);
	for (i = 0; i < 9; i++)
		assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	assert_int_equal(file_replace(path, buf_span(&kept), 0644), 0);
	assert_int_equal(made_open(dir, &s, &why), V_BAD);
	assert_non_null(strstr(why.text, "not the same log"));
	made_end(&m);
	made_dir_remove(dir);
}

/* A leaf that somebody with the owner's rights changed: the log's own checkpoint tells. */
static void changed_leaves_are_told(void **state)
{
	struct why why = {""};
	struct store *s;
	struct made m;
	uint64_t index;
	unsigned i;
	char dir[256];

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	/* Not even the owner puts a header there that is not what its hash says. */
	assert_int_not_equal(sql("postgres", made_base(dir),
				     "UPDATE sekisho.leaf SET header = set_byte(header, 40, 1) WHERE idx = 2"),
		0);
	assert_int_equal(sql("postgres", made_base(dir),
				 "UPDATE sekisho.leaf SET header = set_byte(header, 40, 1), hash = "
				 "sha256(set_byte(header, 40, 1)) "
				 "WHERE idx = 2"),
		0);
	assert_int_equal(made_open(dir, &s, &why), V_BAD);
	assert_non_null(strstr(why.text, "are not those of its checkpoint"));
	made_end(&m);
	made_dir_remove(dir);
}

/* Who appends changes nothing that is there; who reads changes nothing at all. */
static void roles_are_what_they_say(void **state)
{
	static const char *const forbidden[] = {
		"DELETE FROM sekisho.leaf",
		"UPDATE sekisho.leaf SET producer = 2",
		"DELETE FROM sekisho.body",
		"TRUNCATE sekisho.body",
		"DELETE FROM sekisho.header",
		"INSERT INTO sekisho.head VALUES (1, '', 1, 1, 1)",
		"UPDATE sekisho.tile SET number = 1",
		"UPDATE sekisho.log SET size = 0",
		"DELETE FROM sekisho.log",
		"INSERT INTO sekisho.month VALUES (209912, 99)",
		"DELETE FROM sekisho.expired",
		"DROP TABLE sekisho.leaf",
		"SELECT sekisho.month_begin(197001, 0)",
		"CREATE TABLE sekisho.more (n bigint)",
	};
	static const char *const not_for_readers[] = {
		"UPDATE sekisho.log SET size = size + 1",
		"INSERT INTO sekisho.witness (line) VALUES ('')",
		"UPDATE sekisho.indexed SET next = 0",
		"SELECT sekisho.forget_index()",
		"SELECT sekisho.expire(202611, 1)",
		"SELECT sekisho.expire_rows(202611, 1, 1)",
		"SELECT FROM sekisho.log FOR UPDATE",
	};
	struct why why = {""};
	struct store *s;
	struct made m;
	uint64_t index;
	char dir[256];
	size_t i;

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	for (i = 0; i < ARRAY_SIZE(forbidden); i++)
		assert_int_not_equal(sql("collector", made_base(dir), forbidden[i]), 0);
	for (i = 0; i < ARRAY_SIZE(not_for_readers); i++)
		assert_int_not_equal(sql("console", made_base(dir), not_for_readers[i]), 0);
	assert_int_equal(sql("console", made_base(dir), "SELECT * FROM sekisho.record, sekisho.leaf"), 0);
	/* The log's size goes one way, for its owner too. */
	assert_int_not_equal(sql("postgres", made_base(dir), "UPDATE sekisho.log SET size = 0"), 0);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(index, 1);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	made_end(&m);
	made_dir_remove(dir);
}

static int open_at(const char *dir, const char *place, struct why *why)
{
	struct store_options o = made_options(dir, NULL);
	struct store *s = NULL;
	int r;

	o.dir = place;
	r = store_open(&o, &s, why);
	store_close(s);
	return r;
}

static void addresses(void **state)
{
	char dir[256], place[400];
	struct why why = {""};

	(void)state;
	made_dir(dir, sizeof(dir));
	snprintf(place, sizeof(place), "postgresql://collector:geheim@/%s?host=%s", made_base(dir), made_server);
	assert_int_equal(open_at(dir, place, &why), V_BAD);
	assert_non_null(strstr(why.text, "password"));
	assert_null(strstr(why.text, "geheim"));
	snprintf(place, sizeof(place), "postgresql://collector@/%s?host=%s&passwort=x", made_base(dir), made_server);
	assert_int_equal(open_at(dir, place, &why), V_BAD);
	assert_non_null(strstr(why.text, "passwort"));
	snprintf(place, sizeof(place), "postgresql://collector@/none?host=%s", made_server);
	why.text[0] = 0;
	assert_true(open_at(dir, place, &why) < 0);
	assert_non_null(strstr(why.text, "does not exist"));
	/* A database without the tables. */
	snprintf(place, sizeof(place), "postgresql://collector@/postgres?host=%s", made_server);
	why.text[0] = 0;
	assert_true(open_at(dir, place, &why) < 0);
	assert_non_null(strstr(why.text, "schema.sql"));
	/* Of several servers the one that takes in. */
	snprintf(place, sizeof(place), "postgresql://collector@%%2Fnowhere,%%2Ftmp%%2F%s/%s",
		strrchr(made_server, '/') + 1, made_base(dir));
	assert_int_equal(open_at(dir, place, &why), 0);
	made_dir_remove(dir);
}

/* The standby never comes, and the administrator calls each wait off. */
static pid_t call_waits_off(unsigned times)
{
	pid_t pid = fork();
	int k;

	for (k = 0; !pid && k < 600; k++) {
		usleep(100000);
		if (ask("postgres", "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = "
				    "'SyncRep'") > 0 &&
			!--times)
			_exit(0);
	}
	if (!pid)
		_exit(1);
	return pid;
}

/* The server's settings anew, until those who connect are told that this one is so. */
static void reload(const char *name, const char *is)
{
	char text[200];
	unsigned i;

	snprintf(text, sizeof(text), "SELECT count(*) FROM pg_settings WHERE name = '%s' AND setting = '%s'", name, is);
	assert_int_equal(sql("postgres", "postgres", "SELECT pg_reload_conf()"), 0);
	for (i = 0; i < 600 && ask("postgres", text) != 1; i++)
		usleep(100000);
	assert_int_equal(ask("postgres", text), 1);
}

/* Until the server waits for its standby: new settings are a process's of its own, which gets to it in its time. */
static void waits_for_standby(void)
{
	char command[512];
	bool waited = false;
	unsigned i;

	snprintf(command, sizeof(command),
		"psql -X -q -h %s -U postgres -d postgres -c \"SELECT pg_logical_emit_message(true, 'x', 'x')\" 2>&1 | "
		"grep -q 'canceling wait'",
		made_server);
	for (i = 0; i < 600 && !waited; i++) {
		pid_t pid = call_waits_off(1);

		waited = system(command) == 0;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	assert_true(waited);
}

/* Nothing is acknowledged on a server that forgets, or before the standby that must have it has it. */
static void durability_is_demanded(void **state)
{
	struct why why = {""};
	struct store *s;
	struct made m;
	uint64_t index;
	char dir[256];
	pid_t pid;
	int status;

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(sql("postgres", "postgres", "ALTER SYSTEM SET fsync = off"), 0);
	reload("fsync", "off");
	assert_int_equal(made_open(dir, &s, &why), V_BAD);
	assert_non_null(strstr(why.text, "fsync = off"));
	assert_int_equal(sql("postgres", "postgres", "ALTER SYSTEM RESET fsync"), 0);
	reload("fsync", "on");
	/* A role that was told not to wait waits all the same. */
	assert_int_equal(sql("postgres", "postgres", "ALTER ROLE collector SET synchronous_commit = off"), 0);
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(sql("postgres", "postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"), 0);
	reload("synchronous_standby_names", "nobody");
	waits_for_standby();
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	/* The server says COMMIT, and warns: the segment can be read, and is on no standby. */
	pid = call_waits_off(3);
	assert_true(store_commit(s) < 0);
	assert_true(store_lost(s));
	/* So it is not found either, and acknowledged to who sends it again, before a standby has it. */
	assert_true(store_again(s, &why) < 0);
	store_close(s);
	assert_true(made_open(dir, &s, &why) < 0);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(sql("postgres", "postgres", "ALTER SYSTEM RESET synchronous_standby_names"), 0);
	reload("synchronous_standby_names", "");
	assert_int_equal(sql("postgres", "postgres", "ALTER ROLE collector RESET synchronous_commit"), 0);
	/* Which it was is found out by the header's hash. */
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_append(s, &m.seg, &index), V_EXISTS);
	assert_int_equal(index, 0);
	store_close(s);
	made_end(&m);
	made_dir_remove(dir);
}

/* --- what collectors share --- */

static char heard[400];

static int on_heard(void *ctx, const char *kind, const char *name)
{
	(void)ctx;
	snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard), "%s=%s;", kind, name);
	return 0;
}

static int on_shelf(void *ctx, const char *name, struct span value)
{
	snprintf(heard + strlen(heard), sizeof(heard) - strlen(heard), "%s=%.*s;", name, (int)value.n,
		(const char *)value.p);
	return ctx ? V_END : 0;
}

static void on_other(void *ctx, const struct header *h)
{
	*(uint64_t *)ctx += h->count;
}

static void open_another(const char *dir, struct store **out, uint64_t *others)
{
	struct store_options o = made_options(dir, NULL);
	struct why why = {""};
	char path[300];

	snprintf(path, sizeof(path), "%s/other", dir);
	o.state_dir = path;
	o.other = on_other;
	o.other_ctx = others;
	assert_int_equal(store_open(&o, out, &why), 0);
}

/* What one puts there the other has; of two who change the same thing one learns that it is not so any more. */
static void the_shelf_is_shared(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(16);
	struct span none = SPAN("", 0), one = SPAN("one", 3), two = SPAN("two", 3);
	struct why why = {""};
	uint64_t others = 0;
	struct store *s, *t;
	char dir[256];

	(void)state;
	made_dir(dir, sizeof(dir));
	assert_int_equal(made_open(dir, &s, &why), 0);
	open_another(dir, &t, &others);
	assert_true(store_shares(s));
	assert_int_equal(store_shelf_get(s, "token", "a", &b), V_NOT_FOUND);
	assert_int_equal(store_shelf_put(s, "token", "a", one, &none), 0);
	assert_int_equal(store_shelf_put(t, "token", "a", two, &none), V_EXISTS);
	assert_int_equal(store_shelf_get(t, "token", "a", &b), 0);
	assert_true(span_eq(buf_span(&b), one));
	assert_int_equal(store_shelf_put(s, "token", "a", two, &one), 0);
	assert_int_equal(store_shelf_put(t, "token", "a", two, &one), V_EXISTS);
	assert_int_equal(store_shelf_put(t, "token", "b", one, NULL), 0);
	assert_int_equal(store_shelf_put(t, "renewal", "b", two, NULL), 0);
	heard[0] = 0;
	assert_int_equal(store_shelf_each(s, "token", on_shelf, NULL), 0);
	assert_string_equal(heard, "a=two;b=one;");
	heard[0] = 0;
	assert_int_equal(store_shelf_each(s, "token", on_shelf, &b), 0);
	assert_string_equal(heard, "a=two;");
	assert_int_equal(store_shelf_drop(s, "token", "a"), 0);
	assert_int_equal(store_shelf_drop(s, "token", "a"), 0);
	buf_clear(&b);
	assert_int_equal(store_shelf_get(t, "token", "a", &b), V_NOT_FOUND);
	assert_int_equal(store_shelf_put(s, "", "a", one, NULL), -EINVAL);
	/* Who only reads the log reads no tokens; and what was signed stays, whoever is at it. */
	assert_int_not_equal(sql("console", made_base(dir), "SELECT * FROM sekisho.shelf"), 0);
	assert_int_equal(store_shelf_put(s, "policy", "7", one, &none), 0);
	assert_int_not_equal(sql("collector", made_base(dir), "DELETE FROM sekisho.shelf WHERE kind = 'policy'"), 0);
	assert_int_not_equal(sql("postgres", made_base(dir), "UPDATE sekisho.shelf SET value = ''"), 0);
	store_close(s);
	store_close(t);
	made_dir_remove(dir);
}

/* Hints come when the server gets to it. */
static void hear_until(struct store *s, const char *want)
{
	unsigned i;

	for (i = 0; i < 1200 && strcmp(heard, want) != 0; i++) {
		usleep(i ? 50000 : 0);
		assert_int_equal(store_hear(s, on_heard, NULL), 0);
	}
	assert_string_equal(heard, want);
}

/* What is shown is kept first, in the folder of who shows it: no older copy of the database is gone on from then. */
static void is_kept(struct store *t, const char *dir)
{
	_cleanup_buf_ struct buf kept = BUF_INIT(4096);
	struct span shown = store_checkpoint(t);
	char path[320];

	snprintf(path, sizeof(path), "%s/other/checkpoint", dir);
	assert_int_equal(file_read(path, &kept), 0);
	assert_int_equal(kept.n, shown.n);
	assert_memory_equal(kept.p, shown.p, shown.n);
}

/* Hints reach the other one, and not who caused them; with them comes what was appended there. */
static void collectors_hear_of_each_other(void **state)
{
	struct store_host h = {.id = {{1, 2, 3}}, .name = "pc-1", .state = HOST_ACTIVE};
	struct why why = {""};
	uint64_t others = 0, index;
	struct store *s, *t;
	struct digest first;
	char dir[256], want[200] = "policy=7;follow=all;host=";
	struct made m;
	unsigned i;

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "collector", PRODUCER_COLLECTOR);
	assert_int_equal(made_open(dir, &s, &why), 0);
	open_another(dir, &t, &others);
	assert_int_equal(store_founder(s, &first), V_NOT_FOUND);
	heard[0] = 0;
	assert_int_equal(store_shelf_put(s, "policy", "7", SPAN("p", 1), NULL), 0);
	assert_int_equal(store_shelf_put(s, "token", "8", SPAN("p", 1), NULL), 0);
	assert_int_equal(store_shelf_put(s, "follow", "all", SPAN("p", 1), NULL), 0);
	assert_int_equal(store_host_put(s, &h), 0);
	h.last_seen_us = 5;
	assert_int_equal(store_host_put(s, &h), 0);
	h.state = HOST_REVOKED;
	assert_int_equal(store_host_put(s, &h), 0);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	hex_encode(want + strlen(want), h.id.b, DIGEST_SIZE);
	strcat(want, ";");
	hear_until(t, want);
	assert_int_equal(store_hear(t, on_heard, NULL), 0);
	assert_int_equal(store_size(t), 1);
	is_kept(t, dir);
	assert_int_equal(others, 1);
	assert_int_equal(store_founder(t, &first), 0);
	assert_memory_equal(first.b, m.host.b, DIGEST_SIZE);
	heard[0] = 0;
	assert_int_equal(store_hear(t, on_heard, NULL), 0);
	assert_int_equal(store_hear(s, on_heard, NULL), 0);
	assert_string_equal(heard, "");
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_refresh(t), 0);
	assert_int_equal(store_size(t), 2);
	is_kept(t, dir);
	/* One whose connection breaks says so. */
	assert_int_equal(sql("postgres", made_base(dir),
				 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'collector'"),
		0);
	for (i = 0; i < 1200 && !store_hear(t, on_heard, NULL); i++)
		usleep(50000);
	assert_true(store_lost(t));
	assert_int_equal(store_again(t, &why), 0);
	assert_int_equal(sql("postgres", made_base(dir), "INSERT INTO sekisho.shelf VALUES ('policy', '9', '')"), 0);
	hear_until(t, "policy=9;");
	store_close(s);
	store_close(t);
	made_end(&m);
	made_dir_remove(dir);
}

/* For how many servers commits wait is the database's to say, and may be demanded. */
static void standbys_are_counted(void **state)
{
	static const struct {
		const char *names;
		unsigned n;
	} says[] = {{"*", 1}, {"a, b", 1}, {"2 (a, b)", 2}, {"FIRST 2 (a, b)", 2}, {"any 3 (a, b, c)", 3},
		{"\"2 (x)\"", 1}, {"", 0}};
	struct store_options o;
	struct why why = {""};
	struct store *s;
	char dir[256], text[200];
	unsigned i, j;

	(void)state;
	made_dir(dir, sizeof(dir));
	assert_int_equal(made_open(dir, &s, &why), 0);
	for (i = 0; i < ARRAY_SIZE(says); i++) {
		snprintf(text, sizeof(text), "ALTER SYSTEM SET synchronous_standby_names = '%s'", says[i].names);
		assert_int_equal(sql("postgres", "postgres", text), 0);
		assert_int_equal(sql("postgres", "postgres", "SELECT pg_reload_conf()"), 0);
		for (j = 0; j < 600; j++) {
			assert_int_equal(store_refresh(s), 0);
			if (store_standbys(s) == says[i].n)
				break;
			usleep(100000);
		}
		assert_int_equal(store_standbys(s), says[i].n);
	}
	store_close(s);
	o = made_options(dir, NULL);
	o.standbys = 1;
	assert_int_equal(store_open(&o, &s, &why), -EAGAIN);
	assert_non_null(strstr(why.text, "wait for 0 standbys"));
	made_dir_remove(dir);
}

/* One at a time, by turns; and not never again after somebody's clock was wrong. */
static void duties_go_round(void **state)
{
	const struct digest a = {{1}}, b = {{2}};
	struct why why = {""};
	struct store *s;
	char dir[256];

	(void)state;
	made_dir(dir, sizeof(dir));
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_duty(s, "cosign", &a, 1000, 100, 10), 0);
	assert_int_equal(store_duty(s, "other", &b, 1000, 100, 10), 0);
	assert_int_equal(store_duty(s, "cosign", &b, 1099, 100, 10), V_AGAIN);
	/* Two clocks are never quite one. */
	assert_int_equal(store_duty(s, "cosign", &b, 999, 100, 10), V_AGAIN);
	assert_int_equal(store_duty(s, "cosign", &a, 1100, 100, 10), V_AGAIN);
	assert_int_equal(store_duty(s, "cosign", &b, 1100, 100, 10), 0);
	assert_int_equal(store_duty(s, "cosign", &a, 1150, 100, 10), V_AGAIN);
	assert_int_equal(store_duty(s, "cosign", &b, 1210, 100, 10), 0);
	assert_int_equal(store_duty(s, "cosign", &a, 900, 100, 10), 0);
	store_close(s);
	made_dir_remove(dir);
}

/* A database of before: its collector goes on as ever, also while what is shared is added. */
static void an_older_database(void **state)
{
	char dir[256];
	struct why why = {""};
	struct store *s, *t;
	uint64_t index, others = 0;
	struct made m;

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(sql("postgres", made_base(dir),
				 "DROP TABLE sekisho.shared, sekisho.shelf, sekisho.duty; DROP TRIGGER host_tells ON "
				 "sekisho.host; DROP FUNCTION sekisho.host_tells, sekisho.shelf_tells, "
				 "sekisho.policy_stays"),
		0);
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_false(store_shares(s));
	assert_int_equal(store_shelf_put(s, "token", "a", SPAN("", 0), NULL), -ENOSYS);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(made_run((const char *[]){"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", made_server, "-U",
				 "postgres", "-d", made_base(dir), "-f",
				 TEST_ROOT "/collector/store/postgresql/shared.sql", NULL}),
		0);
	assert_int_equal(store_commit(s), 0);
	open_another(dir, &t, &others);
	assert_true(store_shares(t));
	assert_int_equal(store_size(t), 2);
	store_close(t);
	assert_int_equal(sql("postgres", made_base(dir), "UPDATE sekisho.shared SET version = 2"), 0);
	assert_int_equal(made_open(dir, &t, &why), V_BAD);
	assert_non_null(strstr(why.text, "another version"));
	store_close(s);
	made_end(&m);
	made_dir_remove(dir);
}

static int64_t december_us(void)
{
	return INT64_C(1796083200) * 1000000; /* 2026-12-01 */
}

static int64_t november_us(void)
{
	return INT64_C(1793491200) * 1000000; /* 2026-11-01 */
}

static int on_found(void *ctx, const struct store_row *row)
{
	(void)row;
	++*(unsigned *)ctx;
	return 0;
}

static unsigned found_of(struct store *s, const char *host)
{
	struct store_filter f = {.host = host};
	struct why why = {""};
	unsigned found = 0;

	assert_int_equal(store_query(s, &f, on_found, &found, &why), 0);
	return found;
}

/* By the program that all of them are of. */
static unsigned named_of(struct store *s)
{
	struct store_filter f = {.program = "soffice"};
	struct why why = {""};
	unsigned found = 0;

	assert_int_equal(store_query(s, &f, on_found, &found, &why), 0);
	return found;
}

static int upgrade(const char *dir, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), TEST_ROOT "/collector/store/postgresql/%s", file);
	return made_run((const char *[]){"psql", "-X", "-q", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-v",
		"hosts=3", "-h", made_server, "-U", "postgres", "-d", made_base(dir), "-f", path, NULL});
}

static void put_some(struct store *s, struct made *m, unsigned pcs, unsigned each)
{
	uint64_t index;
	unsigned i;

	for (i = 0; i < pcs * each; i++)
		assert_int_equal(put(s, made_next(&m[i % pcs]), &index), 0);
	assert_int_equal(store_commit(s), 0);
	made_index(s);
}

static void read_all(struct store *s)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX);
	struct why why = {""};
	uint64_t i;

	for (i = 0; i < store_size(s); i++) {
		buf_clear(&header);
		buf_clear(&body);
		assert_int_equal(store_read(s, i, &header, &body, &why), 0);
		assert_true(body.n > 0);
	}
}

#define PCS 8u

/*
 * Tables of version 1: read and written as they are; brought to versions 2 and 3 while two have them open, who go on.
 * The database itself says where each row lies, and which have names.
 */
static void tables_of_version_1(void **state)
{
	static const char divided[] = "SELECT count(*) FROM pg_partition_tree('sekisho.leaf') WHERE level = 2";
	char dir[256], other[300], hex[PCS][2 * DIGEST_SIZE + 1];
	struct store_month month;
	struct why why = {""};
	struct store *s, *t;
	struct made m[PCS];
	unsigned i, total;
	uint64_t freed;
	bool left;

	(void)state;
	made_dir(dir, sizeof(dir));
	assert_int_equal(made_server_run("drop", made_base(dir)), 0);
	assert_int_equal(made_server_run("former", made_base(dir)), 0);
	for (i = 0; i < PCS; i++) {
		snprintf(other, sizeof(other), "pc-%u", i);
		made_begin(&m[i], other, PRODUCER_RECORDER);
		hex_encode(hex[i], m[i].host.b, DIGEST_SIZE);
	}
	{
		struct store_options o = made_options(dir, november_us);

		assert_int_equal(store_open(&o, &s, &why), 0);
		put_some(s, m, PCS, 3);
		snprintf(other, sizeof(other), "%s/other", dir);
		o.now_us = december_us;
		o.state_dir = other;
		assert_int_equal(store_open(&o, &t, &why), 0);
	}
	assert_int_equal(ask(made_base(dir), "SELECT version FROM sekisho.log"), 1);
	assert_int_equal(found_of(s, hex[1]), 3);
	assert_int_equal(upgrade(dir, "upgrade-2.sql"), 0);
	/* In the month that was there, its table as it was; and in one that begins. */
	put_some(s, m, PCS, 3);
	assert_int_equal(ask(made_base(dir), divided), 0);
	put_some(t, m, PCS, 3);
	assert_int_equal(ask(made_base(dir), divided), 3);
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.leaf WHERE host_hash = 0"), 3 * PCS);
	/* By another hand than ours: the first bytes of the id in the signed header are those of the chain's host. */
	for (i = 0; i < 3; i++) {
		static const char *const tables[] = {"leaf l", "body l", "record l"};
		char text[400];

		snprintf(text, sizeof(text),
			"SELECT count(*) FROM sekisho.%s JOIN sekisho.header h ON h.idx = l.%s JOIN sekisho.chain c ON "
			"c.id = h.chain WHERE l.host_hash = ('x' || encode(substr(c.host, 1, 4), "
			"'hex'))::bit(32)::integer",
			tables[i], i == 2 ? "row >> 15" : "idx");
		assert_int_equal(ask(made_base(dir), text), 6 * PCS);
		snprintf(text, sizeof(text), "SELECT count(DISTINCT tableoid) FROM sekisho.%s WHERE %s", tables[i],
			i == 1 ? "part / 100 = 202612" : "month = 202612");
		assert_in_range(ask(made_base(dir), text), 2, 3);
	}
	assert_int_equal(store_refresh(s), 0);
	read_all(s);
	read_all(t);
	for (i = 0; i < PCS; i++)
		assert_int_equal(found_of(t, hex[i]), 9);
	/* Both kinds of months are told of, and go. */
	assert_int_equal(store_month(t, "2026-12", &month), 0);
	assert_int_equal(month.channels[PRODUCER_RECORDER].segments, 3 * PCS);
	assert_true(month.channels[PRODUCER_RECORDER].bytes > 0);
	assert_int_equal(store_expire(t, "2026-11", PRODUCER_RECORDER, &freed, &left), 0);
	assert_true(freed > 0);
	assert_int_equal(found_of(t, hex[0]), 3);
	/* Only rows that come then have names, and until all have, they are found without. */
	total = (unsigned)ask(made_base(dir), "SELECT count(*) FROM sekisho.record");
	assert_int_equal(upgrade(dir, "upgrade-3.sql"), 0);
	assert_int_equal(named_of(t), total);
	put_some(t, m, PCS, 3);
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.record WHERE names <> '{}'"), 3 * PCS);
	assert_int_equal(store_refresh(s), 0);
	assert_int_equal(named_of(s), total + 3 * PCS);
	assert_int_equal(named_of(t), total + 3 * PCS);
	/* Made anew it says the same; the second time it is no upgrade; and what is newer than this is left alone. */
	store_close(s);
	assert_int_equal(upgrade(dir, "upgrade-2.sql"), 3);
	assert_int_equal(upgrade(dir, "upgrade-3.sql"), 3);
	assert_int_equal(store_rebuild(t, NULL, NULL, &why), 0);
	assert_int_equal(found_of(t, hex[0]), 6);
	total = (unsigned)ask(made_base(dir), "SELECT count(*) FROM sekisho.record");
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.record WHERE names <> '{}'"), total);
	assert_int_equal(named_of(t), total);
	/* That it is asked by the names: where they are taken away nothing is found. */
	assert_int_equal(sql("postgres", made_base(dir), "UPDATE sekisho.record SET names = '{}'"), 0);
	assert_int_equal(named_of(t), 0);
	store_close(t);
	assert_int_equal(
		sql("postgres", made_base(dir),
			"ALTER TABLE sekisho.log DISABLE TRIGGER log_grows; UPDATE sekisho.log SET version = 4"),
		0);
	assert_int_equal(made_open(dir, &s, &why), V_BAD);
	assert_non_null(strstr(why.text, "are of version 4"));
	for (i = 0; i < PCS; i++)
		made_end(&m[i]);
	made_dir_remove(dir);
}

/* Where others append all the time, who was told that they did has the turn, and gives it away unused. */
static void who_was_told_has_the_turn(void **state)
{
	struct why why = {""};
	uint64_t index, others = 0;
	struct store *s, *t;
	struct made m[2];
	char dir[256];

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m[0], "pc-0", PRODUCER_RECORDER);
	made_begin(&m[1], "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	open_another(dir, &t, &others);
	assert_int_equal(store_append(s, made_next(&m[0]), &index), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_append(t, made_next(&m[1]), &index), V_AGAIN);
	assert_int_equal(
		sql("collector", made_base(dir), "SET lock_timeout = 100; SELECT FROM sekisho.log FOR UPDATE"), 1);
	assert_int_equal(store_commit(t), 0);
	assert_int_equal(store_append(t, &m[1].seg, &index), 0);
	assert_int_equal(index, 1);
	assert_int_equal(store_commit(t), 0);
	assert_int_equal(store_append(s, made_next(&m[0]), &index), V_AGAIN);
	store_rest(s);
	assert_int_equal(store_append(t, made_next(&m[1]), &index), 0);
	store_rest(t); /* something waits: nothing happens */
	assert_int_equal(store_commit(t), 0);
	assert_int_equal(index, 2);
	store_close(s);
	store_close(t);
	made_end(&m[0]);
	made_end(&m[1]);
	made_dir_remove(dir);
}

/* --- others are waited for --- */

#define WAITS_US 1000000u

static int open_waiting(const char *dir, const char *state, struct store **out, struct why *why)
{
	struct store_options o = made_options(dir, NULL);

	o.wait_us = WAITS_US;
	if (state)
		o.state_dir = state;
	return store_open(&o, out, why);
}

static void standby(bool away)
{
	assert_int_equal(sql("postgres", "postgres",
				 away ? "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
				      : "ALTER SYSTEM RESET synchronous_standby_names"),
		0);
	assert_int_equal(sql("postgres", "postgres", "SELECT pg_reload_conf(), pg_sleep(0.5)"), 0);
}

/* As who has something else to do meanwhile. */
static int commit_in_the_end(struct store *s)
{
	unsigned i;
	int r = V_AGAIN;

	for (i = 0; r == V_AGAIN && i < 600; i++) {
		r = store_commit(s);
		if (r == V_AGAIN)
			usleep(100000);
	}
	return r;
}

/* The standby is away: the commit is nobody's yet, and all else is answered. */
static void a_commit_waits_by_itself(void **state)
{
	struct store_host h = {.state = HOST_ACTIVE, .name = "pc-1", .spki_len = 1}, got;
	_cleanup_buf_ struct buf b = BUF_INIT(64);
	struct why why = {""};
	struct store_head head;
	struct digest first;
	struct store *s;
	struct made m;
	uint64_t index, seq, left;
	char dir[256];
	unsigned n;

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	h.id = m.host;
	assert_int_equal(open_waiting(dir, NULL, &s, &why), 0);
	assert_true(store_trails(s));
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(commit_in_the_end(s), 0);
	first = m.seg.hash;
	standby(true);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_false(store_waits(s));
	assert_int_equal(store_commit(s), V_AGAIN);
	assert_true(store_waits(s));
	assert_false(store_lost(s));
	assert_int_equal(store_commit(s), V_AGAIN);
	/* Neither is it to be seen, by nobody, nor does anything come behind it. */
	assert_int_equal(store_size(s), 1);
	assert_int_equal(store_refresh(s), 0);
	assert_int_equal(store_size(s), 1);
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.leaf"), 1);
	assert_int_equal(store_find(s, &m.seg.hash, &index, &seq), V_NOT_FOUND);
	assert_int_equal(store_append(s, &m.seg, &index), V_AGAIN);
	store_rest(s);
	assert_int_equal(store_commit(s), V_AGAIN);
	/* All else is answered, and none of it waits. */
	check_proof(s, 0, &first);
	assert_int_equal(store_heads(s, &m.host, PRODUCER_RECORDER, &head, 1, &n), 0);
	assert_memory_equal(head.hash.b, first.b, DIGEST_SIZE);
	assert_int_equal(store_host_put(s, &h), 0);
	assert_int_equal(store_host_get(s, &h.id, &got), 0);
	assert_int_equal(store_shelf_put(s, "policy", "7", SPAN("p", 1), NULL), 0);
	assert_int_equal(store_shelf_get(s, "policy", "7", &b), 0);
	assert_int_equal(store_hear(s, on_heard, NULL), 0);
	do
		assert_int_equal(store_index_step(s, 64, &left), 0);
	while (left);
	assert_true(store_waits(s));
	/* It is there: so is the commit, with what was appended and its proof. */
	standby(false);
	assert_int_equal(commit_in_the_end(s), 0);
	assert_false(store_waits(s));
	assert_int_equal(store_size(s), 2);
	check_proof(s, 0, &first);
	check_proof(s, 1, &m.seg.hash);
	assert_int_equal(store_append(s, &m.seg, &index), V_EXISTS);
	assert_int_equal(index, 1);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(index, 2);
	assert_int_equal(commit_in_the_end(s), 0);
	/* Nothing is appended, and nothing waits; but where something is promised that stands beside the log already.
	 */
	standby(true);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_host_put(s, &h), 0);
	store_promise(s);
	assert_int_equal(store_commit(s), V_AGAIN);
	assert_true(store_waits(s));
	/* Once more, while that is waited for: it is not answered with it. */
	store_promise(s);
	standby(false);
	assert_int_equal(commit_in_the_end(s), 0);
	standby(true);
	assert_int_equal(store_commit(s), V_AGAIN);
	standby(false);
	assert_int_equal(commit_in_the_end(s), 0);
	assert_false(store_waits(s));
	assert_int_equal(store_size(s), 3);
	/* Who closes it meanwhile waits for nothing; who opens it then finds out. */
	standby(true);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	store_promise(s);
	assert_int_equal(store_commit(s), V_AGAIN);
	store_close(s);
	assert_int_equal(ask(made_base(dir), "SELECT size FROM sekisho.log"), 3);
	standby(false);
	assert_int_equal(open_waiting(dir, NULL, &s, &why), 0);
	assert_int_equal(put(s, &m.seg, &index), V_EXISTS);
	assert_int_equal(index, 3);
	assert_int_equal(store_size(s), 4);
	store_close(s);
	made_end(&m);
	made_dir_remove(dir);
}

/* Another one's commit waits, with the turn: so does this one, and tells nothing that it would have to take back. */
static void a_turn_waits_by_itself(void **state)
{
	char dir[256], other[300];
	struct why why = {""};
	struct store *s, *t;
	struct made m[2];
	uint64_t index;

	(void)state;
	made_dir(dir, sizeof(dir));
	snprintf(other, sizeof(other), "%s/other", dir);
	made_begin(&m[0], "pc-0", PRODUCER_RECORDER);
	made_begin(&m[1], "pc-1", PRODUCER_RECORDER);
	assert_int_equal(open_waiting(dir, NULL, &s, &why), 0);
	assert_int_equal(open_waiting(dir, other, &t, &why), 0);
	standby(true);
	assert_int_equal(store_append(s, made_next(&m[0]), &index), 0);
	assert_int_equal(store_commit(s), V_AGAIN);
	assert_int_equal(store_append(t, made_next(&m[1]), &index), V_AGAIN);
	assert_true(store_waits(t));
	assert_int_equal(store_commit(t), V_AGAIN);
	store_rest(t);
	assert_true(store_waits(t));
	assert_int_equal(store_refresh(t), 0);
	assert_int_equal(store_size(t), 0);
	standby(false);
	assert_int_equal(commit_in_the_end(t), 0);
	assert_false(store_waits(t));
	assert_int_equal(commit_in_the_end(s), 0);
	/* The turn that came stays with it. */
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
					     "AND state = 'idle in transaction'"),
		1);
	assert_int_equal(put(t, &m[1].seg, &index), 0);
	assert_int_equal(index, 1);
	assert_int_equal(commit_in_the_end(t), 0);
	/* A connection that breaks meanwhile: what it was, and then the standby that must have what was found. */
	assert_int_equal(put(s, made_next(&m[0]), &index), 0);
	standby(true);
	assert_int_equal(store_commit(s), V_AGAIN);
	store_close(t);
	assert_int_equal(sql("postgres", "postgres",
				 "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
				 "usename = 'collector'"),
		0);
	assert_true(commit_in_the_end(s) < 0);
	assert_true(store_lost(s));
	assert_int_equal(store_again(s, &why), V_AGAIN);
	assert_non_null(strstr(why.text, "a standby"));
	assert_true(store_lost(s));
	assert_true(store_append(s, &m[0].seg, &index) < 0);
	assert_int_equal(store_reach(s), 0);
	assert_int_equal(store_again(s, &why), V_AGAIN);
	standby(false);
	while (store_again(s, &why) == V_AGAIN)
		usleep(100000);
	assert_false(store_lost(s));
	assert_int_equal(put(s, &m[0].seg, &index), V_EXISTS);
	assert_int_equal(index, 2);
	store_close(s);
	made_end(&m[0]);
	made_end(&m[1]);
	made_dir_remove(dir);
}

/* Who takes the turn sees what others have appended, and nobody appends before it is done. */
static void a_turn_is_taken(void **state)
{
	static const char locked[] = "SET lock_timeout = 100; SELECT FROM sekisho.log FOR UPDATE";
	struct why why = {""};
	uint64_t index, next, others = 0;
	struct store *s, *t, *reader;
	struct store_options o;
	struct made m[2];
	char dir[256];

	(void)state;
	made_dir(dir, sizeof(dir));
	o = made_options(dir, NULL);
	o.log_key = NULL;
	made_begin(&m[0], "pc-0", PRODUCER_RECORDER);
	made_begin(&m[1], "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	open_another(dir, &t, &others);
	assert_int_equal(store_append(s, made_next(&m[0]), &index), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_turn(t, &next), 0);
	assert_int_equal(next, 1);
	assert_int_equal(store_size(t), 1);
	assert_int_equal(sql("collector", made_base(dir), locked), 1);
	/* Told already: the first append of the turn is no question any more. */
	assert_int_equal(store_append(t, made_next(&m[1]), &index), 0);
	assert_int_equal(index, next);
	assert_int_equal(store_turn(t, &next), 0);
	assert_int_equal(next, 2);
	assert_int_equal(store_commit(t), 0);
	/* Given back unused. */
	assert_int_equal(store_turn(s, &next), 0);
	assert_int_equal(next, 2);
	store_rest(s);
	assert_int_equal(sql("collector", made_base(dir), locked), 0);
	assert_int_equal(store_turn(s, &next), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(sql("collector", made_base(dir), locked), 0);
	assert_int_equal(store_open(&o, &reader, &why), 0);
	assert_int_equal(store_turn(reader, &next), -EROFS);
	store_close(reader);
	store_close(s);
	store_close(t);
	made_end(&m[0]);
	made_end(&m[1]);
	made_dir_remove(dir);
}

/* --- what goes --- */

static const char *at_month; /* when leaves are put in */

static int64_t at_month_us(void)
{
	struct tm tm = {.tm_mday = 15};

	assert_non_null(strptime(at_month, "%Y-%m", &tm));
	return (int64_t)timegm(&tm) * 1000000;
}

/* Another session, which has done `text` and stays until it is closed. */
static FILE *hold(const char *database, const char *text)
{
	static const char held[] = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND "
				   "application_name = 'psql' AND datname = current_database()";
	char command[300];
	FILE *f;
	unsigned i;

	snprintf(command, sizeof(command), "psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -h %s -U postgres -d '%s'",
		made_server, database);
	f = popen(command, "w");
	assert_non_null(f);
	fprintf(f, "BEGIN;\n%s;\n", text);
	fflush(f);
	for (i = 0; ask(database, held) != 1 && i < 600; i++)
		usleep(100000);
	return f;
}

static void let_go(FILE *f)
{
	assert_int_equal(pclose(f), 0);
}

/* One who serves, with two channels of 2026-11 and 2026-12, indexed; 2027-01 is being written. */
static struct store *open_with_months(const char *dir, struct made *m)
{
	struct store_options o = made_options(dir, at_month_us);
	struct why why = {""};
	struct store *s;

	o.wait_us = 1000000;
	at_month = "2026-11";
	assert_int_equal(store_open(&o, &s, &why), 0);
	made_begin(&m[0], "pc-0", PRODUCER_RECORDER);
	made_begin(&m[1], "pc-0", PRODUCER_GUARD);
	put_some(s, m, 2, 5);
	at_month = "2026-12";
	put_some(s, m, 2, 5);
	at_month = "2027-01";
	put_some(s, m, 2, 1);
	return s;
}

static void close_with_months(struct store *s, struct made *m)
{
	store_close(s);
	made_end(&m[0]);
	made_end(&m[1]);
}

#define ROWS_OF(month, producer)                                                                            \
	"SELECT count(*) FROM sekisho.record r JOIN sekisho.chain c ON c.id = r.chain WHERE month = " month \
	" AND producer = " producer
#define COUNTED_RIGHT "SELECT (SELECT count(*) FROM sekisho.record) - (SELECT records FROM sekisho.indexed)"

/* Somebody reads what is to go, as a backup does until it ends: nothing is lost by it, and it goes then. */
static void what_is_read_goes_later(void **state)
{
	struct store *s;
	struct made m[2];
	uint64_t index, freed;
	bool left;
	char dir[256];
	FILE *f;

	(void)state;
	made_dir(dir, sizeof(dir));
	s = open_with_months(dir, m);
	f = hold(made_base(dir), "LOCK TABLE sekisho.body_20261101 IN ACCESS SHARE MODE");
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), V_AGAIN);
	assert_false(store_lost(s));
	assert_int_equal(freed, 0);
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.expired"), 0);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202611", "1")), 5);
	/* What nobody reads goes meanwhile, and all else is as it was. */
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_GUARD, &freed, &left), 0);
	assert_true(freed > 0);
	assert_int_equal(store_append(s, made_next(&m[0]), &index), 0);
	assert_int_equal(store_commit(s), 0);
	let_go(f);
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), 0);
	assert_true(freed > 0);
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.body WHERE part / 100 = 202611"), 0);
	close_with_months(s, m);
	made_dir_remove(dir);
}

/*
 * Others make the index without a pause, and each time for longer than is waited: between two of them is the moment in
 * which it goes all the same, after some tries.
 */
static void index_without_pause(void **state)
{
#define OTHERS                                                                                        \
	"FROM pg_stat_activity WHERE application_name = 'psql' AND datname = current_database() AND " \
	"pid <> pg_backend_pid()"
	static const char lock[] = "SELECT FROM sekisho.indexed FOR UPDATE";
	struct store *s;
	struct made m[2];
	unsigned i, tries;
	uint64_t freed;
	bool left;
	char dir[256];
	FILE *f;
	int r;

	(void)state;
	made_dir(dir, sizeof(dir));
	s = open_with_months(dir, m);
	f = hold(made_base(dir), lock);
	for (i = 0; i < 400; i++)
		fprintf(f, "SELECT pg_sleep(0.15); COMMIT; BEGIN; %s;\n", lock);
	fflush(f);
	r = store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left);
	assert_int_equal(r, V_AGAIN);
	for (tries = 1; r == V_AGAIN && tries < 300; tries++)
		r = store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left);
	assert_int_equal(r, 0);
	assert_true(freed > 0);
	/* The others were at it all the time. */
	assert_int_equal(ask(made_base(dir), "SELECT count(pg_terminate_backend(pid)) " OTHERS), 1);
	pclose(f);
#undef OTHERS
	close_with_months(s, m);
	made_dir_remove(dir);
}

/* Rows go a part at a time, by one at a time; where that is cut off, whoever comes next goes on. */
static void rows_go_in_parts(void **state)
{
	static const char part[] = "SELECT sekisho.expire_rows(202611, 1, 3)";
	struct store *s;
	struct made m[2];
	uint64_t freed, left_to_index;
	bool left;
	char dir[256];
	FILE *f;

	(void)state;
	made_dir(dir, sizeof(dir));
	s = open_with_months(dir, m);
	assert_int_equal(ask(made_base(dir), part), 0);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202611", "1")), 5);
	/* The bodies go at once, their rows behind them; not while somebody makes the index. */
	assert_int_equal(ask(made_base(dir), "SELECT least(1, sekisho.expire(202611, 1))"), 1);
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.body WHERE part = 20261101"), 0);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202611", "1")), 5);
	f = hold(made_base(dir), "SELECT FROM sekisho.indexed FOR UPDATE");
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), 0);
	assert_true(left);
	/* To take bodies away waits for that one, too; not for long. */
	assert_int_equal(store_expire(s, "2026-12", PRODUCER_RECORDER, &freed, &left), V_AGAIN);
	assert_false(store_lost(s));
	let_go(f);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202611", "1")), 5);
	/* Of each three rows in the order of the log one or two are of this channel. */
	assert_int_equal(ask(made_base(dir), part), 1);
	assert_in_range(ask(made_base(dir), ROWS_OF("202611", "1")), 3, 4);
	assert_int_equal(ask(made_base(dir), COUNTED_RIGHT), 0);
	/* Who opens it now goes on, and leaves the others'. */
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), 0);
	assert_false(left);
	assert_int_equal(freed, 0);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202611", "1")), 0);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202611", "2")), 5);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202612", "1")), 5);
	assert_int_equal(ask(made_base(dir), COUNTED_RIGHT), 0);
	assert_int_equal(ask(made_base(dir), "SELECT count(*) FROM sekisho.expired WHERE rows_from IS NOT NULL"), 0);
	/* It takes as many transactions as it takes. */
	assert_int_equal(
		sql("postgres", made_base(dir),
			"INSERT INTO sekisho.record (month, row, time, chain, kind, class, usr, program, path, "
			"path2, args) SELECT 202612, (1::bigint << 40) + i, i, (SELECT id FROM sekisho.chain WHERE "
			"producer = 1 LIMIT 1), 1, 0, '', '', '', '', '' FROM generate_series(1, 20000) i"),
		0);
	assert_int_equal(sql("postgres", made_base(dir), "UPDATE sekisho.indexed SET records = records + 20000"), 0);
	assert_int_equal(store_expire(s, "2026-12", PRODUCER_RECORDER, &freed, &left), 0);
	assert_true(freed > 0);
	while (left)
		assert_int_equal(store_expire(s, "2026-12", PRODUCER_RECORDER, &freed, &left), 0);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202612", "1")), 0);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202612", "2")), 5);
	assert_int_equal(ask(made_base(dir), COUNTED_RIGHT), 0);
	assert_int_equal(store_index_step(s, 64, &left_to_index), 0);
	close_with_months(s, m);
	made_dir_remove(dir);
}

/* Tables of before rows went in parts: they go with the bodies, until expire.sql is run, while all goes on. */
static void rows_go_at_once_as_before(void **state)
{
	struct store *s;
	struct made m[2];
	uint64_t freed;
	bool left;
	char dir[256];
	FILE *f;

	(void)state;
	made_dir(dir, sizeof(dir));
	assert_int_equal(made_server_run("drop", made_base(dir)), 0);
	assert_int_equal(made_server_run("former", made_base(dir)), 0);
	s = open_with_months(dir, m);
	f = hold(made_base(dir), "LOCK TABLE sekisho.body_20261101 IN ACCESS SHARE MODE");
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), V_AGAIN);
	assert_false(store_lost(s));
	let_go(f);
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), 0);
	assert_true(freed > 0);
	assert_false(left);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202611", "1")), 0);
	assert_int_equal(upgrade(dir, "expire.sql"), 0);
	assert_int_equal(upgrade(dir, "expire.sql"), 0);
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), 0);
	assert_int_equal(freed, 0);
	assert_int_equal(ask(made_base(dir), "SELECT least(1, sekisho.expire(202612, 1))"), 1);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202612", "1")), 5);
	assert_int_equal(store_expire(s, "2026-12", PRODUCER_RECORDER, &freed, &left), 0);
	assert_false(left);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202612", "1")), 0);
	assert_int_equal(ask(made_base(dir), ROWS_OF("202612", "2")), 5);
	assert_int_equal(ask(made_base(dir), COUNTED_RIGHT), 0);
	close_with_months(s, m);
	made_dir_remove(dir);
}

/* Segments of a month are counted in parts, while others are served: nothing is said of them until all are. */
static void months_are_counted_in_parts(void **state)
{
	struct store_month month;
	struct store *s;
	struct made m[2];
	unsigned asked = 0;
	char dir[256];

	(void)state;
	made_dir(dir, sizeof(dir));
	s = open_with_months(dir, m);
	/* Of more leaves than one question takes, as if the month behind it had begun later. */
	assert_int_equal(sql("postgres", made_base(dir),
				 "UPDATE sekisho.month SET first = first + 300000 WHERE month > 202611; "
				 "INSERT INTO sekisho.leaf (month, idx, producer, hash, header) SELECT 202611, i, 1 + "
				 "i % 3 % 2, "
				 "sha256(int8send(i)), int8send(i) FROM generate_series(10, 300009) i"),
		0);
	do {
		assert_int_equal(store_month(s, "2026-11", &month), 0);
		assert_int_equal(month.count, 300010);
		assert_true(month.counted || !month.channels[PRODUCER_RECORDER].segments);
		asked++;
	} while (!month.counted);
	assert_true(asked > 1);
	assert_int_equal(month.channels[PRODUCER_RECORDER].segments, 200005);
	assert_int_equal(month.channels[PRODUCER_GUARD].segments, 100005);
	assert_false(month.open);
	/* It is remembered. */
	assert_int_equal(
		sql("postgres", made_base(dir), "DELETE FROM sekisho.leaf WHERE month = 202611 AND idx >= 10"), 0);
	assert_int_equal(store_month(s, "2026-11", &month), 0);
	assert_true(month.counted);
	assert_int_equal(month.channels[PRODUCER_RECORDER].segments, 200005);
	close_with_months(s, m);
	made_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collectors_take_turns),
		cmocka_unit_test(a_stopped_collector_holds_up_nobody),
		cmocka_unit_test(the_server_dies),
		cmocka_unit_test(the_server_comes_back),
		cmocka_unit_test(old_copies_are_refused),
		cmocka_unit_test(changed_leaves_are_told),
		cmocka_unit_test(roles_are_what_they_say),
		cmocka_unit_test(addresses),
		cmocka_unit_test(durability_is_demanded),
		cmocka_unit_test(the_shelf_is_shared),
		cmocka_unit_test(collectors_hear_of_each_other),
		cmocka_unit_test(standbys_are_counted),
		cmocka_unit_test(duties_go_round),
		cmocka_unit_test(an_older_database),
		cmocka_unit_test(tables_of_version_1),
		cmocka_unit_test(what_is_read_goes_later),
		cmocka_unit_test(index_without_pause),
		cmocka_unit_test(rows_go_in_parts),
		cmocka_unit_test(rows_go_at_once_as_before),
		cmocka_unit_test(months_are_counted_in_parts),
		cmocka_unit_test(who_was_told_has_the_turn),
		cmocka_unit_test(a_commit_waits_by_itself),
		cmocka_unit_test(a_turn_waits_by_itself),
		cmocka_unit_test(a_turn_is_taken),
	};

	setenv("SEKISHO_TEST_STORE", "postgresql", 1);
	return made_status(cmocka_run_group_tests(tests, made_server_start, made_server_stop));
}
