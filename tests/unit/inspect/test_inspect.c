/*
 * The whole way: sekisho-inspect is started, asked, and tells of documents that Ghostscript, qpdf, poppler and CUPS's
 * filters made (data/make). What it must say of each was read off with pdfinfo, qpdf, ipptool's raster dump and the
 * sources of the documents. Hostile ones end their child, and nothing else.
 */
#include "agent/inspect/inspect.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Under AddressSanitizer, on a slow machine: the child's own limits are not what is tested then. */
#define PATIENT_MS 120000

static struct inspect *inspector;

static void start(struct inspect **out)
{
	char self[PATH_MAX], path[PATH_MAX + 64];
	struct why why = {""};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(n > 0);
	self[n] = '\0';
	/* <build>/unit/inspect_test_inspect, <build>/bin/sekisho-inspect */
	snprintf(path, sizeof(path), "%s/bin/sekisho-inspect", dirname(dirname(self)));
	if (inspect_start(path, out, &why))
		fail_msg("%s: %s", path, why.text);
}

static int open_document(const char *name)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", TEST_DATA, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static void facts_of(const char *name, const struct inspect_ask *ask, struct inspect_facts *f)
{
	_cleanup_close_ int fd = open_document(name);
	struct inspect_ask a = *ask;

	if (!a.time_ms)
		a.time_ms = PATIENT_MS;
	assert_int_equal(inspect_document(inspector, fd, &a, f, NULL), 0);
	assert_true(f->complete);
}

static bool has_gap(const struct inspect_facts *f, enum inspect_what what, enum inspect_cause cause)
{
	unsigned i;

	for (i = 0; i < f->gaps && i < INSPECT_GAPS_MAX; i++)
		if (f->gap[i].what == what && f->gap[i].cause == cause)
			return true;
	return false;
}

#define NO_PAGES UINT64_MAX

static const struct {
	const char *name;
	enum inspect_format format;
	uint64_t pages;
	uint32_t copies;
	enum inspect_color color;
	enum inspect_duplex duplex;
	unsigned flags;
	unsigned width_mm, height_mm; /* 0: not said */
	unsigned gaps;
} known[] = {
	{"grey.pdf", INSPECT_PDF, 3, 0, INSPECT_GREY, 0, 0, 210, 297, 0},
	{"color.pdf", INSPECT_PDF, 3, 0, INSPECT_COLOR, 0, 0, 210, 297, 0},
	{"objects.pdf", INSPECT_PDF, 3, 0, INSPECT_COLOR, 0, 0, 210, 297, 0},
	{"mixed.pdf", INSPECT_PDF, 3, 0, INSPECT_GREY, 0, INSPECT_MIXED, 210, 297, 0},
	{"owner.pdf", INSPECT_PDF, 3, 0, INSPECT_COLOR, 0, INSPECT_ENCRYPTED, 210, 297, 0},
	{"locked.pdf", INSPECT_PDF, NO_PAGES, 0, 0, 0, INSPECT_ENCRYPTED | INSPECT_PASSWORD, 0, 0, 1},
	{"cut.pdf", INSPECT_PDF, NO_PAGES, 0, 0, 0, INSPECT_DAMAGED | INSPECT_TRUNCATED, 0, 0, 1},
	{"grey.pdf.gz", INSPECT_PDF, 3, 0, INSPECT_GREY, 0, INSPECT_GZIP, 210, 297, 0},
	{"pjl.pdf", INSPECT_PDF, 3, 2, INSPECT_COLOR, INSPECT_SHORT_EDGE, INSPECT_PJL, 210, 297, 0},
	{"scan.pdf", INSPECT_PDF, 3, 0, INSPECT_COLOR_OK, 0, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"scan-grey.pdf", INSPECT_PDF, 3, 0, INSPECT_GREY, 0, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"grey.pwg", INSPECT_PWG_RASTER, 3, 0, INSPECT_GREY, INSPECT_ONE_SIDED, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"color.pwg", INSPECT_PWG_RASTER, 3, 0, INSPECT_COLOR, INSPECT_ONE_SIDED, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"black.pwg", INSPECT_PWG_RASTER, 3, 0, INSPECT_GREY, INSPECT_ONE_SIDED, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"filters.pwg", INSPECT_PWG_RASTER, 3, 0, INSPECT_COLOR, INSPECT_ONE_SIDED, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"grey.ras", INSPECT_CUPS_RASTER, 3, 0, INSPECT_GREY, INSPECT_ONE_SIDED, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"color.ras", INSPECT_CUPS_RASTER, 3, 0, INSPECT_COLOR, INSPECT_ONE_SIDED, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"grey.urf", INSPECT_APPLE_RASTER, 3, 0, INSPECT_GREY, INSPECT_ONE_SIDED, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"color.urf", INSPECT_APPLE_RASTER, 3, 0, INSPECT_COLOR, INSPECT_ONE_SIDED, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"duplex.urf", INSPECT_APPLE_RASTER, 3, 0, INSPECT_COLOR, INSPECT_SHORT_EDGE, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"filters.urf", INSPECT_APPLE_RASTER, 3, 0, INSPECT_COLOR, INSPECT_ONE_SIDED, INSPECT_IMAGE_ONLY, 208, 295, 0},
	{"grey.ps", INSPECT_POSTSCRIPT, 3, 0, 0, 0, 0, 0, 0, 1},
	{"pdftops.ps", INSPECT_POSTSCRIPT, 3, 0, 0, 0, 0, 210, 297, 1},
	{"filters.ps", INSPECT_POSTSCRIPT, 3, 2, 0, INSPECT_SHORT_EDGE, 0, 0, 0, 1},
	{"mono.pcl", INSPECT_PCL, 3, 1, INSPECT_GREY, 0, 0, 210, 297, 0},
	{"duplex.pcl", INSPECT_PCL, 3, 1, INSPECT_GREY, INSPECT_LONG_EDGE, 0, 210, 297, 0},
	{"laser.pcl", INSPECT_PCL, 3, 1, INSPECT_GREY, INSPECT_LONG_EDGE, 0, 210, 297, 0},
	{"color.pcl", INSPECT_PCL, 3, 0, INSPECT_COLOR_OK, 0, 0, 210, 297, 0},
	{"two.prn", INSPECT_PCL, 6, 1, INSPECT_GREY, INSPECT_SHORT_EDGE, INSPECT_PJL, 210, 297, 1},
	{"color.pxl", INSPECT_PCLXL, NO_PAGES, 0, 0, 0, INSPECT_PJL, 0, 0, 1},
	{"dots.escp", INSPECT_ESCP, NO_PAGES, 0, 0, 0, 0, 0, 0, 1},
	{"page.jpg", INSPECT_JPEG, 1, 0, INSPECT_COLOR_OK, 0, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"page-grey.jpg", INSPECT_JPEG, 1, 0, INSPECT_GREY, 0, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"page.png", INSPECT_PNG, 1, 0, INSPECT_COLOR_OK, 0, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"page-grey.png", INSPECT_PNG, 1, 0, INSPECT_GREY, 0, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"japanese.txt", INSPECT_TEXT, NO_PAGES, 0, INSPECT_GREY, 0, 0, 0, 0, 1},
	/* colour where it is easily missed, and where it only looks like it */
	{"spot.pdf", INSPECT_PDF, 1, 0, INSPECT_COLOR, 0, 0, 210, 297, 0},
	{"stamp.pdf", INSPECT_PDF, 1, 0, INSPECT_COLOR, 0, 0, 210, 297, 0},
	{"loop-form.pdf", INSPECT_PDF, 1, 0, INSPECT_COLOR, 0, 0, 210, 297, 0},
	{"palette.pdf", INSPECT_PDF, 1, 0, INSPECT_GREY, 0, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"inline.pdf", INSPECT_PDF, 1, 0, INSPECT_COLOR_OK, 0, INSPECT_IMAGE_ONLY, 210, 297, 0},
	{"grey-k.pdf", INSPECT_PDF, 1, 0, INSPECT_GREY, 0, 0, 210, 297, 0},
	/* lies */
	{"million-said.pdf", INSPECT_PDF, 3, 0, INSPECT_GREY, 0, 0, 210, 297, 0},
	{"deep.pdf", INSPECT_PDF, 1, 0, INSPECT_GREY, 0, 0, 210, 297, 0},
	{"loop-pages.pdf", INSPECT_PDF, 1, 0, 0, 0, INSPECT_CLAIMED, 0, 0, 1},
};

