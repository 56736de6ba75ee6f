/*
 * `evidence open`: at the auditor's, with the auditor's private key, a copy of a document that a PC kept
 * (agent/evidence). Needs no network and nothing of the collector's; `openssl cms -decrypt` does the same.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/ctl.h"
#include "policy/trust/envelope.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define KEY_MAX (64u << 10)

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
static int open_into(struct span envelope, struct span key, struct span certificate, const char *path, struct why *why)
{
	char part[PATH_MAX];
	_cleanup_close_ int fd = -1;
	int r;

	if ((size_t)snprintf(part, sizeof(part), "%s.part", path) >= sizeof(part))
		return -ENAMETOOLONG;
	fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = envelope_open(envelope, key, certificate, fd, why);
	if (!r && (fsync(fd) || renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE)))
		r = -errno;
	if (r)
		unlink(part);
	return r ? r : say_hash(fd, path);
}

int command_evidence_open(struct ctl *c)
{
	const char *key = option_value(c, OPT_KEY), *certificate = option_value(c, OPT_CERTIFICATE);
	_cleanup_buf_ struct buf k = BUF_INIT(KEY_MAX), cert = BUF_INIT(KEY_MAX);
	struct why why = {""};
	struct span envelope;
	char a[SHOWN_MAX];
	int r;

	if (!key)
		return complain(EXIT_USAGE, SAY(c, "--key FILE is missing: the auditor's private key",
						    "--key ファイル を指定してください(監査者の秘密鍵)"));
	r = file_read(key, &k);
	if (r)
		return complain_of(c, shown(a, key), r, NULL);
	r = certificate ? file_read(certificate, &cert) : 0;
	if (r)
		return complain_of(c, shown(a, certificate), r, NULL);
	r = map(c->operands[0], &envelope);
	if (r)
		return complain_of(c, shown(a, c->operands[0]), r, NULL);
	r = open_into(envelope, buf_span(&k), buf_span(&cert), c->operands[1], &why);
	secret_wipe(k.p, k.n);
	if (r)
		return complain_of(c, shown(a, c->operands[r == -EEXIST ? 1 : 0]), r, &why);
	return EXIT_GOOD;
}
