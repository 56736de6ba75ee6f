/*
 * PCL 3 to 5 (HP 5961-0509): a walk over its escape sequences that passes over the binary data which some of them
 * announce. A page is what a form feed, a reset, a side or an eject ends, where something was put on it. PCL XL inside
 * (ENTER LANGUAGE) does not come here.
 */
#include "agent/inspect/look.h"
#include <ctype.h>

#define UM_PER_INCH 25400.0

struct walk {
	struct look *l;
	struct span in;
	size_t at;
	bool marked;  /* something is on the page */
	bool hpgl;    /* the vector language, until ESC % # A or a reset */
	bool colored; /* a palette or an image of several colours was set up */
	uint64_t pages;
	bool cut;
};

static const struct {
	int code;
	const char *name;
	double width_in, height_in;
} sizes[] = {
	{1, "na_executive_7.25x10.5in", 7.25, 10.5},
	{2, "na_letter_8.5x11in", 8.5, 11},
	{3, "na_legal_8.5x14in", 8.5, 14},
	{6, "na_ledger_11x17in", 11, 17},
	{25, "iso_a5_148x210mm", 148 / 25.4, 210 / 25.4},
	{26, "iso_a4_210x297mm", 210 / 25.4, 297 / 25.4},
	{27, "iso_a3_297x420mm", 297 / 25.4, 420 / 25.4},
	{45, "jis_b5_182x257mm", 182 / 25.4, 257 / 25.4},
	{46, "jis_b4_257x364mm", 257 / 25.4, 364 / 25.4},
	{71, "jpn_hagaki_100x148mm", 100 / 25.4, 148 / 25.4},
	{72, "jpn_oufuku_148x200mm", 148 / 25.4, 200 / 25.4},
	{81, "na_number-10_4.125x9.5in", 4.125, 9.5},
	{90, "iso_dl_110x220mm", 110 / 25.4, 220 / 25.4},
	{91, "iso_c5_162x229mm", 162 / 25.4, 229 / 25.4},
};

static void page_ends(struct walk *w, bool also_blank)
{
	if (w->marked || also_blank)
		w->pages++;
	w->marked = false;
}

static void page_size(struct walk *w, int code)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i].code == code) {
			look_media(w->l, SPAN_STR(sizes[i].name));
			look_size(w->l, sizes[i].width_in * UM_PER_INCH, sizes[i].height_in * UM_PER_INCH);
		}
}

/* ESC & l: the job and its paper. */
static void job_control(struct walk *w, char what, int value)
{
	struct inspect_facts *f = w->l->facts;

	switch (what) {
	case 'X':
		if (value >= 1 && value <= 32767)
			f->copies = (uint32_t)value;
		break;
	case 'S':
		if (value >= 0 && value <= 2)
			f->duplex = value == 0   ? INSPECT_ONE_SIDED
				    : value == 1 ? INSPECT_LONG_EDGE
						 : INSPECT_SHORT_EDGE;
		break;
	case 'A':
		page_ends(w, false);
		page_size(w, value);
		break;
	case 'H':
		page_ends(w, false);
		break;
	default:
		break;
	}
}

/* One parameter with its value; `what` in upper case. Answers the bytes of data that follow it. */
static size_t parameter(struct walk *w, char group, char sub, char what, int value)
{
	size_t data = 0;

	if (what == 'W' || (group == '*' && sub == 'b' && what == 'V') || (group == '&' && sub == 'p' && what == 'X'))
		data = value > 0 ? (size_t)value : 0;
	if (group == '&' && sub == 'l')
		job_control(w, what, value);
	else if (group == '&' && sub == 'a' && what == 'G')
		page_ends(w, false);
	else if (group == '%' && !sub && what == 'B')
		w->hpgl = true;
	else if (group == '%' && !sub && what == 'A')
		w->hpgl = false;
	else if (group == '*' && sub == 'r' && what == 'U')
		w->colored = w->colored || (value != 1 && value != 0);
	else if (group == '*' && sub == 'v' && what == 'W' && data)
		w->colored = true;
	if (data && ((group == '*' && sub == 'b') || (group == '&' && sub == 'p')))
		w->marked = true;
	if (group == '*' && sub == 'c' && what == 'P')
		w->marked = true;
	return data;
}

static int peek(const struct walk *w)
{
	return w->at < w->in.n ? w->in.p[w->at] : -1;
}

/* A value with its sign; what lies behind its point is passed over. */
static int number(struct walk *w)
{
	bool minus = peek(w) == '-';
	int v = 0;

	if (minus || peek(w) == '+')
		w->at++;
	while (peek(w) >= '0' && peek(w) <= '9') {
		if (v < 100000000)
			v = v * 10 + (peek(w) - '0');
		w->at++;
	}
	if (peek(w) == '.')
		do
			w->at++;
		while (peek(w) >= '0' && peek(w) <= '9');
	return minus ? -v : v;
}

/* Behind ESC and a group: values and letters, the last of them upper case. */
static void sequence(struct walk *w, char group)
{
	char sub = 0;

	if (peek(w) >= 0x60 && peek(w) <= 0x7e)
		sub = (char)w->in.p[w->at++];
	while (w->at < w->in.n) {
		int value = number(w), c = peek(w);
		size_t data;

		/* no letter: it is none of these sequences; what stands there is read as what it is */
		if (c < 0x40 || c > 0x7e)
			return;
		w->at++;
		data = parameter(w, group, sub, (char)toupper(c), value);
		if (data > w->in.n - w->at) {
			w->cut = true;
			data = w->in.n - w->at;
		}
		w->at += data;
		if (c < 0x60)
			return;
	}
	w->cut = true;
}

static void escape(struct walk *w)
{
	int c = peek(w);

	if (c < 0)
		return;
	w->at++;
	if (c == 'E') {
		page_ends(w, false);
		w->hpgl = false;
	} else if (c >= 0x21 && c <= 0x2f) {
		sequence(w, (char)c);
	}
	/* the rest (ESC 9, ESC = ...) are two bytes */
}

void look_pcl(struct look *l, struct span doc)
{
	struct walk w = {.l = l, .in = doc};

	while (w.at < doc.n) {
		uint8_t c = doc.p[w.at++];

		if (c == 0x1b)
			escape(&w);
		else if (c == '\f' && !w.hpgl)
			page_ends(&w, true);
		else if (c > 0x20 && c != 0x7f)
			w.marked = true;
	}
	page_ends(&w, false);
	look_pages(l, w.pages);
	look_color(l, w.colored ? INSPECT_COLOR_OK : INSPECT_GREY);
	if (w.cut)
		l->facts->flags |= INSPECT_TRUNCATED;
}
