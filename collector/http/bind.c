/*
 * The listening sockets: TCP where the configuration says, and the administrator's UNIX socket. Made while the process
 * still has its privileges; nothing is accepted before server_start.
 */
#include "collector/http/server.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 4096
#define DOOR_GROUP "sekisho-admin"

static void set_int(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		log_warning("setsockopt %d/%d: %s", level, name, strerror(errno));
}

static int listen_at(struct server *s, const struct addrinfo *ai)
{
	_cleanup_close_ int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* Accepted sockets inherit these. Without the first, an answer's second half waits 40 ms for the client. */
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 20);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
	if (ai->ai_family == AF_INET6)
		set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, BACKLOG))
		return -errno;
	s->listeners[s->listeners_n] = evconnlistener_new(
		s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
	if (!s->listeners[s->listeners_n])
		return -ENOMEM;
	s->listeners_n++;
	steal_fd(&fd);
	return 0;
}

static int bind_tcp(struct server *s, struct why *why)
{
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	bool any = !strcmp(s->o.listen, "*");
	struct addrinfo *list, *ai;
	char port[8];
	int r, last = 0;

	snprintf(port, sizeof(port), "%u", (unsigned)s->o.port);
	r = getaddrinfo(any ? NULL : s->o.listen, port, &hints, &list);
	if (r)
		return why_set(why, V_BAD, "listen: not an address: %s", gai_strerror(r));
	for (ai = list; ai && s->listeners_n < ARRAY_SIZE(s->listeners); ai = ai->ai_next) {
		r = listen_at(s, ai);
		if (!r)
			continue;
		last = r;
		/* A machine without IPv6 listens at what it has. */
		if (!any || r != -EAFNOSUPPORT)
			break;
	}
	freeaddrinfo(list);
	if (last && (!any || last != -EAFNOSUPPORT || !s->listeners_n))
		return why_set(why, last, "port %s: %s", port, strerror(-last));
	return 0;
}

/* Root and the group of administrators may knock; who does is asked of the kernel. */
static int bind_door(struct server *s, struct why *why)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	const char *path = s->o.door;
	struct group *g = getgrnam(DOOR_GROUP);
	struct stat st;
	mode_t old;
	int r;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(sa.sun_path))
		return why_set(why, V_BAD, "%s: too long for a socket", path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode) && unlink(path))
		return why_set(why, -errno, "%s: %s", path, strerror(errno));
	/* Whoever may not knock must not come in between bind and chmod. */
	old = umask(0177);
	r = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ? -errno : 0;
	umask(old);
	if (r)
		return why_set(why, r, "%s: %s", path, strerror(-r));
	if (!geteuid() && g && chown(path, 0, g->gr_gid))
		return -errno;
	if (!g)
		log_warning("no group " DOOR_GROUP ": only root may use %s", path);
	if (chmod(path, g ? 0660 : 0600) || listen(fd, BACKLOG))
		return -errno;
	s->door_listener = evconnlistener_new(
		s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, fd);
	if (!s->door_listener)
		return -ENOMEM;
	steal_fd(&fd);
	return 0;
}

int server_bind(struct server *s, struct why *why)
{
	int r;

	TAILQ_INIT(&s->conns);
	r = bind_tcp(s, why);
	return r ? r : bind_door(s, why);
}
