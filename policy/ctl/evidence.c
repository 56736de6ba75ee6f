/*
 * `evidence list`: the copies of documents that were printed or written to drives, which a PC keeps (agent/evidence),
 * or that lie in a folder; and of files that were made unreadable on their drive (written_hand.c). `evidence take`: one
 * of them, out of the guard's hand, which has recorded who takes it and why. `evidence open`: at the auditor's, with
 * the auditor's private key, one of them. Needs no network and nothing of the collector's; `openssl cms -decrypt` does
 * the same.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/guard_door.h"
#include "policy/trust/envelope.h"
#include "policy/wire/sealed.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define FOLDER "/var/lib/sekisho/evidence"
#define DRIVES "drives" /* in it: of files that were written to drives */

/* --- list --- */

static int is_copy(const struct dirent *e)
{
	const char *suffix = strrchr(e->d_name, '.');

	return suffix && e->d_name[0] != '.' && (!strcmp(suffix, ".cms") || !strcmp(suffix, SEALED_SUFFIX));
}

/* What each is of says the signed record `print-copy` or `drive-copy` that has its name. */
static int say_copy(struct ctl *c, int dir, const char *within, const char *file, json_t *list)
{
	char a[SHOWN_MAX], t[TEXT_TIME_SIZE], name[PATH_MAX];
	struct stat st;
	int64_t made;

	snprintf(name, sizeof(name), "%s%s", within, file);
	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	made = (int64_t)st.st_mtim.tv_sec * 1000000;
	if (option_on(c, OPT_JSON))
		return json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "copy", shown(a, name), "bytes",
							   (json_int_t)st.st_size, "made", text_time_utc(t, made)))
			       ? -ENOMEM
			       : 0;
	printf("%12" PRId64 "  %s  %s\n", (int64_t)st.st_size, text_time_local(t, made), shown(a, name));
	return 0;
}

/* All of a folder; how many there are, or -errno. `within`: its name with a slash, where it is one of the first. */
static int say_copies(struct ctl *c, const char *folder, const char *within, json_t *list)
{
	_cleanup_closedir_ DIR *d = opendir(folder);
	struct dirent **names = NULL;
	int n = d ? scandir(folder, &names, is_copy, alphasort) : -1, i, r = 0;

	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		r = r ? r : say_copy(c, dirfd(d), within, names[i]->d_name, list);
		free(names[i]);
	}
	free(names);
	return r ? r : n;
}

