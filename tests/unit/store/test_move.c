/*
 * Moving a log from one store to another: to a folder, and, where SEKISHO_TEST_STORE says so, to a database and back.
 * What is moved is compared by what comes out of the other store; what goes wrong must leave the source what it was.
 */
#include "collector/store/move.h"
#include "tests/unit/store/made.h"
#include <errno.h>
#include <signal.h>

#define HOSTS 3u

/* Which month it is for the store that is being made. */
static int64_t clock_us;

static int64_t now(void)
{
	return clock_us;
}

struct bed {
	char from[256], to[256], back[256], state[300];
	struct made m[HOSTS], guard, own;
	struct store *s;
	uint64_t n;
};

static void put(struct bed *b, const struct segment *seg)
{
	uint64_t index;

	assert_int_equal(store_append(b->s, seg, &index), 0);
	assert_int_equal(index, b->n++);
}

static void fill(struct bed *b, unsigned rounds)
{
	unsigned i;

	for (i = 0; i < rounds; i++) {
		put(b, made_next(&b->m[i % HOSTS]));
		if (i % 4 == 0)
			put(b, made_next(&b->guard));
		if (i % 50 == 49)
			assert_int_equal(store_commit(b->s), 0);
	}
	assert_int_equal(store_commit(b->s), 0);
}

static struct store_options options(const char *place, const char *state)
{
	return (struct store_options){
		.dir = place, .state_dir = state, .log_key = made_log_key(), .origin = MADE_ORIGIN, .now_us = now};
}

static void open_to_write(const char *place, const char *state, struct store **out)
{
	struct store_options o = options(place, state);
	struct why why = {""};
	int r = store_open(&o, out, &why);

	if (r)
		fail_msg("%s: %s", place, why.text);
}

/* A folder with two months, of the first of which one channel has expired, PCs, witnesses, a cosigned checkpoint. */
static void begin(struct bed *b)
{
	struct store_host h = {
		.name = "pc-1", .state = HOST_REVOKED, .spki = {1, 2, 3}, .spki_len = 3, .enrolled_us = 5};
	char name[16];
	uint64_t freed;
	bool left;
	unsigned i;

	*b = (struct bed){.n = 0};
	made_dir(b->from, sizeof(b->from));
	made_dir(b->to, sizeof(b->to));
	made_dir(b->back, sizeof(b->back));
	snprintf(b->state, sizeof(b->state), "%s/state", b->to);
	for (i = 0; i < HOSTS; i++) {
		snprintf(name, sizeof(name), "pc-%u", i);
		made_begin(&b->m[i], name, PRODUCER_RECORDER);
	}
	made_begin(&b->guard, "pc-0", PRODUCER_GUARD);
	made_begin(&b->own, "collector", PRODUCER_COLLECTOR);
	open_to_write(b->from, NULL, &b->s);
	clock_us = INT64_C(1780000000000000); /* 2026-05 */
	put(b, made_next(&b->own));
	fill(b, 300);
	clock_us = INT64_C(1783000000000000); /* 2026-07: there is no 2026-06 */
	fill(b, 300);
	made_index(b->s);
	assert_int_equal(store_expire(b->s, "2026-05", PRODUCER_GUARD, &freed, &left), 0);
	assert_true(freed > 0);
	made_index(b->s);
	h.id = b->m[1].host;
	assert_int_equal(store_host_put(b->s, &h), 0);
	assert_int_equal(store_witness_add(b->s, SPAN_STR("witness-1 a b")), 0);
	assert_int_equal(store_witness_add(b->s, SPAN_STR("witness-2 a b")), 0);
	assert_int_equal(store_cosign(b->s, store_checkpoint(b->s)), 0);
	store_close(b->s);
	b->s = NULL;
}

static void finish(struct bed *b)
{
	unsigned i;

	store_close(b->s);
	for (i = 0; i < HOSTS; i++)
		made_end(&b->m[i]);
	made_end(&b->guard);
	made_end(&b->own);
	made_dir_remove(b->from);
	made_dir_remove(b->to);
	made_dir_remove(b->back);
}

static int never(void *ctx, uint64_t leaves)
{
	(void)ctx;
	(void)leaves;
	return -ECANCELED;
}

static struct move move_of(const char *from, const char *to, const char *state)
{
	return (struct move){.from = from,
		.to = to,
		.to_state = store_is_database(to) ? state : NULL,
		.log_key = made_log_key(),
		.origin = MADE_ORIGIN,
		.level = never};
}

