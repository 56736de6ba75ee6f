/*
 * The store as its users see it: what was appended and committed is there, once, proven, and found again.
 */
#include "tests/unit/store/made.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define LEAVES 700u /* two full tiles and a partial one */

static void check_leaf(struct store *s, uint64_t index, const struct digest *hash)
{
	_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX);
	struct verifier v = {.key = NULL};
	_cleanup_buf_ struct buf text = BUF_INIT(1024);
	struct merkle_proof proof;
	struct checkpoint c;
	struct why why = {""};
	struct digest leaf, got;

	assert_int_equal(store_read(s, index, &header, &body, &why), 0);
	digest_span(&got, buf_span(&header));
	assert_memory_equal(got.b, hash->b, DIGEST_SIZE);
	assert_int_equal(verifier_encode(MADE_ORIGIN, made_log_key(), &text), 0);
	assert_int_equal(verifier_decode(buf_span(&text), &v, &why), 0);
	assert_int_equal(checkpoint_verify(store_checkpoint(s), &v, &c, &why), 0);
	assert_int_equal(c.size, store_size(s));
	merkle_leaf(buf_span(&header), &leaf);
	assert_int_equal(store_prove(s, index, &proof), 0);
	assert_int_equal(merkle_verify_inclusion(index, c.size, &leaf, &proof, &c.root), 0);
	verifier_deinit(&v);
}

/* What a monitor fetches (C2SP tlog-tiles), against the leaves. */
static void check_tiles(struct store *s)
{
	static const char *const none[] = {"/tile/0/003", "/tile/0/002", "/tile/0/002.p/189", "/tile/entries/003",
		"/tile/1/001", "/tile/2/000", "/tile/0/000.p/0", "/tile/0/../0/000", "/tile/9/000", "/checkpoint", ""};
	_cleanup_buf_ struct buf tile = BUF_INIT(STORE_TILE_MAX), bundle = BUF_INIT(STORE_TILE_MAX),
				 header = BUF_INIT(SEGMENT_HEADER_MAX);
	struct digest leaf;
	size_t at = 0, n;
	uint64_t i;

	assert_int_equal(store_tile(s, "/tile/0/000", &tile), 0);
	assert_int_equal(store_tile(s, "/tile/0/001", &tile), 0);
	assert_int_equal(store_tile(s, "/tile/0/002.p/188", &tile), 0);
	assert_int_equal(tile.n, LEAVES * DIGEST_SIZE);
	assert_int_equal(store_tile(s, "/tile/entries/000", &bundle), 0);
	assert_int_equal(store_tile(s, "/tile/entries/001", &bundle), 0);
	assert_int_equal(store_tile(s, "/tile/entries/002.p/188", &bundle), 0);
	for (i = 0; i < LEAVES; i++) {
		assert_true(at + 2 <= bundle.n);
		n = (size_t)bundle.p[at] << 8 | bundle.p[at + 1];
		assert_true(at + 2 + n <= bundle.n);
		merkle_leaf(SPAN(bundle.p + at + 2, n), &leaf);
		assert_memory_equal(tile.p + i * DIGEST_SIZE, leaf.b, DIGEST_SIZE);
		buf_clear(&header);
		assert_int_equal(store_read(s, i, &header, NULL, NULL), 0);
		assert_true(span_eq(buf_span(&header), SPAN(bundle.p + at + 2, n)));
		at += 2 + n;
	}
	assert_int_equal(at, bundle.n);
	buf_clear(&tile);
	assert_int_equal(store_tile(s, "/tile/1/000.p/2", &tile), 0);
	assert_int_equal(tile.n, 2 * DIGEST_SIZE);
	for (i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(store_tile(s, none[i], &tile), V_NOT_FOUND);
}

static void appends_and_proves(void **state)
{
	char dir[256];
	struct store *s;
	struct made m;
	struct why why = {""};
	struct digest hashes[LEAVES];
	uint64_t index, seq, i;
	struct store_head head[2];
	unsigned n;
	bool yes;

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_size(s), 0);
	assert_int_equal(store_checkpoint(s).n, 0);
	assert_int_equal(store_commit(s), 0);
	for (i = 0; i < LEAVES; i++) {
		struct segment *seg = made_next(&m);

		hashes[i] = seg->hash;
		assert_int_equal(store_append(s, seg, &index), 0);
		assert_int_equal(index, i);
		assert_int_equal(store_append(s, seg, &index), V_EXISTS);
		assert_int_equal(index, i);
		assert_int_equal(store_find(s, &seg->hash, &index, &seq), 0);
		assert_int_equal(seq, i);
		if (i % 37 == 0)
			assert_int_equal(store_commit(s), 0);
	}
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_size(s), LEAVES);
	for (i = 0; i < LEAVES; i += 13)
		check_leaf(s, i, &hashes[i]);
	check_tiles(s);
	assert_int_equal(store_heads(s, &m.host, PRODUCER_RECORDER, head, 2, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(head[0].seq, LEAVES - 1);
	assert_memory_equal(head[0].hash.b, hashes[LEAVES - 1].b, DIGEST_SIZE);
	assert_int_equal(store_has_successor(s, &m.host, PRODUCER_RECORDER, &hashes[3], &yes), 0);
	assert_true(yes);
	assert_int_equal(store_has_successor(s, &m.host, PRODUCER_RECORDER, &hashes[LEAVES - 1], &yes), 0);
	assert_false(yes);
	assert_int_equal(store_has_successor(s, &m.host, PRODUCER_GUARD, &hashes[3], &yes), 0);
	assert_false(yes);
	store_close(s);

	/* The same after opening again, and for somebody who only reads. */
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_size(s), LEAVES);
	for (i = 0; i < LEAVES; i += 101)
		check_leaf(s, i, &hashes[i]);
	assert_int_equal(store_find(s, &hashes[600], &index, &seq), 0);
	assert_int_equal(index, 600);
	{
		struct store_options o = {.dir = made_to_read(dir)};
		struct store *reader, *second;

		/* Collectors share a database, and nobody shares files. */
		assert_int_equal(made_open(dir, &second, &why), made_in_database() ? 0 : V_EXISTS);
		if (made_in_database())
			store_close(second);
		assert_int_equal(store_open(&o, &reader, &why), 0);
		check_leaf(reader, 0, &hashes[0]);
		check_leaf(reader, LEAVES - 1, &hashes[LEAVES - 1]);
		assert_int_equal(store_append(reader, &m.seg, &index), -EROFS);
		store_close(reader);
	}
	store_close(s);
	made_end(&m);
	made_dir_remove(dir);
}