int command_evidence_list(struct ctl *c)
{
	_cleanup_json_ json_t *list = json_array();
	char folder[PATH_MAX], drives[PATH_MAX + 16], a[SHOWN_MAX];
	int n, more = 0;

	if (c->operands_n)
		snprintf(folder, sizeof(folder), "%s", c->operands[0]);
	else
		layout_path(folder, sizeof(folder), FOLDER);
	n = say_copies(c, folder, "", list);
	snprintf(drives, sizeof(drives), "%s/" DRIVES, folder);
	if (n >= 0)
		more = say_copies(c, drives, DRIVES "/", list);
	if (n >= 0 && more < 0 && more != -ENOENT)
		return complain_of(c, shown(a, drives), more, NULL);
	if (n < 0)
		return complain_of(c, shown(a, folder), n == -ENOENT ? V_NOT_FOUND : n, NULL);
	if (option_on(c, OPT_JSON))
		return say_json(list);
	if (!n && more <= 0)
		puts(SAY(c, "there are no copies", "控えはありません"));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

/* --- a file that has its name only when it is whole --- */

/* The descriptor of what is to become `path`, and its name until then. -errno. */
static int part_open(const char *path, char part[PATH_MAX])
{
	int fd;

	if (snprintf(part, PATH_MAX, "%s.part", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/* It is whole, and gets its name; or it is not (`r`), and goes. 0; `r`; -errno. */
static int part_end(int fd, const char *part, const char *path, int r)
{
	if (!r && (fsync(fd) || renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE)))
		r = -errno;
	if (r)
		unlink(part);
	return r;
}

/* --- take --- */

/* Under its name only when it is what the record says. */
static int keep_taken(int from, const char *path, const char *sha256)
{
	char part[PATH_MAX], bytes[1 << 16], hex[2 * DIGEST_SIZE + 1];
	_cleanup_close_ int fd = part_open(path, part);
	struct digesting *d = NULL;
	struct digest got;
	ssize_t n = 0;
	int r;

	if (fd < 0)
		return fd;
	r = digesting_new(&d);
	/* The guard read it as well, so that the descriptor's offset is its start. */
	while (!r && (n = read(from, bytes, sizeof(bytes))) > 0) {
		digesting_put(d, SPAN(bytes, n));
		r = write_all(fd, bytes, (size_t)n);
	}
	r = r ? r : n < 0 ? -errno : 0;
	digesting_end(d, &got);
	if (!r && strcmp(hex_encode(hex, got.b, DIGEST_SIZE), sha256) != 0)
		r = -EIO;
	return part_end(fd, part, path, r);
}

int command_evidence_take(struct ctl *c)
{
	const char *reason = option_value(c, OPT_REASON), *path = c->operands[1], *sha256;
	_cleanup_json_ json_t *ask = NULL, *answer = NULL;
	_cleanup_close_ int fd = -1;
	char a[SHOWN_MAX], b[SHOWN_MAX];
	int r;

	if (!reason || !*reason)
		return complain(EXIT_USAGE, SAY(c, "--reason TEXT is missing: it is recorded",
						    "--reason 理由 を指定してください(記録されます)"));
	/* Found before there is a record of a taking that came to nothing. */
	if (!access(path, F_OK))
		return complain_of(c, shown(a, path), -EEXIST, NULL);
	ask = json_pack("{s:s, s:s, s:s}", "ask", "take", "copy", c->operands[0], "reason", reason);
	if (!ask)
		return complain(EXIT_USAGE, SAY(c, "--reason, or the name: is no text",
						    "--reason または控えの名前がテキストではありません"));
	r = guard_ask_file(c, ask, &answer, &fd);
	if (r)
		return r;
	sha256 = json_string_value(json_object_get(answer, "sha256"));
	if (fd < 0 || !sha256)
		return complain(
			EXIT_PROBLEM, SAY(c, "the guard's answer cannot be read", "ガードの応答を解釈できません"));
	r = keep_taken(fd, path, sha256);
	if (r)
		return complain_of(c, shown(a, path), r, NULL);
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	printf("%s  %s\n", shown(b, sha256), shown(a, path));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

/* --- open --- */

/* The whole file, where it is: copies may be large. */
static int map(const char *path, struct span *out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0)
		return errno == ENOENT ? V_NOT_FOUND : -errno;
	if (fstat(fd, &st))
		return -errno;
	*out = SPAN("", 0);
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*out = SPAN(p, st.st_size);
	return 0;
}

/* Tells which document it is: the record of the job has the same SHA-256. */
static int say_hash(int fd, const char *path)
{
	char hex[2 * DIGEST_SIZE + 1], a[SHOWN_MAX];
	struct digest d;
	struct stat st;
	void *p = MAP_FAILED;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size && (p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
		return -errno;
	digest_span(&d, st.st_size ? SPAN(p, st.st_size) : SPAN("", 0));
	if (st.st_size)
		munmap(p, (size_t)st.st_size);
	printf("%s  %s\n", hex_encode(hex, d.b, DIGEST_SIZE), shown(a, path));
	return fflush(stdout) ? -errno : 0;
}

/* Under its name only when it is proven to be the document. */
static int open_into(struct span envelope, struct span key, struct span certificate, const char *path, bool *another,
	struct why *why)
{
	char part[PATH_MAX];
	_cleanup_close_ int fd = part_open(path, part);
	int r;

	if (fd < 0)
		return fd;
	r = envelope_open(envelope, key, certificate, fd, another, why);
	r = part_end(fd, part, path, r);
	/* The record of the job has the document's hash, not that of what the second person opens. */
	return r || *another ? r : say_hash(fd, path);
}

int evidence_key(struct ctl *c, const char *missing, struct buf *key, struct buf *certificate)
{
	const char *path = option_value(c, OPT_KEY), *other = option_value(c, OPT_CERTIFICATE);
	char a[SHOWN_MAX];
	int r;

	if (!path)
		return complain(EXIT_USAGE, "%s", missing);
	r = file_read(path, key);
	if (r)
		return complain_of(c, shown(a, path), r, NULL);
	r = other ? file_read(other, certificate) : 0;
	return r ? complain_of(c, shown(a, other), r, NULL) : EXIT_GOOD;
}

int command_evidence_open(struct ctl *c)
{
	_cleanup_buf_ struct buf k = BUF_INIT(EVIDENCE_KEY_MAX), cert = BUF_INIT(EVIDENCE_KEY_MAX);
	struct why why = {""};
	struct span envelope;
	bool another = false;
	char a[SHOWN_MAX];
	int r;

	r = evidence_key(c,
		SAY(c, "--key FILE is missing: the auditor's private key",
			"--key ファイル を指定してください(監査者の秘密鍵)"),
		&k, &cert);
	if (r)
		return r;
	r = map(c->operands[0], &envelope);
	if (r)
		return complain_of(c, shown(a, c->operands[0]), r, NULL);
	r = open_into(envelope, buf_span(&k), buf_span(&cert), c->operands[1], &another, &why);
	secret_wipe(k.p, k.n);
	if (r)
		return complain_of(c, shown(a, c->operands[r == -EEXIST ? 1 : 0]), r, &why);
	if (another)
		fprintf(stderr,
			SAY(c, "%s is an envelope for the second auditor, who opens it by the same command\n",
				"%s は二人目の監査者あての封筒です。二人目が同じコマンドで開きます\n"),
			shown(a, c->operands[1]));
	return EXIT_GOOD;
}
