/*
 * Stamped pages. See stamp.h.
 *
 * Files have names, in CUPS's own folder for temporary files, while somebody opens them by name: AppArmor refuses files
 * that have none any more.
 *
 * What must never happen here: a document that is neither the stamped nor the original one, a file that somebody else
 * can write to, a shell.
 */
#include "agent/print/stamp.h"
#include "agent/print/stamp_raster.h"
#include "policy/base/confine.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QPDF "/usr/bin/qpdf"
#define CHILD_MEMORY (2ull << 30)
#define CHILD_CPU_S 60
#define FILTER_USER "lp" /* as CUPS is built on Debian */
#define FILES_MAX 64     /* of one job on a queue without filters */
#define PART (64u << 10)
#define PREFIX "sekisho-stamp-"
#define STALE_S 86400 /* as long as CUPS keeps the documents of a job */
#define LINE_MAX_BYTES 200

/* --- files --- */

static const char *folder(void)
{
	const char *dir = getenv("TMPDIR");

	return dir ? dir : "/tmp";
}

struct file {
	int fd;
	char path[PATH_MAX]; /* "": it has no name any more */
};

static void file_deinit(struct file *f)
{
	closep(&f->fd);
	if (f->path[0])
		unlink(f->path);
	f->path[0] = 0;
}

#define FILE_NONE                    \
	{                            \
		.fd = -1, .path = "" \
	}
#define _cleanup_file_ _cleanup_(file_deinit)

static int temporary(struct file *out)
{
	struct file f = FILE_NONE;

	if (snprintf(f.path, sizeof(f.path), "%s/" PREFIX "XXXXXX", folder()) >= (int)sizeof(f.path))
		return -ENAMETOOLONG;
	f.fd = mkostemp(f.path, O_CLOEXEC);
	if (f.fd < 0)
		return -errno;
	*out = f;
	return 0;
}

/* What a backend was given by name nobody can remove when it ends: later stamps do. */
static void drop_stale(void)
{
	_cleanup_closedir_ DIR *d = opendir(folder());
	time_t now = time(NULL);
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, PREFIX, strlen(PREFIX)) &&
			!fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) && st.st_uid == geteuid() &&
			S_ISREG(st.st_mode) && st.st_mtime < now - STALE_S)
			unlinkat(dirfd(d), e->d_name, 0);
}

static int copy_all(int from, int to)
{
	static char part[PART];
	ssize_t n;

	while ((n = read(from, part, sizeof(part))) != 0) {
		ssize_t at = 0, k;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; at < n; at += k) {
			k = write(to, part + at, (size_t)(n - at));
			if (k < 0 && errno == EINTR)
				k = 0;
			if (k < 0)
				return -errno;
		}
	}
	return lseek(to, 0, SEEK_SET) < 0 ? -errno : 0;
}

static bool is_pdf(int fd)
{
	char head[1024];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	/* Readers take a header within the first kilobyte (PJL stands before it at times: that is no PDF to qpdf). */
	return n > 5 && memmem(head, (size_t)n, "%PDF-", 5);
}

static bool is_raster(int fd)
{
	uint8_t head[RASTER_MAGIC];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	return n > 0 && raster_is(head, (size_t)n);
}

/* --- the line, as a PDF of one page --- */

/* Parentheses and backslashes are what a string of PDF must quote; what is not ASCII no standard font has. */
static void quote(const char *text, char out[2 * LINE_MAX_BYTES + 1])
{
	size_t i, n = 0;

	for (i = 0; i < LINE_MAX_BYTES && text[i]; i++) {
		if (strchr("()\\", text[i]))
			out[n++] = '\\';
		out[n++] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	}
	out[n] = 0;
}

/* A page of A4, fitted onto each page by qpdf; black on a strip of white, so that no ground hides it. */
static int write_line(const char *text, struct buf *b)
{
	char line[2 * LINE_MAX_BYTES + 1], drawn[sizeof(line) + 160];
	size_t at[5], n;
	int r = 0, i;

	quote(text, line);
	snprintf(drawn, sizeof(drawn), "q 1 g 24 10 547 11 re f 0 g BT /F 8 Tf 28 13 Td (%s) Tj ET Q\n", line);
	n = strlen(drawn);
	r = buf_puts(b, "%PDF-1.4\n");
	at[0] = b->n;
	r = r ? r : buf_puts(b, "1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n");
	at[1] = b->n;
	r = r ? r : buf_puts(b, "2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n");
	at[2] = b->n;
	r = r ? r
	      : buf_puts(b, "3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
			    "/Resources<</Font<</F 5 0 R>>>>>> endobj\n");
	at[3] = b->n;
	r = r ? r : buf_putf(b, "4 0 obj <</Length %zu>> stream\n%sendstream endobj\n", n, drawn);
	at[4] = b->n;
	r = r ? r : buf_puts(b, "5 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj\n");
	n = b->n;
	r = r ? r : buf_puts(b, "xref\n0 6\n0000000000 65535 f \n");
	for (i = 0; i < 5 && !r; i++)
		r = buf_putf(b, "%010zu 00000 n \n", at[i]);
	return r ? r : buf_putf(b, "trailer <</Size 6/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n", n);
}

