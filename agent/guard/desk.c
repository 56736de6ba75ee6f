/*
 * The desk's side of the guard: see desk.h for what is asked and answered. Callers are local people and udev; each has
 * one line, a bounded time, and no way to make the guard wait.
 */
#include "agent/guard/desk.h"
#include "agent/guard/guard.h"
#include "agent/service/service.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include "policy/wire/sealed.h"
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct caller {
	struct desk *desk;
	struct caller *next;
	int fd;
	uid_t uid;
	pid_t pid;
	sd_event_source *io, *timer;
	struct buf in, out;
	size_t sent;
	struct taking *taking; /* a copy that is read through before it is given */
	sd_event_source *idle;
	int give; /* goes with the first byte of the answer; -1 */
};

struct desk {
	struct guard *g;
	int fd;
	sd_event_source *io;
	struct caller *callers;
	unsigned callers_n;
};

static void hang_up(struct caller *c)
{
	struct caller **at;

	for (at = &c->desk->callers; *at; at = &(*at)->next) {
		if (*at == c) {
			*at = c->next;
			break;
		}
	}
	c->desk->callers_n--;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->timer);
	sd_event_source_disable_unref(c->idle);
	taking_free(c->taking);
	closep(&c->give);
	close(c->fd);
	buf_deinit(&c->in);
	buf_deinit(&c->out);
	free(c);
}

/* --- answers --- */

static const char *from_env(void *ctx, const char *name)
{
	const char *v = json_string_value(json_object_get(ctx, name));

	return v && *v ? v : NULL;
}

static const char *access_word(unsigned access)
{
	const struct enum_info *e = enum_by_value(F_ACCESS, access);

	return e ? e->name : "deny";
}

/* What udev has to know of the device that its event is about. */
static json_t *decided(const struct unit *u, const struct disk *d)
{
	unsigned kind, access = ACCESS_READ_WRITE;

	if (d)
		return json_pack("{s:s, s:s}", "access", access_word(d->forced), "rule", "disk");
	for (kind = 1; kind < DEVICE_KINDS; kind++)
		if (u->device.kinds >> kind & 1 && !u->decided[kind].note && u->decided[kind].access < access)
			access = u->decided[kind].access;
	return json_pack("{s:s}", "access", access_word(access));
}

static json_t *ask_event(struct guard *g, json_t *env)
{
	const char *devpath = from_env(env, "DEVPATH"), *action = from_env(env, "ACTION");
	char path[UNIT_PATH_SIZE];
	struct udev_device *d;
	struct disk *disk;
	struct unit *u;
	int r;

	if (!devpath || devpath[0] != '/' || strstr(devpath, "..") ||
		(size_t)snprintf(path, sizeof(path), "/sys%s", devpath) >= sizeof(path))
		return service_refusal("request", "no DEVPATH", "DEVPATH がありません");
	if (action && !strcmp(action, "remove"))
		return service_refusal("request", "it is gone", "取り外されています");
	d = udev_device_new_from_syspath(g->udev, path);
	if (!d)
		return service_refusal("gone", "no such device", "その機器はありません");
	u = devices_update(g, d, from_env, env, &disk);
	udev_device_unref(d);
	if (!u)
		return json_pack("{s:s}", "access", "read-write");
	/* The rule has set the flag again (udevadm trigger): what is granted is made so once more. */
	if (disk && disk->forced == ACCESS_READ_WRITE)
		disk->forced = 0;
	r = judge_unit(g, u);
	if (r) {
		guard_fail(g, r, "deciding");
		return service_refusal("failed", "the guard failed", "ガードで障害が発生しました");
	}
	return decided(u, disk);
}

static struct unit *unit_asked(struct guard *g, const json_t *o)
{
	const json_t *id = json_object_get(o, "device");

	return json_is_integer(id) ? unit_by_id(g, (unsigned)json_integer_value(id)) : NULL;
}

