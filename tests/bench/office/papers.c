/*
 * What an office does beside files, where it is asked for (office --papers, --whole): print jobs and what the policy
 * says of them, denied writes, release codes, losses, what a guard says of itself; and what servers tell: policies,
 * gaps, who looked at the logs. From dice of their own, so that the rest of an office's days stays what it is without
 * them. See office.h.
 */
#include "tests/bench/office/office.h"
#include <stdio.h>

struct paper {
	struct desk *d;
	office_put put;
	void *ctx;
	struct record r;
	int error;
};

static void begin(struct paper *p, unsigned kind)
{
	struct desk *d = p->d;

	d->now += 300 + dice_under(&d->side, 60000);
	record_reset(&p->r);
	record_set_uint(&p->r, F_KIND, kind);
	record_set_int(&p->r, F_TIME, d->now);
	record_set_int(&p->r, F_BOOT_TIME, d->now - d->booted);
	record_set_str(&p->r, F_USER, d->user);
}

static void tell(struct paper *p, unsigned teller)
{
	if (!p->error)
		p->error = p->put(p->ctx, teller, &p->r);
}

static void job(struct paper *p, unsigned kind, const char *printer)
{
	begin(p, kind);
	record_set_uint(&p->r, F_JOB, p->d->jobs);
	record_set_int(&p->r, F_CREATED, p->d->job_created);
	record_set_str(&p->r, F_PRINTER, printer);
	record_set_str(&p->r, F_TITLE, "=見積書");
}

static void print_one(struct paper *p, const char *printer, unsigned action, bool note, unsigned attempt,
	unsigned pages, unsigned copies, unsigned sheets, unsigned colour, unsigned numbers)
{
	struct record *r = &p->r;

	job(p, KIND_PRINT, printer);
	record_set_uint(r, F_ATTEMPT, attempt);
	record_set_uint(r, F_ACTION, action);
	record_set_uint(r, F_POLICY_MODE, note ? POLICY_MODE_NOTE : POLICY_MODE_ENFORCE);
	record_set_str(r, F_RULE, action == ACTION_ALLOW ? "default:print" : "rule:customers");
	record_set_uint(r, F_PAGES, pages);
	record_set_uint(r, F_COPIES, copies);
	record_set_uint(r, F_SHEETS, sheets);
	record_set_uint(r, F_COLOUR, colour);
	if (numbers)
		record_set_uint(r, F_MY_NUMBERS, numbers);
	/* No dice: the rest of the office stays what it is. */
	if (pages % 5 == 0)
		record_set_str(r, F_KNOWN_DOCUMENTS, pages % 10 ? "=価格表 45 %" : "=価格表 100 %; 第2案 7 % 30 %");
	tell(p, TELLER_PRINT);
}

static void prints(struct paper *p)
{
	struct desk *d = p->d;
	struct dice *dice = &d->side;
	char printer[32];
	unsigned what = dice_under(dice, 100), pages = 1 + dice_often(dice, 60), copies = 1 + dice_often(dice, 4);
	unsigned sheets = (pages + 1) / 2 * copies, colour = dice_chance(dice, 30) ? COLOUR_COLOUR : COLOUR_MONO;
	unsigned numbers = d->dept == DEPT_ACCOUNTS && dice_chance(dice, 10) ? 1 + dice_under(dice, 3) : 0;

	snprintf(printer, sizeof(printer), "%s-%u", d->dept == DEPT_DESIGN ? "plotter" : "office",
		dice_under(dice, 2) + 1);
	d->jobs++;
	d->job_created = d->now / 1000000 * 1000000;
	if (what < 84) {
		print_one(p, printer, ACTION_ALLOW, false, 1, pages, copies, sheets, colour, numbers);
		/* The printer was out of paper: the same job once more. */
		if (what < 4)
			print_one(p, printer, ACTION_ALLOW, false, 2, pages, copies, sheets, colour, numbers);
	} else if (what < 88) {
		print_one(p, printer, ACTION_NOTE, false, 1, pages, copies, sheets, colour, numbers);
	} else if (what < 91) {
		print_one(p, printer, ACTION_DENY, true, 1, pages, copies, sheets, colour, numbers);
	} else if (what < 94) {
		print_one(p, printer, ACTION_DENY, false, 1, pages, copies, sheets, colour, numbers);
	} else if (what < 99) {
		print_one(p, printer, ACTION_HOLD, false, 1, pages, copies, sheets, colour, numbers);
		if (dice_chance(dice, 60)) {
			job(p, KIND_PRINT_RELEASE, printer);
			record_set_str(&p->r, F_USER, "=chief.boss");
			record_set_str(&p->r, F_JOB_USER, d->user);
			record_set_str(&p->r, F_RULE, "rule:customers");
			tell(p, TELLER_PRINT);
			print_one(p, printer, ACTION_ALLOW, false, 2, pages, copies, sheets, colour, numbers);
		}
	} else {
		job(p, KIND_PRINT_MISSED, printer);
		record_set_uint(&p->r, F_CAUSE, CAUSE_GATE_DOWN);
		tell(p, TELLER_PRINT);
	}
}

static void drive(struct paper *p, unsigned kind)
{
	begin(p, kind);
	record_set_str(&p->r, F_USB_ID, p->d->number % 3 ? "0951:1666" : "056e:6014");
	record_set_str(&p->r, F_SERIAL, p->d->stick_serial);
	record_set_str(&p->r, F_INTERFACES, "08:06:50");
}