/* Whose chain of producer collector is first in the log: for every engine, and for who reads only. */
static void who_began_it(void **state)
{
	struct why why = {""};
	struct digest first;
	struct store *s;
	struct made pc, a, b;
	uint64_t index;
	char dir[256];

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&pc, "pc-1", PRODUCER_RECORDER);
	made_begin(&a, "first", PRODUCER_COLLECTOR);
	made_begin(&b, "second", PRODUCER_COLLECTOR);
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_founder(s, &first), V_NOT_FOUND);
	assert_int_equal(store_append(s, made_next(&pc), &index), 0);
	assert_int_equal(store_append(s, made_next(&a), &index), 0);
	assert_int_equal(store_append(s, made_next(&b), &index), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_founder(s, &first), 0);
	assert_memory_equal(first.b, a.host.b, DIGEST_SIZE);
	store_close(s);
	s = NULL;
	{
		struct store_options o = {.dir = made_to_read(dir)};

		assert_int_equal(store_open(&o, &s, &why), 0);
	}
	assert_int_equal(store_founder(s, &first), 0);
	assert_memory_equal(first.b, a.host.b, DIGEST_SIZE);
	store_close(s);
	made_end(&pc);
	made_end(&a);
	made_end(&b);
	made_dir_remove(dir);
}

static struct segment *enrolling(struct made *m, const struct digest *id, const char *name, bool collector)
{
	static struct record r;

	record_reset(&r);
	record_set_uint(&r, F_KIND, KIND_ENROL);
	record_set_span(&r, F_PEER, SPAN(id->b, DIGEST_SIZE));
	record_set_str(&r, F_PEER_NAME, name);
	if (collector) {
		record_set_uint(&r, F_CHANNEL, PRODUCER_COLLECTOR);
		record_set_uint(&r, F_OWN_LEAF, 0);
	}
	made_put(m, &r);
	record_reset(&r);
	return made_seal(m);
}

