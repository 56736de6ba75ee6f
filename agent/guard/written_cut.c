/*
 * Sealings that were cut off while their medium was written to, by a kill, a power cut or a drive that was pulled: what
 * lies on the medium may be readable in part. Each left a note beside its sealed copy (seal.h); it is gone on with
 * where its drive is mounted, at once or when it is there again. Called by written.c and written_hand.c.
 *
 * A drive is known by vendor, product and serial number, which another one may have too; that the file is the one is
 * asked of its bytes, and where it is another one the note stays, for the drive that has it. A note goes when the
 * record of its end is written.
 */
#include "agent/guard/written.h"
#include "policy/base/file.h"
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

/* Its record is due: that it was cut off; or how it ended, and nobody came to say so. True: it is over. */
static bool tell_left(struct guard *g, int folder, const struct written_cut *c)
{
	struct written_task t = {.path = (char *)c->note.path};
	struct seal_result r = {.verdict = SEAL_BROKEN};
	char name[SEAL_NAME_MAX + 16];

	snprintf(t.copy, sizeof(t.copy), "%s", c->copy);
	snprintf(t.decided.rule, sizeof(t.decided.rule), "%s", c->note.rule);
	snprintf(name, sizeof(name), "%s" SEALED_SUFFIX, c->copy);
	if (c->note.done) {
		unlinkat(folder, name, 0);
		r = (struct seal_result){.verdict = SEAL_DONE, .hash = c->note.hash, .bytes = c->note.bytes};
		tell_hand(g, &t, &r, 0);
		return true;
	}
	r.kept = !faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW);
	if (r.kept)
		snprintf(r.text, sizeof(r.text),
			"cut off while the medium was written to; goes on when the drive is there");
	else
		snprintf(r.text, sizeof(r.text), "cut off while the medium was written to, and its copy is gone");
	tell_hand(g, &t, &r, CAUSE_NOT_SEALED);
	return !r.kept;
}

/* "COPY.cut" or "COPY.done": COPY. */
static bool is_note(const char *name, char copy[SEAL_NAME_MAX])
{
	const char *suffix = strrchr(name, '.');

	if (!suffix || suffix == name || suffix - name >= (ptrdiff_t)SEAL_NAME_MAX ||
		(strcmp(suffix, SEAL_NOTE_SUFFIX) != 0 && strcmp(suffix, SEAL_DONE_SUFFIX) != 0))
		return false;
	snprintf(copy, SEAL_NAME_MAX, "%.*s", (int)(suffix - name), name);
	return true;
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
		c = is_note(d->d_name, copy) ? cut_add(g, folder, copy) : NULL;
		if (c && tell_left(g, folder, c))
			cut_drop(&g->written->hand, folder, copy);
	}
}

/* --- later --- */

/* Of the drive: how many are mounted, and `fn` of each. */
static unsigned places_of(struct guard *g, const struct written_cut *c,
	void (*fn)(struct guard *g, const struct written_cut *c, const struct written_place *p))
{
	const struct written *w = g->written;
	char drive[sizeof(c->note.drive)];
	unsigned i, n = 0;

	for (i = 0; i < w->places_n; i++) {
		written_cut_drive(g, w->place[i].disk, drive, sizeof(drive));
		if (w->place[i].fails || strcmp(drive, c->note.drive) != 0)
			continue;
		n++;
		if (fn)
			fn(g, c, &w->place[i]);
	}
	return n;
}

void written_cut_end(struct guard *g, const struct written_task *t, const struct seal_result *r)
{
	bool over = r->verdict == SEAL_DONE, is_new = r->verdict == SEAL_BROKEN && !t->resumes;
	_cleanup_close_ int folder = over || is_new ? written_hand_folder(false) : -1;
	struct written_cut *c;

	if (folder < 0)
		return;
	if (over)
		cut_drop(&g->written->hand, folder, t->copy);
	c = is_new ? cut_add(g, folder, t->copy) : NULL;
	/* Not at once: what went wrong would again. */
	if (c)
		c->tried = places_of(g, c, NULL);
}

bool written_cut_said(struct guard *g, const struct written_task *t, const struct seal_result *r)
{
	struct written_cut *c = g->written->hand.cuts;
	bool said;

	if (!t->resumes || r->verdict != SEAL_REFUSED)
		return false;
	while (c && strcmp(c->copy, t->copy) != 0)
		c = c->next;
	said = c && c->refused;
	if (c)
		c->refused = true;
	return said;
}

void written_cut_look(struct guard *g)
{
	struct written_cut *c;
	unsigned n;

	for (c = g->written->hand.cuts; c; c = c->next) {
		/* Another file system of the drive came: the file may be on that one. */
		n = places_of(g, c, NULL);
		if (n > c->tried)
			places_of(g, c, written_hand_resume);
		c->tried = n;
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
