/*
 * `usb learn`: what the fleet has seen plugged in, as rows for the ledger: one for each device, with the PCs and people
 * that it was seen with in the note. What a ledger has already (--into) stays as it is; new rows are read-only, for a
 * person to decide.
 */
#include "policy/base/clock.h"
#include "policy/base/distinct.h"
#include "policy/base/text.h"
#include "policy/ctl/log_filter.h"
#include "policy/ctl/policy_files.h"
#include "policy/rule/sighting.h"
#include <errno.h>

#define SEEN_MAX POLICY_ROWS_MAX
#define NOTE_MAX 200
#define WORDS_MAX 100u /* PCs and people of a drive: more do not go into a note */
#define WORDS_BYTES (16u << 20)

struct seen {
	struct sighting s;
	char label[DEVICE_TEXT_SIZE * 2 + 2];
	struct distinct words;
};

struct learning {
	struct seen *list;
	unsigned n;
	uint64_t left_out;
	size_t words_room;
	const struct policy *known;
};

/* "ws-1 taro": those for which there is room. */
static const char *note_of(const struct seen *s, char note[NOTE_MAX])
{
	size_t at = 0;
	unsigned i;

	note[0] = 0;
	for (i = 0; i < s->words.n; i++) {
		const struct span w = s->words.v[i];

		if (at + w.n + 2 <= NOTE_MAX && !memchr(w.p, 0, w.n))
			at += (size_t)snprintf(
				note + at, NOTE_MAX - at, "%s%.*s", at ? " " : "", (int)w.n, (const char *)w.p);
	}
	return note;
}

static int on_plug(void *ctx, const struct store_row *row)
{
	struct learning *l = ctx;
	const struct record *r = &row->record;
	struct sighting now;
	struct seen *s;
	unsigned i;
	int x;

	if (!sighting_read(&now, r))
		return 0;
	for (i = 0; i < l->n && !sighting_same(&l->list[i].s, &now); i++)
		;
	if (i == SEEN_MAX) {
		l->left_out++;
		return 0;
	}
	s = &l->list[i];
	if (i < l->n) {
		sighting_fold(&s->s, &now);
	} else {
		l->n++;
		*s = (struct seen){.s = now, .words = {.most = WORDS_MAX, .room = &l->words_room}};
		text_copy(s->label, sizeof(s->label), record_text(r, F_PRODUCT));
	}
	x = distinct_add(&s->words, SPAN_STR(row->host_name ? row->host_name : ""));
	return x ? x : distinct_add(&s->words, record_text(r, F_USER));
}

static void warn(struct ctl *c, const struct sighting *s)
{
	char serial[SHOWN_MAX];
	const char *what = NULL;

	switch (sighting_doubt(s)) {
	case SIGHTING_CERTAIN:
		return;
	case SIGHTING_NO_SERIAL:
		what = SAY(c, "has no serial number: it cannot be told from others of its model",
			"シリアル番号がなく、同型機と区別できません");
		break;
	case SIGHTING_TWO_FINGERPRINTS:
		what = SAY(c, "was seen with different descriptors: two devices, or an imitation",
			"異なる記述子で接続されました(別の機器、または偽装の可能性)");
		break;
	case SIGHTING_SHORT_SERIAL:
		what = SAY(c, "has a serial number that is hardly one of its own",
			"シリアル番号が短く、固有とは限りません");
		break;
	}
	fprintf(stderr, "%04x:%04x %s: %s\n", s->vendor, s->product, shown(serial, s->serial), what);
}

static int print_ledger(struct ctl *c, const struct learning *l)
{
	_cleanup_buf_ struct buf out = BUF_INIT(2 * POLICY_CSV_MAX);
	struct ledger_row row;
	char note[NOTE_MAX];
	unsigned i, added = 0;
	int r = buf_puts(&out, "\xef\xbb\xbf" LEDGER_HEAD);

	for (i = 0; l->known && i < policy_rows_n(l->known) && !r; i++) {
		policy_row(l->known, i, &row);
		r = ledger_put(&out, &row);
	}
	for (i = 0; i < l->n && !r; i++) {
		const struct device d = sighting_device(&l->list[i].s);

		if (l->known && policy_lists(l->known, &d))
			continue;
		warn(c, &l->list[i].s);
		r = ledger_put_device(&out, &d, l->list[i].label, note_of(&l->list[i], note));
		added++;
	}
	if (r)
		return complain_of(c, "usb learn", r, NULL);
	fprintf(stderr,
		SAY(c, "%u devices were seen, %u are new; new rows are read-only: decide\n",
			"%u 台を検出、うち新規 %u 台。新規行は読み取り専用です。内容を確認してください\n"),
		l->n, added);
	return out_put(&out) ? EXIT_GOOD : EXIT_MACHINE;
}

static int load_known(struct ctl *c, struct policy **out)
{
	const char *path = option_value(c, OPT_INTO);
	_cleanup_buf_ struct buf csv = BUF_INIT(POLICY_CSV_MAX);
	struct why why = {""};
	char text[SHOWN_MAX];
	int r;

	if (!path)
		return EXIT_GOOD;
	r = ledger_file_read(c, path, &csv);
	if (r)
		return r;
	r = policy_load(SPAN_STR("version: 1\n"), buf_span(&csv), out, &why);
	return r ? complain_of(c, shown(text, path), r, &why) : EXIT_GOOD;
}

int command_usb_learn(struct ctl *c)
{
	_cleanup_(policy_freep) struct policy *known = NULL;
	_cleanup_(store_closep) struct store *s = NULL;
	struct learning l = {.words_room = WORDS_BYTES};
	struct store_filter f;
	struct why why = {""};
	int r = log_filter(c, clock_wall_us(), &f);

	r = r ? r : load_known(c, &known);
	if (r)
		return r;
	f.kinds[0] = KIND_PLUG;
	f.kinds_n = 1;
	r = store_to_search(c, &s);
	if (r)
		return r;
	l.known = known;
	l.list = calloc(SEEN_MAX, sizeof(*l.list));
	if (!l.list)
		return complain_of(c, "usb learn", -ENOMEM, NULL);
	r = store_query(s, &f, on_plug, &l, &why);
	r = r && r != V_END ? complain_of(c, "usb learn", r, &why) : print_ledger(c, &l);
	while (l.n)
		distinct_deinit(&l.list[--l.n].words);
	free(l.list);
	return r;
}
