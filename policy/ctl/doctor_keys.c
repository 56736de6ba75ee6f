/*
 * `sekishoctl doctor` of a PC's keys: whether what says who this PC is, and what it meets the collector with, can be
 * used now. Gathers the fact "keys" by a signature of each key that a keeper holds, and judges it. See doctor.h. Shows
 * nothing of a key but where it lives.
 */
#include "policy/base/file.h"
#include "policy/ctl/doctor.h"
#include "policy/ctl/door.h"
#include "policy/trust/cert.h"
#include "policy/trust/keeper.h"
#include "policy/wire/agent_conf.h"
#include "policy/wire/program.h"
#include <errno.h>
#include <limits.h>

#define DEVICE_KEY "/var/lib/sekisho/device/device.key"
#define TLS_KEY "/var/lib/sekisho/uplink/tls.key"
#define TLS_CERTIFICATE "/var/lib/sekisho/uplink/tls.crt"
#define CERTIFICATE_MAX (256u << 10)
/* What is signed: no record, request or handshake is these bytes. */
#define WORDS "sekishoctl doctor: is the key there?"

/* --- facts --- */

/* Asks the keeper, past key_sign, whose reason is in the log alone. 0; a verdict with its words. */
static int try_held(const struct key *k, struct span file, struct why *why)
{
	_cleanup_buf_ struct buf sig = BUF_INIT(SIGNATURE_SIZE);
	struct keeper_request q = {.what = KEEPER_SIGN, .file = file};
	struct span words = SPAN(WORDS, sizeof(WORDS) - 1);
	struct digest d;
	int r;

	digest_span(&d, words);
	q.input = SPAN(d.b, DIGEST_SIZE);
	r = keeper_ask(&q, &sig, why);
	if (!r && key_verify(k, words, buf_span(&sig)))
		r = why_set(why, V_BAD, "what the keeper signs is not this key's");
	return r;
}

/* One key: {"place"; "why" where it cannot be used, "lost" where its holder says that it is not its key}. *k is set
 * where it could be read. */
static json_t *look(const char *path, bool ask, struct key **k)
{
	_cleanup_buf_ struct buf file = BUF_INIT(KEEPER_FILE_MAX);
	struct why why = {""};
	char room[PATH_MAX];
	bool lost = false;
	int r;

	layout_path(room, sizeof(room), path);
	r = key_load(room, k, &why);
	if (!r && key_place(*k) != KEY_IN_FILE && ask) {
		r = file_read(room, &file);
		r = r ? r : try_held(*k, buf_span(&file), &why);
		lost = r == V_BAD;
	}
	if (r && !why.text[0])
		why_set(&why, r, "%s: %s", path, r == V_NOT_FOUND ? "is not there" : r < 0 ? strerror(-r) : "no key");
	return json_pack("{s:s*, s:s*, s:b}", "place", *k ? key_place_name(key_place(*k)) : NULL, "why",
		r ? why.text : NULL, "lost", lost);
}

/* Is there a certificate, and of this key? */
static bool fits(const struct key *k)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(CERTIFICATE_MAX);
	struct cert_info info;
	struct digest id;
	struct why why;
	char room[PATH_MAX];

	layout_path(room, sizeof(room), TLS_CERTIFICATE);
	return !file_read(room, &pem) && !cert_read(buf_span(&pem), &info, &why) && !key_id(k, &id) &&
	       digest_eq(&id, &info.key_id);
}

json_t *doctor_keys_fact(void)
{
	_cleanup_(key_freep) struct key *device = NULL, *tls = NULL;
	json_t *o = json_object(), *part;
	struct agent_conf conf;
	struct why why = {""};
	char room[PATH_MAX];
	int r;

	layout_path(room, sizeof(room), AGENT_CONF_PATH);
	r = agent_conf_load(room, &conf, &why);
	if (!r)
		json_object_set_new(o, "new", json_string(conf.keys));
	part = look(DEVICE_KEY, true, &device);
	/* A holder that is not there is waited for once. */
	json_object_set_new(o, "tls", look(TLS_KEY, !json_object_get(part, "why"), &tls));
	json_object_set_new(o, "device", part);
	if (tls)
		json_object_set_new(o, "fits", json_boolean(fits(tls)));
	return o;
}

