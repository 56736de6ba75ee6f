/*
 * Records of what the guard saw and decided. Called by its other parts; everything is urgent (sealed at once), but what
 * a program can cause as often as it likes, which is counted and told in bounds.
 *
 * What a device says of itself goes into the record as it is; readers escape.
 */
#include "agent/guard/guard.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#define INTERFACES_TEXT (DEVICE_INTERFACES_MAX * 9)
#define PROC_TEXT TELL_PROGRAM_SIZE

void tell_put(struct guard *g, struct record *r, bool urgent)
{
	(void)tell_surely(g, r, urgent);
}

bool tell_surely(struct guard *g, struct record *r, bool urgent)
{
	record_set_int(r, F_TIME, clock_wall_us());
	record_set_int(r, F_BOOT_TIME, clock_boot_us());
	return tell_of_then(g, r, urgent);
}

bool tell_of_then(struct guard *g, struct record *r, bool urgent)
{
	int got;

	if (!g->sealer)
		return false;
	if (!record_has(r, F_POLICY))
		record_set_uint(r, F_POLICY, g->orders.version);
	got = sealer_put(g->sealer, r, urgent);
	if (got < 0)
		guard_fail(g, got, "spool");
	return !got && sealer_sealed(g->sealer);
}

/* `u` is the device that it is about (NULL: none): who is at its seat is in the record. */
void tell_begin(struct guard *g, struct record *r, unsigned kind, const struct unit *u)
{
	const struct person *p = person_of(g, u);

	record_reset(r);
	record_set_uint(r, F_KIND, kind);
	if (p->there) {
		record_set_str(r, F_USER, p->name);
		record_set_uint(r, F_LOGIN_UID, p->uid);
	}
}

/* --- devices --- */

static void interfaces_text(const struct device *d, char out[INTERFACES_TEXT])
{
	size_t at = 0;
	unsigned i;

	out[0] = 0;
	for (i = 0; i < d->interfaces_n; i++) {
		char one[12];

		snprintf(one, sizeof(one), "%02x:%02x:%02x", d->interface[i].class, d->interface[i].subclass,
			d->interface[i].protocol);
		if (strstr(out, one)) /* alternate settings often say the same */
			continue;
		at += (size_t)snprintf(out + at, INTERFACES_TEXT - at, "%s%s", at ? "," : "", one);
	}
}

void tell_describe(struct record *r, const struct unit *u, const struct disk *d, struct tell_room *room)
{
	const struct device *f = &u->device;

	if (f->usb) {
		snprintf(room->id, sizeof(room->id), "%04x:%04x", f->vendor, f->product);
		record_set_str(r, F_USB_ID, room->id);
	}
	record_set_text(r, F_MAKER, f->vendor_name);
	record_set_text(r, F_PRODUCT, f->product_name);
	record_set_text(r, F_SERIAL, f->serial);
	record_set_text(r, F_PORT, f->port);
	if (f->has_fingerprint)
		record_set_span(r, F_FINGERPRINT, SPAN(f->fingerprint.b, DIGEST_SIZE));
	interfaces_text(f, room->interfaces);
	record_set_text(r, F_INTERFACES, room->interfaces);
	if (d) {
		snprintf(room->dev, sizeof(room->dev), "%u:%u", major(d->dev), minor(d->dev));
		record_set_str(r, F_DEVICE, room->dev);
		record_set_str(r, F_PATH, d->name);
		if (d->size)
			record_set_uint(r, F_SIZE, d->size);
	}
}

/* What it is, in one word: of several kinds the one that carries most, which comes first in the table. */
static void set_kind(struct record *r, const struct unit *u)
{
	if (u->device.kinds)
		record_set_uint(r, F_DEVICE_KIND, (uint64_t)__builtin_ctzll(u->device.kinds));
}

void tell_plug(struct guard *g, const struct unit *u)
{
	struct record r;
	struct tell_room room;

	tell_begin(g, &r, KIND_PLUG, u);
	tell_describe(&r, u, NULL, &room);
	set_kind(&r, u);
	tell_put(g, &r, true);
}

