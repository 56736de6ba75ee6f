/* What goes on paper, read back by another program (poppler's pdftotext, pdffonts, pdfimages). */
#include "collector/paper/paper.h"
#include "tests/unit/cm.h"
#include <errno.h>

/* Fonts that cairo and fontconfig keep for as long as a process lives. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfontconfig\nleak:libcairo\n";
}

static struct buf file = BUF_INIT(8u << 20);

static int put(void *ctx, struct span bytes)
{
	(void)ctx;
	return buf_put_span(&file, bytes);
}

static int refuse(void *ctx, struct span bytes)
{
	(void)ctx;
	(void)bytes;
	return -ENOSPC;
}

/* What a program of poppler says of the file. */
static const char *told(const char *program, const char *options, struct buf *out)
{
	char path[] = "/tmp/sekisho-paper-XXXXXX", command[256], piece[4096];
	int fd = mkstemp(path);
	size_t n;
	FILE *in;

	assert_true(fd >= 0 && write(fd, file.p, file.n) == (ssize_t)file.n);
	close(fd);
	snprintf(command, sizeof(command), "%s %s %s -", program, options, path);
	if (!strcmp(program, "pdffonts") || !strcmp(program, "pdfimages"))
		snprintf(command, sizeof(command), "%s %s %s", program, options, path);
	in = popen(command, "r");
	assert_non_null(in);
	while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
		assert_int_equal(buf_put(out, piece, n), 0);
	assert_int_equal(pclose(in), 0);
	unlink(path);
	return buf_str(out);
}

static const struct paper_column columns[] = {{"日時", 1, false}, {"対象", 2, false}};

static void fill(struct paper *p, unsigned rows)
{
	static const char *const labels[] = {"責任者", "作成者"};
	struct span cells[2];
	char number[32];
	unsigned i;

	paper_heading(p, "1. 利用の記録");
	paper_text(p, SPAN_STR("対象期間: 令和8年11月"));
	paper_table(p, columns, 2);
	for (i = 0; i < rows; i++) {
		snprintf(number, sizeof(number), "row-%u", i);
		cells[0] = SPAN_STR(number);
		cells[1] = SPAN_STR("/srv/個人番号/給与.xlsx");
		paper_row(p, cells);
	}
	cells[0] = SPAN_STR("a\xff\n\u202e<b>");
	cells[1] = SPAN_STR("\u0e01\u0e02 thai");
	paper_row(p, cells);
	paper_seals(p, labels, 2);
}

static void a_table_over_pages(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1u << 20), fonts = BUF_INIT(1u << 16), images = BUF_INIT(1u << 16);
	_cleanup_(paper_freep) struct paper *p = NULL;
	const char *s, *at;
	unsigned n;

	(void)state;
	buf_clear(&file);
	assert_int_equal(paper_init(), 0);
	assert_int_equal(paper_new(put, NULL, "特定個人情報取扱記録簿", &p), 0);
	fill(p, 100);
	assert_int_equal(paper_end(p), 0);
	s = told("pdftotext", "-layout", &text);
	if (getenv("SHOW"))
		puts(s);
	assert_non_null(strstr(s, "特定個人情報取扱記録簿"));
	assert_non_null(strstr(s, "/srv/個人番号/給与.xlsx"));
	assert_non_null(strstr(s, "row-0 "));
	assert_non_null(strstr(s, "row-99 "));
	/* The headings come again on each page, each page has its number. */
	for (at = s, n = 0; (at = strstr(at, "日時")); at++)
		n++;
	assert_int_equal(n, 3);
	assert_non_null(strstr(s, "- 3"));
	/* What would turn or hide text, and what the font does not have, stands there as bytes. */
	assert_non_null(strstr(s, "a\\xff\\n\\xe2\\x80\\xae<b>"));
	assert_non_null(strstr(s, "\\xe0\\xb8\\x81\\xe0\\xb8\\x82 thai"));
	assert_non_null(strstr(s, "責任者"));
	/* Embedded, a part of the font, with the way back to letters; nothing is a picture. */
	s = told("pdffonts", "", &fonts);
	assert_non_null(strstr(s, "NotoSansCJK"));
	assert_null(strstr(s, " no "));
	told("pdfimages", "-list", &images);
	assert_null(strstr(buf_str(&images), "image"));
}

static void an_empty_one_is_whole(void **state)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1u << 16);
	_cleanup_(paper_freep) struct paper *p = NULL;

	(void)state;
	buf_clear(&file);
	assert_int_equal(paper_new(put, NULL, "Register", &p), 0);
	assert_int_equal(paper_end(p), 0);
	assert_non_null(strstr(told("pdftotext", "", &text), "Register"));
}

static void a_failure_is_told(void **state)
{
	_cleanup_(paper_freep) struct paper *p = NULL;

	(void)state;
	assert_int_equal(paper_new(refuse, NULL, "x", &p), 0);
	fill(p, 200);
	assert_int_equal(paper_end(p), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_over_pages),
		cmocka_unit_test(an_empty_one_is_whole),
		cmocka_unit_test(a_failure_is_told),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	buf_deinit(&file);
	return r;
}
