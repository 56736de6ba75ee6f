/*
 * What lies on the media of what is plugged in: file systems and containers, by udev's word (blkid). Called by
 * devices.c with every event of a disk or partition, by judge.c where a grant hangs on the medium (encrypted only, a
 * listed UUID), by the loop when it is to be looked at anew.
 *
 * udev looks anew whenever somebody closes a disk that he had open for writing; but it does not watch a device while it
 * processes an event of it, and what is made anew in such a moment it does not notice. Where a grant hangs on it, we
 * watch as well, and have udev look once more.
 */
#include "agent/guard/guard.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

/* A tool that opens and closes it again and again (mkfs, cryptsetup) is followed by one look. */
#define LOOK_WAIT_US 500000

/* A node under watch while the disk's grant hangs on what lies there. */
struct medium_watch {
	struct medium_watch *next;
	struct disk *disk;
	sd_event_source *source;
	char name[DISK_NAME_SIZE];
};

/* --- what is known --- */

static void medium_drop(struct disk *d, const char *name)
{
	unsigned i;

	for (i = 0; i < d->media_n; i++) {
		if (strcmp(d->media[i].name, name) != 0)
			continue;
		d->media[i] = d->media[--d->media_n];
		return;
	}
}

static bool has_medium(const struct disk *d, const char *name)
{
	unsigned i;

	for (i = 0; i < d->media_n; i++)
		if (!strcmp(d->media[i].name, name))
			return true;
	return false;
}

/* The last place is the disk's own: of more partitions than there are places it is known that there are more. */
static void add(struct disk *d, const char *name, const char *type, const char *uuid)
{
	unsigned n = d->media_n;

	if (n >= DEVICE_MEDIA_MAX - (strcmp(name, d->name) ? 1u : 0u) || strlen(name) >= DISK_NAME_SIZE) {
		d->media_more = true;
		return;
	}
	snprintf(d->media[n].name, sizeof(d->media[n].name), "%s", name);
	snprintf(d->media[n].medium.type, sizeof(d->media[n].medium.type), "%s", type ? type : "");
	snprintf(d->media[n].medium.uuid, sizeof(d->media[n].medium.uuid), "%s", uuid ? uuid : "");
	d->media_n++;
}

static bool is_partition(const char *whole, const char *name)
{
	char path[UNIT_PATH_SIZE + 2 * DISK_NAME_SIZE];

	return (size_t)snprintf(path, sizeof(path), "%s/%s/partition", whole, name) < sizeof(path) &&
	       access(path, F_OK) == 0;
}

/*
 * The kernel made all partitions before it told of the disk: those that udev did not get to yet count as what nobody
 * knows, so that no grant hangs on the first of them alone.
 */
static void keep_partitions(struct disk *d, const char *whole)
{
	_cleanup_closedir_ DIR *dir = opendir(whole);
	struct dirent *e;
	unsigned i;

	if (!dir) {
		d->media_more |= errno != ENOENT; /* it went: what is still told of it changes nothing */
		return;
	}
	d->media_more = false;
	for (i = d->media_n; i-- > 0;)
		if (strcmp(d->media[i].name, d->name) != 0 && !is_partition(whole, d->media[i].name))
			d->media[i] = d->media[--d->media_n];
	while ((e = readdir(dir)))
		if (strncmp(e->d_name, d->name, strlen(d->name)) == 0 && !has_medium(d, e->d_name) &&
			is_partition(whole, e->d_name))
			add(d, e->d_name, NULL, NULL);
}

void medium_keep(
	struct disk *d, struct udev_device *whole, const char *name, bool partition, property_fn get, void *ctx)
{
	const char *type = get(ctx, "ID_FS_TYPE");

	medium_drop(d, name);
	if (partition || type)
		add(d, name, type, get(ctx, "ID_FS_UUID"));
	keep_partitions(d, udev_device_get_syspath(whole));
}

/* --- what changes --- */

static void medium_look(struct disk *d)
{
	if (d->watches && !d->look_boot_us)
		d->look_boot_us = clock_boot_us() + LOOK_WAIT_US;
}

static int on_written(sd_event_source *source, const struct inotify_event *e, void *ctx)
{
	struct medium_watch *w = ctx;

	(void)source;
	if (e->mask & (IN_CLOSE_WRITE | IN_Q_OVERFLOW))
		medium_look(w->disk);
	return 0;
}

static void watch(struct guard *g, struct disk *d, const char *name)
{
	static struct log_limit limit = LOG_LIMIT(5);
	char path[DISK_NAME_SIZE + 8], shown[96];
	struct medium_watch *w;
	int r;

	for (w = d->watches; w; w = w->next)
		if (!strcmp(w->name, name))
			return;
	w = calloc(1, sizeof(*w));
	snprintf(path, sizeof(path), "/dev/%s", name);
	r = w ? sd_event_add_inotify(g->event, &w->source, path, IN_CLOSE_WRITE, on_written, w) : -ENOMEM;
	if (r < 0) {
		free(w);
		if (r != -ENOENT && log_allowed(&limit))
			log_warning("%s: what is written to it is not noticed: %s",
				text_escape_to(shown, sizeof(shown), SPAN_STR(name)), strerror(-r));
		return;
	}
	w->disk = d;
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->next = d->watches;
	d->watches = w;
	/* What was written before anybody watched: while the guard was dead, say. */
	medium_look(d);
}

/* NULL: all of them. */
static void unwatch(struct disk *d, const char *name)
{
	struct medium_watch **at = &d->watches, *gone;

	while ((gone = *at)) {
		if (name && strcmp(gone->name, name) != 0) {
			at = &gone->next;
			continue;
		}
		*at = gone->next;
		sd_event_source_disable_unref(gone->source);
		free(gone);
	}
}

void medium_watch(struct guard *g, struct disk *d, bool wanted)
{
	unsigned i;

	if (!wanted) {
		medium_forget(d);
		return;
	}
	watch(g, d, d->name);
	for (i = 0; i < d->media_n; i++)
		watch(g, d, d->media[i].name);
}

void medium_forget(struct disk *d)
{
	unwatch(d, NULL);
	d->look_boot_us = 0;
}

void medium_gone(struct disk *d, const char *name)
{
	if (!has_medium(d, name))
		return;
	medium_drop(d, name);
	medium_look(d); /* where the disk goes with it, it is forgotten by then */
	unwatch(d, name);
}

/* --- the loop --- */

static struct disk *next_disk(const struct guard *g, struct unit **u, struct disk *d)
{
	d = d ? d->next : NULL;
	while (!d && (*u = *u ? (*u)->next : g->units))
		d = (*u)->disks;
	return d;
}

int64_t media_due(const struct guard *g)
{
	struct unit *u = NULL;
	struct disk *d = NULL;
	int64_t due = INT64_MAX;

	while ((d = next_disk(g, &u, d)))
		if (d->look_boot_us && d->look_boot_us < due)
			due = d->look_boot_us;
	return due;
}

void media_run(struct guard *g, int64_t now)
{
	struct unit *u = NULL;
	struct disk *d = NULL;
	unsigned i;

	while ((d = next_disk(g, &u, d))) {
		if (!d->look_boot_us || now < d->look_boot_us)
			continue;
		d->look_boot_us = 0;
		say_changed(d->name);
		for (i = 0; i < d->media_n; i++)
			if (strcmp(d->media[i].name, d->name) != 0)
				say_changed(d->media[i].name);
	}
}
