/* What a child that was taken over may write: what is taken is bounded, printable, and is written again alike. */
#include "agent/inspect/report.h"
#include "policy/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf b = BUF_INIT(2 * REPORT_FRAME_MAX), line = BUF_INIT(1 << 16),
				 prints = BUF_INIT(1 << 12);
	struct inspect_facts f, again;
	enum inspect_what about, about_again;
	struct question q;
	struct why why;

	if (!question_read(SPAN(data, size), &q, &why) && q.patterns > INSPECT_PATTERNS_MAX)
		abort();
	if (!prints_read(SPAN(data, size), &prints, &why) && prints.n % INSPECT_PRINT_SIZE)
		abort();
	if (report_read(SPAN(data, size), &f, &about, &why))
		return 0;
	if (inspect_findings(&f, &line) || !text_is_utf8(SPAN_STR(f.media)))
		abort();
	if (report_write(&b, &f, about))
		return 0; /* its strings grew by escaping */
	if (report_read(SPAN(b.p + 4, b.n - 4), &again, &about_again, &why) || about != about_again ||
		f.pages != again.pages || f.gaps != again.gaps)
		abort();
	return 0;
}
