/*
 * Proofs of disposal: what a contractor certifies of media or papers that it destroyed, filed by an administrator. The
 * file is kept by its SHA-256; that it was filed, by whom, of what, is a record in the log with that hash, and from
 * there comes into the handling register.
 *
 * Papers are taken, and nothing else: what would run, or show as a page, where somebody opens it, never gets here.
 */
#include "collector/console/look.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

#define BODY_MAX (3u << 20)
#define PART_MAX 200u
#define LIST_MOST 20000u

static int path_of(const struct console *c, const char *hex, char *out, size_t size)
{
	return snprintf(out, size, "%s/proofs/%s", c->conf.dir, hex) < (int)size ? 0 : -ENAMETOOLONG;
}

/* One line, without what turns or hides text. */
static bool is_plain(const char *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4 * PART_MAX + 16);

	return !text_escape(&b, SPAN_STR(s)) && span_eq(buf_span(&b), SPAN_STR(s)) && !strstr(s, " / ");
}

/* What a scanner or a printer makes: how each begins (ISO 32000-2, 7.5.2; PNG, 5.2; T.81, B.1.1.3; TIFF 6.0, section
 * 2), and what its name may end in. */
static bool is_paper(const char *name, struct span bytes)
{
	static const struct {
		struct span begins;
		const char *ending;
	} papers[] = {
		{SPAN("%PDF-", 5), ".pdf"},
		{SPAN("\x89PNG\r\n\x1a\n", 8), ".png"},
		{SPAN("\xff\xd8\xff", 3), ".jpg"},
		{SPAN("\xff\xd8\xff", 3), ".jpeg"},
		{SPAN("II*\0", 4), ".tif"},
		{SPAN("II*\0", 4), ".tiff"},
		{SPAN("MM\0*", 4), ".tif"},
		{SPAN("MM\0*", 4), ".tiff"},
	};
	const char *ending = strrchr(name, '.');
	unsigned i;

	for (i = 0; ending && i < ARRAY_SIZE(papers); i++)
		if (!strcasecmp(ending, papers[i].ending) && bytes.n >= papers[i].begins.n &&
			!memcmp(bytes.p, papers[i].begins.p, papers[i].begins.n))
			return true;
	return false;
}

static int keep(struct call *x, const struct buf *bytes, const char *hex)
{
	char path[CONFIG_FILE_MAX];
	int r = path_of(x->c, "", path, sizeof(path));

	if (!r && mkdir(path, 0700) && errno != EEXIST)
		r = -errno;
	r = r ? r : path_of(x->c, hex, path, sizeof(path));
	return r ? r : file_replace(path, buf_span(bytes), 0600);
}

void proofs_post(struct call *x)
{
	static const char *const names[] = {"contractor", "what", "name", "content", NULL};
	_cleanup_buf_ struct buf bytes = BUF_INIT(PROOF_MAX);
	struct told t = {.kind = KIND_CONSOLE_CHANGE, .operation = x->a->path, .urgent = true, .has_count = true};
	char text[3 * PART_MAX + 64], hex[2 * DIGEST_SIZE + 1];
	const char *part[3], *content;
	struct digest hash;
	json_t *o = body_object(x, BODY_MAX, names);
	unsigned i;
	int r;

	if (!o)
		return;
	for (i = 0; i < 3; i++) {
		part[i] = body_text(x, o, names[i], PART_MAX);
		if (part[i] && !is_plain(part[i])) {
			reply_error(x, 400, "request", "a line of plain text belongs there");
			part[i] = NULL;
		}
		if (!part[i])
			goto out;
	}
	content = body_text(x, o, "content", BODY_MAX);
	if (!content)
		goto out;
	r = base64_decode(&bytes, SPAN_STR(content));
	if (r || !bytes.n) {
		reply_error(x, 400, "request", "\"content\" is not base64, or larger than 2 MiB");
		goto out;
	}
	if (!is_paper(part[2], buf_span(&bytes))) {
		reply_error(x, 400, "type",
			"\"content\" is no PDF, PNG, JPEG or TIFF, or \"name\" ends otherwise than it is");
		goto out;
	}
	digest_span(&hash, buf_span(&bytes));
	hex_encode(hex, hash.b, DIGEST_SIZE);
	snprintf(text, sizeof(text), "%s / %s / %s", part[0], part[1], part[2]);
	t.text = text;
	t.hash = &hash;
	t.count = bytes.n;
	r = keep(x, &bytes, hex);
	if (r) {
		log_error("%s/proofs: %s", x->c->conf.dir, strerror(-r));
		reply_error(x, 503, "busy", "it cannot be kept now");
	} else if (tell_call(x, t)) {
		reply(x, json_pack("{s:o}", "hash", digest_json(&hash)));
	}
out:
	json_decref(o);
}

int proofs_read(const struct console *c, const struct digest *hash, struct buf *out)
{
	char path[CONFIG_FILE_MAX], hex[2 * DIGEST_SIZE + 1];
	struct digest found;
	int r = path_of(c, hex_encode(hex, hash->b, DIGEST_SIZE), path, sizeof(path));

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
	if (path_of(l->c, hex_encode(hex, hash.p, DIGEST_SIZE), path, sizeof(path)))
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
