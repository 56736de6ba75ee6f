/*
 * `quarantine`: files that a policy made unreadable on a drive (policy/wire/sealed.h). `request` at the PC prints what
 * an opener needs of such a file; `order`, with an opener's and an administrator's key, makes the release; `release`
 * brings it to the guard of the PC where the drive is. None of them needs the network. Without a guard, `evidence open`
 * opens the file itself.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/guard_door.h"
#include "policy/ctl/policy_files.h"
#include "policy/wire/sealed.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

#define LINE 76 /* letters of base64, as mail has them */
#define TEXT_MAX (2u * SEALED_CAPSULE_MAX)
#define VALID_DEFAULT_DAYS 7
#define VALID_MAX_DAYS 31
#define DAY_US INT64_C(86400000000)

/* --- base64 in lines --- */

static int put_lines(struct buf *out, struct span bytes)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MAX);
	int r = base64_encode(&text, bytes);
	size_t at;

	for (at = 0; !r && at < text.n; at += LINE) {
		r = buf_put(out, text.p + at, text.n - at < LINE ? text.n - at : LINE);
		r = r ? r : buf_put(out, "\n", 1);
	}
	return r;
}

/* 0; V_BAD where it is none. */
static int take_lines(struct span text, struct buf *out)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(TEXT_MAX);
	size_t i;
	int r = 0;

	for (i = 0; !r && i < text.n; i++)
		if (!strchr(" \t\r\n", text.p[i]) || !text.p[i])
			r = buf_put(&plain, text.p + i, 1);
	return r ? r : base64_decode(out, buf_span(&plain));
}

/* --- what is read --- */

/* The end of a sealed file, or the whole of a request: no more than that of a file of gigabytes. */
static int read_end(const char *path, struct buf *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	uint8_t bytes[TEXT_MAX];
	size_t want;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return V_BAD;
	want = st.st_size < (off_t)sizeof(bytes) ? (size_t)st.st_size : sizeof(bytes);
	n = pread(fd, bytes, want, st.st_size - (off_t)want);
	return n < 0 ? -errno : buf_put(out, bytes, (size_t)n);
}

/* The capsule of a sealed file, or of a request. EXIT_*. */
static int read_capsule(struct ctl *c, const char *path, bool sealed_only, struct buf *capsule)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(TEXT_MAX);
	struct span envelope, got;
	struct why why = {""};
	char a[SHOWN_MAX];
	int r = read_end(path, &bytes);

	if (r == V_BAD)
		why_set(&why, r, "%s", SAY(c, "no regular file", "通常のファイルではありません"));
	if (r)
		return complain_of(c, shown(a, path), r, &why);
	r = sealed_tail_find(buf_span(&bytes), &envelope, &got, &why);
	if (!r)
		r = buf_put_span(capsule, got);
	else if (!sealed_only && !take_lines(buf_span(&bytes), capsule) && capsule->n)
		r = 0;
	else
		why_set(&why, r, "%s",
			sealed_only
				? SAY(c, "no quarantined file", "隔離されたファイルではありません")
				: SAY(c, "neither a quarantined file nor a request (sekishoctl quarantine request)",
					  "隔離されたファイルでも要求でもありません(sekishoctl quarantine request)"));
	return r ? complain_of(c, shown(a, path), r, &why) : EXIT_GOOD;
}

/* --- request --- */

int command_quarantine_request(struct ctl *c)
{
	_cleanup_buf_ struct buf capsule = BUF_INIT(SEALED_CAPSULE_MAX), text = BUF_INIT(TEXT_MAX);
	int r = read_capsule(c, c->operands[0], true, &capsule);

	if (r)
		return r;
	if (put_lines(&text, buf_span(&capsule)) || fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout))
		return EXIT_MACHINE;
	return EXIT_GOOD;
}

/* --- order --- */

static int read_secret(struct ctl *c, struct span capsule, struct sealed_secret *out)
{
	_cleanup_buf_ struct buf k = BUF_INIT(EVIDENCE_KEY_MAX), cert = BUF_INIT(EVIDENCE_KEY_MAX);
	struct why why = {""};
	char a[SHOWN_MAX];
	int r = evidence_key(c,
		SAY(c, "--key FILE is missing: an opener's private key",
			"--key ファイル を指定してください(開封者の秘密鍵)"),
		&k, &cert);

	if (r)
		return r;
	r = sealed_secret_open(capsule, buf_span(&k), buf_span(&cert), out, &why);
	secret_wipe(k.p, k.n);
	return r ? complain_of(c, shown(a, c->operands[0]), r, &why) : EXIT_GOOD;
}

