/*
 * Loads what watches over print jobs, and pins it. Called by sekisho-load. See paper.h.
 */
#include "agent/probe/load.h"
#include "agent/probe/paper.h"
#include "paper.skel.h"
#include <errno.h>
#include <sys/stat.h>

#define PIN_NEW PAPER_PIN_DIR "-new"
#define STREAM_CONNECT "unix_stream_connect"
#define TCP_CONNECT "tcp_v4_connect"
#define TCP6_CONNECT "tcp_v6_connect" /* on some kernels it is a module's */

/* By which connection a document came: all of it, or nothing. */
static bool knows_documents(void)
{
	return load_in_kernel("unix_accept") && load_in_kernel("security_inode_rename") &&
	       load_in_kernel("do_epoll_ctl");
}

/* Where the kernel has not the functions, or takes them not, it is not told. */
static void attach_documents(struct paper_bpf *b)
{
	const struct {
		struct bpf_program *program;
		struct bpf_link **link;
	} all[] = {{b->progs.on_wait, &b->links.on_wait}, {b->progs.on_rename, &b->links.on_rename},
		{b->progs.on_accept, &b->links.on_accept}};
	size_t i;

	/* The first two say nothing before it is known which process is cupsd, which the last one does. */
	for (i = 0; i < ARRAY_SIZE(all) && bpf_program__autoload(all[i].program); i++)
		if (!(*all[i].link = bpf_program__attach(all[i].program)))
			return;
}

/* Without trampolines: at the system call, with the caller's own bytes. */
static int attach_connect(struct paper_bpf *b)
{
	if (bpf_program__autoload(b->progs.on_connect)) {
		b->links.on_connect = bpf_program__attach(b->progs.on_connect);
		b->links.on_connected = bpf_program__attach(b->progs.on_connected);
		b->links.on_connect_4 = bpf_program__attach(b->progs.on_connect_4);
		/* A kernel without IPv6 has nothing to tell of. */
		if (bpf_program__autoload(b->progs.on_connect_6))
			b->links.on_connect_6 = bpf_program__attach(b->progs.on_connect_6);
		attach_documents(b);
		return b->links.on_connect && b->links.on_connected && b->links.on_connect_4 ? 0 : V_BAD;
	}
	b->links.on_connect_call =
		bpf_program__autoload(b->progs.on_connect_call) ? bpf_program__attach(b->progs.on_connect_call) : NULL;
	return b->links.on_connect_call ? 0 : V_BAD;
}

static int pin(struct paper_bpf *b)
{
	const struct {
		const char *name;
		const struct bpf_map *map;
		struct bpf_link *link;
	} pins[] = {{"control", b->maps.control, NULL}, {"watched", b->maps.watched, NULL},
		{"ring", b->maps.ring, NULL}, {"on_exit", NULL, b->links.on_exit},
		{"on_connect", NULL, b->links.on_connect}, {"on_connected", NULL, b->links.on_connected},
		{"on_connect_4", NULL, b->links.on_connect_4}, {"on_connect_6", NULL, b->links.on_connect_6},
		{"on_connect_call", NULL, b->links.on_connect_call}, {"on_accept", NULL, b->links.on_accept},
		{"on_rename", NULL, b->links.on_rename}, {"on_wait", NULL, b->links.on_wait}};
	char path[PINS_PATH_SIZE];
	size_t i;

	pins_remove(PIN_NEW);
	if (mkdir(PIN_NEW, 0750))
		return -errno;
	for (i = 0; i < ARRAY_SIZE(pins); i++) {
		snprintf(path, sizeof(path), PIN_NEW "/%s", pins[i].name);
		if (pins[i].map && bpf_obj_pin(bpf_map__fd(pins[i].map), path))
			return -errno;
		if (pins[i].link && bpf_link__pin(pins[i].link, path))
			return -errno;
	}
	return 0;
}

static int build(struct paper_bpf *b, struct why *why)
{
	struct paper_control c = {.version = PAPER_VERSION, .ports = {PAPER_PORT}};
	uint32_t zero = 0;
	int r;

	if (bpf_map_update_elem(bpf_map__fd(b->maps.control), &zero, &c, BPF_ANY))
		return -errno;
	b->links.on_exit = bpf_program__attach(b->progs.on_exit);
	if (!b->links.on_exit)
		return why_set(why, V_BAD, "the ends of backends cannot be seen: %s", load_said());
	if (attach_connect(b))
		why_set(why, V_BAD, "who connects to CUPS cannot be seen: %s", load_said());
	r = pin(b);
	r = r ? r : pins_swap(PAPER_PIN_DIR);
	if (r)
		pins_remove(PIN_NEW);
	return r;
}

/* With the trampoline where this kernel has the function, and takes it. */
static struct paper_bpf *take(bool trampoline)
{
	_cleanup_(excerpt_end) struct excerpt types;
	struct paper_bpf *b = paper_bpf__open_opts(excerpt_begin(&types));
	bool documents;

	if (!b)
		return NULL;
	bpf_program__set_autoload(b->progs.on_connect, trampoline);
	bpf_program__set_autoload(b->progs.on_connected, trampoline);
	bpf_program__set_autoload(b->progs.on_connect_4, trampoline);
	bpf_program__set_autoload(b->progs.on_connect_6, trampoline && load_in_kernel(TCP6_CONNECT));
	bpf_program__set_autoload(b->progs.on_connect_call, !trampoline);
	documents = trampoline && knows_documents();
	bpf_program__set_autoload(b->progs.on_accept, documents);
	bpf_program__set_autoload(b->progs.on_rename, documents);
	bpf_program__set_autoload(b->progs.on_wait, documents);
	if (excerpt_fill(&types, b->obj) || paper_bpf__load(b)) {
		paper_bpf__destroy(b);
		return NULL;
	}
	return b;
}

/* The same is there already: whoever reads it goes on doing so. PAPER_VERSION changes with the programs as well. */
static bool is_there(void)
{
	_cleanup_close_ int control = bpf_obj_get(PAPER_PIN_DIR "/control"),
			    link = bpf_obj_get(PAPER_PIN_DIR "/on_exit");
	struct paper_control c = {.version = 0};

	return control >= 0 && link >= 0 && !pins_first(control, &c, sizeof(c)) && c.version == PAPER_VERSION;
}

int paper_load(struct why *why)
{
	struct paper_bpf *b = NULL;
	int r;

	r = pins_begin(why);
	if (r)
		return r;
	if (is_there())
		return 0;
	load_hush();
	if (load_types() && load_in_kernel(STREAM_CONNECT) && load_in_kernel(TCP_CONNECT))
		b = take(true);
	if (!b)
		b = take(false);
	if (!b)
		return why_set(why, V_BAD, "the kernel does not take it: %s", load_said());
	r = build(b, why);
	paper_bpf__destroy(b);
	return r;
}

int paper_unload(void)
{
	static const char *const links[] = {"on_exit", "on_connect", "on_connected", "on_connect_4", "on_connect_6",
		"on_connect_call", "on_accept", "on_rename", "on_wait"};

	return pins_unload(PAPER_PIN_DIR, links, ARRAY_SIZE(links));
}
