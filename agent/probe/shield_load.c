/*
 * Loads the agent's own protection, and pins it. Called by sekisho-load. What was pinned before holds until the new
 * programs are attached; what it knew is gone on with. See shield.h.
 */
#include "agent/probe/egress.h"
#include "agent/probe/gate.h"
#include "agent/probe/load.h"
#include "agent/probe/paper.h"
#include "agent/probe/shield.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "shield.skel.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PIN_NEW SHIELD_PIN_DIR "-new"
#define LSM_LIST "/sys/kernel/security/lsm"
#define VERSION_BOOT 1u /* all is as it is now, but the lease is by CLOCK_BOOTTIME */

DEFINE_CLEANUP(struct shield_bpf *, shield_bpf__destroy)

/* Programs for security hooks attach also where the kernel never calls them: lsm= says. */
static bool lsm_has_bpf(void)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1024);
	char *word, *save = NULL;

	if (file_read(LSM_LIST, &b) || !buf_str(&b))
		return false;
	for (word = strtok_r((char *)b.p, ",\n", &save); word; word = strtok_r(NULL, ",\n", &save))
		if (!strcmp(word, "bpf"))
			return true;
	return false;
}

/* What a hook is given changed once: inode_setattr(dentry, attr) was given the mount's ids as well. */
static bool setattr_has_idmap(void)
{
	const struct btf *btf = load_types();
	int id = btf ? btf__find_by_name_kind(btf, "bpf_lsm_inode_setattr", BTF_KIND_FUNC) : -1;
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	type = type ? btf__type_by_id(btf, type->type) : NULL;
	return type && btf_vlen(type) == 3;
}

/* Who may is told by systemd's control groups. */
static bool has_services(void)
{
	return !access("/run/systemd/system", F_OK) &&
	       (!access("/sys/fs/cgroup/cgroup.procs", F_OK) || !access("/sys/fs/cgroup/unified/cgroup.procs", F_OK));
}

static int choose(struct shield_bpf *b, struct why *why)
{
	const struct bpf_object_skeleton *sk = b->skeleton;
	bool idmap;
	int i;

	if (!has_services())
		return why_set(why, V_BAD,
			"who may change the agent is told by systemd's control groups (cgroup2), which are not here");
	if (!lsm_has_bpf())
		return why_set(why, V_BAD, "the kernel's list of security modules (lsm=) has no bpf");
	if (!load_types())
		return why_set(why, V_BAD, "the kernel has no BTF");
	idmap = setattr_has_idmap();
	for (i = 0; i < sk->prog_cnt; i++) {
		struct bpf_program *p = *sk->progs[i].prog;
		char hook[64];

		snprintf(hook, sizeof(hook), "bpf_lsm_%s", strchr(bpf_program__section_name(p), '/') + 1);
		bpf_program__set_autoload(p, load_in_kernel(hook));
	}
	bpf_program__set_autoload(idmap ? b->progs.on_setattr : b->progs.on_setattr_idmap, false);
	return 0;
}

/*
 * What is loaded goes on refusing by the older programs until they are replaced, and they read the lease here by a
 * clock that is ahead: it is theirs to end early only once the new ones are attached, which set_control() comes behind.
 * A guard of that version that renews meanwhile lengthens it by what the PC has slept, until the new one's first word.
 */
static void from_boot(struct shield_control *c)
{
	uint64_t asleep_ns = (uint64_t)(clock_boot_us() - clock_awake_us()) * 1000;

	c->lease_awake_ns = c->lease_awake_ns > asleep_ns ? c->lease_awake_ns - asleep_ns : 0;
	c->version = SHIELD_VERSION;
}

/* Of another version nothing is gone on with, but of the one that differs in the lease's clock: the guard says it anew.
 */
static int reuse(struct shield_bpf *b, struct shield_control *c)
{
	struct bpf_map *m;
	char path[PINS_PATH_SIZE];
	int fd = bpf_obj_get(SHIELD_PIN_DIR "/control"), r;

	if (fd < 0)
		return 0;
	r = pins_first(fd, c, sizeof(*c));
	close(fd);
	if (!r && c->version == VERSION_BOOT)
		from_boot(c);
	if (r || c->version != SHIELD_VERSION) {
		*c = (struct shield_control){.version = 0};
		return 0;
	}
	bpf_object__for_each_map(m, b->obj)
	{
		if (strchr(bpf_map__name(m), '.'))
			continue;
		snprintf(path, sizeof(path), SHIELD_PIN_DIR "/%s", bpf_map__name(m));
		fd = bpf_obj_get(path);
		if (fd < 0)
			return -errno;
		r = bpf_map__reuse_fd(m, fd);
		close(fd);
		if (r)
			return r;
	}
	return 0;
}

