/* The records of a body, which a PC signs as it likes, in the forms that other systems read: one line each, JSON that
 * is JSON. */
#include "collector/herald/form.h"
#include "policy/base/text.h"
#include "policy/wire/body.h"
#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(const struct store_row *row)
{
	_cleanup_buf_ struct buf a = BUF_INIT(FORM_MAX), b = BUF_INIT(FORM_MAX);
	json_t *o;

	if (!form_syslog(row, &a) && (memchr(a.p, '\n', a.n) || !text_is_utf8(buf_span(&a))))
		abort();
	if (form_ocsf(row, true, &b))
		return;
	o = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
	if (!o || memchr(b.p, '\n', b.n))
		abort();
	json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(body_reader_freep) struct body_reader *in = NULL;
	static struct store_row row;

	row.host_name = "pc-1";
	row.row = 32769;
	if (body_reader_new(SPAN(data, size), &in))
		abort();
	while (!body_next(in, &row.record, NULL))
		judge(&row);
	return 0;
}
