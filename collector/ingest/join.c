/*
 * How another collector gets the keys of the log and of the CA: through the database, sealed, and let in by a person.
 *
 *   the new one                                    one that is there
 *   device key made; a key pair for this once
 *   shelf "join"/id: name, device key,      ->     sekishoctl collector list: who asks
 *   certificate of that pair, signed by            sekishoctl collector admit ID, the whole id as the new one shows it:
 *   the device key                                 recorded (enrol, channel collector), then
 *   opens it, writes the keys          <-          shelf "admitted"/id: CA and log key, sealed (CMS, envelope.h)
 *
 * No secret is carried by a person or lies readable anywhere but in the two folders: a bundle under a passphrase would
 * be as good as the passphrase, and who finds both has the CA. Nothing listens on the network that would hand out keys.
 * Whoever can write to the database may ask, and whoever reads it sees what is sealed; that the right one is let in is
 * the id's doing, which is the hash of its device key and typed from its screen.
 */
#include "collector/ingest/join.h"
#include "collector/ingest/ask.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/trust/envelope.h"
#include "policy/wire/program.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define USER "sekisho-collector"
#define WAIT_S 3600u /* for a person at the other collector */
#define CERTIFICATE_DAYS 2u

static int say(json_t *o)
{
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	bool good = text && puts(text) >= 0 && !fflush(stdout);

	json_decref(o);
	return good ? 0 : -EPIPE;
}

struct joining {
	const struct config *c;
	struct store *store;
	char name[128], id[2 * DIGEST_SIZE + 1];
	struct buf key, certificate; /* PEM, of the pair for this once */
};

/* The private half as a reader of envelopes takes it: it is in a file for a moment. */
static int make_pair(struct joining *j)
{
	_cleanup_(key_freep) struct key *k = NULL;
	char path[CONFIG_PATH_MAX + 32];
	int r = key_new(KEY_P256, &k);

	snprintf(path, sizeof(path), "%s/join.key", j->c->dir);
	if (!r && unlink(path) && errno != ENOENT)
		r = -errno;
	r = r ? r : key_save(k, path, 0600);
	r = r ? r : file_read(path, &j->key);
	if (unlink(path) && !r)
		r = -errno;
	return r ? r : cert_make_ca(k, "sekisho join", CERTIFICATE_DAYS, &j->certificate);
}

static int ask_in(struct joining *j, struct why *why)
{
	_cleanup_buf_ struct buf text = BUF_INIT(JOIN_REQUEST_MAX);
	_cleanup_(key_freep) struct key *device = NULL;
	struct digest id;
	int r = keys_device(j->c, &device, why);

	r = r ? r : key_id(device, &id);
	r = r ? r : make_pair(j);
	if (!r && !buf_str(&j->certificate))
		r = -EIO;
	r = r ? r : join_request_write(device, j->name, (const char *)j->certificate.p, &text);
	if (r)
		return r;
	hex_encode(j->id, id.b, DIGEST_SIZE);
	r = store_shelf_drop(j->store, JOIN_ADMITTED, j->id);
	r = r ? r : store_shelf_put(j->store, JOIN_ASKING, j->id, buf_span(&text), NULL);
	return r ? why_set(why, r, "the database does not take the request: %s", strerror(-r)) : 0;
}

/* Opens what came. 0 with the parts; V_BAD; -errno. */
static int open_answer(const struct joining *j, struct span sealed, json_t **out, struct why *why)
{
	_cleanup_close_ int fd = memfd_create("join", MFD_CLOEXEC);
	_cleanup_buf_ struct buf b = BUF_INIT(JOIN_SEALED_MAX);
	char path[64];
	bool another;
	int r = fd < 0 ? -errno
		       : envelope_open(sealed, buf_span(&j->key), buf_span(&j->certificate), fd, &another, why);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = r ? r : file_read(path, &b);
	if (r)
		return r < 0 ? r : why_set(why, V_BAD, "the answer is not sealed to this collector");
	r = ask_object_of(buf_span(&b), JOIN_SEALED_MAX, out, why);
	secret_wipe(b.p, b.n);
	return r;
}

static int write_part(const struct joining *j, size_t i, const json_t *o, struct why *why)
{
	_cleanup_buf_ struct buf there = BUF_INIT(KEYS_PEM_MAX);
	const char *text = join_text(o, join_parts[i]), *path = join_part(j->c, i);
	bool secret = i == JOIN_CA_KEY || i == JOIN_LOG_KEY;
	int r;

	if (!text || (!*text && i != JOIN_ADMINS))
		return why_set(why, V_BAD, "the answer has no %s", join_parts[i]);
	r = file_read(path, &there);
	if (r < 0)
		return r;
	/* One that was killed while it wrote may find its own. */
	if (!r && secret && !span_eq(buf_span(&there), SPAN_STR(text)))
		return why_set(why, V_BAD, "%s: there is another key already", path);
	return !*text ? 0 : file_replace(path, SPAN_STR(text), secret ? 0600 : 0644);
}

