/*
 * See session.h. An id leaves this file once, into the cookie; what is kept here could not be sent as one.
 */
#include "collector/console/session.h"
#include "policy/base/text.h"
#include <errno.h>

static int random_text(char out[SESSION_TEXT_SIZE])
{
	uint8_t b[SESSION_ID_SIZE];
	int r = random_bytes(b, sizeof(b));

	if (!r)
		hex_encode(out, b, sizeof(b));
	secret_wipe(b, sizeof(b));
	return r;
}

bool session_over(const struct sessions *s, const struct session *x, int64_t now_us)
{
	return now_us - x->seen_us > (int64_t)s->idle_us || now_us - x->created_us > (int64_t)s->life_us;
}

/* A free place: where the account has too many, its oldest one's. */
static struct session *place(struct sessions *s, const char *account, int64_t now_us)
{
	struct session *own = NULL, *empty = NULL;
	unsigned n = 0, i;

	for (i = 0; i < SESSIONS_MAX; i++) {
		struct session *x = &s->v[i];

		if (!x->used || session_over(s, x, now_us)) {
			empty = empty ? empty : x;
			continue;
		}
		if (strcmp(x->account, account) != 0)
			continue;
		n++;
		if (!own || x->created_us < own->created_us)
			own = x;
	}
	return n >= SESSIONS_EACH || !empty ? own : empty;
}

int session_new(struct sessions *s, const char *account, const char *address, int64_t now_us, int64_t wall_us,
	char cookie[SESSION_TEXT_SIZE], struct session **out)
{
	struct session *x = place(s, account, now_us);
	struct session got = {.used = true, .created_us = now_us, .seen_us = now_us, .created_wall_us = wall_us};
	int r;

	if (!x)
		return V_FULL;
	r = random_text(cookie);
	r = r ? r : random_text(got.csrf);
	if (r)
		return r;
	digest_span(&got.id, SPAN_STR(cookie));
	snprintf(got.account, sizeof(got.account), "%s", account);
	snprintf(got.address, sizeof(got.address), "%s", address);
	*x = got;
	*out = x;
	return 0;
}

struct session *session_by_id(struct sessions *s, const struct digest *id)
{
	unsigned i;

	for (i = 0; i < SESSIONS_MAX; i++)
		if (s->v[i].used && digest_eq(&s->v[i].id, id))
			return &s->v[i];
	return NULL;
}

struct session *session_find(struct sessions *s, const char *cookie, int64_t now_us)
{
	struct session *x;
	struct digest id;

	/* Comparing hashes tells nothing of the ids, however long it takes. */
	digest_span(&id, SPAN_STR(cookie));
	x = session_by_id(s, &id);
	return x && !session_over(s, x, now_us) ? x : NULL;
}

void session_end(struct session *x)
{
	secret_wipe(x, sizeof(*x));
	x->used = false;
}

struct session *session_next(struct sessions *s, const char *account, int64_t now_us, unsigned *at)
{
	while (*at < SESSIONS_MAX) {
		struct session *x = &s->v[(*at)++];

		if (x->used && !session_over(s, x, now_us) && !strcmp(x->account, account))
			return x;
	}
	return NULL;
}

void session_ref(const struct session *x, char out[SESSION_REF_SIZE])
{
	hex_encode(out, x->id.b, SESSION_REF_SIZE / 2);
}

void session_end_all(struct sessions *s, const char *account, const struct session *but)
{
	unsigned i;

	for (i = 0; i < SESSIONS_MAX; i++)
		if (s->v[i].used && &s->v[i] != but && !strcmp(s->v[i].account, account))
			session_end(&s->v[i]);
}

int cookie_hex(const char *header, const char *name, size_t size, char *out)
{
	const char *p = header, *value = NULL;
	size_t n = 0, named = strlen(name);

	while (*p) {
		size_t len;

		p += strspn(p, " \t");
		len = strcspn(p, ";");
		if (len > named && !strncmp(p, name, named) && p[named] == '=') {
			if (value)
				return V_BAD;
			value = p + named + 1;
			n = len - named - 1;
		}
		p += len + (p[len] == ';');
	}
	if (!value)
		return V_NOT_FOUND;
	if (n != size - 1 || strspn(value, "0123456789abcdef") < n)
		return V_BAD;
	memcpy(out, value, n);
	out[n] = 0;
	return 0;
}

int session_cookie(const char *header, char out[SESSION_TEXT_SIZE])
{
	return cookie_hex(header, SESSION_COOKIE, SESSION_TEXT_SIZE, out);
}