/* The second decision, on leaf `leaf`, by who made the one on leaf 0. */
static struct segment *shutting_out(struct made *m, const struct digest *id, uint64_t leaf)
{
	static struct record r;

	record_reset(&r);
	record_set_uint(&r, F_KIND, KIND_REVOKE);
	record_set_span(&r, F_PEER, SPAN(id->b, DIGEST_SIZE));
	record_set_uint(&r, F_OWN_LEAF, leaf);
	record_set_uint(&r, F_AFTER_LEAF, 0);
	made_put(m, &r);
	record_reset(&r);
	return made_seal(m);
}

/* Whom a rebuild believes: the first collector, and one that it let in until it is shut out; nobody else. */
static void collectors_that_are_believed(void **state)
{
	static const struct digest one = {{1}}, two = {{2}}, three = {{3}}, four = {{4}};
	struct store_host h;
	struct why why = {""};
	struct made m[3];
	struct store *s;
	uint64_t index;
	char dir[256];
	unsigned i;

	(void)state;
	made_dir(dir, sizeof(dir));
	for (i = 0; i < 3; i++)
		made_begin(&m[i], (const char *const[]){"first", "second", "stranger"}[i], PRODUCER_COLLECTOR);
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_append(s, enrolling(&m[0], &m[1].host, "second", true), &index), 0);
	assert_int_equal(store_append(s, enrolling(&m[0], &one, "pc-1", false), &index), 0);
	assert_int_equal(store_append(s, enrolling(&m[1], &two, "pc-2", false), &index), 0);
	assert_int_equal(store_append(s, enrolling(&m[2], &three, "pc-3", false), &index), 0);
	assert_int_equal(store_append(s, shutting_out(&m[0], &m[1].host, 4), &index), 0);
	assert_int_equal(index, 4);
	assert_int_equal(store_append(s, enrolling(&m[1], &four, "pc-4", false), &index), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_rebuild(s, NULL, NULL, &why), 0);
	assert_int_equal(store_host_get(s, &one, &h), 0);
	assert_int_equal(store_host_get(s, &two, &h), 0);
	assert_string_equal(h.name, "pc-2");
	assert_int_equal(store_host_get(s, &three, &h), V_NOT_FOUND);
	assert_int_equal(store_host_get(s, &four, &h), V_NOT_FOUND);
	store_close(s);
	for (i = 0; i < 3; i++)
		made_end(&m[i]);
	made_dir_remove(dir);
}

static void consistency_from_every_size(void **state)
{
	char dir[256];
	struct store *s;
	struct made m;
	struct why why = {""};
	struct digest roots[301];
	struct merkle_proof proof;
	uint64_t index, i;

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	for (i = 1; i <= 300; i++) {
		struct verifier v = {.key = NULL};
		_cleanup_buf_ struct buf text = BUF_INIT(1024);
		struct checkpoint c;

		assert_int_equal(store_append(s, made_next(&m), &index), 0);
		assert_int_equal(store_commit(s), 0);
		assert_int_equal(verifier_encode(MADE_ORIGIN, made_log_key(), &text), 0);
		assert_int_equal(verifier_decode(buf_span(&text), &v, &why), 0);
		assert_int_equal(checkpoint_verify(store_checkpoint(s), &v, &c, &why), 0);
		verifier_deinit(&v);
		roots[i] = c.root;
	}
	for (i = 1; i <= 300; i += i < 10 ? 1 : 17) {
		assert_int_equal(store_consistency(s, i, &proof), 0);
		assert_int_equal(merkle_verify_consistency(i, &roots[i], 300, &roots[300], &proof), 0);
	}
	assert_int_equal(store_consistency(s, 301, &proof), V_NOT_FOUND);
	store_close(s);
	made_end(&m);
	made_dir_remove(dir);
}

