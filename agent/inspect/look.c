/*
 * What the parsers share: how facts come together, and the way from a document's first bytes to the parser of each of
 * its parts. See look.h.
 */
#include "agent/inspect/look.h"
#include "policy/base/text.h"
#include <ctype.h>

#define PARTS_MAX 1000u
#define UEL "\x1b%-12345X"
#define UEL_SIZE 9

void look_gap(struct look *l, enum inspect_what what, enum inspect_cause cause, const char *fmt, ...)
{
	char detail[sizeof(l->facts->gap[0].detail)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	facts_gap(l->facts, what, cause, detail);
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

	if (!(width_um >= 1 && height_um >= 1 && width_um <= most && height_um <= most))
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
	l->facts->has_pages = true;
	l->facts->pages += more;
}

void look_color(struct look *l, enum inspect_color color)
{
	static const int weight[] = {
		[INSPECT_COLOR_UNKNOWN] = 0, [INSPECT_GREY] = 1, [INSPECT_COLOR_OK] = 2, [INSPECT_COLOR] = 3};

	if (weight[color] > weight[l->facts->color])
		l->facts->color = color;
}

/* Nothing but what people write: letters of any encoding, line ends, tabs, form feeds. */
static bool is_text(struct span s)
{
	size_t i, n = s.n < 4096 ? s.n : 4096;

	if (span_starts(s, "\xff\xfe", 2) || span_starts(s, "\xfe\xff", 2))
		return true;
	for (i = 0; i < n; i++)
		if ((s.p[i] < 0x20 && !strchr("\t\n\r\f\b\x1b\x0e\x0f", s.p[i])) || !s.p[i] || s.p[i] == 0x7f)
			return false;
	return true;
}

static bool is_escp(struct span s)
{
	return span_starts(s, "\x1b@", 2) || span_starts(s, "\x1b(R", 3) ||
	       span_starts(s, "\x00\x00\x00\x1b\x01@EJL", 9);
}

static bool is_pcl(struct span s)
{
	return span_starts(s,
		       "\x1b"
		       "E",
		       2) ||
	       (s.n >= 3 && s.p[0] == 0x1b && strchr("%&*()", s.p[1]) && s.p[1] && isalnum(s.p[2]));
}

enum inspect_format sniff_format(struct span s)
{
	static const struct {
		const char *magic;
		size_t n;
		enum inspect_format format;
	} known[] = {
		{"%!", 2, INSPECT_POSTSCRIPT},
		{"\x04%!", 3, INSPECT_POSTSCRIPT},
		{"\xc5\xd0\xd3\xc6", 4, INSPECT_POSTSCRIPT},
		{"RaSt", 4, INSPECT_CUPS_RASTER},
		{"tSaR", 4, INSPECT_CUPS_RASTER},
		{"RaS2", 4, INSPECT_CUPS_RASTER},
		{"2SaR", 4, INSPECT_CUPS_RASTER},
		{"RaS3", 4, INSPECT_CUPS_RASTER},
		{"3SaR", 4, INSPECT_CUPS_RASTER},
		{"UNIRAST\0", 8, INSPECT_APPLE_RASTER},
		{"\xff\xd8\xff", 3, INSPECT_JPEG},
		{"\x89PNG\r\n\x1a\n", 8, INSPECT_PNG},
		{") HP-PCL XL", 11, INSPECT_PCLXL},
		{"( HP-PCL XL", 11, INSPECT_PCLXL},
		{"JZJZ", 4, INSPECT_ZJS},
		{"ZJZJ", 4, INSPECT_ZJS},
		{",XQX", 4, INSPECT_ZJS},
		{"#CUPS-COMMAND", 13, INSPECT_CUPS_COMMAND},
	};
	struct span head = SPAN(s.p, s.n < 1024 ? s.n : 1024);
	size_t i;

	if (!s.n)
		return INSPECT_EMPTY;
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (span_starts(s, known[i].magic, known[i].n)) {
			bool pwg =
				known[i].format == INSPECT_CUPS_RASTER && span_starts(span_from(s, 4), "PwgRaster", 10);

			return pwg ? INSPECT_PWG_RASTER : known[i].format;
		}
	/* Readers of PDF look for its header within the first kilobyte. */
	if (span_find(head, "%PDF-", 5) != SIZE_MAX)
		return INSPECT_PDF;
	if (is_escp(s))
		return INSPECT_ESCP;
	if (is_pcl(s))
		return INSPECT_PCL;
	return is_text(s) ? INSPECT_TEXT : INSPECT_UNKNOWN;
}

static void nothing(struct look *l)
{
	l->facts->format = INSPECT_EMPTY;
	look_pages(l, 0);
}

static void look_part(struct look *l, enum inspect_format format, struct span part)
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
	case INSPECT_TEXT:
		look_text(l, part);
		break;
	case INSPECT_PCLXL:
	case INSPECT_ESCP:
	case INSPECT_ZJS:
	case INSPECT_UNKNOWN:
		look_gap(l, INSPECT_ABOUT_ALL, INSPECT_NOT_LOOKED_AT, "%s", inspect_format_name(format));
		break;
	case INSPECT_EMPTY:
		nothing(l);
		break;
	case INSPECT_CUPS_COMMAND:
	case INSPECT_FORMATS:
		break;
	}
	/* Of these the picture is the text. */
	if (l->text && (format == INSPECT_PWG_RASTER || format == INSPECT_CUPS_RASTER ||
			       format == INSPECT_APPLE_RASTER || format == INSPECT_PCL || format == INSPECT_JPEG ||
			       format == INSPECT_PNG || format == INSPECT_POSTSCRIPT))
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
