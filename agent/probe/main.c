/*
 * sekisho-load: loads and pins the kernel programs, says which set it is and why not a fuller one, and exits. With
 * --unload it removes them. It needs privilege, so it does nothing else: it follows no events, and of the settings it
 * reads one word, how root is kept from the agent itself.
 */
#include "agent/probe/check.h"
#include "agent/probe/dump.h"
#include "agent/probe/egress.h"
#include "agent/probe/gate.h"
#include "agent/probe/paper.h"
#include "agent/probe/probe.h"
#include "agent/probe/shield.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include "policy/wire/agent_conf.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <jansson.h>
#include <linux/capability.h>
#include <stdlib.h>

#define GROUP "sekisho-recorder"
/* What its units leave it (sekisho-load.service); by hand it has no more. */
#define KEPT                                                                                             \
	(CONFINE_CAP(CAP_BPF) | CONFINE_CAP(CAP_PERFMON) | CONFINE_CAP(CAP_SYS_ADMIN) |                  \
		CONFINE_CAP(CAP_SYS_RESOURCE) | CONFINE_CAP(CAP_DAC_OVERRIDE) | CONFINE_CAP(CAP_CHOWN) | \
		CONFINE_CAP(CAP_FOWNER) | CONFINE_CAP(CAP_SYS_PTRACE) | CONFINE_CAP(CAP_NET_ADMIN))
#define STATUS_PATH "/run/sekisho/probe.json"
#define GATE_STATUS_PATH "/run/sekisho/gate.json"
#define EGRESS_STATUS_PATH "/run/sekisho/egress.json"
#define SHIELD_STATUS_PATH "/run/sekisho/shield.json"

static const char usage[] =
	"usage: sekisho-load [--only disks|gate|printers|recorder] [--gate enforce|note|off]\n"
	"                    [--set trampoline|tracepoint] [--ring MiB]\n"
	"       sekisho-load --unload | --unload-gate | --unload-shield\n"
	"       sekisho-load --dump FOLDER\n"
	"\n"
	"Loads Sekisho's kernel programs, proves that they deliver and deny, pins them below /sys/fs/bpf, and exits:\n"
	"the gate, which holds devices that could carry data out, what stands at the way to printers, and the "
	"recorder's\n"
	"set.\n"
	"\n"
	"  --only WHAT   disks: load nothing, find the disks that this PC runs from, which udev waits for at boot; "
	"gate:\n"
	"                the gate, which all services wait for; printers: what stands at the way to printers, which "
	"the\n"
	"                guard waits for; recorder: what records, which takes longer\n"
	"  --gate HOW    enforce (default); note: tell what would be denied, and deny nothing; off: leave the gate as "
	"it is\n"
	"  --set SET     this set of hooks and no other; by default the fullest that works here\n"
	"  --ring MiB    size of the ring buffer, a power of two (8)\n"
	"  --unload      remove the recorder's set: recording ends, the gate stays\n"
	"  --unload-gate remove the gate and what stands at the way to printers: nothing is held any more\n"
	"  --unload-shield remove what protects the agent itself, where that lets the caller\n"
	"  --check       print as JSON what is loaded, of which version, and whether it does what it is for\n"
	"  --dump FOLDER print what is told of files below FOLDER, and of processes, as JSON, until interrupted;\n"
	"                for trying things out where no recorder runs: it takes the recorder's place and filter\n"
	"  -h, --help    this text\n"
	"  --version     the version\n"
	"\n"
	"sekisho.gate=note or =off on the kernel's command line goes before --gate.\n"
	"\n"
	"Exit status: 0 done; 1 the kernel takes neither set; 2 usage; 3 this machine failed;\n"
	"4 loaded, but the kernel takes no gate: nothing is held by it.\n";

/* For `sekishoctl status` only: where the folder is missing, nobody asks. Takes `j` over, which may be NULL. */
static void write_status(const char *file, json_t *j)
{
	const char *root = getenv("SEKISHO_ROOT");
	char *text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
	char path[256];

	snprintf(path, sizeof(path), "%s%s", root ? root : "", file);
	if (text && file_replace_volatile(path, SPAN_STR(text), 0644) && errno != ENOENT)
		log_debug("%s cannot be written", path);
	free(text);
	json_decref(j);
}

