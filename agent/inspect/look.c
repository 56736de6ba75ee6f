/*
 * What the parsers share: how facts come together, and the way from a document's first bytes to the parser of each of
 * its parts. See look.h.
 */
#include "agent/inspect/container.h"
#include "agent/inspect/ocr.h"
#include "policy/base/text.h"
#include <ctype.h>

#define PARTS_MAX 1000u
#define UEL "\x1b%-12345X"
#define UEL_SIZE 9

void look_gap(struct look *l, enum inspect_what what, enum inspect_cause cause, const char *fmt, ...)
{
	char detail[sizeof(l->facts->gap[0].detail)];
	va_list ap;

	/* Pages are those of the document that lies there, not of what lies in it. */
	if (l->depth && (what == INSPECT_ABOUT_PAGES || what == INSPECT_ABOUT_COLOR))
		return;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	facts_gap(l->facts, what, cause, detail);
}

void look_locked(struct look *l, enum inspect_what about, const char *what)
{
	l->facts->flags |= INSPECT_ENCRYPTED | INSPECT_PASSWORD;
	look_gap(l, about, INSPECT_NEEDS_PASSWORD, "%s", what);
}

/* Whole characters only, no NUL; whoever reads the report escapes the rest. */
static void keep_first(char *into, size_t size, struct span name)
{
	size_t n = name.n < size - 1 ? name.n : size - 1, i;

	if (into[0])
		return;
	while (n && n < name.n && (name.p[n] & 0xc0) == 0x80)
		n--;
	for (i = 0; i < n; i++)
		into[i] = (char)(name.p[i] ? name.p[i] : ' ');
	into[n] = '\0';
}

void look_generator(struct look *l, struct span name)
{
	keep_first(l->facts->generator, sizeof(l->facts->generator), name);
}

void look_media(struct look *l, struct span name)
{
	keep_first(l->facts->media, sizeof(l->facts->media), name);
}

void look_size(struct look *l, double width_um, double height_um)
{
	struct inspect_facts *f = l->facts;
	const double most = 1e8, same = 500;

	if (l->depth || !(width_um >= 1 && height_um >= 1 && width_um <= most && height_um <= most))
		return;
	if (!f->width_um) {
		f->width_um = (uint32_t)(width_um + 0.5);
		f->height_um = (uint32_t)(height_um + 0.5);
	} else if (width_um - f->width_um > same || f->width_um - width_um > same || height_um - f->height_um > same ||
		   f->height_um - height_um > same) {
		f->flags |= INSPECT_MIXED;
	}
}

void look_pages(struct look *l, uint64_t more)
{
	if (l->depth)
		return;
	l->facts->has_pages = true;
	l->facts->pages += more;
}

void look_color(struct look *l, enum inspect_color color)
{
	static const int weight[] = {
		[INSPECT_COLOR_UNKNOWN] = 0, [INSPECT_GREY] = 1, [INSPECT_COLOR_OK] = 2, [INSPECT_COLOR] = 3};

	if (!l->depth && weight[color] > weight[l->facts->color])
		l->facts->color = color;
}

static void nothing(struct look *l)
{
	l->facts->format = INSPECT_EMPTY;
	look_pages(l, 0);
}

static bool is_picture(enum inspect_format format)
{
	return format == INSPECT_JPEG || format == INSPECT_PNG || format == INSPECT_TIFF;
}

static bool is_raster(enum inspect_format format)
{
	return format == INSPECT_PWG_RASTER || format == INSPECT_CUPS_RASTER || format == INSPECT_APPLE_RASTER;
}

