/*
 * Filing a proof of disposal (proofs.c). Papers are taken, and nothing else: what would run, or show as a page, where
 * somebody opens it, never gets here. Where collector.conf names a clamd, it scans the file first, and nothing is kept
 * that it has not called clean: what it found, and that it could not be asked, are refusals in the log.
 */
#include "collector/console/look.h"
#include "collector/console/outgoing.h"
#include "collector/console/scan.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <strings.h>
#include <sys/stat.h>

#define BODY_MAX (3u << 20)
#define PART_MAX 200u
#define FILINGS_MAX 4u
#define OPERATION "/api/v1/proofs"

/* A proof on its way; where it is scanned, the request waits. */
struct filing {
	struct held held;
	struct filing *next;
	struct console *c;
	struct scan *scan;
	struct outgoing by;
	char address[ADDRESS_SIZE];
	struct buf bytes;
	struct digest hash;
	char text[3 * PART_MAX + 64]; /* contractor / what / name */
};

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

static int keep(const struct console *c, const struct filing *f)
{
	char path[CONFIG_FILE_MAX], hex[2 * DIGEST_SIZE + 1];
	int r = proofs_path(c, "", path, sizeof(path));

	if (!r && mkdir(path, 0700) && errno != EEXIST)
		r = -errno;
	r = r ? r : proofs_path(c, hex_encode(hex, f->hash.b, DIGEST_SIZE), path, sizeof(path));
	return r ? r : file_replace(path, buf_span(&f->bytes), 0600);
}

static struct told told_of(const struct filing *f, unsigned kind)
{
	return (struct told){.kind = kind,
		.operation = OPERATION,
		.text = f->text,
		.hash = &f->hash,
		.count = f->bytes.n,
		.has_count = true,
		.urgent = true};
}

static void file_it(struct call *x, const struct filing *f)
{
	int r = keep(x->c, f);

	if (r) {
		log_error("%s/proofs: %s", x->c->conf.dir, strerror(-r));
		reply_error(x, 503, "busy", "it cannot be kept now");
	} else if (tell_call(x, told_of(f, KIND_CONSOLE_CHANGE))) {
		reply(x, json_pack("{s:o}", "hash", digest_json(&f->hash)));
	}
}

/* --- where it is scanned --- */

static void filing_free(struct filing *f)
{
	scan_free(f->scan);
	buf_deinit(&f->bytes);
	free(f);
}

static void forget(struct filing *f)
{
	struct filing **at = &f->c->filings;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->c->filings_n--;
}

static void on_gone(struct held *h)
{
	struct filing *f = (struct filing *)((char *)h - offsetof(struct filing, held));

	forget(f);
	filing_free(f);
}

static void refuse(struct call *x, const struct filing *f, enum clamd_verdict verdict, const char *name)
{
	struct told t = told_of(f, KIND_CONSOLE_REFUSED);
	char text[CLAMD_NAME_MAX + 64];

	t.cause = verdict == CLAMD_FOUND ? CAUSE_MALWARE : CAUSE_SCANNER_FAILED;
	t.findings = name;
	if (!tell_call(x, t))
		return;
	snprintf(text, sizeof(text), "it could not be scanned: %s", name);
	if (verdict == CLAMD_FOUND)
		reply_error(x, 400, "malware", name);
	else
		reply_error(x, 503, "scanner", text);
}

static void on_scanned(void *ctx, enum clamd_verdict verdict, const char *name)
{
	struct filing *f = ctx;
	struct console *c = f->c;
	struct ask a = {.owner = c, .server = &c->server, .conn = f->held.conn, .method = ASK_POST, .path = OPERATION};
	struct call x = {.c = c, .a = &a, .account = account_find(&c->accounts, f->by.account.name)};
	const char *over = outgoing_over(c, &f->by, clock_boot_us());

	snprintf(x.address, sizeof(x.address), "%s", f->address);
	f->scan = NULL;
	forget(f);
	a.req = held_release(&f->held);
	if (over)
		reply_error(&x, 403, "role", over);
	else if (verdict == CLAMD_CLEAN)
		file_it(&x, f);
	else
		refuse(&x, f, verdict, name);
	filing_free(f);
}

/* Of the call's own bytes; 0: it waits, and owns *steal. */
static int wait_for_it(struct call *x, struct filing *steal)
{
	struct console *c = x->c;
	struct filing *f = c->filings_n < FILINGS_MAX ? malloc(sizeof(*f)) : NULL;

	if (!f)
		return -ENOMEM;
	*f = *steal;
	f->c = c;
	outgoing_begin(&f->by, x);
	snprintf(f->address, sizeof(f->address), "%s", x->address);
	if (scan_begin(c->server.base, c->conf.clamd_socket, buf_span(&f->bytes), on_scanned, f, &f->scan) ||
		held_begin(x->a, &f->held, on_gone)) {
		scan_free(f->scan);
		free(f);
		return -ENOMEM;
	}
	steal->bytes = (struct buf)BUF_INIT(PROOF_MAX);
	f->next = c->filings;
	c->filings = f;
	c->filings_n++;
	return 0;
}

void proofs_stop(struct console *c)
{
	while (c->filings) {
		struct filing *f = c->filings;
		struct ask a = {.owner = c, .server = &c->server, .conn = f->held.conn};
		struct call x = {.c = c, .a = &a};

		forget(f);
		a.req = held_release(&f->held);
		reply_error(&x, 503, "busy", "the console is stopping");
		filing_free(f);
	}
}

/* --- what is asked --- */

/* Its text and bytes, out of the request. False: it is answered. */
static bool read_filing(struct call *x, const json_t *o, const char *const *names, struct filing *f)
{
	const char *part[3], *content;
	unsigned i;

	for (i = 0; i < 3; i++) {
		part[i] = body_text(x, o, names[i], PART_MAX);
		if (part[i] && !is_plain(part[i])) {
			reply_error(x, 400, "request", "a line of plain text belongs there");
			part[i] = NULL;
		}
		if (!part[i])
			return false;
	}
	content = body_text(x, o, "content", BODY_MAX);
	if (!content)
		return false;
	if (base64_decode(&f->bytes, SPAN_STR(content)) || !f->bytes.n) {
		reply_error(x, 400, "request", "\"content\" is not base64, or larger than 2 MiB");
		return false;
	}
	if (!is_paper(part[2], buf_span(&f->bytes))) {
		reply_error(x, 400, "type",
			"\"content\" is no PDF, PNG, JPEG or TIFF, or \"name\" ends otherwise than it is");
		return false;
	}
	digest_span(&f->hash, buf_span(&f->bytes));
	snprintf(f->text, sizeof(f->text), "%s / %s / %s", part[0], part[1], part[2]);
	return true;
}

void proofs_post(struct call *x)
{
	static const char *const names[] = {"contractor", "what", "name", "content", NULL};
	struct filing f = {.bytes = BUF_INIT(PROOF_MAX)};
	json_t *o = body_object(x, BODY_MAX, names);

	if (o && read_filing(x, o, names, &f)) {
		if (!x->c->conf.clamd_socket[0])
			file_it(x, &f);
		else if (wait_for_it(x, &f))
			reply_error(x, 503, "busy", "too many files are being scanned; come again");
	}
	json_decref(o);
	buf_deinit(&f.bytes);
}
