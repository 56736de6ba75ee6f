/*
 * Enrolment. Run by root: it makes the device key, which only root and the sealing programs may read, proves to the
 * collector that this PC has it, and takes home the certificate, the CA and the log's key. The files of the network
 * side are written as its user, so that nothing of root's follows a link that this user left. Must never send the
 * token's secret to a server whose chain does not end in the CA that the token names.
 */
#include "agent/uplink/enrol.h"
#include "agent/uplink/enrol_parts.h"
#include "agent/uplink/http.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include "policy/wire/agent_conf.h"
#include "policy/wire/segment.h"
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/stat.h>

#define DEVICE_DIR "/var/lib/sekisho/device"
#define UPLINK_DIR "/var/lib/sekisho/uplink"
#define SPOOL_DIR "/var/spool/sekisho"
#define INBOX_DIR "/var/lib/sekisho/inbox"
#define UPLINK_USER "sekisho-uplink"
#define SEAL_GROUP "sekisho-seal"
/* Of root's power: files of two users, and being the other one for a while. */
#define KEPT                                                                                                          \
	(CONFINE_CAP(CAP_DAC_OVERRIDE) | CONFINE_CAP(CAP_CHOWN) | CONFINE_CAP(CAP_FOWNER) | CONFINE_CAP(CAP_SETUID) | \
		CONFINE_CAP(CAP_SETGID))

/* --- users --- */

static int find_users(struct enrol *e)
{
	bool test = getenv("SEKISHO_ROOT") != NULL;
	struct passwd *pw = getpwnam(UPLINK_USER);
	struct group *gr;

	if (geteuid() && !test)
		return enrol_say(ENROL_FAILED, "enrol has to be run by root");
	e->uid = geteuid();
	e->gid = e->seal = getegid();
	if (pw) {
		e->uid = pw->pw_uid;
		e->gid = pw->pw_gid;
	} else if (!test) {
		return enrol_say(ENROL_FAILED, "there is no user " UPLINK_USER ": is the package installed?");
	}
	gr = getgrnam(SEAL_GROUP);
	if (gr)
		e->seal = gr->gr_gid;
	else if (!test)
		return enrol_say(ENROL_FAILED, "there is no group " SEAL_GROUP ": is the package installed?");
	if (geteuid()) {
		e->uid = geteuid();
		e->gid = e->seal = getegid();
	}
	return 0;
}

static int become(uid_t uid, gid_t gid)
{
	return setegid(gid) || seteuid(uid) ? -errno : 0;
}

static int own_dir(const char *path, uid_t uid, gid_t gid)
{
	int r = dir_make(path, 0755);

	if (!r && (lchown(path, uid, gid)))
		r = -errno;
	return r;
}

/* --- what this PC has --- */

static int paths(struct enrol *e)
{
	return agent_path(e->device, sizeof(e->device), DEVICE_DIR) ||
			       agent_path(e->uplink, sizeof(e->uplink), UPLINK_DIR) ||
			       agent_path(e->inbox, sizeof(e->inbox), INBOX_DIR) ||
			       agent_path(e->vkey, sizeof(e->vkey), DEVICE_DIR "/log.vkey")
		       ? enrol_say(ENROL_FAILED, "SEKISHO_ROOT is too long")
		       : 0;
}

static int device_key(struct enrol *e)
{
	_cleanup_buf_ struct buf der = BUF_INIT(1024);
	char path[PATH_MAX + 16];
	struct why why = {""};
	struct digest id;
	int r;

	snprintf(path, sizeof(path), "%s/device.key", e->device);
	r = key_load(path, &e->device_key, &why);
	if (r == V_NOT_FOUND && e->held) {
		r = key_make_held(path, 0640, &e->device_key, &why);
	} else if (r == V_NOT_FOUND) {
		r = key_new(KEY_P256, &e->device_key);
		if (!r)
			r = key_save(e->device_key, path, 0640);
	}
	if (r > 0)
		return enrol_say(ENROL_FAILED, "%s: %s", path, why.text);
	if (!r && (chown(path, geteuid(), e->seal) || chmod(path, 0640)))
		r = -errno;
	if (!r)
		r = key_id(e->device_key, &id);
	if (!r)
		r = key_public_der(e->device_key, &der);
	snprintf(path, sizeof(path), "%s/device.pub", e->device);
	if (!r)
		r = file_replace(path, buf_span(&der), 0644);
	if (r)
		return enrol_say(ENROL_FAILED, "%s: %s", path, strerror(r < 0 ? -r : EIO));
	hex_encode(e->host, id.b, DIGEST_SIZE);
	return 0;
}

