/* collector/store/life.c: whose life it is, over rows that this keeps itself and answers as the store does. */
#include "collector/store/life.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <stdlib.h>

#define ROWS 64
#define S 1000000 /* a second */

static struct one {
	struct store_row row;
	char path[64], path2[64];
} log_[ROWS];
static unsigned log_n;
static uint8_t host_of[2] = {0xaa, 0xbb};

/* What the test allows, and what was asked. */
static unsigned queries, looked, most, rows_max, made, dropped;
static bool newest_asked;
static char said[1024];

static struct record *add(int64_t at_s, unsigned kind, const char *path, const char *path2)
{
	struct one *o = &log_[log_n++];

	record_reset(&o->row.record);
	memset(o->row.host.b, host_of[0], DIGEST_SIZE);
	o->row.row = log_n;
	o->row.host_name = "pc-1";
	snprintf(o->path, sizeof(o->path), "%s", path);
	record_set_uint(&o->row.record, F_KIND, kind);
	record_set_int(&o->row.record, F_TIME, at_s * S);
	record_set_str(&o->row.record, F_PATH, o->path);
	if (path2) {
		snprintf(o->path2, sizeof(o->path2), "%s", path2);
		record_set_str(&o->row.record, F_PATH2, o->path2);
	}
	return &o->row.record;
}

static void on_other_pc(void)
{
	memset(log_[log_n - 1].row.host.b, host_of[1], DIGEST_SIZE);
}

static bool is_kind(const struct store_filter *f, const struct record *r)
{
	unsigned i;

	for (i = 0; i < f->kinds_n; i++)
		if (f->kinds[i] == r->v[F_KIND].u)
			return true;
	return !f->kinds_n;
}

static bool fits(const struct store_filter *f, const struct store_row *row)
{
	const struct record *r = &row->record;
	char hex[2 * DIGEST_SIZE + 1];
	int64_t t = r->v[F_TIME].i;

	if (f->host && strcmp(f->host, hex_encode(hex, row->host.b, DIGEST_SIZE)) != 0 &&
		strcmp(f->host, row->host_name) != 0)
		return false;
	if (f->path && !span_eq(record_text(r, F_PATH), SPAN_STR(f->path)) &&
		!span_eq(record_text(r, F_PATH2), SPAN_STR(f->path)))
		return false;
	return is_kind(f, r) && (!f->from_us || t >= f->from_us) && (!f->until_us || t < f->until_us);
}

static int query(void *ctx, const struct store_filter *f, bool first, store_row_fn fn, void *fn_ctx, struct why *why)
{
	unsigned i, until = first ? most / 2 : most;

	(void)ctx;
	(void)why;
	assert_int_equal(first, !queries);
	queries++;
	newest_asked |= f->newest_first;
	for (i = 0; i < log_n; i++) {
		const struct store_row *row = &log_[f->newest_first ? log_n - 1 - i : i].row;
		int r;

		if (!fits(f, row))
			continue;
		if (looked >= until)
			return V_END;
		looked++;
		r = fn(fn_ctx, row);
		if (r)
			return r == V_END ? 0 : r;
	}
	return 0;
}

static int make(void *ctx, const struct store_row *row, void **item)
{
	(void)ctx;
	*item = malloc(32);
	assert_non_null(*item);
	snprintf(*item, 32, "%u", (unsigned)row->row);
	made++;
	return 0;
}

static void drop(void *item)
{
	dropped++;
	free(item);
}

/* The rows of a life, "1 2 4", with a "+" behind it where it is cut. */
static const char *life(const char *what, const char *host)
{
	struct life_ways ways = {.query = query, .make = make, .drop = drop, .rows_max = rows_max};
	struct store_filter f = {.host = host};
	struct why why = {""};
	struct life *l = NULL;
	const struct life_row *rows;
	struct life_of of;
	size_t n, i, at = 0;

	queries = looked = made = dropped = 0;
	newest_asked = false;
	assert_true(life_read(what, &of));
	assert_int_equal(life_gather(&of, &f, &ways, &l, &why), 0);
	memset(&ways, 0, sizeof(ways));
	memset(&of, 0, sizeof(of));
	rows = life_rows(l, &n);
	said[0] = 0;
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(said + at, sizeof(said) - at, "%s%s", i ? " " : "", (char *)rows[i].item);
	if (life_is_cut(l))
		snprintf(said + at, sizeof(said) - at, "+");
	life_free(l);
	assert_int_equal(made, dropped);
	return said;
}

