/*
 * sekisho-keeper: does one thing with one key of this PC that a TPM or a PKCS#11 token holds, and ends. Started by
 * systemd for each connection to keeper.sock, which is its standard input; who asks is known from there. Must never
 * sign with the device key for the program that meets the network, nor take from a request what only agent.conf may
 * say: which TPM, which token and which module.
 */
#include "agent/keeper/token.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/trust/keeper.h"
#include "policy/trust/key.h"
#include "policy/trust/tpm.h"
#include "policy/wire/program.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICE_PUB "/var/lib/sekisho/device/device.pub"
#define TPMS "/sys/class/tpmrm"
#define TPM_SIZE 32

/* Who may ask, and whether for the device key: root, and who seals as a user of its own. 0; V_DENIED. */
static int judge_peer(bool *for_device, struct why *why)
{
	static const char *const seal[] = {"sekisho-recorder", "sekisho-posture"};
	struct ucred peer;
	socklen_t n = sizeof(peer);
	struct passwd *pw;
	size_t i;

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &n))
		return -errno;
	pw = getpwuid(peer.uid);
	*for_device = !peer.uid;
	for (i = 0; pw && i < ARRAY_SIZE(seal); i++)
		*for_device |= !strcmp(pw->pw_name, seal[i]);
	if (*for_device || (pw && !strcmp(pw->pw_name, "sekisho-uplink")))
		return 0;
	return why_set(why, V_DENIED, "user %u may not use this PC's keys", (unsigned)peer.uid);
}

static int take_request(struct buf *in, struct keeper_request *q, struct why *why)
{
	for (;;) {
		int r = buf_reserve(in, 1024);
		ssize_t n;

		if (r)
			return r > 0 ? why_set(why, V_BAD, "request: too long") : r;
		n = read(STDIN_FILENO, in->p + in->n, in->cap - in->n);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			return keeper_request_read(buf_span(in), q, why);
		in->n += n > 0 ? (size_t)n : 0;
	}
}

/* Is it the key that says who this PC is? Where nobody knows, it is taken for that. */
static bool is_device(struct span file)
{
	_cleanup_buf_ struct buf device = BUF_INIT(1024), asked = BUF_INIT(1024);
	_cleanup_(key_freep) struct key *k = NULL;
	char path[PATH_MAX];
	int r;

	if (agent_path(path, sizeof(path), DEVICE_PUB) || key_read_held(file, &k) || key_public_der(k, &asked))
		return true;
	r = file_read(path, &device);
	return r ? r != V_NOT_FOUND : span_eq(buf_span(&device), buf_span(&asked));
}

/*
 * The TPM that is there, as tpm_open() has it: of several the first, of none the name that one would have. It keeps its
 * number until its driver gives it up; one that is taken again while somebody still has it open is the next.
 */
static void find_tpm(char out[TPM_SIZE])
{
	_cleanup_closedir_ DIR *d = NULL;
	const struct dirent *e;
	unsigned n, least = UINT_MAX;
	char path[PATH_MAX], more;

	if (!agent_path(path, sizeof(path), TPMS))
		d = opendir(path);
	while (d && (e = readdir(d)))
		if (sscanf(e->d_name, "tpmrm%u%c", &n, &more) == 1 && n < least)
			least = n;
	snprintf(out, TPM_SIZE, "device:/dev/tpmrm%u", least == UINT_MAX ? 0 : least);
}

/* 0; V_AGAIN, as a mistake in there says nothing of a key; -errno. */
static int settings(const char *config, struct agent_conf *conf, struct why *why)
{
	char path[PATH_MAX];
	int r = agent_path(path, sizeof(path), AGENT_CONF_PATH) ? -ENAMETOOLONG
								: agent_conf_load(config ? config : path, conf, why);

	return r > 0 ? V_AGAIN : r;
}

static int serve(const char *config, struct buf *out, struct why *why)
{
	_cleanup_buf_ struct buf in = BUF_INIT(KEEPER_MESSAGE_MAX);
	struct keeper_request q = {.what = KEEPER_MAKE};
	uint8_t point[KEEPER_POINT_SIZE], id[KEEPER_ID_SIZE];
	struct agent_conf conf;
	char tpm[TPM_SIZE];
	bool for_device = false;
	/* Read in any case: an end of the connection with something unread would take the answer away. */
	int r = take_request(&in, &q, why);

	r = r ? r : judge_peer(&for_device, why);
	if (!r && q.what != KEEPER_MAKE && !for_device && is_device(q.file))
		r = why_set(why, V_DENIED, "the network's side may not use the device key");
	r = r ? r : settings(config, &conf, why);
	if (!r && q.what == KEEPER_MAKE && !agent_conf_held(&conf))
		r = why_set(why, V_DENIED, "agent.conf has keys = %s: new keys are made in files", conf.keys);
	if (r)
		return r;
	if (q.what == KEEPER_MAKE ? !strcmp(conf.keys, "pkcs11") : !keeper_token_read(q.file, point, id)) {
		r = token_open(conf.pkcs11_uri, why);
		return r ? r : q.what == KEEPER_MAKE ? token_make(out, why) : token_use(&q, out, why);
	}
	find_tpm(tpm);
	r = tpm_open(tpm, why);
	return r ? r : q.what == KEEPER_MAKE ? tpm_make(out, why) : tpm_use(&q, out, why);
}

static int answer(int verdict, struct span bytes, const char *words)
{
	_cleanup_buf_ struct buf out = BUF_INIT(KEEPER_MESSAGE_MAX);
	int r = keeper_answer_write(verdict, verdict ? SPAN("", 0) : bytes, words, &out);

	return r ? r : write_all(STDIN_FILENO, out.p, out.n);
}

int main(int argc, char **argv)
{
	static const struct program program = {.name = "sekisho-keeper",
		.usage = "usage: sekisho-keeper [--config FILE]\n"
			 "       sekisho-keeper --help | --version\n"
			 "Uses this PC's keys in its TPM or PKCS#11 token. Started by sekisho-keeper.socket. See "
			 "sekisho-keeper(8).\n"};
	_cleanup_buf_ struct buf made = BUF_INIT(KEEPER_FILE_MAX);
	struct why why = {""};
	const char *config;
	int code, r;

	if (!program_line(&program, argc, argv, &config, &code))
		return code;
	if (optind != argc)
		return program_usage(&program);
	signal(SIGPIPE, SIG_IGN);
	alarm(2 * KEEPER_WAIT_S);
	umask(0077);
	r = serve(config, &made, &why);
	if (r < 0) {
		why_set(&why, r, "the keeper of keys failed: %s", strerror(-r));
		r = V_AGAIN;
	}
	if (r) {
		log_warning("%s", why.text);
		r = r == V_AGAIN || r == V_DENIED ? r : V_BAD;
	}
	r = answer(r, buf_span(&made), why.text);
	if (made.p)
		secret_wipe(made.p, made.cap);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
