/*
 * Records back to the facts that a policy decides by. See replay.h. Pure; called for each record of a search. Every
 * string of a record is from outside: cut at its room, like what devices and users said in the first place.
 */
#include "policy/rule/replay.h"
#include "policy/base/text.h"
#include "policy/rule/drives.h"
#include "policy/rule/protected.h"

#define TEXT_SIZE 1024
#define PATH_SIZE 4096

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* A value of a newer program, or of a forger's, has no name here. */
static bool has_name(const struct record *r, unsigned f)
{
	return record_has(r, f) && enum_by_value(f, r->v[f].u);
}

static bool was_noted(const struct record *r)
{
	return record_number(r, F_POLICY_MODE, 0) == POLICY_MODE_NOTE;
}

/* The person, in `user`; NULL where nobody was known; somebody without a name where that is not looked at. */
static struct device_user who(
	const struct record *r, const char *host, const char *const *groups, bool blind, char *user, size_t size)
{
	text_copy(user, size, blind ? SPAN("", 0) : record_text(r, F_USER));
	return (struct device_user){.user = blind || user[0] ? user : NULL,
		.groups = groups,
		.host = host,
		.wall_us = record_has(r, F_TIME) ? r->v[F_TIME].i : 0};
}

/* --- devices --- */

/* "08:06:50,03:01:01" */
static void take_interfaces(struct device *d, const struct record *r)
{
	char text[DEVICE_INTERFACES_MAX * 9];
	unsigned class, subclass, protocol;
	const char *at = text;
	int end = 0;

	text_copy(text, sizeof(text), record_text(r, F_INTERFACES));
	while (d->interfaces_n < DEVICE_INTERFACES_MAX &&
		sscanf(at, "%2x:%2x:%2x%n", &class, &subclass, &protocol, &end) == 3) {
		d->interface[d->interfaces_n++] = (struct device_interface){
			.class = (uint8_t) class, .subclass = (uint8_t)subclass, .protocol = (uint8_t)protocol};
		at += end;
		at += *at == ',';
	}
}

/* Another device with its serial number was there: only the reason says so, of a rule and of a row alike. */
static bool was_twin(const struct record *r)
{
	static const struct decision twin = {.because = BECAUSE_TWIN};
	char told[POLICY_REASON_SIZE], text[POLICY_REASON_SIZE];

	text_copy(told, sizeof(told), record_text(r, F_TEXT));
	policy_reason(&twin, LANG_EN, text);
	return strstr(told, text) != NULL;
}

static void take_device(struct device *d, const struct record *r, unsigned kind)
{
	char id[16];
	unsigned vendor, product;

	*d = (struct device){.kinds = 1ull << kind};
	text_copy(id, sizeof(id), record_text(r, F_USB_ID));
	if (sscanf(id, "%4x:%4x", &vendor, &product) == 2) {
		d->usb = true;
		d->vendor = (uint16_t)vendor;
		d->product = (uint16_t)product;
	}
	text_copy(d->vendor_name, sizeof(d->vendor_name), record_text(r, F_MAKER));
	text_copy(d->product_name, sizeof(d->product_name), record_text(r, F_PRODUCT));
	text_copy(d->serial, sizeof(d->serial), record_text(r, F_SERIAL));
	text_copy(d->port, sizeof(d->port), record_text(r, F_PORT));
	if (record_has(r, F_FINGERPRINT) && r->v[F_FINGERPRINT].s.n == DIGEST_SIZE) {
		d->has_fingerprint = true;
		memcpy(d->fingerprint.b, r->v[F_FINGERPRINT].s.p, DIGEST_SIZE);
	}
	d->size = record_number(r, F_SIZE, 0);
	take_interfaces(d, r);
	d->twin = was_twin(r);
	d->encrypted = record_number(r, F_ACCESS, 0) == ACCESS_READ_WRITE;
}

static int of_device(const struct policy *p, const struct record *r, const char *host, const char *const *groups,
	bool blind, struct replay *out)
{
	uint64_t kind = record_number(r, F_DEVICE_KIND, 0);
	char rule[POLICY_NAME_SIZE + 16], user[256];
	struct device_user person = who(r, host, groups, blind, user, sizeof(user));
	struct decision now;
	struct device d;

	text_copy(rule, sizeof(rule), record_text(r, F_RULE));
	if (!has_name(r, F_DEVICE_KIND) || kind >= DEVICE_KINDS || !has_name(r, F_ACCESS) ||
		(!begins(rule, "rule:") && !begins(rule, "ledger:") && !begins(rule, "default:")))
		return V_NOT_FOUND;
	take_device(&d, r, (unsigned)kind);
	policy_decide(p, &d, (unsigned)kind, &person, &now);
	out->of_device = true;
	out->of_drive = out->of_file = false;
	out->decided = (unsigned)record_number(r, F_ACCESS, 0);
	out->noted = was_noted(r);
	out->was = out->noted ? ACCESS_READ_WRITE : out->decided;
	out->now = now.note ? ACCESS_READ_WRITE : now.access;
	snprintf(out->rule, sizeof(out->rule), "%s", now.rule);
	snprintf(out->reason, sizeof(out->reason), "%s", now.reason);
	policy_reason(&now, LANG_JA, out->reason_ja);
	return 0;
}

