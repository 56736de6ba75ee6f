/*
 * Loads what stands at the way to printers, and pins it. Called by sekisho-load. What was pinned before holds until the
 * new programs are attached; its settings are taken over. See egress.h.
 */
#include "agent/probe/egress.h"
#include "agent/probe/load.h"
#include "egress.skel.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PIN_NEW EGRESS_PIN_DIR "-new"

/* Settings of a set that is there already; the policy's, where the print daemon has said so. */
static void settings(struct egress_control *c, uint64_t base)
{
	_cleanup_(egress_closep) struct egress *old = NULL;

	memset(c, 0, sizeof(*c));
	egress_defaults(c);
	if (!egress_open(&old, NULL))
		egress_get(old, c);
	c->version = EGRESS_VERSION;
	c->base = base;
}

static int pin(struct egress_bpf *b)
{
	static const char *const names[] = {"control", "ring", "lost", "connect4", "connect6"};
	const struct bpf_map *maps[] = {b->maps.control, b->maps.ring, b->maps.lost};
	struct bpf_link *links[] = {b->links.connect4, b->links.connect6};
	char path[128];
	size_t i;

	pins_remove(PIN_NEW);
	if (mkdir(PIN_NEW, 0750))
		return -errno;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), PIN_NEW "/%s", names[i]);
		if (i < 3 ? bpf_obj_pin(bpf_map__fd(maps[i]), path) : bpf_link__pin(links[i - 3], path))
			return -errno;
	}
	return 0;
}

static int attach(struct egress_bpf *b, int cgroup, struct why *why)
{
	b->links.connect4 = bpf_program__attach_cgroup(b->progs.connect4, cgroup);
	if (b->links.connect4)
		b->links.connect6 = bpf_program__attach_cgroup(b->progs.connect6, cgroup);
	if (!b->links.connect4 || !b->links.connect6)
		return why_set(why, V_BAD, "connections cannot be seen: %s", load_said());
	return 0;
}

static int build(struct egress_bpf *b, struct why *why)
{
	_cleanup_close_ int cgroup = pins_open_cgroup(why);
	struct egress_control c;
	struct stat st;
	uint32_t zero = 0;
	int r;

	if (cgroup < 0)
		return V_BAD;
	if (fstat(cgroup, &st))
		return -errno;
	settings(&c, st.st_ino); /* a control group's id is its folder's inode */
	if (bpf_map_update_elem(bpf_map__fd(b->maps.control), &zero, &c, BPF_ANY))
		return -errno;
	r = attach(b, cgroup, why);
	r = r ? r : pin(b);
	r = r ? r : pins_swap(EGRESS_PIN_DIR);
	if (r)
		pins_remove(PIN_NEW);
	return r;
}

int egress_load(struct why *why)
{
	_cleanup_(excerpt_end) struct excerpt types = {.fd = -1};
	struct egress_bpf *b;
	int r;

	r = pins_begin(why);
	if (r)
		return r;
	load_hush();
	b = egress_bpf__open_opts(excerpt_begin(&types));
	if (!b)
		return why_set(why, V_BAD, "%s", load_said());
	r = excerpt_fill(&types, b->obj);
	if (!r && egress_bpf__load(b))
		r = why_set(why, V_BAD, "the kernel does not take it: %s", load_said());
	r = r ? r : build(b, why);
	egress_bpf__destroy(b);
	return r;
}

int egress_unload(void)
{
	static const char *const links[] = {"connect4", "connect6"};

	/* Nothing is refused from here on. */
	return pins_unload(EGRESS_PIN_DIR, links, ARRAY_SIZE(links));
}
