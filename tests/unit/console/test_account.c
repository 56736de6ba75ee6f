/* Accounts: the file and back, damaged files, names, scopes; passwords: hashes, which are good enough. */
#include "collector/console/account.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

static char dir[64], path[96];
static struct why why;
/* RFC 8032, section 7.1, test 1. */
#define ED25519_KEY "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

static int begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/sekisho-account-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/accounts.json", dir);
	return 0;
}

static int end(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static void there_and_back(void **state)
{
	struct accounts a, b;
	struct account *x;
	struct passkey *k;
	struct bound_certificate *c;
	char ref[PASSKEY_REF_SIZE], shown[RECOVERY_CODES][RECOVERY_TEXT_SIZE];
	unsigned i;

	(void)state;
	assert_int_equal(accounts_load(path, &a, &why), 0);
	assert_int_equal(a.n, 0);
	assert_int_equal(account_add(&a, "花子", &x), 0);
	assert_int_equal(account_add(&a, "花子", &x), V_EXISTS);
	x = account_find(&a, "花子");
	x->roles = ROLE_VIEWER | ROLE_ADMINISTRATOR;
	strcpy(x->scope[x->scope_n++], "pc-1*");
	strcpy(x->password, "$argon2id$x");
	strcpy(x->known, "2001:db8::1");
	x->has_totp = true;
	memcpy(x->totp, "12345678901234567890", OTP_SECRET_SIZE);
	x->totp_used = 12345;
	memset(x->handle, 7, sizeof(x->handle));
	x->passkeys_n = 2;
	for (i = 0; i < 2; i++) {
		strcpy(x->passkeys[i].name, i ? "青いキー" : "pc");
		x->passkeys[i].alg = -8;
		x->passkeys[i].id_n = i ? PASSKEY_ID_MAX : 1;
		memset(x->passkeys[i].id, (int)i + 1, x->passkeys[i].id_n);
		x->passkeys[i].key_n = 32;
		assert_int_equal(hex_decode(ED25519_KEY, x->passkeys[i].key, 32), 0);
		x->passkeys[i].count = UINT32_MAX - i;
		memset(x->certificates[i].fingerprint.b, (int)i + 3, DIGEST_SIZE);
		strcpy(x->certificates[i].name, i ? "" : "山田 花子");
		x->certificates[i].not_after_us = 1800000000000000 + i;
		x->certificates[i].bound_us = 5;
	}
	x->certificates_n = 2;
	strcpy(x->oidc.issuer, "https://id.example");
	strcpy(x->oidc.subject, "hanako-1");
	x->oidc.used_us = 6;
	assert_int_equal(recovery_make(x->name, 7, &x->recovery, shown), 0);
	recovery_use(&x->recovery, 9);
	assert_int_equal(accounts_save(&a), 0);
	assert_int_equal(accounts_load(path, &b, &why), 0);
	assert_int_equal(b.n, 1);
	assert_memory_equal(&a.v[0], &b.v[0], sizeof(a.v[0]));
	x = account_of_passkey(&b, SPAN("\1", 1), &k);
	assert_true(x == &b.v[0] && k == &x->passkeys[0]);
	assert_null(account_of_passkey(&b, SPAN("\1\1", 2), &k));
	passkey_ref(&x->passkeys[1], ref);
	assert_ptr_equal(account_passkey(x, ref), &x->passkeys[1]);
	account_drop_passkey(x, &x->passkeys[0]);
	assert_ptr_equal(account_passkey(x, ref), &x->passkeys[0]);
	assert_null(account_passkey(x, "0011223344556677"));
	assert_ptr_equal(account_of_oidc(&b, "https://id.example", "hanako-1"), x);
	assert_null(account_of_oidc(&b, "https://other.example", "hanako-1"));
	assert_null(account_of_oidc(&b, "https://id.example", ""));
	assert_ptr_equal(account_of_certificate(&b, &x->certificates[1].fingerprint, &c), x);
	assert_ptr_equal(c, &x->certificates[1]);
	assert_int_equal(account_factors(x), 4);
	account_drop_certificate(x, &x->certificates[0]);
	assert_string_equal(x->certificates[0].name, "");
	account_drop_certificate(x, &x->certificates[0]);
	assert_null(account_of_certificate(&b, &x->certificates[1].fingerprint, &c));
	x->has_totp = false;
	assert_true(account_has_factor(x));
	account_drop_passkey(x, &x->passkeys[0]);
	assert_false(account_has_factor(x));
	accounts_deinit(&b);
	for (i = a.n; i < ACCOUNTS_MAX; i++) {
		char name[32];

		snprintf(name, sizeof(name), "user%u", i);
		assert_int_equal(account_add(&a, name, &x), 0);
	}
	assert_int_equal(account_add(&a, "one-more", &x), V_FULL);
	accounts_deinit(&a);
}

static void damaged(void **state)
{
	static const char *const files[] = {"", "{", "[]", "{\"accounts\": 1}", "{\"accounts\": [1]}",
		"{\"accounts\": [{}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [], \"scope\": null, \"password\": \"x\", \"known\": "
		"\"\"}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [\"god\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": \"\"}]}",
		"{\"accounts\": [{\"name\": \"a b\", \"roles\": [\"viewer\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": \"\"}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [\"viewer\"], \"scope\": [], \"password\": \"x\", "
		"\"known\": \"\"}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [\"viewer\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": \"\", "
		"\"totp\": \"short\"}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [\"viewer\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": "
		"\"\", \"passkeys\": [{\"name\": \"k\", \"id\": \"00\", \"alg\": -7, \"key\": \"00\", \"count\": "
		"0}]}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [\"viewer\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": "
		"\"\", \"handle\": \"00\"}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [\"viewer\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": \"\", \"certificates\": [{\"name\": \"k\", \"fingerprint\": \"00\"}]}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [\"viewer\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": \"\", \"oidc\": {\"issuer\": \"https://id.example\"}}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [\"viewer\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": \"\", \"recovery\": {\"made\": 1, \"codes\": [\"00\"]}}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [\"viewer\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": \"\", \"recovery\": {\"codes\": []}}]}",
		"{\"accounts\": [{\"name\": \"a\", \"roles\": [\"viewer\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": \"\", \"oidc\": {\"issuer\": \"https://id.example\", \"subject\": \"1\"}}, "
		"{\"name\": \"b\", \"roles\": [\"viewer\"], \"scope\": null, \"password\": \"x\", "
		"\"known\": \"\", \"oidc\": {\"issuer\": \"https://id.example\", \"subject\": \"1\"}}]}"};
	struct accounts a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(file_replace(path, SPAN_STR(files[i]), 0600), 0);
		assert_int_equal(accounts_load(path, &a, &why), V_BAD);
		assert_non_null(strstr(why.text, path));
	}
}

