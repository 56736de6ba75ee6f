/*
 * PostScript by its comments (Adobe Technical Note 5001, Document Structuring Conventions 3.0) and by what drivers set
 * up in front of the pages. The language is not run: what its programs print without saying so is not known here, and
 * said to be so.
 */
#include "agent/inspect/look.h"
#include <ctype.h>
#include <inttypes.h>

#define SETUP_MAX (1u << 20)
#define VALUE_MAX 200
#define UM_PER_POINT (25400.0 / 72)

struct dsc {
	struct look *l;
	uint64_t counted, claimed;
	bool has_claim, color_said, eof;
	unsigned depth; /* documents in the document: their pages are pictures */
};

/* The words behind a keyword, blanks and brackets cut off; or false. */
static bool value_of(struct span line, const char *keyword, char out[VALUE_MAX])
{
	size_t k = strlen(keyword), n;

	if (!span_starts(line, keyword, k))
		return false;
	line = span_from(line, k);
	while (line.n && isspace(line.p[0]))
		line = span_from(line, 1);
	while (line.n && isspace(line.p[line.n - 1]))
		line.n--;
	if (line.n >= 2 && line.p[0] == '(' && line.p[line.n - 1] == ')')
		line = SPAN(line.p + 1, line.n - 2);
	n = line.n < VALUE_MAX - 1 ? line.n : VALUE_MAX - 1;
	if (n)
		memcpy(out, line.p, n);
	out[n] = '\0';
	return true;
}

static void media(struct look *l, const char *v)
{
	char name[64];
	double w, h;

	if (sscanf(v, "%63s %lf %lf", name, &w, &h) == 3)
		look_size(l, w * UM_PER_POINT, h * UM_PER_POINT);
	if (sscanf(v, "%63s", name) == 1)
		look_media(l, SPAN_STR(name));
}

static void duplex_word(struct look *l, const char *v)
{
	if (strstr(v, "NoTumble"))
		l->facts->duplex = INSPECT_LONG_EDGE;
	else if (strstr(v, "Tumble") || strstr(v, "tumble"))
		l->facts->duplex = INSPECT_SHORT_EDGE;
	else if (strstr(v, "None") || strstr(v, "False"))
		l->facts->duplex = INSPECT_ONE_SIDED;
	else
		l->facts->duplex = INSPECT_LONG_EDGE;
}

static void feature(struct dsc *d, const char *v)
{
	if (strncmp(v, "*PageSize ", 10) == 0 || strncmp(v, "*PageRegion ", 12) == 0)
		look_media(d->l, SPAN_STR(strchr(v, ' ') + 1));
	else if (strncmp(v, "*Duplex ", 8) == 0)
		duplex_word(d->l, v + 8);
	else if (strncmp(v, "*ColorModel Gray", 16) == 0 || strncmp(v, "*ColorModel Black", 17) == 0) {
		d->color_said = true;
		look_color(d->l, INSPECT_GREY);
	}
}

static void colors(struct dsc *d, const char *v)
{
	bool color = strstr(v, "Cyan") || strstr(v, "Magenta") || strstr(v, "Yellow") || strstr(v, "Red") ||
		     strstr(v, "Green") || strstr(v, "Blue");

	if (strstr(v, "atend"))
		return;
	if (color || strstr(v, "Black")) {
		d->color_said = true;
		look_color(d->l, color ? INSPECT_COLOR : INSPECT_GREY);
	}
}

static void number_of_pages(struct dsc *d, const char *v)
{
	char *end;
	uint64_t n = strtoull(v, &end, 10);

	if (end != v && isdigit((unsigned char)v[0])) {
		d->claimed = n;
		d->has_claim = true;
	}
}

static void comment(struct dsc *d, struct span line)
{
	char v[VALUE_MAX];

	if (value_of(line, "%%BeginDocument", v) || value_of(line, "%%BeginEPSF", v))
		d->depth++;
	else if ((value_of(line, "%%EndDocument", v) || value_of(line, "%%EndEPSF", v)) && d->depth)
		d->depth--;
	if (d->depth)
		return;
	if (value_of(line, "%%Page:", v))
		d->counted++;
	else if (value_of(line, "%%Pages:", v))
		number_of_pages(d, v);
	else if (value_of(line, "%%Creator:", v))
		look_generator(d->l, SPAN_STR(v));
	else if (value_of(line, "%%DocumentMedia:", v) || value_of(line, "%%DocumentPaperSizes:", v))
		media(d->l, v);
	else if (value_of(line, "%%BeginFeature:", v) || value_of(line, "%%IncludeFeature:", v))
		feature(d, v);
	else if (value_of(line, "%%DocumentProcessColors:", v))
		colors(d, v);
	else if (value_of(line, "%%Requirements:", v) && strstr(v, "duplex"))
		duplex_word(d->l, strstr(v, "duplex"));
	else if (value_of(line, "%%EOF", v))
		d->eof = true;
}

