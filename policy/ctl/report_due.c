/*
 * `sekishoctl report --scheduled`: the reports of months that are over, and were not made yet, into a folder. Called
 * each hour by a timer (or cron): it does nothing while none is due. What was missed is made up, as far back as the log
 * and the folder's bound go. A report is PDF and ZIP of the same name; it is there when both are.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/ctl/report.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define CATCH_UP_MAX 12u /* months that are made up at once */
#define NAME_SIZE_ 64

static void name_of(char out[NAME_SIZE_], const char *month, const char *ending)
{
	snprintf(out, NAME_SIZE_, "sekisho-report-%s.%s", month, ending);
}

static bool is_made(const struct reporting *g, const char *month)
{
	char path[REPORT_PATH_MAX + NAME_SIZE_ + 8], name[NAME_SIZE_];

	/* The PDF gets its name last. */
	name_of(name, month, "pdf");
	snprintf(path, sizeof(path), "%s/%s", g->settings.folder, name);
	return !access(path, F_OK);
}

static int on_first(void *ctx, const struct store_row *row)
{
	*(int64_t *)ctx = record_has(&row->record, F_TIME) ? row->record.v[F_TIME].i : 0;
	return V_END;
}

/* Is there any record of that time? Of a month before the log began no report is made. */
static int has_records(struct reporting *g, int64_t from_us, int64_t until_us, bool *yes)
{
	struct store_filter f = {.from_us = from_us, .until_us = until_us, .limit = 1};
	int64_t first = 0;
	struct why why = {""};
	int r = store_query(g->store, &f, on_first, &first, &why);

	*yes = first != 0;
	return r ? complain_of(g->c, g->store_dir, r, &why) : EXIT_GOOD;
}

static int into_buf(void *ctx, struct span bytes)
{
	int r = buf_put_span(ctx, bytes);

	return r > 0 ? -EFBIG : r;
}

static int put(struct reporting *g, const char *name, const struct buf *bytes)
{
	char path[REPORT_PATH_MAX + NAME_SIZE_ + 8];
	int r;

	snprintf(path, sizeof(path), "%s/%s", g->settings.folder, name);
	r = file_replace(path, buf_span(bytes), 0640);
	return r ? complain_of(g->c, path, r, NULL) : EXIT_GOOD;
}

/*
 * Recorded first, there afterwards: what has its name has its record. After a crash in between it is made, and
 * recorded, once more.
 */
static int hand_out(struct reporting *g, const char *month, const struct buf *pdf)
{
	char name[NAME_SIZE_], part[NAME_SIZE_], from[REPORT_PATH_MAX + NAME_SIZE_], to[REPORT_PATH_MAX + NAME_SIZE_];
	char what[64];
	int r;

	name_of(name, month, "pdf");
	name_of(part, month, "part");
	snprintf(what, sizeof(what), "month=%s&scheduled", month);
	r = put(g, part, pdf);
	r = r ? r : reporting_tell(g, what, name, buf_span(pdf));
	if (r)
		return r;
	snprintf(from, sizeof(from), "%s/%s", g->settings.folder, part);
	snprintf(to, sizeof(to), "%s/%s", g->settings.folder, name);
	if (rename(from, to))
		return complain_of(g->c, to, -errno, NULL);
	r = dir_sync(g->settings.folder);
	if (r)
		return complain_of(g->c, g->settings.folder, r, NULL);
	printf("%s\n", to);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

static int make(struct reporting *g, const char *month)
{
	_cleanup_buf_ struct buf pdf = BUF_INIT(REPORT_PDF_MAX), zip = BUF_INIT(REPORT_PDF_MAX);
	_cleanup_(report_freep) struct report *r = NULL;
	struct report_options o = reporting_options(g);
	char name[NAME_SIZE_];
	bool any = false;
	int x;

	if (report_month(month, &o.from_us, &o.until_us, &o.before_us))
		return EXIT_GOOD;
	x = has_records(g, o.from_us, o.until_us, &any);
	if (x || !any)
		return x;
	snprintf(o.month, sizeof(o.month), "%s", month);
	snprintf(o.by, sizeof(o.by), "%s", SAY(g->c, "made on schedule", "定期作成"));
	x = reporting_make(g, &o, &r);
	x = x ? x : reporting_paper(g, r, &pdf);
	if (!x && (x = report_zip(r, into_buf, &zip)))
		x = complain_of(g->c, "ZIP", x, NULL);
	name_of(name, month, "zip");
	x = x ? x : put(g, name, &zip);
	return x ? x : hand_out(g, month, &pdf);
}

/* "sekisho-report-2026-10.pdf", or .zip */
static bool month_of_name(const char *name, char month[8])
{
	static const char before[] = "sekisho-report-";
	int64_t from, until, back;

	if (strncmp(name, before, sizeof(before) - 1) != 0 || strlen(name) != sizeof(before) - 1 + 7 + 4 ||
		(strcmp(name + sizeof(before) - 1 + 7, ".pdf") != 0 &&
			strcmp(name + sizeof(before) - 1 + 7, ".zip") != 0))
		return false;
	snprintf(month, 8, "%.7s", name + sizeof(before) - 1);
	return !report_month(month, &from, &until, &back);
}

/* Months before `oldest` go. */
static int tidy(struct reporting *g, const char *oldest)
{
	_cleanup_closedir_ DIR *dir = opendir(g->settings.folder);
	struct dirent *e;
	char month[8];

	if (!dir)
		return complain_of(g->c, g->settings.folder, -errno, NULL);
	while ((e = readdir(dir)))
		if (month_of_name(e->d_name, month) && strcmp(month, oldest) < 0 && unlinkat(dirfd(dir), e->d_name, 0))
			return complain_of(g->c, e->d_name, -errno, NULL);
	return EXIT_GOOD;
}

int report_scheduled(struct reporting *g)
{
	_cleanup_close_ int lock = -1;
	char path[REPORT_PATH_MAX + 16], month[8];
	unsigned most = (unsigned)(g->settings.keep < CATCH_UP_MAX ? g->settings.keep : CATCH_UP_MAX), back;
	int64_t now = clock_wall_us();
	int r;

	if (!g->settings.scheduled)
		return EXIT_GOOD;
	r = dir_make(g->settings.folder, 0750);
	snprintf(path, sizeof(path), "%s/.lock", g->settings.folder);
	r = r ? r : file_lock(path, &lock);
	/* Another one is at work. */
	if (r == V_EXISTS)
		return EXIT_GOOD;
	if (r)
		return complain_of(g->c, g->settings.folder, r, NULL);
	for (back = most; back; back--) {
		report_month_of(now, back, month);
		if (!report_due(&g->settings, month, now) || is_made(g, month))
			continue;
		r = make(g, month);
		if (r)
			return r;
	}
	report_month_of(now, (unsigned)g->settings.keep, month);
	return tidy(g, month);
}
