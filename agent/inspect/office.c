/*
 * Text of OOXML (ECMA-376) and OpenDocument (ISO/IEC 26300) files: paragraphs as lines, rows of tables as lines with a
 * tab between cells, so that a number is seen below the head of its column. Sheets of xlsx are sheet.c's. See
 * container.h.
 */
#include "agent/inspect/office.h"
#include "policy/base/text.h"
#include <strings.h>

/* Elements that mean the same in one of the families. */
enum element { OTHER, TEXT, PARAGRAPH, BREAK, TAB, SPACE, CELL, ROW, PHONETIC };

static enum element element_of(const char *name, bool open_document)
{
	static const struct {
		const char *name;
		enum element ooxml, odf;
	} known[] = {
		{"t", TEXT, OTHER},
		{"p", PARAGRAPH, PARAGRAPH},
		{"h", OTHER, PARAGRAPH},
		{"br", BREAK, OTHER},
		{"cr", BREAK, OTHER},
		{"line-break", OTHER, BREAK},
		{"tab", TAB, TAB},
		{"s", OTHER, SPACE},
		{"tc", CELL, OTHER},
		{"table-cell", OTHER, CELL},
		{"covered-table-cell", OTHER, CELL},
		{"tr", ROW, OTHER},
		{"table-row", OTHER, ROW},
		{"rPh", PHONETIC, OTHER},
		{"ruby-text", OTHER, PHONETIC},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(name, known[i].name) == 0)
			return open_document ? known[i].odf : known[i].ooxml;
	return OTHER;
}

struct body {
	struct words words;
	bool open_document;
	unsigned text, cells, phonetic; /* how deep in such elements */
	char value[32]; /* of the OpenDocument cell that is open: a number as it is kept, not as it is shown */
	unsigned repeated;
	size_t cell_at; /* in the words: where it begins */
};

static void start(void *ctx, const char *name, const struct xml_attributes *a)
{
	struct body *b = ctx;
	char n[16];

	switch (element_of(name, b->open_document)) {
	case TEXT:
		b->text++;
		break;
	case PARAGRAPH:
		b->text += b->open_document;
		break;
	case BREAK:
		words_puts(&b->words, b->cells ? " " : "\n");
		break;
	case TAB:
	case SPACE:
		words_puts(&b->words, " ");
		break;
	case CELL:
		b->cells++;
		b->cell_at = b->words.text.n;
		if (!xml_value(a, "value", b->value, sizeof(b->value)) ||
			strspn(b->value, "0123456789") != strlen(b->value))
			b->value[0] = '\0';
		b->repeated =
			xml_value(a, "number-columns-repeated", n, sizeof(n)) ? (unsigned)strtoul(n, NULL, 10) : 1;
		break;
	case PHONETIC:
		b->phonetic++;
		break;
	case ROW:
	case OTHER:
		break;
	}
}

static void end(void *ctx, const char *name)
{
	struct body *b = ctx;
	uint8_t cell[64];
	unsigned i;
	size_t n;

	switch (element_of(name, b->open_document)) {
	case TEXT:
		b->text -= b->text > 0;
		break;
	case PARAGRAPH:
		b->text -= b->open_document && b->text > 0;
		words_puts(&b->words, b->cells ? " " : "\n");
		break;
	case CELL:
		b->cells -= b->cells > 0;
		/* The number itself, where it may be shown otherwise (1.23E+11). */
		if (b->value[0]) {
			sheets_put_number(&b->words, b->value);
			b->value[0] = '\0';
		}
		/* Cells side by side with the same in them are written once. */
		n = b->words.text.n - b->cell_at;
		n = b->words.text.n >= b->cell_at && n <= sizeof(cell) ? n : 0;
		if (n)
			memcpy(cell, b->words.text.p + b->cell_at, n);
		for (i = 0; i < b->repeated && i < SHEET_COLUMNS_KEPT; i++) {
			if (i)
				words_put(&b->words, SPAN(cell, n));
			words_puts(&b->words, "\t");
		}
		break;
	case ROW:
		words_puts(&b->words, "\n");
		break;
	case PHONETIC:
		b->phonetic -= b->phonetic > 0;
		break;
	case BREAK:
	case TAB:
	case SPACE:
	case OTHER:
		break;
	}
}