static int forget(const char *dir, const char *name)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return unlink(path) && errno != ENOENT ? enrol_say(ENROL_FAILED, "%s: %s", path, strerror(errno)) : 0;
}

/*
 * Chains go on under the key that began them: with another one each producer begins anew. What the old ones left stays
 * beside, by the time of day; producers make their folders at their start.
 */
static int leave_old_chains(void)
{
	char spool[PATH_MAX], from[PATH_MAX + 64], to[PATH_MAX + 96];
	const long long now = (long long)clock_wall_us() / 1000000;
	unsigned i;

	if (agent_path(spool, sizeof(spool), SPOOL_DIR))
		return enrol_say(ENROL_FAILED, "SEKISHO_ROOT is too long");
	for (i = 0; i < 2 * CHANNELS_MAX; i++) {
		snprintf(from, sizeof(from), "%s/%s%s", spool, producer_name(i / 2), i % 2 ? ".own" : "");
		snprintf(to, sizeof(to), "%s.until-%lld", from, now);
		if (rename(from, to) && errno != ENOENT)
			return enrol_say(ENROL_FAILED, "%s: %s", from, strerror(errno));
	}
	return 0;
}

/* With other keys it is another PC to everybody. */
static int forget_keys(const struct enrol *e)
{
	static const char *const of_uplink[] = {
		"tls.crt", "tls.key", "tls.key.next", "witness.pub", "witness.key", NULL};
	uid_t root = geteuid();
	gid_t group = getegid();
	unsigned i;
	int r = become(e->uid, e->gid);

	for (i = 0; !r && of_uplink[i]; i++)
		r = forget(e->uplink, of_uplink[i]);
	if (seteuid(root) || setegid(group))
		return enrol_say(ENROL_FAILED, "cannot be root again: %s", strerror(errno));
	r = r ? r : leave_old_chains();
	r = r ? r : forget(e->device, "device.pub");
	return r ? r : forget(e->device, "device.key");
}

/* Enrolled, and all of it in order? */
static bool is_enrolled(const struct enrol *e, struct cert_info *info)
{
	struct identity id;
	bool yes;

	if (access(e->vkey, R_OK) || identity_load(&id, e->uplink, NULL))
		return false;
	*info = id.info;
	yes = !strcmp(id.info.cn, e->host);
	identity_deinit(&id);
	return yes;
}

/* --- taking it home --- */

static int write_in(const char *dir, const char *name, const char *text, const char *end)
{
	_cleanup_buf_ struct buf b = BUF_INIT(65536);
	char path[PATH_MAX + 32];
	int r = buf_putf(&b, "%s%s", text, end);

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!r)
		r = file_replace(path, buf_span(&b), 0644);
	return r ? enrol_say(ENROL_FAILED, "%s: %s", path, strerror(r < 0 ? -r : EFBIG)) : 0;
}

