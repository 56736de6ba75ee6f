/*
 * See service.h.
 */
#include "agent/service/service.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/wire/agent_conf.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>

int service_signals(sd_event *event, const struct service_signal *signals, size_t n, void *ctx)
{
	sigset_t set;
	size_t i;
	int r = 0;

	sigemptyset(&set);
	for (i = 0; i < n; i++)
		sigaddset(&set, signals[i].number);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	for (i = 0; i < n && r >= 0; i++)
		r = sd_event_add_signal(event, NULL, signals[i].number, signals[i].fn, ctx);
	return r < 0 ? r : 0;
}

int service_idle(sd_event *event, sd_event_source **source, bool on, sd_event_handler_t fn, void *ctx)
{
	int r = 0;

	if (!*source) {
		r = sd_event_add_defer(event, source, fn, ctx);
		if (r >= 0)
			r = sd_event_source_set_priority(*source, SD_EVENT_PRIORITY_IDLE);
	}
	if (r >= 0)
		r = sd_event_source_set_enabled(*source, on ? SD_EVENT_ON : SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

void service_clock_heard(int fd)
{
	/* Never reached: it is there to be cancelled. */
	const struct itimerspec never = {.it_value = {.tv_sec = INT64_MAX}};
	uint64_t n;

	(void)!read(fd, &n, sizeof(n));
	(void)timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

int service_watch_clock(sd_event *event, sd_event_io_handler_t fn, void *ctx)
{
	_cleanup_close_ int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	sd_event_source *source = NULL;
	int r;

	if (fd < 0)
		return -errno;
	service_clock_heard(fd);
	r = sd_event_add_io(event, &source, fd, EPOLLIN, fn, ctx);
	r = r < 0 ? r : sd_event_source_set_io_fd_own(source, 1);
	if (r >= 0) {
		steal_fd(&fd);
		r = sd_event_source_set_floating(source, 1);
	}
	sd_event_source_unref(source);
	return r < 0 ? r : 0;
}

bool service_has_place(const struct service_places *places, uid_t uid, unsigned taken, unsigned same)
{
	if (!uid)
		return taken < places->all;
	return same < places->each && taken < places->all - places->root;
}

int service_listen(const char *path, int type, gid_t group, int backlog, int *out)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool all = group == SERVICE_EVERYBODY;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, path, strlen(path) + 1);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || (!all && chown(path, 0, group)) ||
		chmod(path, all ? 0666 : 0660) || listen(fd, backlog))
		return -errno;
	*out = steal_fd(&fd);
	return 0;
}

void service_put_chain(json_t *status, struct sealer *sealer)
{
	json_t *lost = json_object();
	struct sealer_stats k;
	unsigned i;

	sealer_stats(sealer, &k);
	for (i = 0; i < k.lost_n; i++) {
		const struct enum_info *e = enum_by_value(F_CAUSE, k.lost[i].cause);

		json_object_set_new(lost, e ? e->name : "unknown", json_integer((json_int_t)k.lost[i].n));
	}
	json_object_set_new(status, "seq", json_integer((json_int_t)k.seq));
	json_object_set_new(status, "epoch", json_integer((json_int_t)k.epoch));
	json_object_set_new(status, "records", json_integer((json_int_t)k.records));
	json_object_set_new(status, "segments", json_integer((json_int_t)k.segments));
	json_object_set_new(status, "last_seal_us", json_integer(k.last_seal_wall_us));
	json_object_set_new(status, "spool_segments", json_integer((json_int_t)k.spool_segments));
	json_object_set_new(status, "spool_bytes", json_integer((json_int_t)k.spool_bytes));
	json_object_set_new(status, "device_key", json_string(key_place_name(k.key_place)));
	json_object_set_new(status, "device_key_waits", json_boolean(k.key_waits));
	json_object_set_new(status, "spool_full", json_boolean(k.full));
	json_object_set_new(status, "lost", lost);
}

void service_write_status(const char *path, json_t *status)
{
	static struct log_limit limit = LOG_LIMIT(1);
	char *text = status ? json_dumps(status, JSON_INDENT(2)) : NULL;
	int r = text ? file_replace_volatile(path, SPAN_STR(text), 0644) : -ENOMEM;

	if (r && log_allowed(&limit))
		log_warning("status %s cannot be written: %s", path, strerror(-r));
	free(text);
	json_decref(status);
}

uint32_t service_login_uid(uint32_t pid)
{
	_cleanup_buf_ struct buf text = BUF_INIT(32);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/loginuid", pid);
	return !file_read(path, &text) && text.n && buf_str(&text) ? (uint32_t)strtoul(buf_str(&text), NULL, 10)
								   : UINT32_MAX;
}

json_t *service_refusal(const char *word, const char *en, const char *ja)
{
	return json_pack("{s:s, s:s, s:s}", "error", word, "reason", en, "reason_ja", ja);
}

const char *service_reason(const json_t *ask, const char *key)
{
	const char *text = json_string_value(json_object_get(ask, key));
	static const char wide[] = "\u3000"; /* the blank of keyboards for Japanese */
	const char *rest = text;
	size_t n;

	while (rest && ((n = strspn(rest, " \t\r\n")) || (n = strncmp(rest, wide, strlen(wide)) ? 0 : strlen(wide))))
		rest += n;
	return rest && *rest && strlen(text) < SERVICE_REASON_SIZE ? text : NULL;
}

json_t *service_no_reason(void)
{
	return service_refusal("request", "a reason of 1 to 199 bytes is needed", "理由が必要です(1 から 199 バイト)");
}

int service_orders_folder(const char *user)
{
	struct group *gr = getgrnam(user);
	char path[PATH_MAX];
	struct stat st;
	int r;

	if (agent_path(path, sizeof(path), SERVICE_ORDERS))
		return -ENAMETOOLONG;
	if (lstat(path, &st) == 0)
		return 0;
	r = dir_make(path, 0700);
	/* What the guard lays there later, without the right to give it away, has the folder's group. */
	if (!r && gr && geteuid() == 0 && (lchown(path, 0, gr->gr_gid) || chmod(path, 02750)))
		r = -errno;
	return r;
}
