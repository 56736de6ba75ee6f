/*
 * A PKCS#11 token by p11-kit. See token.h. Whatever the token says is taken at its size: its strings are padded, its
 * points may be wrapped.
 */
#include "agent/keeper/token.h"
#include "policy/base/file.h"
#include "policy/trust/agree.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SLOTS_MAX 64u
#define PIN_MAX 256u
#define POINT_DER_MAX 128u
#define DER_OCTETS 0x04

DEFINE_CLEANUP(P11KitUri *, p11_kit_uri_free)

static CK_FUNCTION_LIST *p11;
static CK_SESSION_HANDLE session;

static unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_KEY_TYPE ec = CKK_EC;
static CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY, public_key = CKO_PUBLIC_KEY;

static int refused(struct why *why, int verdict, const char *what, CK_RV rv)
{
	return why_set(why, verdict, "%s: %s", what, p11_kit_strerror(rv));
}

/* --- what agent.conf names --- */

static bool is_ours(const struct stat *st, mode_t forbidden)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & forbidden);
}

/* Code that whoever is not root could change must not come into this process; nor by a folder above it. */
static int check_module(const char *path, struct why *why)
{
	char real[PATH_MAX], *slash;
	struct stat st;

	if (path[0] != '/' || !realpath(path, real))
		return why_set(why, V_AGAIN, "pkcs11_uri: module-path %s: %s", path,
			path[0] == '/' ? strerror(errno) : "not absolute");
	if (stat(real, &st) || !S_ISREG(st.st_mode))
		return why_set(why, V_AGAIN, "pkcs11_uri: module-path %s: no file", path);
	if (st.st_uid || st.st_mode & 022)
		return why_set(why, V_AGAIN, "pkcs11_uri: module-path %s: others than root may write it", path);
	while ((slash = strrchr(real, '/')) && slash != real) {
		*slash = 0;
		if (stat(real, &st) || st.st_uid || (st.st_mode & 022 && !(st.st_mode & S_ISVTX)))
			return why_set(
				why, V_AGAIN, "pkcs11_uri: module-path %s: others than root may write %s", path, real);
	}
	return 0;
}

/* The first line of a file that is root's alone. */
static int read_pin(const char *source, char pin[PIN_MAX + 1], struct why *why)
{
	const char *path = strncmp(source, "file:", 5) ? source : source + 5;
	_cleanup_close_ int fd = -1;
	struct stat st;
	ssize_t n;

	path = strncmp(path, "//", 2) ? path : path + 2;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st))
		return why_set(why, V_AGAIN, "pkcs11_uri: pin-source %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || !is_ours(&st, 077))
		return why_set(
			why, V_AGAIN, "pkcs11_uri: pin-source %s: has to be a file of root's with mode 0600", path);
	n = read(fd, pin, PIN_MAX);
	if (n < 0)
		return -errno;
	pin[n] = 0;
	pin[strcspn(pin, "\r\n")] = 0;
	return pin[0] ? 0 : why_set(why, V_AGAIN, "pkcs11_uri: pin-source %s: empty", path);
}

static int load_module(P11KitUri *uri, struct why *why)
{
	const char *path = p11_kit_uri_get_module_path(uri);
	CK_RV rv;
	int r = path ? check_module(path, why) : why_set(why, V_AGAIN, "pkcs11_uri: names no module-path (RFC 7512)");

	if (r)
		return r;
	p11 = p11_kit_module_load(path, P11_KIT_MODULE_UNMANAGED);
	if (!p11)
		return why_set(why, V_AGAIN, "pkcs11_uri: module-path %s: %s", path,
			p11_kit_message() ? p11_kit_message() : "no PKCS#11 module");
	rv = p11_kit_module_initialize(p11);
	return rv == CKR_OK ? 0 : refused(why, V_AGAIN, path, rv);
}

/* --- the token --- */

/* The one that the URI fits: of two, nobody knows which is meant. */
static int find_token(P11KitUri *uri, CK_SLOT_ID *out, CK_TOKEN_INFO *info, struct why *why)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG n = SLOTS_MAX, i, found = 0;
	CK_RV rv = p11->C_GetSlotList(CK_TRUE, slots, &n);

	if (rv != CKR_OK)
		return refused(why, V_AGAIN, "the PKCS#11 module lists no tokens", rv);
	for (i = 0; i < n; i++) {
		CK_TOKEN_INFO t;

		if (p11->C_GetTokenInfo(slots[i], &t) != CKR_OK || !(t.flags & CKF_TOKEN_INITIALIZED) ||
			!p11_kit_uri_match_token_info(uri, &t))
			continue;
		*out = slots[i];
		*info = t;
		found++;
	}
	if (!found)
		return why_set(why, V_AGAIN, "no PKCS#11 token is there that pkcs11_uri names");
	return found == 1 ? 0 : why_set(why, V_AGAIN, "pkcs11_uri names %lu tokens: add token= or serial=", found);
}

