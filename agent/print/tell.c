/*
 * Records of print jobs and queues. Called by the daemon's other parts. What people and printers say goes into a record
 * as it is; readers escape.
 */
#include "agent/print/print.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <errno.h>

#define PRINTER_UP_MAX 16

static int put(struct gate *g, struct record *r)
{
	int got;

	if (!g->sealer)
		return V_FULL;
	record_set_int(r, F_TIME, clock_wall_us());
	record_set_int(r, F_BOOT_TIME, clock_boot_us());
	record_set_uint(r, F_POLICY, g->orders.version);
	/* It lies in the spool's open segment now, which outlives this process; it is sealed when nobody waits. */
	got = sealer_put(g->sealer, r, false);
	g->seal_wanted = true;
	if (got < 0)
		gate_fail(g, got, "spool");
	return got ? V_FULL : 0;
}

static void begin(struct record *r, unsigned kind)
{
	record_reset(r);
	record_set_uint(r, F_KIND, kind);
}

static const char *either(const char *a, const char *b)
{
	return a && a[0] ? a : b;
}

/* --- a job --- */

struct room {
	char options[3][64];
	char request_uri[512];
};

/* The option where the job has it, else as CUPS completed it, else what the queue does by default. */
static const char *setting(const struct job *j, const char *name, char room[64])
{
	char fallback[64];

	if (j->request.options && request_option(j->request.options, name, room, 64) && room[0])
		return room;
	if (job_text(j->ipp, name)[0])
		return job_text(j->ipp, name);
	snprintf(fallback, sizeof(fallback), "%s-default", name);
	return job_text(j->queue, fallback);
}

static uint64_t number_up(const struct job *j)
{
	char room[64];
	const char *s = setting(j, "number-up", room);
	unsigned long n = strtoul(s[0] ? s : "1", NULL, 10);

	if (!n)
		n = (unsigned long)job_number(j->ipp, "number-up");
	return n >= 1 && n <= PRINTER_UP_MAX ? n : 1;
}

static unsigned sides_of(const char *sides)
{
	const struct enum_info *e = enum_by_name(F_SIDES, sides);

	return e ? (unsigned)e->value : 0;
}

/* Sheets of paper: computed, since what CUPS counts is wrong for one page on both sides, and for padding. */
static uint64_t sheets_of(uint64_t pages, uint64_t up, uint64_t copies, unsigned sides)
{
	uint64_t faces = (pages + up - 1) / up;

	return (sides > SIDES_ONE ? (faces + 1) / 2 : faces) * copies;
}

static void set_user(struct record *r, const struct job *j)
{
	record_set_text(r, F_USER, job_user(j));
	if (j->request.authenticated)
		record_set_uint(r, F_UID, j->request.uid);
	else
		record_set_text(r, F_JOB_USER, job_said(j));
}

/* What both of a job's records say. */
static void describe(struct record *r, struct job *j, struct room *room)
{
	const char *uri = either(j->request.uri, job_text(j->queue, "device-uri"));
	unsigned sides = sides_of(setting(j, "sides", room->options[0]));
	const char *mode = setting(j, "print-color-mode", room->options[1]);

	set_user(r, j);
	record_set_uint(r, F_JOB, j->id);
	record_set_uint(r, F_ATTEMPT, j->attempt ? j->attempt : 1);
	record_set_text(r, F_PRINTER, either(j->request.printer, job_text(j->queue, "printer-name")));
	record_set_text(r, F_PRINTER_CLASS, j->request.printer_class);
	record_set_text(r, F_PRINTER_URI, uri);
	record_set_text(r, F_LOCATION, either(j->request.location, job_text(j->queue, "printer-location")));
	record_set_text(r, F_TITLE, either(job_text(j->ipp, "job-name"), j->request.title));
	record_set_text(r, F_DOCUMENT_NAME, job_text(j->ipp, "document-name-supplied"));
	record_set_text(r, F_REMOTE, job_text(j->ipp, "job-originating-host-name"));
	record_set_text(r, F_JOB_UUID, job_text(j->ipp, "job-uuid"));
	record_set_text(r, F_OPTIONS, j->request.options);
	record_set_text(r, F_MEDIA, setting(j, "media", room->options[2]));
	record_set_uint(r, F_COPIES, j->request.copies_n ? j->request.copies_n : 1);
	record_set_uint(r, F_NUMBER_UP, number_up(j));
	if (sides)
		record_set_uint(r, F_SIDES, sides);
	if (!strcmp(mode, "monochrome") || !strcmp(mode, "bi-level"))
		record_set_uint(r, F_COLOUR, COLOUR_MONO);
	else if (!strcmp(mode, "color"))
		record_set_uint(r, F_COLOUR, COLOUR_COLOUR);
	if (j->created_s)
		record_set_int(r, F_CREATED, j->created_s * 1000000);
}

