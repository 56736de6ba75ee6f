/*
 * Queries against the plain truth: every filter over random records of several PCs and months must tell exactly the
 * rows that going through all records tells, in order.
 */
#include "collector/store/ask.h"
#include "collector/store/match.h"
#include "tests/unit/store/made.h"

#define PCS 5u
#define SEGMENTS 1260u
#define EACH 4u
#define ROWS (SEGMENTS * EACH)

static const char *const users[] = {"alice", "bob", "花子", "root"};
static const char *const programs[] = {
	"/usr/bin/soffice", "/usr/bin/cp", "/usr/bin/vim.basic", "/opt/tool/cp", "/bin/sh"};
static const unsigned kinds[] = {KIND_FILE, KIND_FILE, KIND_FILE, KIND_EXEC, KIND_UNLINK, KIND_RENAME};
static const unsigned classes[] = {CLASS_FIXED, CLASS_FIXED, CLASS_FIXED, CLASS_USB, CLASS_NETWORK};

struct truth {
	uint64_t row;
	int64_t time;
	unsigned pc, user, program, kind, class;
	char path[96], path2[96];
};

static struct truth truth[ROWS];
static unsigned truth_n;
static struct digest pcs[PCS];
static uint64_t seed = 1;

static unsigned any(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void some_path(char *out, size_t size)
{
	static const char *const folders[] = {"/home/alice/docs", "/srv/給与/2026", "/media/usb", "/tmp", "/home/bob"};
	static const char *const names[] = {"report", "明細", "a", "x-ray", "Budget"};

	switch (any(40)) {
	case 0:
		snprintf(out, size, "/odd/\xff\xfe-%u", any(4)); /* no UTF-8 */
		break;
	default:
		snprintf(out, size, "%s/%s-%u.xlsx", folders[any(5)], names[any(5)], any(30));
	}
}

static void fill(struct store *s, struct made *m, uint64_t *leaf, unsigned pc, int64_t at)
{
	static struct record r;
	uint64_t index;
	unsigned i;

	m->time = at;
	for (i = 0; i < EACH; i++) {
		struct truth *t = &truth[truth_n++];

		t->pc = pc;
		t->user = any(4);
		t->program = any(5);
		t->kind = kinds[any(6)];
		t->class = classes[any(5)];
		some_path(t->path, sizeof(t->path));
		t->path2[0] = 0;
		if (t->kind == KIND_RENAME)
			some_path(t->path2, sizeof(t->path2));
		record_reset(&r);
		record_set_uint(&r, F_KIND, t->kind);
		record_set_str(&r, F_USER, users[t->user]);
		record_set_str(&r, F_PROGRAM, programs[t->program]);
		record_set_str(&r, F_PATH, t->path);
		if (t->path2[0])
			record_set_str(&r, F_PATH2, t->path2);
		record_set_uint(&r, F_CLASS, t->class);
		made_put(m, &r);
		t->time = m->time;
		t->row = (*leaf << 15) + i + 1;
	}
	assert_int_equal(store_append(s, made_seal(m), &index), 0);
	assert_int_equal(index, (*leaf)++);
}

/* --- what a filter means, said again --- */

static bool in_word(const char *pattern, const char *s)
{
	struct match m = match_of(pattern);

	return match_name(&m, SPAN_STR(s));
}

static bool holds(const struct truth *t, const char *text)
{
	const char *const all[] = {t->path, t->path2, users[t->user], programs[t->program]};
	struct match m = match_anywhere(text);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i][0] && match_name(&m, SPAN_STR(all[i])))
			return true;
	return false;
}

static bool listed(unsigned v, const unsigned *of, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (of[i] == v)
			return true;
	return !n;
}

/* Every other PC, or nobody. */
static bool wanted(void *ctx, const struct store_host *h)
{
	return *(const unsigned *)ctx < 2 && (unsigned)atoi(h->name + 3) % 2 == *(const unsigned *)ctx;
}

