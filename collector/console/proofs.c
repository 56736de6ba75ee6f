/*
 * Proofs of disposal: what a contractor certifies of media or papers that it destroyed, filed by an administrator. The
 * file is kept by its SHA-256; that it was filed, by whom, of what, is a record in the log with that hash, and from
 * there comes into the handling register.
 */
#include "collector/console/console.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sys/stat.h>

#define PROOF_MAX (2u << 20)
#define BODY_MAX (3u << 20)
#define PART_MAX 200u

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

void proof_get(struct call *x)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(PROOF_MAX);
	struct told t = {.kind = KIND_CONSOLE_EXPORT, .operation = x->a->path, .urgent = true};
	char path[CONFIG_FILE_MAX], again[2 * DIGEST_SIZE + 1];
	struct digest hash, found;
	int r;

	if (*x->a->query) {
		reply_error(x, 400, "filter", "no query belongs there");
		return;
	}
	/* The name of a file is a hash, or nothing. */
	if (strlen(x->id) != 2 * DIGEST_SIZE || hex_decode(x->id, hash.b, DIGEST_SIZE) ||
		path_of(x->c, hex_encode(again, hash.b, DIGEST_SIZE), path, sizeof(path))) {
		reply_error(x, 404, "proof", "no such proof");
		return;
	}
	r = file_read(path, &bytes);
	digest_span(&found, buf_span(&bytes));
	if (r || !digest_eq(&found, &hash)) {
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