static int line_file(const char *text, struct file *out)
{
	_cleanup_buf_ struct buf b = BUF_INIT(8192);
	_cleanup_file_ struct file f = FILE_NONE;
	int r = temporary(&f);

	r = r ? r : write_line(text, &b);
	if (!r && write(f.fd, b.p, b.n) != (ssize_t)b.n)
		r = -EIO;
	if (!r && !geteuid() && fchmod(f.fd, 0644)) /* who prints and when, on every page anyway */
		r = -errno;
	if (r)
		return r;
	*out = f;
	f = (struct file)FILE_NONE;
	return 0;
}

/* --- laying it over --- */

/* What the child shall do that reads the document. */
struct work {
	const char *in, *line; /* PDF: files */
	const char *text;      /* raster */
	int from, to;
};

/*
 * Where the backend is root's, the child is not: it reads what anybody sent. It becomes the user of CUPS's filters, who
 * reads documents all day, has no way to more rights, and bounded memory, files and time.
 */
static int be_nobody(void)
{
	const struct rlimit memory = {CHILD_MEMORY, CHILD_MEMORY}, no = {0, 0}, seconds = {CHILD_CPU_S, CHILD_CPU_S};
	struct why why = {""};

	return setrlimit(RLIMIT_AS, &memory) || setrlimit(RLIMIT_CPU, &seconds) || setrlimit(RLIMIT_CORE, &no)
		       ? -errno
		       : confine_user(FILTER_USER, &why);
}

static _Noreturn void be_qpdf(const struct work *w)
{
	const char *args[] = {"qpdf", "--no-warn", "--warning-exit-0", w->in, "--overlay", w->line,
		"--from=", "--repeat=1", "--", "-", NULL};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0 && dup2(w->to, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0 && !be_nobody())
		execv(QPDF, (char *const *)(uintptr_t)args);
	_exit(127);
}

/* Nothing but what is open. */
static _Noreturn void be_raster(const struct work *w)
{
	_exit(be_nobody() || confine_syscalls(CONFINE_COMPUTE) || raster_stamp(w->from, w->to, w->text) ? 1 : 0);
}