static int take_answer(struct joining *j, struct span sealed, struct why *why)
{
	_cleanup_(keys_deinit) struct keys keys = {.ca = NULL};
	char ca[2 * DIGEST_SIZE + 1];
	json_t *o = NULL;
	size_t i;
	int r = open_answer(j, sealed, &o, why);

	/* The CA's key last: where it is, there is nothing more to join. */
	for (i = 0; !r && i < JOIN_PARTS; i++)
		r = write_part(j, JOIN_PARTS - 1 - i, o, why);
	json_decref(o);
	r = r ? r : keys_init(j->c, why);
	r = r ? r : keys_load(j->c, &keys, why);
	r = r ? r : store_shelf_drop(j->store, JOIN_ADMITTED, j->id);
	return r ? r
		 : say(json_pack("{s:s, s:s, s:s}", "joined", j->id, "name", j->name, "ca",
			   hex_encode(ca, keys.ca_fingerprint.b, DIGEST_SIZE)));
}

static int wait_for_answer(struct joining *j, struct why *why)
{
	_cleanup_buf_ struct buf sealed = BUF_INIT(JOIN_SEALED_MAX);
	static const struct timespec second = {.tv_sec = 1};
	pid_t parent = getppid();
	unsigned i;
	int r = V_NOT_FOUND;

	for (i = 0; r == V_NOT_FOUND && i < WAIT_S; i++) {
		if (i)
			nanosleep(&second, NULL);
		/* Whoever started us is gone: nobody waits for it any more. */
		if (getppid() != parent)
			break;
		r = store_shelf_get(j->store, JOIN_ADMITTED, j->id, &sealed);
	}
	if (!r)
		return take_answer(j, buf_span(&sealed), why);
	(void)store_shelf_drop(j->store, JOIN_ASKING, j->id);
	return r == V_NOT_FOUND ? WHY_BOTH(why, r, "nobody has let this collector in within %u minutes",
					  "%u 分以内に参加が承認されませんでした", WAIT_S / 60)
				: r;
}

static int folders(const struct config *c)
{
	int r = dir_make(c->dir, 0750);

	return r ? r : dir_make(c->ca_dir, 0755);
}

static int join(struct joining *j, struct why *why)
{
	/* The request is written where a standby would not take it; an address that says otherwise means it. */
	char place[CONFIG_PATH_MAX + 64], host[96] = "";
	struct store_options o = {.dir = place};
	int r;

	if (!store_is_database(j->c->store))
		return WHY_BOTH(why, V_BAD,
			"store: a log can be shared in a database only (store = postgresql://... in collector.conf)",
			"store: 複数のコレクターで共有できるのはデータベースのログだけです(collector.conf に store = "
			"postgresql://... を設定してください)");
	if (!access(j->c->ca_key, F_OK))
		return WHY_BOTH(why, V_EXISTS, "%s: this collector has keys already",
			"%s: このコレクターには既に鍵があります", j->c->ca_key);
	if (gethostname(host, sizeof(host) - 1))
		return -errno;
	snprintf(j->name, sizeof(j->name), JOIN_NAME "%s", host);
	snprintf(place, sizeof(place), "%s%starget_session_attrs=read-write", j->c->store,
		strchr(j->c->store, '?') ? "&" : "?");
	r = folders(j->c);
	r = r ? r : store_open(&o, &j->store, why);
	if (!r && !store_shares(j->store))
		return WHY_BOTH(why, V_BAD,
			"the database has no place for what collectors share: its owner runs shared.sql (see "
			"collector.conf(5))",
			"データベースに共有用の表がありません。所有者が shared.sql "
			"を実行してください(collector.conf(5) "
			"参照)");
	r = r ? r : ask_in(j, why);
	r = r ? r : say(json_pack("{s:s, s:s}", "asking", j->id, "name", j->name));
	return r ? r : wait_for_answer(j, why);
}

int join_main(const struct config *c)
{
	struct joining j = {.c = c, .key = BUF_INIT(KEYS_PEM_MAX), .certificate = BUF_INIT(KEYS_PEM_MAX)};
	struct why why = {""};
	int r;

	umask(027);
	r = program_give_up_power(USER, &why);
	r = r ? r : join(&j, &why);
	store_close(j.store);
	if (j.key.n)
		secret_wipe(j.key.p, j.key.n);
	buf_deinit(&j.key);
	buf_deinit(&j.certificate);
	if (!r)
		return EXIT_SUCCESS;
	if (!why.text[0])
		why_set(&why, r, "%s", r < 0 ? strerror(-r) : "unusable");
	log_error("not joined: %s", why.text);
	say(json_pack("{s:s, s:s}", "failed", why.text, "ja", why_ja(&why)));
	return EXIT_FAILURE;
}