static bool fits(const struct truth *t, const struct store_filter *f)
{
	char name[16];

	if (f->wants && t->pc % 2 != *(const unsigned *)f->wants_ctx)
		return false;

	snprintf(name, sizeof(name), "pc-%u", t->pc);
	return (!f->from_us || t->time >= f->from_us) && (!f->until_us || t->time < f->until_us) &&
	       (!f->host || !strcmp(f->host, name)) && (!f->user || in_word(f->user, users[t->user])) &&
	       (!f->program || in_word(f->program, programs[t->program])) &&
	       (!f->path || in_word(f->path, t->path) || (t->path2[0] && in_word(f->path, t->path2))) &&
	       (!f->text || holds(t, f->text)) && listed(t->kind, f->kinds, f->kinds_n) &&
	       listed(t->class, f->classes, f->classes_n) && t->row > f->after_row;
}

static bool newest;

static int by_time(const void *a, const void *b)
{
	const struct truth *x = *(const struct truth *const *)a, *y = *(const struct truth *const *)b;
	int c = x->time != y->time ? (x->time < y->time ? -1 : 1) : x->row < y->row ? -1 : x->row > y->row;

	return newest ? -c : c;
}

struct got {
	struct store *s;
	uint64_t rows[ROWS];
	unsigned n;
};

static int on_row(void *ctx, const struct store_row *row)
{
	struct got *g = ctx;
	char name[16];
	unsigned i;

	assert_true(g->n < ROWS);
	g->rows[g->n++] = row->row;
	assert_int_equal(row->leaf, row->row >> 15);
	/* The whole record comes back, not only what was filtered by. */
	for (i = 0; i < truth_n && truth[i].row != row->row; i++)
		;
	assert_true(i < truth_n);
	assert_true(span_eq(row->record.v[F_PATH].s, SPAN_STR(truth[i].path)));
	assert_true(span_eq(row->record.v[F_USER].s, SPAN_STR(users[truth[i].user])));
	assert_int_equal(row->record.v[F_TIME].i, truth[i].time);
	assert_memory_equal(row->host.b, pcs[truth[i].pc].b, DIGEST_SIZE);
	snprintf(name, sizeof(name), "pc-%u", truth[i].pc);
	assert_string_equal(row->host_name, name);
	return 0;
}

/* To be counted: the same rows and moments, and nothing that lies in a pack. */
static int on_bare(void *ctx, const struct store_row *row)
{
	static const struct digest nobody;
	struct got *g = ctx;
	unsigned i;

	assert_true(g->n < ROWS);
	g->rows[g->n++] = row->row;
	assert_int_equal(row->leaf, row->row >> 15);
	for (i = 0; i < truth_n && truth[i].row != row->row; i++)
		;
	assert_true(i < truth_n);
	assert_int_equal(row->record.v[F_TIME].i, truth[i].time);
	assert_false(record_has(&row->record, F_PATH) || record_has(&row->record, F_KIND));
	assert_memory_equal(row->host.b, nobody.b, DIGEST_SIZE);
	assert_null(row->host_name);
	return 0;
}

static unsigned check(struct store *s, const struct store_filter *f)
{
	static const struct truth *want[ROWS];
	static struct got g;
	struct store_filter asked = *f;
	struct why why = {""};
	unsigned n = 0, i;

	asked.bare = any(3) == 0;
	for (i = 0; i < truth_n; i++)
		if (fits(&truth[i], f))
			want[n++] = &truth[i];
	newest = f->newest_first;
	if (n)
		qsort(want, n, sizeof(want[0]), by_time);
	if (f->limit && n > f->limit)
		n = f->limit;
	g.n = 0;
	assert_int_equal(store_query(s, &asked, asked.bare ? on_bare : on_row, &g, &why), 0);
	if (g.n != n)
		print_error("host %s user %s program %s path %s text %s kinds %u classes %u limit %u newest %d: %u "
			    "rows, not %u\n",
			f->host ? f->host : "-", f->user ? f->user : "-", f->program ? f->program : "-",
			f->path ? f->path : "-", f->text ? f->text : "-", f->kinds_n, f->classes_n, f->limit,
			f->newest_first, g.n, n);
	assert_int_equal(g.n, n);
	for (i = 0; i < n; i++)
		assert_int_equal(g.rows[i], want[i]->row);
	return n;
}

