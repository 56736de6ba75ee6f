/*
 * Documents in documents: archives, office files, mails with attachments. Used by the child only; each piece of text
 * that is found goes to look_words(), each file inside to look_inside().
 */
#ifndef SEKISHO_INSPECT_CONTAINER_H
#define SEKISHO_INSPECT_CONTAINER_H

#include "agent/inspect/encoding.h"
#include "agent/inspect/look.h"

#define INSIDE_DEPTH_MAX 5u     /* archives in archives */
#define INSIDE_FILES_MAX 10000u /* of all depths together */
#define WORDS_MAX (64u << 20)   /* bytes of text of one piece */

/* What a zip is, by the names in it; the format where it is none of these is INSPECT_ZIP. */
enum inspect_format zip_format(struct span doc);

void look_archive(struct look *l, struct span doc);
void look_office(struct look *l, enum inspect_format format, struct span doc); /* OOXML and OpenDocument */
void look_ole(struct look *l, struct span doc);                                /* Office 97 to 2003, MSG */
void look_html(struct look *l, struct span doc);
void look_rtf(struct look *l, struct span doc);
void look_mail(struct look *l, struct span doc);

/* One level down, if there may be one more: a file called `name` (escaped where it is told). Counts, sniffs, looks. */
void look_inside(struct look *l, const char *name, struct span doc);

/*
 * Files of an archive one by one. `each` gets a name (never NULL, may be hostile) and answers whether it wants the
 * bytes; it is called a second time with them. They are lost after that. Bounds of size and number are those of `l`,
 * gaps are said: behind a file that is larger than what is left no other is read, of `alone` it is passed over by
 * itself.
 */
struct archive_reader {
	bool (*wants)(void *ctx, const char *name);
	void (*take)(void *ctx, const char *name, struct span bytes);
	void *ctx;
	bool again; /* not the first way through this archive: its files have been counted */
	bool alone;
};

void archive_each(struct look *l, struct span doc, const struct archive_reader *to);

/* Attributes of an element. */
struct xml_attributes {
	const unsigned char *const *list; /* libxml2's: five pointers each */
	int n;
};

/* Elements of XML (libxml2, no entity from outside): names without their prefix. */
struct xml_reader {
	void (*start)(void *ctx, const char *name, const struct xml_attributes *a);
	void (*end)(void *ctx, const char *name);
	void (*text)(void *ctx, struct span utf8);
	void *ctx;
};

/* The attribute's value into `out`; false where there is none. Cut where it does not fit. */
bool xml_value(const struct xml_attributes *a, const char *name, char *out, size_t size);
/* 0; V_BAD where it ended before its end: what came before has been told. */
int xml_read(struct span doc, const struct xml_reader *to);

/* Text of one piece while it is put together: full ones drop what comes and say so. */
struct words {
	struct buf text;
	bool full;
};

#define WORDS_INIT ((struct words){.text = BUF_INIT(WORDS_MAX)})

void words_put(struct words *w, struct span s);
static inline void words_puts(struct words *w, const char *s)
{
	words_put(w, SPAN_STR(s));
}
/* Hands them to look_words() and is empty again. */
void words_end(struct look *l, struct words *w);

/* Appends it as UTF-8, of whichever encoding it is. False where it cannot be had, which is said. */
bool look_utf8(struct look *l, struct span doc, struct buf *out);
void look_encoded(struct look *l, enum encoding e, struct span doc);

/* Opens what libraries look for at their first use. To be called once, before there is a document. */
void mail_prepare(void);
void ole_prepare(void);

#endif
