/*
 * Compound files (MS-CFB) by libgsf: Word, Excel and PowerPoint of 1997 to 2003, Outlook's messages, and what is locked
 * by a password in the newer formats, which is kept in such a file. See container.h; text of each is ole_*.c's.
 */
#include "agent/inspect/ole.h"
#include <gsf/gsf-infile-msole.h>
#include <gsf/gsf-infile.h>
#include <gsf/gsf-input-memory.h>
#include <gsf/gsf-utils.h>

static void unref(void *o)
{
	g_clear_object((GObject **)o);
}

void ole_prepare(void)
{
	gsf_init();
}

static bool stream(struct look *l, GsfInfile *in, const char *name, struct buf *out)
{
	_cleanup_(unref) GsfInput *s = gsf_infile_child_by_name(in, name);
	gsf_off_t n = s ? gsf_input_size(s) : -1;

	if (n < 0 || (uint64_t)n > l->room)
		return false;
	*out = BUF_INIT((uint64_t)n + 1);
	if (buf_reserve(out, (size_t)n + 1) || (n && !gsf_input_read(s, (size_t)n, out->p)))
		return false;
	out->n = (size_t)n;
	l->room -= (uint64_t)n;
	return true;
}

static bool word(struct look *l, GsfInfile *in)
{
	_cleanup_buf_ struct buf main = {0}, table = {0};

	if (!stream(l, in, "WordDocument", &main))
		return false;
	l->facts->format = l->depth ? l->facts->format : INSPECT_DOC;
	if (!stream(l, in, doc_table_name(buf_span(&main)), &table))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "doc");
	else if (doc_read(l, buf_span(&main), buf_span(&table)) == V_DENIED)
		look_locked(l, INSPECT_ABOUT_TEXT, "office document");
	return true;
}

static bool excel(struct look *l, GsfInfile *in)
{
	_cleanup_buf_ struct buf book = {0};

	if (!stream(l, in, "Workbook", &book) && !stream(l, in, "Book", &book))
		return false;
	l->facts->format = l->depth ? l->facts->format : INSPECT_XLS;
	if (xls_read(l, buf_span(&book)) == V_DENIED)
		look_locked(l, INSPECT_ABOUT_TEXT, "office document");
	return true;
}

static bool powerpoint(struct look *l, GsfInfile *in)
{
	_cleanup_buf_ struct buf slides = {0}, user = {0};

	if (!stream(l, in, "PowerPoint Document", &slides))
		return false;
	l->facts->format = l->depth ? l->facts->format : INSPECT_PPT;
	/* MS-PPT 2.3.2: what a locked one says in "Current User". */
	if (stream(l, in, "Current User", &user) && user.n >= 16 && get_le32(user.p + 12) == 0xf3d1c4df)
		look_locked(l, INSPECT_ABOUT_TEXT, "office document");
	else
		ppt_read(l, buf_span(&slides));
	return true;
}

/* Body and attachments of a message (MS-OXMSG). */
static bool message(struct look *l, GsfInfile *in)
{
	static const char *const texts[] = {"__substg1.0_0037001F", "__substg1.0_1000001F", "__substg1.0_10130102",
		"__substg1.0_0037001E", "__substg1.0_1000001E"};
	int i, n = gsf_infile_num_children(in);
	bool any = false;
	size_t k;

	for (k = 0; k < ARRAY_SIZE(texts); k++) {
		_cleanup_buf_ struct buf b = {0};

		if (!stream(l, in, texts[k], &b))
			continue;
		any = true;
		/* Sixteen bits without a mark, or bytes of a code page. */
		if (strstr(texts[k], "001F"))
			look_encoded(l, ENCODING_UTF16LE, buf_span(&b));
		else
			look_inside(l, "body", buf_span(&b));
	}
	for (i = 0; i < n && any; i++) {
		const char *name = gsf_infile_name_by_index(in, i);
		_cleanup_(unref) GsfInput *child = NULL;
		_cleanup_buf_ struct buf b = {0};

		if (!name || strncmp(name, "__attach_version1.0_", 20) != 0)
			continue;
		child = gsf_infile_child_by_index(in, i);
		if (child && GSF_IS_INFILE(child) && stream(l, GSF_INFILE(child), "__substg1.0_37010102", &b))
			look_inside(l, "attachment", buf_span(&b));
	}
	return any;
}

void look_ole(struct look *l, struct span doc)
{
	_cleanup_(unref) GsfInput *input = NULL;
	_cleanup_(unref) GsfInfile *in = NULL;
	_cleanup_(unref) GsfInput *package = NULL;

	look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "office document");
	if (!l->text)
		return;
	input = gsf_input_memory_new(doc.p, (gsf_off_t)doc.n, FALSE);
	in = input ? gsf_infile_msole_new(input, NULL) : NULL;
	if (!in) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "office document");
		return;
	}
	package = gsf_infile_child_by_name(in, "EncryptedPackage");
	if (package)
		look_locked(l, INSPECT_ABOUT_TEXT, "office document");
	else if (!word(l, in) && !excel(l, in) && !powerpoint(l, in) && !message(l, in))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT, "compound file");
}