/* Two headers with one predecessor, a header before its predecessor: heads and successors tell. */
static void forks_and_orphans(void **state)
{
	char dir[256];
	struct store *s;
	struct made a, b;
	struct why why = {""};
	struct digest first, fork_a, fork_b;
	struct store_head head[4];
	_cleanup_buf_ struct buf cert = BUF_INIT(1024), late = BUF_INIT(SEGMENT_MAX);
	uint64_t index, seq;
	unsigned n;
	bool yes;
	struct segment *seg, lost;

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&a, "pc-1", PRODUCER_RECORDER);
	made_begin(&b, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_heads(s, &a.host, PRODUCER_RECORDER, head, 4, &n), V_NOT_FOUND);
	seg = made_next(&a);
	first = seg->hash;
	assert_int_equal(store_append(s, seg, &index), 0);
	assert_int_equal(store_epoch(s, &a.host, PRODUCER_RECORDER, 1, seg->cose.kid.p, &cert), 0);
	assert_true(span_eq(buf_span(&cert), SPAN_STR("a certificate")));
	assert_int_equal(store_epoch(s, &a.host, PRODUCER_RECORDER, 2, NULL, &cert), V_NOT_FOUND);
	b.has_prev = true;
	b.prev = first;
	b.seq = 1;
	seg = made_next(&a);
	fork_a = seg->hash;
	assert_int_equal(store_append(s, seg, &index), 0);
	seg = made_next(&b);
	fork_b = seg->hash;
	assert_int_equal(store_append(s, seg, &index), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_heads(s, &a.host, PRODUCER_RECORDER, head, 4, &n), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(head[0].hash.b, fork_b.b, DIGEST_SIZE);
	assert_memory_equal(head[1].hash.b, fork_a.b, DIGEST_SIZE);
	assert_int_equal(store_heads(s, &a.host, PRODUCER_RECORDER, head, 1, &n), 0);
	assert_int_equal(n, 2);

	/* One that is missing, its successor, and then it after all. */
	seg = made_next(&a);
	assert_int_equal(buf_put_span(&late, seg->bytes), 0);
	assert_int_equal(segment_parse(buf_span(&late), &lost, &why), 0);
	seg = made_next(&a);
	assert_int_equal(store_append(s, seg, &index), 0);
	assert_int_equal(store_has_successor(s, &a.host, PRODUCER_RECORDER, &lost.hash, &yes), 0);
	assert_true(yes);
	assert_int_equal(store_find(s, &lost.hash, &index, &seq), V_NOT_FOUND);
	assert_int_equal(store_append(s, &lost, &index), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_heads(s, &a.host, PRODUCER_RECORDER, head, 4, &n), 0);
	assert_int_equal(n, 2); /* fork_b, and the newest of a */
	store_close(s);

	/* The same from the leaves alone. */
	if (!made_in_database()) {
		char db[300];

		snprintf(db, sizeof(db), "%s/index/chains.db", dir);
		assert_int_equal(unlink(db), 0);
		assert_int_equal(made_open(dir, &s, &why), 0);
		assert_int_equal(store_heads(s, &a.host, PRODUCER_RECORDER, head, 4, &n), 0);
		assert_int_equal(n, 2);
		store_close(s);
	}
	made_end(&a);
	made_end(&b);
	made_dir_remove(dir);
}

static int64_t month_time;
static int64_t fake_now(void)
{
	return month_time;
}

static int keep_month(void *ctx, const struct store_month *m)
{
	struct store_month *out = ctx;

	out[out[0].month[0] ? 1 : 0] = *m;
	return 0;
}

static void months_have_their_own_packs(void **state)
{
	char dir[256], path[300];
	struct store_month months[2] = {{.month = ""}};
	struct store_options o;
	struct store *s;
	struct made m;
	struct why why = {""};
	struct digest hashes[4];
	struct stat st;
	uint64_t index;
	unsigned i;

	(void)state;
	made_dir(dir, sizeof(dir));
	o = made_options(dir, fake_now);
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(store_open(&o, &s, &why), 0);
	for (i = 0; i < 4; i++) {
		/* November, December, and then a clock that goes back: still December. */
		month_time = INT64_C(1000000) * (i == 0 ? 1795000000 : i == 3 ? 1790000000 : 1797000000);
		assert_int_equal(store_append(s, made_next(&m), &index), 0);
		hashes[i] = m.seg.hash;
		assert_int_equal(store_commit(s), 0);
	}
	assert_int_equal(store_months(s, true, keep_month, months), 0);
	assert_string_equal(months[0].month, "2026-11");
	assert_int_equal(months[0].first, 0);
	assert_int_equal(months[0].count, 1);
	assert_string_equal(months[1].month, "2026-12");
	assert_int_equal(months[1].first, 1);
	assert_int_equal(months[1].count, 3);
	made_index(s);
	for (i = 0; i < 4; i++)
		check_leaf(s, i, &hashes[i]);
	store_close(s);
	if (made_in_database()) {
		made_end(&m);
		made_dir_remove(dir);
		return;
	}
	snprintf(path, sizeof(path), "%s/packs/2026-11.offsets", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 16);
	snprintf(path, sizeof(path), "%s/packs/2026-12.offsets", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 48);
	/* December is still being written: its bodies may not be missing. */
	snprintf(path, sizeof(path), "%s/packs/2026-12.recorder.bodies", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_open(&o, &s, &why), V_BAD);
	assert_non_null(strstr(why.text, "2026-12.recorder.bodies: is missing"));
	made_end(&m);
	made_dir_remove(dir);
}

