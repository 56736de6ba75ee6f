/*
 * Encodings of Japanese text. See encoding.h.
 */
#include "agent/inspect/encoding.h"
#include "policy/base/text.h"
#include <errno.h>
#include <iconv.h>

#define STEP 4096u
#define SAMPLE (64u << 10) /* bytes by which a guess is made */

static iconv_t converters[ENCODINGS];

static const struct {
	const char *name, *iconv; /* what glibc calls it; NULL: none is needed */
} names[ENCODINGS] = {
	[ENCODING_UTF8] = {"utf-8", NULL},
	[ENCODING_UTF16LE] = {"utf-16le", "UTF-16LE"},
	[ENCODING_UTF16BE] = {"utf-16be", "UTF-16BE"},
	[ENCODING_UTF32LE] = {"utf-32le", "UTF-32LE"},
	[ENCODING_UTF32BE] = {"utf-32be", "UTF-32BE"},
	[ENCODING_CP932] = {"cp932", "CP932"},
	[ENCODING_EUC_JP] = {"euc-jp", "EUC-JP-MS"},
	[ENCODING_ISO2022_JP] = {"iso-2022-jp", "ISO-2022-JP-3"},
	[ENCODING_UNKNOWN] = {"unknown", NULL},
};

const char *encoding_name(enum encoding e)
{
	return names[e < ENCODINGS ? e : ENCODING_UNKNOWN].name;
}

void encoding_prepare(void)
{
	unsigned i;

	for (i = 0; i < ENCODINGS; i++)
		if (names[i].iconv && !converters[i])
			converters[i] = iconv_open("UTF-8", names[i].iconv);
}

static bool can(enum encoding e)
{
	return converters[e] && converters[e] != (iconv_t)-1;
}

static uint32_t unit(const uint8_t *p, bool big)
{
	return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
		   : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* Every four bytes are a character: by chance they are not. */
static bool is_utf32(struct span s, bool big)
{
	size_t n = s.n < SAMPLE ? s.n & ~(size_t)3 : SAMPLE, i;

	for (i = 0; i < n; i += 4) {
		uint32_t c = unit(s.p + i, big);

		if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
	}
	/* Without a mark a few characters of UTF-16 with line ends between them look like it. */
	return n >= 4 && (unit(s.p, big) == 0xfeff || n >= 16);
}

static enum encoding utf32_of(struct span s)
{
	return is_utf32(s, false) ? ENCODING_UTF32LE : is_utf32(s, true) ? ENCODING_UTF32BE : ENCODING_UNKNOWN;
}

/* Zeros on one side only: ASCII in sixteen bits, without a mark. */
static enum encoding utf16_of(struct span s)
{
	size_t n = s.n < SAMPLE ? s.n & ~(size_t)1 : SAMPLE, i, zeros[2] = {0, 0};

	if (s.n >= 2 && s.p[0] == 0xff && s.p[1] == 0xfe)
		return ENCODING_UTF16LE;
	if (s.n >= 2 && s.p[0] == 0xfe && s.p[1] == 0xff)
		return ENCODING_UTF16BE;
	for (i = 0; i < n; i++)
		zeros[i & 1] += !s.p[i];
	if (n >= 4 && !zeros[0] && zeros[1] >= n / 40 + 1)
		return ENCODING_UTF16LE;
	if (n >= 4 && !zeros[1] && zeros[0] >= n / 40 + 1)
		return ENCODING_UTF16BE;
	return ENCODING_UNKNOWN;
}

static bool has_escapes(struct span s)
{
	static const char *const shifts[] = {"\x1b$B", "\x1b$@", "\x1b(I", "\x1b$(", "\x1b(J"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(shifts); i++)
		if (s.n && memmem(s.p, s.n, shifts[i], strlen(shifts[i])))
			return true;
	return false;
}

static bool is_ascii(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] >= 0x80)
			return false;
	return true;
}