/* --- judging --- */

static const char *place_of(const struct ctl *c, const json_t *key)
{
	const char *s = json_string_value(json_object_get(key, "place"));

	if (s && !strcmp(s, "tpm"))
		return SAY(c, "in the TPM", "TPM 内");
	if (s && !strcmp(s, "pkcs11"))
		return SAY(c, "in the PKCS#11 token", "PKCS#11 トークン内");
	return s ? SAY(c, "in a file", "ファイル") : SAY(c, "not there", "なし");
}

static bool is_held(const json_t *key)
{
	const char *s = json_string_value(json_object_get(key, "place"));

	return s && strcmp(s, "file") != 0;
}

/* What to do about it. Whoever waits for a TPM that is another one now waits for ever; one that is away may come back.
 */
static const char *fix_of(const struct doctor *d, const json_t *key)
{
	const char *s = json_string_value(json_object_get(key, "place"));

	if (!is_held(key))
		return "sekishoctl enrol --again COLLECTOR TOKEN";
	if (json_is_true(json_object_get(key, "lost")))
		return "man sekisho-keeper; sekishoctl enrol --again --new-keys COLLECTOR TOKEN";
	if (!json_is_true(doctor_fact(d, "systemd")))
		return "man sekisho-keeper";
	return !strcmp(s, "tpm") ? "systemctl enable --now sekisho-keeper.socket; ls -l /dev/tpmrm0; man sekisho-keeper"
				 : "systemctl enable --now sekisho-keeper.socket; journalctl -u 'sekisho-keeper@*'; "
				   "man sekisho-keeper";
}

/* True where this key can be used. */
static bool works(struct doctor *d, const json_t *key, const char *name)
{
	char why[SHOWN_MAX];

	if (!json_object_get(key, "why"))
		return true;
	doctor_found(d, "keys", DOCTOR_BAD, fix_of(d, key),
		SAY(d->ctl, "%s (%s) cannot be used: %s", "%s(%s)を使用できません: %s"), name, place_of(d->ctl, key),
		door_text(why, key, "why"));
	return false;
}

void doctor_keys(struct doctor *d)
{
	const json_t *o = doctor_fact(d, "keys"), *device = json_object_get(o, "device"),
		     *tls = json_object_get(o, "tls");
	const char *new = json_string_value(json_object_get(o, "new"));
	size_t before = json_array_size(d->findings);
	char room[SHOWN_MAX];

	if (!o) {
		doctor_found(d, "keys", DOCTOR_NOT_HERE, NULL, "%s",
			SAY(d->ctl, "not looked at: only root may", "root でないため確認していません"));
		return;
	}
	if (works(d, device, SAY(d->ctl, "the device key", "端末の鍵")))
		works(d, tls, SAY(d->ctl, "the TLS key", "TLS の鍵"));
	if (json_is_false(json_object_get(o, "fits")))
		doctor_found(d, "keys", DOCTOR_BAD, "sekishoctl enrol --again COLLECTOR TOKEN", "%s",
			SAY(d->ctl, "the TLS key's certificate is not there, or is another key's",
				"TLS の鍵の証明書がないか、別の鍵のものです"));
	/* The TLS key moves when its certificate is renewed. */
	if (new &&strcmp(new, "file") != 0 && json_object_get(device, "place") && !is_held(device))
		doctor_found(d, "keys", DOCTOR_ATTENTION, "sekishoctl enrol --again --new-keys COLLECTOR TOKEN",
			SAY(d->ctl, "agent.conf says keys = %s, and the device key stays in the file where it was made",
				"agent.conf は keys = %s ですが、端末の鍵は作成時のファイルのままです"),
			door_text(room, o, "new"));
	if (json_array_size(d->findings) == before)
		doctor_found(d, "keys", DOCTOR_GOOD, NULL,
			is_held(device) || is_held(tls)
				? SAY(d->ctl, "device key %s, TLS key %s, the certificate's; each signed just now",
					  "端末の鍵: %s、TLS の鍵: %s(証明書と一致)。今回の署名を確認")
				: SAY(d->ctl, "device key %s, TLS key %s, the certificate's",
					  "端末の鍵: %s、TLS の鍵: %s(証明書と一致)"),
			place_of(d->ctl, device), place_of(d->ctl, tls));
}