static json_t *ask_challenge(struct guard *g, const json_t *o)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1024);
	struct unit *u = unit_asked(g, o);
	struct why why = {""};
	int r;

	if (!u)
		return service_refusal("device", "no such device is plugged in", "その機器は接続されていません");
	if (!u->plugging)
		return service_refusal("device", "it cannot be told from others, and is not released by codes",
			"他の機器と区別できないため、コードでは解除できません");
	r = release_challenge(g->release, &u->device, u->plugging, clock_boot_us(), &text, &why);
	if (r < 0) {
		guard_fail(g, r, "release codes");
		return service_refusal("failed", "the guard failed", "ガードで障害が発生しました");
	}
	if (r || !buf_str(&text))
		return service_refusal("refused", why.text, why_ja(&why));
	return json_pack("{s:s}", "challenge", (const char *)text.p);
}

static json_t *ask_answer(struct guard *g, const json_t *o)
{
	const char *text = json_string_value(json_object_get(o, "text"));
	struct release_grant grant;
	struct why why = {""};
	struct unit *u;
	char rule[64];
	int64_t until;
	int r;

	if (!text)
		return service_refusal("request", "no answer", "回答がありません");
	r = release_answer(g->release, text, clock_boot_us(), &grant, &why);
	if (r < 0) {
		guard_fail(g, r, "release codes");
		return service_refusal("failed", "the guard failed", "ガードで障害が発生しました");
	}
	/* What was misheard, or answers nothing, costs no try, and is no record: anybody may say it as often as he
	 * likes. */
	if (r == RELEASE_WRONG || r == V_FULL)
		tell_release(g, KIND_RELEASE_REFUSED, NULL, NULL, 0, 0, why.text);
	if (r)
		return service_refusal("refused", why.text, why_ja(&why));
	until = clock_wall_us() + (grant.until_boot_us - clock_boot_us());
	snprintf(rule, sizeof(rule), "release:%s", grant.code);
	for (u = g->units; u; u = u->next)
		if (release_is_for(&grant, &u->device, u->plugging))
			break;
	tell_release(g, KIND_RELEASE, u, rule, grant.access, until, NULL);
	r = judge_all(g);
	if (r)
		guard_fail(g, r, "deciding");
	return json_pack("{s:s, s:I}", "access", access_word(grant.access), "until_us", (json_int_t)until);
}

/* Whoever brings it: the administrator's signature is what counts. */
static json_t *ask_unseal(struct guard *g, const json_t *o)
{
	_cleanup_buf_ struct buf order = BUF_INIT(SEALED_ORDER_MAX);
	const char *path = json_string_value(json_object_get(o, "path"));
	const char *text = json_string_value(json_object_get(o, "order"));
	struct why why = {""};
	int r;

	if (!path || !text || base64_decode(&order, SPAN_STR(text)))
		return service_refusal("request", "no path, or no order", "パスまたは指示書がありません");
	r = written_release(g, path, buf_span(&order), &why);
	if (r < 0) {
		guard_fail(g, r, "quarantine");
		return service_refusal("failed", "the guard failed", "ガードで障害が発生しました");
	}
	return r ? service_refusal("refused", why.text, why_ja(&why)) : json_pack("{s:b}", "begun", 1);
}

static json_t *ask_maintenance(struct caller *c, const json_t *o, bool open)
{
	if (c->uid != 0)
		return service_refusal("denied", "only root can maintain the agent", "root のみ実行できます");
	return (json_t *)(open ? maintenance_ask_open(c->desk->g, o, c->pid) : maintenance_ask_close(c->desk->g));
}

static json_t *ask_sleep(struct caller *c, bool begins)
{
	if (c->uid != 0)
		return service_refusal("denied", "only root puts the PC to sleep", "root のみ実行できます");
	if (!begins) {
		asleep_end(c->desk->g);
		return json_pack("{s:b}", "said", 1);
	}
	if (!asleep_begin(c->desk->g))
		return service_refusal("waits", "the record waits to be sealed", "記録は封印待ちです");
	return json_pack("{s:b, s:I}", "said", 1, "awake_us", (json_int_t)c->desk->g->asleep.awake_us);
}

