/*
 * See beside.h. Called by main.c of the console and of the herald, as root or as their user, before anything else is
 * opened.
 */
#include "policy/wire/beside.h"
#include "policy/base/file.h"
#include "policy/wire/segment.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 1024

int beside_give(const struct beside *b, const char *path, const char *group, mode_t mode)
{
	const struct passwd *pw = getpwnam(b->user);
	uid_t uid = pw ? pw->pw_uid : 0;
	gid_t gid = pw ? pw->pw_gid : 0;
	const struct group *gr = group ? getgrnam(group) : NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (geteuid())
		return 0;
	/* The folder above may be theirs already: a link, or a second name of something else, would be given away. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) && (!S_ISREG(st.st_mode) || st.st_nlink != 1))
		return -ELOOP;
	if (fchown(fd, uid, gr ? gr->gr_gid : gid) || fchmod(fd, mode) || fstat(fd, &st))
		return -errno;
	/* Without CAP_FSETID the kernel leaves the set-group-id bit out, and says that it did as told. */
	return (st.st_mode & 07777) == mode ? 0 : -EPERM;
}

static int folders(const struct beside *b)
{
	char producer[PATH_SIZE];
	int r = dir_make(b->dir, 0750);

	/* The collector comes in for the spool and the public key. */
	r = r ? r : beside_give(b, b->dir, BESIDE_GROUP, 0750);
	r = r ? r : dir_make(b->spool, 0750);
	r = r ? r : beside_give(b, b->spool, BESIDE_GROUP, 0750);
	if ((size_t)snprintf(producer, sizeof(producer), "%s/%s", b->spool, producer_name(b->producer)) >=
		sizeof(producer))
		return -ENAMETOOLONG;
	r = r ? r : dir_make(producer, 0770);
	return r ? r : beside_give(b, producer, BESIDE_GROUP, 02770);
}

int beside_key(const struct beside *b, const char *path, struct key **out, struct why *why)
{
	int r = key_load(path, out, why);

	if (r != V_NOT_FOUND)
		return r;
	r = key_new(KEY_P256, out);
	r = r ? r : key_save(*out, path, 0600);
	return r ? r : beside_give(b, path, NULL, 0600);
}

int beside_prepare(const struct beside *b, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL;
	_cleanup_buf_ struct buf der = BUF_INIT(512), there = BUF_INIT(512);
	int r = folders(b);

	r = r ? r : beside_key(b, b->device_key, &k, why);
	r = r ? r : key_public_der(k, &der);
	if (r)
		return r;
	r = file_read(b->device_pub, &there);
	if (!r && span_eq(buf_span(&there), buf_span(&der)))
		return 0;
	r = r < 0 ? r : file_replace(b->device_pub, buf_span(&der), 0644);
	return r ? r : beside_give(b, b->device_pub, NULL, 0644);
}
