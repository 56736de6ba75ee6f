/*
 * Drives: seen, approved, written to, denied. A drive is its USB id and serial number; without a serial number its
 * fingerprint, without that its PC and port.
 *
 * File records do not name the drive: bytes are those of the drive that was plugged in at that PC at that moment; with
 * several, of the one whose disk has the file system's number. Where that does not tell it, the bytes are counted as
 * written to a drive that is not known which.
 */
#include "collector/report/report_parts.h"
#include "policy/base/text.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A file is told when it is closed, which may be a moment after the drive went. */
#define LATE_US 10000000
#define CLONES_MAX 64u

static int key_of(const struct store_row *row, struct buf *out)
{
	const struct record *r = &row->record;
	char hex[2 * DIGEST_SIZE + 1];
	struct span fp = record_text(r, F_FINGERPRINT);
	int x = buf_put_span(out, record_text(r, F_USB_ID));

	x = x ? x : buf_puts(out, "\n");
	if (record_text(r, F_SERIAL).n)
		return x ? x : buf_put_span(out, record_text(r, F_SERIAL));
	if (fp.n && fp.n <= DIGEST_SIZE)
		return x ? x : buf_puts(out, hex_encode(hex, fp.p, fp.n));
	x = x ? x : buf_puts(out, row->host_name ? row->host_name : "");
	x = x ? x : buf_puts(out, "\n");
	return x ? x : buf_put_span(out, record_text(r, F_PORT));
}

static bool is_storage(const struct record *r)
{
	struct span s = record_text(r, F_INTERFACES);

	if (record_number(r, F_DEVICE_KIND, 0))
		return record_carries_files(r);
	/* Class 08 is mass storage, 06 is still imaging (phones, cameras): usb.org, Defined Class Codes. */
	for (size_t i = 0; i + 2 < s.n; i++)
		if ((!i || s.p[i - 1] == ',') && s.p[i] == '0' && (s.p[i + 1] == '8' || s.p[i + 1] == '6') &&
			s.p[i + 2] == ':')
			return true;
	return false;
}

static struct drive *drive_of(struct gather *g, const struct store_row *row)
{
	_cleanup_buf_ struct buf key = BUF_INIT(64 << 10);
	const struct record *r = &row->record;
	int64_t t = time_of(r);
	struct drive *d = key_of(row, &key) ? NULL : tally_at(&g->drives, buf_span(&key));

	if (!d) {
		g->error = -ENOMEM;
		return NULL;
	}
	if (!d->seen++) {
		d->first_us = t;
		keep_text(d->first_pc, sizeof(d->first_pc), SPAN_STR(row->host_name ? row->host_name : ""));
		keep_text(d->first_user, sizeof(d->first_user), record_text(r, F_USER));
		keep_text(d->usb_id, sizeof(d->usb_id), record_text(r, F_USB_ID));
		keep_text(d->serial, sizeof(d->serial), record_text(r, F_SERIAL));
	}
	if (!d->product[0]) {
		char maker[80], product[80];

		keep_text(maker, sizeof(maker), record_text(r, F_MAKER));
		keep_text(product, sizeof(product), record_text(r, F_PRODUCT));
		snprintf(d->product, sizeof(d->product), "%s%s%s", maker, maker[0] && product[0] ? " " : "", product);
	}
	d->storage |= is_storage(r);
	d->last_us = t;
	return d;
}

/* --- plugged in --- */

/* The spell of the drive at this PC that has not ended. A drive is at one place; clones of its number at some more. */
static struct spell *spell_open(struct gather *g, const struct store_row *row, const struct drive *d)
{
	unsigned at = d->spell, looked;

	for (looked = 0; at && looked < CLONES_MAX; looked++, at = g->spells[at - 1].earlier) {
		struct spell *s = &g->spells[at - 1];

		if (s->until_us == INT64_MAX && digest_eq(&s->host, &row->host))
			return s;
	}
	return NULL;
}

static struct spell *spell_begin(struct gather *g, const struct store_row *row, struct drive *d)
{
	struct spell *more;

	if (g->spells_n == SPELLS_MAX) {
		g->spells_over++;
		return NULL;
	}
	if (g->spells_n == g->spells_cap) {
		more = realloc(g->spells, (g->spells_cap + 1024) * sizeof(*more));
		if (!more) {
			g->error = -ENOMEM;
			return NULL;
		}
		g->spells = more;
		g->spells_cap += 1024;
	}
	g->spells[g->spells_n] = (struct spell){.host = row->host,
		.drive = d,
		.earlier = d->spell,
		.from_us = time_of(&row->record),
		.until_us = INT64_MAX};
	d->spell = ++g->spells_n;
	return &g->spells[g->spells_n - 1];
}

