/*
 * Text from outside, and the text forms of bytes: UTF-8 checks, escaping for logs and terminals, hex, base64, times.
 */
#ifndef SEKISHO_BASE_TEXT_H
#define SEKISHO_BASE_TEXT_H

#include "policy/base/buf.h"
#include "policy/base/why.h"

/* Well-formed UTF-8 by the table of RFC 3629 section 4 (no surrogates, no overlong forms, at most U+10FFFF). */
bool text_is_utf8(struct span s);
/* Takes from its end what is no UTF-8: a character that was cut in the middle would make it no JSON string. */
void text_whole(char *s);

/*
 * Appends `s` so that it can stand on a terminal or in a log: control characters (C0, DEL, C1), U+2028/2029, bidi
 * controls and bytes that are not UTF-8 become \n \t \r \\ or \xHH per byte. 0, V_FULL, -ENOMEM.
 */
int text_escape(struct buf *out, struct span s);
/* The same into a fixed array, cut with "..." where it does not fit; returns `out`. For messages. */
const char *text_escape_to(char *out, size_t size, struct span s);

/*
 * A C string of it, cut at a character where it does not fit (size > 0); a NUL in it ends it. Bytes that are no text
 * stay as they are: they are escaped where they are shown. Returns `out`.
 */
char *text_copy(char *out, size_t size, struct span s);

/* The next line of `rest`, without its newline, and behind it. False, and nothing is taken, where none is ended. */
bool text_line(struct span *rest, struct span *line);

/* Lower-case hexadecimal; `out` has room for 2 n + 1. Returns out. */
char *hex_encode(char *out, const void *p, size_t n);
/* Exactly n bytes from 2 n digits of either case, then the end of the string. 0 or V_BAD. */
int hex_decode(const char *s, void *out, size_t n);

/* Standard base64 with padding (RFC 4648 section 4). */
int base64_encode(struct buf *out, struct span s);
/* Strict: no white space, canonical padding bits. Appends to out. 0, V_BAD, V_FULL, -ENOMEM. */
int base64_decode(struct buf *out, struct span s);

/*
 * "2026-11-23T10:02:33.123456Z" from microseconds since 1970; `out` has room for TEXT_TIME_SIZE. Returns out. Years
 * that have no four digits have a sign and six: "+012345-01-01T00:00:00.000000Z".
 */
#define TEXT_TIME_SIZE 40
char *text_time_utc(char *out, int64_t wall_us);
/* The same in the local zone with its offset: "2026-11-23T19:02:33.123+09:00". */
char *text_time_local(char *out, int64_t wall_us);
/*
 * A moment as people write it: RFC 3339 ("2026-11-23T10:02:33Z", "2026-11-23T19:02:33+09:00"), "2026-11-23 10:02[:33]"
 * and "2026-11-23" (local zone), "10:02" (today, local), or "-15m", "-2h", "-3d" (before `now_us`). 0 or V_BAD.
 */
int text_time_parse(const char *s, int64_t now_us, int64_t *wall_us);

#endif
