/*
 * An evidence bundle comes from whoever hands it over: its container, what it claims of itself, and its list of
 * records. A claim that is read can be written, and is read again as the same.
 */
#include "policy/exhibit/exhibit.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_claim(struct span in)
{
	const uint64_t gone = in.n & 1;
	struct exhibit_claim *c = NULL, *again = NULL;
	struct buf text = BUF_INIT(EXHIBIT_CLAIM_SIZE), twice = BUF_INIT(EXHIBIT_CLAIM_SIZE),
		   page = BUF_INIT(EXHIBIT_PAGE_SIZE);
	struct why why = {""};

	if (exhibit_claim_read(in, &c, &why)) {
		if (!why.text[0])
			abort();
		return;
	}
	if (exhibit_claim_write(c, &text) || exhibit_claim_read(buf_span(&text), &again, &why) ||
		exhibit_claim_write(again, &twice) || !span_eq(buf_span(&text), buf_span(&twice)))
		abort();
	if (c->chains_n && exhibit_chain_of(c, &c->chains[0].host, c->chains[0].producer) != &c->chains[0])
		abort();
	if (!exhibit_page(c, gone, SPAN("", 0), &page) && memmem(page.p, page.n, "<script", 7))
		abort();
	buf_deinit(&page);
	buf_deinit(&text);
	buf_deinit(&twice);
	exhibit_claim_free(c);
	exhibit_claim_free(again);
}

static void read_lines(struct span in)
{
	uint64_t leaf;
	unsigned n;
	size_t len;

	while (in.n && !exhibit_line_peek(in, &leaf, &n, &len)) {
		if (!len || len > in.n)
			abort();
		in = SPAN(in.p + len, in.n - len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct exhibit_reader *r = NULL;
	struct buf content = BUF_INIT(1u << 20);
	char name[EXHIBIT_NAME_SIZE];
	struct why why = {""};
	struct span in = SPAN(data, size);

	if (size && data[0] == '{') {
		read_claim(in);
		read_lines(in);
	}
	if (!exhibit_open_memory(in, &r, &why)) {
		while (!exhibit_next(r, name, &content, &why)) {
			read_claim(buf_span(&content));
			read_lines(buf_span(&content));
		}
		exhibit_close(r);
	}
	buf_deinit(&content);
	return 0;
}