static void check_known(size_t i)
{
	struct inspect_ask ask = {0};
	struct inspect_facts f;

	facts_of(known[i].name, &ask, &f);
	print_message("%s\n", known[i].name);
	assert_int_equal(f.format, known[i].format);
	assert_int_equal(f.has_pages, known[i].pages != NO_PAGES);
	if (f.has_pages)
		assert_int_equal(f.pages, known[i].pages);
	assert_int_equal(f.copies, known[i].copies);
	assert_int_equal(f.color, known[i].color);
	assert_int_equal(f.duplex, known[i].duplex);
	assert_int_equal(f.flags, known[i].flags);
	assert_int_equal((f.width_um + 500) / 1000, known[i].width_mm);
	assert_int_equal((f.height_um + 500) / 1000, known[i].height_mm);
	assert_int_equal(f.gaps, known[i].gaps);
	assert_true(f.has_hash);
}

static void documents_of_other_tools(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(known); i++)
		check_known(i);
}

static void size_and_hash_are_those_of_the_file(void **state)
{
	struct inspect_ask ask = {0};
	struct inspect_facts f;
	struct inspect_facts plain;

	(void)state;
	facts_of("grey.pdf", &ask, &plain);
	facts_of("grey.pdf.gz", &ask, &f);
	assert_true(digest_eq(&f.plain_hash, &plain.hash));
	assert_true(digest_eq(&plain.plain_hash, &plain.hash));
	assert_false(digest_eq(&f.hash, &plain.hash));
	assert_int_equal(f.plain_bytes, plain.bytes);
	assert_true(f.bytes < f.plain_bytes);
	assert_non_null(strstr(plain.generator, "Ghostscript"));
	/* as LibreOffice writes it: UTF-16 */
	facts_of("utf16.pdf", &ask, &f);
	assert_string_equal(f.generator, "Writer; LibreOffice 25.2 日本");
}