static int begin(void **state)
{
	(void)state;
	log_n = 0;
	most = rows_max = 1000;
	return 0;
}

static void what_may_be_asked(void **state)
{
	static const char *const bad[] = {"", "a/b", "list.xlsx", "8:1/", "8:1/12x", "08:1/12", "8:1/-", "8/1/12",
		"8:1/99999999999999999999", "00", "zz"};
	struct life_of of;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (life_read(bad[i], &of))
			fail_msg("taken: %s", bad[i]);
	assert_true(life_read("/a", &of) && of.path);
	assert_true(life_read("8:1/1234", &of) && !of.path && of.inode == 1234);
	assert_string_equal(of.device, "8:1");
	assert_true(life_read("00000000000000000000000000000000000000000000000000000000000000fF", &of));
	assert_true(!of.path && !of.device[0] && of.hash.b[31] == 0xff);
}

static void names_for_their_time(void **state)
{
	(void)state;
	begin(state);
	add(10, KIND_FILE, "/a", NULL);             /* 1: made */
	add(20, KIND_RENAME, "/a", "/b");           /* 2 */
	add(30, KIND_FILE, "/a", NULL);             /* 3: another file has the name now */
	add(40, KIND_COPY, "/media/c", "/b");       /* 4: a copy of it */
	add(41, KIND_DRIVE_FILE, "/media/c", NULL); /* 5 */
	add(50, KIND_PRINT, "/b", NULL);            /* 6 */
	add(60, KIND_COPY, "/a2", "/a");            /* 7: of the other one */
	add(70, KIND_UNLINK, "/b", NULL);           /* 8 */
	add(80, KIND_FILE, "/b", NULL);             /* 9: later another */
	add(90, KIND_COPY, "/x", "/orig");          /* 10: nothing to do with it */
	/* Its ancestor until it was copied. */
	assert_string_equal(life("/media/c", NULL), "1 2 4 5");
	/* By a path it is whatever lay there, and what became of that. */
	assert_string_equal(life("/b", NULL), "1 2 4 5 6 8 9");
	assert_string_equal(life("/a", NULL), "1 2 3 4 5 6 7 8");
}

static void a_path_of_two_pcs(void **state)
{
	begin(state);
	add(10, KIND_FILE, "/a", NULL);
	add(20, KIND_RENAME, "/a", "/b");
	on_other_pc();
	add(30, KIND_FILE, "/b", NULL);
	assert_string_equal(life("/a", NULL), "1 2");
	on_other_pc();
	assert_string_equal(life("/a", NULL), "1 2 3");
	assert_string_equal(life("/a", "pc-9"), "");
}

/* The last file that had the number, found from the newest record back. */
static void by_number(void **state)
{
	struct record *r;

	begin(state);
	r = add(10, KIND_FILE, "/old", NULL);
	record_set_str(r, F_DEVICE, "8:1");
	record_set_uint(r, F_INODE, 7);
	add(11, KIND_UNLINK, "/old", NULL);
	r = add(20, KIND_FILE, "/a", NULL);
	record_set_str(r, F_DEVICE, "8:1");
	record_set_uint(r, F_INODE, 7);
	add(30, KIND_RENAME, "/a", "/b");
	record_set_str(&log_[3].row.record, F_DEVICE, "8:1");
	record_set_uint(&log_[3].row.record, F_INODE, 7);
	add(40, KIND_FILE, "/c", NULL);
	assert_string_equal(life("8:1/7", NULL), "3 4");
	assert_true(newest_asked);
	/* Of one PC nothing is looked at behind the first. */
	assert_string_equal(life("8:1/7", "pc-1"), "3 4");
	assert_true(looked < 2 + log_n);
	assert_string_equal(life("8:2/7", NULL), "");
	assert_string_equal(life("8:1/8", NULL), "");
}

