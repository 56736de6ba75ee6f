/*
 * The recorder is told what bytes were judged, so that its record of a copy has their hash (agent/service/look.h). It
 * is told too where nobody will know, so that it does not wait. Called by written.c.
 */
#include "agent/guard/written.h"
#include "agent/service/look.h"
#include "policy/base/clock.h"
#include <sys/sysmacros.h>

void written_look_begin(struct written_file *f)
{
	f->look_boot_us = written_stat(f->fd, &f->look) ? 0 : clock_boot_us();
}

/* Neither written to nor cut while it was read. Its name, its owner or its rights may be others. */
static bool is_as_it_was(const struct written_file *f, const struct inspect_facts *d)
{
	const struct stat *a = &f->look;
	struct stat b;

	return f->look_boot_us && d->has_hash && !written_stat(f->fd, &b) && a->st_size == b.st_size &&
	       d->bytes == (uint64_t)b.st_size && a->st_mtim.tv_sec == b.st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

void written_look_tell(struct guard *g, const struct written_file *f, const struct inspect_facts *d)
{
	dev_t dev = f->sb ? f->sb : f->dev;
	struct look_word w = {.dev_major = major(dev), .dev_minor = minor(dev), .inode = f->ino};

	if (f->fd < 0 || g->written->look < 0)
		return;
	/* Subvolumes of one file system have the same numbers, which the recorder cannot tell apart. */
	w.has_hash = dev == f->dev && is_as_it_was(f, d);
	/* Who closed it meanwhile is not answered: what he left is looked into next. */
	w.ended_us = clock_boot_us();
	w.begun_us = f->look_boot_us ? f->look_boot_us : w.ended_us;
	if (w.has_hash) {
		w.size = d->bytes;
		w.hash = d->hash;
	}
	/* Who does not hear it tells the copy without. */
	(void)look_send(g->written->look, &w);
}