static void move_well(struct bed *b, const char *from, const char *to, struct moved *out)
{
	struct move m = move_of(from, to, b->state);
	struct why why = {""};
	int r = store_move(&m, out, &why);

	if (r)
		fail_msg("%s to %s: %d %s", from, to, r, why.text);
	assert_int_equal(out->leaves, b->n);
}

/* What a store says, folded: its log, its bodies, what stands beside them, and its rows. */
struct fold {
	struct digesting *d;
	uint64_t rows, bodies;
};

static int fold_host(void *ctx, const struct store_host *h)
{
	struct fold *f = ctx;

	digesting_put(f->d, SPAN(h->id.b, DIGEST_SIZE));
	digesting_put(f->d, SPAN_STR(h->name));
	digesting_put(f->d, SPAN(h->spki, h->spki_len));
	digesting_put(f->d, SPAN(&h->state, sizeof(h->state)));
	digesting_put(f->d, SPAN(&h->enrolled_us, sizeof(h->enrolled_us)));
	return 0;
}

static int fold_line(void *ctx, struct span line)
{
	digesting_put(((struct fold *)ctx)->d, line);
	return 0;
}

static int fold_month(void *ctx, const struct store_month *m)
{
	struct fold *f = ctx;
	unsigned c;

	digesting_put(f->d, SPAN_STR(m->month));
	digesting_put(f->d, SPAN(&m->first, sizeof(m->first)));
	digesting_put(f->d, SPAN(&m->count, sizeof(m->count)));
	for (c = 0; c < CHANNELS_MAX; c++) {
		digesting_put(f->d, SPAN(&m->channels[c].segments, sizeof(m->channels[c].segments)));
		digesting_put(f->d, SPAN(&m->channels[c].gone, sizeof(m->channels[c].gone)));
	}
	return 0;
}

static int fold_row(void *ctx, const struct store_row *row)
{
	struct fold *f = ctx;

	f->rows++;
	digesting_put(f->d, SPAN(&row->row, sizeof(row->row)));
	digesting_put(f->d, row->record.v[F_PATH].s);
	return 0;
}

static void fold(const char *place, struct digest *out, uint64_t *rows, uint64_t *bodies)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX),
				 note = BUF_INIT(NOTE_SIZE_MAX);
	struct store_options o = {.dir = place};
	struct store_filter all = {.limit = 0};
	_cleanup_(store_closep) struct store *s = NULL;
	struct fold f = {.rows = 0};
	struct why why = {""};
	uint64_t i, size;

	assert_int_equal(store_open(&o, &s, &why), 0);
	assert_int_equal(digesting_new(&f.d), 0);
	for (i = 0; i < store_size(s); i++) {
		buf_clear(&header);
		buf_clear(&body);
		if (store_read(s, i, &header, &body, &why))
			fail_msg("%s: %s", place, why.text);
		digesting_put(f.d, buf_span(&header));
		digesting_put(f.d, buf_span(&body));
		f.bodies += body.n > 0;
	}
	/* The same key over the same tree: the same note (RFC 8032 signatures are deterministic). */
	digesting_put(f.d, store_checkpoint(s));
	assert_int_equal(store_cosigned(s, &note, &size), 0);
	digesting_put(f.d, buf_span(&note));
	assert_int_equal(store_host_each(s, fold_host, &f), 0);
	assert_int_equal(store_witness_each(s, fold_line, &f), 0);
	assert_int_equal(store_months(s, true, fold_month, &f), 0);
	assert_int_equal(store_query(s, &all, fold_row, &f, &why), 0);
	digesting_end(f.d, out);
	*rows = f.rows;
	*bodies = f.bodies;
}

static void same(const char *a, const char *b)
{
	struct digest da, db;
	uint64_t ra, rb, ba, bb;

	fold(a, &da, &ra, &ba);
	fold(b, &db, &rb, &bb);
	assert_int_equal(ra, rb);
	assert_int_equal(ba, bb);
	assert_memory_equal(da.b, db.b, DIGEST_SIZE);
}

static void refused(const char *place, const char *state, const char *word)
{
	struct store_options o = options(place, state);
	struct store *s = NULL;
	struct why why = {""};

	assert_int_equal(store_open(&o, &s, &why), V_BAD);
	if (!strstr(why.text, word))
		fail_msg("\"%s\" is not said: %s", word, why.text);
	assert_string_not_equal(why_ja(&why), why.text);
}

