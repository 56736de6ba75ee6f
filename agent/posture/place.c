/*
 * What all checks use: files of the system that is looked at, other programs' words, and how facts are gathered.
 */
#include "agent/posture/posture.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/wire/record.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TEXT_MAX (1u << 20) /* bytes of a file of settings */
#define CHUNK 65536u

bool posture_path(const struct posture_place *at, const char *path, char *out)
{
	int n = snprintf(out, PATH_MAX, "%s%s", at->root, path);

	return n > 0 && n < PATH_MAX;
}

int posture_read(const struct posture_place *at, const char *path, struct buf *out)
{
	char full[PATH_MAX];
	int r;

	buf_deinit(out);
	out->max = TEXT_MAX;
	r = posture_path(at, path, full) ? file_read(full, out) : V_NOT_FOUND;
	if (r == -ENOMEM)
		return r;
	if (r)
		buf_clear(out);
	return buf_str(out) ? 0 : -ENOMEM;
}

bool posture_there(const struct posture_place *at, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	return posture_path(at, path, full) && stat(full, &st) == 0;
}

static pid_t start(const char *const *args, int output)
{
	static const char *const bare[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/nonexistent", NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid = -1;
	int r;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	r = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	r = r ? r : posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	r = r ? r
	      : posix_spawn(
			&pid, args[0], &files, &attr, (char *const *)(uintptr_t)args, (char *const *)(uintptr_t)bare);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return r ? -1 : pid;
}

/* Until it has said all, or too much, or nothing for too long. */
static bool listen_to(int fd, int64_t until, struct buf *out)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	for (;;) {
		int64_t left = (until - clock_awake_us()) / 1000;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0 || buf_reserve(out, CHUNK))
			return false;
		n = read(fd, out->p + out->n, CHUNK);
		if (n <= 0)
			return n == 0;
		out->n += (size_t)n;
	}
}

bool posture_ask(const char *const *args, unsigned seconds, struct buf *out)
{
	_cleanup_close_ int from = -1;
	int ends[2], status;
	bool whole;
	pid_t pid;

	buf_clear(out);
	out->max = POSTURE_OUTPUT_MAX;
	if (access(args[0], X_OK) || pipe2(ends, O_CLOEXEC))
		return false;
	from = ends[0];
	pid = start(args, ends[1]);
	close(ends[1]);
	if (pid < 0)
		return false;
	whole = listen_to(from, clock_awake_us() + seconds * 1000000ll, out);
	if (!whole)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return whole && WIFEXITED(status) && WEXITSTATUS(status) == 0 && buf_str(out);
}

void posture_say(struct posture_fact *f, const char *fmt, ...)
{
	char word[POSTURE_FACTS_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(word, sizeof(word), fmt, ap);
	va_end(ap);
	f->words.max = POSTURE_FACTS_MAX;
	if (n > 0 && (size_t)n < sizeof(word) && f->words.n + (size_t)n + 8 < POSTURE_FACTS_MAX)
		(void)buf_putf(&f->words, "%s%s", f->words.n ? " " : "", word);
	else if (f->words.n < 4 || memcmp(f->words.p + f->words.n - 4, " ...", 4) != 0)
		(void)buf_puts(&f->words, " ...");
}

void posture_judge(struct posture_fact *f, uint64_t state)
{
	static const uint64_t worse[] = {STATE_NOT_APPLICABLE, STATE_GOOD, STATE_UNKNOWN, STATE_WEAK};
	size_t i, before = 0, now = 0;

	for (i = 0; i < ARRAY_SIZE(worse); i++) {
		before = f->state == worse[i] ? i : before;
		now = state == worse[i] ? i : now;
	}
	f->state = worse[now > before ? now : before];
}

void posture_lines(struct buf *text, void (*line)(void *ctx, char *line), void *ctx)
{
	char *at = (char *)text->p, *end;

	for (; at && *at; at = end) {
		end = strchr(at, '\n');
		if (end)
			*end++ = 0;
		else
			end = at + strlen(at);
		line(ctx, at);
	}
}

int posture_files(const struct posture_place *at, const char *folder, bool (*take)(void *ctx, const char *name),
	void (*line)(void *ctx, char *line), void *ctx)
{
	struct dirent **names = NULL;
	char path[PATH_MAX], file[PATH_MAX];
	int n, i, taken = 0, r = 0;

	if (!posture_path(at, folder, path) || (n = scandir(path, &names, NULL, alphasort)) < 0)
		return 0;
	for (i = 0; i < n; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		if (!r && taken < POSTURE_FILES_MAX && take(ctx, names[i]->d_name) &&
			(size_t)snprintf(file, sizeof(file), "%s/%s", folder, names[i]->d_name) < sizeof(file)) {
			taken++;
			r = posture_read(at, file, &text);
			if (!r)
				posture_lines(&text, line, ctx);
		}
		free(names[i]);
	}
	free(names);
	return r;
}

int posture_look(const struct posture_place *at, const struct posture_taken *t, uint64_t which,
	struct posture_fact *out, size_t *n)
{
	static const struct {
		uint64_t check;
		int (*look)(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f);
	} checks[POSTURE_CHECKS] = {
		{CHECK_DISK_ENCRYPTION, posture_disks},
		{CHECK_SCREEN_LOCK, posture_desktop},
		{CHECK_PASSWORD_POLICY, posture_passwords},
		{CHECK_ANTIVIRUS, posture_antivirus},
		{CHECK_UPDATES, posture_updates},
		{CHECK_FIREWALL, posture_firewall},
	};
	size_t i;
	int r = 0;

	*n = 0;
	for (i = 0; i < POSTURE_CHECKS && !r; i++) {
		if (!(which >> checks[i].check & 1))
			continue;
		out[*n] = (struct posture_fact){
			.check = checks[i].check, .state = STATE_NOT_APPLICABLE, .words = BUF_INIT(POSTURE_FACTS_MAX)};
		r = checks[i].look(at, t, &out[(*n)++]);
	}
	return r;
}