/* Ends with its time, or when the job is cancelled: then cupsd ends the whole group. */
static int run(void (*be)(const struct work *w), const struct work *w)
{
	const struct timespec tick = {.tv_nsec = 5000000};
	int status, left = REQUEST_STAMP_MS / 5;
	pid_t pid = fork(), got;

	if (pid < 0)
		return -errno;
	if (!pid)
		be(w);
	while ((got = waitpid(pid, &status, WNOHANG)) == 0 && left--)
		nanosleep(&tick, NULL);
	if (got == 0) {
		kill(pid, SIGKILL);
		got = waitpid(pid, &status, 0);
	}
	if (got < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : V_BAD;
}

/* A copy that the filters' user can read, where `fd` is root's. 0; -errno. */
static int readable_copy(int fd, struct file *out)
{
	const struct passwd *pw = getpwnam(FILTER_USER);
	_cleanup_file_ struct file f = FILE_NONE;
	int r = pw ? temporary(&f) : -ENOENT;

	if (!r && fchown(f.fd, pw->pw_uid, (gid_t)-1))
		r = -errno;
	r = r ? r : copy_all(fd, f.fd);
	if (r)
		return r;
	*out = f;
	f = (struct file)FILE_NONE;
	return 0;
}

/* 0 with a file that has its offset at the beginning; V_BAD; -errno. */
static int stamp_pdf(int fd, const char *in, const char *text, int out)
{
	_cleanup_file_ struct file line = FILE_NONE, copy = FILE_NONE;
	int r = geteuid() ? 0 : readable_copy(fd, &copy);

	r = r ? r : line_file(text, &line);
	r = r ? r : run(be_qpdf, &(struct work){.in = copy.path[0] ? copy.path : in, .line = line.path, .to = out});
	return r || is_pdf(out) ? r : V_BAD;
}

static int stamp_file(const char *in, const char *text, struct file *out)
{
	_cleanup_close_ int fd = open(in, O_RDONLY | O_CLOEXEC);
	_cleanup_file_ struct file made = FILE_NONE;
	int r = fd < 0 ? -errno : temporary(&made);

	if (!r && is_pdf(fd))
		r = stamp_pdf(fd, in, text, made.fd);
	else if (!r)
		r = is_raster(fd) ? run(be_raster, &(struct work){.text = text, .from = fd, .to = made.fd}) : V_BAD;
	if (!r && lseek(made.fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r)
		return r;
	*out = made;
	made = (struct file)FILE_NONE;
	return 0;
}

int stamp_tell(int gate, int result)
{
	_cleanup_buf_ struct buf b = BUF_INIT(REQUEST_MAX);
	int r = ask_put(&b, "ask", "stamped");

	r = r ? r
	      : ask_put(&b, "result",
			!result           ? "ok"
			: result == V_BAD ? "no document that can be stamped"
					  : "failed");
	return r ? -ENOMEM : ask_send(gate, buf_span(&b), NULL, 0);
}

/* --- on a queue without filters --- */

int stamp_arguments(char **argv, const char *text)
{
	static struct file made[FILES_MAX];
	int n = 0, i, r = 0;

	drop_stale();
	while (!r && argv[6 + n]) {
		r = n < FILES_MAX ? stamp_file(argv[6 + n], text, &made[n]) : V_BAD;
		n += !r;
	}
	/* The real backend opens them by their names, as it opens the documents. */
	for (i = 0; i < n; i++) {
		if (r)
			file_deinit(&made[i]);
		else
			argv[6 + i] = made[i].path;
	}
	return r;
}

/* --- as a filter --- */

/* What the filter before writes, as a file with a name. 0, -errno. */
static int take_pipe(struct file *out)
{
	_cleanup_file_ struct file f = FILE_NONE;
	int r = temporary(&f);

	r = r ? r : copy_all(STDIN_FILENO, f.fd);
	if (r)
		return r;
	*out = f;
	f = (struct file)FILE_NONE;
	return 0;
}

/* The real filter reads `fd` in place of its argument or of what came through the pipe. */
static int give_input(char **argv, int fd)
{
	if (lseek(fd, 0, SEEK_SET) < 0 || dup2(fd, STDIN_FILENO) < 0)
		return -errno;
	argv[6] = NULL;
	return 0;
}

/* 0: what the real filter shall read is in place; -errno: nothing may come out. */
static int ask_and_stamp(const struct place *at, int argc, char **argv)
{
	_cleanup_buf_ struct buf question = BUF_INIT(REQUEST_MAX);
	_cleanup_file_ struct file in = FILE_NONE, made = FILE_NONE;
	_cleanup_close_ int gate = -1;
	char text[REQUEST_TEXT_MAX + 1] = "", flag[PATH_MAX];
	int answer = ANSWER_PASS, r;

	if (!ask_within(at, REQUEST_STAMPS, flag) || access(flag, F_OK))
		return 0;
	gate = ask_open(at);
	/* Without an answer: the backend of this job has none either, and the policy says what becomes of it. */
	if (gate < 0 || ask_write(&question, at, "stamp", argc, argv, 0) ||
		ask_send(gate, buf_span(&question), NULL, 0) || ask_wait(gate, REQUEST_WAIT_MS, &answer, text) ||
		answer != ANSWER_STAMP)
		return 0;
	r = argv[6] ? 0 : take_pipe(&in);
	if (r)
		return r;
	r = stamp_file(argv[6] ? argv[6] : in.path, text, &made);
	/* Whether it may print without a stamp is decided at the daemon: of the first document its backend hears it. */
	if (r && !stamp_tell(gate, r) && !ask_wait(gate, REQUEST_WAIT_MS, &answer, text) && answer != ANSWER_PASS)
		return -EPERM;
	if (!r)
		stamp_tell(gate, 0);
	if (r && argv[6])
		return 0; /* as it is */
	return give_input(argv, r ? in.fd : made.fd);
}

int stamp_filter(const struct place *at, int argc, char **argv)
{
	char real[PATH_MAX];
	int r = argc >= 6 ? ask_and_stamp(at, argc, argv) : 0;

	if (r) {
		dprintf(STDERR_FILENO, "ERROR: [Sekisho] %s\n",
			r == -EPERM ? "a document cannot be stamped" : strerror(-r));
		return EXIT_FAILURE;
	}
	if (snprintf(real, sizeof(real), "%s/" REQUEST_STOCK "/filter/%s", at->tree, at->name) < (int)sizeof(real))
		execv(real, argv);
	dprintf(STDERR_FILENO, "ERROR: [Sekisho] the filter %s of CUPS cannot be run: %s\n", at->name, strerror(errno));
	return EXIT_FAILURE;
}