/* Another log than the one that was seen: its checkpoint is kept aside, as evidence, and the alarm is over. */
static int leave_old_log(const struct enrol *e, const char *vkey)
{
	_cleanup_buf_ struct buf old = BUF_INIT(1024);
	char from[PATH_MAX + 32], to[PATH_MAX + 64];
	size_t n = strlen(vkey);

	if (file_read(e->vkey, &old) || (old.n >= n && !memcmp(old.p, vkey, n)))
		return 0;
	snprintf(from, sizeof(from), "%s/checkpoint", e->inbox);
	snprintf(to, sizeof(to), "%s/checkpoint.until-%lld", e->inbox, (long long)clock_wall_us() / 1000000);
	if (rename(from, to) && errno != ENOENT)
		return enrol_say(ENROL_FAILED, "%s: %s", from, strerror(errno));
	snprintf(from, sizeof(from), "%s/alarm", e->inbox);
	if (unlink(from) && errno != ENOENT)
		return enrol_say(ENROL_FAILED, "%s: %s", from, strerror(errno));
	return 0;
}

/* The certificate comes last: with it the PC counts as enrolled. */
static int store(struct enrol *e, const struct enrol_answer *a)
{
	uid_t root = geteuid();
	gid_t group = getegid();
	struct identity id;
	struct why why = {""};
	int r = become(e->uid, e->gid);

	if (r)
		return enrol_say(ENROL_FAILED, "cannot become " UPLINK_USER ": %s", strerror(-r));
	r = leave_old_log(e, a->log);
	if (!r)
		r = write_in(e->uplink, "ca.crt", a->ca, "");
	if (!r)
		r = write_in(e->uplink, "collector", e->url, "\n");
	if (seteuid(root) || setegid(group))
		return enrol_say(ENROL_FAILED, "cannot be root again: %s", strerror(errno));
	if (!r)
		r = write_in(e->device, "log.vkey", a->log, "\n");
	/* Whose policies this PC obeys from now on: another list comes only by a policy that one of these signed. */
	if (!r && a->admins[0])
		r = write_in(e->device, "admin.keys", a->admins, "");
	if (!r && become(e->uid, e->gid))
		r = enrol_say(ENROL_FAILED, "cannot become " UPLINK_USER ": %s", strerror(errno));
	if (!r)
		r = write_in(e->uplink, "tls.crt", a->certificate, "");
	if (!r && identity_load(&id, e->uplink, &why)) /* puts the new key in its place, too */
		r = enrol_say(ENROL_FAILED, "%s", why.text);
	else if (!r)
		identity_deinit(&id);
	if (seteuid(root) || setegid(group))
		return enrol_say(ENROL_FAILED, "cannot be root again: %s", strerror(errno));
	return r;
}

static int tls_key(struct enrol *e, bool next)
{
	uid_t root = geteuid();
	gid_t group = getegid();
	struct why why = {""};
	int r = become(e->uid, e->gid);

	if (!r)
		r = identity_key(e->uplink, next ? "tls.key.next" : "tls.key", e->held, &e->tls_key, &why);
	if (seteuid(root) || setegid(group))
		return enrol_say(ENROL_FAILED, "cannot be root again: %s", strerror(errno));
	return r ? enrol_say(ENROL_FAILED, "%s", why.text[0] ? why.text : strerror(r < 0 ? -r : EIO)) : 0;
}

static int enrol(struct enrol *e)
{
	char until[TEXT_TIME_SIZE], base[PATH_MAX];
	struct enrol_answer *a;
	struct cert_info info;
	int r = find_users(e);

	if (!r)
		r = paths(e);
	if (r)
		return r;
	if (agent_path(base, sizeof(base), "/var/lib/sekisho"))
		return ENROL_FAILED;
	r = dir_make(base, 0755);
	if (!r)
		r = own_dir(e->device, geteuid(), getegid());
	if (!r)
		r = own_dir(e->uplink, e->uid, e->gid);
	if (!r)
		r = own_dir(e->inbox, e->uid, e->gid);
	if (r)
		return enrol_say(ENROL_FAILED, "%s: %s", base, strerror(-r));
	r = e->new_keys ? forget_keys(e) : 0;
	r = r ? r : device_key(e);
	if (r)
		return r;
	if (is_enrolled(e, &info) && !e->again) {
		printf("This PC is enrolled already: host %s, certificate until %s\n", e->host,
			text_time_local(until, info.not_after_us));
		return ENROL_DONE;
	}
	r = tls_key(e, e->again && !e->new_keys);
	if (r)
		return r;
	a = calloc(1, sizeof(*a));
	if (!a)
		return enrol_say(ENROL_FAILED, "no memory");
	r = enrol_ask(e, a);
	if (!r)
		r = store(e, a);
	if (!r)
		printf("Enrolled: host %s, known to %s as %s\n%s", e->host, a->collector, e->name,
			e->again ? "Restart sekisho-guard, sekisho-recorder, sekisho-print and sekisho-uplink now.\n"
				 : "");
	free(a);
	return r;
}