static const char *pick(const char *const *of, unsigned n, unsigned none)
{
	return any(none) ? NULL : of[any(n)];
}

static void random_filter(struct store_filter *f)
{
	static const unsigned whose[] = {0, 1, 2};
	static const char *const hosts[] = {"pc-0", "pc-3", "pc-9"};
	static const char *const user_words[] = {"alice", "花子", "nobody", "*o*", "b?b"};
	static const char *const program_words[] = {"cp", "/usr/bin/cp", "*/soffice", "/opt/*", "vim.basic", "none"};
	static const char *const path_words[] = {"/home/alice/*", "*給与*", "*.xlsx", "report-3.xlsx", "/tmp/a-1.xlsx",
		"*x-ray-1?.xlsx", "/odd/*", "*ray*", "/nowhere/*", "?media*", "*", "*/report-3.xlsx",
		"/srv/*/明細-2.xlsx", "*/\xff\xfe-1", "*/明細-?.xlsx", "*/no such", "/home/*"};
	static const char *const texts[] = {
		"給与", "明細-2", "budget", "ALICE", "x-", "cp", "花", "\xff\xfe", "no such"};

	*f = (struct store_filter){
		.host = pick(hosts, 3, 3),
		.user = pick(user_words, 5, 4),
		.program = pick(program_words, 6, 4),
		.path = pick(path_words, ARRAY_SIZE(path_words), 3),
		.text = pick(texts, 9, 4),
		.newest_first = any(2),
	};
	if (!any(4)) {
		f->wants = wanted;
		f->wants_ctx = (void *)&whose[any(3)];
	}
	if (!any(3))
		f->kinds[f->kinds_n++] = kinds[any(6)];
	if (!any(5))
		f->kinds[f->kinds_n++] = KIND_CHMOD;
	if (!any(3))
		f->classes[f->classes_n++] = classes[any(5)];
	if (!any(2))
		f->limit = 1 + any(60);
	if (f->limit && !any(3))
		f->wanted = 1 + any(20);
	if (!any(4))
		f->from_us = MADE_TIME + (int64_t)any(60) * 86400 * 1000000;
	if (!any(4))
		f->until_us = (f->from_us ? f->from_us : MADE_TIME) + (int64_t)(1 + any(600)) * 3600 * 1000000;
	if (!any(8))
		f->after_row = truth[any(truth_n)].row;
}

/* The same counts as of the rows that were put in. */
static void check_count(struct store *s, int64_t from, int64_t until, uint64_t upto)
{
	uint64_t counts[STORE_KINDS], want[STORE_KINDS] = {0};
	unsigned i;

	for (i = 0; i < truth_n; i++)
		if (truth[i].time >= from && truth[i].time < until && truth[i].row <= upto)
			want[truth[i].kind]++;
	assert_int_equal(store_count(s, from, until, upto, counts, NULL), 0);
	assert_memory_equal(counts, want, sizeof(want));
}

static int64_t now;
static int64_t fake_now(void)
{
	return now;
}