/* Bytes or lines that are no PostScript; how many bytes to pass over. */
static size_t data_size(struct span line)
{
	char v[VALUE_MAX];

	if (value_of(line, "%%BeginBinary:", v) || (value_of(line, "%%BeginData:", v) && !strstr(v, "Lines"))) {
		unsigned long long n = strtoull(v, NULL, 10);

		return n < SIZE_MAX / 2 ? (size_t)n : 0;
	}
	return 0;
}

static size_t line_end(struct span s)
{
	size_t i;

	for (i = 0; i < s.n && i < 1024; i++)
		if (s.p[i] == '\n' || s.p[i] == '\r')
			break;
	return i;
}

static void walk(struct dsc *d, struct span doc)
{
	size_t at = 0, next;

	while (at < doc.n) {
		struct span line;

		next = span_find(span_from(doc, at), "%%", 2);
		if (next == SIZE_MAX)
			return;
		at += next;
		if (at && doc.p[at - 1] != '\n' && doc.p[at - 1] != '\r') {
			at += 2;
			continue;
		}
		line = span_from(doc, at);
		line.n = line_end(line);
		comment(d, line);
		at += line.n ? line.n : 1;
		next = data_size(line);
		/* A lie about the size would hide pages: what is passed over must end as data does. */
		if (next && next < doc.n - at &&
			span_find(SPAN(doc.p + at + next, doc.n - at - next < 64 ? doc.n - at - next : 64), "%%End",
				5) != SIZE_MAX)
			at += next;
	}
}

/*
 * The number behind `name` in the setup, where one of `next` follows it: drivers define procedures by these names too.
 * 0 where there is none.
 */
static unsigned long number_behind(struct span setup, const char *name, const char *next)
{
	size_t at = span_find(setup, name, strlen(name));
	char v[16], *end;
	unsigned long n;

	if (at == SIZE_MAX)
		return 0;
	setup = span_from(setup, at + strlen(name));
	snprintf(v, sizeof(v), "%.*s", (int)(setup.n < 15 ? setup.n : 15), (const char *)setup.p);
	n = strtoul(v, &end, 10);
	while (*end == ' ')
		end++;
	return end != v && strchr(next, *end) ? n : 0;
}

static bool has(struct span setup, const char *words)
{
	return span_find(setup, words, strlen(words)) != SIZE_MAX;
}

/* What drivers write in front of the pages, beside comments. */
static void setup_read(struct look *l, struct span doc)
{
	struct span setup = SPAN(doc.p, doc.n < SETUP_MAX ? doc.n : SETUP_MAX);
	unsigned long n = number_behind(setup, "RBINumCopies: ", "\r\n");

	if (!n)
		n = number_behind(setup, "/NumCopies ", "/>d");
	if (!n)
		n = number_behind(setup, "/#copies ", "d");
	if (n >= 1 && n <= 65535)
		l->facts->copies = (uint32_t)n;
	if (l->facts->duplex != INSPECT_DUPLEX_UNKNOWN)
		return;
	/* As a dictionary begins with it: driver code has "/Duplex true def" under conditions. */
	if (has(setup, "<</Duplex true") || has(setup, "<< /Duplex true"))
		l->facts->duplex = has(setup, "/Tumble true") ? INSPECT_SHORT_EDGE : INSPECT_LONG_EDGE;
	else if (has(setup, "<</Duplex false") || has(setup, "<< /Duplex false"))
		l->facts->duplex = INSPECT_ONE_SIDED;
}

static struct span without_eps_header(struct span doc)
{
	uint32_t at, n;

	if (doc.n < 30 || !span_starts(doc, "\xc5\xd0\xd3\xc6", 4))
		return doc;
	at = get_le32(doc.p + 4);
	n = get_le32(doc.p + 8);
	return at < doc.n && n <= doc.n - at ? SPAN(doc.p + at, n) : doc;
}

void look_postscript(struct look *l, struct span doc)
{
	struct dsc d = {.l = l};

	l->tell(l, INSPECT_ABOUT_ALL);
	doc = without_eps_header(doc);
	walk(&d, doc);
	setup_read(l, doc);
	if (d.counted) {
		look_pages(l, d.counted);
	} else if (d.has_claim) {
		look_pages(l, d.claimed);
		l->facts->flags |= INSPECT_CLAIMED;
	} else {
		look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "PostScript without comments");
	}
	if (d.counted && d.has_claim && d.counted != d.claimed)
		l->facts->flags |= INSPECT_DAMAGED;
	if ((d.counted || d.has_claim) && !d.eof)
		l->facts->flags |= INSPECT_TRUNCATED;
	if (!d.color_said)
		look_gap(l, INSPECT_ABOUT_COLOR, INSPECT_NOT_SAID, "PostScript");
}