static void text(void *ctx, struct span utf8)
{
	struct body *b = ctx;

	if (b->text && !b->phonetic && !b->value[0])
		words_put(&b->words, utf8);
}

static void look_body(struct look *l, const char *name, struct span bytes, bool open_document)
{
	struct body b = {.words = WORDS_INIT, .open_document = open_document, .repeated = 1};
	struct xml_reader to = {start, end, text, &b};

	if (xml_read(bytes, &to))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "%s", name);
	words_end(l, &b.words);
}

/* --- other XML: properties, charts, diagrams, what a program keeps in customXml --- */

struct loose {
	struct words words;
	bool any;
};

/* Caches of pivot tables keep cells as attributes. */
static void loose_start(void *ctx, const char *name, const struct xml_attributes *a)
{
	struct loose *b = ctx;
	char value[256];

	(void)name;
	if (xml_value(a, "v", value, sizeof(value))) {
		words_puts(&b->words, value);
		words_puts(&b->words, "\n");
	}
}

/* Runs of a line of text (drawings, glossaries) belong together. */
static void loose_end(void *ctx, const char *name)
{
	struct loose *b = ctx;

	if (b->any && strcmp(name, "t") != 0 && strcmp(name, "r") != 0)
		words_puts(&b->words, "\n");
	b->any = b->any && (!strcmp(name, "t") || !strcmp(name, "r"));
}

static void loose_text(void *ctx, struct span utf8)
{
	struct loose *b = ctx;

	b->any = true;
	words_put(&b->words, utf8);
}

static void look_loose(struct look *l, const char *name, struct span bytes)
{
	struct loose b = {.words = WORDS_INIT};
	struct xml_reader to = {loose_start, loose_end, loose_text, &b};
	struct prints *prints = l->prints;
	char shown[64];

	if (xml_read(bytes, &to))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_BROKEN, "%s",
			text_escape_to(shown, sizeof(shown), SPAN_STR(name)));
	/* Names of styles and programs are no text by which a document is known. */
	l->prints = NULL;
	words_end(l, &b.words);
	l->prints = prints;
}

/* --- parts --- */

#define PICTURE_DOTS_MIN 90000u /* a tenth of a page of A4, 96 dots an inch */
#define PLAIN_MAX (64u << 10)   /* of parts without text that every program writes */
#define THUMBNAIL_SIDE 512u     /* dots; LibreOffice makes none larger */
#define SHEETS_MAX 4096u

/* Ways through the file: what cannot be read any more behind something large is what matters least. */
enum pass { TEXT_PARTS, OTHER_XML, OTHER_PARTS };

struct office {
	struct look *l;
	enum inspect_format format;
	struct sheets sheets;
	char **sheet; /* names of parts that are sheets, wherever they stand */
	size_t sheet_n;
	bool locked;
	enum pass pass;
};

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static bool ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n >= m && strcasecmp(name + n - m, with) == 0;
}

/* The first element's name, of any encoding. */
struct root {
	char name[32];
};

static void root_start(void *ctx, const char *name, const struct xml_attributes *a)
{
	struct root *r = ctx;

	(void)a;
	if (!r->name[0])
		snprintf(r->name, sizeof(r->name), "%s", name);
}

static void root_end(void *ctx, const char *name)
{
	(void)ctx, (void)name;
}

static void root_text(void *ctx, struct span utf8)
{
	(void)ctx, (void)utf8;
}

static void root_of(struct span bytes, struct root *r)
{
	struct xml_reader to = {root_start, root_end, root_text, r};

	r->name[0] = '\0';
	xml_read(SPAN(bytes.p, bytes.n < 4096 ? bytes.n : 4096), &to);
}

static bool is_xml(const char *name)
{
	return ends(name, ".xml") || ends(name, ".rels") || ends(name, ".vml") || ends(name, ".rdf");
}