static void names_and_scopes(void **state)
{
	static const char *const bad[] = {"", "a b", "a/b", "a\nb", "a<b", "\xff", "a'b", "a\"b", "a%b", "a?b"};
	struct account all = {.scope_n = 0}, some = {.scope_n = 2, .scope = {"pc-1*", "会計-?"}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(account_name_fits(bad[i]));
	assert_true(account_name_fits("Hanako.Yamada-1_x@example.jp"));
	assert_true(account_name_fits("花子"));
	assert_true(account_sees(&all, "anything") && account_sees(&all, ""));
	assert_true(account_sees(&some, "pc-1") && account_sees(&some, "pc-17") && account_sees(&some, "会計-三"));
	assert_false(account_sees(&some, "pc-2") || account_sees(&some, "") || account_sees(&some, "xpc-1"));
}

/* A filter as pwqfilter(1) makes it, of two passwords that nothing else refuses. */
static void filter_make(char file[96], const char *first, const char *second)
{
	char command[256];

	snprintf(file, 96, "%s/filter", dir);
	snprintf(command, sizeof(command), "printf '%%s\\n' '%s' '%s' | pwqfilter --create=8 -o %s 2>/dev/null", first,
		second, file);
	assert_int_equal(
		system(command), 0); /* NOLINT(cert-env33-c): the file has to be of the program that people use */
}

static void passwords(void **state)
{
	static const struct {
		const char *password;
		enum password_verdict verdict;
	} some[] = {
		{"", PASSWORD_SIZE}, {"elevenchars", PASSWORD_SIZE}, {"ひらがな十一文字である", PASSWORD_SIZE},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", PASSWORD_SIZE}, {"aaaaaaaaaaaa", PASSWORD_GUESSED},
		{"abababababab", PASSWORD_GUESSED}, {"zyxwvutsrqpon", PASSWORD_GUESSED},
		{"東京都東京都東京都東京都", PASSWORD_GUESSED}, {"Password2026!", PASSWORD_GUESSED},
		{"1qaz2wsx3edc4rfv5", PASSWORD_GUESSED}, {"123456789012", PASSWORD_KNOWN},
		{"PasswordPassword", PASSWORD_KNOWN}, {"Administrator", PASSWORD_KNOWN},
		{"01telemike01", PASSWORD_KNOWN}, /* the first and the last of the table that nothing else refuses */
		{"nemvxyheqdd5oqxyxyzi", PASSWORD_KNOWN}, {"hanako loves tea", PASSWORD_NAMED},
		{"correct horse battery", PASSWORD_GOOD}, {"古池や蛙飛びこむ水の音ときく", PASSWORD_GOOD},
		{"x9$kQ!v2mZ0p", PASSWORD_GOOD}, {"kzqhvbtwmxrl", PASSWORD_GOOD}, /* of one kind of characters */
	};
	char hash[PASSWORD_HASH_SIZE], other[PASSWORD_HASH_SIZE], made[32], long_one[PASSWORD_MAX + 2], filter[96];
	FILE *f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		if (password_judge(some[i].password, "Hanako", "") != some[i].verdict)
			fail_msg("%s: %d", some[i].password, password_judge(some[i].password, "Hanako", ""));
	for (i = 0; i < sizeof(long_one) - 1; i++)
		long_one[i] = (char)('a' + (char)(i * i * i / 5 % 26));
	long_one[sizeof(long_one) - 1] = 0;
	assert_int_equal(password_judge(long_one, "hanako", ""), PASSWORD_SIZE);
	long_one[PASSWORD_MAX] = 0;
	assert_int_equal(password_judge(long_one, "hanako", ""), PASSWORD_GOOD);

	filter_make(filter, "correct horse battery", "古池や蛙飛びこむ水の音ときく");
	assert_int_equal(password_filter_check(filter, &why), 0);
	assert_int_equal(password_judge("correct horse battery", "Hanako", filter), PASSWORD_KNOWN);
	assert_int_equal(password_judge("古池や蛙飛びこむ水の音ときく", "Hanako", filter), PASSWORD_KNOWN);
	assert_int_equal(password_judge("x9$kQ!v2mZ0p", "Hanako", filter), PASSWORD_GOOD);
	assert_int_equal(password_judge("Password2026!", "Hanako", filter), PASSWORD_GUESSED);
	/* Neither without its end, nor another file, nor none. */
	assert_int_equal(truncate(filter, 40), 0);
	assert_int_equal(password_filter_check(filter, &why), V_BAD);
	f = fopen(filter, "w");
	assert_non_null(f);
	fputs("correct horse battery\n", f);
	fclose(f);
	assert_int_equal(password_filter_check(filter, &why), V_BAD);
	assert_non_null(strstr(why.text, filter));
	unlink(filter);
	assert_int_equal(password_judge("x9$kQ!v2mZ0p", "Hanako", filter), PASSWORD_UNJUDGED);
	assert_int_equal(password_judge("Password2026!", "Hanako", filter), PASSWORD_GUESSED);

	assert_true(password_is_known("010203040506"));
	assert_false(password_is_known("") || password_is_known("~"));
	assert_int_equal(password_make(made), 0);
	assert_int_equal(strlen(made), 24);
	assert_int_equal(password_hash(made, hash), 0);
	assert_int_equal(password_hash(made, other), 0);
	assert_string_not_equal(hash, other);
	assert_int_equal(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	assert_int_equal(password_check(made, hash), 0);
	assert_int_equal(password_check("correct horse battery", hash), V_DENIED);
	assert_int_equal(password_check(made, NULL), V_DENIED);
	assert_int_equal(password_check(made, "no hash"), V_DENIED);
}

static void recovery_codes(void **state)
{
	static const char *const bad[] = {"", "-", "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa", "aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-a"};
	char shown[RECOVERY_CODES][RECOVERY_TEXT_SIZE], other[RECOVERY_CODES][RECOVERY_TEXT_SIZE], typed[80];
	struct recovery r = {.n = 0}, again;
	unsigned i, k;

	(void)state;
	assert_int_equal(recovery_find(&r, "hanako", bad[2]), RECOVERY_CODES);
	assert_int_equal(recovery_make("hanako", 5, &r, shown), 0);
	assert_int_equal(recovery_make("hanako", 6, &again, other), 0);
	assert_int_equal(r.n, RECOVERY_CODES);
	for (i = 0; i < RECOVERY_CODES; i++) {
		assert_int_equal(strlen(shown[i]), RECOVERY_TEXT_SIZE - 1);
		for (k = 0; k < i; k++)
			assert_string_not_equal(shown[i], shown[k]);
		assert_int_equal(recovery_find(&r, "hanako", shown[i]), i);
		assert_int_equal(recovery_find(&r, "tanaka", shown[i]), RECOVERY_CODES);
		assert_int_equal(recovery_find(&again, "hanako", shown[i]), RECOVERY_CODES);
		for (k = 0; shown[i][k]; k++)
			typed[k] = (char)(shown[i][k] == '-'   ? ' '
					  : shown[i][k] >= 'a' ? shown[i][k] - 'a' + 'A'
							       : shown[i][k]);
		typed[k] = 0;
		assert_int_equal(recovery_find(&r, "hanako", typed), i);
		typed[k - 1] = 0;
		assert_int_equal(recovery_find(&r, "hanako", typed), RECOVERY_CODES);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(recovery_find(&r, "hanako", bad[i]), RECOVERY_CODES);
	recovery_use(&r, 3);
	assert_int_equal(recovery_find(&r, "hanako", shown[3]), RECOVERY_CODES);
	assert_int_equal(recovery_find(&r, "hanako", shown[4]), 3);
	recovery_use(&r, 8);
	assert_int_equal(recovery_find(&r, "hanako", shown[9]), RECOVERY_CODES);
	assert_int_equal(r.n, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, begin, end),
		cmocka_unit_test_setup_teardown(damaged, begin, end),
		cmocka_unit_test(names_and_scopes),
		cmocka_unit_test_setup_teardown(passwords, begin, end),
		cmocka_unit_test(recovery_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