static json_t *answer(struct caller *c, const json_t *o)
{
	struct guard *g = c->desk->g;
	const char *what = json_string_value(json_object_get(o, "ask"));
	json_t *env = json_object_get(o, "env");

	if (!what)
		return service_refusal("request", "nothing is asked", "要求がありません");
	if (!strcmp(what, "list") || !strcmp(what, "held"))
		return (json_t *)report_list(g, what[0] == 'h');
	if (!strcmp(what, "challenge"))
		return ask_challenge(g, o);
	if (!strcmp(what, "answer"))
		return ask_answer(g, o);
	if (!strcmp(what, "unseal"))
		return ask_unseal(g, o);
	if (!strcmp(what, "reasons"))
		return (json_t *)reasons_list(g, c->pid, c->uid);
	if (!strcmp(what, "reason"))
		return (json_t *)reasons_give(g, (const struct json_t *)o, c->pid, c->uid);
	if (!strcmp(what, "self"))
		return (json_t *)maintenance_state(g);
	if (!strcmp(what, "self-open") || !strcmp(what, "self-close"))
		return ask_maintenance(c, o, !strcmp(what, "self-open"));
	if (!strcmp(what, "sleep") || !strcmp(what, "wake"))
		return ask_sleep(c, what[0] == 's');
	if (strcmp(what, "event") != 0 || !json_is_object(env))
		return service_refusal("request", "unknown question", "未知の要求です");
	if (c->uid != 0)
		return service_refusal("denied", "events come from udev", "イベントは udev からのみ受け付けます");
	return ask_event(g, env);
}

/* --- conversation --- */

static int on_caller(sd_event_source *source, int fd, uint32_t events, void *ctx);

/* Owns the answer; NULL: there was no memory for one. */
static void reply_with(struct caller *c, json_t *a)
{
	char *text = a ? json_dumps(a, JSON_COMPACT) : NULL;

	json_decref(a);
	if (!text || buf_puts(&c->out, text) || buf_puts(&c->out, "\n"))
		hang_up(c);
	else
		sd_event_source_set_io_events(c->io, EPOLLOUT);
	free(text);
}

static int on_taking(sd_event_source *source, void *ctx)
{
	struct caller *c = ctx;
	struct json_t *a = NULL;

	(void)source;
	if (taking_step(c->desk->g, c->taking, &a, &c->give) == V_AGAIN)
		return 0;
	taking_free(STEAL(c->taking));
	if (service_idle(c->desk->g->event, &c->idle, false, on_taking, c) ||
		sd_event_source_set_time_relative(c->timer, DESK_PATIENCE_US) < 0 ||
		sd_event_source_set_enabled(c->timer, SD_EVENT_ONESHOT) < 0) {
		json_decref((json_t *)a);
		hang_up(c);
	} else {
		reply_with(c, (json_t *)a);
	}
	return 0;
}

/* Reading it through takes as long as it takes: only that the caller goes ends it early. */
static void begin_taking(struct caller *c, const json_t *o)
{
	struct json_t *refusal = taking_begin(c->desk->g, (const struct json_t *)o, c->pid, c->uid, &c->taking);

	if (!c->taking)
		reply_with(c, (json_t *)refusal);
	else if (service_idle(c->desk->g->event, &c->idle, true, on_taking, c) ||
		 sd_event_source_set_enabled(c->timer, SD_EVENT_OFF) < 0 || sd_event_source_set_io_events(c->io, 0) < 0)
		hang_up(c);
}

static void reply(struct caller *c)
{
	json_error_t error;
	json_t *o = json_loadb((const char *)c->in.p, c->in.n, JSON_REJECT_DUPLICATES, &error);
	const char *what = json_string_value(json_object_get(o, "ask"));

	if (what && !strcmp(what, "take"))
		begin_taking(c, o);
	else if (json_is_object(o))
		reply_with(c, answer(c, o));
	else
		reply_with(c, service_refusal("request", "no JSON object", "JSON オブジェクトではありません"));
	json_decref(o);
}

