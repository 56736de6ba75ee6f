/*
 * The gate from the command line, for flows and lab scenarios: what the guard does with it, one act at a time, by the
 * same calls (agent/probe/gate.h). Not shipped: it grants.
 */
#include "agent/probe/gate.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/sysmacros.h>

static const char usage[] =
	"usage: gate load enforce|note | unload | layers | prove | list | look T DEV\n"
	"       gate hold T DEV STATE | grant T DEV GENERATION STATE | events SECONDS | exempt PROGRAM...\n"
	"T: b or c; DEV: MAJOR:MINOR; STATE: all, write, granted\n"
	"Exit status: 0; the verdict; 100 an error.\n";

static const char *const states[] = {
	[GATE_HELD_ALL] = "all", [GATE_HELD_WRITE] = "write", [GATE_GRANTED] = "granted", [GATE_OWN] = "own"};
static const char *const kinds[] = {[GATE_EVENT_DENIED_OPEN] = "denied-open",
	[GATE_EVENT_DENIED_IOCTL] = "denied-ioctl",
	[GATE_EVENT_DENIED_MOUNT] = "denied-mount",
	[GATE_EVENT_WRITE_SEEN] = "write-seen",
	[GATE_EVENT_REFUSED] = "refused",
	[GATE_EVENT_MEDIUM_CHANGED] = "medium-changed",
	[GATE_EVENT_DENIED_OVERLAY] = "denied-overlay"};

static int said(int r, const struct why *why)
{
	if (r)
		fprintf(stderr, "gate: %d %s %s\n", r, r < 0 ? strerror(-r) : "", why ? why->text : "");
	return r < 0 ? 100 : r;
}

static int print_layers(int layers)
{
	_cleanup_buf_ struct buf b = BUF_INIT(256);

	if (layers < 0 || gate_layers_text((unsigned)layers, &b) || !buf_str(&b))
		return said(layers < 0 ? layers : -ENOMEM, NULL);
	printf("%s\n", (const char *)b.p);
	return 0;
}

static int print_entry(void *ctx, const struct gate_key *k, const struct gate_entry *e)
{
	(void)ctx;
	printf("%c %u:%u %s flags=%#x whole=%u:%u generation=%" PRIu64 "\n", k->type == GATE_BLOCK ? 'b' : 'c',
		k->dev >> 20, k->dev & 0xfffff, e->state < ARRAY_SIZE(states) ? states[e->state] : "?", e->flags,
		e->whole >> 20, e->whole & 0xfffff, e->generation);
	return 0;
}

static int print_event(void *ctx, const struct gate_event *e)
{
	(void)ctx;
	printf("%s %c %u:%u whole=%u:%u op=%#x count=%" PRIu64 " dry=%d pid=%u uid=%u comm=%s path=%s\n",
		e->kind < ARRAY_SIZE(kinds) ? kinds[e->kind] : "?", e->type == GATE_BLOCK ? 'b' : 'c', e->dev >> 20,
		e->dev & 0xfffff, e->whole >> 20, e->whole & 0xfffff, e->op, e->count,
		!!(e->flags & GATE_EVENT_DRY_RUN), e->pid, e->uid, e->comm, e->path);
	return 0;
}

static int follow(struct gate *g, int seconds)
{
	struct pollfd p = {.fd = gate_fd(g), .events = POLLIN};
	int64_t until = clock_boot_us() + seconds * 1000000ll;
	int r = 0;

	do {
		r = gate_consume(g, print_event, NULL);
		fflush(stdout);
		if (r >= 0)
			poll(&p, 1, 100);
	} while (r >= 0 && clock_boot_us() < until);
	printf("lost %" PRIu64 "\n", gate_lost(g));
	return said(r < 0 ? r : 0, NULL);
}

/* "b" "8:16" -> type and number. */
static bool device(char **argv, unsigned *type, dev_t *dev)
{
	unsigned maj, min;

	if ((strcmp(argv[0], "b") && strcmp(argv[0], "c")) || sscanf(argv[1], "%u:%u", &maj, &min) != 2)
		return false;
	*type = argv[0][0] == 'b' ? GATE_BLOCK : GATE_CHAR;
	*dev = makedev(maj, min);
	return true;
}

static unsigned state(const char *name)
{
	unsigned i;

	for (i = GATE_HELD_ALL; i < ARRAY_SIZE(states); i++)
		if (!strcmp(states[i], name))
			return i;
	return 0;
}

static int on_device(struct gate *g, int argc, char **argv)
{
	struct gate_entry e;
	struct gate_key k;
	unsigned type;
	dev_t dev;
	int r;

	if (!device(argv + 2, &type, &dev))
		return 100;
	if (!strcmp(argv[1], "look") && argc == 4) {
		r = gate_look(g, type, dev, &e);
		k = (struct gate_key){.type = type, .dev = (gate_u32)(major(dev) << 20 | minor(dev))};
		return r ? said(r, NULL) : print_entry(NULL, &k, &e);
	}
	if (!strcmp(argv[1], "hold") && argc == 5)
		return said(gate_hold(g, type, dev, state(argv[4])), NULL);
	if (!strcmp(argv[1], "grant") && argc == 6)
		return said(gate_grant(g, type, dev, strtoull(argv[4], NULL, 10), state(argv[5])), NULL);
	fputs(usage, stderr);
	return 100;
}

static int load(const char *how)
{
	struct gate_options o = {.dry_run = !strcmp(how, "note")};
	struct why why = {""};
	unsigned layers = 0;
	int r = gate_load(&o, &layers, &why);

	return r ? said(r, &why) : print_layers((int)layers);
}

int main(int argc, char **argv)
{
	_cleanup_(gate_closep) struct gate *g = NULL;
	const char *act = argc > 1 ? argv[1] : "";
	struct why why = {""};
	int r;

	if (!strcmp(act, "load") && argc == 3)
		return load(argv[2]);
	if (!strcmp(act, "unload"))
		return said(gate_unload(), NULL);
	r = gate_open(&g, &why);
	if (r)
		return said(r, &why);
	if (!strcmp(act, "layers"))
		return print_layers((int)gate_layers(g));
	if (!strcmp(act, "prove"))
		return print_layers(gate_prove(g));
	if (!strcmp(act, "list"))
		return said(gate_each(g, print_entry, NULL), NULL);
	if (!strcmp(act, "events") && argc == 3)
		return follow(g, atoi(argv[2]));
	if (!strcmp(act, "exempt") && argc > 2) {
		r = gate_exempt_self(g);
		if (r)
			return said(r, NULL);
		execvp(argv[2], argv + 2);
		return said(-errno, NULL);
	}
	if (argc > 3)
		return on_device(g, argc, argv);
	fputs(usage, stderr);
	return 100;
}
