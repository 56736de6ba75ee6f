/*
 * What the parsers of sekisho-inspect share. They run in the child only: each gets bytes, fills facts, and says what it
 * could not find out. None allocates by what a document claims, none opens anything.
 */
#ifndef SEKISHO_INSPECT_LOOK_H
#define SEKISHO_INSPECT_LOOK_H

#include "agent/inspect/facts.h"
#include "agent/inspect/pattern.h"
#include "agent/inspect/prints.h"

struct ocr_use;

struct look {
	struct inspect_facts *facts;
	bool text; /* the question asks for text */
	struct patterns *patterns;
	bool makes_prints;     /* ... of this document, to be told */
	struct prints *prints; /* NULL: no fingerprints are made or looked for */
	/* Called where facts have changed and something long begins: `about` is what could be missing if this is the
	 * end. */
	void (*tell)(struct look *l, enum inspect_what about);
	int report; /* the pipe, for tell() */
	bool text_seen, image_seen;
	struct ocr_use *ocr; /* NULL: text in pictures is not asked for */
	unsigned depth;      /* of archives and attachments around what is read: of those inside only text counts */
	unsigned inside;     /* files met in them */
	uint64_t room;       /* bytes that may still be unpacked */
};

/* Says that something stays unknown. `fmt` is ours; what comes from the document in it must be escaped before. */
__attribute__((format(printf, 4, 5))) void look_gap(
	struct look *l, enum inspect_what what, enum inspect_cause cause, const char *fmt, ...);

/* It is locked by a password: `what` of it, ours or escaped. A finding of its own. */
void look_locked(struct look *l, enum inspect_what about, const char *what);

/* The generator and medium, escaped and cut. Only the first that is given stays. */
void look_generator(struct look *l, struct span name);
void look_media(struct look *l, struct span name);
/* The size of a page: the first one's stays, another one's sets INSPECT_MIXED. Sizes above 100 m are passed over. */
void look_size(struct look *l, double width_um, double height_um);
void look_pages(struct look *l, uint64_t more);
/* COLOR goes over COLOR_OK over GREY. */
void look_color(struct look *l, enum inspect_color color);

/* What the bytes are by their first ones. */
enum inspect_format sniff_format(struct span doc);

/* Numbers, patterns and fingerprints in one piece of text, which is UTF-8. */
void look_words(struct look *l, struct span utf8);
/* The same for who says himself what it means: false where a pattern took too many steps. */
bool look_counts(struct look *l, struct span utf8);
/* What is of this format. */
void look_part(struct look *l, enum inspect_format format, struct span part);
/* The whole of a document: header lines, and each part by its format. */
void look_document(struct look *l, struct span doc);
/* Header lines of a printer's job language: what they say, and the name behind ENTER LANGUAGE. Returns their length. */
size_t pjl_read(struct look *l, struct span in, char language[16]);

void look_pdf(struct look *l, struct span doc);
void look_postscript(struct look *l, struct span doc);
void look_raster(struct look *l, struct span doc);
void look_urf(struct look *l, struct span doc);
void look_pcl(struct look *l, struct span doc);
void look_jpeg(struct look *l, struct span doc);
void look_png(struct look *l, struct span doc);
void look_tiff(struct look *l, struct span doc);
/* How large a PNG, JPEG, GIF (its largest picture) or BMP says that it is; false of anything else. */
bool picture_dots(struct span doc, uint32_t *width, uint32_t *height);
void look_text(struct look *l, struct span doc);
/* Maintenance of a printer: it has no pages, but who names a file so may have written anything behind it. */
void look_commands(struct look *l, struct span doc);

/* Numbers and patterns in the text of a PDF (poppler). */
void look_pdf_text(struct look *l, struct span doc);

/* gzip (RFC 1952), also several members in a row. 0; V_BAD; V_FULL past `max`; bytes go to `out`. `more`: bytes behind
 * the last member, which are none. */
int unpack_gzip(struct span in, int out, uint64_t max, uint64_t *written, bool *cut, size_t *more);

/* Bytes from outside, in their order. */
static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline struct span span_from(struct span s, size_t at)
{
	return at < s.n ? SPAN(s.p + at, s.n - at) : SPAN(s.p + s.n, 0);
}

static inline bool span_starts(struct span s, const void *with, size_t n)
{
	return s.n >= n && memcmp(s.p, with, n) == 0;
}

/* Where `what` stands, or SIZE_MAX. */
static inline size_t span_find(struct span s, const void *what, size_t n)
{
	const uint8_t *p = s.n >= n ? memmem(s.p, s.n, what, n) : NULL;

	return p ? (size_t)(p - s.p) : SIZE_MAX;
}

#endif