void tell_unplug(struct guard *g, const struct unit *u)
{
	struct record r;
	struct tell_room room;

	tell_begin(g, &r, KIND_UNPLUG, u);
	tell_describe(&r, u, NULL, &room);
	set_kind(&r, u);
	record_set_int(&r, F_DURATION, clock_boot_us() - u->since_boot_us);
	tell_put(g, &r, true);
}

void tell_decision(struct guard *g, const struct unit *u, const struct disk *d, const struct decision *now)
{
	struct record r;
	struct tell_room room;

	tell_begin(g, &r, KIND_DECISION, u);
	tell_describe(&r, u, d, &room);
	record_set_uint(&r, F_DEVICE_KIND, now->kind);
	record_set_uint(&r, F_ACCESS, now->access);
	record_set_uint(&r, F_POLICY_MODE, now->note ? POLICY_MODE_NOTE : POLICY_MODE_ENFORCE);
	record_set_str(&r, F_RULE, now->rule);
	record_set_text(&r, F_OWNER, now->owner);
	record_set_text(&r, F_LABEL, now->label);
	record_set_text(&r, F_TEXT, now->reason);
	if (now->until_us != INT64_MAX)
		record_set_int(&r, F_UNTIL, now->until_us);
	tell_put(g, &r, true);
}

void tell_medium(struct guard *g, const struct unit *u, const struct disk *d)
{
	struct record r;
	struct tell_room room;

	tell_begin(g, &r, KIND_MEDIUM, u);
	tell_describe(&r, u, d, &room);
	tell_put(g, &r, true);
}

void tell_release(struct guard *g, unsigned kind, const struct unit *u, const char *rule, unsigned access,
	int64_t until_us, const char *text)
{
	struct record r;
	struct tell_room room;

	tell_begin(g, &r, kind, u);
	if (u)
		tell_describe(&r, u, NULL, &room);
	record_set_text(&r, F_RULE, rule);
	if (access)
		record_set_uint(&r, F_ACCESS, access);
	if (until_us)
		record_set_int(&r, F_UNTIL, until_us);
	record_set_text(&r, F_TEXT, text);
	tell_put(g, &r, true);
}

/* --- what the kernel tells --- */

static size_t read_link(pid_t pid, const char *what, char out[PROC_TEXT])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	n = readlink(path, out, PROC_TEXT - 1);
	out[n > 0 ? n : 0] = 0;
	return n > 0 ? (size_t)n : 0;
}

/* Names of what was tried; an ioctl by its number where we have none. */
static const char *operation(const struct gate_event *e, char room[32])
{
	switch (e->kind) {
	case GATE_EVENT_DENIED_OPEN:
		return "open";
	case GATE_EVENT_DENIED_MOUNT:
		return "remount";
	case GATE_EVENT_REFUSED:
		return "write";
	case GATE_EVENT_WRITE_SEEN:
		return "block-write";
	default:
		break;
	}
	if (e->op == 0x125d)
		return "set-writable";
	if (e->op == 0x2285 || e->op == 1 || e->op == 0x5393)
		return "pass-through";
	snprintf(room, 32, "ioctl-%#x", e->op);
	return room;
}

/*
 * The process may be gone by now, or another one have its number: what the kernel said of it stands, its program is
 * told only where it started when the kernel says that it did.
 */
static bool still_there(uint32_t pid, uint64_t start_boot_ns)
{
	uint64_t ticks;
	pid_t parent;

	return process_stat((pid_t)pid, &parent, &ticks) &&
	       start_boot_ns / (1000000000ull / (unsigned long long)sysconf(_SC_CLK_TCK)) == ticks;
}

void tell_process(struct record *r, const struct tell_who *who, char program[TELL_PROGRAM_SIZE])
{
	record_set_uint(r, F_PID, who->pid);
	record_set_uint(r, F_UID, who->uid);
	if (who->loginuid != UINT32_MAX)
		record_set_uint(r, F_LOGIN_UID, who->loginuid);
	else
		record_drop(r, F_LOGIN_UID);
	record_set_int(r, F_START, (int64_t)(who->start_boot_ns / 1000));
	record_set_span(r, F_COMM, SPAN(who->comm, strnlen(who->comm, 16)));
	if (still_there(who->pid, who->start_boot_ns) && read_link((pid_t)who->pid, "exe", program))
		record_set_str(r, F_PROGRAM, program);
}