void look_part(struct look *l, enum inspect_format format, struct span part)
{
	switch (format) {
	case INSPECT_PDF:
		look_pdf(l, part);
		break;
	case INSPECT_POSTSCRIPT:
		look_postscript(l, part);
		break;
	case INSPECT_PWG_RASTER:
	case INSPECT_CUPS_RASTER:
		look_raster(l, part);
		break;
	case INSPECT_APPLE_RASTER:
		look_urf(l, part);
		break;
	case INSPECT_PCL:
		look_pcl(l, part);
		break;
	case INSPECT_JPEG:
		look_jpeg(l, part);
		break;
	case INSPECT_PNG:
		look_png(l, part);
		break;
	case INSPECT_TIFF:
		look_tiff(l, part);
		break;
	case INSPECT_TEXT:
		look_text(l, part);
		break;
	case INSPECT_PCLXL:
	case INSPECT_ESCP:
	case INSPECT_ZJS:
	case INSPECT_UNKNOWN:
		look_gap(l, INSPECT_ABOUT_ALL, INSPECT_NOT_LOOKED_AT, "%s", inspect_format_name(format));
		break;
	case INSPECT_DOCX:
	case INSPECT_XLSX:
	case INSPECT_PPTX:
	case INSPECT_OPENDOCUMENT:
		look_office(l, format, part);
		break;
	case INSPECT_DOC:
	case INSPECT_XLS:
	case INSPECT_PPT:
	case INSPECT_OLE:
		look_ole(l, part);
		break;
	case INSPECT_RTF:
		look_rtf(l, part);
		break;
	case INSPECT_HTML:
		look_html(l, part);
		break;
	case INSPECT_MAIL:
		look_mail(l, part);
		break;
	case INSPECT_ZIP:
	case INSPECT_ARCHIVE:
		look_archive(l, part);
		break;
	case INSPECT_EMPTY:
		nothing(l);
		break;
	case INSPECT_CUPS_COMMAND:
		look_commands(l, part);
		break;
	case INSPECT_FORMATS:
		break;
	}
	if (is_picture(format))
		ocr_file(l, part, inspect_format_name(format));
	/* Of these the picture is the text. */
	if (l->text && (is_picture(format) || is_raster(format)) && l->ocr)
		return;
	if (l->text &&
		(is_picture(format) || is_raster(format) || format == INSPECT_PCL || format == INSPECT_POSTSCRIPT))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_NOT_LOOKED_AT, "%s", inspect_format_name(format));
}

/* What ENTER LANGUAGE says, where the bytes do not say it themselves. */
static enum inspect_format by_language(const char *language, enum inspect_format sniffed)
{
	if (sniffed != INSPECT_UNKNOWN && sniffed != INSPECT_TEXT)
		return sniffed;
	if (strcmp(language, "PCL") == 0)
		return INSPECT_PCL;
	if (strcmp(language, "PCLXL") == 0)
		return INSPECT_PCLXL;
	if (strcmp(language, "POSTSCRIPT") == 0)
		return INSPECT_POSTSCRIPT;
	if (strcmp(language, "ZJS") == 0 || strcmp(language, "XQX") == 0 || strcmp(language, "HBPL") == 0)
		return INSPECT_ZJS;
	return sniffed;
}

/* Line ends between two header lines are no document. */
static bool is_blank(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!isspace(s.p[i]))
			return false;
	return true;
}

/* The printer's job language stands between parts, each of which may be of another format. */
static void look_parts(struct look *l, struct span rest)
{
	unsigned parts = 0;

	while (rest.n) {
		char language[16] = "";
		enum inspect_format format;
		struct span part;
		size_t end;

		if (span_starts(rest, UEL, UEL_SIZE)) {
			rest = span_from(rest, UEL_SIZE);
			continue;
		}
		rest = span_from(rest, pjl_read(l, rest, language));
		end = span_find(rest, UEL, UEL_SIZE);
		part = end == SIZE_MAX ? rest : SPAN(rest.p, end);
		rest = span_from(rest, part.n);
		if (is_blank(part))
			continue;
		if (++parts > PARTS_MAX) {
			look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_TOO_BIG, "more than %u parts", PARTS_MAX);
			return;
		}
		format = by_language(language, sniff_format(part));
		if (l->facts->format == INSPECT_UNKNOWN || parts == 1)
			l->facts->format = format;
		look_part(l, format, part);
	}
	/* Header lines alone print nothing. */
	if (!parts)
		nothing(l);
}

void look_document(struct look *l, struct span doc)
{
	enum inspect_format format = sniff_format(doc);

	if (span_starts(doc, UEL, UEL_SIZE) || span_starts(doc, "@PJL", 4) || format == INSPECT_PCL) {
		look_parts(l, doc);
		return;
	}
	l->facts->format = format;
	look_part(l, format, doc);
}
