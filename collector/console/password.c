/*
 * Passwords: Argon2id (RFC 9106) by libargon2, at the cost that OWASP gives as the least for servers (19 MiB, two
 * passes): 34 ms, so that the loop may wait for it. See account.h; who asks how often is attempt.c's.
 */
#include "collector/console/account.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <argon2.h>
#include <ctype.h>
#include <errno.h>
#include <passwdqc.h>

#define MEMORY_KIB 19456
#define PASSES 2
#define LANES 1
#define SALT_SIZE 16
#define HASH_SIZE 32

int password_hash(const char *password, char out[PASSWORD_HASH_SIZE])
{
	uint8_t salt[SALT_SIZE];
	int r = random_bytes(salt, sizeof(salt));

	if (r)
		return r;
	r = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password, strlen(password), salt, sizeof(salt), HASH_SIZE,
		out, PASSWORD_HASH_SIZE);
	return r == ARGON2_OK ? 0 : r == ARGON2_MEMORY_ALLOCATION_ERROR ? -ENOMEM : -EIO;
}

int password_check(const char *password, const char *hash)
{
	/* Of no password that anybody could send: 32 bytes of zeros are not what Argon2 gives. */
	static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
				     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	int r = argon2id_verify(hash ? hash : nobody, password, strlen(password));

	return r == ARGON2_OK && hash ? 0 : V_DENIED;
}

int password_groups(char *out, unsigned groups)
{
	/* Without those that look alike. */
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789"; /* 31 */
	unsigned n = 0, i = 0, size = 5 * groups - 1;
	uint8_t b[64];
	int r = random_bytes(b, sizeof(b));

	while (!r && n < size) {
		if (n % 5 == 4) {
			out[n++] = '-';
			continue;
		}
		if (i == sizeof(b)) {
			r = random_bytes(b, sizeof(b));
			i = 0;
			continue;
		}
		if (b[i] < 31 * 8)
			out[n++] = letters[b[i] % 31];
		i++;
	}
	out[n] = 0;
	secret_wipe(b, sizeof(b));
	return r;
}

int password_make(char out[32])
{
	return password_groups(out, 5);
}

/* --- what is good enough --- */

static bool is_repeated(const char *s, size_t n)
{
	size_t unit, i;

	for (unit = 1; unit <= n / 2; unit++) {
		for (i = unit; i < n && s[i] == s[i - unit]; i++)
			;
		if (i == n)
			return true;
	}
	return false;
}

/*
 * Rows of letters and keys, words with something behind them, too few different characters: as libpasswdqc sees it.
 * Which kinds of characters are there is nobody's business (ASVS 6.2.5): the same length is enough for all of them.
 */
static bool is_guessed(const char *password)
{
	passwdqc_params_t p;
	size_t i;

	passwdqc_params_reset(&p);
	for (i = 0; i < ARRAY_SIZE(p.qc.min); i++)
		p.qc.min[i] = PASSWORD_MIN;
	p.qc.max = PASSWORD_MAX + 1;
	return passwdqc_check(&p.qc, password, NULL, NULL) != NULL;
}

/* By the filter alone. True for whatever is asked where the filter cannot be read: the library has one answer for both.
 */
static bool is_filtered(const char *password, const char *filter)
{
	passwdqc_params_t p;

	passwdqc_params_reset(&p);
	memset(p.qc.min, 0, sizeof(p.qc.min));
	p.qc.max = PASSWORD_MAX + 1;
	p.qc.passphrase_words = 0;
	p.qc.match_length = 0;
	p.qc.filter = (char *)filter; /* only read */
	return passwdqc_check(&p.qc, password, NULL, NULL) != NULL;
}

int password_filter_check(const char *filter, struct why *why)
{
	char made[32];
	int r = filter[0] ? password_make(made) : 0;

	if (r)
		return r;
	/* Of 31^20 passwords the one that was just made is in no list; a filter is wrong once in a thousand million. */
	if (filter[0] && is_filtered(made, filter))
		return why_set(
			why, V_BAD, "password_filter: %s: cannot be read, or is no filter of pwqfilter(1)", filter);
	return 0;
}

enum password_verdict password_judge(const char *password, const char *account, const char *filter)
{
	struct why why = {""};
	size_t n = strlen(password), i, chars = 0;
	char low[PASSWORD_MAX + 1], name[ACCOUNT_NAME_SIZE];
	int r;

	for (i = 0; i < n; i++)
		chars += ((unsigned char)password[i] & 0xc0) != 0x80;
	if (!text_is_utf8(SPAN_STR(password)) || chars < PASSWORD_MIN || n > PASSWORD_MAX)
		return PASSWORD_SIZE;
	for (i = 0; i < n; i++)
		low[i] = (char)tolower((unsigned char)password[i]);
	low[n] = 0;
	for (i = 0; account[i] && i + 1 < sizeof(name); i++)
		name[i] = (char)tolower((unsigned char)account[i]);
	name[i] = 0;
	if (strlen(name) >= 4 && strstr(low, name))
		return PASSWORD_NAMED;
	if (password_is_known(low))
		return PASSWORD_KNOWN;
	if (is_repeated(low, n) || is_guessed(password))
		return PASSWORD_GUESSED;
	if (!filter[0] || !is_filtered(password, filter))
		return PASSWORD_GOOD;
	r = password_filter_check(filter, &why);
	if (!r)
		return PASSWORD_KNOWN;
	log_error("%s", r == V_BAD ? why.text : strerror(-r));
	return PASSWORD_UNJUDGED;
}
