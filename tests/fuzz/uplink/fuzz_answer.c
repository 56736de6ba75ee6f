/* Any bytes as an answer of the collector: every parser ends, stays inside its bounds, and ends its strings. */
#include "agent/uplink/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *s, size_t size)
{
	if (strnlen(s, size) == size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct answer a;
	static struct enrol_answer e;
	static struct error_answer err;
	static struct log_state s;
	struct span in = SPAN(data, size);
	_cleanup_buf_ struct buf policy = BUF_INIT(API_POLICY_HANDED_MAX + 3);
	struct wait_answer w;
	char pem[4096];
	unsigned n, i;

	for (n = 1; n <= 4; n++) {
		if (answer_segments(in, n, &a, NULL))
			continue;
		if (a.n != n || a.log.consistency.n > MERKLE_PROOF_MAX)
			abort();
		for (i = 0; i < n; i++) {
			if (a.results[i].proof.n > MERKLE_PROOF_MAX)
				abort();
			check(a.results[i].reason, sizeof(a.results[i].reason));
		}
	}
	if (!answer_consistency(in, &s, NULL))
		check(s.checkpoint, sizeof(s.checkpoint));
	if (!answer_wait(in, &w, &policy, NULL) && w.follow_s > ANSWER_FOLLOW_MAX_S)
		abort();
	if (!answer_enrol(in, &e, NULL))
		check(e.ca, sizeof(e.ca));
	if (!answer_renew(in, pem, sizeof(pem), NULL))
		check(pem, sizeof(pem));
	answer_error(in, &err);
	check(err.error, sizeof(err.error));
	check(err.reason, sizeof(err.reason));
	check(err.checkpoint, sizeof(err.checkpoint));
	return 0;
}