static void text_is_counted(void **state)
{
	static const char *const patterns[] = {"社外秘", "\\bpage (one|two)\\b", "[A-Z]-\\d{7}"};
	static const struct {
		const char *name;
		uint64_t numbers;
		bool named;
		uint64_t matches[3];
	} texts[] = {
		{"grey.pdf", 1, false, {0, 2, 0}},
		{"grey.pdf.gz", 1, false, {0, 2, 0}},
		{"owner.pdf", 1, false, {0, 2, 0}},
		{"japanese-font.pdf", 1, true, {1, 0, 0}},
		{"japanese.txt", 1, true, {1, 0, 1}},
	};
	struct inspect_ask ask = {.text = true, .patterns = 3, .pattern = patterns};
	struct inspect_facts f;
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		print_message("%s\n", texts[i].name);
		facts_of(texts[i].name, &ask, &f);
		assert_true(f.flags & INSPECT_TEXT_READ);
		assert_int_equal(f.found[FIND_MY_NUMBER].sure + f.found[FIND_MY_NUMBER].maybe, texts[i].numbers);
		assert_int_equal(f.found[FIND_MY_NUMBER].sure, texts[i].named);
		assert_int_equal(f.my_number_named, texts[i].named);
		for (k = 0; k < 3; k++)
			assert_int_equal(f.matches[k], texts[i].matches[k]);
	}
}

/* The same five people, as offices keep them (data/make-offices). */
static const struct {
	const char *name;
	enum inspect_format format;
	uint64_t numbers, marks;
} offices[] = {
	{"people.xlsx", INSPECT_XLSX, 5, 1},
	{"people.docx", INSPECT_DOCX, 5, 2},
	{"people.pptx", INSPECT_PPTX, 5, 1},
	{"people.ods", INSPECT_OPENDOCUMENT, 5, 1},
	{"people.odt", INSPECT_OPENDOCUMENT, 5, 2},
	{"people.xls", INSPECT_XLS, 5, 1},
	{"people.doc", INSPECT_DOC, 5, 2},
	{"people.ppt.gz", INSPECT_PPT, 5, 1},
	{"people.rtf", INSPECT_RTF, 5, 2},
	{"people.html", INSPECT_HTML, 5, 2},
	{"people-sjis.csv", INSPECT_TEXT, 5, 1},
	{"people-euc.csv", INSPECT_TEXT, 5, 1},
	{"people-jis.csv", INSPECT_TEXT, 5, 1},
	{"people-utf16.csv", INSPECT_TEXT, 5, 1},
	{"people.eml", INSPECT_MAIL, 5, 2},
	{"people.zip", INSPECT_ZIP, 5, 1},
	{"people.7z", INSPECT_ARCHIVE, 5, 1},
	{"people.tar.gz", INSPECT_ARCHIVE, 10, 2},
	{"people.csv.zst", INSPECT_ARCHIVE, 5, 1},
};

static void office_documents_are_read(void **state)
{
	static const char *const patterns[] = {"社外秘"};
	struct inspect_ask ask = {.text = true, .patterns = 1, .pattern = patterns};
	struct inspect_facts f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(offices); i++) {
		print_message("%s\n", offices[i].name);
		facts_of(offices[i].name, &ask, &f);
		assert_int_equal(f.format, offices[i].format);
		assert_int_equal(f.found[FIND_MY_NUMBER].sure, offices[i].numbers);
		assert_int_equal(f.found[FIND_MY_NUMBER].maybe, 0);
		assert_string_equal(f.found[FIND_MY_NUMBER].sample, "**********18");
		assert_int_equal(f.matches[0], offices[i].marks);
		assert_true(f.flags & INSPECT_TEXT_READ);
		/* Nothing in what these programs write is said to be unread: their thumbnails are no scans. */
		assert_true(inspect_text_read(&f));
		assert_false(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_BROKEN));
	}
}

/* What cannot be read is a finding of its own, never silence. */
static void what_is_locked_is_said(void **state)
{
	static const char *const locked[] = {
		"locked.xlsx", "locked.xls", "locked.ods", "locked.zip", "locked-names.7z"};
	struct inspect_ask ask = {.text = true};
	struct inspect_facts f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(locked); i++) {
		print_message("%s\n", locked[i]);
		facts_of(locked[i], &ask, &f);
		assert_true(f.flags & INSPECT_PASSWORD);
		assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_NEEDS_PASSWORD));
		assert_int_equal(f.found[FIND_MY_NUMBER].sure, 0);
	}
	facts_of("deep.zip", &ask, &f);
	assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG));
	ask.unpacked = 1 << 20;
	facts_of("bomb.zip", &ask, &f);
	assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG));
	facts_of("people.xlsx", &ask, &f);
	assert_int_equal(f.found[FIND_MY_NUMBER].sure, 5);
}

/* Text that is there and cannot be had is a gap; the collection's maps may be opened where the kernel has Landlock. */
static void text_that_is_not_had_is_said(void **state)
{
	struct inspect_ask ask = {.text = true};
	struct inspect_facts f;

	(void)state;
	facts_of("scan.pdf", &ask, &f);
	assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT));
	facts_of("color.urf", &ask, &f);
	assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT));
	facts_of("locked.pdf", &ask, &f);
	assert_true(has_gap(&f, INSPECT_ABOUT_ALL, INSPECT_NEEDS_PASSWORD));
	facts_of("japanese-cid.pdf", &ask, &f);
	if (f.flags & INSPECT_TEXT_READ)
		assert_int_equal(f.found[FIND_MY_NUMBER].sure, 1);
	else
		assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_NOT_SAID));
}

