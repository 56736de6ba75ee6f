/*
 * A record: one thing that happened, as facts by the field table. The same type is filled by producers, written to a
 * body, read back, indexed, printed and exported.
 *
 * Spans are borrowed from whoever filled the record. A record is reset, not freed.
 */
#ifndef SEKISHO_WIRE_RECORD_H
#define SEKISHO_WIRE_RECORD_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include "policy/wire/flags.h"

enum field {
#define FIELD(no, NAME, name, type, en, ja, what) F_##NAME = no,
#include "policy/wire/fields.def"
#undef FIELD
	FIELD_MAX = 255, /* field numbers a format-1 reader keeps; larger ones are passed over */
};

enum field_type { T_NONE, T_UINT, T_INT, T_NAME, T_BYTES, T_ENUM, T_TIME, T_DURATION };

struct field_info {
	const char *name; /* NULL where the number is not in use */
	enum field_type type;
	const char *en, *ja; /* headings */
	const char *what;
};

/* By number, 0..FIELD_MAX. */
extern const struct field_info field_table[FIELD_MAX + 1];
/* The number of a name, or 0. */
unsigned field_by_name(const char *name);

#define ENUM_VALUE(FIELD, no, NAME, name, en, ja) FIELD##_##NAME = no,
enum enum_values {
#include "policy/wire/enums.def"
};
#undef ENUM_VALUE

struct enum_info {
	unsigned field;
	uint64_t value;
	const char *name, *en, *ja;
};
/* What a value of an ENUM field is called; NULL for unknown ones (shown as their number). */
/* Kinds that the collector, the console and the herald tell of, and no PC. */
bool kind_of_servers(uint64_t kind);
const struct enum_info *enum_by_value(unsigned field, uint64_t value);
const struct enum_info *enum_by_name(unsigned field, const char *name);
/* All of them in order, to list the words of a filter; NULL behind the last. */
const struct enum_info *enum_at(size_t i);

struct value {
	union {
		uint64_t u; /* T_UINT, T_ENUM */
		int64_t i;  /* T_INT, T_TIME, T_DURATION */
		struct span s;
	};
};

struct record {
	uint64_t have[(FIELD_MAX + 1) / 64]; /* bit per field number */
	struct value v[FIELD_MAX + 1];
};

static inline bool record_has(const struct record *r, unsigned f)
{
	return r->have[f >> 6] >> (f & 63) & 1;
}
static inline void record_reset(struct record *r)
{
	memset(r->have, 0, sizeof(r->have));
}
static inline void record_drop(struct record *r, unsigned f)
{
	r->have[f >> 6] &= ~(1ULL << (f & 63));
}
static inline void record_set_uint(struct record *r, unsigned f, uint64_t u)
{
	r->v[f].u = u;
	r->have[f >> 6] |= 1ULL << (f & 63);
}
static inline void record_set_int(struct record *r, unsigned f, int64_t i)
{
	r->v[f].i = i;
	r->have[f >> 6] |= 1ULL << (f & 63);
}
static inline void record_set_span(struct record *r, unsigned f, struct span s)
{
	r->v[f].s = s;
	r->have[f >> 6] |= 1ULL << (f & 63);
}
static inline void record_set_str(struct record *r, unsigned f, const char *s)
{
	record_set_span(r, f, SPAN_STR(s));
}
/* Where there is something to say: not for NULL or "". */
static inline void record_set_text(struct record *r, unsigned f, const char *s)
{
	if (s && *s)
		record_set_str(r, f, s);
}
/* The text or bytes of a fact; empty where it is not there. */
static inline struct span record_text(const struct record *r, unsigned f)
{
	return record_has(r, f) ? r->v[f].s : SPAN("", 0);
}
/* A fact that is a number or of an enumeration; `other` where it is not there. */
static inline uint64_t record_number(const struct record *r, unsigned f, uint64_t other)
{
	return record_has(r, f) ? r->v[f].u : other;
}
/* Of a device that carries files: a drive, a disc, a card, a phone. False where its kind is not told. */
static inline bool record_carries_files(const struct record *r)
{
	uint64_t kind = record_number(r, F_DEVICE_KIND, 0);

	return kind == DEVICE_KIND_STORAGE || kind == DEVICE_KIND_OPTICAL || kind == DEVICE_KIND_SD ||
	       kind == DEVICE_KIND_PHONE;
}
/* The next field that is present after `f` (0 to begin), or 0. */
unsigned record_next(const struct record *r, unsigned f);
/* Is it a fact of the subject (numbers 10..29)? */
static inline bool field_of_subject(unsigned f)
{
	return f >= 10 && f < 30;
}

enum record_lang { LANG_EN, LANG_JA };

/* One JSON object (RFC 8259) without a newline; names that are not UTF-8 become {"hex": "..."}; BYTES are hex. */
int record_json(const struct record *r, struct buf *out);
/*
 * The same for readers that hold numbers as doubles or in 63 bits (RFC 7493: browsers, Jansson): a number beyond 2^53 -
 * 1 is a string of its digits, and so is a value of an ENUM that has no name.
 */
int record_json_web(const struct record *r, struct buf *out);
/* The words of the bits of F_FLAGS, as in JSON, separated by commas, into an array of 512. Returns how long they are.
 */
size_t record_flags(uint64_t flags, char *out, size_t size);
/* One readable line without a newline: time, user, program, what, path, how much. Escaped for terminals. */
int record_line(const struct record *r, enum record_lang lang, struct buf *out);
/*
 * CSV (RFC 4180): every cell quoted, CRLF; a cell that begins with = + - @ (also full-width), TAB, CR or LF gets an
 * apostrophe in front, so that no spreadsheet runs it. `fields` ends with 0. The caller writes the BOM.
 */
int record_csv_cell(struct span s, struct buf *out);
int record_csv_head(const unsigned *fields, enum record_lang lang, struct buf *out);
int record_csv(const struct record *r, const unsigned *fields, enum record_lang lang, struct buf *out);

#endif
