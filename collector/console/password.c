/*
 * Passwords: Argon2id (RFC 9106) by libargon2, at the cost that OWASP gives as the least for servers (19 MiB, two
 * passes): 34 ms, so that the loop may wait for it. See account.h; who asks how often is attempt.c's.
 */
#include "collector/console/account.h"
#include "policy/base/text.h"
#include <argon2.h>
#include <ctype.h>
#include <errno.h>

#define MEMORY_KIB 19456
#define PASSES 2
#define LANES 1
#define SALT_SIZE 16
#define HASH_SIZE 32
#define DISTINCT_MIN 5

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

/* Of the passwords that are used most, those of twelve characters and more, and what people make of our own name. */
static const char *const used_most[] = {"123456789012", "1234567890123", "12345678901234", "123456789abc",
	"1q2w3e4r5t6y", "1q2w3e4r5t6y7u", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "abcdefghijkl", "abcd12345678",
	"adminadmin12", "administrator", "administrator1", "changeme1234", "changemeplease",
	"correcthorsebatterystaple", "iloveyou1234", "letmein12345", "letmeinplease", "password1234", "password12345",
	"password123456", "passwordpassword", "passw0rd1234", "p@ssw0rd1234", "qazwsxedcrfv", "qwerty123456",
	"qwertyuiop12", "qwertyuiop123", "qwertyuiopasdf", "qwertyuiopas", "sekisho12345", "sekishosekisho",
	"trustno1trustno1", "welcome12345", "zaq12wsxcde3", "zxcvbnm12345"};

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

/* "abcdefghijkl", "987654321098" */
static bool is_row(const char *s, size_t n)
{
	size_t up = 0, down = 0, i;

	for (i = 1; i < n; i++) {
		up += s[i] == s[i - 1] + 1;
		down += s[i] == s[i - 1] - 1;
	}
	return up >= n - 2 || down >= n - 2;
}

int password_fits(const char *password, const char *account, struct why *why)
{
	size_t n = strlen(password), i, distinct = 0, chars = 0;
	bool seen[256] = {false};
	char low[PASSWORD_MAX + 1], name[ACCOUNT_NAME_SIZE];

	if (!text_is_utf8(SPAN_STR(password)))
		return why_set(why, V_BAD, "not UTF-8");
	for (i = 0; i < n; i++)
		chars += ((unsigned char)password[i] & 0xc0) != 0x80;
	if (chars < PASSWORD_MIN || n > PASSWORD_MAX)
		return why_set(why, V_BAD, "has to have from %u to %u characters", PASSWORD_MIN, PASSWORD_MAX);
	for (i = 0; i < n; i++) {
		distinct += !seen[(unsigned char)password[i]];
		seen[(unsigned char)password[i]] = true;
		low[i] = (char)tolower((unsigned char)password[i]);
	}
	low[n] = 0;
	for (i = 0; account[i] && i + 1 < sizeof(name); i++)
		name[i] = (char)tolower((unsigned char)account[i]);
	name[i] = 0;
	if (strlen(name) >= 4 && strstr(low, name))
		return why_set(why, V_BAD, "holds the account's name");
	if (distinct < DISTINCT_MIN || is_repeated(low, n) || is_row(low, n))
		return why_set(why, V_BAD, "is one piece again and again, or a row of letters");
	for (i = 0; i < ARRAY_SIZE(used_most); i++)
		if (!strcmp(low, used_most[i]))
			return why_set(why, V_BAD, "is one of those that are tried first");
	return 0;
}