static void every_filter_tells_the_truth(void **state)
{
	char dir[256];
	struct store_options o, read_only, anew;
	struct made m[PCS];
	struct store *s, *reader;
	struct why why = {""};
	struct store_stats stats;
	uint64_t leaf = 0, left, row;
	unsigned i, found = 0, empty = 0;

	(void)state;
	made_dir(dir, sizeof(dir));
	o = made_options(dir, fake_now);
	read_only = (struct store_options){.dir = made_to_read(dir)};
	anew = (struct store_options){.dir = made_place(dir)};
	now = MADE_TIME;
	assert_int_equal(store_open(&o, &s, &why), 0);
	for (i = 0; i < PCS; i++) {
		struct store_host h = {.state = HOST_ACTIVE};
		char name[16];

		snprintf(name, sizeof(name), "pc-%u", i);
		made_begin(&m[i], name, PRODUCER_RECORDER);
		pcs[i] = h.id = m[i].host;
		snprintf(h.name, sizeof(h.name), "%s", name);
		assert_int_equal(store_host_put(s, &h), 0);
	}
	assert_int_equal(store_open(&read_only, &reader, &why), 0);
	for (i = 0; i < SEGMENTS; i++) {
		unsigned pc = any(PCS);
		/* Mostly onward, sometimes of weeks ago, sometimes at the very same time. */
		int64_t at = MADE_TIME + (int64_t)i * 4800 * 1000000;

		if (!any(10))
			at -= (int64_t)any(20) * 86400 * 1000000;
		else if (!any(10))
			at = MADE_TIME + 5;
		/* One zone is older than those before it: a PC's past that comes late. */
		if (i >> ZONE_BITS == 2)
			at -= INT64_C(50) * 86400 * 1000000;
		now = MADE_TIME + (int64_t)i * 4800 * 1000000;
		fill(s, &m[pc], &leaf, pc, at);
		if (any(4) == 0)
			assert_int_equal(store_commit(s), 0);
		/* Text search lags behind: the rest of its names is looked at one by one. */
		if (any(6) == 0)
			assert_int_equal(store_index_step(s, 1 + any(20), &left), 0);
	}
	assert_int_equal(store_commit(s), 0);
	for (left = SEGMENTS; left > 1;)
		assert_int_equal(store_index_step(s, SEGMENTS, &left), 0);
	for (i = 0; i < 1500; i++) {
		struct store_filter f;
		unsigned n;

		asking_sample = i % 3 ? 1024 : 4;
		random_filter(&f);
		n = check(i % 2 ? s : reader, &f);
		found += n > 0;
		empty += !n;
		if (i == 700)
			made_index(s); /* the rest of the names */
	}
	assert_true(found > 300 && empty > 100);
	check_count(reader, MADE_TIME - 400ll * 86400 * 1000000, MADE_TIME + 400ll * 86400 * 1000000, UINT64_MAX >> 1);
	for (i = 0; i < 300; i++) {
		int64_t from = truth[any(truth_n)].time + any(3) - 1;

		check_count(i % 2 ? s : reader, from,
			from + (int64_t)(1 + any(600)) * 3600 * 1000000 / (any(2) ? 1 : 3600),
			any(2) ? UINT64_MAX >> 1 : truth[any(truth_n)].row + any(2));
	}
	assert_int_equal(store_stats(reader, &stats), 0);
	assert_int_equal(stats.records, ROWS);
	assert_int_equal(stats.indexed, SEGMENTS);
	assert_int_equal(stats.hosts, PCS);
	assert_int_equal(store_last_row(reader, &row), 0);
	assert_int_equal(row, ((uint64_t)(SEGMENTS - 1) << 15) + EACH);
	store_close(reader);

	/* Anew from the packs, by somebody who has it open for reading: refused while it is written, then the same. */
	assert_int_equal(store_open(&anew, &reader, &why), 0);
	assert_int_equal(store_rebuild(reader, NULL, NULL, &why), V_EXISTS);
	store_close(s);
	assert_int_equal(store_rebuild(reader, NULL, NULL, &why), 0);
	{
		struct store_filter f = {.path = "*給与*", .newest_first = true};
		struct store_stats after;
		char id[2 * DIGEST_SIZE + 1];

		/* No collector's record enrolled these PCs: they are found by id alone. */
		assert_int_equal(store_stats(reader, &after), 0);
		assert_int_equal(after.records, ROWS);
		assert_int_equal(after.hosts, 0);
		f.host = hex_encode(id, pcs[2].b, 5);
		{
			static struct got none;
			struct store_filter just = f;

			just.host = "pc-2";
			assert_int_equal(store_query(reader, &just, on_row, &none, &why), 0);
			assert_int_equal(none.n, 0);
		}
	}
	store_close(reader);
	for (i = 0; i < PCS; i++)
		made_end(&m[i]);
	made_dir_remove(dir);
}

