/*
 * XML by libxml2's SAX interface: nothing is fetched, no tree is built, entities that grow are its own bound's. See
 * container.h.
 */
#include "agent/inspect/container.h"
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

static void start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int namespaces,
	const xmlChar **ns, int n, int defaulted, const xmlChar **list)
{
	const struct xml_reader *to = ctx;
	struct xml_attributes a = {list, n};

	(void)prefix, (void)uri, (void)namespaces, (void)ns, (void)defaulted;
	to->start(to->ctx, (const char *)name, &a);
}

static void end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	const struct xml_reader *to = ctx;

	(void)prefix, (void)uri;
	to->end(to->ctx, (const char *)name);
}

static void characters(void *ctx, const xmlChar *s, int n)
{
	const struct xml_reader *to = ctx;

	to->text(to->ctx, SPAN(s, (size_t)n));
}

bool xml_value(const struct xml_attributes *a, const char *name, char *out, size_t size)
{
	int i;

	for (i = 0; i < a->n; i++) {
		const unsigned char *const *at = a->list + (size_t)i * 5;

		if (strcmp((const char *)at[0], name) == 0) {
			size_t n = (size_t)(at[4] - at[3]);

			n = n < size ? n : size - 1;
			memcpy(out, at[3], n);
			out[n] = '\0';
			return true;
		}
	}
	return false;
}

int xml_read(struct span doc, const struct xml_reader *to)
{
	xmlSAXHandler sax = {.initialized = XML_SAX2_MAGIC,
		.startElementNs = start,
		.endElementNs = end,
		.characters = characters,
		.cdataBlock = characters,
		.ignorableWhitespace = characters};
	xmlParserCtxtPtr p;
	int r;

	if (doc.n > INT32_MAX)
		return V_BAD;
	p = xmlCreatePushParserCtxt(&sax, (void *)(uintptr_t)to, NULL, 0, NULL);
	if (!p)
		return V_BAD;
	xmlCtxtUseOptions(p, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_RECOVER);
	r = xmlParseChunk(p, (const char *)doc.p, (int)doc.n, 1);
	xmlFreeDoc(p->myDoc);
	xmlFreeParserCtxt(p);
	return r ? V_BAD : 0;
}