/*
 * The power goes while the first segment of a channel is taken in: its header has reached the disk, the new file for
 * its body has not. Nobody was promised it: the store opens with what was, and takes it again.
 */
static void a_new_channel_is_cut(void **state)
{
	char dir[256], command[2400];
	struct store_options o;
	unsigned without_offsets;

	(void)state;
	for (without_offsets = 0; without_offsets < 2; without_offsets++) {
		struct made m[2];
		struct store *s;
		struct why why = {""};
		uint64_t index;

		made_dir(dir, sizeof(dir));
		o = made_options(dir, fake_now);
		made_begin(&m[0], "pc-1", PRODUCER_RECORDER);
		made_begin(&m[1], "pc-1", PRODUCER_GUARD);
		assert_int_equal(store_open(&o, &s, &why), 0);
		assert_int_equal(store_append(s, made_next(&m[0]), &index), 0);
		assert_int_equal(store_commit(s), 0);
		store_close(s);
		snprintf(command, sizeof(command), "cp -a %s %s.before", dir, dir);
		assert_int_equal(system(command), 0);
		assert_int_equal(store_open(&o, &s, &why), 0);
		assert_int_equal(store_append(s, made_next(&m[1]), &index), 0);
		assert_int_equal(store_commit(s), 0);
		store_close(s);
		snprintf(command, sizeof(command),
			"rm %s/packs/*.guard.bodies && rm -rf %s.before/packs && mv %s/packs %s.before/packs && rm -rf "
			"%s && mv %s.before %s",
			dir, dir, dir, dir, dir, dir, dir);
		assert_int_equal(system(command), 0);
		if (without_offsets) {
			snprintf(command, sizeof(command), "truncate -s 0 %s/packs/*.offsets", dir);
			assert_int_equal(system(command), 0);
		}
		assert_int_equal(store_open(&o, &s, &why), 0);
		assert_int_equal(store_append(s, &m[1].seg, &index), 0);
		assert_int_equal(index, 1);
		assert_int_equal(store_commit(s), 0);
		check_leaf(s, 1, &m[1].seg.hash);
		store_close(s);
		made_end(&m[0]);
		made_end(&m[1]);
		made_dir_remove(dir);
	}
}

#define CHANNELS_MADE 3u

static int count_producers(void *ctx, const struct store_row *row)
{
	unsigned *rows = ctx;

	rows[row->leaf % CHANNELS_MADE]++;
	return 0;
}