/* What the usual reader of a format does not come upon (data/make-silent): it is read, or said. */
static void nothing_is_passed_over_in_silence(void **state)
{
	static const struct {
		const char *name;
		enum inspect_format format;
		uint64_t numbers;
		bool read; /* all of it: no gap that matters */
	} cases[] = {
		{"silent-cover.pdf", INSPECT_PDF, 0, false},
		{"silent-strips.pdf", INSPECT_PDF, 0, false},
		{"silent-outlines.pdf", INSPECT_PDF, 0, false},
		{"silent-mark.pdf", INSPECT_PDF, 0, true},
		{"silent-mark-outlines.pdf", INSPECT_PDF, 0, false},
		{"silent-blank.pdf", INSPECT_PDF, 0, true},
		{"silent-stamp.pdf", INSPECT_PDF, 0, true},
		{"silent-scan.docx", INSPECT_DOCX, 0, false},
		{"silent-logo.docx", INSPECT_DOCX, 0, true},
		{"silent-thumbnail.docx", INSPECT_DOCX, 0, true},
		{"silent-poster.docx", INSPECT_DOCX, 0, false},
		{"silent-metafile.docx", INSPECT_DOCX, 0, false},
		{"silent-dull.docx", INSPECT_DOCX, 0, true},
		{"silent-dull.odt", INSPECT_OPENDOCUMENT, 0, true},
		{"silent-frame.docx", INSPECT_DOCX, 0, false},
		{"silent-font.docx", INSPECT_DOCX, 0, false},
		{"silent-file.docx", INSPECT_DOCX, 5, true},
		{"silent-properties.docx", INSPECT_DOCX, 5, true},
		{"silent-kept.docx", INSPECT_DOCX, 5, true},
		{"silent-broken.docx", INSPECT_DOCX, 0, false},
		{"silent-sheet.xlsx", INSPECT_XLSX, 5, true},
		{"silent-pivot.xlsx", INSPECT_XLSX, 5, true},
		{"silent-sheet.xlsb", INSPECT_XLSX, 0, false},
		{"silent-repeated.ods", INSPECT_OPENDOCUMENT, 5, true},
		{"silent-stored.zip", INSPECT_ZIP, 10, true},
		{"silent-box.mbox", INSPECT_MAIL, 5, true},
		{"silent-behind.gz", INSPECT_TEXT, 0, false},
		{"silent-members.gz", INSPECT_TEXT, 5, true},
		{"silent-tape.gz", INSPECT_TEXT, 5, true},
		{"silent-commands.txt", INSPECT_CUPS_COMMAND, 5, true},
		{"silent-utf32.txt", INSPECT_TEXT, 5, true},
		{"silent-utf32be.txt", INSPECT_TEXT, 5, true},
		{"silent-letters.xml", INSPECT_TEXT, 5, true},
		{"silent-letters.json", INSPECT_TEXT, 5, true},
	};
	struct inspect_ask ask = {.text = true};
	struct inspect_facts f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("%s\n", cases[i].name);
		facts_of(cases[i].name, &ask, &f);
		assert_int_equal(f.format, cases[i].format);
		assert_int_equal(f.found[FIND_MY_NUMBER].sure, cases[i].numbers);
		assert_int_equal(inspect_text_read(&f), cases[i].read);
	}
	facts_of("silent-scan.docx", &ask, &f);
	assert_false(f.flags & INSPECT_IMAGE_ONLY);
}

/* Parts that are large hide no text behind them. */
static void what_is_large_hides_nothing(void **state)
{
	struct inspect_ask ask = {.text = true, .unpacked = 2 << 20, .time_ms = PATIENT_MS};
	static const char head[] = "[\"\\u500b\", \"", tail[] = "\", \"個人番号 123456789018\"]\n";
	_cleanup_close_ int fd = memfd_create("letters", MFD_CLOEXEC);
	static char blanks[1 << 20];
	struct inspect_facts f;
	unsigned i;

	(void)state;
	facts_of("silent-large.docx", &ask, &f);
	assert_int_equal(f.found[FIND_MY_NUMBER].sure, 5);
	assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG));
	facts_of("silent-large.xlsx", &ask, &f);
	assert_int_equal(f.found[FIND_MY_NUMBER].sure, 5);
	assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG));

	/* More than is kept of text whose letters are written as numbers. */
	memset(blanks, '\n', sizeof(blanks));
	assert_int_equal(write(fd, head, sizeof(head) - 1), sizeof(head) - 1);
	for (i = 0; i < 65; i++)
		assert_int_equal(write(fd, blanks, sizeof(blanks)), sizeof(blanks));
	assert_int_equal(write(fd, tail, sizeof(tail) - 1), sizeof(tail) - 1);
	ask.unpacked = 0;
	assert_int_equal(inspect_document(inspector, fd, &ask, &f, NULL), 0);
	assert_int_equal(f.found[FIND_MY_NUMBER].sure, 1);
	assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG));
}