static int log_in(const CK_TOKEN_INFO *t, const char *pin, struct why *why)
{
	CK_RV rv;

	if (t->flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED))
		return why_set(why, V_AGAIN,
			"the PKCS#11 token was given a wrong PIN%s, and is not tried again: mend pin-source, then log "
			"in "
			"once by hand (pkcs11-tool --login --test)",
			t->flags & CKF_USER_PIN_LOCKED ? " too often and is locked" : "");
	rv = p11->C_Login(session, CKU_USER, (CK_UTF8CHAR *)(uintptr_t)pin, strlen(pin));
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		return 0;
	return refused(why, V_AGAIN, "the PKCS#11 token does not take the PIN", rv);
}

static int open_session(P11KitUri *uri, struct why *why)
{
	const char *source = p11_kit_uri_get_pin_source(uri);
	char pin[PIN_MAX + 1] = "";
	CK_TOKEN_INFO info = {.flags = 0};
	CK_SLOT_ID slot = 0;
	CK_RV rv;
	int r = find_token(uri, &slot, &info, why);

	if (!r && info.flags & CKF_LOGIN_REQUIRED)
		r = source ? read_pin(source, pin, why)
			   : why_set(why, V_AGAIN, "pkcs11_uri: names no pin-source, and the token wants a PIN");
	if (r)
		return r;
	rv = p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
	r = rv == CKR_OK ? 0 : refused(why, V_AGAIN, "the PKCS#11 token opens no session", rv);
	if (!r && info.flags & CKF_LOGIN_REQUIRED)
		r = log_in(&info, pin, why);
	secret_wipe(pin, sizeof(pin));
	return r;
}

int token_open(const char *text, struct why *why)
{
	_cleanup_(p11_kit_uri_freep) P11KitUri *uri = p11_kit_uri_new();
	int bad, r;

	if (!uri)
		return -ENOMEM;
	if (!text[0])
		return why_set(
			why, V_AGAIN, "agent.conf has no pkcs11_uri: which token, which module, where is the PIN?");
	bad = p11_kit_uri_parse(text, P11_KIT_URI_FOR_TOKEN | P11_KIT_URI_FOR_MODULE, uri);
	if (bad)
		return why_set(why, V_AGAIN, "pkcs11_uri: %s", p11_kit_uri_message(bad));
	if (p11_kit_uri_any_unrecognized(uri))
		return why_set(why, V_AGAIN, "pkcs11_uri: has something in it that RFC 7512 does not know");
	if (p11_kit_uri_get_pin_value(uri))
		return why_set(why, V_AGAIN, "pkcs11_uri: a PIN does not stand in it: pin-source names its file");
	r = load_module(uri, why);
	return r ? r : open_session(uri, why);
}

/* --- keys --- */

/* A point as CKA_EC_POINT has it: an OCTET STRING in DER, or (some tokens) the bare bytes. */
static int take_point(const uint8_t *p, size_t n, uint8_t out[KEEPER_POINT_SIZE])
{
	if (n == KEEPER_POINT_SIZE + 2 && p[0] == DER_OCTETS && p[1] == KEEPER_POINT_SIZE) {
		p += 2;
		n -= 2;
	}
	if (n != KEEPER_POINT_SIZE || p[0] != 0x04)
		return V_BAD;
	memcpy(out, p, n);
	return 0;
}

static CK_RV read_point(CK_OBJECT_HANDLE key, uint8_t out[KEEPER_POINT_SIZE])
{
	uint8_t der[POINT_DER_MAX];
	CK_ATTRIBUTE a = {CKA_EC_POINT, der, sizeof(der)};
	CK_RV rv = p11->C_GetAttributeValue(session, key, &a, 1);

	if (rv == CKR_OK && take_point(der, a.ulValueLen, out))
		rv = CKR_ATTRIBUTE_VALUE_INVALID;
	return rv;
}

int token_make(struct buf *file, struct why *why)
{
	CK_MECHANISM how = {CKM_EC_KEY_PAIR_GEN, NULL, 0};
	uint8_t id[KEEPER_ID_SIZE], point[KEEPER_POINT_SIZE];
	char label[] = "sekisho";
	CK_ATTRIBUTE public[] = {{CKA_EC_PARAMS, p256, sizeof(p256)}, {CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_VERIFY, &yes, sizeof(yes)}, {CKA_ID, id, sizeof(id)}, {CKA_LABEL, label, sizeof(label) - 1}};
	CK_ATTRIBUTE private[] = {{CKA_TOKEN, &yes, sizeof(yes)}, {CKA_PRIVATE, &yes, sizeof(yes)},
		{CKA_SENSITIVE, &yes, sizeof(yes)}, {CKA_EXTRACTABLE, &no, sizeof(no)}, {CKA_SIGN, &yes, sizeof(yes)},
		{CKA_DERIVE, &yes, sizeof(yes)}, {CKA_ID, id, sizeof(id)}, {CKA_LABEL, label, sizeof(label) - 1}};
	CK_OBJECT_HANDLE theirs, mine;
	CK_RV rv;
	int r = random_bytes(id, sizeof(id));

	if (r)
		return r;
	rv = p11->C_GenerateKeyPair(
		session, &how, public, ARRAY_SIZE(public), private, ARRAY_SIZE(private), &theirs, &mine);
	if (rv == CKR_OK)
		rv = read_point(theirs, point);
	if (rv != CKR_OK)
		return refused(why, V_AGAIN, "the PKCS#11 token makes no P-256 key", rv);
	return keeper_token_write(point, id, file);
}

