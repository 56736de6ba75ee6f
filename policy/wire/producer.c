/*
 * A producer's start. See producer.h. Called before power is given up, but for the sealer, which is opened after it.
 */
#include "policy/wire/producer.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#define UPLINK_GROUP "sekisho-uplink"
#define VKEY_MAX 1024
#define FOLLOW_FILE_MAX 64

int producer_keys_load(struct producer_keys *k, struct why *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(VKEY_MAX);
	_cleanup_(key_freep) struct key *device = NULL;
	char key[PATH_MAX], vkey[PATH_MAX];
	int got;

	if (agent_path(key, sizeof(key), "/var/lib/sekisho/device/device.key") ||
		agent_path(vkey, sizeof(vkey), "/var/lib/sekisho/device/log.vkey"))
		return -ENAMETOOLONG;
	got = key_load(key, &device, why);
	if (got == V_NOT_FOUND)
		return why_set(why, got, "%s: no such file (sekisho-uplink enrol makes it)", key);
	if (!got) {
		got = file_read(vkey, &text);
		k->has_log = !got;
		if (!got)
			got = verifier_decode(buf_span(&text), &k->log, why);
		else if (got == V_NOT_FOUND)
			got = 0;
	}
	if (got) {
		k->has_log = false;
		return got;
	}
	k->device = STEAL(device);
	return 0;
}

void producer_keys_deinit(struct producer_keys *k)
{
	if (k->has_log)
		verifier_deinit(&k->log);
	k->has_log = false;
	key_free(STEAL(k->device));
}

static int make_folder(
	const char *spool, const char *name, const char *more, const struct passwd *pw, gid_t group, mode_t mode)
{
	char path[PATH_MAX];
	struct stat st;
	int got;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s%s", spool, name, more) >= sizeof(path))
		return -ENAMETOOLONG;
	if (lstat(path, &st) == 0)
		return 0;
	got = dir_make(path, mode & 0777);
	if (!got && pw && geteuid() == 0 && (lchown(path, pw->pw_uid, group) || chmod(path, mode)))
		got = -errno;
	return got;
}

int producer_folder(const char *spool, const char *name, const char *user)
{
	struct passwd *pw = getpwnam(user);
	struct group *gr = getgrnam(UPLINK_GROUP);
	int got = dir_make(spool, 0755);

	got = got ? got : make_folder(spool, name, ".own", pw, pw ? pw->pw_gid : 0, 0700);
	return got ? got : make_folder(spool, name, "", pw, gr ? gr->gr_gid : pw ? pw->pw_gid : 0, gr ? 02770 : 0770);
}

int producer_sealer(unsigned producer, const struct agent_conf *conf, const struct producer_keys *k, const char *spool,
	const char *seen_path, struct sealer **out, struct why *why)
{
	struct sealer_options o = {
		.spool_dir = spool,
		.producer = producer,
		.device = k->device,
		.seen_path = seen_path,
		.log = k->has_log ? &k->log : NULL,
		.bound = conf->spool_bound,
		.floor = conf->spool_floor,
		.yield = strcmp(conf->spool_full, "drop-old") == 0 ? SPOOL_DROP_OLD : SPOOL_DROP_NEW,
		.idle_us = conf->heartbeat_us,
		.seal_us = conf->seal_after_us,
		.epoch_us = conf->epoch_us,
	};
	int got = sealer_new(&o, out, why);

	return got == V_BAD && *out ? 0 : got;
}

int64_t producer_followed(const char *inbox)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FOLLOW_FILE_MAX);
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/follow", inbox) >= sizeof(path) ||
		file_read_plain_at(AT_FDCWD, path, FILE_ANYBODY, &b) || !buf_str(&b))
		return 0;
	return strtoll((const char *)b.p, NULL, 10);
}
