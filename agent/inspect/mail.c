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

		if (m && g_mime_message_get_mime_part(m))
			object(l, g_mime_message_get_mime_part(m), depth + 1);
	} else if (GMIME_IS_PART(o)) {
		part(l, GMIME_PART(o));
	}
}

void look_mail(struct look *l, struct span doc)
{
	_cleanup_(unref) GMimeStream *in = NULL;
	_cleanup_(unref) GMimeParser *parser = NULL;
	_cleanup_(unref) GMimeMessage *m = NULL;
	const char *subject;

	look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "mail");
	if (!l->text)
		return;
	in = g_mime_stream_mem_new_with_buffer((const char *)doc.p, doc.n);
	parser = g_mime_parser_new_with_stream(in);
	m = g_mime_parser_construct_message(parser, NULL);
	if (!m || !g_mime_message_get_mime_part(m)) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "mail");
		return;
	}
	subject = g_mime_message_get_subject(m);
	if (subject)
		look_words(l, SPAN_STR(subject));
	object(l, g_mime_message_get_mime_part(m), 0);
}
