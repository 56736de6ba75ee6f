/*
 * Any bytes as a document: every parser of ours ends and stays inside (PDF is qpdf's, with our walk over its content;
 * archives, XML and mails are libraries'). Here without the child around it.
 */
#include "agent/inspect/container.h"
#include "agent/inspect/ocr.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_LSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_LSAN 1
#endif
#endif
#ifdef WITH_LSAN
#include <sanitizer/lsan_interface.h>
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void *__real_gsf_infile_msole_new(void *source, void *error);
void *__wrap_gsf_infile_msole_new(void *source, void *error);

/*
 * Of a compound file whose folders are nonsense libgsf 1.14.50 leaves entries that belong to nobody (some hundred bytes
 * each, in a child that ends with its document). That is the library's; what is ours is still looked for.
 */
void *__wrap_gsf_infile_msole_new(void *source, void *error)
{
	void *file;

#ifdef WITH_LSAN
	__lsan_disable();
#endif
	file = __real_gsf_infile_msole_new(source, error);
#ifdef WITH_LSAN
	__lsan_enable();
#endif
	return file;
}

static void tell(struct look *l, enum inspect_what about)
{
	(void)l;
	(void)about;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct patterns *patterns;
	struct inspect_facts facts = {0};
	struct ocr_meter meter = {0};
	/* There is no module here: pages of printers are unpacked for it all the same. */
	struct ocr_use ocr = {.left_ms = 1000, .meter = &meter};
	struct look l = {.ocr = &ocr,
		.facts = &facts,
		.tell = tell,
		.text = sniff_format(SPAN(data, size)) != INSPECT_PDF,
		.room = 4 << 20};

	if (!patterns) {
		encoding_prepare();
		mail_prepare();
		ole_prepare();
		if (patterns_make(NULL, 0, &patterns, NULL))
			abort();
	}
	l.patterns = patterns;
	look_document(&l, SPAN(data, size));
	if (facts.blank_pages > facts.pages || (facts.flags & ~(INSPECT_FLAGS_END - 1u)))
		abort();
	/* never silence */
	if (!facts.has_pages && !facts.gaps && size && facts.format != INSPECT_CUPS_COMMAND)
		abort();
	return 0;
}
