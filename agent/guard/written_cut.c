/*
 * Sealings that were cut off while their medium was written to, by a kill, a power cut or a drive that was pulled: what
 * lies on the medium may be readable in part. Each left a note beside its sealed copy (seal.h); it is gone on with
 * where its drive is mounted, at once or when it is there again. Called by written.c and written_hand.c.
 *
 * A drive is known by vendor, product and serial number; that the file is the one is asked of its bytes. A note goes
 * when the record of its end is written, so one whose copy is gone is of a file that was sealed when the guard was
 * killed.
 */
#include "agent/guard/written.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>
#include <fcntl.h>

void written_cut_drive(struct guard *g, const char *disk, char *out, size_t size)
{
	struct disk *d;
	const struct unit *u = unit_by_disk(g, disk, &d);

	snprintf(out, size, "%04x:%04x:%s", u ? u->device.vendor : 0, u ? u->device.product : 0,
		u ? u->device.serial : "");
}

static struct written_cut *cut_add(struct guard *g, int folder, const char *copy)
{
	struct written_cut *c = calloc(1, sizeof(*c)), **at = &g->written->hand.cuts;
	int r = c ? seal_note_read(folder, copy, &c->note) : -ENOMEM;

	if (!r) {
		snprintf(c->copy, sizeof(c->copy), "%s", copy);
		c->next = *at;
		*at = c;
		return c;
	}
	free(c);
	/* Cut off before its medium's turn came. */
	if (r != V_NOT_FOUND)
		log_warning("quarantine: %s" SEAL_NOTE_SUFFIX ": %s", copy, r < 0 ? strerror(-r) : "no note of ours");
	return NULL;
}

static void cut_drop(struct written_hand *h, int folder, const char *copy)
{
	struct written_cut **at = &h->cuts, *c;

	seal_note_drop(folder, copy);
	while (*at && strcmp((*at)->copy, copy) != 0)
		at = &(*at)->next;
	c = *at;
	if (c) {
		*at = c->next;
		free(c);
	}
}

/* --- when the guard starts --- */

/* Its record is due: that it was cut off, or that it was sealed and nobody came to say so. */
static void tell_left(struct guard *g, int folder, const struct written_cut *c)
{
	struct written_task t = {.path = (char *)c->note.path};
	struct seal_result r = {.verdict = SEAL_BROKEN, .kept = true};
	char name[SEAL_NAME_MAX + 16];

	snprintf(t.copy, sizeof(t.copy), "%s", c->copy);
	snprintf(t.decided.rule, sizeof(t.decided.rule), "%s", c->note.rule);
	snprintf(name, sizeof(name), "%s" SEALED_SUFFIX, c->copy);
	if (!faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW)) {
		snprintf(r.text, sizeof(r.text),
			"cut off while the medium was written to; goes on when the drive is there");
		tell_hand(g, &t, &r, CAUSE_NOT_SEALED);
		return;
	}
	r = (struct seal_result){.verdict = SEAL_DONE, .hash = c->note.hash, .bytes = c->note.bytes};
	tell_hand(g, &t, &r, 0);
	cut_drop(&g->written->hand, folder, c->copy);
}

void written_cut_open(struct guard *g)
{
	_cleanup_close_ int folder = written_hand_folder(false);
	_cleanup_closedir_ DIR *dir = NULL;
	const struct written_cut *c;
	struct dirent *d;
	char copy[SEAL_NAME_MAX];
	int r = folder < 0 ? folder : dir_open_at(folder, ".", &dir);

	if (r && r != -ENOENT)
		guard_fail(g, r < 0 ? r : -EIO, "quarantine");
	while (!r && (d = readdir(dir))) {
		size_t n = strlen(d->d_name), suffix = strlen(SEAL_NOTE_SUFFIX);

		if (n <= suffix || n - suffix >= sizeof(copy) || strcmp(d->d_name + n - suffix, SEAL_NOTE_SUFFIX) != 0)
			continue;
		snprintf(copy, sizeof(copy), "%.*s", (int)(n - suffix), d->d_name);
		c = cut_add(g, folder, copy);
		if (c)
			tell_left(g, folder, c);
	}
}

/* --- later --- */

void written_cut_end(struct guard *g, const struct written_task *t, const struct seal_result *r)
{
	/* Another file lies there: nothing is left to be done. */
	bool over = r->verdict == SEAL_DONE || (r->verdict == SEAL_REFUSED && r->kept);
	bool is_new = r->verdict == SEAL_BROKEN && !t->resumes;
	_cleanup_close_ int folder = over || is_new ? written_hand_folder(false) : -1;
	struct written_cut *c;

	if (folder < 0)
		return;
	if (over)
		cut_drop(&g->written->hand, folder, t->copy);
	c = is_new ? cut_add(g, folder, t->copy) : NULL;
	/* Not at once: what went wrong would again. */
	if (c)
		c->tried = true;
}

void written_cut_look(struct guard *g)
{
	const struct written *w = g->written;
	char drive[sizeof(w->hand.cuts->note.drive)];
	struct written_cut *c;
	unsigned i;

	for (c = w->hand.cuts; c; c = c->next) {
		bool there = false;

		for (i = 0; i < w->places_n; i++) {
			written_cut_drive(g, w->place[i].disk, drive, sizeof(drive));
			if (w->place[i].fails || strcmp(drive, c->note.drive) != 0)
				continue;
			there = true;
			/* The drive may have other file systems: where the file is not, nothing is said. */
			if (!c->tried)
				written_hand_resume(g, c, &w->place[i]);
		}
		c->tried = there;
	}
}

void written_cut_close(struct guard *g)
{
	struct written_hand *h = &g->written->hand;
	struct written_cut *c;

	while ((c = h->cuts)) {
		h->cuts = c->next;
		free(c);
	}
}
