/*
 * The desk's side of the print daemon: see desk.h for what is asked and answered. A caller is heard once, within a
 * bounded time; whoever says nothing keeps nobody else out.
 */
#include "agent/print/desk.h"
#include "agent/print/print.h"
#include "agent/service/service.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CALLERS_MAX 32u
#define CALLER_GROUPS_MAX 256
#define PATIENCE_US 5000000ull /* for a caller that says nothing */
#define ITEM "print:"

struct caller {
	struct caller *next;
	struct desk *desk;
	int fd;
	struct ucred who;
	sd_event_source *io, *timer;
};

struct desk {
	struct gate *g;
	int fd;
	sd_event_source *io;
	struct caller *callers;
	unsigned callers_n;
};

static void hang_up(struct caller *c)
{
	struct caller **at;

	for (at = &c->desk->callers; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	c->desk->callers_n--;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->timer);
	close(c->fd);
	free(c);
}

/* --- who asks --- */

static bool is_administrator(int fd, const struct ucred *who)
{
	struct group *gr = getgrnam(DESK_GROUP);
	gid_t gids[CALLER_GROUPS_MAX];
	socklen_t size = sizeof(gids);
	size_t i;

	if (who->uid == 0)
		return true;
	if (!gr || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &size))
		return false;
	if (who->gid == gr->gr_gid)
		return true;
	for (i = 0; i < size / sizeof(gids[0]); i++)
		if (gids[i] == gr->gr_gid)
			return true;
	return false;
}

static void name_of(uid_t uid, char out[64])
{
	struct passwd *pw = getpwuid(uid);

	if (pw)
		snprintf(out, 64, "%s", pw->pw_name);
	else
		snprintf(out, 64, "uid %u", (unsigned)uid);
}

/* --- answers --- */

static json_t *release(struct gate *g, const json_t *o, uid_t uid)
{
	const json_t *id = json_object_get(o, "id");
	char by[64];
	int r;

	if (!json_is_integer(id) || json_integer_value(id) < 1 || json_integer_value(id) > INT32_MAX)
		return service_refusal("request", "no job", "ジョブ番号がありません");
	name_of(uid, by);
	r = job_release(g, (unsigned)json_integer_value(id), by);
	if (r == V_NOT_FOUND)
		return service_refusal("job", "no such job is known here", "そのジョブはありません");
	if (r)
		return service_refusal("job", "the policy does not hold this job", "このジョブは保留されていません");
	return json_pack("{s:O}", "released", id);
}

static json_t *give_reason(struct gate *g, const json_t *o, uid_t uid)
{
	const char *item = json_string_value(json_object_get(o, "item"));
	const char *text = service_reason(o, "text");
	unsigned long id = item && !strncmp(item, ITEM, strlen(ITEM)) ? strtoul(item + strlen(ITEM), NULL, 10) : 0;
	char by[64];

	if (!text)
		return service_no_reason();
	name_of(uid, by);
	if (!id || id > INT32_MAX || job_give_reason(g, (unsigned)id, uid, by, text))
		return service_refusal(
			"item", "no reason of yours is waited for there", "あなたの理由が必要な項目ではありません");
	return json_pack("{s:s}", "item", item);
}

static json_t *answer(struct caller *c, const json_t *o)
{
	const struct ucred *who = &c->who;
	const char *what = json_string_value(json_object_get(o, "ask"));

	if (!what)
		return service_refusal("request", "nothing is asked", "要求がありません");
	if (!strcmp(what, "reasons"))
		return status_asked(c->desk->g, who->uid);
	if (!strcmp(what, "reason"))
		return give_reason(c->desk->g, o, who->uid);
	if (!is_administrator(c->fd, who))
		return service_refusal("denied", "for root and members of " DESK_GROUP,
			"root と " DESK_GROUP " のメンバーのみ使えます");
	if (!strcmp(what, "held"))
		return status_held(c->desk->g);
	if (!strcmp(what, "release"))
		return release(c->desk->g, o, who->uid);
	return service_refusal("request", "unknown question", "未知の要求です");
}

static int on_caller(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	char bytes[DESK_ASK_MAX];
	struct caller *c = ctx;
	json_t *o = NULL, *a = NULL;
	char *text = NULL;
	ssize_t n;

	(void)source;
	(void)events;
	n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0) {
		o = json_loadb(bytes, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
		a = json_is_object(o) ? answer(c, o)
				      : service_refusal("request", "no JSON object", "JSON オブジェクトではありません");
		text = a ? json_dumps(a, JSON_COMPACT) : NULL;
		if (text)
			send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	free(text);
	json_decref(o);
	json_decref(a);
	hang_up(c);
	return 0;
}

static int on_patience(sd_event_source *source, uint64_t usec, void *ctx)
{
	(void)source;
	(void)usec;
	hang_up(ctx);
	return 0;
}

static bool has_place(const struct desk *desk, uid_t uid)
{
	static const struct service_places places = {
		.all = CALLERS_MAX, .root = CALLERS_MAX / 4, .each = CALLERS_MAX / 4};
	const struct caller *c;
	unsigned same = 0;

	for (c = desk->callers; c; c = c->next)
		same += c->who.uid == uid;
	return service_has_place(&places, uid, desk->callers_n, same);
}

static int on_desk(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct desk *desk = ctx;
	int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), size = (int)DESK_ANSWER_MAX;
	struct ucred who = {.uid = UINT32_MAX};
	socklen_t n = sizeof(who);
	struct caller *c;

	(void)source;
	(void)events;
	if (got < 0)
		return 0;
	if (getsockopt(got, SOL_SOCKET, SO_PEERCRED, &who, &n) || !has_place(desk, who.uid) ||
		!(c = calloc(1, sizeof(*c)))) {
		close(got);
		return 0;
	}
	setsockopt(got, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*c = (struct caller){.desk = desk, .fd = got, .who = who, .next = desk->callers};
	desk->callers = c;
	desk->callers_n++;
	if (sd_event_add_io(desk->g->event, &c->io, got, EPOLLIN, on_caller, c) < 0 ||
		sd_event_add_time_relative(desk->g->event, &c->timer, CLOCK_MONOTONIC, PATIENCE_US, 0, on_patience, c) <
			0)
		hang_up(c);
	return 0;
}

int desk_open(const char *path, int *out)
{
	/* Everybody may ask; what is answered depends on who asks. */
	return service_listen(path, SOCK_SEQPACKET, SERVICE_EVERYBODY, (int)CALLERS_MAX, out);
}

int desk_start(struct gate *g, int fd)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	int r;

	if (!desk)
		return -ENOMEM;
	*desk = (struct desk){.g = g, .fd = fd};
	r = sd_event_add_io(g->event, &desk->io, fd, EPOLLIN, on_desk, desk);
	if (r < 0) {
		free(desk);
		return r;
	}
	g->desk = desk;
	return 0;
}

void desk_stop(struct gate *g)
{
	if (!g->desk)
		return;
	while (g->desk->callers)
		hang_up(g->desk->callers);
	sd_event_source_disable_unref(g->desk->io);
	close(g->desk->fd);
	free(STEAL(g->desk));
}