static void bombs_do_not_go_off(void **state)
{
	struct inspect_ask ask = {.unpacked = 1 << 20};
	struct inspect_facts f;

	(void)state;
	facts_of("bomb.gz", &ask, &f);
	assert_true(f.has_hash);
	assert_true(has_gap(&f, INSPECT_ABOUT_ALL, INSPECT_TOO_BIG));
	facts_of("grey.pdf.gz", &ask, &f);
	assert_int_equal(f.pages, 3);
	/* 1 GiB of blanks in two kilobytes: pages are known, the rest is not, whichever bound is met first */
	ask.time_ms = 5000;
	facts_of("bomb.pdf", &ask, &f);
	assert_int_equal(f.pages, 1);
	assert_true(has_gap(&f, INSPECT_ABOUT_COLOR, INSPECT_TOO_BIG) ||
		    has_gap(&f, INSPECT_ABOUT_COLOR, INSPECT_TOO_LONG) || f.color == INSPECT_GREY);
}

/* The only child of `parent`, when it is there. */
static pid_t child_of(pid_t parent)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	struct dirent *e;

	assert_non_null(proc);
	while ((e = readdir(proc))) {
		char path[300], text[512], *end;
		_cleanup_close_ int fd = -1;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		if (e->d_name[0] < '0' || e->d_name[0] > '9' || (fd = open(path, O_RDONLY)) < 0)
			continue;
		n = read(fd, text, sizeof(text) - 1);
		text[n < 0 ? 0 : n] = '\0';
		end = strrchr(text, ')');
		if (end && strtol(end + 4, NULL, 10) == parent)
			return (pid_t)strtol(e->d_name, NULL, 10);
	}
	return 0;
}

/* A document that does not end keeps its child waiting; then whatever could happen to a child happens to it. */
/* A child of a build with sanitizers has their handlers, until it has taken all back: a signal before that ends it
 * another way. */
static bool has_handlers(pid_t pid)
{
	_cleanup_buf_ struct buf status = BUF_INIT(64u << 10);
	const char *caught;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (file_read(path, &status) || buf_put_span(&status, SPAN("", 1)))
		return true;
	caught = strstr((const char *)status.p, "SigCgt:");
	return !caught || strtoull(caught + strlen("SigCgt:"), NULL, 16) != 0;
}

static void begin_endless(struct inspect_job **job, int *writer, uint32_t time_ms)
{
	struct inspect_ask ask = {.time_ms = time_ms};
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(inspect_begin(inspector, ends[0], &ask, job, NULL), 0);
	close(ends[0]);
	*writer = ends[1];
}

static void wait_for(struct inspect_job *job)
{
	while (inspect_job_step(job) == V_AGAIN) {
		struct pollfd p = {.fd = inspect_job_fd(job), .events = POLLIN};

		poll(&p, 1, PATIENT_MS);
	}
}

static void a_child_that_dies_is_told_of(void **state)
{
	static const int signals[] = {SIGSEGV, SIGABRT, SIGBUS, SIGSYS, SIGILL};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		_cleanup_(inspect_job_freep) struct inspect_job *job = NULL;
		_cleanup_close_ int writer = -1;
		const struct inspect_facts *f;
		pid_t child = 0;
		int tries;

		begin_endless(&job, &writer, PATIENT_MS);
		for (tries = 0; tries < 6000 && (!child || has_handlers(child)); tries++) {
			poll(NULL, 0, 10);
			child = child_of(child_of(getpid()));
		}
		assert_true(child > 0);
		assert_int_equal(kill(child, signals[i]), 0);
		wait_for(job);
		f = inspect_job_facts(job);
		assert_true(f->complete);
		assert_true(has_gap(f, INSPECT_ABOUT_ALL, INSPECT_DIED));
		assert_string_equal(f->gap[0].detail, strsignal(signals[i]));
	}
}

static void time_ends(void **state)
{
	_cleanup_(inspect_job_freep) struct inspect_job *job = NULL;
	_cleanup_close_ int writer = -1;

	(void)state;
	begin_endless(&job, &writer, 300);
	wait_for(job);
	assert_true(has_gap(inspect_job_facts(job), INSPECT_ABOUT_ALL, INSPECT_TOO_LONG));
}