static void senseless_filters(void **state)
{
	char dir[256];
	struct store *s;
	struct why why = {""};
	struct store_filter back = {.from_us = 2, .until_us = 1}, empty = {.path = ""};

	(void)state;
	made_dir(dir, sizeof(dir));
	assert_int_equal(made_open(dir, &s, &why), 0);
	assert_int_equal(store_query(s, &back, on_row, NULL, &why), V_BAD);
	assert_int_equal(store_query(s, &empty, on_row, NULL, &why), V_BAD);
	store_close(s);
	made_dir_remove(dir);
}

#define CROWD 3000u /* records of one moment, far ahead */
#define PAGE 50u

struct told {
	uint64_t row[CROWD];
	unsigned n, most;
};

static int on_crowd(void *ctx, const struct store_row *row)
{
	struct told *t = ctx;

	assert_true(t->n < CROWD);
	t->row[t->n++] = row->row;
	return t->most && !--t->most ? V_END : 0;
}

/* Whoever takes a page at a time gets all of one moment, however many that are; who wants them all at once is told. */
static void one_moment(void **state)
{
	static struct told all, paged, rest;
	struct store_filter f = {.newest_first = true};
	size_t before = asking_sorted_max;
	struct why why = {""};
	struct store *s;
	struct made m;
	uint64_t index;
	char dir[256];
	unsigned i, k;

	(void)state;
	made_dir(dir, sizeof(dir));
	assert_int_equal(made_open(dir, &s, &why), 0);
	made_begin(&m, "ahead", PRODUCER_RECORDER);
	for (i = 0; i < CROWD / 300; i++) {
		for (k = 0; k < 300; k++) {
			static struct record r;

			record_reset(&r);
			record_set_uint(&r, F_KIND, KIND_FILE);
			m.time = INT64_C(4102444800000000) - 1000;
			made_put(&m, &r);
		}
		assert_int_equal(store_append(s, made_seal(&m), &index), 0);
	}
	assert_int_equal(store_commit(s), 0);
	made_index(s);
	for (k = 0; k < 2; k++, f.newest_first = !f.newest_first) {
		memset(&all, 0, sizeof(all));
		memset(&rest, 0, sizeof(rest));
		memset(&paged, 0, sizeof(paged));
		f.has_place = false;
		f.most = 0;
		assert_int_equal(store_query(s, &f, on_crowd, &all, &why), 0);
		assert_int_equal(all.n, CROWD);
		/* Files sort in memory, a database on its disk. */
		asking_sorted_max = 1024;
		assert_int_equal(store_query(s, &f, on_crowd, made_in_database() ? &rest : &paged, &why),
			made_in_database() ? 0 : V_FULL);
		memset(&paged, 0, sizeof(paged));
		f.most = PAGE + 1;
		for (i = 0; i <= CROWD / PAGE && paged.n < CROWD; i++) {
			paged.most = PAGE;
			assert_int_equal(store_query(s, &f, on_crowd, &paged, &why), 0);
			f.has_place = true;
			f.place_us = INT64_C(4102444800000000);
			f.place_row = paged.row[paged.n - 1];
		}
		asking_sorted_max = before;
		assert_int_equal(paged.n, CROWD);
		assert_memory_equal(paged.row, all.row, sizeof(all.row));
	}
	made_end(&m);
	store_close(s);
	made_dir_remove(dir);
}