static void write_set_status(unsigned set, const char *why)
{
	char when[TEXT_TIME_SIZE];

	write_status(STATUS_PATH, json_pack("{s:s, s:s, s:s}", "set", enum_by_value(F_PROBE_SET, set)->name, "loaded",
					  text_time_utc(when, clock_wall_us()), "why_not_fuller", why));
}

/* --- the gate --- */

enum gate_how { HOW_ENFORCE, HOW_NOTE, HOW_OFF };

static bool how_by_name(const char *name, size_t n, enum gate_how *out)
{
	static const char *const names[] = {"enforce", "note", "off"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (strlen(names[i]) == n && !strncmp(names[i], name, n)) {
			*out = (enum gate_how)i;
			return true;
		}
	}
	return false;
}

/* The boot switches: for a PC that would not come up. Whoever can set them can boot another system as well. */
static void ask_command_line(const char *key, enum gate_how *how)
{
	_cleanup_buf_ struct buf b = BUF_INIT(8192);
	const char *at;

	if (file_read("/proc/cmdline", &b) || !buf_str(&b) || !(at = strstr((const char *)b.p, key)))
		return;
	at += strlen(key);
	if (how_by_name(at, strcspn(at, " \n"), how))
		log_warning("the kernel's command line says how it is to be: %s%.8s", key, at);
}

struct tally {
	unsigned held, own;
};

static int count(void *ctx, const struct gate_key *k, const struct gate_entry *e)
{
	struct tally *t = ctx;

	(void)k;
	if (e->state == GATE_OWN)
		t->own++;
	else if (e->state != GATE_GRANTED)
		t->held++;
	return 0;
}

static void write_gate_status(const char *how, unsigned layers, const char *why)
{
	_cleanup_(gate_closep) struct gate *g = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT(256);
	struct tally t = {0, 0};
	char when[TEXT_TIME_SIZE];

	gate_layers_text(layers, &text);
	if (!gate_open(&g, NULL))
		gate_each(g, count, &t);
	write_status(GATE_STATUS_PATH,
		json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "gate", how, "layers",
			buf_str(&text) ? (const char *)text.p : "", "held", (json_int_t)t.held, "own",
			(json_int_t)t.own, "loaded", text_time_utc(when, clock_wall_us()), "why", why));
}

/* udev's rules hold whatever becomes of the gate: not the disks that this PC runs from. */
static int find_own_disks(bool anew)
{
	int r = gate_own_disks(anew);

	if (r)
		log_error("udev is not told which disks are this PC's own: %s", strerror(-r));
	return r ? 3 : 0;
}

/* 0; 1 where this kernel can deny nothing; 3. */
static int load_gate(enum gate_how how)
{
	struct gate_options o = {.dry_run = how == HOW_NOTE};
	_cleanup_buf_ struct buf text = BUF_INIT(256);
	struct why why = {""};
	unsigned layers = 0;
	int r;

	if (how == HOW_OFF) {
		if (access(GATE_PIN_DIR, F_OK))
			write_gate_status("off", 0, "");
		return 0;
	}
	r = gate_load(&o, &layers, &why);
	if (r) {
		log_error("the gate is not there: %s", why.text[0] ? why.text : strerror(r < 0 ? -r : EIO));
		write_gate_status("none", 0, why.text);
		return r < 0 ? 3 : 1;
	}
	gate_layers_text(layers, &text);
	printf("The gate %s: %s\n", how == HOW_NOTE ? "only notes" : "holds",
		buf_str(&text) ? (const char *)text.p : "");
	if (why.text[0])
		printf("%s\n", why.text);
	write_gate_status(how == HOW_NOTE ? "note" : "enforce", layers, why.text);
	return 0;
}

/* Where it cannot be, printing goes on as ever, and what goes past CUPS is not seen: the status says so. */
static void load_egress(void)
{
	struct why why = {""};
	char when[TEXT_TIME_SIZE];
	int r = egress_load(&why);

	if (r)
		log_warning("connections to printers past CUPS are not seen: %s", r < 0 ? strerror(-r) : why.text);
	else
		printf("Connections to printers past CUPS are seen.\n");
	write_status(EGRESS_STATUS_PATH,
		json_pack("{s:b, s:s, s:s}", "egress", r == 0, "loaded", text_time_utc(when, clock_wall_us()), "why",
			r < 0 ? strerror(-r) : why.text));
}