/* A PC that sleeps, as tests/flow/sleeper.c plays it: half read then, a document is read to its end afterwards. */
static void a_sleep_is_no_time(void **state)
{
	_cleanup_(inspect_stopp) struct inspect *in = NULL;
	_cleanup_(inspect_job_freep) struct inspect_job *job = NULL;
	_cleanup_close_ int writer = -1, clock = -1, grey = open_document("grey.pdf");
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);
	char self[PATH_MAX], sleeper[PATH_MAX + 64], place[] = "/tmp/sekisho-asleep-XXXXXX", file[64], fifo[64];
	struct inspect_ask ask = {.time_ms = PATIENT_MS};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct inspect_facts f;
	int64_t asleep_us = 0;
	int ends[2];

	(void)state;
	assert_true(n > 0);
	self[n] = '\0';
	snprintf(sleeper, sizeof(sleeper), "%s/flow/sleeper.so", dirname(dirname(self)));
	assert_non_null(mkdtemp(place));
	snprintf(file, sizeof(file), "%s/clock", place);
	snprintf(fifo, sizeof(fifo), "%s/wakes", place);
	clock = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(clock, &asleep_us, sizeof(asleep_us), 0), sizeof(asleep_us));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	setenv("SLEEPER_CLOCK", file, 1);
	setenv("SLEEPER_WAKES", fifo, 1);
	setenv("LD_PRELOAD", sleeper, 1);
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
	start(&in);
	unsetenv("LD_PRELOAD");
	unsetenv("ASAN_OPTIONS");
	assert_int_equal(file_read(TEST_DATA "/color.pdf", &b), 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(inspect_begin(in, ends[0], &ask, &job, NULL), 0);
	close(ends[0]);
	writer = ends[1];
	assert_int_equal(write_all(writer, b.p, b.n / 2), 0);
	/* It is at work once another one is. */
	assert_int_equal(inspect_document(in, grey, &ask, &f, NULL), 0);
	asleep_us = 8ll * 3600 * 1000000;
	assert_int_equal(pwrite(clock, &asleep_us, sizeof(asleep_us), 0), sizeof(asleep_us));
	assert_int_equal(lseek(grey, 0, SEEK_SET), 0);
	assert_int_equal(inspect_document(in, grey, &ask, &f, NULL), 0);
	assert_int_equal(f.pages, 3);
	/* Where it was given up nobody reads any more. */
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(write_all(writer, b.p + b.n / 2, b.n - b.n / 2), 0);
	signal(SIGPIPE, SIG_DFL);
	close(steal_fd(&writer));
	wait_for(job);
	assert_false(has_gap(inspect_job_facts(job), INSPECT_ABOUT_ALL, INSPECT_TOO_LONG));
	assert_int_equal(inspect_job_facts(job)->pages, 3);
	unlink(file);
	unlink(fifo);
	rmdir(place);
}

static void a_pipe_is_a_document_too(void **state)
{
	_cleanup_(inspect_job_freep) struct inspect_job *job = NULL;
	_cleanup_close_ int writer = -1;
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);

	(void)state;
	assert_int_equal(file_read(TEST_DATA "/color.pdf", &b), 0);
	begin_endless(&job, &writer, PATIENT_MS);
	assert_int_equal(write_all(writer, b.p, b.n), 0);
	close(steal_fd(&writer));
	wait_for(job);
	assert_int_equal(inspect_job_facts(job)->pages, 3);
	assert_int_equal(inspect_job_facts(job)->bytes, b.n);
}

/* More than are looked at side by side: all get their facts. One that is given up makes room. */
static void many_at_once(void **state)
{
	struct inspect_job *job[32] = {NULL}, *endless[4];
	int writer[4];
	struct inspect_ask ask = {.time_ms = PATIENT_MS};
	size_t i, n;

	(void)state;
	for (i = 0; i < 4; i++)
		begin_endless(&endless[i], &writer[i], PATIENT_MS);
	for (n = 0; n < ARRAY_SIZE(job); n++) {
		_cleanup_close_ int fd = open_document("grey.pdf");
		int r = inspect_begin(inspector, fd, &ask, &job[n], NULL);

		if (r == V_FULL)
			break;
		assert_int_equal(r, 0);
	}
	assert_true(n >= 4);
	for (i = 0; i < 4; i++)
		inspect_job_free(endless[i]);
	for (i = 0; i < n; i++) {
		wait_for(job[i]);
		assert_int_equal(inspect_job_facts(job[i])->pages, 3);
		inspect_job_free(job[i]);
	}
	for (i = 0; i < 4; i++)
		close(writer[i]);
}

static void what_cannot_be_read_is_said(void **state)
{
	_cleanup_close_ int folder = open("/", O_RDONLY | O_DIRECTORY), none = open("/dev/null", O_RDONLY),
			    blind = open("/dev/null", O_WRONLY);
	struct inspect_ask ask = {.time_ms = PATIENT_MS};
	struct inspect_facts f;
	static const char *const bad[] = {"good", "(not"};
	struct why why = {""};

	(void)state;
	assert_int_equal(inspect_document(inspector, folder, &ask, &f, NULL), 0);
	assert_true(has_gap(&f, INSPECT_ABOUT_ALL, INSPECT_NOT_READABLE));
	assert_int_equal(inspect_document(inspector, blind, &ask, &f, NULL), 0);
	assert_true(has_gap(&f, INSPECT_ABOUT_ALL, INSPECT_NOT_READABLE));
	assert_int_equal(inspect_document(inspector, none, &ask, &f, NULL), 0);
	assert_int_equal(f.format, INSPECT_EMPTY);
	assert_int_equal(f.bytes, 0);
	ask.patterns = 2;
	ask.pattern = bad;
	assert_int_equal(inspect_document(inspector, none, &ask, &f, &why), V_BAD);
	assert_non_null(strstr(why.text, "pattern 2"));
	assert_true(f.gaps > 0);
}

