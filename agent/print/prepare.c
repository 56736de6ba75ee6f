/*
 * `sekisho-print prepare`: run as root before each start of cupsd (packaging/cups/50-sekisho.conf.in). Makes the gate's
 * ServerBin and the cups-files.conf that names it, and tries the result on cupsd itself; tells the kernel programs at
 * which ports cupsd will listen. Whatever goes wrong, cupsd is left with the stock configuration: it starts, jobs
 * print, and the daemon tells that no queue is behind the gate.
 */
#include "agent/print/prepare.h"
#include "agent/print/tree.h"
#include "agent/probe/paper.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/wire/agent_conf.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CONF_MAX (1u << 20)
#define CUPSD "/usr/sbin/cupsd"

extern char **environ;

struct places {
	struct tree tree;
	char stock[PATH_MAX]; /* cups-files.conf */
	char made[PATH_MAX];  /* what cupsd is started with */
	const char *cupsd, *cupsd_conf;
};

static int usage(FILE *to, int code)
{
	fputs("usage: sekisho-print prepare [--stock FILE] [--made FILE] [--cupsd PROGRAM] [--cupsd-conf FILE]\n"
	      "Makes the gate's ServerBin and the cups-files.conf that names it. See sekisho-print(8).\n",
		to);
	return code;
}

/* In place of what was there, at once. */
static int put_link(const char *target, const char *path)
{
	char fresh[PATH_MAX + 8];

	snprintf(fresh, sizeof(fresh), "%s.new", path);
	unlink(fresh);
	return symlink(target, fresh) || rename(fresh, path) ? -errno : 0;
}

/* Would cupsd start with it? */
static int try_conf(const struct places *at, const char *conf)
{
	const char *args[] = {at->cupsd, "-t", "-s", conf, at->cupsd_conf ? "-c" : NULL, at->cupsd_conf, NULL};
	posix_spawn_file_actions_t quiet;
	int r, status;
	pid_t pid;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	r = posix_spawn(&pid, at->cupsd, &quiet, NULL, (char *const *)(uintptr_t)args, environ);
	posix_spawn_file_actions_destroy(&quiet);
	if (r)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : V_BAD;
}

static int make(const struct places *at, struct why *why)
{
	_cleanup_buf_ struct buf stock = BUF_INIT(CONF_MAX), made = BUF_INIT(CONF_MAX + PATH_MAX);
	char server_bin[PATH_MAX], fresh[PATH_MAX + 8], run[PATH_MAX];
	int r = tree_server_bin(at->stock, server_bin);

	if (r == V_NOT_FOUND)
		snprintf(server_bin, sizeof(server_bin), "%s", TREE_STOCK);
	else if (r)
		return r;
	else
		r = file_read(at->stock, &stock);
	snprintf(run, sizeof(run), "%s", at->made);
	*strrchr(run, '/') = 0;
	snprintf(fresh, sizeof(fresh), "%s.new", at->made);
	r = r < 0 ? r : dir_make(run, 0755);
	r = r ? r : tree_make(&at->tree, server_bin, why);
	r = r ? r : tree_conf(buf_span(&stock), at->tree.dir, &made);
	/* cupsd wants it to be root's and nobody else's to write. */
	r = r ? r : file_replace(fresh, buf_span(&made), 0640);
	if (r)
		return r;
	r = try_conf(at, fresh);
	if (r == V_BAD)
		why_set(why, r, "%s does not take %s", at->cupsd, fresh);
	if (!r && rename(fresh, at->made))
		r = -errno;
	if (r)
		unlink(fresh);
	return r;
}

/* Where it cannot be told, jobs that come by TCP have no origin in their records: nothing else hangs on it. */
static void tell_ports(const struct places *at)
{
	_cleanup_buf_ struct buf conf = BUF_INIT(CONF_MAX);
	uint16_t ports[PAPER_PORTS_MAX];
	char path[PATH_MAX];
	int r = agent_path(path, sizeof(path), TREE_CUPSD_CONF);

	r = r ? r : file_read(at->cupsd_conf ? at->cupsd_conf : path, &conf);
	r = r ? r : paper_ports(ports, tree_ports(buf_span(&conf), ports, PAPER_PORTS_MAX));
	if (r && r != V_NOT_FOUND)
		log_warning("the ports of CUPS are not known to the kernel programs: %s",
			r == V_BAD ? "those are of another version" : strerror(r < 0 ? -r : EINVAL));
}

static int places_init(struct places *at, int argc, char **argv)
{
	static const struct option options[] = {{"stock", required_argument, NULL, 's'},
		{"made", required_argument, NULL, 'm'}, {"cupsd", required_argument, NULL, 'd'},
		{"cupsd-conf", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int o, r = tree_init(&at->tree) || agent_path(at->stock, sizeof(at->stock), TREE_CONF_STOCK) ||
		   agent_path(at->made, sizeof(at->made), TREE_CONF);

	at->cupsd = CUPSD;
	while (!r && (o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (o) {
		case 's':
			snprintf(at->stock, sizeof(at->stock), "%s", optarg);
			break;
		case 'm':
			snprintf(at->made, sizeof(at->made), "%s", optarg);
			break;
		case 'd':
			at->cupsd = optarg;
			break;
		case 'c':
			at->cupsd_conf = optarg;
			break;
		case 'h':
			exit(usage(stdout, EXIT_SUCCESS));
		default:
			r = V_BAD;
		}
	}
	return r || optind != argc || at->made[0] != '/' || at->stock[0] != '/' ? V_BAD : 0;
}

int prepare_main(int argc, char **argv)
{
	struct places at = {.cupsd = NULL};
	struct why why = {""};
	int r;

	if (places_init(&at, argc, argv))
		return usage(stderr, 2);
	umask(022);
	tell_ports(&at);
	r = make(&at, &why);
	if (!r)
		return EXIT_SUCCESS;
	log_error("the print gate is not in force: %s", why.text[0] ? why.text : strerror(r < 0 ? -r : EINVAL));
	r = put_link(at.stock, at.made);
	if (r)
		log_error("%s: %s", at.made, strerror(-r));
	return EXIT_FAILURE;
}

int remove_main(void)
{
	struct tree t;
	char made[PATH_MAX], stock[PATH_MAX];
	int r = tree_init(&t) || agent_path(made, sizeof(made), TREE_CONF) ||
				agent_path(stock, sizeof(stock), TREE_CONF_STOCK)
			? -ENAMETOOLONG
			: 0;

	/* First the configuration: a cupsd that starts from now on is the stock one. */
	if (!r && access(made, F_OK) == 0)
		r = put_link(stock, made);
	r = r ? r : tree_remove(&t);
	if (r)
		log_error("%s: %s", t.dir, strerror(-r));
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