static void hear(struct caller *c)
{
	char bytes[4096];
	ssize_t n;

	/* Nothing is heard then but that the caller is gone. */
	if (c->taking) {
		hang_up(c);
		return;
	}
	n = read(c->fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || buf_put(&c->in, bytes, (size_t)n)) {
		hang_up(c);
		return;
	}
	if (memchr(bytes, '\n', (size_t)n))
		reply(c);
}

static void say(struct caller *c)
{
	struct iovec part = {.iov_base = c->out.p + c->sent, .iov_len = c->out.n - c->sent};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} with = {.room = {0}};
	ssize_t n;

	if (c->give >= 0) {
		m.msg_control = &with;
		m.msg_controllen = sizeof(with.room);
		*CMSG_FIRSTHDR(&m) = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &c->give, sizeof(int));
	}
	n = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		c->sent += (size_t)n;
		closep(&c->give);
	}
	if (n < 0 || c->sent == c->out.n)
		hang_up(c);
}

static int on_caller(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct caller *c = ctx;

	(void)source;
	(void)fd;
	if (events & EPOLLOUT)
		say(c);
	else
		hear(c);
	return 0;
}

static int on_patience(sd_event_source *source, uint64_t usec, void *ctx)
{
	(void)source;
	(void)usec;
	hang_up(ctx);
	return 0;
}

/* Nobody who says nothing keeps the others out, and least of all udev. */
static bool has_place(const struct desk *desk, uid_t uid)
{
	static const struct service_places places = {
		.all = DESK_CALLERS_MAX, .root = DESK_CALLERS_ROOT, .each = DESK_CALLERS_EACH};
	const struct caller *c;
	unsigned same = 0;

	for (c = desk->callers; c; c = c->next)
		same += c->uid == uid;
	return service_has_place(&places, uid, desk->callers_n, same);
}

static void welcome(struct desk *desk, int fd)
{
	struct ucred who = {.pid = 0, .uid = UINT32_MAX};
	socklen_t n = sizeof(who);
	struct caller *c;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) || !has_place(desk, who.uid) ||
		!(c = calloc(1, sizeof(*c)))) {
		close(fd);
		return;
	}
	*c = (struct caller){.desk = desk,
		.fd = fd,
		.uid = who.uid,
		.pid = who.pid,
		.give = -1,
		.in = BUF_INIT(DESK_LINE_MAX),
		.out = BUF_INIT(DESK_ANSWER_MAX),
		.next = desk->callers};
	desk->callers = c;
	desk->callers_n++;
	if (sd_event_add_io(desk->g->event, &c->io, fd, EPOLLIN, on_caller, c) < 0 ||
		sd_event_add_time_relative(
			desk->g->event, &c->timer, CLOCK_MONOTONIC, DESK_PATIENCE_US, 0, on_patience, c) < 0)
		hang_up(c);
}

static int on_desk(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)source;
	(void)events;
	if (got >= 0)
		welcome(ctx, got);
	return 0;
}

int desk_open(const char *path, int *out)
{
	/* Everybody may ask; what is answered depends on who asks. */
	return service_listen(path, SOCK_STREAM, SERVICE_EVERYBODY, DESK_CALLERS_MAX, out);
}

int desk_start(struct guard *g, int fd)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	int r;

	if (!desk)
		return -ENOMEM;
	desk->g = g;
	desk->fd = fd;
	r = sd_event_add_io(g->event, &desk->io, fd, EPOLLIN, on_desk, desk);
	if (r < 0) {
		free(desk);
		return r;
	}
	g->desk = desk;
	return 0;
}

void desk_stop(struct guard *g)
{
	if (!g->desk)
		return;
	while (g->desk->callers)
		hang_up(g->desk->callers);
	sd_event_source_disable_unref(g->desk->io);
	close(g->desk->fd);
	free(STEAL(g->desk));
}
