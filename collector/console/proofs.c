/*
 * Proofs of disposal: what a contractor certifies of media or papers that it destroyed, filed by an administrator
 * (proofs_file.c). The file is kept by its SHA-256; that it was filed, by whom, of what, is a record in the log with
 * that hash, and from there comes into the handling register.
 */
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sys/stat.h>

#define LIST_MOST 20000u

int proofs_path(const struct console *c, const char *hex, char *out, size_t size)
{
	return snprintf(out, size, "%s/proofs/%s", c->conf.dir, hex) < (int)size ? 0 : -ENAMETOOLONG;
}

int proofs_read(const struct console *c, const struct digest *hash, struct buf *out)
{
	char path[CONFIG_FILE_MAX], hex[2 * DIGEST_SIZE + 1];
	struct digest found;
	int r = proofs_path(c, hex_encode(hex, hash->b, DIGEST_SIZE), path, sizeof(path));

	r = r ? r : file_read(path, out);
	if (r)
		return r == V_FULL ? V_BAD : r;
	digest_span(&found, buf_span(out));
	return digest_eq(&found, hash) ? 0 : V_BAD;
}

bool proofs_is(const struct record *r)
{
	return record_has(r, F_OPERATION) && span_eq(r->v[F_OPERATION].s, SPAN_STR("/api/v1/proofs"));
}

/* --- what was filed: the records of it, which are in the log --- */

struct listing {
	struct console *c;
	json_t *list;
	uint64_t limit;
};

/* "contractor / what / name", as it was filed: none of the three has that sign in it. */
static json_t *words_of(struct span text, unsigned which)
{
	const uint8_t *p = text.p, *end = text.p + text.n, *cut;

	for (;; which--) {
		cut = memmem(p, (size_t)(end - p), " / ", 3);
		if (!which || !cut)
			return text_json(SPAN(p, (size_t)((cut ? cut : end) - p)));
		p = cut + 3;
	}
}

static int take_filed(void *ctx, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct listing *l = ctx;
	char path[CONFIG_FILE_MAX], hex[2 * DIGEST_SIZE + 1];
	struct span text = record_text(r, F_TEXT), hash = record_text(r, F_HASH);
	struct stat st;

	/* By whom it is, not by what it is called: anybody could write such records. */
	if (!proofs_is(r) || hash.n != DIGEST_SIZE || look_server(l->c, &row->host) != PRODUCER_CONSOLE)
		return 0;
	if (json_array_size(l->list) == l->limit)
		return V_END;
	if (proofs_path(l->c, hex_encode(hex, hash.p, DIGEST_SIZE), path, sizeof(path)))
		return -ENAMETOOLONG;
	return json_array_append_new(
		       l->list, json_pack("{s:s, s:o, s:o, s:o, s:I, s:o, s:o, s:b}", "hash", hex, "contractor",
					words_of(text, 0), "what", words_of(text, 1), "name", words_of(text, 2), "size",
					(json_int_t)(record_number(r, F_COUNT, 0) & INT64_MAX), "by",
					text_json(record_text(r, F_USER)), "time", time_json(r->v[F_TIME].i), "kept",
					!stat(path, &st)))
		       ? -ENOMEM
		       : 0;
}

void proofs_get(struct call *x)
{
	_cleanup_free_ struct search *s = malloc(sizeof(*s));
	struct listing to = {.c = x->c, .list = json_array()};
	struct looking l = {
		.c = x->c, .account = x->account, .search = s, .most = LIST_MOST, .take = take_filed, .ctx = &to};
	struct why why = {""};
	int r;

	if (!s || search_parse(x->a->query, SEARCH_PAGE, clock_wall_us(), s, &why)) {
		reply_error(x, 400, "filter", why.text);
		goto out;
	}
	to.limit = s->limit;
	s->filter.kinds[s->filter.kinds_n++] = KIND_CONSOLE_CHANGE;
	if ((r = store_of(x->c)) || (r = store_refresh(x->c->store)) || (r = look(&l, &why)))
		store_failed(x, r, &why);
	else if (tell_view(x, KIND_CONSOLE_VIEW, x->a->query, 0))
		reply(x, json_pack("{s:O, s:o}", "proofs", to.list, "next", look_next(&l)));
out:
	json_decref(to.list);
}

/* --- one of them --- */

void proof_get(struct call *x)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(PROOF_MAX);
	struct told t = {.kind = KIND_CONSOLE_EXPORT, .operation = x->a->path, .urgent = true};
	struct digest hash;
	int r;

	if (*x->a->query) {
		reply_error(x, 400, "filter", "no query belongs there");
		return;
	}
	/* The name of a file is a hash, or nothing. */
	if (strlen(x->id) != 2 * DIGEST_SIZE || hex_decode(x->id, hash.b, DIGEST_SIZE)) {
		reply_error(x, 404, "proof", "no such proof");
		return;
	}
	r = proofs_read(x->c, &hash, &bytes);
	if (r) {
		reply_error(
			x, r == V_NOT_FOUND ? 404 : 503, "proof", r == V_NOT_FOUND ? "no such proof" : "it is damaged");
		return;
	}
	t.hash = &hash;
	if (!tell_call(x, t))
		return;
	answer_header(x->a->req, "Content-Disposition", "attachment; filename=\"proof\"");
	answer_header(x->a->req, "Cache-Control", "no-store");
	answer_send(x->a->req, 200, "application/octet-stream", buf_span(&bytes));
}