static void an_inspector_that_is_gone_is_said(void **state)
{
	_cleanup_(inspect_stopp) struct inspect *in = NULL;
	_cleanup_close_ int fd = open_document("grey.pdf");
	struct inspect_ask ask = {.time_ms = PATIENT_MS};
	struct inspect_facts f;
	struct why why = {""};
	pid_t pid;

	(void)state;
	assert_int_equal(inspect_start("/no/such/program", &in, &why), V_NOT_FOUND);
	assert_int_equal(inspect_start("/bin/true", &in, &why), V_BAD);
	inspect_stop(STEAL(inspector));
	start(&in);
	pid = child_of(getpid());
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (inspect_document(in, fd, &ask, &f, &why) == 0)
		assert_true(has_gap(&f, INSPECT_ABOUT_ALL, INSPECT_GONE));
	assert_true(has_gap(&f, INSPECT_ABOUT_ALL, INSPECT_GONE));
	start(&inspector);
}

/* Also where the daemon that started it is kept to the last. */
static void it_is_the_first_to_go_where_memory_ends(void **state)
{
	_cleanup_buf_ struct buf adjust = BUF_INIT(64);
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", child_of(getpid()));
	assert_int_equal(file_read(path, &adjust), 0);
	assert_string_equal(buf_str(&adjust), "500\n");
}

/* One document of LibreOffice's, known: found in every other format of the same, by the same way that reads what
 * leaves. */
static void a_known_document_is_found_in_other_formats(void **state)
{
	static const uint8_t key[INSPECT_KEY_SIZE] = {7};
	static const char *const same[] = {
		"people.docx", "people.odt", "people.doc", "people.rtf", "people.html", "people.tar.gz"};
	static const char *const others[] = {"grey.pdf", "japanese.txt", "color.pdf", "scan.pdf", "utf16.pdf"};
	_cleanup_buf_ struct buf prints = BUF_INIT(INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE);
	_cleanup_(inspect_known_freep) struct inspect_known *kept = NULL;
	_cleanup_close_ int fd = open_document("people.docx");
	struct inspect_known_document document = {.has_hash = true};
	struct inspect_ask ask = {.text = true};
	struct inspect_facts f;
	size_t i, n;

	(void)state;
	assert_int_equal(inspect_prints(inspector, fd, key, PATIENT_MS, &prints, &f, NULL), 0);
	n = prints.n / INSPECT_PRINT_SIZE;
	assert_in_range(n, 8, INSPECT_PRINTS_MAX);
	document.hash = f.hash;
	document.prints = buf_span(&prints);
	assert_int_equal(inspect_known_new(key, &document, 1, &kept), 0);
	ask.known = kept;
	for (i = 0; i < ARRAY_SIZE(same); i++) {
		facts_of(same[i], &ask, &f);
		print_message("%s: %u of %zu\n", same[i], f.known[0].prints, n);
		assert_in_range(inspect_known_share(&f.known[0], n), 60, 100);
		assert_int_equal(f.known[0].exact, i == 0);
	}
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		facts_of(others[i], &ask, &f);
		assert_int_equal(f.known[0].prints, 0);
		assert_false(f.known[0].exact);
	}
	/* Without the text the file is known all the same. */
	ask.text = false;
	facts_of("people.docx", &ask, &f);
	assert_int_equal(inspect_known_share(&f.known[0], n), 100);
}

/* What a person sees in pictures.csv: five personal numbers below their head, and five telephone numbers, which are
 * none. */
static void text_in_pictures_is_read_where_asked(void **state)
{
	static const char *const files[] = {"ocr.png", "ocr.jpg", "ocr-fax.tif", "ocr-scan.pdf", "ocr-askew.png",
		"ocr.pwg", "ocr.urf", "ocr.ras.gz", "ocr.docx", "ocr.eml", "ocr-side.png", "ocr-head.jpg",
		"ocr-other-side.tif"};
	static const char *const patterns[] = {"03-1234-5678", "個人番号"};
	struct inspect_ask ask = {.text = true,
		.pattern = patterns,
		.patterns = 2,
		.ocr = {.document_ms = PATIENT_MS, .hour_ms = 3600000}};
	struct inspect_facts f;
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		facts_of(files[i], &ask, &f);
		if (f.found[FIND_MY_NUMBER].sure != 5 || f.matches[0] != 1 || !f.matches[1])
			fail_msg("%s: %llu personal numbers, %llu telephone, %llu heads", files[i],
				(unsigned long long)f.found[FIND_MY_NUMBER].sure, (unsigned long long)f.matches[0],
				(unsigned long long)f.matches[1]);
		for (k = 0; k < FIND_KINDS; k++)
			assert_true(k == FIND_MY_NUMBER || !f.found[k].sure);
		assert_true(f.flags & INSPECT_OCR);
		assert_true(inspect_text_read(&f));
	}
	/* A page whose letters are text has nothing to be read twice. */
	facts_of("japanese-font.pdf", &ask, &f);
	assert_false(f.flags & INSPECT_OCR);
	/* Otherwise they are as they were. */
	ask.ocr = (struct inspect_ocr){0};
	facts_of("ocr-fax.tif", &ask, &f);
	assert_int_equal(f.format, INSPECT_TIFF);
	assert_int_equal(f.pages, 1);
	assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT));
	assert_false(inspect_text_read(&f));
	facts_of("ocr.docx", &ask, &f);
	assert_true(has_gap(&f, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT));
	assert_true(!inspect_text_read(&f) && !f.matches[1]);
}