/* Where it cannot be, the records of print jobs say less. */
static void load_paper(void)
{
	struct why why = {""};
	int r = paper_load(&why);

	if (r || why.text[0])
		log_warning("of print jobs, the kernel tells less: %s", r < 0 ? strerror(-r) : why.text);
	else
		printf("Who prints by which program is seen, and what ends a backend.\n");
}

static void write_shield_status(const char *how, const char *why)
{
	char when[TEXT_TIME_SIZE];

	write_status(SHIELD_STATUS_PATH, json_pack("{s:s, s:s, s:s}", "shield", how, "loaded",
						 text_time_utc(when, clock_wall_us()), "why", why));
}

/* By the settings; where they cannot be read, no other program of ours starts, and the safer of the two holds. */
static enum gate_how shield_how(const char **by)
{
	struct agent_conf conf = {.shield = "note"};
	enum gate_how how = HOW_ENFORCE, asked = HOW_ENFORCE;
	struct why why = {""};
	char path[PATH_MAX];
	int r = agent_path(path, sizeof(path), AGENT_CONF_PATH);

	r = r ? r : agent_conf_load(path, &conf, &why);
	if (r)
		log_warning("%s: what is done to the agent itself is told, and not refused", why.text);
	(void)how_by_name(conf.shield, strlen(conf.shield), &how);
	*by = "agent.conf: shield";
	asked = how;
	ask_command_line("sekisho.shield=", &asked);
	if (asked != how)
		*by = "sekisho.shield= on the kernel's command line";
	return asked;
}

/* Where it cannot be, what is done to the agent is told, as ever, and not refused. */
static void load_shield(void)
{
	const char *by = "";
	enum gate_how how = shield_how(&by);
	struct why why = {""};
	int r;

	if (how == HOW_OFF) {
		r = shield_unload();
		if (r)
			log_warning("what protects the agent itself cannot be removed: %s", strerror(-r));
		write_shield_status("off", by);
		return;
	}
	r = shield_load(how == HOW_NOTE ? SHIELD_NOTE : SHIELD_REFUSE, &why);
	if (r)
		log_notice("the kernel does not protect the agent itself: %s", r < 0 ? strerror(-r) : why.text);
	else
		printf("The agent's own files, kernel objects and processes are %s.\n",
			how == HOW_NOTE ? "watched" : "protected");
	write_shield_status(r                 ? "none"
			    : how == HOW_NOTE ? "note"
					      : "enforce",
		r < 0             ? strerror(-r)
		: r               ? why.text
		: how == HOW_NOTE ? by
				  : "");
}

/* What protects the rest goes first, or refuses it all. */
static int unload_all(void)
{
	int x = shield_unload(), r, s, t;

	if (x)
		return x;
	r = egress_unload();
	s = paper_unload();
	t = gate_unload();
	return r ? r : s ? s : t;
}

static int unloaded(int r, const char *what)
{
	if (r)
		log_error("unloading %s: %s", what, strerror(-r));
	return r ? 3 : 0;
}

static int load(const struct probe_options *o)
{
	struct why why = {""};
	unsigned set = 0;
	int r = probe_load(o, &set, &why);

	if (r < 0) {
		log_error("kernel programs: %s", strerror(-r));
		return 3;
	}
	if (r) {
		log_error("%s", why.text);
		return 1;
	}
	write_set_status(set, why.text);
	if (set == PROBE_SET_TRAMPOLINE) {
		printf("Loaded: recording runs on trampolines.\n");
	} else {
		printf("Loaded: recording runs on tracepoints, and the kernel cannot enforce.\n");
		if (why.text[0])
			printf("The fuller set does not work here: %s\n", why.text);
	}
	return 0;
}

/* Finding disks takes no capability. Loading takes some, and what is mounted for it first. */
static int give_up_power(bool loads, bool check)
{
	unsigned loading =
		CONFINE_LOADS | (check ? CONFINE_STARTS : 0); /* the kernel tells of a program that is started */
	int r;

	if (loads)
		probe_prepare();
	r = confine_power(loads ? KEPT : 0, CONFINE_FILES | (loads ? loading : 0));
	if (r)
		log_error("giving up privileges: %s", strerror(-r));
	return r;
}

enum job { JOB_LOAD, JOB_CHECK, JOB_DUMP, JOB_UNLOAD, JOB_UNLOAD_GATE, JOB_UNLOAD_SHIELD };