/*
 * How little this reads as Japanese: nothing for kana and ideographs of everyday use, much for half-width kana (pairs
 * of bytes of one encoding are such in the other) and for what cannot be. Bytes of the first row (0x81/0xa1) are marks.
 */
static unsigned long doubt_cp932(struct span s)
{
	unsigned long doubt = 0;
	size_t i;

	for (i = 0; i < s.n; i++) {
		uint8_t c = s.p[i], d = i + 1 < s.n ? s.p[i + 1] : 0;

		if (c < 0x80)
			continue;
		if (c >= 0xa1 && c <= 0xdf) {
			doubt += 2;
		} else if ((c >= 0x81 && c <= 0x9f) || (c >= 0xe0 && c <= 0xfc)) {
			/* the second level, and makers' own, from 0x99 on */
			if (i + 1 < s.n)
				doubt += d < 0x40 || d == 0x7f || d > 0xfc ? 20 : c >= 0x99 ? 3 : 0;
			i++;
		} else {
			doubt += 20;
		}
	}
	return doubt;
}

static unsigned long doubt_euc(struct span s)
{
	unsigned long doubt = 0;
	size_t i;

	for (i = 0; i < s.n; i++) {
		uint8_t c = s.p[i], d = i + 1 < s.n ? s.p[i + 1] : 0;

		if (c < 0x80)
			continue;
		if (c == 0x8e) {
			doubt += d >= 0xa1 && d <= 0xdf ? 2 : 20;
			i++;
		} else if (c == 0x8f) {
			doubt += 5;
			i += 2;
		} else if (c >= 0xa1 && c <= 0xfe) {
			/* the second level from 0xd0 on */
			if (i + 1 < s.n)
				doubt += d < 0xa1 || d > 0xfe ? 20 : c >= 0xd0 ? 3 : 0;
			i++;
		} else {
			doubt += 20;
		}
	}
	return doubt;
}

enum encoding encoding_of(struct span text)
{
	enum encoding wide = utf32_of(text);
	struct span sample = SPAN(text.p, text.n < SAMPLE ? text.n : SAMPLE);
	unsigned long cp932, euc;

	/* Its mark begins with that of UTF-16. */
	if (wide == ENCODING_UNKNOWN)
		wide = utf16_of(text);
	if (wide != ENCODING_UNKNOWN)
		return wide;
	if (is_ascii(text))
		return has_escapes(text) ? ENCODING_ISO2022_JP : ENCODING_UTF8;
	if (text_is_utf8(text))
		return ENCODING_UTF8;
	cp932 = doubt_cp932(sample);
	euc = doubt_euc(sample);
	/* A long UTF-8 text with a bad byte in it reads as neither. */
	if (cp932 > sample.n / 2 && euc > sample.n / 2)
		return ENCODING_UNKNOWN;
	return euc < cp932 ? ENCODING_EUC_JP : ENCODING_CP932;
}

int encoding_to_utf8(enum encoding from, struct span text, struct buf *out, uint64_t *lost)
{
	char *in = (char *)(uintptr_t)text.p, step[STEP];
	size_t left = text.n;
	uint64_t bad = 0;

	if (from == ENCODING_UTF8 || from == ENCODING_UNKNOWN) {
		if (lost)
			*lost = 0;
		return buf_put_span(out, text);
	}
	if (!can(from))
		return V_NOT_FOUND;
	iconv(converters[from], NULL, NULL, NULL, NULL);
	while (left) {
		char *to = step;
		size_t room = sizeof(step);
		bool stuck = iconv(converters[from], &in, &left, &to, &room) == (size_t)-1 && errno != E2BIG;
		int r = buf_put(out, step, sizeof(step) - room);

		if (r)
			return r;
		if (!stuck)
			continue;
		/* No character, or the end of one that is cut off. */
		bad++;
		if ((r = buf_puts(out, "\xef\xbf\xbd")))
			return r;
		in++;
		left--;
	}
	if (lost)
		*lost = bad;
	return 0;
}
