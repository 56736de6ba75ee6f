/*
 * `enrol` and `collector init`: the one step that an installed package leaves to a person, on either side. Both are
 * fronts: the programs that they are about do the work (sekisho-uplink enrol, sekisho-collector --init), then systemd
 * starts what was waiting for it. A token never stands on the command line of a program that this one starts.
 */
#include "policy/ctl/setup.h"
#include "policy/base/cleanup.h"
#include "policy/base/conf.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define URL_MAX 256
#define TOKEN_MAX 512
#define NAME_MAX_ 256
#define WORDS_MAX 12

/* Of root's power: what sekisho-uplink takes to enrol, and to give up the rest. */
#define KEPT                                                                                                          \
	(CONFINE_CAP(CAP_DAC_OVERRIDE) | CONFINE_CAP(CAP_CHOWN) | CONFINE_CAP(CAP_FOWNER) | CONFINE_CAP(CAP_SETUID) | \
		CONFINE_CAP(CAP_SETGID) | CONFINE_CAP(CAP_SETPCAP))

/* How `sekisho-uplink enrol` ends (agent/uplink/enrol.h, and sekisho-uplink(8)). */
enum { UPLINK_FAILED = 1, UPLINK_USAGE = 2, UPLINK_REFUSED = 3, UPLINK_NO_CONTACT = 4 };

extern char **environ;

/* What an unattended installation leaves: /etc/sekisho/enrol, sekishoctl(1). */
struct answers {
	char collector[URL_MAX], token[TOKEN_MAX], name[NAME_MAX_];
};

/* --- running --- */