/* A channel's bodies of a month go; its headers, its proofs, and all of the other channels' stay. */
static void a_channel_expires(void **state)
{
	static const unsigned producers[CHANNELS_MADE] = {PRODUCER_RECORDER, PRODUCER_PRINT, PRODUCER_HERALD};
	char dir[256];
	struct store_options o;
	unsigned rows[CHANNELS_MADE] = {0}, other[CHANNELS_MADE] = {0};
	struct store_month months[2] = {{.month = ""}};
	struct made m[CHANNELS_MADE];
	struct store_filter all = {.path = "*report*"};
	struct digest hashes[4 * CHANNELS_MADE];
	struct why why = {""};
	struct store *s, *reader;
	uint64_t index, freed;
	bool left;
	unsigned i;

	(void)state;
	made_dir(dir, sizeof(dir));
	o = made_options(dir, fake_now);
	for (i = 0; i < CHANNELS_MADE; i++)
		made_begin(&m[i], "pc-1", producers[i]);
	assert_int_equal(store_open(&o, &s, &why), 0);
	for (i = 0; i < 4 * CHANNELS_MADE; i++) {
		month_time = INT64_C(1000000) * (i < 2 * CHANNELS_MADE ? 1795000000 : 1797000000);
		assert_int_equal(store_append(s, made_next(&m[i % CHANNELS_MADE]), &index), 0);
		hashes[i] = m[i % CHANNELS_MADE].seg.hash;
		if (i == 2 * CHANNELS_MADE - 1) {
			assert_int_equal(store_commit(s), 0);
			/* Still being written. */
			assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), V_DENIED);
		}
	}
	/* So it is while nothing behind it is committed. */
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), V_DENIED);
	assert_int_equal(store_commit(s), 0);
	made_index(s);
	{
		struct store_options read_only = {.dir = made_to_read(dir)};

		assert_int_equal(store_open(&read_only, &reader, &why), 0);
		assert_int_equal(store_query(reader, &all, count_producers, rows, &why), 0);
		for (i = 0; i < CHANNELS_MADE; i++)
			assert_int_equal(rows[i], 4);
	}
	assert_int_equal(store_expire(s, "2026-12", PRODUCER_RECORDER, &freed, &left), V_DENIED);
	assert_int_equal(store_expire(s, "2026-10", PRODUCER_RECORDER, &freed, &left), V_NOT_FOUND);
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_COLLECTOR, &freed, &left), V_DENIED);
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_UPLINK_RESERVED, &freed, &left), V_DENIED);
	assert_int_equal(store_expire(reader, "2026-11", PRODUCER_RECORDER, &freed, &left), -EROFS);
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), 0);
	assert_true(freed > 0);
	assert_int_equal(store_expire(s, "2026-11", PRODUCER_RECORDER, &freed, &left), 0);
	assert_int_equal(freed, 0);
	made_index(s);
	for (i = 0; i < 4 * CHANNELS_MADE; i++) {
		_cleanup_buf_ struct buf header = BUF_INIT(SEGMENT_HEADER_MAX), body = BUF_INIT(SEGMENT_BODY_MAX);
		bool expired = i < 2 * CHANNELS_MADE && producers[i % CHANNELS_MADE] == PRODUCER_RECORDER;

		check_leaf(s, i, &hashes[i]);
		/* One who had the file open since before sees it too. */
		assert_int_equal(store_read(reader, i, &header, &body, &why), 0);
		assert_int_equal(body.n == 0, expired);
	}
	assert_int_equal(store_query(reader, &all, count_producers, other, &why), 0);
	for (i = 0; i < CHANNELS_MADE; i++)
		assert_int_equal(other[i], i ? 4 : 2);
	store_close(reader);
	assert_int_equal(store_months(s, true, keep_month, months), 0);
	assert_string_equal(months[0].month, "2026-11");
	assert_false(months[0].open);
	assert_true(months[1].open);
	assert_int_equal(months[0].channels[PRODUCER_RECORDER].segments, 2);
	assert_true(months[0].channels[PRODUCER_RECORDER].gone);
	assert_false(months[0].channels[PRODUCER_PRINT].gone);
	assert_true(months[0].channels[PRODUCER_HERALD].bytes > 0);
	assert_false(months[0].channels[PRODUCER_GUARD].gone);
	/* The index made anew from what is there says the same. */
	assert_int_equal(store_rebuild(s, NULL, NULL, &why), 0);
	memset(other, 0, sizeof(other));
	assert_int_equal(store_query(s, &all, count_producers, other, &why), 0);
	for (i = 0; i < CHANNELS_MADE; i++)
		assert_int_equal(other[i], i ? 4 : 2);
	store_close(s);
	assert_int_equal(store_open(&o, &s, &why), 0);
	assert_int_equal(store_size(s), 4 * CHANNELS_MADE);
	store_close(s);
	for (i = 0; i < CHANNELS_MADE; i++)
		made_end(&m[i]);
	made_dir_remove(dir);
}

static void put_file(const char *dir, const char *name, const struct buf *b)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_replace(path, buf_span(b), 0640), 0);
}

/* The one pack's offsets. */
static void find_offsets(const char *dir, char *path, size_t size)
{
	struct dirent *e;
	DIR *d;

	snprintf(path, size, "%s/packs", dir);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		if (strstr(e->d_name, ".offsets"))
			snprintf(path, size, "%s/packs/%.60s", dir, e->d_name);
	closedir(d);
}

