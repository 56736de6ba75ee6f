/*
 * Keys that a keeper holds: requests and answers, the file that names one, and what such a key says where no keeper is.
 * With a TPM: tests/flow/59-keys-tpm; with a token: 59-keys-pkcs11.
 */
#include "policy/base/file.h"
#include "policy/trust/agree.h"
#include "policy/trust/keeper.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char file[] = "-----BEGIN PUBLIC KEY-----\n"
			   "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE47YPPZOQp+80TgXpNQk948xAX4b5\n"
			   "kwgKL1BJhj+ZGXzZ59YpmVWOLJaGWynfW7jdsGX2HuwqZFnVbgN2eky6Rg==\n"
			   "-----END PUBLIC KEY-----\n"
			   "-----BEGIN TSS2 PRIVATE KEY-----\nAAAA\n-----END TSS2 PRIVATE KEY-----\n";

static void request_sizes(void **state)
{
	static const uint8_t bytes[KEEPER_POINT_SIZE];
	static const struct {
		enum keeper_what what;
		size_t file, input;
		int r;
	} cases[] = {{KEEPER_MAKE, 0, 0, 0}, {KEEPER_MAKE, 1, 0, V_BAD}, {KEEPER_MAKE, 0, 1, V_BAD},
		{KEEPER_SIGN, 1, 32, 0}, {KEEPER_SIGN, 1, 31, V_BAD}, {KEEPER_SIGN, 0, 32, V_BAD},
		{KEEPER_AGREE, 1, 65, 0}, {KEEPER_AGREE, 1, 32, V_BAD}, {4, 1, 32, V_BAD}};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(KEEPER_MESSAGE_MAX);
		struct keeper_request q = {
			.what = cases[i].what, .file = SPAN(file, cases[i].file), .input = SPAN(bytes, cases[i].input)};
		struct why why = {""};

		assert_int_equal(keeper_request_write(&q, &b), 0);
		assert_int_equal(keeper_request_read(buf_span(&b), &q, &why), cases[i].r);
		assert_int_equal(buf_put(&b, "", 1), 0);
		assert_int_equal(keeper_request_read(buf_span(&b), &q, &why), V_BAD);
	}
}

static void answers(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(KEEPER_MESSAGE_MAX), made = BUF_INIT(64);
	struct why why = {""};

	(void)state;
	assert_int_equal(keeper_answer_write(0, SPAN_STR("abc"), "", &b), 0);
	assert_int_equal(keeper_answer_read(buf_span(&b), &made, &why), 0);
	assert_true(span_eq(buf_span(&made), SPAN_STR("abc")));
	buf_clear(&b);
	assert_int_equal(keeper_answer_write(V_DENIED, SPAN("", 0), "no", &b), 0);
	assert_int_equal(keeper_answer_read(buf_span(&b), &made, &why), V_DENIED);
	assert_string_equal(why.text, "no");
	buf_clear(&b);
	assert_int_equal(keeper_answer_write(V_END, SPAN("", 0), "", &b), 0);
	assert_int_equal(keeper_answer_read(buf_span(&b), &made, &why), V_BAD);
}

