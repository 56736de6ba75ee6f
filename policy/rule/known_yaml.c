/*
 * The section `documents:` of policy.yaml, read. `sekishoctl policy fingerprint` writes it. See known.h.
 */
#include "policy/base/text.h"
#include "policy/rule/known_parts.h"
#include "policy/rule/reading.h"
#include <ctype.h>
#include <errno.h>

/* Base64 over several lines, as it stands in a file that people read. */
static int take_bytes(struct reading *r, const yaml_node_t *n, const char *key, struct buf *out)
{
	const char *s = reading_text_of(r, n, key);
	_cleanup_buf_ struct buf bare = BUF_INIT(2 * KNOWN_PRINTS_MAX * KNOWN_PRINT_SIZE);
	int v = 0;

	if (!s)
		return V_BAD;
	for (; *s && !v; s++)
		v = isspace((unsigned char)*s) ? 0 : buf_put(&bare, s, 1);
	v = v ? v : base64_decode(out, buf_span(&bare));
	if (v == V_FULL)
		return reading_bad(r, n, key, SAID("too long", "長すぎます"));
	return v == V_BAD ? reading_bad(r, n, key, SAID("is no base64", "base64 ではありません")) : v;
}

static int take_key(struct reading *r, const yaml_node_t *n, const char *key, struct known_policy *p)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(KNOWN_KEY_SIZE + 3);
	int v = take_bytes(r, n, key, &bytes);

	if (v)
		return v;
	if (bytes.n != KNOWN_KEY_SIZE)
		return reading_bad(r, n, key, SAID("is not 16 bytes in base64", "16 バイトの base64 ではありません"));
	memcpy(p->key, bytes.p, KNOWN_KEY_SIZE);
	p->has_key = true;
	return 0;
}

static int take_prints(struct reading *r, const yaml_node_t *n, const char *key, struct known_document *d)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(KNOWN_PRINTS_MAX * KNOWN_PRINT_SIZE + 3);
	int v = take_bytes(r, n, key, &bytes);

	if (v)
		return v;
	if (bytes.n % KNOWN_PRINT_SIZE || bytes.n < KNOWN_PRINTS_MIN * KNOWN_PRINT_SIZE ||
		bytes.n > KNOWN_PRINTS_MAX * KNOWN_PRINT_SIZE)
		return reading_bad(
			r, n, key, SAID("is no list of fingerprints", "フィンガープリントの列ではありません"));
	d->prints = SPAN(policy_keep_text(r->p, buf_span(&bytes)), bytes.n);
	return d->prints.p ? 0 : -ENOMEM;
}

/* What stands in a record beside other names must be told from them. */
static int take_name(struct reading *r, const yaml_node_t *n, const char *key, const char **out)
{
	char name[POLICY_NAME_SIZE];
	const char *s;
	int v = reading_name(r, n, key, name);

	for (s = name; !v && *s; s++)
		if ((unsigned char)*s < ' ' || *s == ';' || *s == '=')
			v = reading_bad(r, n, key,
				SAID("; and = and line ends cannot be in it", "「;」「=」と改行は使えません"));
	*out = v ? NULL : policy_keep_text(r->p, SPAN_STR(name));
	return v ? v : *out ? 0 : -ENOMEM;
}

static int take_document_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct known_document *d = ctx;
	uint64_t share = 0;
	const char *s;
	int v;

	if (!strcmp(key, "name"))
		return take_name(r, n, key, &d->name);
	if (!strcmp(key, "share")) {
		v = reading_number(r, n, key, 1, 100, &share);
		d->share = (unsigned)share;
		return v;
	}
	if (!strcmp(key, "prints"))
		return take_prints(r, n, key, d);
	if (strcmp(key, "sha256") != 0)
		return V_NOT_FOUND;
	s = reading_text_of(r, n, key);
	if (!s)
		return V_BAD;
	d->has_hash = !hex_decode(s, d->hash.b, DIGEST_SIZE);
	return d->has_hash ? 0 : reading_bad_value(r, n, key, s, SAID("SHA-256 in hexadecimal", "16 進の SHA-256"));
}

static int take_document(struct reading *r, const yaml_node_t *n)
{
	struct known_policy *p = r->p->known;
	struct known_document *d;
	unsigned i;
	int v;

	if (p->n == KNOWN_MAX)
		return reading_bad(r, n, "documents: known", SAID("too many", "多すぎます"));
	d = &p->document[p->n];
	*d = (struct known_document){.line = (unsigned)n->start_mark.line + 1, .share = KNOWN_SHARE};
	v = reading_pairs(r, n, "documents: known", take_document_key, d);
	if (v)
		return v;
	if (!d->name || (!d->has_hash && !d->prints.n))
		return reading_bad(r, n, "documents: known",
			SAID("a document needs a name, and sha256 or prints",
				"文書には name と、sha256 か prints が必要です"));
	for (i = 0; i < p->n; i++)
		if (!strcmp(p->document[i].name, d->name))
			return reading_bad(
				r, n, "name", SAID("another document has this name", "同じ名前の文書があります"));
	p->n++;
	return 0;
}

static int take_section_key(struct reading *r, void *ctx, const char *key, const yaml_node_t *n)
{
	struct known_policy *p = ctx;

	if (!strcmp(key, "key"))
		return take_key(r, n, key, p);
	if (!strcmp(key, "known"))
		return reading_nodes(r, n, key, take_document);
	return V_NOT_FOUND;
}

int policy_read_known(struct reading *r, const void *section)
{
	struct known_policy *p = policy_keep(r->p, sizeof(*p));
	int v;

	if (!p)
		return -ENOMEM;
	r->p->known = p;
	v = reading_pairs(r, section, "documents", take_section_key, p);
	if (!v && p->n && !p->has_key)
		v = reading_bad(r, section, "documents", SAID("key is missing", "key がありません"));
	return v;
}
