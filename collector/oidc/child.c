/*
 * The process with the network. Started as root (or as the console's user) by the console, before that gives its power
 * up; reads the client's secret and the CAs; becomes its own user, can open no file but those that resolving names
 * needs, and for reading only; then waits for questions. It reads nothing from outside itself: each question goes to a
 * child of its own, which ends with it, whatever the provider sent.
 */
#include "collector/oidc/oidc.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define SECRET_MAX 1024u
#define CA_MAX (4u << 20)
#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"
#define LOOK_MS 50 /* whether a child has ended */
#define CPU_S 10u
#define FILES 64u

struct running {
	pid_t pid; /* 0: none */
	json_int_t id;
};

static bool limit(int what, rlim_t value)
{
	const struct rlimit l = {.rlim_cur = value, .rlim_max = value};

	return !setrlimit(what, &l);
}

static int read_files(struct oidc_client *c, struct why *why)
{
	const char *ca = c->s.ca_file[0] ? c->s.ca_file : SYSTEM_CAS;
	int r;

	c->secret = BUF_INIT(SECRET_MAX);
	c->ca = BUF_INIT(CA_MAX);
	r = c->s.secret_file[0] ? file_read(c->s.secret_file, &c->secret) : 0;
	if (r)
		return why_set(why, V_BAD, "%s: %s", c->s.secret_file, r < 0 ? strerror(-r) : "not there, or too long");
	while (c->secret.n && (c->secret.p[c->secret.n - 1] == '\n' || c->secret.p[c->secret.n - 1] == '\r'))
		c->secret.n--;
	if (c->s.secret_file[0] && (!c->secret.n || memchr(c->secret.p, 0, c->secret.n)))
		return why_set(why, V_BAD, "%s: the client's secret belongs there", c->s.secret_file);
	if (c->secret.n && buf_put(&c->secret, "", 1))
		return why_set(why, V_BAD, "%s: too long", c->s.secret_file);
	r = file_read(ca, &c->ca);
	return r ? why_set(why, V_BAD, "%s: %s", ca, r < 0 ? strerror(-r) : "not there, or too large") : 0;
}

/* Final, each step of it. */
static int confine(const char *user, struct why *why)
{
	static const char *const folders[] = {"/etc", "/usr", "/lib", "/run/systemd/resolve", NULL};
	bool stayed = false;
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_NOFILE, FILES))
		return -errno;
	r = confine_program(user, &stayed, why);
	if (r)
		return r;
	/* Becoming somebody else has taken this back. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	r = confine_paths(folders);
	if (r < 0)
		return r;
	return confine_syscalls(CONFINE_SERVER);
}

static void say(int fd, json_t *steal)
{
	char *s = steal ? json_dumps(steal, JSON_COMPACT) : NULL;

	if (s && strlen(s) <= OIDC_MESSAGE_MAX && send(fd, s, strlen(s), MSG_NOSIGNAL) < 0 && errno == EPIPE)
		_exit(0);
	free(s);
	json_decref(steal);
}

/* A child is over: where it was killed it has said nothing, and this says so. */
static void reap(int fd, struct running *all)
{
	unsigned i;
	int status;

	for (i = 0; i < OIDC_AT_ONCE; i++) {
		if (!all[i].pid || waitpid(all[i].pid, &status, WNOHANG) != all[i].pid)
			continue;
		all[i].pid = 0;
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			say(fd, json_pack("{s:I, s:s, s:s}", "id", all[i].id, "refused", "provider", "reason",
					WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
						? "the provider took too long"
						: "the provider's answer could not be read: the process that did has "
						  "died"));
	}
}

static struct running *free_place(struct running *all)
{
	unsigned i;

	for (i = 0; i < OIDC_AT_ONCE; i++)
		if (!all[i].pid)
			return &all[i];
	return NULL;
}

static bool any(const struct running *all)
{
	unsigned i;

	for (i = 0; i < OIDC_AT_ONCE; i++)
		if (all[i].pid)
			return true;
	return false;
}

/* One question, in a process of its own. */
static void ask(int fd, const struct oidc_client *c, json_t *q, struct running *place)
{
	pid_t pid = fork();

	place->id = json_integer_value(json_object_get(q, "id"));
	if (!pid) {
		alarm(OIDC_TIME_S);
		if (!limit(RLIMIT_CPU, CPU_S))
			_exit(1);
		say(fd, oidc_answer(c, q));
		_exit(0);
	}
	if (pid < 0)
		say(fd, json_pack("{s:I, s:s, s:s}", "id", place->id, "refused", "provider", "reason",
				"no process could be made"));
	else
		place->pid = pid;
}

__attribute__((noreturn)) static void serve(int fd, const struct oidc_client *c)
{
	struct running all[OIDC_AT_ONCE] = {{0, 0}};
	char *room = malloc(OIDC_MESSAGE_MAX);

	while (room) {
		struct running *place = free_place(all);
		struct pollfd p = {.fd = fd, .events = place ? POLLIN : 0};
		ssize_t n;
		json_t *q;

		if (poll(&p, 1, any(all) ? LOOK_MS : -1) < 0 && errno != EINTR)
			break;
		reap(fd, all);
		if (p.revents & POLLHUP)
			break;
		if (!place || !(p.revents & POLLIN))
			continue;
		n = recv(fd, room, OIDC_MESSAGE_MAX, 0);
		if (n <= 0)
			break;
		q = json_loadb(room, (size_t)n, 0, NULL);
		if (q)
			ask(fd, c, q, place);
		json_decref(q);
	}
	_exit(0);
}

__attribute__((noreturn)) static void child(int fd, const struct oidc_settings *s, const char *user)
{
	struct oidc_client c = {.s = *s};
	struct why why = {""};
	int r, i;

	/* Nothing of the console's but this socket. */
	if (dup2(fd, 3) < 0 || close_range(4, ~0u, 0))
		_exit(1);
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	/* A supervisor that stops the console tells all its processes: this one goes when the console has answered, and
	 * closes the socket. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	/* No file is written to (RLIMIT_FSIZE): where the log is one, a line is lost, and that ends nothing. */
	signal(SIGXFSZ, SIG_IGN);
	r = read_files(&c, &why);
	r = r ? r : confine(user, &why);
	if (r && !why.text[0])
		why_set(&why, r, "%s", strerror(r < 0 ? -r : EINVAL));
	say(3, r ? json_pack("{s:s}", "reason", why.text) : json_pack("{s:b}", "ready", 1));
	if (r)
		_exit(1);
	serve(3, &c);
}

/* What it says first: that it is ready, or why not. */
static int hear(int fd, struct why *why)
{
	char room[1024];
	ssize_t n = recv(fd, room, sizeof(room), 0);
	json_t *o = n > 0 ? json_loadb(room, (size_t)n, 0, NULL) : NULL;
	const char *reason = json_string_value(json_object_get(o, "reason"));
	int r = json_is_true(json_object_get(o, "ready"))
			? 0
			: why_set(why, V_BAD, "OpenID Connect: %s", reason ? reason : "its process did not start");

	json_decref(o);
	return r;
}

int oidc_start(const struct oidc_settings *s, const char *user, int *fd, struct why *why)
{
	int pair[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (!pid)
		child(pair[1], s, user);
	r = pid < 0 ? -errno : 0;
	close(pair[1]);
	r = r ? r : hear(pair[0], why);
	if (!r && fcntl(pair[0], F_SETFL, O_NONBLOCK))
		r = -errno;
	if (r)
		close(pair[0]);
	else
		*fd = pair[0];
	return r;
}
