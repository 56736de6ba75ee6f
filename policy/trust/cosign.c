/*
 * See cosign.h. Used by the PC that cosigns, the collector that collects, and everybody who verifies. Must never say of
 * a line that it is a witness's where another tree or time was signed.
 */
#include "policy/trust/cosign.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>

#define HEAD "cosignature/v1\ntime %" PRIu64 "\n"
#define DASH "\xe2\x80\x94 " /* em dash and a space */
#define DECLARED "sekisho witness 1"
#define DER_MAX 512u

/* What is signed. */
static int message(struct span text, uint64_t time_s, struct buf *out)
{
	int r = buf_putf(out, HEAD, time_s);

	return r ? r : buf_put_span(out, text);
}

/* The hash of a witness key, by way of its verifier key: "name+hash+base64". */
static int hash_of(const char *name, const struct key *k, uint8_t hash[NOTE_KEY_HASH])
{
	_cleanup_buf_ struct buf vkey = BUF_INIT(WITNESS_LINE_MAX);
	char digits[2 * NOTE_KEY_HASH + 1] = "";
	int r = verifier_encode_as(NOTE_WITNESS, name, k, &vkey);

	if (r)
		return r;
	memcpy(digits, vkey.p + strlen(name) + 1, 2 * NOTE_KEY_HASH);
	return hex_decode(digits, hash, NOTE_KEY_HASH);
}

int cosignature_sign(struct span note, const char *name, const struct key *k, uint64_t time_s, struct buf *line)
{
	_cleanup_buf_ struct buf signed_text = BUF_INIT(NOTE_SIZE_MAX + 64);
	uint8_t bytes[NOTE_KEY_HASH + COSIGNATURE_SIZE];
	struct span text, lines;
	size_t before = line->n;
	int r = note_split(note, &text, &lines, NULL);

	if (!r && time_s > INT64_MAX)
		r = V_BAD;
	r = r ? r : message(text, time_s, &signed_text);
	r = r ? r : hash_of(name, k, bytes);
	put_be64(bytes + NOTE_KEY_HASH, time_s);
	r = r ? r : key_sign(k, buf_span(&signed_text), bytes + NOTE_KEY_HASH + 8);
	r = r ? r : buf_putf(line, DASH "%s ", name);
	r = r ? r : base64_encode(line, SPAN(bytes, sizeof(bytes)));
	r = r ? r : buf_puts(line, "\n");
	if (r)
		line->n = before;
	return r;
}

int cosignatures_read(struct span note, const struct verifier *log, struct cosignatures *out, struct why *why)
{
	_cleanup_buf_ struct buf sig = BUF_INIT(NOTE_SIZE_MAX);
	struct span lines, name;
	unsigned all = 0;
	int r;

	out->n = 0;
	r = note_split(note, &out->text, &lines, why);
	while (!r && !(r = note_line(&lines, &name, &sig, why))) {
		struct cosignature *c = &out->at[out->n];

		if (++all > NOTE_SIGNATURES_MAX)
			return why_set(why, V_BAD, "note: more than %d signatures", NOTE_SIGNATURES_MAX);
		if (log && span_eq(name, SPAN_STR(log->name)) && !memcmp(sig.p, log->hash, NOTE_KEY_HASH))
			continue;
		memset(c, 0, sizeof(*c));
		memcpy(c->name, name.p, name.n);
		memcpy(c->hash, sig.p, NOTE_KEY_HASH);
		c->size = sig.n - NOTE_KEY_HASH;
		memcpy(c->bytes, sig.p + NOTE_KEY_HASH, c->size < sizeof(c->bytes) ? c->size : sizeof(c->bytes));
		out->n++;
	}
	return r == V_END ? 0 : r;
}

