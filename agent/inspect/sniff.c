/*
 * What bytes are, by their first ones. See look.h.
 */
#include "agent/inspect/container.h"
#include <ctype.h>
#include <strings.h>

/* Nothing but what people write: letters of any encoding, line ends, tabs, form feeds. */
static bool is_text(struct span s)
{
	size_t i, n = s.n < 4096 ? s.n : 4096;
	enum encoding e = encoding_of(SPAN(s.p, n));

	if (e == ENCODING_UTF16LE || e == ENCODING_UTF16BE || e == ENCODING_UTF32LE || e == ENCODING_UTF32BE)
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

/* "-lh5-" and its like, behind two bytes. */
static bool is_lha(struct span s)
{
	return s.n > 21 && s.p[2] == '-' && s.p[3] == 'l' && (s.p[4] == 'h' || s.p[4] == 'z') && s.p[6] == '-';
}

static struct span behind_blanks(struct span s)
{
	s = span_starts(s, "\xef\xbb\xbf", 3) ? span_from(s, 3) : s;
	while (s.n && isspace(s.p[0]))
		s = span_from(s, 1);
	return s;
}

static bool begins_as(struct span s, const char *with)
{
	return s.n >= strlen(with) && strncasecmp((const char *)s.p, with, strlen(with)) == 0;
}

static bool is_html(struct span s)
{
	static const char *const tags[] = {"<!doctype html", "<html", "<head", "<body", "<table", "<meta"};
	size_t i;

	s = behind_blanks(s);
	/* XHTML may say that it is XML first. */
	if (begins_as(s, "<?xml"))
		return span_find(s, "<html", 5) != SIZE_MAX;
	for (i = 0; i < ARRAY_SIZE(tags); i++)
		if (begins_as(s, tags[i]))
			return true;
	return false;
}

/* Lines of a mail's head: at least two that every mail has, and nothing else before an empty line or the end. */
static bool is_mail(struct span s)
{
	static const char *const fields[] = {"from:", "to:", "subject:", "date:", "message-id:", "mime-version:",
		"received:", "return-path:", "content-type:"};
	unsigned known = 0;
	size_t i;

	if (begins_as(s, "From ") && (i = span_find(s, "\n", 1)) != SIZE_MAX)
		s = span_from(s, i + 1);
	while (s.n && s.p[0] != '\n' && s.p[0] != '\r') {
		size_t end = span_find(s, "\n", 1), name = 0;
		bool folded = s.p[0] == ' ' || s.p[0] == '\t';

		if (end == SIZE_MAX)
			break;
		while (name < end && (isalnum(s.p[name]) || s.p[name] == '-'))
			name++;
		if (!folded && (!name || s.p[name] != ':'))
			return false;
		for (i = 0; i < ARRAY_SIZE(fields) && !folded; i++)
			known += begins_as(s, fields[i]);
		s = span_from(s, end + 1);
	}
	return known >= 2;
}

enum inspect_format sniff_format(struct span s)
{
	static const struct {
		const char *magic;
		size_t n;
		enum inspect_format format;
	} known[] = {
		{"%!", 2, INSPECT_POSTSCRIPT}, {"\x04%!", 3, INSPECT_POSTSCRIPT},
		{"\xc5\xd0\xd3\xc6", 4, INSPECT_POSTSCRIPT}, {"RaSt", 4, INSPECT_CUPS_RASTER},
		{"tSaR", 4, INSPECT_CUPS_RASTER}, {"RaS2", 4, INSPECT_CUPS_RASTER}, {"2SaR", 4, INSPECT_CUPS_RASTER},
		{"RaS3", 4, INSPECT_CUPS_RASTER}, {"3SaR", 4, INSPECT_CUPS_RASTER},
		{"UNIRAST\0", 8, INSPECT_APPLE_RASTER}, {"\xff\xd8\xff", 3, INSPECT_JPEG},
		{"\x89PNG\r\n\x1a\n", 8, INSPECT_PNG}, {"II*\0", 4, INSPECT_TIFF}, {"MM\0*", 4, INSPECT_TIFF},
		{") HP-PCL XL", 11, INSPECT_PCLXL}, {"( HP-PCL XL", 11, INSPECT_PCLXL}, {"JZJZ", 4, INSPECT_ZJS},
		{"ZJZJ", 4, INSPECT_ZJS}, {",XQX", 4, INSPECT_ZJS}, {"#CUPS-COMMAND", 13, INSPECT_CUPS_COMMAND},
		{"{\\rtf", 5, INSPECT_RTF}, {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, INSPECT_OLE},
		{"7z\xbc\xaf\x27\x1c", 6, INSPECT_ARCHIVE},
		{"\xfd"
		 "7zXZ",
			5, INSPECT_ARCHIVE},
		{"\x28\xb5\x2f\xfd", 4, INSPECT_ARCHIVE},                           /* zstd */
		{"\x04\x22\x4d\x18", 4, INSPECT_ARCHIVE},                           /* lz4 */
		{"\x1f\x8b", 2, INSPECT_ARCHIVE}, {"\x1f\x9d", 2, INSPECT_ARCHIVE}, /* compress */
		{"BZh", 3, INSPECT_ARCHIVE}, {"Rar!\x1a\x07", 6, INSPECT_ARCHIVE},
		{"MSCF\0\0\0\0", 8, INSPECT_ARCHIVE}, /* cab */
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
	if (span_starts(s, "PK\x03\x04", 4) || span_starts(s, "PK\x05\x06", 4))
		return zip_format(s);
	if (span_starts(span_from(s, 257), "ustar", 5) || is_lha(s))
		return INSPECT_ARCHIVE;
	if (is_escp(s))
		return INSPECT_ESCP;
	if (is_pcl(s))
		return INSPECT_PCL;
	if (!is_text(s))
		return INSPECT_UNKNOWN;
	return is_html(head) ? INSPECT_HTML : is_mail(head) ? INSPECT_MAIL : INSPECT_TEXT;
}
