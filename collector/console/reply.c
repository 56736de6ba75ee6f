/*
 * Answers and bodies, as all operations make and read them.
 */
#include "collector/console/console.h"
#include "policy/base/text.h"
#include <errno.h>

static void counted(struct console *c, int status)
{
	c->count.statuses[status / 100 < 6 ? status / 100 : 0]++;
}

void reply(struct call *x, json_t *steal)
{
	answer_header(x->a->req, "Cache-Control", "no-store");
	counted(x->c, steal ? 200 : 503);
	answer_json(x->a->req, 200, steal);
}

void reply_none(struct call *x)
{
	counted(x->c, 204);
	answer_header(x->a->req, "Cache-Control", "no-store");
	answer_send(x->a->req, 204, "", SPAN("", 0));
}

void reply_error(struct call *x, int status, const char *word, const char *reason)
{
	counted(x->c, status);
	answer_header(x->a->req, "Cache-Control", "no-store");
	answer_error(x->a->req, status, word, reason, status == 503 ? 5 : 0);
}

void reply_oauth(struct call *x, int status, const char *word, const char *description)
{
	counted(x->c, status);
	answer_header(x->a->req, "Cache-Control", "no-store");
	answer_json(x->a->req, status, json_pack("{s:s, s:s}", "error", word, "error_description", description));
}

json_t *time_json(int64_t wall_us)
{
	char text[TEXT_TIME_SIZE];

	return wall_us > 0 ? json_string(text_time_utc(text, wall_us)) : json_null();
}

json_t *name_json(struct span s)
{
	_cleanup_free_ char *hex = NULL;
	json_t *o;

	if (!s.n)
		return json_string("");
	if (text_is_utf8(s) && !memchr(s.p, 0, s.n))
		return json_stringn((const char *)s.p, s.n);
	hex = malloc(2 * s.n + 1);
	if (!hex)
		return NULL;
	o = json_pack("{s:s}", "hex", hex_encode(hex, s.p, s.n));
	return o;
}

const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

json_t *text_json(struct span s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4 * s.n + 16);

	if (!s.n)
		return json_string("");
	if (text_is_utf8(s) && !memchr(s.p, 0, s.n))
		return json_stringn((const char *)s.p, s.n);
	return text_escape(&b, s) ? NULL : json_stringn((const char *)b.p, b.n);
}

json_t *base64_json(struct span s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(2 * s.n + 8);

	return base64_encode(&b, s) ? NULL : json_stringn((const char *)b.p, b.n);
}

json_t *digest_json(const struct digest *d)
{
	char hex[2 * DIGEST_SIZE + 1];

	return json_string(hex_encode(hex, d->b, DIGEST_SIZE));
}

json_t *record_to_json(const struct store_row *row)
{
	_cleanup_buf_ struct buf text = BUF_INIT(8u << 20);
	char number[24];
	json_t *facts;

	if (record_json_web(&row->record, &text))
		return NULL;
	/* NUL can stand in a name of a hostile producer: then it is \u0000 here. */
	facts = json_loadb((const char *)text.p, text.n, JSON_ALLOW_NUL, NULL);
	if (!facts)
		return NULL;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)row->row);
	return json_pack("{s:s, s:o, s:o, s:o}", "row", number, "host",
		text_json(SPAN_STR(row->host_name ? row->host_name : "")), "host_id", digest_json(&row->host), "facts",
		facts);
}

json_t *body_object(struct call *x, size_t max, const char *const *names)
{
	const char *type = ask_header(x->a, "Content-Type"), *key;
	struct why why = {""};
	json_t *o = NULL, *v;
	size_t i;

	if (!type || strncasecmp(type, "application/json", 16) != 0 || (type[16] && type[16] != ';')) {
		reply_error(x, 400, "request", "the body has to be application/json");
		return NULL;
	}
	if (ask_object_of(x->a->body, max, &o, &why)) {
		reply_error(x, 400, "request", why.text);
		return NULL;
	}
	json_object_foreach(o, key, v)
	{
		for (i = 0; names[i] && strcmp(names[i], key) != 0; i++)
			;
		if (!names[i]) {
			json_decref(o);
			reply_error(x, 400, "request", "the body holds something that does not belong there");
			return NULL;
		}
	}
	return o;
}

const char *body_text(struct call *x, const json_t *o, const char *name, size_t max)
{
	const json_t *v = json_object_get(o, name);
	const char *s = json_string_value(v);
	char text[100];

	if (s && json_string_length(v) && json_string_length(v) <= max && strlen(s) == json_string_length(v))
		return s;
	snprintf(text, sizeof(text), "\"%s\" is missing, empty or too long", name);
	reply_error(x, 400, "request", text);
	return NULL;
}