int cosignature_check(const struct cosignatures *c, unsigned i, const struct verifier *w, uint64_t *time_s)
{
	_cleanup_buf_ struct buf signed_text = BUF_INIT(NOTE_SIZE_MAX + 64);
	const struct cosignature *one = &c->at[i];
	uint64_t when;
	int r;

	if (strcmp(one->name, w->name) != 0 || memcmp(one->hash, w->hash, NOTE_KEY_HASH) != 0)
		return V_NOT_FOUND;
	when = get_be64(one->bytes);
	if (one->size != COSIGNATURE_SIZE || when > INT64_MAX)
		return V_BAD;
	r = message(c->text, when, &signed_text);
	r = r ? r : key_verify(w->key, buf_span(&signed_text), SPAN(one->bytes + 8, SIGNATURE_SIZE));
	if (!r)
		*time_s = when;
	return r;
}

/* --- whose key it is --- */

static int declared(struct span vkey, struct buf *out)
{
	int r = buf_put(out, DECLARED, sizeof(DECLARED));

	return r ? r : buf_put_span(out, vkey);
}

int witness_declare(const struct key *device, const struct key *witness, struct buf *out)
{
	_cleanup_buf_ struct buf vkey = BUF_INIT(WITNESS_LINE_MAX), der = BUF_INIT(DER_MAX),
				 msg = BUF_INIT(WITNESS_LINE_MAX);
	char name[NOTE_NAME_MAX], hex[2 * DIGEST_SIZE + 1];
	uint8_t proof[SIGNATURE_SIZE];
	struct digest id;
	int r = key_id(device, &id);

	if (r)
		return r;
	snprintf(name, sizeof(name), WITNESS_NAME "%s", hex_encode(hex, id.b, DIGEST_SIZE));
	r = verifier_encode_as(NOTE_WITNESS, name, witness, &vkey);
	r = r ? r : key_public_der(device, &der);
	r = r ? r : declared(buf_span(&vkey), &msg);
	r = r ? r : key_sign(device, buf_span(&msg), proof);
	r = r ? r : buf_put_span(out, buf_span(&vkey));
	r = r ? r : buf_puts(out, " ");
	r = r ? r : base64_encode(out, buf_span(&der));
	r = r ? r : buf_puts(out, " ");
	return r ? r : base64_encode(out, SPAN(proof, sizeof(proof)));
}

/* The word before the next space, or all of it. */
static struct span word(struct span *rest)
{
	const uint8_t *space = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
	struct span w = *rest;

	if (space) {
		w.n = (size_t)(space - rest->p);
		*rest = SPAN(space + 1, rest->n - w.n - 1);
	} else {
		*rest = SPAN(rest->p + rest->n, 0);
	}
	return w;
}

int witness_read(struct span line, struct digest *host, struct verifier *out, struct why *why)
{
	_cleanup_buf_ struct buf der = BUF_INIT(DER_MAX), proof = BUF_INIT(128), msg = BUF_INIT(WITNESS_LINE_MAX);
	_cleanup_(key_freep) struct key *device = NULL;
	struct span rest = line, vkey, spki, sig;
	char name[NOTE_NAME_MAX], hex[2 * DIGEST_SIZE + 1];
	struct verifier v = {.key = NULL};
	struct digest id;
	int r;

	if (line.n > WITNESS_LINE_MAX)
		return why_set(why, V_BAD, "witness: longer than %d bytes", WITNESS_LINE_MAX);
	vkey = word(&rest);
	spki = word(&rest);
	sig = word(&rest);
	if (rest.n || base64_decode(&der, spki) || base64_decode(&proof, sig))
		return why_set(why, V_BAD, "witness: not a key, a PC's key and a proof");
	r = key_from_public_der(buf_span(&der), &device, why);
	r = r ? r : key_id(device, &id);
	r = r ? r : declared(vkey, &msg);
	if (r)
		return r;
	if (key_verify(device, buf_span(&msg), buf_span(&proof)))
		return why_set(why, V_BAD, "witness: the PC's key did not sign this");
	r = verifier_decode_as(NOTE_WITNESS, vkey, &v, why);
	if (r)
		return r;
	snprintf(name, sizeof(name), WITNESS_NAME "%s", hex_encode(hex, id.b, DIGEST_SIZE));
	if (strcmp(name, v.name) != 0) {
		verifier_deinit(&v);
		return why_set(why, V_BAD, "witness: its name is not the PC's");
	}
	*host = id;
	*out = v;
	return 0;
}