static void set_decision(struct record *r, const struct job *j)
{
	if (!j->action)
		return;
	record_set_uint(r, F_ACTION, j->decided.action);
	record_set_uint(r, F_POLICY_MODE, j->decided.note ? POLICY_MODE_NOTE : POLICY_MODE_ENFORCE);
	record_set_text(r, F_RULE, j->decided.rule);
	if (j->stamp)
		record_set_uint(r, F_STAMP, j->stamp);
}

static void set_documents(struct record *r, const struct job *j, const struct document_facts *d)
{
	unsigned i;

	if (j->request.documents_n)
		record_set_uint(r, F_DOCUMENTS, j->request.documents_n);
	if (d->bytes)
		record_set_uint(r, F_SIZE, d->bytes);
	if (d->has_hash)
		record_set_span(r, F_HASH, SPAN(&d->hash, sizeof(d->hash)));
	record_set_text(r, F_FORMAT, either(d->format, j->request.type));
	record_set_text(r, F_GENERATOR, d->generator);
	record_set_text(r, F_FINDINGS, d->findings);
	record_set_text(r, F_FOUND, d->found);
	record_set_text(r, F_KNOWN_DOCUMENTS, d->known_words);
	for (i = 0; i < NUMBERS; i++)
		if (d->numbers[i])
			record_set_uint(r, print_number_field((enum print_number)i), d->numbers[i]);
	if (d->colour && !(record_has(r, F_COLOUR) && r->v[F_COLOUR].u == COLOUR_MONO))
		record_set_uint(r, F_COLOUR, d->colour);
	if (!record_has(r, F_MEDIA))
		record_set_text(r, F_MEDIA, d->media);
	if (d->has_pages) {
		unsigned sides = record_has(r, F_SIDES) ? (unsigned)r->v[F_SIDES].u : 0;

		record_set_uint(r, F_PAGES, d->pages);
		record_set_uint(r, F_COUNTED, d->exact ? COUNTED_EXACT : COUNTED_ESTIMATE);
		record_set_uint(r, F_SHEETS, sheets_of(d->pages, number_up(j), j->request.copies_n, sides));
	}
}

int tell_print(struct gate *g, struct job *j, const struct document_facts *d)
{
	struct origin_room origin;
	struct record r;
	struct room room;

	begin(&r, KIND_PRINT);
	describe(&r, j, &room);
	set_decision(&r, j);
	record_set_text(&r, F_TEXT, j->decided.reason);
	set_documents(&r, j, d);
	kernel_hear(g);
	origin_tell(g, &r, j, &origin);
	return put(g, &r);
}

/* Documents that were still being looked into when the job was judged: what was found since. */
static void set_late(struct gate *g, struct record *r, struct job *j, struct document_facts *d)
{
	if (j->never_looked)
		record_set_text(r, F_FINDINGS, "the print gate ended before the documents were looked into");
	if (j->inspected_told || !j->documents_n)
		return;
	documents_facts(g, j, d);
	set_documents(r, j, d);
}

/* Nothing was printed of what was stopped, whatever filters counted before. */
static void set_impressions(struct record *r, const struct job *j, unsigned outcome)
{
	int64_t n = job_number(j->ipp, "job-impressions-completed");

	if (j->stop_was_ours)
		n = 0;
	if (json_object_get(j->ipp, "job-impressions-completed") && n >= 0 && outcome != OUTCOME_PURGED)
		record_set_uint(r, F_IMPRESSIONS, (uint64_t)n);
}

/* CUPS itself ends the backend of a job that somebody cancels. */
static void set_killed(struct record *r, const struct job *j, unsigned outcome)
{
	if (!j->killed_by || outcome != OUTCOME_ABORTED)
		return;
	record_set_uint(r, F_SIGNAL, j->killed_by);
	record_set_text(r, F_TEXT, "its backend was killed, which CUPS takes for success");
}

void tell_result(struct gate *g, struct job *j, unsigned outcome)
{
	int64_t begun = job_number(j->ipp, "time-at-creation"), ended = job_number(j->ipp, "time-at-completed");
	struct document_facts d;
	struct record r;
	struct room room;

	begin(&r, KIND_PRINT_RESULT);
	describe(&r, j, &room);
	set_decision(&r, j);
	set_late(g, &r, j, &d);
	record_set_uint(&r, F_OUTCOME, outcome);
	set_impressions(&r, j, outcome);
	record_set_text(&r, F_TEXT, job_text(j->ipp, "job-printer-state-message"));
	set_killed(&r, j, outcome);
	if (begun > 0 && ended >= begun)
		record_set_int(&r, F_DURATION, (ended - begun) * 1000000);
	put(g, &r);
}

