/*
 * The sealed way to change what is ours (SELF.md): a window that root opens for the work of one process, for a bounded
 * time. Opening and closing are records; what was changed meanwhile is compared with what the packages say of
 * their files when it ends, however it ends. Called by the loop and the desk.
 *
 * It is kept in a file, since an upgrade restarts the guard; another one, which everybody may read, tells the agent's
 * other programs that they are stopped to be replaced.
 */
#include "agent/guard/guard.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>

#define STATE_MAX (2u << 20)
#define REASON_SIZE 200
#define MINUTES_MAX 120
#define LOOK_EVERY_US (2ll * 1000000)

static int state_path(const struct guard *g, char out[PATH_MAX + 32])
{
	return (size_t)snprintf(out, PATH_MAX + 32, "%s/maintenance.json", g->state) < PATH_MAX + 32 ? 0
												     : -ENAMETOOLONG;
}

static void boot_hex(char out[33])
{
	uint8_t boot[16] = {0};

	(void)clock_boot_id(boot);
	hex_encode(out, boot, sizeof(boot));
}

/* --- what is kept --- */

/* What the packages said, as they say it; only which files they had is asked of it again. */
static int before_text(const struct manifest *m, struct buf *out)
{
	char hex[2 * DIGEST_SIZE + 1];
	unsigned i;
	int r = buf_putf(out, "sekisho-manifest 1 %s\n", m->version);

	for (i = 0; !r && i < m->files_n; i++)
		r = buf_putf(out, "%s %04o %s\n", hex_encode(hex, m->files[i].hash.b, DIGEST_SIZE), m->files[i].mode,
			m->files[i].path);
	return r;
}

static int write_json(const char *path, json_t *o, mode_t mode)
{
	char *text = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	int r = text ? file_replace(path, SPAN_STR(text), mode) : -ENOMEM;

	free(text);
	json_decref(o);
	return r;
}

static int keep(const struct guard *g)
{
	const struct maintenance *m = &g->maintenance;
	_cleanup_buf_ struct buf before = BUF_INIT(MANIFEST_BYTES_MAX * 4);
	char path[PATH_MAX + 32], told[PATH_MAX], boot[33];
	int r = state_path(g, path);

	boot_hex(boot);
	if (!r && m->before.files_n)
		r = before_text(&m->before, &before);
	r = r ? r : buf_put(&before, "", 1);
	if (r)
		return r;
	r = write_json(path,
		json_pack("{s:s, s:s, s:I, s:I, s:I, s:s}", "boot", boot, "purpose", m->purpose, "pid",
			(json_int_t)m->pid, "start", (json_int_t)m->start_ticks, "until_boot_us",
			(json_int_t)m->until_boot_us, "before", (const char *)before.p),
		0600);
	if (r || agent_path(told, sizeof(told), SERVICE_MAINTENANCE_PATH))
		return r;
	return write_json(told,
		json_pack("{s:s, s:I}", "purpose", m->purpose, "until_boot_us", (json_int_t)m->until_boot_us), 0644);
}

static void forget(const struct guard *g)
{
	char path[PATH_MAX + 32], told[PATH_MAX];

	if (!agent_path(told, sizeof(told), SERVICE_MAINTENANCE_PATH))
		unlink(told);
	if (!state_path(g, path))
		unlink(path);
}

/* *same_boot: it was opened since the PC booted. False where none was open, or what is kept is not whole. */
static bool recall(struct guard *g, bool *same_boot)
{
	struct maintenance *m = &g->maintenance;
	_cleanup_buf_ struct buf b = BUF_INIT(STATE_MAX);
	const char *boot, *purpose, *before;
	char path[PATH_MAX + 32], now[33];
	json_int_t pid, start, until;
	json_t *o;
	bool whole;

	if (state_path(g, path) || file_read(path, &b))
		return false;
	o = json_loadb((const char *)b.p, b.n, 0, NULL);
	whole = o && !json_unpack(o, "{s:s, s:s, s:I, s:I, s:I, s:s}", "boot", &boot, "purpose", &purpose, "pid", &pid,
			     "start", &start, "until_boot_us", &until, "before", &before);
	if (whole) {
		boot_hex(now);
		*same_boot = !strcmp(boot, now);
		snprintf(m->purpose, sizeof(m->purpose), "%s", purpose);
		m->pid = (pid_t)pid;
		m->start_ticks = (uint64_t)start;
		m->until_boot_us = until;
		(void)manifest_add(&m->before, SPAN_STR(before));
	}
	json_decref(o);
	return whole;
}

/* --- opening and ending --- */

static void clear(struct guard *g)
{
	manifest_deinit(&g->maintenance.before);
	g->maintenance = (struct maintenance){.open = false};
}

/* What came of it. Nothing that was changed is left untold by a failure: it is told at the next look. */
static void settle(struct guard *g, const char *how, struct own_change *change)
{
	_cleanup_manifest_ struct manifest now = {.files_n = 0};
	int r = manifest_read(getenv("SEKISHO_ROOT") ? getenv("SEKISHO_ROOT") : "", &now);

	change->before = &g->maintenance.before;
	change->now = &now;
	if (!r && g->own)
		r = own_settle(g->own, change, tell_own, g);
	if (r)
		log_error("what was changed cannot be compared: %s", strerror(r < 0 ? -r : EIO));
	if (change->fitting)
		tell_upgraded(g, &now, change->fitting);
	tell_window_close(g, how, change->others);
	change->before = change->now = NULL;
}

