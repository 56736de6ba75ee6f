/*
 * Rows of the ledger as CSV, for a spreadsheet: what `usb learn` writes, and what ledger.c reads back as it was, also
 * after a spreadsheet had it.
 */
#include "policy/base/text.h"
#include "policy/rule/policy_parts.h"
#include <ctype.h>

/* "MAR1", "SEPT2", "1-MAR": a day, to a spreadsheet. */
static bool has_month(const char *s)
{
	static const char *const months[] = {
		"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
	size_t i;

	s += strspn(s, "0123456789-/ ");
	for (i = 0; i < ARRAY_SIZE(months); i++)
		if (!strncasecmp(s, months[i], 3))
			return true;
	return false;
}

/*
 * Would a spreadsheet make something else of it: a formula that it runs, a number without the zeros at its beginning or
 * the digits behind the fifteenth, a day? Then an apostrophe goes before it, which trim() takes away again.
 */
static bool is_changed_by_spreadsheets(const char *s)
{
	if (!s[0])
		return false;
	if (strchr("=+-@'\t", s[0]))
		return true;
	return isdigit((unsigned char)s[0]) ? !s[strspn(s, "0123456789eE.+-/: ")] || has_month(s)
					    : has_month(s) && strpbrk(s, "0123456789");
}

static int put_cell(struct buf *out, const char *s, bool plain, bool last)
{
	bool apostrophe = !plain && is_changed_by_spreadsheets(s), quote = s[strcspn(s, ",\"\r\n")] || apostrophe;
	int r = quote ? buf_puts(out, "\"") : 0;

	if (!r && apostrophe)
		r = buf_puts(out, "'");
	for (; !r && *s; s++) {
		r = *s == '"' ? buf_puts(out, "\"") : 0;
		r = r ? r : buf_put(out, s, 1);
	}
	if (!r && quote)
		r = buf_puts(out, "\"");
	return r ? r : buf_puts(out, last ? "\r\n" : ",");
}

static const char *time_text(char out[TEXT_TIME_SIZE], int64_t us)
{
	if (us == INT64_MIN || us == INT64_MAX)
		return "";
	return text_time_utc(out, us);
}

/* The cells of LEDGER_HEAD, in its order. */
static int put_cells(struct buf *out, const struct ledger_row *row, const char *vendor, const char *product,
	const char *fingerprint, const char *access)
{
	char from[TEXT_TIME_SIZE], until[TEXT_TIME_SIZE];
	const struct {
		const char *s;
		bool plain; /* what a spreadsheet makes of it is read as well */
	} cells[] = {
		{vendor, !strchr(vendor, 'e')},
		{product, !strchr(product, 'e')},
		{row->serial, false},
		{fingerprint, false},
		{row->owner, false},
		{row->label, false},
		{access, true},
		{row->users, false},
		{row->groups, false},
		{row->hosts, false},
		{time_text(from, row->from_us), true},
		{time_text(until, row->until_us), true},
		{row->encrypted ? "yes" : "", true},
		{row->medium, false},
		{row->note, false},
	};
	size_t i;
	int r = 0;

	for (i = 0; i < ARRAY_SIZE(cells) && !r; i++)
		r = put_cell(out, cells[i].s, cells[i].plain, i == ARRAY_SIZE(cells) - 1);
	return r;
}

int ledger_put(struct buf *out, const struct ledger_row *row)
{
	char vendor[8] = "", product[8] = "", hex[2 * DIGEST_SIZE + 1] = "";
	const struct enum_info *access = enum_by_value(F_ACCESS, row->access);

	if (row->has_vendor)
		snprintf(vendor, sizeof(vendor), "%04x", row->vendor);
	if (row->has_product)
		snprintf(product, sizeof(product), "%04x", row->product);
	if (row->has_fingerprint)
		hex_encode(hex, row->fingerprint.b, DIGEST_SIZE);
	return put_cells(out, row, vendor, product, hex, access ? access->name : "");
}

int ledger_put_device(struct buf *out, const struct device *d, const char *label, const char *note)
{
	char serial[2 * DEVICE_TEXT_SIZE];
	struct ledger_row row = {LEDGER_ROW_BLANK};
	const char *p;
	size_t n = 0;

	/* One that calls itself "****" stands for itself. */
	for (p = d->serial; *p; p++) {
		if (strchr("*?\\", *p))
			serial[n++] = '\\';
		serial[n++] = *p;
	}
	serial[n] = 0;
	row.has_vendor = row.has_product = true;
	row.vendor = d->vendor;
	row.product = d->product;
	row.access = ACCESS_READ_ONLY;
	row.serial = serial;
	row.label = label;
	row.note = note;
	/* Without a serial number the fingerprint is all that there is. */
	row.has_fingerprint = d->has_fingerprint && !d->serial[0];
	row.fingerprint = d->fingerprint;
	return ledger_put(out, &row);
}