/* Lines of paragraphs and tables; all other XML is read as it comes. */
static bool is_body(const struct office *o, const char *name)
{
	static const char *const bodies[] = {"word/document", "word/header", "word/footer", "word/footnotes",
		"word/endnotes", "word/comments", "word/glossary/document", "ppt/slides/slide", "ppt/notesSlides/notes",
		"ppt/comments", "xl/comments", "xl/drawings/drawing", "xl/threadedComments/"};
	size_t i;

	if (o->format == INSPECT_OPENDOCUMENT)
		return !strcmp(name, "content.xml") || !strcmp(name, "styles.xml") ||
		       (begins(name, "Object ") && ends(name, "/content.xml"));
	for (i = 0; i < ARRAY_SIZE(bodies); i++)
		if (begins(name, bodies[i]))
			return ends(name, ".xml");
	return false;
}

/* What programs write beside the text, without any of it in it: looked into where it is anything that we know. */
static bool is_dull(const char *name, struct span bytes)
{
	static const char *const settings[] = {"xl/printerSettings", "word/printerSettings", "ppt/printerSettings"};
	size_t i;

	if (bytes.n > PLAIN_MAX)
		return false;
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		if (begins(name, settings[i]))
			return sniff_format(bytes) == INSPECT_UNKNOWN;
	return !strcmp(name, "mimetype") || !strcmp(name, "layout-cache");
}

/* Tables of a font have names of four letters; the first ones lie under a key in OOXML (ECMA-376, part 4, 2.8.1). */
static bool has_tables(struct span bytes)
{
	size_t at, i;

	if (bytes.n < 92)
		return false;
	for (at = 44; at <= 76; at += 16)
		for (i = 0; i < 4; i++)
			if (bytes.p[at + i] < ' ' || bytes.p[at + i] > '~')
				return false;
	return true;
}

static bool is_sfnt(struct span bytes)
{
	return (span_starts(bytes, "\0\1\0\0", 4) || span_starts(bytes, "OTTO", 4) || span_starts(bytes, "true", 4)) &&
	       has_tables(bytes);
}

/* Fonts that a document brings with it, by name and by what they are. */
static bool is_font(const char *name, struct span bytes)
{
	if (begins(name, "word/fonts/") && ends(name, ".odttf"))
		return sniff_format(bytes) == INSPECT_UNKNOWN && has_tables(bytes);
	/* Embedded OpenType: its mark stands at 34. */
	if (begins(name, "ppt/fonts/") && ends(name, ".fntdata"))
		return bytes.n > 36 && get_le16(bytes.p + 34) == 0x504c;
	return begins(name, "Fonts/") && is_sfnt(bytes);
}

/* EMF, WMF with and without a header that places it, StarView: drawn again by programs that cannot draw the object. */
static bool is_metafile(struct span bytes)
{
	return (span_starts(bytes, "\1\0\0\0", 4) && span_starts(span_from(bytes, 40), " EMF", 4)) ||
	       span_starts(bytes, "\xd7\xcd\xc6\x9a", 4) || span_starts(bytes, "\1\0\x09\0", 4) ||
	       span_starts(bytes, "VCLMTF", 6);
}

/* What is in the document once more. */
static bool is_replacement(const char *name, struct span bytes)
{
	return (begins(name, "docProps/thumbnail.") || begins(name, "ObjectReplacements/")) && is_metafile(bytes);
}

/* The first page once more, as programs show it among files: 512 dots of A4 are 44 an inch, of which nobody reads any.
 */
static bool is_thumbnail(const char *name, struct span bytes)
{
	uint32_t width, height;

	return (!strcmp(name, "Thumbnails/thumbnail.png") || begins(name, "docProps/thumbnail.")) &&
	       picture_dots(bytes, &width, &height) && width <= THUMBNAIL_SIDE && height <= THUMBNAIL_SIDE;
}

/* A picture of a tenth of a page has room for a table; a logo has not. */
static bool is_small(const struct office *o, struct span bytes)
{
	uint32_t width, height;

	/* Recognition reads a small one, too, where it can read it at all. */
	return (!o->l->ocr || sniff_format(bytes) == INSPECT_UNKNOWN) && picture_dots(bytes, &width, &height) &&
	       (uint64_t)width * height < PICTURE_DOTS_MIN;
}

static void remember_sheet(struct office *o, const char *name)
{
	char **more = o->sheet_n < SHEETS_MAX ? realloc(o->sheet, (o->sheet_n + 1) * sizeof(*more)) : NULL;

	if (more) {
		o->sheet = more;
		o->sheet[o->sheet_n] = strdup(name);
		o->sheet_n += o->sheet[o->sheet_n] != NULL;
	} else {
		look_gap(o->l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "more than %u sheets", SHEETS_MAX);
	}
}