static void end(struct guard *g, const char *how, struct own_change *change)
{
	/* First nobody may any more, nor is told that he is stopped for it. */
	g->maintenance.open = false;
	protect_window(g);
	forget(g);
	settle(g, how, change);
	/* What was put in the place of something is ours from now on. */
	protect_renew(g);
	log_notice("the maintenance window is closed (%s): %u changes by packages, %u others", how, change->fitting,
		change->others);
	clear(g);
	report_save(g);
}

static int begin(struct guard *g, const char *purpose, unsigned minutes, const struct ancestor *root)
{
	struct maintenance *m = &g->maintenance;
	int r = manifest_read(getenv("SEKISHO_ROOT") ? getenv("SEKISHO_ROOT") : "", &m->before);

	if (r)
		return r;
	snprintf(m->purpose, sizeof(m->purpose), "%s", purpose);
	m->pid = root->pid;
	m->start_ticks = root->start_ticks;
	m->until_boot_us = clock_boot_us() + (int64_t)minutes * 60 * 1000000;
	m->open = true;
	r = keep(g);
	if (r) {
		forget(g);
		clear(g);
	}
	return r;
}

void maintenance_start(struct guard *g)
{
	struct maintenance *m = &g->maintenance;
	struct own_change change = {.fitting = 0};
	bool same_boot = false;
	const char *how;

	if (!recall(g, &same_boot))
		return;
	m->open = true;
	how = !same_boot                               ? "boot"
	      : !lineage_lives(m->pid, m->start_ticks) ? "ended"
	      : clock_boot_us() >= m->until_boot_us    ? "expired"
						       : NULL;
	if (how)
		end(g, how, &change);
	else
		protect_window(g);
}

void maintenance_run(struct guard *g, int64_t now)
{
	struct maintenance *m = &g->maintenance;
	struct own_change change = {.fitting = 0};

	if (!m->open)
		return;
	if (now >= m->until_boot_us)
		end(g, "expired", &change);
	else if (!lineage_lives(m->pid, m->start_ticks))
		end(g, "ended", &change);
}

int64_t maintenance_due(const struct guard *g)
{
	return g->maintenance.open ? clock_boot_us() + LOOK_EVERY_US : INT64_MAX;
}

void maintenance_free(struct guard *g)
{
	clear(g);
}

/* --- what is asked --- */

struct json_t *maintenance_state(const struct guard *g)
{
	const struct maintenance *m = &g->maintenance;
	json_t *o = json_pack("{s:b, s:s}", "open", m->open, "protection", protect_level(g));

	if (m->open) {
		json_object_set_new(o, "purpose", json_string(m->purpose));
		json_object_set_new(o, "pid", json_integer(m->pid));
		json_object_set_new(
			o, "until_us", json_integer(clock_wall_us() + (m->until_boot_us - clock_boot_us())));
	}
	return o;
}

static bool is_purpose(const char *s)
{
	return s && (!strcmp(s, "upgrade") || !strcmp(s, "removal") || !strcmp(s, "repair"));
}

struct json_t *maintenance_ask_open(struct guard *g, const struct json_t *ask, pid_t pid)
{
	const json_t *o = (const json_t *)ask;
	const char *purpose = json_string_value(json_object_get(o, "purpose"));
	const char *reason = json_string_value(json_object_get(o, "reason"));
	json_int_t minutes = json_integer_value(json_object_get(o, "minutes"));
	struct own_change change = {.fitting = 0};
	struct ancestor line[LINEAGE_MAX];
	struct maintenance *m = &g->maintenance;
	char text[REASON_SIZE];
	unsigned n, root;

	if (!is_purpose(purpose) || minutes < 1 || minutes > MINUTES_MAX)
		return (struct json_t *)service_refusal("request",
			"for upgrade, removal or repair, and for 1 to 120 minutes",
			"目的は upgrade、removal、repair のいずれか、時間は 1 から 120 分です");
	n = lineage_read(pid, line);
	root = lineage_root(line, n);
	if (root == n)
		return (struct json_t *)service_refusal("request", "who asks is gone, or was started by systemd itself",
			"要求元のプロセスがないか、systemd から直接起動されています");
	if (m->open && m->pid == line[root].pid && m->start_ticks == line[root].start_ticks &&
		!strcmp(m->purpose, purpose))
		return maintenance_state(g); /* the next package of the same run */
	if (m->open)
		end(g, "replaced", &change);
	if (begin(g, purpose, (unsigned)minutes, &line[root]))
		return (struct json_t *)service_refusal("failed", "the guard failed", "ガードで障害が発生しました");
	text_copy(text, sizeof(text), SPAN_STR(reason ? reason : ""));
	log_notice("a maintenance window is open for %s: process %d, %lld minutes", purpose, (int)m->pid,
		(long long)minutes);
	tell_window_open(g, line[root].pid, text, clock_wall_us() + (int64_t)minutes * 60 * 1000000);
	/* What the kernel lets through is recorded first. */
	protect_window(g);
	report_save(g);
	return maintenance_state(g);
}

struct json_t *maintenance_ask_close(struct guard *g)
{
	struct own_change change = {.fitting = 0};

	if (!g->maintenance.open)
		return (struct json_t *)service_refusal(
			"closed", "no maintenance window is open", "保守作業は開始されていません");
	end(g, "closed", &change);
	return (struct json_t *)json_pack("{s:i, s:i}", "fitting", (int)change.fitting, "others", (int)change.others);
}