/* What JOB_LOAD is to load, in this order. */
enum parts {
	PART_DISKS = 1,
	PART_GATE = 2,
	PART_PRINTERS = 4,
	PART_RECORDER = 8,
	PARTS_ALL = 15,
};

/* 0: none. */
static unsigned part_by_name(const char *name)
{
	static const char *const names[] = {"disks", "gate", "printers", "recorder"};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return 1u << i;
	return 0;
}

/* What holds comes first; where it cannot, there is at least a record. The exit status. */
static int load_parts(unsigned parts, const struct probe_options *o, enum gate_how how)
{
	int held = 0, r;

	ask_command_line("sekisho.gate=", &how);
	if (parts & (PART_DISKS | PART_GATE))
		held = find_own_disks(parts & PART_DISKS);
	if (parts == PART_DISKS)
		return held;
	held = parts & PART_GATE ? load_gate(how) : 0;
	if (parts & PART_PRINTERS && how != HOW_OFF) {
		load_egress();
		load_paper();
		load_shield();
	}
	r = parts & PART_RECORDER ? load(o) : 0;
	if (shield_objects())
		log_warning("some kernel objects of ours are not protected");
	return r ? r : held == 1 ? 4 : held;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"only", required_argument, NULL, 'o'},
		{"set", required_argument, NULL, 's'}, {"ring", required_argument, NULL, 'r'},
		{"unload", no_argument, NULL, 'u'}, {"unload-gate", no_argument, NULL, 'U'},
		{"unload-shield", no_argument, NULL, 'S'}, {"gate", required_argument, NULL, 'g'},
		{"dump", required_argument, NULL, 'd'}, {"check", no_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	struct probe_options o = {.set = 0};
	struct group *gr;
	const struct enum_info *set;
	const char *below = NULL;
	enum job job = JOB_LOAD;
	unsigned parts = PARTS_ALL;
	bool loads;
	enum gate_how how = HOW_ENFORCE;
	unsigned long mib;
	char *end;
	int c;

	log_open("sekisho-load", LOG_INFO);
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			parts = part_by_name(optarg);
			if (parts)
				break;
			fprintf(stderr, "sekisho-load: --only: none of disks, gate, printers, recorder\n");
			return 2;
		case 's':
			set = enum_by_name(F_PROBE_SET, optarg);
			if (!set) {
				fprintf(stderr, "sekisho-load: --set: neither trampoline nor tracepoint\n");
				return 2;
			}
			o.set = (unsigned)set->value;
			break;
		case 'r':
			mib = strtoul(optarg, &end, 10);
			if (*end || !mib || mib > 1024 || mib & (mib - 1)) {
				fprintf(stderr, "sekisho-load: --ring: not a power of two of at most 1024\n");
				return 2;
			}
			o.ring_bytes = (uint32_t)(mib << 20);
			break;
		case 'd':
			job = JOB_DUMP;
			below = optarg;
			break;
		case 'c':
			job = JOB_CHECK;
			break;
		case 'u':
			job = JOB_UNLOAD;
			break;
		case 'U':
			job = JOB_UNLOAD_GATE;
			break;
		case 'S':
			job = JOB_UNLOAD_SHIELD;
			break;
		case 'g':
			if (!how_by_name(optarg, strlen(optarg), &how)) {
				fprintf(stderr, "sekisho-load: --gate: none of enforce, note, off\n");
				return 2;
			}
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			printf("sekisho-load %s\n", SEKISHO_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	if (geteuid()) {
		fprintf(stderr, "sekisho-load: only root can load kernel programs\n");
		return 3;
	}
	/* A name service may be asked by a socket. */
	gr = getgrnam(GROUP);
	o.group = gr ? gr->gr_gid : 0;
	loads = job != JOB_LOAD || parts != PART_DISKS;
	if (give_up_power(loads, job == JOB_CHECK))
		return 3;
	switch (job) {
	case JOB_CHECK:
		return check_print();
	case JOB_DUMP:
		return dump(below);
	case JOB_UNLOAD:
		return unloaded(probe_unload(), "the recorder's set");
	case JOB_UNLOAD_GATE:
		return unloaded(unload_all(), "the gate");
	case JOB_UNLOAD_SHIELD:
		return unloaded(shield_unload(), "what protects the agent itself");
	case JOB_LOAD:
		break;
	}
	return load_parts(parts, &o, how);
}
