/*
 * The witness key: made once, at the first start after enrolment, and said to be this PC's by its device key. See
 * cosign.h. Must never leave the device key in the process that meets the network.
 */
#include "agent/uplink/cosign.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>
#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

static int at(const char *dir, const char *name, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* The key in DIR, or a new one. */
static int own_key(const char *dir, struct key **out)
{
	_cleanup_(key_freep) struct key *k = NULL;
	char path[PATH_MAX];
	struct why why = {""};
	int r = at(dir, "witness.key", path);

	r = r ? r : key_load(path, out, &why);
	if (r != V_NOT_FOUND)
		return r > 0 ? -EINVAL : r;
	r = key_new(KEY_ED25519, &k);
	r = r ? r : key_save(k, path, 0600);
	if (!r)
		*out = STEAL(k);
	return r > 0 ? -EEXIST : r;
}

static int become(uid_t uid, gid_t gid)
{
	return (gid != (gid_t)-1 && setegid(gid)) || (uid != (uid_t)-1 && seteuid(uid)) ? -errno : 0;
}

static int become_again(uid_t uid, gid_t gid)
{
	return (uid != geteuid() && seteuid(uid)) || (gid != getegid() && setegid(gid)) ? -errno : 0;
}

/* In the child: 0, -errno. */
static int declare(const char *device_key, const char *dir, uid_t uid, gid_t gid)
{
	_cleanup_(key_freep) struct key *device = NULL, *own = NULL;
	_cleanup_buf_ struct buf line = BUF_INIT(WITNESS_LINE_MAX);
	char path[PATH_MAX];
	const uid_t root = geteuid();
	const gid_t group = getegid();
	struct why why = {""};
	int r = key_load(device_key, &device, &why);

	if (r)
		return r == V_NOT_FOUND || r == -EACCES ? 0 : r > 0 ? -EINVAL : r;
	r = become(uid, gid);
	r = r ? r : own_key(dir, &own);
	/* A keeper asks who wants the device key's word: the network's user does not get it. */
	r = r ? r : become_again(root, group);
	r = r ? r : witness_declare(device, own, &line);
	r = r ? r : become(uid, gid);
	r = r ? r : buf_puts(&line, "\n");
	r = r ? r : at(dir, "witness.pub", path);
	r = r ? r : file_replace(path, buf_span(&line), 0644);
	return r == V_AGAIN ? -EAGAIN : r > 0 ? -EIO : r;
}

int cosigner_make(const char *device_key, const char *dir, uid_t uid, gid_t gid)
{
	char path[PATH_MAX];
	int status, r = at(dir, "witness.pub", path);
	pid_t child;

	if (r || !access(path, F_OK))
		return r;
	child = fork();
	if (child < 0)
		return -errno;
	if (!child)
		_exit(-declare(device_key, dir, uid, gid) & 0x7f);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status))
		return -EIO;
	return -WEXITSTATUS(status);
}

int cosigner_load(struct cosigner *c, const char *dir)
{
	_cleanup_buf_ struct buf line = BUF_INIT(WITNESS_LINE_MAX - 1);
	struct verifier v = {.key = NULL};
	char path[PATH_MAX];
	struct why why = {""};
	struct digest host, mine, told;
	int r = at(dir, "witness.pub", path);

	memset(c, 0, sizeof(*c));
	r = r ? r : file_read(path, &line);
	if (r == V_NOT_FOUND)
		return 0;
	while (line.n && line.p[line.n - 1] == '\n')
		line.n--;
	r = r ? r : witness_read(buf_span(&line), &host, &v, &why);
	r = r ? r : at(dir, "witness.key", path);
	r = r ? r : key_load(path, &c->key, &why);
	r = r ? r : key_id(c->key, &mine);
	r = r ? r : key_id(v.key, &told);
	if (!r && !digest_eq(&mine, &told))
		r = why_set(&why, V_BAD, "%s: not the key that witness.pub declares", path);
	if (!r) {
		memcpy(c->name, v.name, sizeof(c->name));
		memcpy(c->declared, line.p, line.n);
		c->declared[line.n] = 0;
	} else {
		key_free(c->key);
		c->key = NULL;
	}
	verifier_deinit(&v);
	if (r > 0)
		log_warning("this PC does not cosign checkpoints: %s", why.text[0] ? why.text : "no key");
	return r > 0 ? 0 : r;
}

void cosigner_deinit(struct cosigner *c)
{
	key_free(c->key);
	c->key = NULL;
}