static void by_hash(void **state)
{
	static const char hex[] = "1111111111111111111111111111111111111111111111111111111111111111";
	static uint8_t hash[DIGEST_SIZE];
	struct record *r;

	begin(state);
	memset(hash, 0x11, sizeof(hash));
	add(10, KIND_COPY, "/media/c", "/a");
	r = add(11, KIND_DRIVE_FILE, "/media/c", NULL);
	record_set_span(r, F_HASH, SPAN(hash, sizeof(hash)));
	r = add(20, KIND_PRINT, "/b", NULL);
	record_set_span(r, F_HASH, SPAN(hash, sizeof(hash)));
	r = add(30, KIND_RENEW, "/b2", NULL); /* a key's, and no file's */
	record_set_span(r, F_HASH, SPAN(hash, sizeof(hash)));
	add(40, KIND_FILE, "/b", NULL);
	assert_string_equal(life(hex, NULL), "1 2 3 5");
}

static void bounds_are_told(void **state)
{
	begin(state);
	add(10, KIND_FILE, "/a", NULL);
	add(20, KIND_RENAME, "/a", "/b");
	add(30, KIND_FILE, "/b", NULL);
	rows_max = 2;
	assert_string_equal(life("/a", NULL), "1 2+");
	/* The second is met by both names. */
	rows_max = 4;
	assert_string_equal(life("/a", NULL), "1 2 3");
	/* Nothing more is asked where no more may be looked at: the path is found, half of what may be is spent. */
	most = 2;
	assert_string_equal(life("/a", NULL), "1+");
	assert_int_equal(queries, 2);
	most = 5;
	assert_string_equal(life("/a", NULL), "1 2+");
	most = 6;
	assert_string_equal(life("/a", NULL), "1 2 3");
}

/* Where not every PC can be looked through for a number, what was found of it is told all the same. */
static void a_number_in_a_long_log(void **state)
{
	struct record *r;
	int i;

	begin(state);
	for (i = 0; i < 40; i++)
		add(10 + i, KIND_FILE, "/other", NULL);
	r = add(60, KIND_FILE, "/a", NULL);
	record_set_str(r, F_DEVICE, "8:1");
	record_set_uint(r, F_INODE, 7);
	add(70, KIND_RENAME, "/a", "/b");
	most = 20;
	assert_string_equal(life("8:1/7", NULL), "41 42+");
	assert_int_equal(looked, 10 + 2 + 1);
	/* Behind what may be looked at there is perhaps one. */
	log_[40].row.record.v[F_INODE].u = 8;
	assert_string_equal(life("8:1/7", NULL), "+");
	assert_int_equal(queries, 1);
}

/* A line that fills all the room there is: one too many, and no string without an end. */
static void a_line_that_just_fits(void **state)
{
	_cleanup_buf_ struct buf room = BUF_INIT(4), tight = BUF_INIT(3), none = BUF_INIT(0);
	void *item = NULL;

	(void)state;
	assert_int_equal(buf_puts(&room, "abc"), 0);
	assert_int_equal(life_item(&room, &item), 0);
	assert_string_equal(item, "abc");
	free(item);
	item = NULL;
	assert_int_equal(buf_puts(&tight, "abc"), 0);
	assert_int_equal(life_item(&tight, &item), V_FULL);
	assert_int_equal(life_item(&none, &item), V_FULL);
	assert_null(item);
}

static int fails(void *ctx, const struct store_filter *f, bool first, store_row_fn fn, void *fn_ctx, struct why *why)
{
	int r = query(ctx, f, first, fn, fn_ctx, why);

	return queries == 2 ? -EIO : r;
}

static void what_fails_leaves_nothing(void **state)
{
	struct life_ways ways = {.query = fails, .make = make, .drop = drop, .rows_max = 10};
	struct store_filter f = {0};
	struct why why = {""};
	struct life *l = NULL;
	struct life_of of;

	begin(state);
	add(10, KIND_FILE, "/a", NULL);
	queries = looked = made = dropped = 0;
	assert_true(life_read("/a", &of));
	assert_int_equal(life_gather(&of, &f, &ways, &l, &why), -EIO);
	assert_null(l);
	assert_int_equal(made, dropped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_may_be_asked, begin),
		cmocka_unit_test_setup(names_for_their_time, begin),
		cmocka_unit_test_setup(a_path_of_two_pcs, begin),
		cmocka_unit_test_setup(by_number, begin),
		cmocka_unit_test_setup(by_hash, begin),
		cmocka_unit_test_setup(bounds_are_told, begin),
		cmocka_unit_test_setup(a_number_in_a_long_log, begin),
		cmocka_unit_test_setup(a_line_that_just_fits, begin),
		cmocka_unit_test_setup(what_fails_leaves_nothing, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
