/* Any bytes as a decompressed body: what is taken can be shown in every form. */
#include "policy/wire/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned fields[] = {F_KIND, F_TIME, F_USER, F_PROGRAM, F_PATH, F_FLAGS, 0};
	_cleanup_(body_reader_freep) struct body_reader *br = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT(1u << 20);
	static struct body_writer w;
	static struct record r;
	struct buf copy = {.p = (uint8_t *)(uintptr_t)data, .n = size, .max = size, .cap = size};
	struct why why;
	unsigned n = 0;

	if (body_reader_new(SPAN(data, size), &br))
		return 0;
	while (!body_next(br, &r, &why)) {
		n++;
		buf_clear(&text);
		record_json(&r, &text);
		record_json_web(&r, &text);
		record_line(&r, LANG_EN, &text);
		record_csv(&r, fields, LANG_JA, &text);
	}
	w.out = &copy;
	if (body_recover(SPAN(data, size), &w) == 0 && (copy.n > size || w.records != n))
		abort();
	return 0;
}
