/*
 * Files by which companies have their bank pay wages and bills: records of 120 characters (全国銀行協会,
 * 総合振込・給与振込). A header that begins with 1, a record that begins with 2 for each person paid, then 8 and 9. See
 * find.h.
 */
#include "agent/inspect/find_parts.h"

#define RECORD 120
/* Places in a record. */
#define BANK 1
#define BANK_DIGITS 4
#define BRANCH 20
#define BRANCH_DIGITS 3
#define ACCOUNT 42 /* its kind, then seven digits */
#define ACCOUNT_DIGITS 8

/* One character, as a byte: what is not ASCII stands for itself as 0x80. Returns its length. */
static size_t take(struct span s, size_t at, uint8_t *c)
{
	size_t n = 1;

	*c = s.p[at] < 0x80 ? s.p[at] : 0x80;
	if (s.p[at] >= 0xc0)
		while (at + n < s.n && (s.p[at + n] & 0xc0) == 0x80)
			n++;
	return n;
}

/* The record that begins here; 0 at the end or where it is none. Returns where it ends. */
static size_t take_record(struct span s, size_t at, uint8_t r[RECORD])
{
	size_t i;

	while (at < s.n && (s.p[at] == '\r' || s.p[at] == '\n'))
		at++;
	for (i = 0; i < RECORD; i++) {
		if (at >= s.n || s.p[at] == '\n' || s.p[at] == '\r')
			return 0;
		at += take(s, at, &r[i]);
	}
	return at;
}

static bool digits(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

uint64_t transfer_records(struct span text, char sample[FIND_SAMPLE_MAX])
{
	uint8_t r[RECORD];
	size_t at = take_record(text, 0, r);
	uint64_t n = 0;

	/* 1, the kind of business (11, 12, 21, 71, 72), code 0 or 1, then ten digits of the client */
	if (!at || r[0] != '1' || !digits(r, 14))
		return 0;
	while ((at = take_record(text, at, r)) && r[0] == '2') {
		if (!digits(r + BANK, BANK_DIGITS) || !digits(r + BRANCH, BRANCH_DIGITS) ||
			!digits(r + ACCOUNT, ACCOUNT_DIGITS))
			return 0;
		if (!n && !sample[0])
			snprintf(sample, FIND_SAMPLE_MAX, "*****%c%c", r[ACCOUNT + 6], r[ACCOUNT + 7]);
		n++;
	}
	return at && (r[0] == '8' || r[0] == '9') ? n : 0;
}