static void denied(struct paper *p)
{
	unsigned n = 1 + dice_often(&p->d->side, 5);

	drive(p, KIND_DENIED);
	record_set_str(&p->r, F_OPERATION, "open");
	record_set_str(&p->r, F_RULE, "default:storage");
	record_set_uint(&p->r, F_POLICY_MODE, dice_chance(&p->d->side, 20) ? POLICY_MODE_NOTE : POLICY_MODE_ENFORCE);
	if (n > 1)
		record_set_uint(&p->r, F_COUNT, n);
	tell(p, TELLER_GUARD);
}

static void code(struct paper *p)
{
	bool refused = dice_chance(&p->d->side, 25);

	drive(p, refused ? KIND_RELEASE_REFUSED : KIND_RELEASE);
	if (!refused) {
		record_set_str(&p->r, F_RULE, "release:7F3K");
		record_set_uint(&p->r, F_ACCESS, ACCESS_READ_WRITE);
	}
	tell(p, TELLER_GUARD);
}

static void lost(struct paper *p)
{
	begin(p, KIND_LOSS);
	record_set_uint(&p->r, F_CAUSE, dice_chance(&p->d->side, 50) ? CAUSE_RING_FULL : CAUSE_SPOOL_FULL);
	if (dice_chance(&p->d->side, 80))
		record_set_uint(&p->r, F_LOST, 1 + dice_under(&p->d->side, 500));
	tell(p, TELLER_RECORDER);
}

static void guard_starts(struct paper *p)
{
	begin(p, KIND_GUARD_START);
	record_set_uint(&p->r, F_ENFORCE, p->d->number % 17 == 5 ? ENFORCE_NONE : ENFORCE_FULL);
	tell(p, TELLER_GUARD);
	begin(p, KIND_POLICY);
	record_set_uint(&p->r, F_POLICY, 3);
	record_set_str(&p->r, F_SIGNER, "soumu.example");
	tell(p, TELLER_GUARD);
}

int desk_papers(struct desk *d, office_put put, void *ctx)
{
	struct paper p = {.d = d, .put = put, .ctx = ctx};
	unsigned what = dice_under(&d->side, 1000);

	if (what < 120)
		prints(&p);
	else if (what < 128)
		denied(&p);
	else if (what < 130)
		code(&p);
	else if (what < 132)
		lost(&p);
	else if (what < 140)
		guard_starts(&p);
	return p.error;
}

/* --- servers --- */

static void server(struct record *r, unsigned kind, int64_t now)
{
	record_reset(r);
	record_set_uint(r, F_KIND, kind);
	record_set_int(r, F_TIME, now);
	record_set_int(r, F_BOOT_TIME, 1000000);
}

int office_console(struct dice *dice, int64_t now, office_put put, void *ctx)
{
	static const char *const accounts[] = {"kansa", "joho.sys", "buchou"};
	static const unsigned kinds[] = {KIND_SIGN_IN, KIND_CONSOLE_VIEW, KIND_CONSOLE_SEARCH, KIND_CONSOLE_SEARCH,
		KIND_CONSOLE_EXPORT, KIND_CONSOLE_EXPORT, KIND_CONSOLE_REFUSED, KIND_SIGN_IN_REFUSED,
		KIND_CONSOLE_CHANGE};
	static const uint8_t hash[32] = {7};
	struct record r;
	unsigned n = 2 + dice_under(dice, 12);
	int x = 0;

	while (!x && n--) {
		unsigned kind = kinds[dice_under(dice, ARRAY_SIZE(kinds))];

		now += 1000000 + dice_under(dice, 60000000);
		server(&r, kind, now);
		record_set_str(&r, F_USER, accounts[dice_under(dice, ARRAY_SIZE(accounts))]);
		record_set_str(&r, F_REMOTE, "192.0.2.7");
		if (kind != KIND_CONSOLE_EXPORT) {
			record_set_str(
				&r, F_OPERATION, kind == KIND_CONSOLE_CHANGE ? "/api/v1/policy" : "/api/v1/records");
			x = put(ctx, TELLER_CONSOLE, &r);
			continue;
		}
		record_set_str(&r, F_OPERATION, dice_chance(dice, 30) ? "/api/v1/bundle" : "/api/v1/records.csv");
		x = put(ctx, TELLER_CONSOLE, &r);
		/* How it ended. */
		now += 1000000;
		record_set_int(&r, F_TIME, now);
		record_set_span(&r, F_HASH, SPAN(hash, sizeof(hash)));
		record_set_uint(&r, F_COUNT, 10);
		x = x ? x : put(ctx, TELLER_CONSOLE, &r);
	}
	return x;
}

int office_collector(
	struct dice *dice, int64_t now, const uint8_t peer[32], const char *peer_name, office_put put, void *ctx)
{
	struct record r;
	unsigned what = dice_under(dice, 10);

	if (what < 2) {
		server(&r, KIND_ADMIN, now);
		record_set_uint(&r, F_UID, 0);
		record_set_str(&r, F_TEXT, "policy 3 pushed, signed by soumu.example");
		return put(ctx, TELLER_COLLECTOR, &r);
	}
	if (what > 4)
		return 0;
	server(&r, what == 2 ? KIND_FORKED : KIND_GAP, now);
	record_set_span(&r, F_PEER, SPAN(peer, 32));
	record_set_str(&r, F_PEER_NAME, peer_name);
	record_set_uint(&r, F_FROM_SEQ, 10);
	record_set_uint(&r, F_TO_SEQ, 10 + dice_under(dice, 5));
	return put(ctx, TELLER_COLLECTOR, &r);
}
