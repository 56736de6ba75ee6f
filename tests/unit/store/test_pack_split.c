/*
 * Stores whose months have all channels' bodies in one file, as they were before retention: they are taken over whole,
 * also where the power failed in between, or not touched at all.
 */
#include "collector/store/pack.h"
#include "tests/unit/store/made.h"
#include <sys/stat.h>
#include <unistd.h>

#define LEAVES 12u
#define HALF (LEAVES / 2)

static const unsigned producers[] = {PRODUCER_RECORDER, PRODUCER_PRINT};
static const char *const months[] = {"2026-11", "2026-12"};
static const char *const names[] = {"recorder", "print"};
static int64_t month_time;

static int64_t fake_now(void)
{
	return month_time;
}

struct former {
	char dir[256];
	struct store_options o;
	struct made m[2];
	struct buf bodies[LEAVES]; /* as they were read before */
};

static const char *file_of(const struct former *f, unsigned month, const char *what)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/packs/%s.%s", f->dir, months[month], what);
	return path;
}

static const char *bodies_of(const struct former *f, unsigned month, unsigned c)
{
	char what[32];

	snprintf(what, sizeof(what), "%s.bodies", names[c]);
	return file_of(f, month, what);
}

static bool is_there(const char *path)
{
	return !access(path, F_OK);
}

/* A month's two files made one, a frame of each in turn, which is the order of the leaves. */
static void join(const struct former *f, unsigned month)
{
	_cleanup_buf_ struct buf all = BUF_INIT(1u << 20);
	struct buf in[2] = {BUF_INIT(1u << 20), BUF_INIT(1u << 20)};
	size_t at[2] = {0, 0};
	unsigned i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(file_read(bodies_of(f, month, i), &in[i]), 0);
		assert_int_equal(unlink(bodies_of(f, month, i)), 0);
	}
	for (i = 0; i < HALF; i++) {
		unsigned c = i % 2;
		size_t n = FRAME_HEAD + get_be32(in[c].p + at[c]);

		assert_true(at[c] + n <= in[c].n);
		assert_int_equal(buf_put(&all, in[c].p + at[c], n), 0);
		at[c] += n;
	}
	assert_int_equal(file_replace(file_of(f, month, "bodies"), buf_span(&all), 0640), 0);
	for (i = 0; i < 2; i++) {
		assert_true(at[i] && at[i] == in[i].n);
		buf_deinit(&in[i]);
	}
}

static void begin(struct former *f)
{
	struct why why = {""};
	struct store *s;
	uint64_t index;
	unsigned i;

	made_dir(f->dir, sizeof(f->dir));
	f->o = (struct store_options){
		.dir = f->dir, .log_key = made_log_key(), .origin = MADE_ORIGIN, .now_us = fake_now};
	for (i = 0; i < 2; i++)
		made_begin(&f->m[i], "pc-1", producers[i]);
	assert_int_equal(store_open(&f->o, &s, &why), 0);
	for (i = 0; i < LEAVES; i++) {
		month_time = INT64_C(1000000) * (i < HALF ? 1795000000 : 1797000000);
		assert_int_equal(store_append(s, made_next(&f->m[i % 2]), &index), 0);
		assert_int_equal(store_commit(s), 0);
	}
	for (i = 0; i < LEAVES; i++) {
		f->bodies[i] = BUF_INIT(SEGMENT_BODY_MAX);
		assert_int_equal(store_read(s, i, NULL, &f->bodies[i], &why), 0);
		assert_true(f->bodies[i].n > 0);
	}
	store_close(s);
	join(f, 0);
	join(f, 1);
}

static void end(struct former *f)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		made_end(&f->m[i]);
	for (i = 0; i < LEAVES; i++)
		buf_deinit(&f->bodies[i]);
	made_dir_remove(f->dir);
}

