/*
 * Copies for the auditor of files that were written to drives, where the policy asks for them (agent/evidence). Called
 * by written.c, which has told the file already; each copy is a record of its own, and so is each that could not be
 * made.
 *
 * The descriptor of a file that waits for its copy keeps the drive busy as one that waits for a look does. A copy is as
 * large as its file, also where that is too large to be looked into: what bounds it is the room of the folder, which
 * evidence_step() watches.
 */
#include "agent/guard/written.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <time.h>

/* Sorts by time, and by the order of files within a second. */
void written_copies_name(struct guard *g, const struct written_file *f, char out[WRITTEN_COPY_NAME_SIZE])
{
	time_t at = (time_t)(clock_wall_us() / 1000000);
	struct tm tm;
	char text[32];

	gmtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(out, WRITTEN_COPY_NAME_SIZE, "%s-drive-%06llu-%llu", text,
		(unsigned long long)g->written->files % 1000000, (unsigned long long)f->ino);
}

static void copying_free(struct written_copying *k)
{
	evidence_copy_free(k->copy);
	closep(&k->fd);
	free(k->path);
	free(k);
}

static int on_idle(sd_event_source *source, void *ctx);

static void arm(struct guard *g)
{
	struct written_copies *c = &g->written->copies;
	int r = service_idle(g->event, &c->idle, c->first != NULL, on_idle, g);

	if (r)
		guard_fail(g, r, "copies");
}

void written_copy(struct guard *g, const struct written_file *f, const char *path, const char *name, const char *user,
	const struct document_decision *d)
{
	struct written_copying *k = calloc(1, sizeof(*k));
	struct written_copies *c = &g->written->copies;
	bool room = c->waiting < WRITTEN_COPIES_MAX;

	if (!k) {
		guard_fail(g, -ENOMEM, "copies");
		return;
	}
	k->fd = room ? fcntl(f->fd, F_DUPFD_CLOEXEC, 0) : -1;
	k->path = strdup(path);
	k->cloud = f->cloud;
	snprintf(k->user, sizeof(k->user), "%s", user ? user : "");
	k->dev = f->dev;
	k->ino = f->ino;
	snprintf(k->name, sizeof(k->name), "%s", name);
	snprintf(k->device, sizeof(k->device), "%s", f->device);
	snprintf(k->rule, sizeof(k->rule), "%s", d->rule);
	if (k->fd < 0 || !c->folder) {
		tell_written_copy(g, k, room ? CAUSE_COPY_FAILED : CAUSE_COPIES_FULL,
			!room        ? "too many files wait for their copy"
			: !c->folder ? "there is no folder for copies"
				     : "it cannot be held open");
		copying_free(k);
		return;
	}
	*c->last = k;
	c->last = &k->next;
	c->waiting++;
	arm(g);
}

static void end(struct guard *g, struct written_copying *k, int r, const struct why *why)
{
	struct written_copies *c = &g->written->copies;
	const char *text = why->text[0] ? why->text : r < 0 ? strerror(-r) : "it could not be made";

	if (!r)
		evidence_made(k->copy, &k->hash, &k->bytes);
	else
		log_warning("a copy for the auditor was not made: %s", text);
	tell_written_copy(g, k, !r ? 0 : r == V_FULL ? CAUSE_COPIES_FULL : CAUSE_COPY_FAILED, r ? text : NULL);
	c->first = k->next;
	if (!c->first)
		c->last = &c->first;
	c->waiting--;
	copying_free(k);
	arm(g);
}

static int on_idle(sd_event_source *source, void *ctx)
{
	struct guard *g = ctx;
	struct written_copying *k = g->written->copies.first;
	struct why why = {""};
	int r;

	(void)source;
	if (!k) {
		arm(g);
		return 0;
	}
	r = evidence_go_on(g->written->copies.folder, k->name, k->fd, &k->copy, &why);
	if (r != V_AGAIN)
		end(g, k, r, &why);
	return 0;
}

/* Beside the copies of prints, which another program counts and bounds. */
static int open_folder(struct guard *g, struct why *why)
{
	char path[PATH_MAX], drives[PATH_MAX + 16];
	int r = agent_path(path, sizeof(path), EVIDENCE_FOLDER);

	r = r ? r : dir_make(path, 0700);
	snprintf(drives, sizeof(drives), "%s/drives", path);
	return r ? r : evidence_open(drives, &g->written->copies.folder, why);
}

void written_copies_order(struct guard *g)
{
	struct print_copies c;
	struct evidence_orders o;
	struct why why = {""};
	int r;

	if (!policy_drives_copies(g->orders.policy, &c))
		return;
	o = (struct evidence_orders){
		.certificates = c.auditors, .second = c.second, .max_bytes = c.max_bytes, .oldest_goes = c.oldest_goes};
	r = g->written->copies.folder ? 0 : open_folder(g, &why);
	r = r ? r : evidence_order(g->written->copies.folder, &o, &why);
	if (r)
		log_error("copies for the auditor cannot be made: %s",
			why.text[0] ? why.text : strerror(r < 0 ? -r : EINVAL));
}

bool written_copies_wait(const struct guard *g, dev_t dev, ino_t ino)
{
	const struct written_copying *k;

	for (k = g->written->copies.first; k; k = k->next)
		if (k->dev == dev && k->ino == ino)
			return true;
	return false;
}

void written_copies_close(struct guard *g)
{
	struct written_copies *c = &g->written->copies;
	struct written_copying *k;

	while ((k = c->first)) {
		c->first = k->next;
		copying_free(k);
	}
	sd_event_source_disable_unref(c->idle);
	evidence_close(c->folder);
}