static void plugged(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct drive *d = drive_of(g, row);
	struct spell *open = d ? spell_open(g, row, d) : NULL;
	struct person *p;
	const struct span pair[] = {SPAN(&d, sizeof(d)), SPAN(row->host.b, DIGEST_SIZE)};
	bool fresh = false;

	if (!d)
		return;
	/* No word of its going: the PC was switched off. */
	if (open)
		open->until_us = time_of(r);
	spell_begin(g, row, d);
	d->plugs++;
	if (seen_add(&g->pairs, pair, ARRAY_SIZE(pair), &fresh))
		g->error = -ENOMEM;
	d->pcs += fresh;
	if (!is_storage(r))
		return;
	g->f.plugs++;
	p = tally_at(&g->persons, record_text(r, F_USER));
	if (p)
		p->plugs++;
}

static void decided(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct drive *d = drive_of(g, row);
	struct spell *open;

	if (!d)
		return;
	open = spell_open(g, row, d);
	/* It was plugged in before the period began. */
	if (!open)
		open = spell_begin(g, row, d);
	if (open && record_text(r, F_DEVICE).n) {
		char text[32];

		keep_text(text, sizeof(text), record_text(r, F_DEVICE));
		open->has_dev = sscanf(text, "%u:%u", &open->dev_major, &open->dev_minor) == 2;
	}
	if (!is_storage(r) || !record_has(r, F_ACCESS))
		return;
	d->has_access = true;
	d->access = (unsigned)r->v[F_ACCESS].u;
	keep_text(d->rule, sizeof(d->rule), record_text(r, F_RULE));
	if (record_text(r, F_LABEL).n)
		keep_text(d->label, sizeof(d->label), record_text(r, F_LABEL));
	if (record_text(r, F_OWNER).n)
		keep_text(d->owner, sizeof(d->owner), record_text(r, F_OWNER));
}

static void drive_text(const struct record *r, char out[160])
{
	char id[24], serial[96];

	keep_text(id, sizeof(id), record_text(r, F_USB_ID));
	keep_text(serial, sizeof(serial), record_text(r, F_SERIAL));
	snprintf(out, 160, "%s%s%s", id, id[0] && serial[0] ? " " : "", serial);
}

static void denied(struct gather *g, const struct store_row *row, bool seen)
{
	const struct record *r = &row->record;
	bool note = record_number(r, F_POLICY_MODE, POLICY_MODE_ENFORCE) == POLICY_MODE_NOTE;
	uint64_t n = record_number(r, F_COUNT, 1);
	bool known = record_text(r, F_USB_ID).n || record_text(r, F_SERIAL).n || record_text(r, F_FINGERPRINT).n;
	struct drive *d = known ? drive_of(g, row) : NULL;
	struct person *p = tally_at(&g->persons, record_text(r, F_USER));
	char text[160];

	drive_text(r, text);
	exception_add(g, row,
		seen   ? "write-seen"
		: note ? "write-noted"
		       : "write-denied",
		record_text(r, F_USER), text[0] ? SPAN_STR(text) : record_text(r, F_DEVICE), record_text(r, F_RULE),
		SPAN("", 0));
	if (seen) {
		g->f.write_seen += n;
		return;
	}
	if (note)
		return;
	g->f.denied += n;
	if (d)
		d->denied += n;
	if (p)
		p->denied += n;
}

static void coded(struct gather *g, const struct store_row *row, bool refused)
{
	const struct record *r = &row->record;
	struct person *p = tally_at(&g->persons, record_text(r, F_USER));
	char text[160];

	drive_text(r, text);
	exception_add(g, row, refused ? "code-refused" : "code", record_text(r, F_USER), SPAN_STR(text),
		record_text(r, F_RULE), SPAN("", 0));
	if (refused)
		g->f.codes_refused++;
	else
		g->f.codes++;
	if (p && !refused)
		p->codes++;
}

/* Files that were written to them: those that the policy alerts of, or wants unreadable, and what became of that. */
void drives_written(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	uint64_t kind = record_number(r, F_KIND, 0), action = record_number(r, F_ACTION, ACTION_ALLOW);
	bool note = record_number(r, F_POLICY_MODE, POLICY_MODE_ENFORCE) == POLICY_MODE_NOTE;
	const char *what = NULL;
	char text[160];

	if (kind == KIND_DRIVE_FILE && (action == ACTION_ALERT || action == ACTION_QUARANTINE))
		what = note ? "drive-noted" : action == ACTION_ALERT ? "drive-alert" : "drive-quarantine";
	else if (kind == KIND_DRIVE_SEALED && record_has(r, F_CAUSE))
		what = "quarantine-failed";
	else if (kind == KIND_DRIVE_OPENED)
		what = record_has(r, F_CAUSE) ? "unquarantine-failed" : "unquarantine";
	drive_text(r, text);
	if (what)
		exception_add(g, row, what, record_text(r, F_USER), text[0] ? SPAN_STR(text) : record_text(r, F_DEVICE),
			record_text(r, F_RULE), record_text(r, F_SIGNER));
}

