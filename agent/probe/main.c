/*
 * sekisho-load: loads and pins the kernel programs, says which set it is and why not a fuller one, and exits. With
 * --unload it removes them. It needs privilege, so it does nothing else: it reads no settings and follows no events.
 */
#include "agent/probe/dump.h"
#include "agent/probe/probe.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <jansson.h>
#include <stdlib.h>

#define GROUP "sekisho-recorder"
#define STATUS_PATH "/run/sekisho/probe.json"

static const char usage[] =
	"usage: sekisho-load [--set trampoline|tracepoint] [--ring SIZE-IN-MiB]\n"
	"       sekisho-load --unload\n"
	"       sekisho-load --dump FOLDER\n"
	"\n"
	"Loads Sekisho's kernel programs, proves that they deliver, pins them below " PROBE_PIN_DIR ", and exits.\n"
	"\n"
	"  --set SET     this set of hooks and no other; by default the fullest that works here\n"
	"  --ring MiB    size of the ring buffer, a power of two (8)\n"
	"  --unload      remove them: recording ends\n"
	"  --dump FOLDER print what is told of files below FOLDER, and of processes, as JSON, until interrupted;\n"
	"                for trying things out where no recorder runs: it takes the recorder's place and filter\n"
	"  -h, --help    this text\n"
	"  --version     the version\n"
	"\n"
	"Exit status: 0 done; 1 the kernel takes neither set; 2 usage; 3 this machine failed.\n";

static void write_status(unsigned set, const char *why)
{
	char path[256], when[TEXT_TIME_SIZE];
	const char *root = getenv("SEKISHO_ROOT");
	json_t *j = json_pack("{s:s, s:s, s:s}", "set", enum_by_value(F_PROBE_SET, set)->name, "loaded",
		text_time_utc(when, clock_wall_us()), "why_not_fuller", why);
	char *text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;

	snprintf(path, sizeof(path), "%s" STATUS_PATH, root ? root : "");
	/* For `sekishoctl status` only: where the folder is missing, nobody asks. */
	if (text && file_replace_volatile(path, SPAN_STR(text), 0644) && errno != ENOENT)
		log_debug("%s cannot be written", path);
	free(text);
	json_decref(j);
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
	write_status(set, why.text);
	if (set == PROBE_SET_TRAMPOLINE) {
		printf("Loaded: recording runs on trampolines.\n");
	} else {
		printf("Loaded: recording runs on tracepoints, and the kernel cannot enforce.\n");
		if (why.text[0])
			printf("The fuller set does not work here: %s\n", why.text);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"set", required_argument, NULL, 's'},
		{"ring", required_argument, NULL, 'r'}, {"unload", no_argument, NULL, 'u'},
		{"dump", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	struct probe_options o = {.set = 0};
	struct group *gr = getgrnam(GROUP);
	const struct enum_info *set;
	const char *below = NULL;
	bool unload = false;
	unsigned long mib;
	char *end;
	int c;

	log_open("sekisho-load", LOG_INFO);
	o.group = gr ? gr->gr_gid : 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
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
			below = optarg;
			break;
		case 'u':
			unload = true;
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
	if (below)
		return dump(below);
	if (unload) {
		int r = probe_unload();

		if (r)
			log_error("unloading: %s", strerror(-r));
		return r ? 3 : 0;
	}
	return load(&o);
}
