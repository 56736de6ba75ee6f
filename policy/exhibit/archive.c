/*
 * The container of a bundle: a ZIP file by libarchive (BSD licence, in every distribution, fuzzed by its makers),
 * written as a stream and read with nothing but its ZIP reader. Nothing is compressed: what is inside is compressed or
 * random already, and no entry can be larger than the file.
 */
#include "policy/exhibit/exhibit.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#define BLOCK (64u << 10)

struct exhibit_writer {
	struct archive *a;
	struct archive_entry *e;
	exhibit_put_fn put;
	void *ctx;
	int64_t made_us;
	int failed; /* -errno of put */
};

static la_ssize_t on_bytes(struct archive *a, void *ctx, const void *p, size_t n)
{
	struct exhibit_writer *w = ctx;
	int r = w->put(w->ctx, SPAN(p, n));

	if (!r)
		return (la_ssize_t)n;
	w->failed = r;
	archive_set_error(a, -r, "nobody takes it");
	return -1;
}

static int broken(const struct exhibit_writer *w)
{
	return w->failed ? w->failed : -ENOMEM;
}

int exhibit_writer_new(exhibit_put_fn put, void *ctx, int64_t made_us, struct exhibit_writer **out)
{
	_cleanup_(exhibit_writer_freep) struct exhibit_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->put = put;
	w->ctx = ctx;
	w->made_us = made_us;
	w->a = archive_write_new();
	w->e = archive_entry_new();
	if (!w->a || !w->e || archive_write_set_format_zip(w->a) || archive_write_zip_set_compression_store(w->a) ||
		archive_write_set_bytes_per_block(w->a, BLOCK) || archive_write_set_bytes_in_last_block(w->a, 1) ||
		archive_write_open2(w->a, w, NULL, on_bytes, NULL, NULL))
		return broken(w);
	*out = STEAL(w);
	return 0;
}

int exhibit_put(struct exhibit_writer *w, const char *name, struct span content)
{
	archive_entry_clear(w->e);
	archive_entry_set_pathname(w->e, name);
	archive_entry_set_filetype(w->e, AE_IFREG);
	archive_entry_set_perm(w->e, 0644);
	archive_entry_set_size(w->e, (la_int64_t)content.n);
	archive_entry_set_mtime(w->e, w->made_us / 1000000, 0);
	if (archive_write_header(w->a, w->e) ||
		(content.n && archive_write_data(w->a, content.p, content.n) != (la_ssize_t)content.n) ||
		archive_write_finish_entry(w->a))
		return broken(w);
	return 0;
}

int exhibit_writer_end(struct exhibit_writer *w)
{
	return archive_write_close(w->a) ? broken(w) : 0;
}

void exhibit_writer_free(struct exhibit_writer *w)
{
	if (!w)
		return;
	/* What nobody asks for any more is not written on the way out. */
	if (w->a) {
		archive_write_fail(w->a);
		archive_write_free(w->a);
	}
	archive_entry_free(w->e);
	free(w);
}

struct exhibit_reader {
	struct archive *a;
};

static int bad(const struct exhibit_reader *r, struct why *why)
{
	const char *text = archive_error_string(r->a);

	if (archive_errno(r->a) == ENOMEM)
		return -ENOMEM;
	return why_set(why, V_BAD, "not a whole ZIP file: %.180s", text ? text : "damaged");
}

static int reader_new(struct exhibit_reader **out)
{
	_cleanup_(exhibit_closep) struct exhibit_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->a = archive_read_new();
	/* By the directory at its end alone, as everybody's tools do; never by guessing. */
	if (!r->a || archive_read_support_format_zip_seekable(r->a))
		return -ENOMEM;
	*out = STEAL(r);
	return 0;
}

int exhibit_open(const char *path, struct exhibit_reader **out, struct why *why)
{
	_cleanup_(exhibit_closep) struct exhibit_reader *r = NULL;
	int x;

	if (access(path, R_OK))
		return -errno;
	x = reader_new(&r);
	if (x)
		return x;
	if (archive_read_open_filename(r->a, path, BLOCK))
		return bad(r, why);
	*out = STEAL(r);
	return 0;
}

int exhibit_open_memory(struct span file, struct exhibit_reader **out, struct why *why)
{
	_cleanup_(exhibit_closep) struct exhibit_reader *r = NULL;
	int x = reader_new(&r);

	if (x)
		return x;
	if (archive_read_open_memory(r->a, file.p, file.n))
		return bad(r, why);
	*out = STEAL(r);
	return 0;
}

void exhibit_close(struct exhibit_reader *r)
{
	if (!r)
		return;
	archive_read_free(r->a);
	free(r);
}

static bool is_name(const char *s)
{
	size_t n = s ? strlen(s) : 0, i;

	for (i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '\\')
			return false;
	return n > 0 && n < EXHIBIT_NAME_SIZE;
}

int exhibit_next(struct exhibit_reader *r, char name[EXHIBIT_NAME_SIZE], struct buf *content, struct why *why)
{
	struct archive_entry *e;
	char block[16384];
	const char *path;
	la_ssize_t n;
	int x = archive_read_next_header(r->a, &e);

	if (x == ARCHIVE_EOF)
		return V_END;
	if (x != ARCHIVE_OK)
		return bad(r, why);
	path = archive_entry_pathname(e);
	if (!is_name(path) || archive_entry_filetype(e) != AE_IFREG || archive_entry_is_encrypted(e))
		return why_set(why, V_BAD, "holds an entry that is not a plain file with a plain name");
	snprintf(name, EXHIBIT_NAME_SIZE, "%s", path);
	buf_clear(content);
	while ((n = archive_read_data(r->a, block, sizeof(block))) > 0) {
		x = buf_put(content, block, (size_t)n);
		if (x)
			return x == V_FULL ? why_set(why, V_BAD, "%s: larger than it can be", name) : x;
	}
	return n ? bad(r, why) : 0;
}