static int set_control(struct shield_bpf *b, struct shield_control c, unsigned mode)
{
	struct stat ns;
	uint32_t zero = 0;

	if (stat("/proc/1/ns/mnt", &ns))
		return -errno;
	c.version = SHIELD_VERSION;
	c.mode = mode;
	c.mnt_ns = (uint32_t)ns.st_ino;
	return bpf_map_update_elem(bpf_map__fd(b->maps.control), &zero, &c, BPF_ANY) ? -errno : 0;
}

int shield_load(unsigned mode, struct why *why)
{
	_cleanup_(excerpt_end) struct excerpt types = {.fd = -1};
	_cleanup_(shield_bpf__destroyp) struct shield_bpf *b = NULL;
	struct shield_control was = {.version = 0};
	int r;

	r = pins_begin(why);
	if (r)
		return r;
	load_hush();
	b = shield_bpf__open_opts(excerpt_begin(&types));
	if (!b)
		return why_set(why, V_BAD, "%s", load_said());
	r = choose(b, why);
	r = r ? r : reuse(b, &was);
	r = r ? r : excerpt_fill(&types, b->obj);
	if (r)
		return r;
	if (shield_bpf__load(b) || shield_bpf__attach(b))
		return why_set(why, V_BAD, "the kernel does not take it: %s", load_said());
	r = set_control(b, was, mode);
	r = r ? r : pins_lay(SHIELD_PIN_DIR, 0, b->skeleton);
	r = r ? r : pins_swap(SHIELD_PIN_DIR);
	if (r)
		pins_remove(PIN_NEW);
	return r;
}

int shield_unload(void)
{
	int r = pins_unload(SHIELD_PIN_DIR, NULL, 0);

	return r == -EBUSY ? -EPERM : r;
}

/* --- whose objects --- */

struct marking {
	int objects;
	uint32_t generation;
};

static int mark(const struct marking *m, uint32_t kind, uint32_t id)
{
	const struct shield_object o = {.kind = kind, .id = id};

	if (!id)
		return 0;
	return bpf_map_update_elem(m->objects, &o, &m->generation, BPF_ANY) ? -errno : 0;
}

/* A link stands for its program too. Which of the three it is, is known by the file's name only. */
static int mark_pin(const struct marking *m, const char *path)
{
	_cleanup_close_ int fd = bpf_obj_get(path);
	struct bpf_map_info map = {.type = 0};
	struct bpf_link_info link = {.type = 0};
	uint32_t map_n = sizeof(map), link_n = sizeof(link);
	char self[64], is[64] = "";
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (readlink(self, is, sizeof(is) - 1) < 0)
		return -errno;
	if (strstr(is, "bpf-map"))
		return bpf_obj_get_info_by_fd(fd, &map, &map_n) ? -errno : mark(m, SHIELD_MAP, map.id);
	if (!strstr(is, "bpf_link") && !strstr(is, "bpf-link"))
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &link, &link_n))
		return -errno;
	r = mark(m, SHIELD_LINK, link.id);
	return r ? r : mark(m, SHIELD_PROG, link.prog_id);
}

static int mark_folder(const struct marking *m, const char *dir)
{
	_cleanup_closedir_ DIR *entries = opendir(dir);
	struct dirent *d;
	char path[PINS_PATH_SIZE];
	int r = 0;

	while (entries && !r && (d = readdir(entries))) {
		if (d->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, d->d_name) < sizeof(path))
			r = mark_pin(m, path);
	}
	return r;
}

/* Those of sets that were replaced. */
static void forget_others(const struct marking *m)
{
	struct shield_object o, next;
	bool more = !bpf_map_get_next_key(m->objects, NULL, &next);
	uint32_t generation;

	while (more) {
		o = next;
		more = !bpf_map_get_next_key(m->objects, &o, &next);
		if (!bpf_map_lookup_elem(m->objects, &o, &generation) && generation != m->generation)
			(void)bpf_map_delete_elem(m->objects, &o);
	}
}

int shield_objects(void)
{
	static const char *const dirs[] = {PROBE_PIN_DIR, GATE_PIN_DIR, EGRESS_PIN_DIR, PAPER_PIN_DIR, SHIELD_PIN_DIR};
	_cleanup_close_ int objects = bpf_obj_get(SHIELD_PIN_DIR "/objects");
	struct marking m = {.objects = objects, .generation = (uint32_t)getpid()};
	size_t i;
	int r = 0;

	if (objects < 0)
		return errno == ENOENT ? 0 : -errno;
	for (i = 0; i < ARRAY_SIZE(dirs) && !r; i++)
		r = mark_folder(&m, dirs[i]);
	if (!r)
		forget_others(&m);
	return r;
}
