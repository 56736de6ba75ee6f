/*
 * What only root can make: the console's folder, the key that seals its access log, and its certificate, issued by the
 * collector's CA whose key no other user can read. Called before privileges are given up; keeps nothing of the CA's.
 */
#include "collector/console/console.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/trust/cert.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#define USER "sekisho-console"
#define COLLECTOR_GROUP "sekisho-collector"
#define PEM_MAX 16384u
#define DAYS 397u
#define AGAIN_US (60ll * 86400 * 1000000) /* a certificate that ends within this is made anew at a start */

/* Gives a file or folder to the console (and a group), where we are root and there is such a user. 0, -errno. */
static int give(const char *path, const char *group, mode_t mode)
{
	const struct passwd *pw = getpwnam(USER);
	uid_t uid = pw ? pw->pw_uid : 0;
	gid_t gid = pw ? pw->pw_gid : 0;
	const struct group *gr = group ? getgrnam(group) : NULL;

	if (geteuid())
		return 0;
	return lchown(path, uid, gr ? gr->gr_gid : gid) || chmod(path, mode) ? -errno : 0;
}

static int folders(const struct config *c)
{
	char producer[CONFIG_FILE_MAX + 32];
	int r = dir_make(c->run_dir, 0755);

	r = r ? r : dir_make(c->dir, 0750);
	/* The collector comes in for the spool and the public key. */
	r = r ? r : give(c->dir, COLLECTOR_GROUP, 0750);
	r = r ? r : dir_make(c->spool, 0750);
	r = r ? r : give(c->spool, COLLECTOR_GROUP, 0750);
	snprintf(producer, sizeof(producer), "%s/%s", c->spool, producer_name(PRODUCER_CONSOLE));
	r = r ? r : dir_make(producer, 0770);
	return r ? r : give(producer, COLLECTOR_GROUP, 02770);
}

/* A key of ours, made where it is missing. 0; V_BAD; -errno. */
static int key_of(const char *path, struct key **out, struct why *why)
{
	int r = key_load(path, out, why);

	if (r != V_NOT_FOUND)
		return r;
	r = key_new(KEY_P256, out);
	r = r ? r : key_save(*out, path, 0600);
	return r ? r : give(path, NULL, 0600);
}

static int device(const struct config *c, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL;
	_cleanup_buf_ struct buf der = BUF_INIT(512), there = BUF_INIT(512);
	int r = key_of(c->device_key, &k, why);

	r = r ? r : key_public_der(k, &der);
	if (r)
		return r;
	r = file_read(c->device_pub, &there);
	if (!r && span_eq(buf_span(&there), buf_span(&der)))
		return 0;
	r = r < 0 ? r : file_replace(c->device_pub, buf_span(&der), 0644);
	return r ? r : give(c->device_pub, NULL, 0644);
}

/* Is the certificate that lies there of our key and our names, and good for some time? */
static bool is_good(const struct config *c, const struct key *k)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(PEM_MAX), ca = BUF_INIT(PEM_MAX), names = BUF_INIT(2048);
	struct cert_info info;
	struct digest id;

	if (file_read(c->tls_crt, &pem) || cert_read(buf_span(&pem), &info, NULL) || key_id(k, &id) ||
		file_read(c->tls_names, &names) || !span_eq(buf_span(&names), SPAN_STR(c->names)))
		return false;
	/* After another CA was made it is nobody's. */
	if (!file_read(c->ca_crt, &ca) && cert_check(buf_span(&pem), buf_span(&ca), CERT_SERVER, NULL, NULL))
		return false;
	return digest_eq(&info.key_id, &id) && info.not_after_us - clock_wall_us() > AGAIN_US;
}

static int certificate(const struct config *c, struct why *why)
{
	_cleanup_(key_freep) struct key *k = NULL, *ca = NULL;
	_cleanup_buf_ struct buf pem = BUF_INIT(2 * PEM_MAX), ca_pem = BUF_INIT(PEM_MAX);
	char first[128];
	int r;

	if (c->certificate[0])
		return 0;
	r = key_of(c->tls_key, &k, why);
	if (r || is_good(c, k))
		return r;
	r = key_load(c->ca_key, &ca, why);
	if (r == V_NOT_FOUND)
		return why_set(why, r,
			"%s: no such file: run sekisho-collector --init here, or name certificate and certificate_key",
			c->ca_key);
	r = r ? r : file_read(c->ca_crt, &ca_pem);
	if (r)
		return r < 0 ? r : why_set(why, V_BAD, "%s: cannot be read", c->ca_crt);
	snprintf(first, sizeof(first), "%.*s", (int)strcspn(c->names, ","), c->names);
	r = cert_issue(ca, buf_span(&ca_pem), k, first, c->names, CERT_SERVER, DAYS, &pem, why);
	r = r ? r : buf_put_span(&pem, buf_span(&ca_pem));
	r = r ? r : file_replace(c->tls_crt, buf_span(&pem), 0644);
	r = r ? r : give(c->tls_crt, NULL, 0644);
	r = r ? r : file_replace(c->tls_names, SPAN_STR(c->names), 0644);
	return r ? r : give(c->tls_names, NULL, 0644);
}

int console_prepare(const struct config *c, struct why *why)
{
	int r = folders(c);

	r = r ? r : device(c, why);
	return r ? r : certificate(c, why);
}
