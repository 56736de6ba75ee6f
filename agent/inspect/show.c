/*
 * Shows a person what the print daemon would be told of a file. See show.h.
 */
#include "agent/inspect/show.h"
#include "agent/inspect/inspect.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>

#define OCR_MS 60000 /* for one file, where no other time is given */
#define OCR_MS_MAX 3600000
#define OUTPUT_MAX (64u << 10)

struct options {
	struct inspect_ask ask;
	const char *pattern[INSPECT_PATTERNS_MAX];
	bool json, prints, ocr;
	uint8_t key[INSPECT_KEY_SIZE]; /* of fingerprints, where they are made */
	struct buf made;
};

/* {"card":{"sure":2,"maybe":0,"sample":"************1111"}}: of what there is. */
static json_t *numbers(const struct inspect_facts *f)
{
	json_t *o = json_object();
	unsigned i;

	for (i = 0; i < FIND_KINDS; i++)
		if (f->found[i].sure || f->found[i].maybe)
			json_object_set_new(o, find_kind_name((enum find_kind)i),
				json_pack("{s:I, s:I, s:s}", "sure", (json_int_t)f->found[i].sure, "maybe",
					(json_int_t)f->found[i].maybe, "sample", f->found[i].sample));
	return o;
}

static int put_prints(json_t *o, const struct buf *made)
{
	_cleanup_buf_ struct buf text = BUF_INIT(OUTPUT_MAX);
	int r = made->n ? base64_encode(&text, buf_span(made)) : 0;

	json_object_set_new(o, "prints", json_string(text.n ? buf_str(&text) : ""));
	return r;
}

static int say_json(const char *file, const struct inspect_facts *f, const struct options *given)
{
	const struct inspect_ask *ask = &given->ask;
	_cleanup_buf_ struct buf note = BUF_INIT(OUTPUT_MAX);
	char hash[2 * DIGEST_SIZE + 1], name[512];
	json_t *o, *matches = json_array();
	unsigned i;
	int r;

	r = inspect_findings(f, &note);
	for (i = 0; i < ask->patterns; i++)
		json_array_append_new(matches, json_integer((json_int_t)f->matches[i]));
	o = json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:b}", "file",
		text_escape_to(name, sizeof(name), SPAN_STR(file)), "format", inspect_format_name(f->format), "bytes",
		(json_int_t)f->bytes, "sha256", hex_encode(hash, f->hash.b, DIGEST_SIZE), "blank",
		(json_int_t)f->blank_pages, "copies", (json_int_t)f->copies, "sides", inspect_duplex_name(f->duplex),
		"color", inspect_color_name(f->color), "media", f->media, "width_um", (json_int_t)f->width_um,
		"height_um", (json_int_t)f->height_um, "generator", f->generator, "findings", r ? "" : buf_str(&note),
		"image_only", (f->flags & INSPECT_IMAGE_ONLY) != 0);
	if (o && f->has_pages)
		json_object_set_new(o, "pages", json_integer((json_int_t)f->pages));
	if (o && ask->text) {
		json_object_set_new(o, "numbers", numbers(f));
		json_object_set_new(o, "my_number_named", json_boolean(f->my_number_named));
		json_object_set(o, "matches", matches);
	}
	if (o && given->prints && put_prints(o, &given->made))
		r = -ENOMEM;
	r = o && !r ? json_dumpf(o, stdout, JSON_COMPACT) : -1;
	json_decref(matches);
	json_decref(o);
	return r || putchar('\n') < 0 ? 3 : 0;
}