/* As the caller wrote it: a relative one is within his working directory. */
static void set_path(struct record *r, const struct gate_event *e, char room[2 * PROC_TEXT])
{
	size_t n = strnlen(e->path, sizeof(e->path)), at;

	if (!n)
		return;
	at = e->path[0] == '/' ? 0 : read_link((pid_t)e->pid, "cwd", room);
	if (at)
		room[at++] = '/';
	memcpy(room + at, e->path, n);
	room[at + n] = 0;
	record_set_str(r, F_PATH, room);
}

/* No device, no area and no file: what is refused is a way around being asked (gate.bpf.c). */
static void tell_overlay(struct guard *g, const struct gate_event *e)
{
	static char program[PROC_TEXT];
	char user[64];
	struct record r;

	g->denials++;
	tell_begin(g, &r, KIND_FILE_REFUSED, NULL);
	record_drop(&r, F_USER);
	person_name(g, e->loginuid != UINT32_MAX ? e->loginuid : e->uid, user);
	record_set_text(&r, F_USER, user);
	record_set_str(&r, F_OPERATION, "mount-overlay");
	record_set_str(&r, F_FS, "overlay");
	record_set_uint(&r, F_ACTION, ACTION_DENY);
	record_set_uint(&r, F_POLICY_MODE, POLICY_MODE_ENFORCE);
	record_set_int(&r, F_RESULT, -EPERM);
	if (e->count > 1)
		record_set_uint(&r, F_COUNT, e->count);
	tell_process(&r, &(struct tell_who){e->pid, e->uid, e->loginuid, e->start_boot_ns, e->comm}, program);
	tell_put(g, &r, true);
}

void tell_event(struct guard *g, const struct gate_event *e)
{
	static char program[PROC_TEXT], path[2 * PROC_TEXT];
	dev_t dev = makedev(e->whole >> 20, e->whole & 0xfffff);
	struct disk *d = NULL;
	struct unit *u = unit_by_dev(g, e->type ? e->type : GATE_BLOCK, dev, &d);
	char number[32];
	struct record r;
	struct tell_room room;

	if (e->kind == GATE_EVENT_DENIED_OVERLAY) {
		tell_overlay(g, e);
		return;
	}
	g->denials++;
	tell_begin(g, &r, e->kind == GATE_EVENT_WRITE_SEEN ? KIND_WRITE_SEEN : KIND_DENIED, u);
	if (u)
		tell_describe(&r, u, d, &room);
	if (!d && e->dev) {
		snprintf(room.dev, sizeof(room.dev), "%u:%u", e->dev >> 20, e->dev & 0xfffff);
		record_set_str(&r, F_DEVICE, room.dev);
	}
	if (d) {
		record_set_uint(&r, F_ACCESS, d->decided.access);
		record_set_str(&r, F_RULE, d->decided.rule);
	}
	record_set_str(&r, F_OPERATION, operation(e, number));
	record_set_uint(&r, F_POLICY_MODE, e->flags & GATE_EVENT_DRY_RUN ? POLICY_MODE_NOTE : POLICY_MODE_ENFORCE);
	if (e->count > 1)
		record_set_uint(&r, F_COUNT, e->count);
	record_set_int(&r, F_RESULT, -EROFS);
	tell_process(&r, &(struct tell_who){e->pid, e->uid, e->loginuid, e->start_boot_ns, e->comm}, program);
	set_path(&r, e, path);
	tell_put(g, &r, true);
}

/* --- connections to printers --- */

void tell_printer(struct guard *g, const struct egress_event *e, uint64_t count)
{
	static char program[PROC_TEXT];
	char address[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 16];
	struct record r;

	if (e->refused)
		g->denials += count;
	tell_begin(g, &r, KIND_PRINTER_CONNECT, NULL);
	inet_ntop(e->family == AF_INET ? AF_INET : AF_INET6, e->address, address, sizeof(address));
	snprintf(text, sizeof(text), e->family == AF_INET ? "%s:%u" : "[%s]:%u", address, e->port);
	record_set_str(&r, F_ADDRESS, text);
	record_set_str(&r, F_OPERATION, "connect");
	record_set_uint(&r, F_POLICY_MODE, e->refused ? POLICY_MODE_ENFORCE : POLICY_MODE_NOTE);
	record_set_int(&r, F_RESULT, e->refused ? -EPERM : 0);
	if (count > 1)
		record_set_uint(&r, F_COUNT, count);
	tell_process(&r, &(struct tell_who){e->pid, e->uid, e->loginuid, e->start_boot_ns, e->comm}, program);
	tell_put(g, &r, true);
}