/* The file of a token's key: what openssl reads of it is the public half; what is cut or is a TPM's is none. */
static void a_token_s_file(void **state)
{
	/* The point of the key above. */
	static const uint8_t point[KEEPER_POINT_SIZE] = {0x04, 0xe3, 0xb6, 0x0f, 0x3d, 0x93, 0x90, 0xa7, 0xef, 0x34,
		0x4e, 0x05, 0xe9, 0x35, 0x09, 0x3d, 0xe3, 0xcc, 0x40, 0x5f, 0x86, 0xf9, 0x93, 0x08, 0x0a, 0x2f, 0x50,
		0x49, 0x86, 0x3f, 0x99, 0x19, 0x7c, 0xd9, 0xe7, 0xd6, 0x29, 0x99, 0x55, 0x8e, 0x2c, 0x96, 0x86, 0x5b,
		0x29, 0xdf, 0x5b, 0xb8, 0xdd, 0xb0, 0x65, 0xf6, 0x1e, 0xec, 0x2a, 0x64, 0x59, 0xd5, 0x6e, 0x03, 0x76,
		0x7a, 0x4c, 0xba, 0x46};
	static const uint8_t id[KEEPER_ID_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	uint8_t got[KEEPER_POINT_SIZE], got_id[KEEPER_ID_SIZE], off[KEEPER_POINT_SIZE];
	_cleanup_buf_ struct buf b = BUF_INIT(KEEPER_FILE_MAX), none = BUF_INIT(KEEPER_FILE_MAX);
	_cleanup_(key_freep) struct key *k = NULL;
	size_t n;

	(void)state;
	assert_int_equal(keeper_token_write(point, id, &b), 0);
	assert_memory_equal(b.p, file, strlen("-----BEGIN PUBLIC KEY-----\n") + 64);
	assert_int_equal(keeper_token_read(buf_span(&b), got, got_id), 0);
	assert_memory_equal(got, point, sizeof(point));
	assert_memory_equal(got_id, id, sizeof(id));
	assert_int_equal(key_read_held(buf_span(&b), &k), 0);
	assert_int_equal(key_place(k), KEY_IN_TOKEN);
	for (n = 0; n + 2 < b.n; n++)
		assert_int_equal(keeper_token_read(SPAN(b.p, n), got, got_id), V_BAD);
	assert_int_equal(keeper_token_read(SPAN_STR(file), got, got_id), V_BAD);
	memcpy(off, point, sizeof(off));
	off[64] ^= 1; /* not on the curve */
	assert_int_equal(keeper_token_write(off, id, &none), V_BAD);
	assert_int_equal(none.n, 0);
}

static void serve_short(const char *socket_path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	_cleanup_buf_ struct buf b = BUF_INIT(KEEPER_MESSAGE_MAX);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), one;
	char drop[4096];

	memcpy(at.sun_path, socket_path, strlen(socket_path) + 1);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 1))
		_exit(1);
	one = accept(fd, NULL, NULL);
	while (read(one, drop, sizeof(drop)) > 0)
		;
	/* A signature that is too short must never be one. */
	if (keeper_answer_write(0, SPAN(drop, SIGNATURE_SIZE - 1), "", &b) || write_all(one, b.p, b.n))
		_exit(1);
	_exit(0);
}

static void without_a_keeper(void **state)
{
	char root[] = "/tmp/sekisho-keeper-XXXXXX", path[64];
	_cleanup_(key_freep) struct key *k = NULL, *other = NULL;
	uint8_t sig[SIGNATURE_SIZE], secret[SECRET_SIZE];
	struct why why = {""};
	int tries = 0;
	pid_t child;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(setenv("SEKISHO_ROOT", root, 1), 0);
	snprintf(path, sizeof(path), "%s/key", root);
	assert_int_equal(file_replace(path, SPAN_STR(file), 0600), 0);
	assert_int_equal(key_load(path, &k, &why), 0);
	assert_int_equal(key_place(k), KEY_IN_TPM);
	assert_true(key_is_private(k));
	assert_int_equal(key_save(k, "/nonexistent", 0600), -EINVAL);
	assert_int_equal(key_sign(k, SPAN_STR("x"), sig), V_AGAIN);
	assert_int_equal(key_new(KEY_P256, &other), 0);
	assert_int_equal(key_agree(k, other, "x", secret), V_AGAIN);
	assert_int_equal(key_make_held(path, 0600, &other, &why), V_EXISTS);

	snprintf(path, sizeof(path), "%s/run", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/run/sekisho", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s" KEEPER_SOCKET, root);
	child = fork();
	if (!child)
		serve_short(path);
	while (access(path, F_OK) && tries++ < 500)
		usleep(10000);
	usleep(20000); /* between bind and listen it says V_AGAIN, too: what is judged is that it never says 0 */
	assert_int_equal(key_sign(k, SPAN_STR("x"), sig), V_AGAIN);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	unlink(path);
	snprintf(path, sizeof(path), "%s/run/sekisho", root);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/run", root);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/key", root);
	unlink(path);
	rmdir(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(request_sizes), cmocka_unit_test(answers),
		cmocka_unit_test(a_token_s_file), cmocka_unit_test(without_a_keeper)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
