/* Any bytes as a segment, as a leaf, as an epoch certificate, and as a body: verdicts, never a crash, nothing out of
 * bounds. */
#include "policy/wire/body.h"
#include "policy/wire/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(BODY_RAW_MAX), json = BUF_INIT(1u << 20);
	static const unsigned fields[] = {F_KIND, F_TIME, F_USER, F_PROGRAM, F_PATH, F_FLAGS, 0};
	static struct record r;
	struct cose_sign1 cose;
	struct segment s;
	struct epoch e;
	struct why why;

	if (!cose_parse(SPAN(data, size), &cose, &why) && cose.size > size)
		abort();
	if (!header_parse(SPAN(data, size), &s, &why) && !s.header_bytes.n)
		abort();
	memset(&e, 0, sizeof(e));
	if (!segment_parse(SPAN(data, size), &s, &why)) {
		_cleanup_(body_reader_freep) struct body_reader *br = NULL;

		if (s.bytes.n > size)
			abort();
		segment_verify(&s, &e, &why);
		/* As if it had been verified: what a hostile PC with a good key could send. */
		if (!segment_raw(&s, &raw, &why) && !body_reader_new(buf_span(&raw), &br))
			while (!body_next(br, &r, &why)) {
				buf_clear(&json);
				record_json(&r, &json);
				record_line(&r, LANG_JA, &json);
				record_csv(&r, fields, LANG_EN, &json);
			}
	}
	return 0;
}
