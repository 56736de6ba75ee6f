/*
 * The folder of an export to Parquet. Files are named by what they cover, and a leaf is in one file of its channel:
 *
 *   export.json                                           what is exported, and how far it is
 *   2026-11/recorder-000000000000-000000004711.parquet    channel, first and last leaf; of a month of the collector
 *   2026-11/recorder-000000004712.parquet.part            while it is written
 *
 * A file gets its name when it is synced, and is never touched again. export.json follows; after a crash in between,
 * the names tell how far each channel is.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/parquet.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#define JOB_MAX 65536u
#define FILE_MODE 0640
#define FOLDER_MODE 0750
#define LEAF "%012" PRIu64

static const char *channel_name(unsigned channel)
{
	const char *name = producer_name(channel);

	/* The collector takes nothing of a producer that it does not know. */
	return name ? name : "other";
}

/* --- what is there --- */

static bool is_month(const char *s)
{
	return strlen(s) == 7 && s[4] == '-' && strspn(s, "0123456789-") == 7;
}

/* "recorder-000000000000-000000004711.parquet" */
static bool is_file(const char *name, unsigned *channel, uint64_t *to)
{
	char word[32];
	int end = 0;
	uint64_t from;

	return sscanf(name, "%31[a-z]-%" SCNu64 "-%" SCNu64 ".parquet%n", word, &from, to, &end) == 3 && end &&
	       !name[end] && channel_by_name(word, channel) && *channel < CHANNELS_MAX && *to < UINT64_MAX;
}

static bool is_part(const char *name)
{
	char word[32];
	int end = 0;
	uint64_t from;

	return sscanf(name, "%31[a-z]-%" SCNu64 ".parquet.part%n", word, &from, &end) == 2 && end && !name[end];
}

static int look_into(struct parquet_folder *f, const char *month)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char path[PATH_MAX];
	struct dirent *e;
	unsigned channel;
	uint64_t to;

	snprintf(path, sizeof(path), "%s/%s", f->path, month);
	dir = opendir(path);
	if (!dir)
		return errno == ENOTDIR ? 0 : -errno;
	while ((e = readdir(dir))) {
		if (is_part(e->d_name) && unlinkat(dirfd(dir), e->d_name, 0))
			return -errno;
		if (is_file(e->d_name, &channel, &to) && to >= f->next[channel])
			f->next[channel] = to + 1;
	}
	return 0;
}

/* Months, and whether there is anything that is none of ours. */
static int look(struct parquet_folder *f, bool *foreign)
{
	_cleanup_closedir_ DIR *dir = opendir(f->path);
	struct dirent *e;
	int r = dir ? 0 : -errno;

	*foreign = false;
	while (!r && dir && (e = readdir(dir))) {
		if (is_month(e->d_name))
			r = look_into(f, e->d_name);
		else if (e->d_name[0] != '.' && strcmp(e->d_name, PARQUET_JOB) != 0)
			*foreign = true;
	}
	return r;
}

static int read_job(struct parquet_folder *f, struct why *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(JOB_MAX);
	_cleanup_json_ json_t *o = NULL;
	json_int_t format = 0, from = 0, until = 0, next = 0;
	const char *host = "", *last = "";
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/" PARQUET_JOB, f->path);
	r = file_read(path, &text);
	if (r == V_NOT_FOUND || r < 0)
		return r;
	o = r ? NULL : json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (!o ||
		json_unpack(o, "{s:I, s:I, s:I, s:s, s:I, s:s}", "format", &format, "since_us", &from, "until_us",
			&until, "host", &host, "next_leaf", &next, "last_segment", &last) ||
		format != 1 || next < 0 || strlen(host) >= sizeof(f->job.host) ||
		(next ? strlen(last) != 2 * DIGEST_SIZE || hex_decode(last, f->job.last.b, DIGEST_SIZE) : *last))
		return WHY_BOTH(
			why, V_BAD, PARQUET_JOB " is none that this version reads", PARQUET_JOB " を読み取れません");
	f->job.from_us = from;
	f->job.until_us = until;
	f->job.next = (uint64_t)next;
	snprintf(f->job.host, sizeof(f->job.host), "%s", host);
	f->begun = true;
	return 0;
}

int parquet_folder_open(struct parquet_folder *f, const char *path, struct why *why)
{
	char lock[PATH_MAX];
	bool foreign;
	unsigned i;
	int r;

	*f = (struct parquet_folder){.lock = -1, .written = json_array()};
	for (i = 0; i < CHANNELS_MAX; i++)
		f->files[i].fd = -1;
	if (!f->written)
		return -ENOMEM;
	if ((size_t)snprintf(f->path, sizeof(f->path), "%s", path) >= sizeof(f->path))
		return -ENAMETOOLONG;
	r = dir_make(path, FOLDER_MODE);
	snprintf(lock, sizeof(lock), "%s/.lock", f->path);
	r = r ? r : file_lock(lock, &f->lock);
	r = r ? r : read_job(f, why);
	if (r && r != V_NOT_FOUND)
		return r;
	r = look(f, &foreign);
	/* Who gave another folder by mistake wants none of this in it. */
	for (i = 0; i < CHANNELS_MAX; i++)
		foreign |= f->next[i] != 0;
	return r ? r : foreign && !f->begun ? V_DENIED : 0;
}

