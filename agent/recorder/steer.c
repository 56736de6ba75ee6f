/*
 * The filter in force: read from record.yaml, its literal half given to the kernel. Called at start, on SIGHUP, and
 * when something was mounted. What must never happen here: a bad file taking the place of a good filter.
 */
#include "agent/recorder/recorder.h"
#include "policy/base/log.h"
#include <errno.h>
#include <pwd.h>

#define HOLD_NS (300ull * 1000000000)
/* The tables live from these, and the device classes from the last two: whatever the filter says of their records. */
#define KINDS_NEEDED                                                                                             \
	(1ull << KIND_EXEC | 1ull << KIND_FORK | 1ull << KIND_EXIT | 1ull << KIND_RUNNING | 1ull << KIND_MOUNT | \
		1ull << KIND_UMOUNT)

/* What is told of files in areas, whatever record.yaml says of kinds. */
#define KINDS_OF_AREAS                                                                                              \
	(1ull << KIND_FILE | 1ull << KIND_RENAME | 1ull << KIND_LINK | 1ull << KIND_SYMLINK | 1ull << KIND_UNLINK | \
		1ull << KIND_MKDIR | 1ull << KIND_RMDIR | 1ull << KIND_TRUNCATE | 1ull << KIND_CHMOD |              \
		1ull << KIND_CHOWN | 1ull << KIND_COPY | 1ull << KIND_FILE_REFUSED)

/* What is told of files in areas, and of no others. */
#define KINDS_OF_AREAS_ALONE (1ull << KIND_FILE_REFUSED)

/* The same of cloud folders, which the guard is told of. */
#define KINDS_OF_CLOUD (1ull << KIND_FILE | 1ull << KIND_RENAME | 1ull << KIND_LINK | 1ull << KIND_SYMLINK)

void steer_homes(struct recorder *r)
{
	struct passwd *pw;

	setpwent();
	while (r->homes_n < STEER_HOMES_MAX && (pw = getpwent())) {
		size_t n = strlen(pw->pw_dir);

		if (n < 2 || n >= sizeof(r->home[0]) || pw->pw_dir[0] != '/' || pw->pw_dir[n - 1] == '/')
			continue;
		memcpy(r->home[r->homes_n++], pw->pw_dir, n + 1);
	}
	endpwent();
}

/* Below this, a level at least. */
static void demand(struct recorder *r, const char *path, uint8_t level)
{
	size_t n = strlen(path);

	if (r->mounts_n == STEER_MOUNTS_MAX || n >= sizeof(r->mount[0].path)) {
		r->mounts_left_out++;
		return;
	}
	memcpy(r->mount[r->mounts_n].path, path, n + 1);
	r->mount[r->mounts_n++].level = level;
}

static void on_area(void *ctx, const char *path)
{
	demand(ctx, path, FILTER_ALL);
}

static void on_part(void *ctx, const struct mount_entry *m)
{
	struct recorder *r = ctx;

	parts_add(&r->parts, m);
}

static void on_mount(void *ctx, const struct mount_entry *m)
{
	struct recorder *r = ctx;
	unsigned class = m->device->class;
	size_t n = strlen(m->point);

	areas_mount(r->areas, m->point, m->source);
	parts_add(&r->parts, m);
	if (class >= FILTER_CLASSES || !r->filter->class_level[class] || n >= sizeof(r->mount[0].path))
		return;
	demand(r, m->point, r->filter->class_level[class]);
}

