/*
 * Archives by libarchive, from memory: zip with names of any encoding, 7z, tar, cab, rar, lha, and single files by
 * gzip, bzip2, xz, zstd, lz4. No filter that runs a program is switched on. What it becomes is bounded over all levels
 * together: an archive that says 4 GiB in 4 KiB ends at the bound, and that is a finding. See container.h.
 */
#include "agent/inspect/container.h"
#include "policy/base/text.h"
#include <archive.h>
#include <archive_entry.h>

#define BLOCK (64u << 10)

static void archive_freep(struct archive **a)
{
	if (*a)
		archive_read_free(*a);
}

static struct archive *open_archive(struct span doc)
{
	_cleanup_(archive_freep) struct archive *a = archive_read_new();

	if (!a)
		return NULL;
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_filter_compress(a);
	archive_read_support_format_zip(a);
	archive_read_support_format_7zip(a);
	archive_read_support_format_tar(a);
	archive_read_support_format_cab(a);
	archive_read_support_format_rar(a);
	archive_read_support_format_rar5(a);
	archive_read_support_format_lha(a);
	archive_read_support_format_raw(a);
	if (archive_read_open_memory(a, doc.p, doc.n) != ARCHIVE_OK)
		return NULL;
	return STEAL(a);
}

static const char *name_of(struct archive_entry *e)
{
	const char *name = archive_entry_pathname_utf8(e);

	name = name ? name : archive_entry_pathname(e);
	return name ? name : "";
}

static void locked(struct look *l, const char *name)
{
	char shown[64];

	look_locked(l, INSPECT_ABOUT_TEXT, text_escape_to(shown, sizeof(shown), SPAN_STR(name)));
}

static void too_big(struct look *l)
{
	look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "becomes more than %llu MiB",
		(unsigned long long)(l->room >> 20));
}

/* The bytes of the file that stands there. False: no more can be had of the archive. */
static bool read_bytes(struct look *l, struct archive *a, const char *name, struct buf *b)
{
	char shown[64];

	for (;;) {
		la_ssize_t n;

		if (buf_reserve(b, BLOCK)) {
			too_big(l);
			return false;
		}
		n = archive_read_data(a, b->p + b->n, BLOCK);
		if (n == 0)
			return true;
		if (n < 0) {
			if (archive_read_has_encrypted_entries(a) == 1)
				locked(l, name);
			else
				look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "%s",
					text_escape_to(shown, sizeof(shown), SPAN_STR(name)));
			return archive_errno(a) != ARCHIVE_FATAL;
		}
		b->n += (size_t)n;
	}
}

/* One file. False: it was the last that can be had. */
static bool one(struct look *l, struct archive *a, struct archive_entry *e, const struct archive_reader *to)
{
	_cleanup_buf_ struct buf b = BUF_INIT(l->room);
	_cleanup_free_ char *name = strdup(name_of(e));
	bool more;

	if (!name)
		return false;
	if (archive_entry_filetype(e) != AE_IFREG && archive_format(a) != ARCHIVE_FORMAT_RAW)
		return true;
	if (!to->again && ++l->inside > INSIDE_FILES_MAX) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "more than %u files in it", INSIDE_FILES_MAX);
		return false;
	}
	if (!to->wants(to->ctx, name))
		return true;
	if (archive_entry_is_encrypted(e)) {
		locked(l, name);
		return true;
	}
	if (to->alone && archive_entry_size_is_set(e) && archive_entry_size(e) > 0 &&
		(uint64_t)archive_entry_size(e) > l->room) {
		too_big(l);
		return true;
	}
	more = read_bytes(l, a, name, &b);
	/* What does not fit takes nothing away from the others. */
	if (!more && to->alone)
		return true;
	l->room -= b.n < l->room ? b.n : l->room;
	to->take(to->ctx, name, buf_span(&b));
	return more;
}

void archive_each(struct look *l, struct span doc, const struct archive_reader *to)
{
	_cleanup_(archive_freep) struct archive *a = open_archive(doc);
	struct archive_entry *e;
	int r = ARCHIVE_FATAL;
	unsigned n = 0;

	if (a)
		while ((r = archive_read_next_header(a, &e)) == ARCHIVE_OK || r == ARCHIVE_WARN || r == ARCHIVE_RETRY)
			if (n++ > INSIDE_FILES_MAX || !one(l, a, e, to))
				return;
	if (r == ARCHIVE_EOF)
		return;
	if (a && archive_read_has_encrypted_entries(a) == 1)
		locked(l, "names in it");
	else
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "archive");
}

static bool want_all(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return true;
}

static void take_all(void *ctx, const char *name, struct span bytes)
{
	look_inside(ctx, name, bytes);
}

void look_archive(struct look *l, struct span doc)
{
	struct archive_reader to = {.wants = want_all, .take = take_all, .ctx = l};

	look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "archive");
	if (l->text)
		archive_each(l, doc, &to);
}

void look_inside(struct look *l, const char *name, struct span doc)
{
	enum inspect_format format = sniff_format(doc);
	unsigned before = l->facts->flags & INSPECT_IMAGE_ONLY;
	char shown[64];

	if (l->depth + 1 >= INSIDE_DEPTH_MAX) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "archives %u deep: %s", l->depth + 1,
			text_escape_to(shown, sizeof(shown), SPAN_STR(name)));
		return;
	}
	if (l->prints) {
		prints_file(l->prints, doc);
		prints_tell(l->prints, l->facts);
	}
	l->tell(l, INSPECT_ABOUT_TEXT);
	l->depth++;
	look_part(l, format, doc);
	l->depth--;
	/* Of what lies there, not of a picture in it: that has a gap of its own, or was read. */
	if (!l->ocr && !before)
		l->facts->flags &= ~(unsigned)INSPECT_IMAGE_ONLY;
}

/* What the names in it say, which are those of the entries: a zip that is stored in it has names of its own. */
static enum inspect_format format_by_names(struct archive *a)
{
	static const struct {
		const char *name;
		enum inspect_format format;
	} parts[] = {
		{"xl/workbook", INSPECT_XLSX}, {"word/document", INSPECT_DOCX}, {"ppt/presentation", INSPECT_PPTX}};
	enum inspect_format format = INSPECT_ZIP;
	struct archive_entry *e;
	bool types = false;
	unsigned n = 0;
	size_t i;
	int r;

	while (((r = archive_read_next_header(a, &e)) == ARCHIVE_OK || r == ARCHIVE_WARN) && n++ < INSIDE_FILES_MAX) {
		const char *name = name_of(e);

		types = types || !strcmp(name, "[Content_Types].xml");
		for (i = 0; i < ARRAY_SIZE(parts) && format == INSPECT_ZIP; i++)
			if (!strncmp(name, parts[i].name, strlen(parts[i].name)))
				format = parts[i].format;
		if (types && format != INSPECT_ZIP)
			return format;
	}
	return INSPECT_ZIP;
}

enum inspect_format zip_format(struct span doc)
{
	/* The first entry of OpenDocument is its type, not compressed. */
	static const char type[] = "mimetypeapplication/vnd.oasis.opendocument.";
	struct span head = SPAN(doc.p, doc.n < 256 ? doc.n : 256);
	_cleanup_(archive_freep) struct archive *a = NULL;

	if (span_find(head, type, sizeof(type) - 1) != SIZE_MAX)
		return INSPECT_OPENDOCUMENT;
	a = open_archive(doc);
	return a ? format_by_names(a) : INSPECT_ZIP;
}
