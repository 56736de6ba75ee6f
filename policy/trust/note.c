/*
 * Signed notes, checkpoints and verifier keys as C2SP writes them (signed-note.md, tlog-checkpoint.md). Strict: what
 * the specification does not allow is refused, so that two readers never see two things in one note.
 */
#include "policy/trust/note.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>

#define DASH "\xe2\x80\x94 " /* em dash and a space */
#define KEY_HASH NOTE_KEY_HASH
#define BODY_MAX 512

/* The spaces of Unicode (White_Space) beyond ASCII, as UTF-8. */
static bool space_at(struct span s)
{
	static const char *const spaces[] = {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8", "\xe2\x80\xa9",
		"\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(spaces); i++)
		if (s.n >= strlen(spaces[i]) && !memcmp(s.p, spaces[i], strlen(spaces[i])))
			return true;
	/* U+2000 to U+200A */
	return s.n >= 3 && s.p[0] == 0xe2 && s.p[1] == 0x80 && s.p[2] >= 0x80 && s.p[2] <= 0x8a;
}

/* No white space, no plus sign, no control characters, valid UTF-8. */
static bool name_ok(struct span name)
{
	size_t i;

	if (!name.n || name.n >= NOTE_NAME_MAX || !text_is_utf8(name))
		return false;
	for (i = 0; i < name.n; i++)
		if (name.p[i] <= 0x20 || name.p[i] == '+' || name.p[i] == 0x7f ||
			space_at(SPAN(name.p + i, name.n - i)))
			return false;
	return true;
}

/* `typed` is the type byte and the key. */
static void key_hash(struct span name, const uint8_t typed[33], uint8_t hash[KEY_HASH])
{
	const struct span parts[] = {name, SPAN("\n", 1), SPAN(typed, 33)};
	struct digest d;

	digest_of(&d, parts, ARRAY_SIZE(parts));
	memcpy(hash, d.b, KEY_HASH);
}

int verifier_encode_as(enum note_type type, const char *name, const struct key *k, struct buf *out)
{
	uint8_t typed[33] = {(uint8_t)type}, hash[KEY_HASH];
	char hex[2 * KEY_HASH + 1];
	size_t before = out->n;
	int r;

	if (!name_ok(SPAN_STR(name)))
		return V_BAD;
	r = key_public_raw(k, typed + 1);
	if (!r)
		key_hash(SPAN_STR(name), typed, hash);
	r = r ? r : buf_putf(out, "%s+%s+", name, hex_encode(hex, hash, KEY_HASH));
	r = r ? r : base64_encode(out, SPAN(typed, sizeof(typed)));
	if (r)
		out->n = before;
	return r;
}

int verifier_encode(const char *name, const struct key *k, struct buf *out)
{
	return verifier_encode_as(NOTE_LOG, name, k, out);
}

static struct span trim(struct span s)
{
	while (s.n && strchr(" \t\r\n", s.p[0]) && s.p[0]) {
		s.p++;
		s.n--;
	}
	while (s.n && s.p[s.n - 1] && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	return s;
}

int verifier_decode(struct span text, struct verifier *out, struct why *why)
{
	return verifier_decode_as(NOTE_LOG, text, out, why);
}

int verifier_decode_as(enum note_type type, struct span text, struct verifier *out, struct why *why)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(64);
	struct span s = trim(text), name, hex, b64;
	struct verifier v = {.key = NULL};
	uint8_t hash[KEY_HASH];
	char digits[2 * KEY_HASH + 1];
	const uint8_t *plus, *second;
	int r;

	plus = s.n ? memchr(s.p, '+', s.n) : NULL;
	second = plus ? memchr(plus + 1, '+', s.n - (size_t)(plus + 1 - s.p)) : NULL;
	if (!second)
		return why_set(why, V_BAD, "verifier key: not name+hash+key");
	name = SPAN(s.p, (size_t)(plus - s.p));
	hex = SPAN(plus + 1, (size_t)(second - plus - 1));
	b64 = SPAN(second + 1, s.n - (size_t)(second + 1 - s.p));
	if (!name_ok(name))
		return why_set(why, V_BAD, "verifier key: bad name");
	if (hex.n != 2 * KEY_HASH)
		return why_set(why, V_BAD, "verifier key: hash is not of %d digits", 2 * KEY_HASH);
	memcpy(digits, hex.p, hex.n);
	digits[hex.n] = 0;
	if (hex_decode(digits, v.hash, KEY_HASH))
		return why_set(why, V_BAD, "verifier key: hash is not hexadecimal");
	r = base64_decode(&raw, b64);
	if (r < 0)
		return r;
	if (r || raw.n != 33 || raw.p[0] != type)
		return why_set(
			why, V_BAD, "verifier key: not an Ed25519 key of a %s", type == NOTE_LOG ? "log" : "witness");
	key_hash(name, raw.p, hash);
	if (memcmp(hash, v.hash, KEY_HASH))
		return why_set(why, V_BAD, "verifier key: hash is not the key's");
	memcpy(v.name, name.p, name.n);
	r = key_from_public_raw(SPAN(raw.p + 1, 32), &v.key);
	if (r)
		return r > 0 ? why_set(why, V_BAD, "verifier key: not an Ed25519 key") : r;
	*out = v;
	return 0;
}

void verifier_deinit(struct verifier *v)
{
	if (!v)
		return;
	key_free(v->key);
	v->key = NULL;
}

int checkpoint_sign(const struct checkpoint *c, const struct key *k, struct buf *out)
{
	_cleanup_buf_ struct buf text = BUF_INIT(BODY_MAX);
	uint8_t signed_part[KEY_HASH + SIGNATURE_SIZE], typed[33] = {NOTE_LOG};
	size_t before = out->n;
	int r;

	if (!name_ok(SPAN_STR(c->origin)))
		return V_BAD;
	r = buf_putf(&text, "%s\n%" PRIu64 "\n", c->origin, c->size);
	r = r ? r : base64_encode(&text, SPAN(c->root.b, DIGEST_SIZE));
	r = r ? r : buf_puts(&text, "\n");
	r = r ? r : key_public_raw(k, typed + 1);
	if (!r)
		key_hash(SPAN_STR(c->origin), typed, signed_part);
	r = r ? r : key_sign(k, buf_span(&text), signed_part + KEY_HASH);
	r = r ? r : buf_put_span(out, buf_span(&text));
	r = r ? r : buf_putf(out, "\n" DASH "%s ", c->origin);
	r = r ? r : base64_encode(out, SPAN(signed_part, sizeof(signed_part)));
	r = r ? r : buf_puts(out, "\n");
	if (r)
		out->n = before;
	return r;
}

static int read_size(struct span s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (!s.n || (s.n > 1 && s.p[0] == '0'))
		return V_BAD;
	for (i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return V_BAD;
	if (v > INT64_MAX)
		return V_BAD;
	*out = v;
	return 0;
}

int note_line(struct span *lines, struct span *name, struct buf *sig, struct why *why)
{
	struct span line, who;
	const uint8_t *space;
	int r;

	if (!lines->n)
		return V_END;
	if (!text_line(lines, &line))
		return why_set(why, V_BAD, "note: last line is not ended");
	if (line.n < strlen(DASH) || memcmp(line.p, DASH, strlen(DASH)))
		return why_set(why, V_BAD, "note: a signature line does not begin with a dash");
	line.p += strlen(DASH);
	line.n -= strlen(DASH);
	space = memchr(line.p, ' ', line.n);
	if (!space)
		return why_set(why, V_BAD, "note: a signature line without a signature");
	who = SPAN(line.p, (size_t)(space - line.p));
	if (!name_ok(who))
		return why_set(why, V_BAD, "note: bad name of a signer");
	buf_clear(sig);
	r = base64_decode(sig, SPAN(space + 1, line.n - who.n - 1));
	if (r < 0)
		return r;
	if (r || sig->n <= KEY_HASH)
		return why_set(why, V_BAD, "note: a signature is not base64");
	*name = who;
	return 0;
}

/* Is this line the verifier's? 0 with *mine set where it is, and good; V_BAD. */
static int judge_line(
	struct span name, struct span sig, struct span text, const struct verifier *v, bool *mine, struct why *why)
{
	int r;

	/* Somebody else's, or of a kind that we do not know: the specification says to pass over it. */
	if (!span_eq(name, SPAN_STR(v->name)) || memcmp(sig.p, v->hash, KEY_HASH))
		return 0;
	r = key_verify(v->key, text, SPAN(sig.p + KEY_HASH, sig.n - KEY_HASH));
	if (r)
		return r == V_BAD ? why_set(why, V_BAD, "note: signature does not match") : r;
	*mine = true;
	return 0;
}

/* Where the text ends: behind the newline before the last empty line. */
static bool find_text(struct span note, struct span *text, struct span *signatures)
{
	size_t i;

	for (i = note.n; i >= 2; i--) {
		if (note.p[i - 1] != '\n' || note.p[i - 2] != '\n')
			continue;
		*text = SPAN(note.p, i - 1);
		*signatures = SPAN(note.p + i, note.n - i);
		return true;
	}
	return false;
}

int note_split(struct span note, struct span *text, struct span *lines, struct why *why)
{
	size_t i;

	if (note.n > NOTE_SIZE_MAX)
		return why_set(why, V_BAD, "note: larger than %d bytes", NOTE_SIZE_MAX);
	if (!text_is_utf8(note))
		return why_set(why, V_BAD, "note: not UTF-8");
	for (i = 0; i < note.n; i++)
		if (note.p[i] < 0x20 && note.p[i] != '\n')
			return why_set(why, V_BAD, "note: control character at offset %zu", i);
	return find_text(note, text, lines) && lines->n ? 0 : why_set(why, V_BAD, "note: no signatures");
}

/* All lines are well-formed, no more than there may be, and one is the verifier's. */
static int judge_lines(struct span lines, struct span text, const struct verifier *v, struct why *why)
{
	_cleanup_buf_ struct buf sig = BUF_INIT(NOTE_SIZE_MAX);
	bool mine = false;
	struct span name;
	unsigned n = 0;
	int r;

	while (!(r = note_line(&lines, &name, &sig, why))) {
		if (++n > NOTE_SIGNATURES_MAX)
			return why_set(why, V_BAD, "note: more than %d signatures", NOTE_SIGNATURES_MAX);
		r = judge_line(name, buf_span(&sig), text, v, &mine, why);
		if (r)
			return r;
	}
	if (r != V_END)
		return r;
	return mine ? 0 : why_set(why, V_BAD, "note: not signed by %s", v->name);
}

int checkpoint_verify(struct span note, const struct verifier *v, struct checkpoint *out, struct why *why)
{
	_cleanup_buf_ struct buf root = BUF_INIT(64);
	struct span text, lines, rest, origin, size, hash, line;
	struct checkpoint c = {.size = 0};
	int r = note_split(note, &text, &lines, why);

	r = r ? r : judge_lines(lines, text, v, why);
	if (r)
		return r;
	rest = text;
	if (!text_line(&rest, &origin) || !text_line(&rest, &size) || !text_line(&rest, &hash))
		return why_set(why, V_BAD, "checkpoint: fewer than three lines");
	if (!span_eq(origin, SPAN_STR(v->name)))
		return why_set(why, V_BAD, "checkpoint: of another log");
	if (read_size(size, &c.size))
		return why_set(why, V_BAD, "checkpoint: bad size");
	r = base64_decode(&root, hash);
	if (r < 0)
		return r;
	if (r || root.n != DIGEST_SIZE)
		return why_set(why, V_BAD, "checkpoint: bad root hash");
	/* Extension lines may follow; an empty one may not. */
	while (rest.n)
		if (!text_line(&rest, &line) || !line.n)
			return why_set(why, V_BAD, "checkpoint: bad extension line");
	memcpy(c.origin, origin.p, origin.n);
	memcpy(c.root.b, root.p, DIGEST_SIZE);
	*out = c;
	return 0;
}