/*
 * The power went between the sync of the packs and the one of their offsets: a sector of these, of leaves that nobody
 * was told of, reads as zeros. Found by tests/flow/44-collector-power: the packs were cut to nothing by it.
 */
static void a_lost_sector_of_offsets_costs_nothing(void **state)
{
	static const uint64_t kept[] = {1, 2, 33, 34};
	struct digest hashes[94];
	size_t round;

	(void)state;
	for (round = 0; round < ARRAY_SIZE(kept); round++) {
		_cleanup_buf_ struct buf checkpoint = BUF_INIT(NOTE_SIZE_MAX);
		uint8_t zeros[512] = {0};
		char dir[256], path[400];
		uint64_t index, i, from;
		struct why why = {""};
		struct store *s;
		struct made m;
		int fd;

		made_dir(dir, sizeof(dir));
		made_begin(&m, "pc-1", PRODUCER_RECORDER);
		assert_int_equal(made_open(dir, &s, &why), 0);
		for (i = 0; i < ARRAY_SIZE(hashes); i++) {
			hashes[i] = made_next(&m)->hash;
			assert_int_equal(store_append(s, &m.seg, &index), 0);
			if (i + 1 == kept[round]) {
				assert_int_equal(store_commit(s), 0);
				assert_int_equal(buf_put_span(&checkpoint, store_checkpoint(s)), 0);
			}
		}
		assert_int_equal(store_commit(s), 0);
		store_close(s);
		/* The last checkpoint was not written yet. */
		put_file(dir, "state/checkpoint", &checkpoint);
		put_file(dir, "log/checkpoint", &checkpoint);
		find_offsets(dir, path, sizeof(path));
		from = (kept[round] * 16 + 511) / 512 * 512;
		if (kept[round] == 34)
			from = kept[round] * 16; /* whatever the size of a sector */
		fd = open(path, O_WRONLY);
		assert_true(fd >= 0);
		assert_int_equal(pwrite(fd, zeros, sizeof(zeros), (off_t)from), (ssize_t)sizeof(zeros));
		close(fd);
		assert_int_equal(made_open(dir, &s, &why), 0);
		assert_int_equal(store_size(s), kept[round]);
		for (i = 0; i < kept[round]; i++)
			check_leaf(s, i, &hashes[i]);
		store_close(s);
		made_end(&m);
		made_dir_remove(dir);
	}
}

static uint64_t rows_seen(const char *dir)
{
	struct store_options o = {.dir = made_to_read(dir)};
	struct store *s = NULL;
	struct why why = {""};
	uint64_t row = 0;

	assert_int_equal(store_open(&o, &s, &why), 0);
	assert_int_equal(store_last_row(s, &row), 0);
	store_close(s);
	return row;
}

/* Slices share transactions: nothing is half-seen meanwhile, all of it is when nothing is left, and what was open at
 * the end is made again. */
static void slices_end_whole(void **state)
{
	char dir[128];
	struct store *s = NULL;
	struct why why = {""};
	uint64_t index, left = 0, all, begun = 0;
	unsigned i, slices = 0;
	struct made m;

	(void)state;
	made_dir(dir, sizeof(dir));
	assert_int_equal(made_open(dir, &s, &why), 0);
	made_begin(&m, "slices", PRODUCER_RECORDER);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	made_index(s);
	begun = rows_seen(dir);
	for (i = 0; i < 2000; i++)
		assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	/* One that did not end: 2000 segments are not indexed within a millisecond. */
	assert_int_equal(store_index_for(s, 1000, &left), 0);
	assert_true(left > 0);
	/* A database has what it was told, by whole segments; files have all of it or nothing. */
	if (!made_in_database())
		assert_true(rows_seen(dir) == begun);
	store_close(s);
	s = NULL;
	if (!made_in_database())
		assert_true(rows_seen(dir) == begun);
	assert_int_equal(made_open(dir, &s, &why), 0);
	do {
		assert_int_equal(store_index_for(s, 1000, &left), 0);
		slices++;
	} while (left);
	all = rows_seen(dir);
	assert_true(slices > 1);
	store_close(s);
	s = NULL;
	/* As many rows as an index that is made in one go. */
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_rebuild(s, NULL, NULL, &why), 0);
	store_close(s);
	assert_true(rows_seen(dir) == all && all > begun);
	made_end(&m);
	made_dir_remove(dir);
}

