/*
 * Records of files that were written to removable drives: what they are, what stands in them (counts and one masked
 * sample of a kind, never the numbers), what the policy says. Called by written.c and written_watch.c.
 */
#include "agent/guard/written.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sys/sysmacros.h>

#define WORDS_MAX 1024u

static void drive(struct guard *g, struct record *r, unsigned kind, const char *name, struct tell_room *room)
{
	struct disk *d;
	struct unit *u = unit_by_disk(g, name, &d);

	/* NULL: it was pulled since. */
	tell_begin(g, r, kind, u);
	if (!u)
		return;
	tell_describe(r, u, d, room);
	record_set_uint(r, F_DEVICE_KIND, d->kind);
	record_set_text(r, F_OWNER, d->decided.owner);
	record_set_text(r, F_LABEL, d->decided.label);
}

#define NUMBER_TEXT 32
/* Which file it is, by its file system, as the recorder's own record of the write has it. `text` is borrowed. */
static void file(struct record *r, dev_t dev, ino_t ino, const char *path, char text[NUMBER_TEXT])
{
	snprintf(text, NUMBER_TEXT, "%u:%u", major(dev), minor(dev));
	record_set_str(r, F_DEVICE, text);
	record_set_uint(r, F_INODE, ino);
	record_set_text(r, F_PATH, path);
}

static void process(struct record *r, const struct written_file *f)
{
	if (f->pid)
		record_set_uint(r, F_PID, f->pid);
	if (f->uid != UINT32_MAX)
		record_set_uint(r, F_UID, f->uid);
	if (f->login_uid != UINT32_MAX)
		record_set_uint(r, F_LOGIN_UID, f->login_uid);
	record_set_text(r, F_PROGRAM, f->program);
}

static const char *words(
	const struct inspect_facts *d, int (*put)(const struct inspect_facts *, struct buf *), struct buf *b)
{
	return put(d, b) || !b->n || !buf_str(b) ? NULL : (const char *)b->p;
}

static void set_facts(struct record *r, const struct inspect_facts *d, struct buf *findings, struct buf *found)
{
	if (d->has_hash)
		record_set_span(r, F_HASH, SPAN(&d->hash, sizeof(d->hash)));
	if (d->format != INSPECT_UNKNOWN)
		record_set_text(r, F_FORMAT, inspect_format_name(d->format));
	record_set_text(r, F_GENERATOR, d->generator);
	record_set_text(r, F_FINDINGS, words(d, inspect_findings, findings));
	record_set_text(r, F_FOUND, words(d, inspect_numbers, found));
	if (d->has_pages)
		record_set_uint(r, F_PAGES, d->pages);
}

/* Whose file it is, and not who sits at the PC. */
static void of_cloud(struct record *r, const char *user)
{
	record_drop(r, F_USER);
	record_drop(r, F_LOGIN_UID);
	record_set_text(r, F_USER, user);
	record_set_uint(r, F_CLASS, CLASS_CLOUD);
}

void tell_written(struct guard *g, const struct written_file *f, const char *path, bool gone, uint64_t size,
	const struct inspect_facts *facts, const struct drive_facts *judged, const struct document_decision *d,
	const char *copy)
{
	_cleanup_buf_ struct buf findings = BUF_INIT(WORDS_MAX), found = BUF_INIT(WORDS_MAX),
				 known = BUF_INIT(KNOWN_WORDS_MAX);
	char text[sizeof(d->reason) + 32], device[NUMBER_TEXT];
	struct tell_room room;
	struct record r;
	unsigned i;

	drive(g, &r, KIND_DRIVE_FILE, f->device, &room);
	if (f->cloud)
		of_cloud(&r, judged->who.user);
	process(&r, f);
	file(&r, f->dev, f->ino, path, device);
	record_set_uint(&r, F_SIZE, size);
	set_facts(&r, facts, &findings, &found);
	for (i = 0; i < NUMBERS; i++)
		if (judged->numbers[i])
			record_set_uint(&r, print_number_field((enum print_number)i), judged->numbers[i]);
	if (!policy_known_words(g->orders.policy, judged->known, &known) && known.n)
		record_set_text(&r, F_KNOWN_DOCUMENTS, buf_str(&known));
	record_set_uint(&r, F_ACTION, d->action);
	record_set_uint(&r, F_POLICY_MODE, d->note ? POLICY_MODE_NOTE : POLICY_MODE_ENFORCE);
	record_set_text(&r, F_RULE, d->rule);
	record_set_text(&r, F_COPY, copy);
	snprintf(text, sizeof(text), "%s%s", d->reason, gone ? "; deleted since" : "");
	record_set_text(&r, F_TEXT, text);
	tell_put(g, &r, d->action == ACTION_ALERT || d->action == ACTION_QUARANTINE);
}