/* What root can do that enrolment has no use for goes before anything is made, and before the network is met. */
static int give_up_power(void)
{
	const struct passwd *pw = geteuid() ? NULL : getpwnam(UPLINK_USER);
	int r = 0;

	/* The user that it becomes for a while has its groups, too: by one of them it reaches the keeper. */
	if (pw && initgroups(pw->pw_name, pw->pw_gid))
		r = -errno;
	r = r ? r : confine_power(KEPT, CONFINE_SERVER | CONFINE_OWNERS);
	return r ? enrol_say(ENROL_FAILED, "giving up privileges: %s", strerror(-r)) : 0;
}

/* --- the command line --- */

static int usage(FILE *to, int code)
{
	fputs("usage: sekisho-uplink enrol [--config FILE] [--name NAME] [--again [--new-keys]] --collector\n"
	      "       https://HOST[:PORT] TOKEN\n"
	      "       TOKEN may be - to read it from standard input\n",
		to);
	return code;
}

int enrol_main(int argc, char **argv)
{
	static const struct option options[] = {{"name", required_argument, NULL, 'n'},
		{"collector", required_argument, NULL, 'c'}, {"again", no_argument, NULL, 'a'},
		{"new-keys", no_argument, NULL, 'k'}, {"config", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	char host[256] = "", line[512] = "", path[PATH_MAX];
	struct enrol e = {.url = NULL};
	const char *config = NULL, *text;
	struct agent_conf conf;
	struct why why = {""};
	int o, r;

	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (o) {
		case 'n':
			e.name = optarg;
			break;
		case 'c':
			e.url = optarg;
			break;
		case 'a':
			e.again = true;
			break;
		case 'k':
			e.new_keys = true;
			break;
		case 'f':
			config = optarg;
			break;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, ENROL_USAGE);
		}
	}
	if (optind + 1 != argc || !e.url || (e.new_keys && !e.again))
		return usage(stderr, ENROL_USAGE);
	r = config ? 0 : agent_path(path, sizeof(path), AGENT_CONF_PATH);
	r = r ? r : agent_conf_load(config ? config : path, &conf, &why);
	if (r)
		return enrol_say(ENROL_FAILED, "settings: %s", r < 0 ? strerror(-r) : why.text);
	e.held = agent_conf_held(&conf);
	text = argv[optind];
	if (!strcmp(text, "-"))
		text = fgets(line, sizeof(line), stdin) ? line : "";
	if (token_parse(text, &e.token, &why) || http_check_url(e.url, &why))
		return enrol_say(ENROL_USAGE, "%s", why.text);
	if (strlen(e.url) >= AGENT_URL_MAX)
		return enrol_say(ENROL_USAGE, "the collector's URL is too long");
	if (!e.name) {
		if (gethostname(host, sizeof(host) - 1) || !host[0])
			return enrol_say(ENROL_FAILED, "this PC has no host name: give one with --name");
		e.name = host;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return enrol_say(ENROL_FAILED, "libcurl cannot be used");
	r = give_up_power();
	r = r ? r : enrol(&e);
	key_free(e.device_key);
	key_free(e.tls_key);
	secret_wipe(&e.token, sizeof(e.token));
	secret_wipe(line, sizeof(line));
	curl_global_cleanup();
	return r;
}