/* It opens, every body is the one it was, and it goes on. */
static void taken_over(struct former *f)
{
	struct why why = {""};
	struct store *s;
	uint64_t index;
	unsigned i;

	if (store_open(&f->o, &s, &why))
		fail_msg("%s", why.text);
	for (i = 0; i < LEAVES; i++) {
		_cleanup_buf_ struct buf body = BUF_INIT(SEGMENT_BODY_MAX);

		assert_int_equal(store_read(s, i, NULL, &body, &why), 0);
		assert_int_equal(body.n, f->bodies[i].n);
		assert_memory_equal(body.p, f->bodies[i].p, body.n);
	}
	for (i = 0; i < 2; i++) {
		assert_false(is_there(file_of(f, i, "bodies")));
		assert_true(is_there(bodies_of(f, i, 0)) && is_there(bodies_of(f, i, 1)));
	}
	assert_int_equal(store_append(s, made_next(&f->m[0]), &index), 0);
	assert_int_equal(index, LEAVES);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
}

static void is_taken_over(void **state)
{
	struct former f;
	struct store_options read_only;
	struct why why = {""};
	struct store *s;

	(void)state;
	begin(&f);
	/* Who only reads would take all of it for removed. */
	read_only = (struct store_options){.dir = f.dir};
	assert_int_equal(store_open(&read_only, &s, &why), V_BAD);
	assert_non_null(strstr(why.text, "packs/2026-11.bodies: of the former layout"));
	taken_over(&f);
	assert_int_equal(store_open(&read_only, &s, &why), 0);
	store_close(s);
	end(&f);
}

/* What a power cut leaves: part of a copy; one renamed and the other not; the offsets gone. */
static void is_taken_over_after_a_cut(void **state)
{
	unsigned round;

	(void)state;
	for (round = 0; round < 3; round++) {
		struct former f;

		begin(&f);
		if (round == 0)
			assert_int_equal(
				file_replace(file_of(&f, 0, "recorder.bodies.new"), SPAN_STR("half"), 0640), 0);
		else
			assert_int_equal(file_replace(bodies_of(&f, 0, 1), SPAN_STR("what a cut may leave"), 0640), 0);
		if (round == 2)
			assert_int_equal(unlink(file_of(&f, 0, "offsets")), 0);
		taken_over(&f);
		assert_false(is_there(file_of(&f, 0, "recorder.bodies.new")));
		end(&f);
	}
}

/* A body under the checkpoint is cut off: said where, and all files are as they were. */
static void damage_changes_nothing(void **state)
{
	_cleanup_buf_ struct buf before = BUF_INIT(1u << 20), after = BUF_INIT(1u << 20);
	struct why why = {""};
	struct former f;
	struct store *s;

	(void)state;
	begin(&f);
	assert_int_equal(file_replace(bodies_of(&f, 0, 0), SPAN_STR("was there before"), 0640), 0);
	assert_int_equal(file_read(file_of(&f, 0, "bodies"), &before), 0);
	assert_int_equal(truncate(file_of(&f, 0, "bodies"), (off_t)before.n - 1), 0);
	assert_int_equal(store_open(&f.o, &s, &why), V_BAD);
	assert_non_null(strstr(why.text, "packs/2026-11.bodies: damaged at offset "));
	assert_int_equal(file_read(file_of(&f, 0, "bodies"), &after), 0);
	assert_int_equal(after.n, before.n - 1);
	assert_memory_equal(after.p, before.p, after.n);
	buf_clear(&after);
	assert_int_equal(file_read(bodies_of(&f, 0, 0), &after), 0);
	assert_true(span_eq(buf_span(&after), SPAN_STR("was there before")));
	assert_false(is_there(file_of(&f, 0, "recorder.bodies.new")));
	assert_int_equal(file_replace(file_of(&f, 0, "bodies"), buf_span(&before), 0640), 0);
	taken_over(&f);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_taken_over),
		cmocka_unit_test(is_taken_over_after_a_cut),
		cmocka_unit_test(damage_changes_nothing),
	};

	return made_status(cmocka_run_group_tests(tests, NULL, NULL));
}