static void there_and_back(void **state)
{
	struct bed b;
	const char *to;
	struct moved d;
	char again[256];

	(void)state;
	begin(&b);
	to = made_place(b.to);
	move_well(&b, b.from, to, &d);
	same(b.from, to);
	/* 300 rounds told by the guard in each month, of which one has expired. */
	assert_int_equal(d.bodies, b.n - 75);
	refused(b.from, NULL, "was moved to");
	/* It goes on there, and comes back: into an empty folder, and into the one that it came from. */
	open_to_write(to, b.state, &b.s);
	fill(&b, 100);
	made_index(b.s);
	store_close(b.s);
	b.s = NULL;
	move_well(&b, to, b.back, &d);
	same(to, b.back);
	refused(to, b.state, "was moved to");
	open_to_write(b.back, NULL, &b.s);
	fill(&b, 20);
	made_index(b.s);
	store_close(b.s);
	b.s = NULL;
	/* Only what it has not is copied; both that were left say where it is. */
	move_well(&b, b.back, b.from, &d);
	same(b.back, b.from);
	refused(b.back, NULL, b.from);
	open_to_write(b.from, NULL, &b.s);
	fill(&b, 20);
	made_index(b.s);
	store_close(b.s);
	b.s = NULL;
	/* And once more to where its checkpoint is from before. */
	made_dir(again, sizeof(again));
	move_well(&b, b.from, made_place(again), &d);
	same(b.from, made_place(again));
	made_dir_remove(again);
	finish(&b);
}

/* --- cut off --- */

static void die_at(void *ctx, uint64_t done, uint64_t of)
{
	if (done >= *(uint64_t *)ctx && done < of)
		raise(SIGKILL);
}

