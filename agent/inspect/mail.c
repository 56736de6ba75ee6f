/*
 * Mails (RFC 5322, MIME) by GMime: each part by what it is, attachments like files. Transfer encodings are GMime's,
 * character sets ours (encoding.h), since its converters would have to be opened in the child. See container.h.
 */
#include "agent/inspect/container.h"
#include <gmime/gmime.h>

static void unref(void *o)
{
	g_clear_object((GObject **)o);
}

void mail_prepare(void)
{
	g_mime_init();
}

static void part(struct look *l, GMimePart *p)
{
	GMimeDataWrapper *content = g_mime_part_get_content(p);
	_cleanup_(unref) GMimeStream *out = g_mime_stream_mem_new();
	const char *name = g_mime_part_get_filename(p);
	GByteArray *bytes;

	if (!content)
		return;
	if (g_mime_data_wrapper_write_to_stream(content, out) < 0) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "part of a mail");
		return;
	}
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
	if (bytes->len > l->room) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "part of a mail");
		return;
	}
	l->room -= bytes->len;
	if (++l->inside > INSIDE_FILES_MAX) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "more than %u parts", INSIDE_FILES_MAX);
		return;
	}
	look_inside(l, name ? name : "", SPAN(bytes->data, bytes->len));
}

static void object(struct look *l, GMimeObject *o, unsigned depth);

static void message(struct look *l, GMimeMessage *m, unsigned depth)
{
	const char *subject = g_mime_message_get_subject(m);

	if (subject)
		look_words(l, SPAN_STR(subject));
	if (g_mime_message_get_mime_part(m))
		object(l, g_mime_message_get_mime_part(m), depth);
	else
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "mail");
}

static void object(struct look *l, GMimeObject *o, unsigned depth)
{
	int i, n;

	if (depth > INSIDE_DEPTH_MAX * 4) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "parts in parts");
		return;
	}
	if (GMIME_IS_MULTIPART(o)) {
		n = g_mime_multipart_get_count(GMIME_MULTIPART(o));
		for (i = 0; i < n; i++)
			object(l, g_mime_multipart_get_part(GMIME_MULTIPART(o), i), depth + 1);
	} else if (GMIME_IS_MESSAGE_PART(o)) {
		GMimeMessage *m = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));

		if (m)
			message(l, m, depth + 1);
	} else if (GMIME_IS_PART(o)) {
		part(l, GMIME_PART(o));
	}
}

/* One mail, or a mailbox: one behind the other, each behind a line "From ". */
void look_mail(struct look *l, struct span doc)
{
	_cleanup_(unref) GMimeStream *in = NULL;
	_cleanup_(unref) GMimeParser *parser = NULL;
	bool box = span_starts(doc, "From ", 5);
	unsigned n = 0;

	look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "mail");
	if (!l->text)
		return;
	in = g_mime_stream_mem_new_with_buffer((const char *)doc.p, doc.n);
	parser = g_mime_parser_new_with_stream(in);
	g_mime_parser_set_format(parser, box ? GMIME_FORMAT_MBOX : GMIME_FORMAT_MESSAGE);
	do {
		_cleanup_(unref) GMimeMessage *m = g_mime_parser_construct_message(parser, NULL);

		if (!m) {
			look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, n ? "a mail behind the first" : "mail");
			return;
		}
		if (++n > 1 && ++l->inside > INSIDE_FILES_MAX) {
			look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "more than %u mails", INSIDE_FILES_MAX);
			return;
		}
		message(l, m, 0);
	} while (box && !g_mime_parser_eos(parser));
}
