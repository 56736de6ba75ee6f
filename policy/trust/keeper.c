/*
 * Requests to the keeper and its answers, and the asking. Called by keys that a keeper holds (key_held.c), by who makes
 * such keys, and by the keeper itself, to which every request is what anybody may send.
 */
#include "policy/trust/keeper.h"
#include "policy/base/cbor.h"
#include "policy/base/file.h"
#include "policy/trust/agree.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

static size_t input_size(enum keeper_what what)
{
	return what == KEEPER_SIGN ? DIGEST_SIZE : what == KEEPER_AGREE ? KEEPER_POINT_SIZE : 0;
}

static size_t output_max(enum keeper_what what)
{
	return what == KEEPER_SIGN ? SIGNATURE_SIZE : what == KEEPER_AGREE ? SECRET_SIZE : KEEPER_FILE_MAX;
}

int keeper_request_write(const struct keeper_request *q, struct buf *out)
{
	int r = cbor_put_array(out, 4);

	r = r ? r : cbor_put_uint(out, KEEPER_VERSION);
	r = r ? r : cbor_put_uint(out, q->what);
	r = r ? r : cbor_put_bytes(out, q->file);
	return r ? r : cbor_put_bytes(out, q->input);
}

static int expect_array(struct cbor_reader *in, const char *what, uint64_t n, struct why *why)
{
	struct cbor_item item;
	int r = cbor_expect(in, CBOR_ARRAY, what, &item, why);

	return r || item.u == n ? r : why_set(why, V_BAD, "%s: not of %u items", what, (unsigned)n);
}

int keeper_request_read(struct span bytes, struct keeper_request *out, struct why *why)
{
	struct cbor_reader in = cbor_reader(bytes);
	struct cbor_item file, input;
	uint64_t version, what;
	int r = expect_array(&in, "request", 4, why);

	r = r ? r : cbor_expect_uint(&in, "version", &version, why);
	if (!r && version != KEEPER_VERSION)
		r = why_set(why, V_BAD, "request: not of version %d", KEEPER_VERSION);
	r = r ? r : cbor_expect_uint(&in, "what", &what, why);
	if (!r && (what < KEEPER_MAKE || what > KEEPER_AGREE))
		r = why_set(why, V_BAD, "request: nothing that a keeper does");
	r = r ? r : cbor_expect(&in, CBOR_BYTES, "key", &file, why);
	r = r ? r : cbor_expect(&in, CBOR_BYTES, "input", &input, why);
	if (r)
		return r;
	if (!cbor_at_end(&in) || input.s.n != input_size(what) || file.s.n > KEEPER_FILE_MAX ||
		(what == KEEPER_MAKE) != !file.s.n)
		return why_set(why, V_BAD, "request: not of the size of its kind");
	*out = (struct keeper_request){.what = (enum keeper_what)what, .file = file.s, .input = input.s};
	return 0;
}

int keeper_answer_write(int verdict, struct span bytes, const char *words, struct buf *out)
{
	int r = cbor_put_array(out, 3);

	r = r ? r : cbor_put_uint(out, (uint64_t)verdict);
	r = r ? r : cbor_put_bytes(out, bytes);
	return r ? r : cbor_put_text(out, SPAN_STR(words));
}

int keeper_answer_read(struct span bytes, struct buf *out, struct why *why)
{
	struct cbor_reader in = cbor_reader(bytes);
	struct cbor_item made, words;
	uint64_t verdict;
	int r = expect_array(&in, "answer", 3, why);

	r = r ? r : cbor_expect_uint(&in, "verdict", &verdict, why);
	r = r ? r : cbor_expect(&in, CBOR_BYTES, "bytes", &made, why);
	r = r ? r : cbor_expect(&in, CBOR_TEXT, "words", &words, why);
	if (!r && (!cbor_at_end(&in) || (verdict && verdict != V_AGAIN && verdict != V_DENIED && verdict != V_BAD)))
		r = why_set(why, V_BAD, "answer: not one of a keeper's");
	if (r)
		return r;
	if (verdict)
		return why_set(why, (int)verdict, "%.*s", (int)words.s.n, (const char *)words.s.p);
	return buf_put_span(out, made.s);
}

/* --- asking --- */

static int call(int *out, struct why *why)
{
	const struct timeval wait = {.tv_sec = KEEPER_WAIT_S};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const char *root = getenv("SEKISHO_ROOT");
	_cleanup_close_ int fd = -1;
	int n = snprintf(at.sun_path, sizeof(at.sun_path), "%s" KEEPER_SOCKET, root ? root : "");

	if (n < 0 || (size_t)n >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		return -errno;
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return why_set(why, V_AGAIN,
			"the keeper of keys does not answer at %s (%s): is sekisho-keeper.socket started?", at.sun_path,
			strerror(errno));
	*out = steal_fd(&fd);
	return 0;
}

static int exchange(int fd, struct span question, struct buf *answer, struct why *why)
{
	ssize_t n;

	if (send(fd, question.p, question.n, MSG_NOSIGNAL) != (ssize_t)question.n || shutdown(fd, SHUT_WR))
		return why_set(why, V_AGAIN, "the keeper of keys does not listen: %s", strerror(errno));
	do {
		int r = buf_reserve(answer, 1024);

		if (r)
			return r > 0 ? why_set(why, V_BAD, "the keeper of keys says too much") : r;
		n = recv(fd, answer->p + answer->n, answer->cap - answer->n, 0);
		if (n < 0 && errno != EINTR)
			return why_set(why, V_AGAIN, "no answer of the keeper of keys within %d s: %s", KEEPER_WAIT_S,
				strerror(errno));
		answer->n += n > 0 ? (size_t)n : 0;
	} while (n);
	return answer->n ? 0 : why_set(why, V_AGAIN, "the keeper of keys ended without an answer: see its log");
}

int keeper_ask(const struct keeper_request *q, struct buf *out, struct why *why)
{
	_cleanup_buf_ struct buf question = BUF_INIT(KEEPER_MESSAGE_MAX), answer = BUF_INIT(KEEPER_MESSAGE_MAX),
				 made = BUF_INIT(KEEPER_MESSAGE_MAX);
	_cleanup_close_ int fd = -1;
	int r = keeper_request_write(q, &question);

	if (r)
		return r;
	r = call(&fd, why);
	r = r ? r : exchange(fd, buf_span(&question), &answer, why);
	r = r ? r : keeper_answer_read(buf_span(&answer), &made, why);
	if (!r && (made.n > output_max(q->what) || (q->what != KEEPER_MAKE && made.n != output_max(q->what))))
		r = why_set(why, V_BAD, "the keeper of keys answers something else than was asked");
	return r ? r : buf_put_span(out, buf_span(&made));
}