static void pictures_that_are_not_read_are_said(void **state)
{
	struct inspect_ask ask = {.text = true, .ocr = {.document_ms = PATIENT_MS, .hour_ms = 3600000}};
	_cleanup_(inspect_stopp) struct inspect *other = NULL;
	struct inspect_facts f;
	int fd;

	(void)state;
	facts_of("bomb.png", &ask, &f);
	assert_true(has_gap(&f, INSPECT_ABOUT_PICTURES, INSPECT_TOO_BIG));
	assert_false(inspect_text_read(&f));
	facts_of("broken.png", &ask, &f);
	assert_true(has_gap(&f, INSPECT_ABOUT_PICTURES, INSPECT_BROKEN));
	/* Less time than any page needs. */
	ask.ocr.document_ms = 1001;
	ask.ocr.hour_ms = 1001;
	ask.time_ms = PATIENT_MS;
	start(&other);
	fd = open_document("ocr-many.tif");
	assert_int_equal(inspect_document(other, fd, &ask, &f, NULL), 0);
	assert_true(has_gap(&f, INSPECT_ABOUT_PICTURES, INSPECT_TOO_LONG));
	assert_false(inspect_text_read(&f));
	/* And the hour's is used up with it. */
	assert_int_equal(inspect_document(other, fd, &ask, &f, NULL), 0);
	assert_true(has_gap(&f, INSPECT_ABOUT_PICTURES, INSPECT_BUSY));
	assert_false(f.flags & INSPECT_OCR);
	close(fd);
}

/* The module is among what the inspector has mapped, which root may see: it is not dumpable. */
static bool has_model(pid_t pid)
{
	_cleanup_buf_ struct buf maps = BUF_INIT(4u << 20);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	return !file_read(path, &maps) && !buf_put_span(&maps, SPAN("", 1)) &&
	       strstr((const char *)maps.p, "/sekisho-ocr.so") != NULL;
}

static void the_model_is_there_before_the_first_document(void **state)
{
	_cleanup_(inspect_stopp) struct inspect *in = NULL;
	struct inspect_ask ask = {.text = true, .ocr = {.document_ms = PATIENT_MS, .hour_ms = 3600000}};
	_cleanup_close_ int fd = open_document("ocr.png");
	struct inspect_facts f;
	unsigned tries;
	pid_t pid;

	(void)state;
	inspect_stop(STEAL(inspector));
	start(&in);
	pid = child_of(getpid());
	if (geteuid() == 0) {
		assert_false(has_model(pid));
		inspect_prepare_ocr(in);
		for (tries = 0; tries < 6000 && !has_model(pid); tries++)
			poll(NULL, 0, 10);
		assert_true(has_model(pid));
	}
	/* Said once more, and as often as it likes: questions are answered all the same. */
	inspect_prepare_ocr(in);
	inspect_prepare_ocr(in);
	ask.time_ms = PATIENT_MS;
	assert_int_equal(inspect_document(in, fd, &ask, &f, NULL), 0);
	assert_int_equal(f.found[FIND_MY_NUMBER].sure, 5);
	inspect_stop(STEAL(in));
	start(&inspector);
}

static void findings_are_one_line(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4096);
	struct inspect_ask ask = {0};
	struct inspect_facts f;

	(void)state;
	facts_of("locked.pdf", &ask, &f);
	assert_int_equal(inspect_findings(&f, &b), 0);
	assert_string_equal(buf_str(&b), "encrypted, password; document: needs-password");
	assert_string_equal(inspect_format_name(f.format), "pdf");
	inspect_nothing(&f, INSPECT_BUSY, "x");
	buf_clear(&b);
	assert_int_equal(inspect_findings(&f, &b), 0);
	assert_string_equal(buf_str(&b), "document: busy (x)");
}

static int setup(void **state)
{
	(void)state;
	/* On a machine without our user the inspector stays who it is, without rights. */
	setenv("SEKISHO_ROOT", "/nonexistent", 1);
	start(&inspector);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	inspect_stop(inspector);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_of_other_tools),
		cmocka_unit_test(size_and_hash_are_those_of_the_file),
		cmocka_unit_test(text_is_counted),
		cmocka_unit_test(office_documents_are_read),
		cmocka_unit_test(what_is_locked_is_said),
		cmocka_unit_test(text_that_is_not_had_is_said),
		cmocka_unit_test(nothing_is_passed_over_in_silence),
		cmocka_unit_test(what_is_large_hides_nothing),
		cmocka_unit_test(bombs_do_not_go_off),
		cmocka_unit_test(a_child_that_dies_is_told_of),
		cmocka_unit_test(time_ends),
		cmocka_unit_test(a_sleep_is_no_time),
		cmocka_unit_test(a_pipe_is_a_document_too),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(what_cannot_be_read_is_said),
		cmocka_unit_test(an_inspector_that_is_gone_is_said),
		cmocka_unit_test(it_is_the_first_to_go_where_memory_ends),
		cmocka_unit_test(a_known_document_is_found_in_other_formats),
		cmocka_unit_test(text_in_pictures_is_read_where_asked),
		cmocka_unit_test(pictures_that_are_not_read_are_said),
		cmocka_unit_test(the_model_is_there_before_the_first_document),
		cmocka_unit_test(findings_are_one_line),
	};

	return cmocka_run_group_tests_name("inspect/inspect", tests, setup, teardown);
}
