/*
 * Text from outside, and the text forms of bytes. See text.h.
 */
#include "policy/base/text.h"
#include <errno.h>
#include <time.h>

/* Length of the well-formed UTF-8 sequence at p (RFC 3629 section 4), with its code point; 0 where there is none. */
static size_t utf8_sequence(const uint8_t *p, size_t n, uint32_t *code)
{
	uint8_t c = p[0], lo = 0x80, hi = 0xbf;
	size_t len, i;

	if (c < 0x80) {
		*code = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		len = 2;
		*code = c & 0x1f;
	} else if (c >= 0xe0 && c <= 0xef) {
		len = 3;
		*code = c & 0x0f;
		lo = c == 0xe0 ? 0xa0 : 0x80;
		hi = c == 0xed ? 0x9f : 0xbf;
	} else if (c >= 0xf0 && c <= 0xf4) {
		len = 4;
		*code = c & 0x07;
		lo = c == 0xf0 ? 0x90 : 0x80;
		hi = c == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (i = 1; i < len; i++) {
		if (p[i] < lo || p[i] > hi)
			return 0;
		lo = 0x80;
		hi = 0xbf;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	return len;
}

bool text_is_utf8(struct span s)
{
	size_t i = 0;

	while (i < s.n) {
		uint32_t code;
		size_t len = s.p[i] < 0x80 ? 1 : utf8_sequence(s.p + i, s.n - i, &code);

		if (!len)
			return false;
		i += len;
	}
	return true;
}

void text_whole(char *s)
{
	while (*s && !text_is_utf8(SPAN_STR(s)))
		s[strlen(s) - 1] = '\0';
}

/* What must not reach a terminal or a log as it is: it moves the cursor, hides text or turns its direction. */
static bool is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x061c || c == 0xfeff;
}

int text_escape(struct buf *out, struct span s)
{
	size_t i = 0;

	while (i < s.n) {
		uint32_t code = 0;
		size_t len = utf8_sequence(s.p + i, s.n - i, &code);
		int r = 0;

		if (len && code != '\\' && !is_unsafe(code)) {
			r = buf_put(out, s.p + i, len);
		} else if (len && (code == '\n' || code == '\t' || code == '\r' || code == '\\')) {
			char two[2] = {'\\', code == '\n' ? 'n' : code == '\t' ? 't' : code == '\r' ? 'r' : '\\'};

			r = buf_put(out, two, 2);
		} else {
			size_t k;

			len = len ? len : 1;
			for (k = 0; !r && k < len; k++)
				r = buf_putf(out, "\\x%02x", s.p[i + k]);
		}
		if (r)
			return r;
		i += len;
	}
	return 0;
}

const char *text_escape_to(char *out, size_t size, struct span s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(8 * s.n + 64);

	if (!size)
		return out;
	out[0] = 0;
	if (text_escape(&b, s) || !buf_str(&b))
		return out;
	if (b.n < size) {
		memcpy(out, b.p, b.n + 1);
	} else if (size > 4) {
		size_t keep = size - 4;
		/* Cut between characters, not inside one. */
		while (keep && (b.p[keep] & 0xc0) == 0x80)
			keep--;
		memcpy(out, b.p, keep);
		memcpy(out + keep, "...", 4);
	}
	return out;
}

char *text_copy(char *out, size_t size, struct span s)
{
	size_t n = s.n, back;

	if (n >= size) {
		n = size - 1;
		/* A character has at most three bytes behind its first: more of them are no text. */
		for (back = 0; back < 3 && n > back && (s.p[n - back] & 0xc0) == 0x80; back++)
			;
		if ((s.p[n - back] & 0xc0) != 0x80)
			n -= back;
	}
	if (n)
		memcpy(out, s.p, n);
	out[n] = 0;
	return out;
}

bool text_line(struct span *rest, struct span *line)
{
	const uint8_t *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;

	if (!nl)
		return false;
	*line = SPAN(rest->p, (size_t)(nl - rest->p));
	rest->n -= line->n + 1;
	rest->p = nl + 1;
	return true;
}

char *hex_encode(char *out, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;
	size_t i;

	for (i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = 0;
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *s, void *out, size_t n)
{
	uint8_t *b = out;
	size_t i;

	if (strlen(s) != 2 * n)
		return V_BAD;
	for (i = 0; i < 2 * n; i++)
		if (hex_digit(s[i]) < 0)
			return V_BAD;
	for (i = 0; i < n; i++)
		b[i] = (uint8_t)((unsigned)hex_digit(s[2 * i]) << 4 | (unsigned)hex_digit(s[2 * i + 1]));
	return 0;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(struct buf *out, struct span s)
{
	size_t i;
	int r = buf_reserve(out, (s.n + 2) / 3 * 4);

	if (r)
		return r;
	for (i = 0; i < s.n; i += 3) {
		size_t have = s.n - i < 3 ? s.n - i : 3;
		uint32_t v = (uint32_t)s.p[i] << 16 | (have > 1 ? (uint32_t)s.p[i + 1] << 8 : 0) |
			     (have > 2 ? s.p[i + 2] : 0);
		char four[4] = {base64_digits[v >> 18], base64_digits[v >> 12 & 63],
			have > 1 ? base64_digits[v >> 6 & 63] : '=', have > 2 ? base64_digits[v & 63] : '='};

		buf_put(out, four, 4);
	}
	return 0;
}

static int base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_decode(struct buf *out, struct span s)
{
	size_t before = out->n, padding = 0, i;
	int r;

	if (s.n % 4)
		return V_BAD;
	while (padding < 2 && padding < s.n && s.p[s.n - 1 - padding] == '=')
		padding++;
	r = buf_reserve(out, s.n / 4 * 3 - padding);
	if (r)
		return r;
	for (i = 0; i < s.n; i += 4) {
		bool last = i + 4 == s.n;
		unsigned pad = last ? (unsigned)padding : 0;
		uint32_t v = 0;
		uint8_t three[3];
		unsigned k;

		for (k = 0; k < 4; k++) {
			int d = k >= 4 - pad ? 0 : base64_digit(s.p[i + k]);

			if (d < 0)
				goto bad;
			v = v << 6 | (uint32_t)d;
		}
		if ((pad == 2 && (v & 0xffff)) || (pad == 1 && (v & 0xff)))
			goto bad;
		three[0] = (uint8_t)(v >> 16);
		three[1] = (uint8_t)(v >> 8);
		three[2] = (uint8_t)v;
		buf_put(out, three, 3 - pad);
	}
	return 0;
bad:
	out->n = before;
	return V_BAD;
}

/* A year of four digits, or a sign and six, as ECMAScript (and ISO 8601, where both sides agree) write the others. */
static bool day_text(char *out, size_t size, const struct tm *tm)
{
	long long year = 1900ll + tm->tm_year;
	int n = snprintf(out, size, year < 0 || year > 9999 ? "%+07lld" : "%04lld", year);

	return n > 0 && (size_t)n < size && strftime(out + n, size - (size_t)n, "-%m-%dT%H:%M:%S", tm);
}

char *text_time_utc(char *out, int64_t wall_us)
{
	int64_t sec = wall_us / 1000000, us = wall_us % 1000000;
	time_t t;
	struct tm tm;
	char day[TEXT_TIME_SIZE - 16];

	if (us < 0) {
		us += 1000000;
		sec--;
	}
	t = (time_t)sec;
	if (!gmtime_r(&t, &tm) || !day_text(day, sizeof(day), &tm)) {
		snprintf(out, TEXT_TIME_SIZE, "@%lld", (long long)wall_us);
		return out;
	}
	snprintf(out, TEXT_TIME_SIZE, "%s.%06dZ", day, (int)us);
	return out;
}

char *text_time_local(char *out, int64_t wall_us)
{
	int64_t sec = wall_us / 1000000, us = wall_us % 1000000;
	time_t t;
	struct tm tm;
	char day[TEXT_TIME_SIZE - 16], zone[8];

	if (us < 0) {
		us += 1000000;
		sec--;
	}
	t = (time_t)sec;
	if (!localtime_r(&t, &tm) || !day_text(day, sizeof(day), &tm) || !strftime(zone, sizeof(zone), "%z", &tm) ||
		strlen(zone) != 5) {
		snprintf(out, TEXT_TIME_SIZE, "@%lld", (long long)wall_us);
		return out;
	}
	snprintf(out, TEXT_TIME_SIZE, "%s.%03d%.3s:%s", day, (int)(us / 1000), zone, zone + 3);
	return out;
}

int text_time_parse(const char *s, int64_t now_us, int64_t *wall_us)
{
	static const char *const local_forms[] = {
		"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
	struct tm tm;
	time_t now = (time_t)(now_us / 1000000), t;
	const char *end;
	size_t i;

	if (s[0] == '-') {
		char *unit;
		long long n;

		errno = 0;
		n = strtoll(s + 1, &unit, 10);
		if (errno || unit == s + 1 || s[1] == '-' || s[1] == '+' || !unit[0] || unit[1] || n > 1000000)
			return V_BAD;
		switch (unit[0]) {
		case 's':
			break;
		case 'm':
			n *= 60;
			break;
		case 'h':
			n *= 3600;
			break;
		case 'd':
			n *= 86400;
			break;
		default:
			return V_BAD;
		}
		*wall_us = now_us - n * 1000000;
		return 0;
	}
	memset(&tm, 0, sizeof(tm));
	end = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!end) {
		memset(&tm, 0, sizeof(tm));
		end = strptime(s, "%Y-%m-%dT%H:%M", &tm);
	}
	if (end && *end) {
		int64_t us = 0, scale = 100000, offset = 0;

		if (*end == '.') {
			for (end++; *end >= '0' && *end <= '9'; end++, scale /= 10)
				us += (*end - '0') * scale;
		}
		if (*end == 'Z' || *end == 'z') {
			end++;
		} else if (*end == '+' || *end == '-') {
			int h, m, n = 0;

			if (sscanf(end + 1, "%2d:%2d%n", &h, &m, &n) != 2 || n != 5 || h > 23 || m > 59 || h < 0 ||
				m < 0)
				return V_BAD;
			offset = (h * 3600 + m * 60) * (*end == '-' ? -1 : 1);
			end += 6;
		} else {
			return V_BAD;
		}
		if (*end)
			return V_BAD;
		*wall_us = ((int64_t)timegm(&tm) - offset) * 1000000 + us;
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(local_forms); i++) {
		memset(&tm, 0, sizeof(tm));
		tm.tm_isdst = -1;
		end = strptime(s, local_forms[i], &tm);
		if (end && !*end) {
			t = mktime(&tm);
			*wall_us = (int64_t)t * 1000000;
			return 0;
		}
	}
	localtime_r(&now, &tm);
	tm.tm_sec = 0;
	end = strptime(s, strchr(s, ':') && strchr(strchr(s, ':') + 1, ':') ? "%H:%M:%S" : "%H:%M", &tm);
	if (!end || *end)
		return V_BAD;
	tm.tm_isdst = -1;
	*wall_us = (int64_t)mktime(&tm) * 1000000;
	return 0;
}
