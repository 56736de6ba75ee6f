/*
 * Pictures on their way to text. See ocr.h.
 */
#include "agent/inspect/ocr.h"
#include "agent/inspect/container.h"
#include "agent/inspect/layout.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <dlfcn.h>
#include <glib.h>
#include <limits.h>
#include <time.h>

#define MODULE "sekisho-ocr.so"
#define PAGES_MAX 1000u /* of one TIFF */

static const struct ocr_engine *engine;
static void *model;
static char why_not[96] = "no OCR on this PC";

/* --- the module --- */

static void *module_at(const char *folder)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, MODULE) >= sizeof(path) || access(path, R_OK))
		return NULL;
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* Beside this program, where it was built; else where it is installed. */
static void *module_open(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	void *m = NULL;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash) {
		*slash = '\0';
		m = module_at(self);
	}
	return m ? m : module_at(SEKISHO_MODULES);
}

int ocr_prepare(void)
{
	static bool tried;
	const char *error;
	void *module;

	if (tried)
		return model ? 0 : V_NOT_FOUND;
	tried = true;
	/* A child makes no thread: libgomp asks when it is loaded. */
	setenv("OMP_THREAD_LIMIT", "1", 1);
	dlerror();
	module = module_open();
	error = dlerror();
	engine = module ? dlsym(module, OCR_SYMBOL) : NULL;
	if (!engine)
		snprintf(why_not, sizeof(why_not), "%s",
			"no OCR on this PC (packages libtesseract5, tesseract-ocr-jpn)");
	else if (engine->version != OCR_VERSION)
		snprintf(why_not, sizeof(why_not), "OCR of another version of Sekisho");
	else
		model = engine->open(why_not, sizeof(why_not));
	if (model)
		return 0;
	log_error("text in pictures is not read: %s%s%s", why_not, error ? ": " : "", error ? error : "");
	return V_NOT_FOUND;
}

/* --- one picture --- */

struct page {
	struct layout *layout;
	bool full;
};

/* A digit that the model took for a letter that looks like it. 0: that letter is none. */
static char digit_like(gunichar c)
{
	static const struct {
		gunichar letter;
		char digit;
	} alike[] = {{'O', '0'}, {'o', '0'}, {'Q', '0'}, {'D', '0'}, {0x3007, '0'}, {'l', '1'}, {'I', '1'}, {'|', '1'},
		{'i', '1'}, {'Z', '2'}, {'z', '2'}, {'S', '5'}, {'s', '5'}, {'G', '6'}, {'B', '8'}, {'g', '9'},
		{'q', '9'}};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(alike); i++)
		if (alike[i].letter == c)
			return alike[i].digit;
	return 0;
}

/*
 * A word of eleven signs and more, of which at most one in four is a letter that looks like a digit and all others are
 * digits and hyphens, is a number that was misread. Its check digit still has to hold.
 */
static void mend_word(char *word, size_t n)
{
	size_t digits = 0, alike = 0, i;
	char *to = word;

	for (i = 0; i < n; i += (size_t)(g_utf8_next_char(word + i) - (word + i))) {
		gunichar c = g_utf8_get_char(word + i);

		if (c < 0x80 && (g_ascii_isdigit((char)c) || c == '-'))
			digits++;
		else if (digit_like(c))
			alike++;
		else
			return;
	}
	if (!alike || digits + alike < 11 || alike * 3 > digits)
		return;
	for (i = 0; i < n;) {
		gunichar c = g_utf8_get_char(word + i);
		size_t size = (size_t)(g_utf8_next_char(word + i) - (word + i));

		*to++ = digit_like(c) ? digit_like(c) : (char)c;
		i += size;
	}
	while (to < word + n)
		*to++ = ' ';
}

static void mend(char *text)
{
	char *s = text;

	while (*s) {
		size_t n = strcspn(s, " \t\n");

		mend_word(s, n);
		s += n + (s[n] != '\0');
	}
}

/* Lines of a piece that is a block share its height. */
static void on_piece(void *ctx, const struct ocr_piece *piece)
{
	struct page *p = ctx;
	char *text = g_utf8_normalize(piece->text, -1, G_NORMALIZE_NFKC), *line, *rest = text;
	unsigned lines = 0, i = 0;
	double height;

	for (line = text; line && *line; line++)
		lines += *line == '\n' || !line[1];
	height = (piece->bottom - piece->top) / (lines ? lines : 1);
	while (rest && (line = strsep(&rest, "\n"))) {
		double top = piece->top + height * i;

		mend(line);
		if (*line && layout_line(p->layout, line, piece->left, top, piece->right, top + height))
			p->full = true;
		i += *line != '\0';
	}
	g_free(text);
}