/* --- print jobs --- */

static unsigned in_force(unsigned action, bool note)
{
	return note || action == ACTION_NOTE ? ACTION_ALLOW : action;
}

/* What was decided, and what would be now. */
static void compared(struct replay *out, const struct record *r, unsigned action, bool note, const char *rule,
	const char *reason, const char *reason_ja)
{
	out->decided = (unsigned)record_number(r, F_ACTION, ACTION_ALLOW);
	out->noted = was_noted(r);
	out->was = in_force(out->decided, out->noted);
	out->now = in_force(action, note);
	snprintf(out->rule, sizeof(out->rule), "%s", rule);
	snprintf(out->reason, sizeof(out->reason), "%s", reason);
	snprintf(out->reason_ja, sizeof(out->reason_ja), "%s", reason_ja);
}

/* A flag of findings (inspect_findings) that leaves nothing of a text unread. */
static bool is_harmless(const char *flag)
{
	static const char *const flags[] = {
		"gzip", "pjl", "encrypted", "damaged", "pages-claimed", "mixed-media", "ocr"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(flag, flags[i]))
			return true;
	return strspn(flag, "0123456789") && !strcmp(flag + strspn(flag, "0123456789"), " blank");
}

/*
 * What the agent held to be read, told by the findings that it wrote: flags with commas between them, then gaps as
 * "text: not-said (why)", with semicolons. `all`: pages and colour count too, as they do of print jobs.
 */
static bool was_read(const struct record *r, bool all)
{
	char text[TEXT_SIZE], *part, *rest = text, *flag;
	bool ocr;

	text_copy(text, sizeof(text), record_text(r, F_FINDINGS));
	ocr = strstr(text, "ocr") != NULL;
	while ((part = strsep(&rest, ";"))) {
		part += strspn(part, " ");
		if (strstr(part, ": ")) {
			if (all || (!begins(part, "pages: ") && !begins(part, "color: ")))
				return false;
			continue;
		}
		while ((flag = strsep(&part, ","))) {
			flag += strspn(flag, " ");
			if (*flag && !is_harmless(flag) && (strcmp(flag, "image-only") != 0 || !ocr))
				return false;
		}
	}
	return true;
}

static int of_print(const struct policy *p, const struct record *r, const char *host, const char *const *groups,
	bool blind, struct replay *out)
{
	char rule[POLICY_NAME_SIZE + 16], user[256], printer[256], printer_class[256], uri[TEXT_SIZE], location[256],
		title[TEXT_SIZE], format[256], area[POLICY_NAME_SIZE];
	struct print_facts f = {.who = who(r, blind ? "" : host, groups, blind, user, sizeof(user)),
		.printer = printer,
		.printer_class = printer_class,
		.uri = uri,
		.location = location,
		.title = title,
		.title_raw = title,
		.format = format,
		.area = area,
		.has_pages = record_has(r, F_PAGES),
		.pages = record_number(r, F_PAGES, 0),
		.copies = record_number(r, F_COPIES, 0) ? (unsigned)record_number(r, F_COPIES, 0) : 1,
		.colour = (unsigned)record_number(r, F_COLOUR, 0),
		.readable = was_read(r, true)};
	struct document_decision now;
	unsigned i;

	for (i = 0; i < NUMBERS; i++)
		f.numbers[i] = record_number(r, print_number_field((enum print_number)i), 0);

	text_copy(rule, sizeof(rule), record_text(r, F_RULE));
	if (!has_name(r, F_ACTION) || (!begins(rule, "print:") && strcmp(rule, "print-default") != 0))
		return V_NOT_FOUND;
	text_copy(printer, sizeof(printer), record_text(r, F_PRINTER));
	text_copy(printer_class, sizeof(printer_class), record_text(r, F_PRINTER_CLASS));
	text_copy(uri, sizeof(uri), record_text(r, F_PRINTER_URI));
	text_copy(location, sizeof(location), record_text(r, F_LOCATION));
	text_copy(title, sizeof(title), blind ? SPAN("", 0) : record_text(r, F_TITLE));
	text_copy(format, sizeof(format), record_text(r, F_FORMAT));
	policy_known_read(p, record_text(r, F_KNOWN_DOCUMENTS), f.known);
	text_copy(area, sizeof(area), blind ? SPAN("", 0) : record_text(r, F_AREA));
	policy_print(p, &f, &now);
	out->of_device = out->of_drive = out->of_file = false;
	compared(out, r, now.action, now.note, now.rule, now.reason, now.reason_ja);
	return 0;
}

