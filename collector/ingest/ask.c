/*
 * See ask.h. Called by the routes. Must never trust a length, a type or a number: anybody may connect and ask.
 */
#include "collector/ingest/ask.h"
#include "policy/base/text.h"
#include <ctype.h>

#define DER_MAX 512u
#define PROOF_MAX 128u

static int get_str(const json_t *o, const char *name, const char **out, struct why *why)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v))
		return why_set(why, V_BAD, "\"%s\" is no string", name);
	*out = json_string_value(v);
	return 0;
}

static int get_span(const json_t *o, const char *name, struct span *out, struct why *why)
{
	const char *s = "";
	int r = get_str(o, name, &s, why);

	if (!r)
		*out = SPAN_STR(s);
	return r;
}

static int get_base64(const json_t *o, const char *name, struct buf *out, struct why *why)
{
	struct span s;
	int r = get_span(o, name, &s, why);

	r = r ? r : base64_decode(out, s);
	return r == V_BAD || r == V_FULL ? why_set(why, V_BAD, "\"%s\" is no base64, or too long", name) : r;
}

int ask_enrol_parse(struct span body, struct ask_enrol *out, struct why *why)
{
	struct ask_enrol a = {.device_key = BUF_INIT(DER_MAX), .proof = BUF_INIT(PROOF_MAX)};
	int r = ask_object(body, &a.json, why);

	r = r ? r : get_str(a.json, "token", &a.token, why);
	r = r ? r : get_str(a.json, "name", &a.name, why);
	r = r ? r : get_span(a.json, "csr", &a.csr, why);
	r = r ? r : get_base64(a.json, "device_key", &a.device_key, why);
	r = r ? r : get_base64(a.json, "proof", &a.proof, why);
	if (r)
		ask_enrol_deinit(&a);
	else
		*out = a;
	return r;
}

void ask_enrol_deinit(struct ask_enrol *a)
{
	json_decref(a->json);
	buf_deinit(&a->device_key);
	buf_deinit(&a->proof);
}

int ask_renew_parse(struct span body, struct ask_renew *out, struct why *why)
{
	struct ask_renew a = {.proof = BUF_INIT(PROOF_MAX)};
	int r = ask_object(body, &a.json, why);

	r = r ? r : get_span(a.json, "certificate", &a.certificate, why);
	r = r ? r : get_span(a.json, "csr", &a.csr, why);
	r = r ? r : get_base64(a.json, "proof", &a.proof, why);
	if (r)
		ask_renew_deinit(&a);
	else
		*out = a;
	return r;
}

void ask_renew_deinit(struct ask_renew *a)
{
	json_decref(a->json);
	buf_deinit(&a->proof);
}

/* One line, with or without its end. */
static bool one_line(struct span s, bool ended)
{
	const uint8_t *nl = s.n ? memchr(s.p, '\n', s.n) : NULL;

	return ended ? nl && nl == s.p + s.n - 1 : s.n && !nl;
}

int ask_cosign_parse(struct span body, struct ask_cosign *out, struct why *why)
{
	struct ask_cosign a = {.json = NULL};
	int r = ask_object(body, &a.json, why);

	r = r ? r : get_span(a.json, "witness", &a.witness, why);
	r = r ? r : get_span(a.json, "cosignature", &a.cosignature, why);
	if (!r && (!one_line(a.witness, false) || !one_line(a.cosignature, true)))
		r = why_set(why, V_BAD, "\"witness\" and \"cosignature\" are a line each");
	if (r)
		ask_cosign_deinit(&a);
	else
		*out = a;
	return r;
}

void ask_cosign_deinit(struct ask_cosign *a)
{
	json_decref(a->json);
}

static const char *digits(const char *p, size_t min, size_t max)
{
	size_t n = 0;

	while (isdigit((unsigned char)p[n]))
		n++;
	return n < min || n > max ? NULL : p + n;
}

bool ask_tile(const char *path)
{
	static const char head[] = "/tile/", entries[] = "entries/", partial[] = ".p/";
	const char *p = path;
	unsigned groups = 0;

	if (strncmp(p, head, sizeof(head) - 1) != 0)
		return false;
	p += sizeof(head) - 1;
	if (!strncmp(p, entries, sizeof(entries) - 1)) {
		p += sizeof(entries) - 1;
	} else {
		p = digits(p, 1, 2);
		if (!p || *p++ != '/')
			return false;
	}
	while (*p == 'x') {
		p = digits(p + 1, 3, 3);
		if (!p || *p++ != '/' || ++groups > 6)
			return false;
	}
	p = digits(p, 3, 3);
	if (p && !strncmp(p, partial, sizeof(partial) - 1))
		p = digits(p + sizeof(partial) - 1, 1, 3);
	return p && !*p;
}