static uint64_t processor_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000;
}

void ocr_missed(struct look *l, enum inspect_cause cause, const char *name)
{
	look_gap(l, INSPECT_ABOUT_PICTURES, cause, "%s", name);
}

/* False: nothing will be read any more, which was said. */
static bool may_read(struct look *l)
{
	if (ocr_prepare()) {
		look_gap(l, INSPECT_ABOUT_PICTURES, INSPECT_NOT_LOOKED_AT, "%s", why_not);
		return false;
	}
	if (l->ocr->left_ms)
		return true;
	if (l->ocr->busy)
		look_gap(l, INSPECT_ABOUT_PICTURES, INSPECT_BUSY, "the hour's time for pictures is used up");
	else
		look_gap(l, INSPECT_ABOUT_PICTURES, INSPECT_TOO_LONG, "there are more pictures");
	return false;
}

static void tell_text(struct look *l, struct page *p, const char *name)
{
	_cleanup_buf_ struct buf text = BUF_INIT(WORDS_MAX);

	if (p->full || layout_put(p->layout, &text))
		ocr_missed(l, INSPECT_TOO_BIG, name);
	if (!look_counts(l, buf_span(&text)))
		look_gap(l, INSPECT_ABOUT_TEXT, INSPECT_TOO_BIG, "a pattern took too many steps");
	if (text.n || l->facts->flags & INSPECT_IMAGE_ONLY)
		l->facts->flags |= INSPECT_OCR | INSPECT_TEXT_READ;
}

struct picture {
	struct span file;
	unsigned page;
	const uint8_t *grey; /* or this */
	uint32_t width, height;
	size_t stride;
};

/* V_END: it has no such page, or no more is to be read. */
static int read_picture(struct look *l, const struct picture *of, const char *name)
{
	_cleanup_(layout_freep) struct layout *layout = NULL;
	struct page p = {0};
	struct ocr_ask ask = {.piece = on_piece, .ctx = &p};
	int64_t began = clock_awake_us(), took;
	enum ocr_answer answer;

	if (!may_read(l))
		return V_END;
	if (layout_new(&layout)) {
		ocr_missed(l, INSPECT_TOO_BIG, "memory");
		return V_END;
	}
	p.layout = layout;
	/* If this is the end, it is that of the picture. */
	l->tell(l, INSPECT_ABOUT_PICTURES);
	l->ocr->meter->from = processor_us() + 1;
	ask.end_us = began + (int64_t)l->ocr->left_ms * 1000;
	answer = of->grey ? engine->grey(model, of->grey, of->width, of->height, of->stride, &ask)
			  : engine->file(model, of->file.p, of->file.n, of->page, &ask);
	l->ocr->meter->used += processor_us() + 1 - l->ocr->meter->from;
	l->ocr->meter->from = 0;
	took = (clock_awake_us() - began) / 1000 + 1;
	l->ocr->left_ms = took < l->ocr->left_ms ? l->ocr->left_ms - (uint32_t)took : 0;
	switch (answer) {
	case OCR_READ:
	case OCR_SMALL:
		tell_text(l, &p, name);
		return 0;
	case OCR_LATE:
		tell_text(l, &p, name);
		ocr_missed(l, INSPECT_TOO_LONG, name);
		return V_END;
	case OCR_TOO_BIG:
		tell_text(l, &p, name);
		ocr_missed(l, INSPECT_TOO_BIG, name);
		return 0;
	case OCR_BROKEN:
		ocr_missed(l, INSPECT_BROKEN, name);
		return 0;
	case OCR_NO_PAGE:
		break;
	}
	return V_END;
}

void ocr_file(struct look *l, struct span file, const char *name)
{
	struct picture of = {.file = file};
	char which[96];
	int r = 0;

	if (!l->text || !l->ocr)
		return;
	for (; !r && of.page < PAGES_MAX; of.page++) {
		snprintf(which, sizeof(which), of.page ? "%s, page %u" : "%s", name, of.page + 1);
		r = read_picture(l, &of, which);
		if (of.page)
			patterns_continue(l->patterns);
	}
	if (!r)
		ocr_missed(l, INSPECT_TOO_BIG, name);
}

void ocr_grey(struct look *l, const uint8_t *dots, uint32_t width, uint32_t height, size_t stride, const char *name)
{
	if (l->text && l->ocr)
		read_picture(
			l, &(struct picture){.grey = dots, .width = width, .height = height, .stride = stride}, name);
}