static int count_lines(void *ctx, struct span line)
{
	unsigned *n = ctx;

	assert_true(span_eq(line, *n ? SPAN_STR("second") : SPAN_STR("first")));
	++*n;
	return 0;
}

static int in_order(void *ctx, const struct store_host *h)
{
	char *names = ctx;

	strcat(names, h->name);
	return 0;
}

/* Witnesses, cosigned checkpoints and PCs, put and told again, also to one who only reads. */
static void what_stands_beside(void **state)
{
	_cleanup_buf_ struct buf note = BUF_INIT(NOTE_SIZE_MAX), got = BUF_INIT(NOTE_SIZE_MAX);
	struct store_host h = {.state = HOST_ACTIVE, .spki_len = 3, .spki = {1, 0, 255}, .enrolled_us = 7}, back;
	static const char *const names[] = {"b", "a", "\xff", "c"};
	struct store_options o;
	char dir[256], all[16] = "";
	struct store *s, *reader;
	struct why why = {""};
	uint64_t index, size;
	struct made m;
	unsigned i, n = 0;

	(void)state;
	made_dir(dir, sizeof(dir));
	made_begin(&m, "pc-1", PRODUCER_RECORDER);
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_cosigned(s, &got, &size), V_NOT_FOUND);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(buf_put_span(&note, store_checkpoint(s)), 0);
	assert_int_equal(store_cosign(s, buf_span(&note)), 0);
	assert_int_equal(store_append(s, made_next(&m), &index), 0);
	/* Beside a group that is open. */
	assert_int_equal(store_cosign(s, buf_span(&note)), 0);
	assert_int_equal(store_witness_add(s, SPAN_STR("first")), 0);
	assert_int_equal(store_witness_add(s, SPAN_STR("second")), 0);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(h.name, sizeof(h.name), "%s", names[i]);
		h.id.b[0] = (uint8_t)i;
		assert_int_equal(store_host_put(s, &h), 0);
	}
	h.state = HOST_REVOKED;
	assert_int_equal(store_host_put(s, &h), 0);
	assert_int_equal(store_commit(s), 0);
	o = (struct store_options){.dir = made_to_read(dir)};
	assert_int_equal(store_open(&o, &reader, &why), 0);
	assert_int_equal(store_cosigned(reader, &got, &size), 0);
	assert_int_equal(size, 1);
	assert_true(span_eq(buf_span(&got), buf_span(&note)));
	buf_clear(&got);
	assert_int_equal(store_note(reader, 2, &got, &size), 0);
	assert_int_equal(size, 2);
	assert_int_equal(store_witness_each(reader, count_lines, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(store_host_get(reader, &h.id, &back), 0);
	assert_int_equal(back.state, HOST_REVOKED);
	assert_memory_equal(back.spki, h.spki, sizeof(h.spki));
	assert_int_equal(back.spki_len, 3);
	assert_int_equal(back.enrolled_us, 7);
	assert_int_equal(store_host_each(reader, in_order, all), 0);
	assert_string_equal(all, "abc\xff");
	h.id.b[0] = 77;
	assert_int_equal(store_host_get(reader, &h.id, &back), V_NOT_FOUND);
	assert_int_equal(store_host_put(reader, &h), -EROFS);
	assert_int_equal(store_cosign(reader, buf_span(&note)), -EROFS);
	store_close(reader);
	store_close(s);
	made_end(&m);
	made_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_and_proves),
		cmocka_unit_test(who_began_it),
		cmocka_unit_test(collectors_that_are_believed),
		cmocka_unit_test(consistency_from_every_size),
		cmocka_unit_test(forks_and_orphans),
		cmocka_unit_test(months_have_their_own_packs),
		cmocka_unit_test(a_channel_expires),
		cmocka_unit_test(slices_end_whole),
		cmocka_unit_test(what_stands_beside),
	};
	/* What is about files on disk. */
	const struct CMUnitTest of_files[] = {
		cmocka_unit_test(a_lost_sector_of_offsets_costs_nothing),
		cmocka_unit_test(a_new_channel_is_cut),
	};
	int r = cmocka_run_group_tests(tests, made_server_start, made_server_stop);

	return made_status(r || made_in_database() ? r : cmocka_run_group_tests(of_files, NULL, NULL));
}