static void drop(struct parquet_file *x)
{
	if (!x->p)
		return;
	parquet_free(x->p);
	close(x->fd);
	unlink(x->part);
	x->p = NULL;
	x->fd = -1;
}

void parquet_folder_close(struct parquet_folder *f)
{
	unsigned i;

	for (i = 0; i < CHANNELS_MAX; i++)
		drop(&f->files[i]);
	json_decref(f->written);
	if (f->lock >= 0)
		close(f->lock);
	f->written = NULL;
	f->lock = -1;
}

/* --- what comes in --- */

int parquet_folder_keep(struct parquet_folder *f)
{
	const struct parquet_job *j = &f->job;
	char path[PATH_MAX], hex[2 * DIGEST_SIZE + 1];
	_cleanup_json_ json_t *o = json_pack("{s:i, s:I, s:I, s:s, s:I, s:s}", "format", 1, "since_us",
		(json_int_t)j->from_us, "until_us", (json_int_t)j->until_us, "host", j->host, "next_leaf",
		(json_int_t)j->next, "last_segment", j->next ? hex_encode(hex, j->last.b, DIGEST_SIZE) : "");
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;

	if (!text)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/" PARQUET_JOB, f->path);
	return file_replace(path, SPAN_STR(text), FILE_MODE);
}

int parquet_folder_file(struct parquet_folder *f, const char *month, unsigned channel, struct parquet **out)
{
	struct parquet_file *x = &f->files[channel];
	const struct column *columns;
	char path[PATH_MAX];
	unsigned n;
	int r;

	*out = x->p;
	if (x->p)
		return 0;
	x->from = f->next[channel] > f->job.next ? f->next[channel] : f->job.next;
	snprintf(path, sizeof(path), "%s/%s", f->path, month);
	r = dir_make(path, FOLDER_MODE);
	if (r)
		return r;
	if ((size_t)snprintf(x->part, sizeof(x->part), "%s/%s-" LEAF ".parquet.part", path, channel_name(channel),
		    x->from) >= sizeof(x->part))
		return -ENAMETOOLONG;
	x->fd = open(x->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (x->fd < 0)
		return -errno;
	columns = parquet_columns(&n);
	r = parquet_new(x->fd, columns, n, &x->p);
	if (r) {
		close(x->fd);
		unlink(x->part);
		x->fd = -1;
		return r;
	}
	*out = x->p;
	return 0;
}

/* What the file says of itself; then its name. */
static int end_file(struct parquet_folder *f, const char *month, unsigned channel, uint64_t to)
{
	struct parquet_file *x = &f->files[channel];
	char path[PATH_MAX], first[24], last[24];
	const char *name;
	const struct parquet_note notes[] = {{"sekisho.format", "1"}, {"sekisho.channel", channel_name(channel)},
		{"sekisho.month", month}, {"sekisho.first_leaf", first}, {"sekisho.last_leaf", last}};
	int r;

	snprintf(first, sizeof(first), "%" PRIu64, x->from);
	snprintf(last, sizeof(last), "%" PRIu64, to);
	r = parquet_end(x->p, notes, ARRAY_SIZE(notes));
	r = r ? r : fsync(x->fd) ? -errno : 0;
	if (r)
		return r;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s/%s-" LEAF "-" LEAF ".parquet", f->path, month,
		    channel_name(channel), x->from, to) >= sizeof(path))
		return -ENAMETOOLONG;
	if (rename(x->part, path))
		return -errno;
	name = path + strlen(f->path) + 1;
	r = json_array_append_new(
		    f->written, json_pack("{s:s, s:I, s:I}", "file", name, "records", (json_int_t)parquet_rows(x->p),
					"bytes", (json_int_t)parquet_size(x->p)))
		    ? -ENOMEM
		    : 0;
	parquet_free(x->p);
	close(x->fd);
	x->p = NULL;
	x->fd = -1;
	f->next[channel] = to + 1;
	return r;
}

int parquet_folder_end(struct parquet_folder *f, const char *month, uint64_t to, const struct digest *last)
{
	char path[PATH_MAX];
	bool any = false;
	unsigned i;
	int r = 0;

	for (i = 0; !r && i < CHANNELS_MAX; i++) {
		if (!f->files[i].p)
			continue;
		r = end_file(f, month, i, to);
		any = true;
	}
	snprintf(path, sizeof(path), "%s/%s", f->path, month);
	r = r || !any ? r : dir_sync(path);
	if (r)
		return r;
	f->job.next = to + 1;
	f->job.last = *last;
	return parquet_folder_keep(f);
}