void tell_written_copy(struct guard *g, const struct written_copying *k, unsigned cause, const char *text)
{
	struct tell_room room;
	struct record r;
	char device[NUMBER_TEXT];

	drive(g, &r, KIND_DRIVE_COPY, k->device, &room);
	if (k->cloud)
		of_cloud(&r, k->user);
	file(&r, k->dev, k->ino, k->path, device);
	record_set_text(&r, F_RULE, k->rule);
	record_set_text(&r, F_COPY, k->name);
	record_drop(&r, F_SIZE);
	if (cause) {
		record_set_uint(&r, F_CAUSE, cause);
	} else {
		record_set_span(&r, F_HASH, SPAN(&k->hash, sizeof(k->hash)));
		record_set_uint(&r, F_SIZE, k->bytes);
	}
	record_set_text(&r, F_TEXT, text);
	tell_put(g, &r, false);
}

void tell_hand(struct guard *g, const struct written_task *t, const struct seal_result *done, unsigned cause)
{
	char copy[SEAL_NAME_MAX + 16], device[NUMBER_TEXT], text[SEALED_REASON_MAX + sizeof(done->text) + 8];
	struct tell_room room;
	struct record r;

	drive(g, &r, t->opens ? KIND_DRIVE_OPENED : KIND_DRIVE_SEALED, t->device, &room);
	/* Of a release that was refused, and of a sealing that was cut off, it is not known which inode it is. */
	file(&r, t->opens ? (dev_t)done->dev : t->dev, t->opens ? (ino_t)done->ino : t->ino, t->path, device);
	if (!(t->opens ? done->ino : t->ino)) {
		record_drop(&r, F_DEVICE);
		record_drop(&r, F_INODE);
	}
	if (done->renamed)
		record_set_str(&r, F_PATH2, done->name);
	record_set_text(&r, F_RULE, t->decided.rule);
	record_drop(&r, F_SIZE);
	if (t->opens || done->verdict == SEAL_DONE) {
		const struct digest *hash = t->opens ? &t->order.secret.hash : &done->hash;

		record_set_span(&r, F_HASH, SPAN(hash->b, DIGEST_SIZE));
		record_set_uint(&r, F_SIZE, t->opens ? t->order.secret.bytes : done->bytes);
	}
	snprintf(copy, sizeof(copy), "%s" SEALED_SUFFIX, t->copy);
	record_set_text(&r, F_COPY, done->kept ? copy : NULL);
	if (cause)
		record_set_uint(&r, F_CAUSE, cause);
	record_set_text(&r, F_SIGNER, t->order.signer);
	snprintf(text, sizeof(text), "%s%s%s", t->order.reason, t->order.reason[0] && done->text[0] ? "; " : "",
		done->text);
	record_set_text(&r, F_TEXT, text);
	tell_put(g, &r, true);
}

bool tell_reason(struct guard *g, const struct reason_file *f, uid_t uid, const char *reason)
{
	char device[NUMBER_TEXT], user[64];
	struct tell_room room;
	struct record r;

	drive(g, &r, reason ? KIND_REASON_GIVEN : KIND_REASON_MISSING, f->device, &room);
	file(&r, f->dev, f->ino, f->path, device);
	person_name(g, f->uid, user);
	record_drop(&r, F_USER);
	record_set_text(&r, F_USER, user);
	record_set_uint(&r, F_LOGIN_UID, f->uid);
	if (reason)
		record_set_uint(&r, F_UID, uid);
	record_drop(&r, F_SIZE);
	if (f->has_hash)
		record_set_span(&r, F_HASH, SPAN(f->hash.b, DIGEST_SIZE));
	record_set_text(&r, F_RULE, f->rule);
	record_set_text(&r, F_TEXT, reason);
	return tell_surely(g, &r, true);
}

void tell_malware(struct guard *g, const struct written_file *f, uint64_t size, const char *name)
{
	char device[NUMBER_TEXT], link[32], path[WRITTEN_PATH_SIZE];
	struct tell_room room;
	struct record r;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", f->fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = 0;
	drive(g, &r, KIND_MALWARE, f->device, &room);
	process(&r, f);
	file(&r, f->dev, f->ino, path, device);
	record_set_uint(&r, F_SIZE, size);
	record_set_text(&r, F_FINDINGS, name);
	tell_put(g, &r, true);
}

void tell_scan_missed(struct guard *g, unsigned cause, uint64_t n, const char *text)
{
	struct record r;

	tell_begin(g, &r, KIND_SCAN_MISSED, NULL);
	record_set_uint(&r, F_CAUSE, cause);
	record_set_uint(&r, F_COUNT, n);
	record_set_text(&r, F_TEXT, text);
	tell_put(g, &r, true);
}

void tell_unwatched(struct guard *g, const struct written_place *p, const char *why)
{
	struct tell_room room;
	struct record r;
	char text[160];

	drive(g, &r, KIND_DRIVE_FILE, p->disk, &room);
	record_set_text(&r, F_PATH, p->target);
	snprintf(text, sizeof(text), "what is written there is not looked into: %s", why);
	record_set_text(&r, F_FINDINGS, text);
	tell_put(g, &r, true);
}
