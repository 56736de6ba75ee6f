/*
 * HP's Printer Job Language in front of a document (PJL Technical Reference, 5021-0380): lines that begin with @PJL, up
 * to ENTER LANGUAGE or to the first line that does not. Called by look_document.
 */
#include "agent/inspect/look.h"
#include <ctype.h>
#include <strings.h>

#define LINE_MAX_KEPT 256

/* NAME = VALUE with blanks anywhere; false where it is something else. Both are upper case. */
static bool setting(const char *line, char name[32], char value[64])
{
	size_t n = 0;

	while (*line && !isspace((unsigned char)*line) && *line != '=' && n < 31)
		name[n++] = (char)toupper((unsigned char)*line++);
	name[n] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	if (!n || *line++ != '=')
		return false;
	while (isspace((unsigned char)*line) || *line == '"')
		line++;
	n = 0;
	while (*line && *line != '"' && !isspace((unsigned char)*line) && n < 63)
		value[n++] = (char)toupper((unsigned char)*line++);
	value[n] = '\0';
	return n > 0;
}

/* QTY is of collated copies, COPIES of each page: the paper is their product. */
static void copies(struct look *l, const char *value)
{
	unsigned long n = strtoul(value, NULL, 10);
	uint64_t all = (uint64_t)(l->facts->copies ? l->facts->copies : 1) * n;

	if (n >= 1 && n <= 65535 && all <= UINT32_MAX)
		l->facts->copies = (uint32_t)all;
}

static void set(struct look *l, const char *name, const char *value)
{
	struct inspect_facts *f = l->facts;

	if (strcmp(name, "COPIES") == 0 || strcmp(name, "QTY") == 0)
		copies(l, value);
	else if (strcmp(name, "DUPLEX") == 0 && strcmp(value, "OFF") == 0)
		f->duplex = INSPECT_ONE_SIDED;
	else if (strcmp(name, "DUPLEX") == 0 && f->duplex != INSPECT_SHORT_EDGE)
		f->duplex = INSPECT_LONG_EDGE;
	else if (strcmp(name, "BINDING") == 0 && f->duplex != INSPECT_ONE_SIDED)
		f->duplex = strcmp(value, "SHORTEDGE") == 0 ? INSPECT_SHORT_EDGE : INSPECT_LONG_EDGE;
	else if (strcmp(name, "PAPER") == 0)
		look_media(l, SPAN_STR(value));
}

static void line_read(struct look *l, char *line, char language[16])
{
	char name[32], value[64];

	while (isspace((unsigned char)*line))
		line++;
	if (strncasecmp(line, "SET ", 4) == 0) {
		line += 4;
		while (isspace((unsigned char)*line))
			line++;
		if (setting(line, name, value))
			set(l, name, value);
	} else if (strncasecmp(line, "ENTER ", 6) == 0) {
		line += 6;
		while (isspace((unsigned char)*line))
			line++;
		if (setting(line, name, value) && strcmp(name, "LANGUAGE") == 0)
			snprintf(language, 16, "%.15s", value);
	}
}

size_t pjl_read(struct look *l, struct span in, char language[16])
{
	size_t at = 0;

	language[0] = '\0';
	while (span_starts(span_from(in, at), "@PJL", 4) && !language[0]) {
		const uint8_t *p = in.p + at + 4, *end = memchr(p, '\n', in.n - at - 4);
		size_t n = end ? (size_t)(end - p) : in.n - at - 4;
		char line[LINE_MAX_KEPT];

		l->facts->flags |= INSPECT_PJL;
		snprintf(line, sizeof(line), "%.*s", (int)(n < sizeof(line) ? n : sizeof(line) - 1), (const char *)p);
		line_read(l, line, language);
		at += 4 + n + (end ? 1 : 0);
	}
	return at;
}