/* All parts, each on one way: what is none of the format's own is looked into as any file is. */
static bool wants(void *ctx, const char *name)
{
	struct office *o = ctx;
	bool book = o->format == INSPECT_XLSX;

	if (book && begins(name, "xl/worksheets/") && ends(name, ".xml")) {
		if (o->pass == TEXT_PARTS)
			remember_sheet(o, name);
		return false;
	}
	if (is_body(o, name) || (book && !strcmp(name, "xl/sharedStrings.xml")))
		return o->pass == TEXT_PARTS;
	return o->pass == (is_xml(name) ? OTHER_XML : OTHER_PARTS);
}

/* Sheets, when their strings are known. */
static bool wants_sheet(void *ctx, const char *name)
{
	struct office *o = ctx;
	size_t i;

	for (i = 0; i < o->sheet_n; i++)
		if (!strcmp(o->sheet[i], name))
			return true;
	return false;
}

static void take_sheet(void *ctx, const char *name, struct span bytes)
{
	struct office *o = ctx;

	(void)name;
	sheets_sheet(o->l, &o->sheets, bytes);
}

static void take(void *ctx, const char *name, struct span bytes)
{
	struct office *o = ctx;
	struct look *l = o->l;
	struct root root = {""};

	if (!bytes.n || is_dull(name, bytes) || is_thumbnail(name, bytes))
		return;
	if (!is_xml(name)) {
		if (is_font(name, bytes) || is_replacement(name, bytes))
			return;
		if (!is_small(o, bytes))
			look_inside(l, name, bytes);
		return;
	}
	if (o->format == INSPECT_XLSX)
		root_of(bytes, &root);
	if (!strcmp(root.name, "worksheet"))
		remember_sheet(o, name);
	else if (!strcmp(root.name, "sst"))
		sheets_shared(l, &o->sheets, bytes);
	else if (is_body(o, name))
		look_body(l, name, bytes, o->format == INSPECT_OPENDOCUMENT);
	else
		look_loose(l, name, bytes);
}

static bool wants_manifest(void *ctx, const char *name)
{
	(void)ctx;
	return !strcmp(name, "META-INF/manifest.xml");
}

static void take_manifest(void *ctx, const char *name, struct span bytes)
{
	struct office *o = ctx;

	(void)name;
	if (span_find(bytes, "encryption-data", 15) != SIZE_MAX)
		o->locked = true;
}

void look_office(struct look *l, enum inspect_format format, struct span doc)
{
	struct office o = {.l = l, .format = format};
	uint64_t kept;
	size_t i;

	look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "%s", inspect_format_name(format));
	if (!l->text)
		return;
	if (format == INSPECT_OPENDOCUMENT)
		archive_each(
			l, doc, &(struct archive_reader){.wants = wants_manifest, .take = take_manifest, .ctx = &o});
	if (o.locked) {
		look_locked(l, INSPECT_ABOUT_TEXT, "OpenDocument");
		return;
	}
	archive_each(l, doc, &(struct archive_reader){.wants = wants, .take = take, .ctx = &o});
	/* Strings of all sheets, and sheets, may stand in any part; half of what may be unpacked is kept for these. */
	o.pass = OTHER_XML;
	kept = l->room / 2;
	l->room -= kept;
	archive_each(l, doc,
		&(struct archive_reader){.wants = wants, .take = take, .ctx = &o, .again = true, .alone = true});
	l->room += kept;
	if (o.sheet_n)
		archive_each(l, doc,
			&(struct archive_reader){.wants = wants_sheet, .take = take_sheet, .ctx = &o, .again = true});
	l->tell(l, INSPECT_ABOUT_TEXT);
	o.pass = OTHER_PARTS;
	archive_each(l, doc,
		&(struct archive_reader){.wants = wants, .take = take, .ctx = &o, .again = true, .alone = true});
	for (i = 0; i < o.sheet_n; i++)
		free(o.sheet[i]);
	free(o.sheet);
	sheets_done(&o.sheets);
}
