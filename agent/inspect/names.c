/*
 * Facts as words: names for records, and findings in one line. See inspect.h.
 */
#include "agent/inspect/inspect.h"
#include <inttypes.h>

const char *inspect_format_name(enum inspect_format format)
{
	static const char *const names[INSPECT_FORMATS] = {
		[INSPECT_UNKNOWN] = "unknown",
		[INSPECT_PDF] = "pdf",
		[INSPECT_POSTSCRIPT] = "postscript",
		[INSPECT_PWG_RASTER] = "pwg-raster",
		[INSPECT_CUPS_RASTER] = "cups-raster",
		[INSPECT_APPLE_RASTER] = "urf",
		[INSPECT_PCL] = "pcl",
		[INSPECT_PCLXL] = "pcl-xl",
		[INSPECT_ESCP] = "esc-p",
		[INSPECT_ZJS] = "zjs",
		[INSPECT_JPEG] = "jpeg",
		[INSPECT_PNG] = "png",
		[INSPECT_TIFF] = "tiff",
		[INSPECT_TEXT] = "text",
		[INSPECT_HTML] = "html",
		[INSPECT_RTF] = "rtf",
		[INSPECT_DOCX] = "docx",
		[INSPECT_XLSX] = "xlsx",
		[INSPECT_PPTX] = "pptx",
		[INSPECT_OPENDOCUMENT] = "opendocument",
		[INSPECT_DOC] = "doc",
		[INSPECT_XLS] = "xls",
		[INSPECT_PPT] = "ppt",
		[INSPECT_OLE] = "compound-file",
		[INSPECT_MAIL] = "mail",
		[INSPECT_ZIP] = "zip",
		[INSPECT_ARCHIVE] = "archive",
		[INSPECT_CUPS_COMMAND] = "cups-command",
		[INSPECT_EMPTY] = "empty",
	};

	return format < INSPECT_FORMATS ? names[format] : "unknown";
}

const char *inspect_color_name(enum inspect_color color)
{
	switch (color) {
	case INSPECT_GREY:
		return "grey";
	case INSPECT_COLOR:
		return "color";
	case INSPECT_COLOR_OK:
		return "maybe-color";
	case INSPECT_COLOR_UNKNOWN:
		break;
	}
	return "unknown";
}

const char *inspect_duplex_name(enum inspect_duplex duplex)
{
	switch (duplex) {
	case INSPECT_ONE_SIDED:
		return "one-sided";
	case INSPECT_LONG_EDGE:
		return "two-sided-long-edge";
	case INSPECT_SHORT_EDGE:
		return "two-sided-short-edge";
	case INSPECT_DUPLEX_UNKNOWN:
		break;
	}
	return "";
}

static const struct {
	unsigned flag;
	const char *name;
} flag_names[] = {
	{INSPECT_GZIP, "gzip"},
	{INSPECT_PJL, "pjl"},
	{INSPECT_ENCRYPTED, "encrypted"},
	{INSPECT_PASSWORD, "password"},
	{INSPECT_IMAGE_ONLY, "image-only"},
	{INSPECT_DAMAGED, "damaged"},
	{INSPECT_TRUNCATED, "truncated"},
	{INSPECT_CLAIMED, "pages-claimed"},
	{INSPECT_MIXED, "mixed-media"},
	{INSPECT_OCR, "ocr"},
};

static const char *const what_names[INSPECT_WHATS] = {
	[INSPECT_ABOUT_ALL] = "document",
	[INSPECT_ABOUT_PAGES] = "pages",
	[INSPECT_ABOUT_COLOR] = "color",
	[INSPECT_ABOUT_TEXT] = "text",
	[INSPECT_ABOUT_PICTURES] = "pictures",
};

static const char *const cause_names[INSPECT_CAUSES] = {
	[INSPECT_TOO_LONG] = "time-up",
	[INSPECT_TOO_BIG] = "too-big",
	[INSPECT_DIED] = "inspection-died",
	[INSPECT_NEEDS_PASSWORD] = "needs-password",
	[INSPECT_BROKEN] = "broken",
	[INSPECT_NOT_LOOKED_AT] = "not-looked-at",
	[INSPECT_NOT_SAID] = "not-said",
	[INSPECT_NOT_READABLE] = "not-readable",
	[INSPECT_BUSY] = "busy",
	[INSPECT_GONE] = "inspector-gone",
};

int inspect_numbers(const struct inspect_facts *f, struct buf *out)
{
	const char *between = "";
	size_t i;
	int r = 0;

	for (i = 0; i < FIND_KINDS && !r; i++) {
		const struct finding *n = &f->found[i];

		if (!n->sure && !n->maybe)
			continue;
		r = buf_putf(out, "%s%s %" PRIu64, between, find_kind_name((enum find_kind)i), n->sure);
		if (!r && n->maybe)
			r = buf_putf(out, " to %" PRIu64, n->sure + n->maybe);
		if (!r && n->sample[0])
			r = buf_putf(out, " (%s)", n->sample);
		between = ", ";
	}
	return r;
}

bool inspect_text_read(const struct inspect_facts *f)
{
	unsigned i;

	if (f->gaps > INSPECT_GAPS_MAX || !(f->flags & INSPECT_TEXT_READ) ||
		f->flags & (INSPECT_PASSWORD | INSPECT_TRUNCATED) ||
		(f->flags & INSPECT_IMAGE_ONLY && !(f->flags & INSPECT_OCR)))
		return false;
	/* How many pages a text has, or whether it has colour, is nothing that is missed here. */
	for (i = 0; i < f->gaps; i++)
		if (f->gap[i].what != INSPECT_ABOUT_PAGES && f->gap[i].what != INSPECT_ABOUT_COLOR)
			return false;
	return true;
}

int inspect_findings(const struct inspect_facts *f, struct buf *out)
{
	const char *between = "";
	size_t i;
	int r = 0;

	for (i = 0; i < ARRAY_SIZE(flag_names) && !r; i++)
		if (f->flags & flag_names[i].flag) {
			r = buf_putf(out, "%s%s", between, flag_names[i].name);
			between = ", ";
		}
	if (!r && f->blank_pages) {
		r = buf_putf(out, "%s%" PRIu64 " blank", between, f->blank_pages);
		between = ", ";
	}
	for (i = 0; i < f->gaps && i < INSPECT_GAPS_MAX && !r; i++) {
		const struct inspect_gap *g = &f->gap[i];
		bool said = g->detail[0];

		r = buf_putf(out, "%s%s: %s%s%s%s", *between ? "; " : "", what_names[g->what], cause_names[g->cause],
			said ? " (" : "", g->detail, said ? ")" : "");
		between = "; ";
	}
	if (!r && f->gaps > INSPECT_GAPS_MAX)
		r = buf_putf(out, "; %u more", f->gaps - INSPECT_GAPS_MAX);
	return r;
}