static void say_text(const char *file, const struct inspect_facts *f, const struct options *given)
{
	const struct inspect_ask *ask = &given->ask;
	_cleanup_buf_ struct buf note = BUF_INIT(OUTPUT_MAX);
	char name[512];
	unsigned i;

	printf("%s: %s, %" PRIu64 " bytes", text_escape_to(name, sizeof(name), SPAN_STR(file)),
		inspect_format_name(f->format), f->bytes);
	if (f->has_pages)
		printf(", %" PRIu64 " pages", f->pages);
	if (f->copies)
		printf(", %u copies", f->copies);
	printf(", %s", inspect_color_name(f->color));
	if (f->duplex)
		printf(", %s", inspect_duplex_name(f->duplex));
	if (f->media[0])
		printf(", %s", f->media);
	if (f->width_um)
		printf(", %.1f x %.1f mm", f->width_um / 1000.0, f->height_um / 1000.0);
	if (f->generator[0])
		printf(", by %s", f->generator);
	if (ask->text && f->my_number_named)
		printf(", personal numbers are named");
	for (i = 0; i < ask->patterns; i++)
		printf(", pattern %u: %" PRIu64, i + 1, f->matches[i]);
	if (given->prints)
		printf(", %zu fingerprints", given->made.n / INSPECT_PRINT_SIZE);
	if (!inspect_numbers(f, &note) && note.n)
		printf(", %s", buf_str(&note));
	buf_clear(&note);
	if (!inspect_findings(f, &note) && note.n)
		printf(", %s", buf_str(&note));
	putchar('\n');
}

static int one(struct inspect *in, const char *file, struct options *o)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct inspect_facts facts;
	struct why why = {""};
	int r;

	if (fd < 0) {
		log_error("%s: %m", file);
		return 3;
	}
	buf_clear(&o->made);
	if (o->prints)
		r = inspect_prints(in, fd, o->key, o->ask.time_ms, &o->made, &facts, &why);
	else
		r = inspect_document(in, fd, &o->ask, &facts, &why);
	if (r) {
		log_error("%s", r < 0 ? strerror(-r) : why.text);
		return r == V_BAD ? 2 : 3;
	}
	if (o->json && say_json(file, &facts, o))
		return 3;
	if (!o->json)
		say_text(file, &facts, o);
	return facts.gaps ? 1 : 0;
}

static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {{"text", no_argument, NULL, 't'},
		{"pattern", required_argument, NULL, 'p'}, {"prints", required_argument, NULL, 'P'},
		{"json", no_argument, NULL, 'j'}, {"time", required_argument, NULL, 'T'},
		{"ocr", no_argument, NULL, 'o'}, {0}};
	char *end;
	int c;

	o->ask.pattern = o->pattern;
	while ((c = getopt_long(argc, argv, "", names, NULL)) >= 0)
		switch (c) {
		case 't':
			o->ask.text = true;
			break;
		case 'p':
			if (o->ask.patterns == INSPECT_PATTERNS_MAX)
				return 2;
			o->pattern[o->ask.patterns++] = optarg;
			o->ask.text = true;
			break;
		case 'P':
			if (hex_decode(optarg, o->key, sizeof(o->key)))
				return 2;
			o->prints = o->ask.text = true;
			break;
		case 'o':
			o->ocr = o->ask.text = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'T':
			o->ask.time_ms = (uint32_t)strtoul(optarg, &end, 10) * 1000;
			if (*end || end == optarg || o->ask.time_ms < 1000 || o->ask.time_ms > 3600000)
				return 2;
			break;
		default:
			return 2;
		}
	if (o->ocr)
		o->ask.ocr = (struct inspect_ocr){
			.document_ms = o->ask.time_ms ? o->ask.time_ms : OCR_MS, .hour_ms = OCR_MS_MAX};
	/* Fingerprints alone, so that nothing seems to have been looked for that was not. */
	return optind < argc && !(o->prints && o->ask.patterns) ? 0 : 2;
}

int show(int argc, char **argv, const char *usage)
{
	_cleanup_(inspect_stopp) struct inspect *in = NULL;
	struct options o = {.made = BUF_INIT(INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE)};
	struct why why = {""};
	int r, worst = 0;

	if (read_options(argc, argv, &o)) {
		fputs(usage, stderr);
		return 2;
	}
	r = inspect_start(NULL, &in, &why);
	if (r) {
		log_error("%s", r < 0 ? strerror(-r) : why.text);
		return 3;
	}
	for (; optind < argc; optind++) {
		r = one(in, argv[optind], &o);
		worst = r > worst ? r : worst;
	}
	buf_deinit(&o.made);
	return fflush(stdout) ? 3 : worst;
}