void drives_take(struct gather *g, const struct store_row *row)
{
	const struct record *r = &row->record;
	struct spell *open;
	struct drive *d;

	switch (record_number(r, F_KIND, 0)) {
	case KIND_PLUG:
		plugged(g, row);
		break;
	case KIND_UNPLUG:
		d = drive_of(g, row);
		open = d ? spell_open(g, row, d) : NULL;
		if (open)
			open->until_us = time_of(r);
		break;
	case KIND_DECISION:
		decided(g, row);
		break;
	case KIND_DENIED:
		denied(g, row, false);
		break;
	case KIND_WRITE_SEEN:
		denied(g, row, true);
		break;
	case KIND_RELEASE:
		coded(g, row, false);
		break;
	case KIND_RELEASE_REFUSED:
		coded(g, row, true);
		break;
	case KIND_PRINTER_CONNECT:
		g->f.connects += record_number(r, F_COUNT, 1);
		exception_add(g, row, "printer-connect", record_text(r, F_USER), record_text(r, F_ADDRESS), SPAN("", 0),
			SPAN("", 0));
		break;
	default:
		break;
	}
}

/* --- bytes --- */

/* SCSI disks have 16 numbers each, one for the disk and the others for its partitions (Linux, devices.txt). */
static bool is_on(const struct spell *s, const char *device)
{
	unsigned of, number_of;

	return s->has_dev && sscanf(device, "%u:%u", &of, &number_of) == 2 && of == s->dev_major &&
	       number_of >= s->dev_minor && number_of < s->dev_minor + 16;
}

static int by_host(const void *a, const void *b)
{
	const struct spell *x = a, *y = b;
	int r = memcmp(x->host.b, y->host.b, DIGEST_SIZE);

	return r ? r : (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

/* Where the host's spells begin. */
static unsigned first_of(const struct gather *g, const struct digest *host)
{
	unsigned lo = 0, hi = g->spells_n;

	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (memcmp(g->spells[mid].host.b, host->b, DIGEST_SIZE) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct drive *drive_at(struct gather *g, const struct store_row *row)
{
	char device[32];
	struct drive *only = NULL;
	bool several = false;
	int64_t t = time_of(&row->record);
	unsigned i;

	/* The pass before made them, in the order of time; none comes any more. */
	if (!g->spells_sorted && g->spells_n)
		qsort(g->spells, g->spells_n, sizeof(*g->spells), by_host);
	g->spells_sorted = true;
	keep_text(device, sizeof(device), record_text(&row->record, F_DEVICE));
	for (i = first_of(g, &row->host); i < g->spells_n; i++) {
		const struct spell *s = &g->spells[i];

		if (!digest_eq(&s->host, &row->host) || s->from_us > t)
			break;
		if ((s->until_us != INT64_MAX && s->until_us + LATE_US < t) || !s->drive->storage)
			continue;
		if (is_on(s, device))
			return s->drive;
		several |= only && only != s->drive;
		only = s->drive;
	}
	return several ? NULL : only;
}

void drives_bytes(struct gather *g, const struct store_row *row)
{
	uint64_t n = record_number(&row->record, F_WRITTEN, 0);
	struct drive *d;
	struct person *p;

	if (!n)
		return;
	d = drive_at(g, row);
	p = tally_at(&g->persons, record_text(&row->record, F_USER));
	if (!p) {
		g->error = -ENOMEM;
		return;
	}
	g->f.bytes += n;
	g->f.files++;
	g->bytes_by[bar_of(g, time_of(&row->record))] += n;
	p->bytes += n;
	p->files++;
	if (d) {
		d->bytes += n;
		d->files++;
	} else {
		g->bytes_unknown += n;
		g->files_unknown++;
	}
}

/* --- before the period --- */

void drives_earlier(struct gather *g, const struct store_row *row)
{
	_cleanup_buf_ struct buf key = BUF_INIT(64 << 10);
	struct drive *d = key_of(row, &key) ? NULL : tally_find(&g->drives, buf_span(&key));

	/* Newest first: the last word is the earliest. */
	if (d)
		d->earlier_us = time_of(&row->record);
}

void drives_end(struct gather *g)
{
	unsigned i;

	for (i = 0; i < g->drives.n; i++) {
		const struct drive *d = (struct drive *)g->drives.v[i];

		if (!d->seen || !d->storage)
			continue;
		g->f.drives++;
		g->f.drives_new += !d->earlier_us;
		g->f.drives_held += d->has_access && d->access != ACCESS_READ_WRITE;
	}
}