/* The kernel's half of the filter in force, from the mounts as they are now. */
static int tell_kernel(struct recorder *r)
{
	static struct filter_kernel half; /* too large for a stack; one thread */
	static struct probe_filter_prefix prefix[FILTER_KERNEL_MAX];
	static struct filter_place mounts[STEER_MOUNTS_MAX], homes[STEER_HOMES_MAX];
	const uint32_t self = (uint32_t)getpid();
	struct probe_filter f = {.kinds = (r->filter->kinds & ~KINDS_OF_AREAS_ALONE) | KINDS_NEEDED |
					  (areas_any(r->areas) ? KINDS_OF_AREAS : 0) |
					  (r->filter->cloud_n ? KINDS_OF_CLOUD : 0),
		.prefix = prefix,
		.skip_pids = 1,
		.skip_pid = &self,
		.hold_ns = HOLD_NS};
	unsigned i;
	int got;

	r->mounts_n = r->mounts_left_out = r->parts.n = 0;
	areas_mounts_begin(r->areas);
	got = devices_refresh(r->devices, on_mount, r);
	if (got < 0)
		return got;
	areas_places(r->areas, on_area, r);
	for (i = 0; i < r->mounts_n; i++)
		mounts[i] = (struct filter_place){r->mount[i].path, r->mount[i].level};
	for (i = 0; i < r->homes_n; i++)
		homes[i] = (struct filter_place){r->home[i], FILTER_NONE};
	filter_kernel(r->filter, mounts, r->mounts_n, homes, r->homes_n, &half);
	for (i = 0; i < half.n; i++) {
		prefix[i] = (struct probe_filter_prefix){half.prefix[i].path, half.prefix[i].level};
		/* A mount that is in no list could be anywhere: then the kernel leaves out nothing. */
		if (r->mounts_left_out)
			prefix[i].level = FILTER_ALL;
	}
	f.prefixes = half.n;
	f.level_all = filter_path_level(r->filter, SPAN_STR("/"));
	r->filter_note[0] = 0;
	if (half.dropped || r->mounts_left_out)
		snprintf(r->filter_note, sizeof(r->filter_note), "%u paths and %u mounts are left to the recorder",
			half.dropped, r->mounts_left_out);
	/* first: with the filter recording begins */
	got = probe_points_set(r->probe, r->engine.host_mnt_ns, r->parts.at, r->parts.n);
	return got ? got : probe_filter_set(r->probe, &f);
}

static void remember(struct recorder *r, const char *text)
{
	snprintf(r->filter_note, sizeof(r->filter_note), "%s", text);
}

int steer_start(struct recorder *r, struct why *why)
{
	int got = filter_load(r->filter_path, r->filter, why);
	bool changed;

	if (got)
		return got;
	got = areas_load(r->areas, r->areas_path, &changed, why);
	if (got) {
		/* The guard takes none that cannot be read: it is another version's. Files are recorded as record.yaml
		 * says. */
		log_error("the policy's areas cannot be read: %s",
			why->text[0] ? why->text : strerror(got < 0 ? -got : EINVAL));
		why->text[0] = 0;
	}
	got = tell_kernel(r);
	return got > 0 ? why_set(why, V_BAD, "the filter does not fit into the kernel") : got;
}

/* Without the right to write the kernel's tables (Linux before 5.19) the kernel's half stays as it was at the start. */
static int tell_kernel_again(struct recorder *r)
{
	int got = tell_kernel(r);

	if (!got)
		return 0;
	remember(r, got == -EPERM ? "the kernel's half is that of the start: this kernel takes another one only then"
				  : "the kernel's half could not be changed");
	log_warning("filter: %s", r->filter_note);
	return got;
}

void steer_mounts(struct recorder *r)
{
	unsigned i;

	r->engine.mounts_changed = false;
	/* Only where a class, or an area, demands something do mount points matter. */
	if (areas_any(r->areas)) {
		tell_kernel_again(r);
		return;
	}
	for (i = 0; i < FILTER_CLASSES; i++)
		if (r->filter->class_level[i]) {
			tell_kernel_again(r);
			return;
		}
	r->parts.n = 0;
	if (devices_refresh(r->devices, on_part, r) >= 0)
		probe_points_set(r->probe, r->engine.host_mnt_ns, r->parts.at, r->parts.n);
}

void steer_again(struct recorder *r)
{
	struct filter *f = malloc(sizeof(*f));
	struct why why = {""};
	int got = f ? filter_load(r->filter_path, f, &why) : -ENOMEM;

	if (got) {
		if (!why.text[0])
			why_set(&why, V_BAD, "%s: %s", r->filter_path, got < 0 ? strerror(-got) : "unusable");
		r->filter_why = why;
		log_error("the filter in force stays: %s", why.text);
		free(f);
		return;
	}
	memcpy(r->filter, f, sizeof(*f));
	free(f);
	r->filter_why.text[0] = 0;
	tell_kernel_again(r);
	log_notice("filter read again");
}

void steer_areas(struct recorder *r)
{
	struct why why = {""};
	bool changed = false;
	int got = areas_load(r->areas, r->areas_path, &changed, &why);

	if (got) {
		log_error("the areas in force stay: %s", why.text[0] ? why.text : strerror(got < 0 ? -got : EINVAL));
		return;
	}
	if (!changed)
		return;
	got = tell_kernel_again(r);
	log_notice("%u areas of protected files", areas_policy(r->areas) ? policy_areas_n(areas_policy(r->areas)) : 0);
	/* systemd starts this program anew, with the right to tell the kernel; what happens meanwhile waits in its
	 * buffer. */
	if (got == -EPERM && getenv("INVOCATION_ID")) {
		log_notice("starting anew, for the kernel to take the areas");
		r->asked.how = STOP_ANEW;
		r->stopping = true;
	}
}