/* --- about the guard itself --- */

static void layers_text(unsigned layers, struct tell_room *room)
{
	_cleanup_buf_ struct buf b = BUF_INIT(sizeof(room->layers) - 1);

	room->layers[0] = 0;
	if (!gate_layers_text(layers, &b))
		snprintf(room->layers, sizeof(room->layers), "%.*s", (int)b.n, (const char *)b.p);
}

void tell_means(struct guard *g)
{
	struct tell_room room;
	char names[sizeof(room.layers) + 64];

	layers_text(g->layers, &room);
	/* The weaker ones need nothing of the kernel that could be missing. */
	snprintf(names, sizeof(names), "%s%sflag,authorized%s%s", room.layers, room.layers[0] ? "," : "",
		!strcmp(protect_level(g), "enforce") ? ",shield" : "",
		refuse_means(g) && strcmp(refuse_means(g), "none") != 0 ? ",protected-files" : "");
	sealer_means(g->sealer, names);
}

void tell_start(struct guard *g)
{
	static const uint64_t places[] = {
		[KEY_IN_FILE] = KEY_PLACE_FILE, [KEY_IN_TPM] = KEY_PLACE_TPM, [KEY_IN_TOKEN] = KEY_PLACE_TOKEN};
	struct record r;
	struct tell_room room;

	tell_begin(g, &r, KIND_GUARD_START, NULL);
	layers_text(g->layers, &room);
	record_set_str(&r, F_VERSION, SEKISHO_VERSION);
	record_set_text(&r, F_LAYERS, room.layers);
	record_set_uint(&r, F_ENFORCE, g->layers & GATE_OPEN ? ENFORCE_FULL : ENFORCE_NONE);
	record_set_uint(&r, F_KEY_PLACE, places[key_place(g->keys.device)]);
	record_set_text(&r, F_TEXT, g->gate ? NULL : "the kernel's gate is not there: only udev and flags hold");
	tell_put(g, &r, true);
}

void tell_stop(struct guard *g)
{
	struct record r;

	tell_begin(g, &r, KIND_GUARD_STOP, NULL);
	record_set_text(&r, F_TEXT,
		g->asked.how != STOP_ANEW ? "what is held stays held"
		: g->gate                 ? "the kernel's gate is another one now: started anew with it"
					  : "the kernel's gate is there now: started anew with it");
	service_put_stop(&r, &g->asked);
	tell_put(g, &r, true);
}

int tell_own(void *ctx, const struct record *r)
{
	struct guard *g = ctx;
	int got = sealer_put(g->sealer, r, true);

	return got < 0 ? got : 0;
}

void tell_policy(struct guard *g, unsigned kind, uint64_t version, const char *signer, const char *text)
{
	struct record r;

	tell_begin(g, &r, kind, NULL);
	if (version)
		record_set_uint(&r, F_POLICY, version);
	record_set_text(&r, F_SIGNER, signer);
	record_set_text(&r, F_TEXT, text);
	tell_put(g, &r, true);
}

void tell_proof(struct guard *g, unsigned layers, unsigned before)
{
	unsigned taken = g->gate ? gate_layers(g->gate) : 0;
	struct record r;
	struct tell_room room;

	tell_begin(g, &r, KIND_PROOF, NULL);
	layers_text(layers, &room);
	record_set_text(&r, F_LAYERS, room.layers);
	record_set_uint(&r, F_ENFORCE, layers & GATE_OPEN ? ENFORCE_FULL : ENFORCE_NONE);
	record_set_str(&r, F_TEXT,
		before & ~layers   ? "a means that held before does not hold any more"
		: taken & ~layers  ? "a means that the kernel took does not hold"
		: layers & ~before ? "a means that did not hold before holds again"
				   : "every means holds");
	tell_put(g, &r, true);
}