void tell_missed(struct gate *g, struct job *j, unsigned outcome)
{
	struct origin_room origin;
	struct record r;
	struct room room;

	g->missed++;
	begin(&r, KIND_PRINT_MISSED);
	describe(&r, j, &room);
	record_set_uint(&r, F_CAUSE, CAUSE_GATE_DOWN);
	record_set_text(&r, F_FORMAT, job_text(j->ipp, "document-format"));
	record_set_uint(&r, F_OUTCOME, outcome);
	set_impressions(&r, j, 0);
	kernel_hear(g);
	origin_tell(g, &r, j, &origin);
	record_set_text(&r, F_TEXT, g->outside.text[0] ? g->outside.text : "no wrapper asked for it");
	set_killed(&r, j, outcome);
	put(g, &r);
}

void tell_route(struct gate *g, const struct request *q)
{
	const struct job *j = job_find(g, (unsigned)q->job_id);
	struct record r;

	begin(&r, KIND_PRINT_ROUTE);
	record_set_uint(&r, F_JOB, q->job_id);
	record_set_text(&r, F_USER, j ? job_user(j) : q->user);
	record_set_text(&r, F_JOB_USER, q->user);
	record_set_text(&r, F_TITLE, q->title);
	record_set_text(&r, F_PRINTER, q->printer);
	record_set_text(&r, F_ROUTE, q->uri);
	put(g, &r);
}

void tell_release(struct gate *g, const struct job *j, const char *by, const char *reason)
{
	struct record r;

	begin(&r, KIND_PRINT_RELEASE);
	record_set_uint(&r, F_JOB, j->id);
	record_set_text(&r, F_USER, by);
	record_set_text(&r, F_JOB_USER, job_user(j));
	record_set_text(&r, F_TITLE, job_text(j->ipp, "job-name"));
	record_set_text(&r, F_PRINTER, j->released_printer);
	record_set_text(&r, F_RULE, j->decided.rule);
	record_set_text(&r, F_TEXT, reason);
	put(g, &r);
}

void tell_copy(struct gate *g, const struct copy_told *t, unsigned cause, const char *text)
{
	struct record r;

	begin(&r, KIND_PRINT_COPY);
	record_set_uint(&r, F_JOB, t->job);
	record_set_uint(&r, F_ATTEMPT, t->attempt ? t->attempt : 1);
	record_set_text(&r, F_USER, t->user);
	record_set_text(&r, F_JOB_USER, t->said);
	record_set_text(&r, F_TITLE, t->title);
	record_set_text(&r, F_PRINTER, t->printer);
	record_set_text(&r, F_RULE, t->rule);
	record_set_text(&r, F_COPY, t->name);
	if (t->has_hash) {
		record_set_span(&r, F_HASH, SPAN(&t->hash, sizeof(t->hash)));
		record_set_uint(&r, F_SIZE, t->bytes);
	}
	if (cause)
		record_set_uint(&r, F_CAUSE, cause);
	record_set_text(&r, F_TEXT, text);
	put(g, &r);
}

/* --- queues, and the gate itself --- */

void tell_queue(struct gate *g, const struct queue *q)
{
	struct record r;

	begin(&r, KIND_PRINT_QUEUE);
	record_set_text(&r, F_PRINTER, q->name);
	record_set_text(&r, F_PRINTER_URI, q->uri);
	record_set_text(&r, F_LOCATION, q->location);
	record_set_uint(&r, F_GATE, q->inside ? GATE_INSIDE : GATE_OUTSIDE);
	record_set_text(&r, F_TEXT, q->reason.text);
	put(g, &r);
}

void tell_start(struct gate *g)
{
	struct record r;

	begin(&r, KIND_PRINT_START);
	record_set_text(&r, F_TEXT, g->inspect ? NULL : "there is no inspector: documents are not looked into");
	put(g, &r);
}

void tell_stop(struct gate *g)
{
	struct record r;

	begin(&r, KIND_PRINT_STOP);
	record_set_text(&r, F_TEXT,
		policy_print_unavailable(g->orders.policy) == ACTION_HOLD ? "jobs are held until it is back"
									  : "jobs print, and are told when it is back");
	service_put_stop(&r, &g->asked);
	put(g, &r);
}