/* --- files on drives --- */

static int of_drive(const struct policy *p, const struct record *r, const char *host, const char *const *groups,
	bool blind, struct replay *out)
{
	char rule[POLICY_NAME_SIZE + 16], user[256], path[PATH_SIZE], format[256];
	struct drive_facts f = {.who = who(r, blind ? "" : host, groups, blind, user, sizeof(user)),
		.path = path,
		.format = format,
		.cloud = record_number(r, F_CLASS, 0) == CLASS_CLOUD,
		.size = record_number(r, F_SIZE, 0),
		.readable = was_read(r, false)};
	struct document_decision now;
	unsigned i;

	text_copy(rule, sizeof(rule), record_text(r, F_RULE));
	if (!has_name(r, F_ACTION) || (!begins(rule, "drives:") && strcmp(rule, "drives-default") != 0))
		return V_NOT_FOUND;
	policy_known_read(p, record_text(r, F_KNOWN_DOCUMENTS), f.known);
	text_copy(path, sizeof(path), blind ? SPAN("", 0) : record_text(r, F_PATH));
	text_copy(format, sizeof(format), record_text(r, F_FORMAT));
	for (i = 0; i < NUMBERS; i++)
		f.numbers[i] = record_number(r, print_number_field((enum print_number)i), 0);
	policy_drive(p, &f, &now);
	out->of_device = out->of_file = false;
	out->of_drive = true;
	compared(out, r, now.action, now.note, now.rule, now.reason, now.reason_ja);
	return 0;
}

/* --- protected files --- */

static bool is_of_file(const struct record *r)
{
	uint64_t kind = record_number(r, F_KIND, 0);

	return kind == KIND_FILE || kind == KIND_FILE_REFUSED;
}

/* By its path; of what lies on a share, which the record does not name, by the area that it was in. */
static int area_now(const struct policy *p, const struct record *r)
{
	char was[POLICY_NAME_SIZE];
	int area = policy_area_of(p, record_text(r, F_PATH), NULL);
	unsigned i;

	text_copy(was, sizeof(was), record_text(r, F_AREA));
	for (i = 0; area < 0 && was[0] && i < policy_areas_n(p); i++)
		if (policy_area_shares(p, i) && !strcmp(policy_area_name(p, i), was))
			area = (int)i;
	return area;
}

bool replay_concerns(const struct policy *p, const struct record *r)
{
	/* What permissions refused no policy decided. */
	if (record_number(r, F_KIND, 0) == KIND_FILE_REFUSED && !record_has(r, F_ACTION))
		return false;
	return !is_of_file(r) || record_has(r, F_AREA) || area_now(p, r) >= 0;
}

static int of_file(const struct policy *p, const struct record *r, const char *host, const char *const *groups,
	bool blind, struct replay *out)
{
	char user[256], program[PATH_SIZE];
	struct area_facts f = {.who = who(r, host, groups, false, user, sizeof(user)), .program = program};
	struct area_decision now = {.action = ACTION_ALLOW, .rule = "no area"};
	int area = area_now(p, r);

	if (blind || (record_has(r, F_AREA) && !has_name(r, F_ACTION)) || (!record_has(r, F_AREA) && area < 0))
		return V_NOT_FOUND;
	text_copy(program, sizeof(program), record_text(r, F_PROGRAM));
	f.no_purpose = span_begins(record_text(r, F_RULE), "purpose:");
	if (area >= 0)
		policy_area(p, (unsigned)area, &f, &now);
	out->of_device = out->of_drive = false;
	out->of_file = true;
	compared(out, r, now.action, now.note, now.rule, now.reason, now.reason_ja);
	return 0;
}

int replay_record(const struct policy *p, const struct record *r, const char *host, const char *const *groups,
	bool blind, struct replay *out)
{
	uint64_t kind = record_number(r, F_KIND, 0);

	return kind == KIND_DECISION     ? of_device(p, r, host, groups, blind, out)
	       : kind == KIND_PRINT      ? of_print(p, r, host, groups, blind, out)
	       : kind == KIND_DRIVE_FILE ? of_drive(p, r, host, groups, blind, out)
	       : is_of_file(r)           ? of_file(p, r, host, groups, blind, out)
					 : V_NOT_FOUND;
}