static int read_terms(struct ctl *c, struct sealed_order *o)
{
	const char *reason = option_value(c, OPT_REASON), *valid = option_value(c, OPT_VALID);
	long long days = VALID_DEFAULT_DAYS;
	char *end;

	if (!reason || !*reason || strlen(reason) > SEALED_REASON_MAX)
		return complain(EXIT_USAGE,
			SAY(c, "--reason TEXT is missing, or longer than %u bytes",
				"--reason 理由 を指定してください(%u バイト以内)"),
			SEALED_REASON_MAX);
	snprintf(o->reason, sizeof(o->reason), "%s", reason);
	if (valid) {
		days = strtoll(valid, &end, 10);
		if (days < 1 || days > VALID_MAX_DAYS || strcmp(end, "d") != 0)
			return complain(
				EXIT_USAGE, SAY(c, "--valid: 1d to 31d", "--valid: 1d から 31d で指定してください"));
	}
	o->issued_us = clock_wall_us();
	o->not_after_us = o->issued_us + days * DAY_US;
	return EXIT_GOOD;
}

static int say_order(struct ctl *c, const struct sealed_order *o)
{
	char hex[2 * DIGEST_SIZE + 1], made[TEXT_TIME_SIZE], until[TEXT_TIME_SIZE];

	hex_encode(hex, o->secret.hash.b, DIGEST_SIZE);
	if (option_on(c, OPT_JSON)) {
		_cleanup_json_ json_t *v = json_pack("{s:s, s:I, s:s, s:s}", "hash", hex, "size",
			(json_int_t)o->secret.bytes, "sealed", text_time_utc(made, o->secret.sealed_us), "valid_until",
			text_time_utc(until, o->not_after_us));

		return say_json(v);
	}
	printf(SAY(c, "releases the file with the SHA-256 %s (%" PRIu64 " bytes, quarantined %s) until %s\n",
		       "SHA-256 が %s のファイル(%" PRIu64 " バイト、隔離 %s)の解除を許可します。期限 %s\n"),
		hex, o->secret.bytes, text_time_local(made, o->secret.sealed_us),
		text_time_local(until, o->not_after_us));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_quarantine_order(struct ctl *c)
{
	_cleanup_buf_ struct buf capsule = BUF_INIT(SEALED_CAPSULE_MAX), bytes = BUF_INIT(SEALED_ORDER_MAX),
				 text = BUF_INIT(TEXT_MAX);
	_cleanup_(key_freep) struct key *admin = NULL;
	const char *path = option_value(c, OPT_ADMIN_KEY), *out = option_value(c, OPT_OUT);
	struct sealed_order o = {.signer = ""};
	struct why why = {""};
	char a[SHOWN_MAX];
	int r = read_terms(c, &o);

	if (!r && !path)
		return complain(
			EXIT_USAGE, SAY(c, "--admin-key FILE is missing: an administrator's key, which signs policies",
					    "--admin-key ファイル を指定してください(ポリシーに署名する管理者の鍵)"));
	if (!r && !out)
		return complain(EXIT_USAGE, SAY(c, "--out FILE is missing", "--out ファイル を指定してください"));
	r = r ? r : read_capsule(c, c->operands[0], false, &capsule);
	r = r ? r : read_secret(c, buf_span(&capsule), &o.secret);
	if (r)
		return r;
	r = signing_key_at(c, path, KEY_ED25519, &admin);
	if (r)
		return r;
	r = sealed_order_sign(admin, &o, &bytes, &why);
	if (r)
		return complain_of(c, SAY(c, "order", "指示書"), r, &why);
	r = put_lines(&text, buf_span(&bytes));
	r = r ? r : file_replace(out, buf_span(&text), 0600);
	if (r)
		return complain_of(c, shown(a, out), r, NULL);
	r = say_order(c, &o);
	secret_wipe(&o, sizeof(o));
	return r;
}

/* --- release --- */

int command_quarantine_release(struct ctl *c)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MAX), order = BUF_INIT(SEALED_ORDER_MAX),
				 one = BUF_INIT(TEXT_MAX);
	_cleanup_json_ json_t *ask = NULL, *answer = NULL;
	struct why why = {""};
	char real[PATH_MAX], a[SHOWN_MAX];
	int r = file_read(c->operands[1], &text);

	if (!r && (take_lines(buf_span(&text), &order) || !order.n))
		r = why_set(&why, V_BAD, "%s",
			SAY(c, "no order (sekishoctl quarantine order)",
				"指示書ではありません(sekishoctl quarantine order)"));
	if (r)
		return complain_of(c, shown(a, c->operands[1]), r, &why);
	if (!realpath(c->operands[0], real))
		return complain_of(c, shown(a, c->operands[0]), errno == ENOENT ? V_NOT_FOUND : -errno, NULL);
	if (base64_encode(&one, buf_span(&order)) || !buf_str(&one))
		return EXIT_MACHINE;
	ask = json_pack("{s:s, s:s, s:s}", "ask", "unseal", "path", real, "order", (const char *)one.p);
	if (!ask)
		return complain(EXIT_PROBLEM,
			SAY(c, "%s: its name is no UTF-8: rename it first",
				"%s: ファイル名が UTF-8 ではありません。先に名前を変更してください"),
			shown(a, real));
	r = guard_ask(c, ask, &answer);
	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	printf(SAY(c, "begun: %s\n", "解除を開始しました: %s\n"), shown(a, real));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}