static void patterns(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool is;
	} cases[] = {
		{"*/salary/*", "/srv/salary/2026/a.xlsx", true},
		{"/home/*", "/home/", true},
		{"/home/*", "/homes/x", false},
		{"firefox", "/usr/bin/firefox", true},
		{"firefox", "/usr/bin/firefox-esr", false},
		{"firefox", "firefox", true},
		{"bin/firefox", "/usr/bin/firefox", false},
		{"fire*", "/usr/bin/firefox", true},
		{"?.txt", "/tmp/給.txt", true},
		{"??.txt", "/tmp/給.txt", false},
		{"a*b*c*d", "a-b-b-c-x-d", true},
		{"a*b*c*d", "a-b-b-c-x-e", false},
		{"*", "", true},
		{"?", "", false},
		{"", "", true},
		{"[ab]", "a", false},
		{"*?b", "aab", true},
		{"*?b", "b", false},
		{"*a?c*", "xxabaecx", true},
		{"*a?c*", "xxabdc", false},
		{"a*?", "a", false},
		{"a*?", "a給", true},
		{"*?給", "給給", true},
		{"**", "", true},
		{"a**b", "ab", true},
		{"?*?", "a", false},
		{"*/b", "/a/b", true},
		{"/*/b?/c", "/a/bb/c", true},
		{"*ab", "abab", true},
		{"*ab", "aba", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct match m = match_of(cases[i].pattern);

		assert_int_equal(match_name(&m, SPAN_STR(cases[i].name)), cases[i].is);
		if (cases[i].is && match_tail(&m).n)
			assert_true(span_eq(match_tail(&m), name_tail(SPAN_STR(cases[i].name))));
	}
}

static int count_row(void *ctx, const struct store_row *row)
{
	(void)row;
	++*(unsigned *)ctx;
	return 0;
}

static unsigned count_of(struct store *s, const struct store_filter *f)
{
	unsigned found = 0;

	assert_int_equal(store_query(s, f, count_row, &found, NULL), 0);
	return found;
}

/* As files were written before names were found by their last component. */
static void of_before(const char *dir, const char *month)
{
	char path[300];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/index/%s.db", dir, month);
	assert_int_equal(
		sql_open(path, false,
			"BEGIN; CREATE TABLE before(id INTEGER PRIMARY KEY, h INTEGER NOT NULL, s BLOB NOT NULL) "
			"STRICT; INSERT INTO before SELECT id, h, s FROM name; DROP TABLE name; ALTER TABLE "
			"before RENAME TO name; CREATE INDEX name_h ON name(h); UPDATE meta SET v=4 WHERE "
			"k='version'; COMMIT",
			&db),
		0);
	sqlite3_close_v2(db);
}

static void put_names(struct store *s, struct made *m, unsigned from)
{
	static struct record r;
	char path[300];
	uint64_t index;
	unsigned i;

	for (i = from; i < from + 500; i++) {
		record_reset(&r);
		snprintf(path, sizeof(path), "/tmp/only-once-%u", i);
		record_set_uint(&r, F_KIND, KIND_FILE);
		record_set_str(&r, F_PATH, path);
		made_put(m, &r);
	}
	assert_int_equal(store_append(s, made_seal(m), &index), 0);
	assert_int_equal(store_commit(s), 0);
}

/* Text search takes in the names of a month that segments of the next one made it leave. */
static void a_month_left_behind(void **state)
{
	char dir[256], path[300];
	struct store_options o = {.dir = dir, .log_key = made_log_key(), .origin = MADE_ORIGIN, .now_us = fake_now};
	struct store_filter text = {.text = "only-once-777"};
	struct made m;
	struct store *s;
	struct why why = {""};
	int64_t names = 0, searched = 0;
	uint64_t left;
	unsigned i, k;
	sqlite3 *db;

	(void)state;
	/* Of the files' index alone. */
	if (made_in_database())
		skip();
	made_dir(dir, sizeof(dir));
	now = MADE_TIME;
	assert_int_equal(store_open(&o, &s, &why), 0);
	made_begin(&m, "pc-0", PRODUCER_RECORDER);
	for (k = 0; k < 12; k++) {
		/* The last two are of the month after. */
		if (k == 10)
			now += INT64_C(40) * 86400 * 1000000;
		put_names(s, &m, 500 * k);
	}
	made_index(s);
	for (i = 0; i < 5; i++)
		assert_int_equal(store_index_step(s, 64, &left), 0);
	assert_int_equal(count_of(s, &text), 1);
	store_close(s);
	snprintf(path, sizeof(path), "%s/index/2026-05.db", dir);
	assert_int_equal(sql_open_read(path, &db), 0);
	assert_int_equal(sql_number(db, "SELECT max(id) FROM name", 0, &names), 0);
	assert_int_equal(sql_number(db, "SELECT v FROM meta WHERE k='searched'", 0, &searched), 0);
	sqlite3_close_v2(db);
	assert_true(names > 4096 && searched == names);
	made_end(&m);
	made_dir_remove(dir);
}

