/* Any bytes as a request to the keeper, as its answer, and as the file of a key that it holds. What is read is written
 * again alike. */
#include "policy/trust/keeper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT(2 * KEEPER_MESSAGE_MAX), made = BUF_INIT(KEEPER_MESSAGE_MAX);
	struct keeper_request q, p;
	uint8_t point[KEEPER_POINT_SIZE], id[KEEPER_ID_SIZE], point2[KEEPER_POINT_SIZE], id2[KEEPER_ID_SIZE];
	struct key *k = NULL;
	struct why why = {""};

	if (!keeper_request_read(SPAN(data, size), &q, &why) &&
		(keeper_request_write(&q, &again) || keeper_request_read(buf_span(&again), &p, &why) ||
			p.what != q.what || !span_eq(p.file, q.file) || !span_eq(p.input, q.input)))
		abort();
	if (keeper_answer_read(SPAN(data, size), &made, &why) > V_AGAIN)
		abort();
	if (!key_read_held(SPAN(data, size), &k) && key_type(k) != KEY_P256)
		abort();
	key_free(k);
	buf_clear(&again);
	if (!keeper_token_read(SPAN(data, size), point, id) &&
		(keeper_token_write(point, id, &again) || keeper_token_read(buf_span(&again), point2, id2) ||
			memcmp(point, point2, sizeof(point)) != 0 || memcmp(id, id2, sizeof(id)) != 0))
		abort();
	return 0;
}