static int find_key(CK_OBJECT_CLASS *class, uint8_t id[KEEPER_ID_SIZE], CK_OBJECT_HANDLE *out, struct why *why)
{
	CK_ATTRIBUTE wanted[] = {
		{CKA_CLASS, class, sizeof(*class)}, {CKA_KEY_TYPE, &ec, sizeof(ec)}, {CKA_ID, id, KEEPER_ID_SIZE}};
	CK_ULONG n = 0;
	CK_RV rv = p11->C_FindObjectsInit(session, wanted, ARRAY_SIZE(wanted));

	if (rv == CKR_OK) {
		rv = p11->C_FindObjects(session, out, 1, &n);
		p11->C_FindObjectsFinal(session);
	}
	if (rv != CKR_OK)
		return refused(why, V_AGAIN, "the PKCS#11 token cannot be searched", rv);
	return n ? 0
		 : why_set(why, V_BAD,
			   "the PKCS#11 token does not have the key: it was initialised, or is another one; the PC has "
			   "to be "
			   "enrolled anew");
}

/* The private key, where the public one of the same name is the one that the file says. */
static int load(struct span file, CK_OBJECT_HANDLE *out, struct why *why)
{
	uint8_t id[KEEPER_ID_SIZE], point[KEEPER_POINT_SIZE], is[KEEPER_POINT_SIZE];
	CK_OBJECT_HANDLE theirs;
	int r = keeper_token_read(file, point, id);

	if (r)
		return why_set(why, V_BAD, "the key's file names no key of a PKCS#11 token");
	r = find_key(&public_key, id, &theirs, why);
	r = r ? r : find_key(&private_key, id, out, why);
	if (!r && (read_point(theirs, is) != CKR_OK || memcmp(is, point, sizeof(is)) != 0))
		r = why_set(why, V_BAD, "the key's file names another public key than the PKCS#11 token's");
	return r;
}

static int sign(CK_OBJECT_HANDLE key, struct span digest, struct buf *out, struct why *why)
{
	CK_MECHANISM how = {CKM_ECDSA, NULL, 0};
	uint8_t raw[SIGNATURE_SIZE];
	CK_ULONG n = sizeof(raw);
	CK_RV rv = p11->C_SignInit(session, &how, key);

	if (rv == CKR_OK)
		rv = p11->C_Sign(session, (CK_BYTE *)(uintptr_t)digest.p, digest.n, raw, &n);
	if (rv != CKR_OK || n != sizeof(raw))
		return refused(why, V_AGAIN, "the PKCS#11 token does not sign", rv);
	return buf_put(out, raw, sizeof(raw));
}

static int agree(CK_OBJECT_HANDLE key, struct span point, struct buf *out, struct why *why)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ULONG size = SECRET_SIZE;
	CK_ECDH1_DERIVE_PARAMS with = {
		.kdf = CKD_NULL, .ulPublicDataLen = point.n, .pPublicData = (CK_BYTE *)(uintptr_t)point.p};
	CK_MECHANISM how = {CKM_ECDH1_DERIVE, &with, sizeof(with)};
	CK_ATTRIBUTE as[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_KEY_TYPE, &type, sizeof(type)},
		{CKA_TOKEN, &no, sizeof(no)}, {CKA_SENSITIVE, &no, sizeof(no)}, {CKA_EXTRACTABLE, &yes, sizeof(yes)},
		{CKA_VALUE_LEN, &size, sizeof(size)}};
	uint8_t secret[SECRET_SIZE];
	CK_ATTRIBUTE value = {CKA_VALUE, secret, sizeof(secret)};
	CK_OBJECT_HANDLE made;
	CK_RV rv = p11->C_DeriveKey(session, &how, key, as, ARRAY_SIZE(as), &made);
	int r;

	if (rv == CKR_OK)
		rv = p11->C_GetAttributeValue(session, made, &value, 1);
	if (rv != CKR_OK || value.ulValueLen != sizeof(secret))
		return refused(why, V_AGAIN, "the PKCS#11 token does not agree on a secret", rv);
	r = buf_put(out, secret, sizeof(secret));
	secret_wipe(secret, sizeof(secret));
	return r;
}

int token_use(const struct keeper_request *q, struct buf *out, struct why *why)
{
	CK_OBJECT_HANDLE key;
	int r = load(q->file, &key, why);

	if (r)
		return r;
	return q->what == KEEPER_SIGN ? sign(key, q->input, out, why) : agree(key, q->input, out, why);
}