/* A file of before is read, and written on. */
static void a_month_of_before(void **state)
{
	static const char *const ways[] = {"*/", "", "/tmp/", "/t*/", "*"};
	static const unsigned of[] = {0, 499, 500, 777, 1498};
	char dir[256], word[64];
	struct store_options o = {.dir = dir, .log_key = made_log_key(), .origin = MADE_ORIGIN, .now_us = fake_now};
	struct store_filter f = {.path = word};
	struct made m;
	struct store *s;
	struct why why = {""};
	unsigned before, way, i;

	(void)state;
	/* Of the files' index alone. */
	if (made_in_database())
		skip();
	for (before = 0; before < 2; before++) {
		made_dir(dir, sizeof(dir));
		now = MADE_TIME;
		assert_int_equal(store_open(&o, &s, &why), 0);
		made_begin(&m, "pc-0", PRODUCER_RECORDER);
		put_names(s, &m, 0);
		put_names(s, &m, 500);
		made_index(s);
		store_close(s);
		if (before)
			of_before(dir, "2026-05");
		assert_int_equal(store_open(&o, &s, &why), 0);
		/* One of them is known. */
		put_names(s, &m, 999);
		made_index(s);
		for (i = 0; i < ARRAY_SIZE(of); i++)
			for (way = 0; way < ARRAY_SIZE(ways); way++) {
				snprintf(word, sizeof(word), "%sonly-once-%u", ways[way], of[i]);
				assert_int_equal(count_of(s, &f), 1);
			}
		snprintf(word, sizeof(word), "*/only-once-999");
		assert_int_equal(count_of(s, &f), 2);
		store_close(s);
		made_end(&m);
		made_dir_remove(dir);
	}
}

/* What was so slow that a few names took seconds is not asked. */
static void lengths(void **state)
{
	char word[4 * MATCH_CHARS_MAX + 8] = "";
	struct store_filter f = {.path = word}, text = {.text = word};
	struct why why = {""};
	struct store *s;
	char dir[256];
	unsigned i;

	(void)state;
	made_dir(dir, sizeof(dir));
	assert_int_equal(made_open(dir, &s, &why), 0);
	for (i = 0; i < MATCH_CHARS_MAX - 1; i++)
		strcat(word, "給");
	strcat(word, "*");
	assert_int_equal(store_query(s, &f, on_row, NULL, &why), 0);
	assert_int_equal(store_query(s, &text, on_row, NULL, &why), 0);
	strcat(word, "?");
	assert_int_equal(store_query(s, &f, on_row, NULL, &why), V_BAD);
	assert_non_null(strstr(why.text, "256"));
	assert_int_equal(store_query(s, &text, on_row, NULL, &why), V_BAD);
	/* A whole name is as long as it is. */
	memset(word, 'a', sizeof(word) - 1);
	assert_int_equal(store_query(s, &f, on_row, NULL, &why), 0);
	store_close(s);
	made_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_filter_tells_the_truth),
		cmocka_unit_test(senseless_filters),
		cmocka_unit_test(one_moment),
		cmocka_unit_test(patterns),
		cmocka_unit_test(lengths),
		cmocka_unit_test(a_month_left_behind),
		cmocka_unit_test(a_month_of_before),
	};

	return made_status(cmocka_run_group_tests(tests, made_server_start, made_server_stop));
}
