/*
 * Text of HTML by libxml2's reader for it: blocks as lines, cells with a tab behind them; scripts and styles are none.
 * See container.h. The encoding is found out before (encoding.h): the reader's own way opens converters, which it
 * cannot here.
 */
#include "agent/inspect/container.h"
#include "agent/inspect/encoding.h"
#include <libxml/HTMLparser.h>

struct page {
	struct words words;
	unsigned silent, cells;
};

static bool is_one_of(const char *name, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(name, *list) == 0)
			return true;
	return false;
}

static const char *const silent[] = {"script", "style", "rt", NULL};
static const char *const cells[] = {"td", "th", NULL};
static const char *const blocks[] = {"p", "div", "tr", "br", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "title",
	"dt", "dd", "pre", "section", "article", "option", NULL};

static void start(void *ctx, const xmlChar *name, const xmlChar **attributes)
{
	struct page *p = ctx;
	const char *n = (const char *)name;

	p->silent += is_one_of(n, silent);
	p->cells += is_one_of(n, cells);
	if (strcmp(n, "br") == 0)
		words_puts(&p->words, p->cells ? " " : "\n");
	/* What a form holds. */
	for (; attributes && attributes[0]; attributes += 2)
		if (strcmp((const char *)attributes[0], "value") == 0 && attributes[1]) {
			words_puts(&p->words, " ");
			words_puts(&p->words, (const char *)attributes[1]);
			words_puts(&p->words, " ");
		}
}

static void end(void *ctx, const xmlChar *name)
{
	struct page *p = ctx;
	const char *n = (const char *)name;

	if (is_one_of(n, silent)) {
		p->silent -= p->silent > 0;
	} else if (is_one_of(n, cells)) {
		p->cells -= p->cells > 0;
		words_puts(&p->words, "\t");
	} else if (is_one_of(n, blocks) && strcmp(n, "br") != 0) {
		words_puts(&p->words, p->cells && strcmp(n, "tr") != 0 ? " " : "\n");
	}
}

/* Line ends of the source are blanks. */
static void characters(void *ctx, const xmlChar *s, int n)
{
	struct page *p = ctx;
	int i, from = 0;

	if (p->silent)
		return;
	for (i = 0; i < n; i++)
		if (s[i] == '\n' || s[i] == '\r' || s[i] == '\t') {
			words_put(&p->words, SPAN(s + from, (size_t)(i - from)));
			words_puts(&p->words, " ");
			from = i + 1;
		}
	words_put(&p->words, SPAN(s + from, (size_t)(n - from)));
}

void look_html(struct look *l, struct span doc)
{
	htmlSAXHandler sax = {.startElement = start, .endElement = end, .characters = characters, .cdataBlock = NULL};
	_cleanup_buf_ struct buf utf8 = BUF_INIT(WORDS_MAX);
	struct page p = {.words = WORDS_INIT};
	htmlParserCtxtPtr h;

	look_gap(l, INSPECT_ABOUT_PAGES, INSPECT_NOT_SAID, "html");
	if (!l->text || !look_utf8(l, doc, &utf8))
		return;
	h = htmlCreatePushParserCtxt(&sax, &p, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
	if (!h) {
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "html");
		return;
	}
	htmlCtxtUseOptions(h, HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET | HTML_PARSE_RECOVER |
				      HTML_PARSE_IGNORE_ENC);
	htmlParseChunk(h, (const char *)utf8.p, (int)utf8.n, 1);
	xmlFreeDoc(h->myDoc);
	htmlFreeParserCtxt(h);
	words_end(l, &p.words);
}
