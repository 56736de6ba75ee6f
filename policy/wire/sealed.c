/*
 * See sealed.h. Nothing of a capsule or an order is believed before its tag or signature is checked.
 */
#include "policy/wire/sealed.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/wire/order_fields.h"
#include <errno.h>
#include <sys/mman.h>

#define CAPSULE_PLAIN (ENVELOPE_KEY_SIZE + DIGEST_SIZE + 16)

enum { O_KEY = 1, O_HASH, O_SIZE, O_ISSUED, O_NOT_AFTER, O_REASON, O_LAST = O_REASON };

/* --- numbers --- */

static void put_be(uint8_t *out, size_t n, uint64_t v)
{
	while (n--) {
		out[n] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t take_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/* --- the tail --- */

int sealed_tail_write(const struct envelope_readers *openers, const struct sealed_secret *s, int fd)
{
	_cleanup_(envelope_freep) struct envelope *e = NULL;
	uint8_t plain[CAPSULE_PLAIN], foot[SEALED_FOOT_SIZE];
	off_t from = lseek(fd, 0, SEEK_CUR), to;
	int r = from < 0 ? -errno : envelope_begin(openers, NULL, fd, &e);

	memcpy(plain, s->key, ENVELOPE_KEY_SIZE);
	memcpy(plain + ENVELOPE_KEY_SIZE, s->hash.b, DIGEST_SIZE);
	put_be(plain + ENVELOPE_KEY_SIZE + DIGEST_SIZE, 8, s->bytes);
	put_be(plain + ENVELOPE_KEY_SIZE + DIGEST_SIZE + 8, 8, (uint64_t)s->sealed_us);
	r = r ? r : envelope_put(e, SPAN(plain, sizeof(plain)));
	r = r ? r : envelope_end(e);
	secret_wipe(plain, sizeof(plain));
	if (r)
		return r;
	to = lseek(fd, 0, SEEK_CUR);
	if (to < from || to - from > SEALED_CAPSULE_MAX)
		return -EMSGSIZE;
	put_be(foot, 4, (uint64_t)(to - from));
	memcpy(foot + 4, SEALED_MAGIC, 8);
	return write_all(fd, foot, sizeof(foot));
}

int sealed_tail_find(struct span file, struct span *envelope, struct span *capsule, struct why *why)
{
	const uint8_t *foot = file.n < SEALED_FOOT_SIZE ? NULL : file.p + file.n - SEALED_FOOT_SIZE;
	uint64_t n = foot ? take_be(foot, 4) : 0;

	if (!foot || memcmp(foot + 4, SEALED_MAGIC, 8) != 0 || !n || n > SEALED_CAPSULE_MAX ||
		n > file.n - SEALED_FOOT_SIZE)
		return WHY_BOTH(why, V_BAD, "no sealed file", "隔離されたファイルではありません");
	*envelope = SPAN(file.p, file.n - SEALED_FOOT_SIZE - n);
	*capsule = SPAN(file.p + envelope->n, n);
	return 0;
}

int sealed_secret_open(
	struct span capsule, struct span key, struct span certificate, struct sealed_secret *out, struct why *why)
{
	_cleanup_close_ int fd = memfd_create("capsule", MFD_CLOEXEC);
	uint8_t plain[CAPSULE_PLAIN + 1];
	bool another = false;
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	r = envelope_open(capsule, key, certificate, fd, &another, why);
	if (r)
		return r;
	n = pread(fd, plain, sizeof(plain), 0);
	if (n != CAPSULE_PLAIN || another)
		return n < 0 ? -errno : why_set(why, V_BAD, "no capsule of a sealed file");
	memcpy(out->key, plain, ENVELOPE_KEY_SIZE);
	memcpy(out->hash.b, plain + ENVELOPE_KEY_SIZE, DIGEST_SIZE);
	out->bytes = take_be(plain + ENVELOPE_KEY_SIZE + DIGEST_SIZE, 8);
	out->sealed_us = (int64_t)(take_be(plain + ENVELOPE_KEY_SIZE + DIGEST_SIZE + 8, 8) & INT64_MAX);
	secret_wipe(plain, sizeof(plain));
	return 0;
}

/* --- orders --- */

static int judge_words(const struct sealed_order *o, struct why *why)
{
	size_t n = strlen(o->reason);

	if (!n || !text_is_utf8(SPAN(o->reason, n)))
		return WHY_BOTH(why, V_BAD, "order: without a reason", "指示書に理由がありません");
	if (o->issued_us < 0 || o->not_after_us <= o->issued_us || o->not_after_us - o->issued_us > SEALED_VALID_MAX_US)
		return WHY_BOTH(why, V_BAD, "order: a validity of more than 31 days, or of none",
			"指示書の有効期間が 31 日を超えるか、ありません");
	return 0;
}

int sealed_order_sign(const struct key *admin, const struct sealed_order *o, struct buf *out, struct why *why)
{
	_cleanup_buf_ struct buf p = BUF_INIT(SEALED_ORDER_MAX);
	int r = judge_words(o, why);

	r = r ? r : cbor_put_map(&p, O_LAST);
	r = r ? r : order_put_bytes(&p, O_KEY, SPAN(o->secret.key, ENVELOPE_KEY_SIZE));
	r = r ? r : order_put_bytes(&p, O_HASH, SPAN(o->secret.hash.b, DIGEST_SIZE));
	r = r ? r : order_put_number(&p, O_SIZE, o->secret.bytes);
	r = r ? r : order_put_number(&p, O_ISSUED, (uint64_t)o->issued_us);
	r = r ? r : order_put_number(&p, O_NOT_AFTER, (uint64_t)o->not_after_us);
	r = r ? r : order_put_text(&p, O_REASON, o->reason);
	return r ? r : cose_sign(admin, SEALED_FORMAT, SPAN_STR(SEALED_AAD), buf_span(&p), out);
}

static int take_one(struct cbor_reader *r, uint64_t key, void *ctx, struct why *why)
{
	struct sealed_order *o = ctx;
	uint64_t u = 0;
	int v;

	if (key == O_KEY)
		return cbor_expect_bytes_n(r, "order: key", o->secret.key, ENVELOPE_KEY_SIZE, why);
	if (key == O_HASH)
		return cbor_expect_bytes_n(r, "order: SHA-256", o->secret.hash.b, DIGEST_SIZE, why);
	if (key == O_REASON)
		return order_read_text(r, o->reason, sizeof(o->reason), why);
	v = cbor_expect_uint(r, "order: number", &u, why);
	if (v)
		return v;
	if (u > INT64_MAX)
		return why_set(why, V_BAD, "order: a number is too large");
	if (key == O_SIZE)
		o->secret.bytes = u;
	else if (key == O_ISSUED)
		o->issued_us = (int64_t)u;
	else
		o->not_after_us = (int64_t)u;
	return 0;
}

int sealed_order_open(
	struct span bytes, const struct admins *admins, int64_t now_us, struct sealed_order *out, struct why *why)
{
	struct sealed_order o = {.signer = ""};
	const struct verifier *signer;
	struct cose_sign1 m;
	int r = bytes.n > SEALED_ORDER_MAX ? why_set(why, V_BAD, "order: larger than %u bytes", SEALED_ORDER_MAX)
					   : cose_parse(bytes, &m, why);

	if (r)
		return r < 0 ? r : V_BAD;
	if (m.size != bytes.n || m.format != SEALED_FORMAT)
		return why_set(why, V_BAD, "order: of another format, or more than one");
	signer = order_signer(&m, SEALED_AAD, admins);
	if (!signer)
		return WHY_BOTH(why, V_DENIED, "order: signed by none of the %u administrators known here",
			"指示書の署名は、この PC が知る管理者 %u 名のいずれのものでもありません", admins->n);
	r = order_read_fields(m.payload, O_LAST, take_one, &o, why);
	r = r ? r : judge_words(&o, why);
	if (r)
		return r;
	if (now_us < o.issued_us - 300ll * 1000000 || now_us >= o.not_after_us)
		return WHY_BOTH(why, V_DENIED, "order: its time is over, or has not come",
			"指示書の有効期限が切れているか、まだ有効ではありません");
	snprintf(o.signer, sizeof(o.signer), "%s", signer->name);
	*out = o;
	return 0;
}
