/*
 * Text of OOXML (ECMA-376) and OpenDocument (ISO/IEC 26300) files: paragraphs as lines, rows of tables as lines with a
 * tab between cells, so that a number is seen below the head of its column. Sheets of xlsx are sheet.c's. See
 * container.h.
 */
#include "agent/inspect/office.h"

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
	unsigned i;

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
		for (i = 0; i < b->repeated && i < SHEET_COLUMNS_KEPT; i++)
			words_puts(&b->words, "\t");
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

struct office {
	struct look *l;
	enum inspect_format format;
	struct sheets sheets;
};

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static bool ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n >= m && strcmp(name + n - m, with) == 0;
}

/* Pictures: of some formats only, metafiles are not read. */
static bool is_media(const struct office *o, const char *name)
{
	static const char *const kinds[] = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".PNG", ".JPG", ".JPEG"};
	size_t i;

	if (!o->l->ocr || !(strstr(name, "/media/") || begins(name, "Pictures/")))
		return false;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (ends(name, kinds[i]))
			return true;
	return false;
}

/* Parts with text of people in them; and files that were put into the document. */
static bool wants(void *ctx, const char *name)
{
	struct office *o = ctx;

	if (is_media(o, name))
		return true;
	if (o->format == INSPECT_OPENDOCUMENT)
		return !strcmp(name, "content.xml") || !strcmp(name, "styles.xml") ||
		       !strcmp(name, "META-INF/manifest.xml") || begins(name, "Object ");
	if (!strcmp(name, "xl/sharedStrings.xml"))
		return true;
	if (strstr(name, "/embeddings/"))
		return true;
	if (!ends(name, ".xml"))
		return false;
	return begins(name, "word/document") || begins(name, "word/header") || begins(name, "word/footer") ||
	       begins(name, "word/footnotes") || begins(name, "word/endnotes") || begins(name, "word/comments") ||
	       begins(name, "ppt/slides/slide") || begins(name, "ppt/notesSlides/") || begins(name, "ppt/comments") ||
	       begins(name, "xl/comments") || begins(name, "xl/drawings/drawing") ||
	       begins(name, "xl/threadedComments/");
}

/* For the second way through the file. */
static bool wants_sheet(void *ctx, const char *name)
{
	(void)ctx;
	return begins(name, "xl/worksheets/") && ends(name, ".xml");
}

static void take(void *ctx, const char *name, struct span bytes)
{
	struct office *o = ctx;
	struct look *l = o->l;

	if (strstr(name, "/embeddings/") || is_media(o, name)) {
		look_inside(l, name, bytes);
	} else if (!strcmp(name, "META-INF/manifest.xml")) {
		if (span_find(bytes, "encryption-data", 15) != SIZE_MAX) {
			look_locked(l, INSPECT_ABOUT_TEXT, "OpenDocument");
		}
	} else if (!strcmp(name, "xl/sharedStrings.xml")) {
		sheets_shared(l, &o->sheets, bytes);
	} else if (begins(name, "xl/worksheets/")) {
		sheets_sheet(l, &o->sheets, bytes);
	} else {
		look_body(l, name, bytes, o->format == INSPECT_OPENDOCUMENT);
	}
}

void look_office(struct look *l, enum inspect_format format, struct span doc)
{
	struct office o = {.l = l, .format = format};
	struct archive_reader to = {wants, take, &o};

	look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "%s", inspect_format_name(format));
	if (!l->text)
		return;
	archive_each(l, doc, &to);
	/* Strings of all sheets stand in one part, which may come behind them: the sheets are read on a second way. */
	if (format == INSPECT_XLSX)
		archive_each(l, doc, &(struct archive_reader){wants_sheet, take, &o});
	sheets_done(&o.sheets);
}