static void killed_on_the_way(void **state)
{
	struct bed b;
	const char *to;
	struct moved d;
	uint64_t at = 4096;
	pid_t pid;
	int status;

	(void)state;
	begin(&b);
	open_to_write(b.from, NULL, &b.s);
	fill(&b, 5000);
	made_index(b.s);
	store_close(b.s);
	b.s = NULL;
	to = made_place(b.to);
	pid = fork();
	if (!pid) {
		struct move m = move_of(b.from, to, b.state);

		m.told = die_at;
		m.ctx = &at;
		store_move(&m, &d, NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	refused(to, b.state, "it is no whole copy");
	/* The source is nobody's but the collector's still. */
	open_to_write(b.from, NULL, &b.s);
	fill(&b, 10);
	made_index(b.s);
	store_close(b.s);
	b.s = NULL;
	move_well(&b, b.from, to, &d);
	same(b.from, to);
	finish(&b);
}

/* --- beside a collector --- */

struct beside {
	struct bed *b;
	unsigned calls;
};

static int works_on(void *ctx, uint64_t leaves)
{
	struct beside *x = ctx;

	assert_int_equal(leaves, x->b->n);
	if (x->calls++ < 3) {
		fill(x->b, 30);
		return 0;
	}
	/* What it was just doing comes too, and then it ends. */
	fill(x->b, 7);
	store_close(x->b->s);
	x->b->s = NULL;
	return 0;
}

static void while_it_is_written(void **state)
{
	struct bed b;
	struct beside x = {.b = &b};
	struct why why = {""};
	struct move m;
	struct moved d;
	const char *to;

	(void)state;
	begin(&b);
	to = made_place(b.to);
	open_to_write(b.from, NULL, &b.s);
	m = move_of(b.from, to, b.state);
	m.level = works_on;
	m.ctx = &x;
	if (store_move(&m, &d, &why))
		fail_msg("%s", why.text);
	assert_int_equal(d.leaves, b.n);
	assert_int_equal(x.calls, 4);
	open_to_write(to, b.state, &b.s);
	made_index(b.s);
	store_close(b.s);
	b.s = NULL;
	finish(&b);
}

/* --- what must not be moved --- */

static void expect(const struct move *m, int r, const char *word)
{
	struct moved d;
	struct why why = {""};

	assert_int_equal(store_move(m, &d, &why), r);
	if (!strstr(why.text, word))
		fail_msg("\"%s\" is not said: %s", word, why.text);
}

static void goes_wrong(void **state)
{
	struct bed b, other;
	char path[300], cut[256];
	struct move m;
	const char *to;
	FILE *f;

	(void)state;
	begin(&b);
	to = made_place(b.to);
	m = move_of(b.from, b.from, NULL);
	expect(&m, V_BAD, "is the same store");
	open_to_write(b.from, NULL, &b.s);
	store_close(b.s);
	b.s = NULL;
	/* An older copy over what went on: the other way round. */
	made_dir(cut, sizeof(cut));
	made_dir_remove(cut);
	made_copy(b.from, cut);
	open_to_write(b.from, NULL, &b.s);
	fill(&b, 10);
	store_close(b.s);
	b.s = NULL;
	m = move_of(cut, b.from, NULL);
	expect(&m, V_BAD, "an older copy of the log");
	made_run((const char *[]){"rm", "-rf", "--", cut, NULL});
	open_to_write(b.from, NULL, &b.s);
	store_close(b.s);
	b.s = NULL;
	/* Another log of the same name and key. */
	begin(&other);
	m = move_of(other.from, b.from, NULL);
	expect(&m, V_BAD, m.to);
	open_to_write(b.from, NULL, &b.s);
	store_close(b.s);
	b.s = NULL;
	finish(&other);
	/* One byte of a body: found when it is read, and nothing of the source changes. */
	snprintf(path, sizeof(path), "%s/packs/2026-07.recorder.bodies", b.from);
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fseek(f, 4000, SEEK_SET), 0);
	fputc(fgetc(f) ^ 1, f);
	fclose(f);
	m = move_of(b.from, to, b.state);
	expect(&m, V_BAD, "2026-07.recorder.bodies");
	refused(to, b.state, "it is no whole copy");
	open_to_write(b.from, NULL, &b.s);
	store_close(b.s);
	b.s = NULL;
	finish(&b);
}

static void backed_up_and_restored(void **state)
{
	_cleanup_buf_ struct buf early = BUF_INIT(NOTE_SIZE_MAX), late = BUF_INIT(NOTE_SIZE_MAX);
	struct span seen;
	struct bed b;
	struct move m;
	struct moved d;
	struct why why = {""};
	const char *copy;

	(void)state;
	begin(&b);
	copy = made_place(b.to);
	/* Beside who writes, and again: what is new of it. */
	open_to_write(b.from, NULL, &b.s);
	m = move_of(b.from, copy, b.state);
	m.as = MOVE_BACKUP;
	assert_int_equal(store_move(&m, &d, &why), 0);
	assert_int_equal(d.leaves, b.n);
	fill(&b, 30);
	made_index(b.s);
	assert_int_equal(buf_put_span(&early, store_checkpoint(b.s)), 0);
	assert_int_equal(store_move(&m, &d, &why), 0);
	assert_int_equal(d.leaves, b.n);
	same(b.from, copy);
	refused(copy, b.state, "is a copy of");
	fill(&b, 5);
	assert_int_equal(buf_put_span(&late, store_checkpoint(b.s)), 0);
	store_close(b.s);
	b.s = NULL;
	/* Nothing that is not one becomes a copy, and a copy is not moved. */
	m = move_of(copy, b.back, NULL);
	expect(&m, V_BAD, "is a copy");
	m = move_of(copy, b.from, NULL);
	m.as = MOVE_BACKUP;
	expect(&m, V_BAD, "is a copy");
	/* Somebody has seen more than it has: it stays what it is. */
	m = move_of(copy, b.back, NULL);
	m.as = MOVE_RESTORE;
	seen = buf_span(&late);
	m.seen = &seen;
	m.seen_n = 1;
	expect(&m, V_BAD, "an older copy of the log");
	seen = buf_span(&early);
	assert_int_equal(store_move(&m, &d, &why), 0);
	same(copy, b.back);
	refused(copy, b.state, "is a copy of");
	open_to_write(b.back, NULL, &b.s);
	store_close(b.s);
	b.s = NULL;
	m = move_of(b.from, b.back, NULL);
	m.as = MOVE_BACKUP;
	expect(&m, V_BAD, "is a store, and no copy of one");
	finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(killed_on_the_way),
		cmocka_unit_test(while_it_is_written),
		cmocka_unit_test(goes_wrong),
		cmocka_unit_test(backed_up_and_restored),
	};

	return made_status(cmocka_run_group_tests(tests, made_server_start, made_server_stop));
}