bool setup_find(struct ctl *c, const char *name, char out[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	static const char *const ways[] = {"", "../sbin/"};
	size_t i;

	if (n > 0) {
		self[n] = 0;
		*strrchr(self, '/') = 0;
		for (i = 0; i < ARRAY_SIZE(ways); i++)
			if (snprintf(out, PATH_MAX, "%s/%s%s", self, ways[i], name) < PATH_MAX && !access(out, X_OK))
				return true;
	}
	complain(EXIT_MACHINE, SAY(c, "%s is not installed here", "%s がインストールされていません"), name);
	return false;
}

int setup_run(const char *const *args, const char *input)
{
	posix_spawn_file_actions_t fa;
	int pipes[2] = {-1, -1}, status = 0, r;
	pid_t pid;

	if (input && pipe2(pipes, O_CLOEXEC))
		return -errno;
	posix_spawn_file_actions_init(&fa);
	if (input)
		posix_spawn_file_actions_adddup2(&fa, pipes[0], STDIN_FILENO);
	r = posix_spawnp(&pid, args[0], &fa, NULL, (char *const *)(uintptr_t)args, environ);
	posix_spawn_file_actions_destroy(&fa);
	closep(&pipes[0]);
	/* A reader that is gone says so by how it ended. */
	if (!r && input)
		write_all(pipes[1], input, strlen(input));
	closep(&pipes[1]);
	if (r)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

int setup_follow(const char *const *args, int (*fn)(void *ctx, const char *line), void *ctx)
{
	_cleanup_fclose_ FILE *in = NULL;
	_cleanup_free_ char *line = NULL;
	posix_spawn_file_actions_t fa;
	int pipes[2], status = 0, r, bad = 0;
	size_t size = 0;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, pipes[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(&pid, args[0], &fa, NULL, (char *const *)(uintptr_t)args, environ);
	posix_spawn_file_actions_destroy(&fa);
	close(pipes[1]);
	in = r ? NULL : fdopen(pipes[0], "r");
	if (!in) {
		close(pipes[0]);
		return r ? -r : -ENOMEM;
	}
	while (!bad && getline(&line, &size, in) > 0)
		bad = fn(ctx, line);
	if (bad)
		kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return bad ? bad : WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

bool setup_has_systemd(void)
{
	return !getenv("SEKISHO_ROOT") && !access("/run/systemd/system", F_OK);
}

/* Does systemd run here, to start what waited for this? Said where it does not; of a test there is nothing to say. */
static bool units_can_start(struct ctl *c)
{
	bool can = setup_has_systemd();

	if (!can && !getenv("SEKISHO_ROOT"))
		puts(SAY(c, "systemd does not run here: start the services by hand.",
			"systemd が動作していないため、サービスは手動で起動してください。"));
	return can;
}

/* What starts these units anew. */
static void restart_words(const char *args[WORDS_MAX], const char *const *units)
{
	size_t n = 0;

	args[n++] = "systemctl";
	args[n++] = "restart";
	for (; *units && n < WORDS_MAX - 1; units++)
		args[n++] = *units;
	args[n] = NULL;
}

/* systemctl ended so (setup_run). EXIT_*. */
static int units_started(struct ctl *c, int r)
{
	if (r < 0)
		return complain_of(c, "systemctl", r, NULL);
	return r ? complain(EXIT_MACHINE,
			   SAY(c, "not all services have started: see systemctl status 'sekisho-*'",
				   "起動しなかったサービスがあります: systemctl status 'sekisho-*' を確認してください"))
		 : EXIT_GOOD;
}

static int start_units(struct ctl *c, const char *const *units)
{
	const char *args[WORDS_MAX];

	if (!units_can_start(c))
		return EXIT_GOOD;
	restart_words(args, units);
	return units_started(c, setup_run(args, NULL));
}

/*
 * Who becomes systemctl when all else is done: a child made before the filter, which systemctl would inherit, and fail
 * under where a distribution's takes another call. It can be told to go, and nothing else.
 */
struct starter {
	pid_t pid; /* 0: there is none */
	int go;
};

/* Where systemd runs; 0, -errno. */
static int starter_make(struct starter *s, const char *const *units)
{
	const char *args[WORDS_MAX];
	int go[2];
	char told;

	*s = (struct starter){.go = -1};
	if (!setup_has_systemd())
		return 0;
	restart_words(args, units);
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	s->pid = fork();
	if (!s->pid) {
		close(go[1]);
		if (read(go[0], &told, 1) != 1)
			_exit(0);
		execvp(args[0], (char *const *)(uintptr_t)args);
		_exit(127);
	}
	close(go[0]);
	s->go = go[1];
	return s->pid < 0 ? -errno : 0;
}

/* Its exit status, or -errno; with `go` false it has nothing to do, and ends. */
static int starter_end(struct starter *s, bool go)
{
	int status = 0, r = 0;

	if (go && write(s->go, "", 1) != 1)
		r = -errno;
	closep(&s->go);
	while (s->pid > 0 && waitpid(s->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	s->pid = 0;
	return r ? r : WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

/* --- enrol --- */

/* Root's alone: there is a secret in it. */
static int read_answers(struct ctl *c, const char *path, struct answers *out)
{
	static const struct conf_key keys[] = {
		CONF_KEY(struct answers, "collector", CONF_STR, collector, URL_MAX, 0, 0, "https://HOST[:PORT]"),
		CONF_KEY(struct answers, "token", CONF_STR, token, TOKEN_MAX, 0, 0,
			"as sekishoctl token create said it"),
		CONF_KEY(struct answers, "name", CONF_STR, name, NAME_MAX_, 0, 0,
			"of this PC, instead of its host name"),
		{NULL, CONF_STR, 0, 0, 0, 0, NULL},
	};
	struct why why = {""};
	struct stat st;
	int r;

	if (stat(path, &st))
		return complain_of(c, path, errno == ENOENT ? V_NOT_FOUND : -errno, NULL);
	if (st.st_mode & 077)
		return complain(EXIT_PROBLEM,
			SAY(c, "%s: others than its owner can read it (chmod 600): its token is no secret",
				"%s: 所有者以外も読み取れます(chmod 600)。トークンが秘密になっていません"),
			path);
	r = conf_load(path, keys, out, &why);
	if (r)
		return complain_of(c, path, r, &why);
	if (!out->collector[0] || !out->token[0])
		return complain(EXIT_PROBLEM,
			SAY(c, "%s: collector and token are both needed", "%s: collector と token の両方が必要です"),
			path);
	return EXIT_GOOD;
}

static int exit_of_uplink(struct ctl *c, int r)
{
	if (r < 0)
		return complain_of(c, "sekisho-uplink", r, NULL);
	return r == 0 ? EXIT_GOOD : r == UPLINK_USAGE ? EXIT_USAGE : r == UPLINK_REFUSED ? EXIT_PROBLEM : EXIT_MACHINE;
}

static int enrol_with(struct ctl *c, const char *url, const char *token, const char *name)
{
	const char *args[WORDS_MAX];
	char path[PATH_MAX];
	size_t n = 0;

	if (!setup_find(c, "sekisho-uplink", path))
		return EXIT_MACHINE;
	args[n++] = path;
	args[n++] = "enrol";
	if (option_on(c, OPT_AGAIN))
		args[n++] = "--again";
	if (option_on(c, OPT_NEW_KEYS))
		args[n++] = "--new-keys";
	if (name) {
		args[n++] = "--name";
		args[n++] = name;
	}
	args[n++] = "--collector";
	args[n++] = url;
	args[n++] = "-";
	args[n] = NULL;
	fflush(stdout);
	return exit_of_uplink(c, setup_run(args, token));
}

/* What it starts from here on inherits it: sekisho-uplink, which takes more from itself (agent/uplink/enrol.c). */
static int confine(struct ctl *c)
{
	int r = confine_power(KEPT, CONFINE_SERVER | CONFINE_OWNERS | CONFINE_STARTS);

	return r ? complain_of(c, SAY(c, "giving up privileges", "権限の放棄"), r, NULL) : EXIT_GOOD;
}

/* All but the services. EXIT_*. */
static int enrol(struct ctl *c)
{
	const char *file = option_value(c, OPT_FILE), *name = option_value(c, OPT_NAME);
	struct answers a = {"", "", ""};
	char line[TOKEN_MAX + 2];
	int r;

	if (!file && c->operands_n == 2) {
		snprintf(line, sizeof(line), "%s\n", c->operands[1]);
		return enrol_with(c, c->operands[0], strcmp(c->operands[1], "-") ? line : NULL, name);
	}
	if (!file || c->operands_n)
		return complain(
			EXIT_USAGE, SAY(c, "enrol: the collector's address and a token, or --file",
					    "enrol: コレクターのアドレスとトークン、または --file を指定してください"));
	r = read_answers(c, file, &a);
	if (r)
		return r;
	snprintf(line, sizeof(line), "%s\n", a.token);
	return enrol_with(c, a.collector, line, name ? name : a.name[0] ? a.name : NULL);
}

int command_enrol(struct ctl *c)
{
	static const char *const units[] = {"sekisho-guard.service", "sekisho-recorder.service",
		"sekisho-print.service", "sekisho-uplink.service", "sekisho-posture.timer", NULL};
	const char *file = option_value(c, OPT_FILE);
	struct starter starter;
	bool starts = false;
	int r = starter_make(&starter, units), s;

	r = r ? complain_of(c, "systemctl", r, NULL) : confine(c);
	r = r ? r : enrol(c);
	if (!r)
		starts = units_can_start(c);
	s = starter_end(&starter, starts);
	if (!r && starts)
		r = units_started(c, s);
	/* Used: the token is good for nothing any more. Where a service did not start, the PC is known all the same. */
	if (!r && file && unlink(file))
		return complain_of(c, file, -errno, NULL);
	return r;
}

/* --- collector init --- */

bool setup_collector(struct ctl *c, const char *errand, char path[PATH_MAX], const char *args[5])
{
	const char *config = option_value(c, OPT_CONFIG);

	if (!setup_find(c, "sekisho-collector", path))
		return false;
	args[0] = path;
	args[1] = errand;
	args[2] = config ? "--config" : NULL;
	args[3] = config;
	args[4] = NULL;
	return true;
}

int command_collector_init(struct ctl *c)
{
	static const char *const units[] = {"sekisho-collector.service", "sekisho-console.service",
		"sekisho-herald.service", "sekisho-report.timer", NULL};
	const char *args[5];
	char path[PATH_MAX];
	int r;

	if (!setup_collector(c, "--init", path, args))
		return EXIT_MACHINE;
	r = setup_run(args, NULL);
	if (r < 0)
		return complain_of(c, "sekisho-collector", r, NULL);
	if (r)
		return r == EXIT_USAGE ? EXIT_USAGE : EXIT_MACHINE;
	r = start_units(c, units);
	if (r)
		return r;
	puts(SAY(c,
		"The collector has its keys. Next:\n"
		"  sekishoctl console user add NAME --role administrator   who may look, at https://HERE:8444\n"
		"  sekishoctl token create                                 for each PC: sekishoctl enrol "
		"https://HERE:8443 TOKEN",
		"コレクターの鍵を作成しました。次の手順:\n"
		"  sekishoctl console user add 名前 --role administrator   "
		"コンソール(https://このサーバー:8444)の利用者を登録\n"
		"  sekishoctl token create                                 PC ごとに発行し、PC で sekishoctl enrol "
		"https://このサーバー:8443 トークン を実行"));
	return EXIT_GOOD;
}
