/*
 * Fingerprints of text. See prints.h.
 */
#include "agent/inspect/prints.h"
#include "agent/inspect/known.h"
#include "agent/inspect/look.h"
#include "policy/base/siphash.h"
#include <errno.h>
#include <glib.h>

#define PRIME ((1ull << 61) - 1) /* of the rolling hash: a product is two shifts away from its rest */
#define PRINT_MASK ((1ull << 40) - 1)
#define THIN_SHIFT 40 /* the bits of a hash that are no part of the fingerprint say whether it stays */
#define FILTER_BITS 20
#define DECOMPOSED_MAX 18 /* of one character, as the Unicode standard has it */

/* A fingerprint of a known document. */
struct entry {
	uint64_t print;
	uint16_t document;
	bool found;
};

struct prints {
	uint64_t key[2];
	/* the last PRINTS_STRETCH letters, and their hash */
	uint32_t letter[PRINTS_STRETCH];
	uint64_t letters, hash, base, leaving;
	/* making */
	bool makes;
	uint64_t window[PRINTS_WINDOW], hashes, chosen_at;
	uint64_t kept[INSPECT_PRINTS_MAX + 1], thin;
	unsigned kept_n;
	/* finding */
	struct known known;
	struct entry *entries; /* in the order of their prints */
	size_t entries_n;
	uint8_t *filter;
	uint16_t found[INSPECT_KNOWN_MAX];
	bool exact[INSPECT_KNOWN_MAX];
};

/* --- hashes --- */

static uint64_t keyed(const struct prints *p, uint64_t value)
{
	uint8_t bytes[8];
	unsigned i;

	for (i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	return siphash(p->key, SPAN(bytes, sizeof(bytes)));
}

static uint64_t times(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	uint64_t rest = (uint64_t)(product & PRIME) + (uint64_t)(product >> 61);

	return rest >= PRIME ? rest - PRIME : rest;
}

static struct prints *prints_new(const uint8_t key[INSPECT_KEY_SIZE])
{
	struct prints *p = calloc(1, sizeof(*p));
	unsigned i;

	if (!p)
		return NULL;
	for (i = 0; i < INSPECT_KEY_SIZE; i++)
		p->key[i / 8] |= (uint64_t)key[i] << i % 8 * 8;
	/* Another key, another polynomial: who has no key cannot make stretches that collide. */
	p->base = keyed(p, 0) % (PRIME - (1u << 24)) + (1u << 24);
	p->leaving = 1;
	for (i = 0; i < PRINTS_STRETCH; i++)
		p->leaving = times(p->leaving, p->base);
	return p;
}

/* --- making --- */

/* The first place in `kept` that is not below it. */
static unsigned place_of(const struct prints *p, uint64_t hash)
{
	unsigned from = 0, to = p->kept_n;

	while (from < to) {
		unsigned mid = (from + to) / 2;

		if (p->kept[mid] < hash)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* One more; where there are too many, half of all that come and came are let go of. */
static void keep(struct prints *p, uint64_t hash)
{
	unsigned at = place_of(p, hash), i, n = 0;

	if (hash >> THIN_SHIFT & p->thin || (at < p->kept_n && p->kept[at] == hash))
		return;
	memmove(p->kept + at + 1, p->kept + at, (p->kept_n - at) * sizeof(p->kept[0]));
	p->kept[at] = hash;
	p->kept_n++;
	while (p->kept_n > INSPECT_PRINTS_MAX && p->thin != UINT64_MAX >> THIN_SHIFT) {
		p->thin = p->thin << 1 | 1;
		for (i = 0, n = 0; i < p->kept_n; i++)
			if (!(p->kept[i] >> THIN_SHIFT & p->thin))
				p->kept[n++] = p->kept[i];
		p->kept_n = n;
	}
	if (p->kept_n > INSPECT_PRINTS_MAX)
		p->kept_n = INSPECT_PRINTS_MAX;
}

/* Of the last PRINTS_WINDOW hashes the least, of equal ones the last: once, however many windows choose it. */
static void winnow(struct prints *p, uint64_t hash)
{
	uint64_t from, i, least;

	p->window[p->hashes++ % PRINTS_WINDOW] = hash;
	if (p->hashes < PRINTS_WINDOW)
		return;
	from = p->hashes - PRINTS_WINDOW;
	for (i = least = from; i < p->hashes; i++)
		/* The bits that choose are not those that thin out. */
		if ((p->window[i % PRINTS_WINDOW] & PRINT_MASK) <= (p->window[least % PRINTS_WINDOW] & PRINT_MASK))
			least = i;
	if (least + 1 == p->chosen_at)
		return;
	p->chosen_at = least + 1;
	keep(p, p->window[least % PRINTS_WINDOW]);
}

/* --- finding --- */

static size_t filter_bit(uint64_t print)
{
	return print & ((1u << FILTER_BITS) - 1);
}

static void look_up(struct prints *p, uint64_t print)
{
	size_t from = 0, to = p->entries_n;

	if (!(p->filter[filter_bit(print) / 8] >> filter_bit(print) % 8 & 1))
		return;
	while (from < to) {
		size_t mid = (from + to) / 2;

		if (p->entries[mid].print < print)
			from = mid + 1;
		else
			to = mid;
	}
	for (; from < p->entries_n && p->entries[from].print == print; from++) {
		struct entry *e = &p->entries[from];

		p->found[e->document] += !e->found;
		e->found = true;
	}
}

static int by_print(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->print != y->print)
		return x->print < y->print ? -1 : 1;
	return x->document < y->document ? -1 : x->document > y->document;
}

static void put_entries(struct prints *p, unsigned document)
{
	struct span s = p->known.document[document].prints;
	size_t i, b;

	for (i = 0; i < s.n / INSPECT_PRINT_SIZE; i++) {
		uint64_t print = 0;

		for (b = 0; b < INSPECT_PRINT_SIZE; b++)
			print = print << 8 | s.p[i * INSPECT_PRINT_SIZE + b];
		p->entries[p->entries_n++] = (struct entry){.print = print, .document = (uint16_t)document};
		p->filter[filter_bit(print) / 8] |= (uint8_t)(1u << filter_bit(print) % 8);
	}
}

int prints_find(struct span table, struct prints **out, struct why *why)
{
	_cleanup_(prints_freep) struct prints *p = NULL;
	struct known known;
	unsigned i;
	int r = known_read(table, &known, why);

	if (r)
		return r;
	p = prints_new(known.key);
	if (!p)
		return -ENOMEM;
	p->known = known;
	p->entries = calloc(known.n ? (size_t)known.n * INSPECT_PRINTS_MAX : 1, sizeof(*p->entries));
	p->filter = calloc(1, (1u << FILTER_BITS) / 8);
	if (!p->entries || !p->filter)
		return -ENOMEM;
	for (i = 0; i < known.n; i++)
		put_entries(p, i);
	qsort(p->entries, p->entries_n, sizeof(*p->entries), by_print);
	*out = STEAL(p);
	return 0;
}

int prints_make(const uint8_t key[INSPECT_KEY_SIZE], struct prints **out)
{
	struct prints *p = prints_new(key);

	if (!p)
		return -ENOMEM;
	p->makes = true;
	*out = p;
	return 0;
}

void prints_free(struct prints *p)
{
	if (!p)
		return;
	free(p->entries);
	free(p->filter);
	free(p);
}

/* --- text --- */

static void take_letter(struct prints *p, uint32_t c)
{
	uint32_t *place = &p->letter[p->letters % PRINTS_STRETCH];
	uint64_t hash;

	/* Horner's rule for the one that comes; the one that leaves has been multiplied PRINTS_STRETCH times. */
	p->hash = times(p->hash, p->base) + c + PRIME - times(p->letters >= PRINTS_STRETCH ? *place : 0, p->leaving);
	p->hash %= PRIME;
	*place = c;
	if (++p->letters < PRINTS_STRETCH)
		return;
	hash = keyed(p, p->hash);
	if (p->makes)
		winnow(p, hash);
	else
		look_up(p, hash & PRINT_MASK);
}

static void take_character(struct prints *p, gunichar c)
{
	gunichar parts[DECOMPOSED_MAX];
	gsize i, n;

	if (c < 0x80) {
		if (g_ascii_isalnum((gchar)c))
			take_letter(p, (uint32_t)g_ascii_tolower((gchar)c));
		return;
	}
	if (c >= 0x4e00 && c <= 0x9fff) { /* unified ideographs: nothing is behind them */
		take_letter(p, c);
		return;
	}
	n = g_unichar_fully_decompose(c, TRUE, parts, DECOMPOSED_MAX);
	for (i = 0; i < n; i++)
		if (g_unichar_isalnum(parts[i]))
			take_letter(p, g_unichar_tolower(parts[i]));
}

void prints_text(struct prints *p, struct span utf8)
{
	size_t at = 0;

	while (at < utf8.n) {
		gunichar c = utf8.p[at] < 0x80
				     ? utf8.p[at]
				     : g_utf8_get_char_validated((const gchar *)utf8.p + at, (gssize)(utf8.n - at));

		/* What is no character parts nothing. */
		if (c == (gunichar)-1 || c == (gunichar)-2) {
			at++;
			continue;
		}
		take_character(p, c);
		at += c < 0x80 ? 1 : (size_t)g_unichar_to_utf8(c, NULL);
	}
}

void prints_file(struct prints *p, struct span bytes)
{
	struct digest hash;
	bool any = false;
	unsigned i;

	for (i = 0; i < p->known.n; i++)
		any |= p->known.document[i].has_hash;
	if (p->makes || !any)
		return;
	digest_span(&hash, bytes);
	for (i = 0; i < p->known.n; i++)
		if (p->known.document[i].has_hash && digest_eq(&hash, &p->known.document[i].hash))
			p->exact[i] = true;
}

void prints_tell(const struct prints *p, struct inspect_facts *facts)
{
	unsigned i;

	for (i = 0; i < p->known.n; i++)
		facts->known[i] = (struct inspect_known_found){.prints = p->found[i], .exact = p->exact[i]};
}

void prints_end(struct prints *p, uint8_t out[INSPECT_PRINTS_MAX * INSPECT_PRINT_SIZE], unsigned *n)
{
	unsigned i, b;

	for (i = 0; i < p->kept_n; i++)
		for (b = 0; b < INSPECT_PRINT_SIZE; b++)
			out[i * INSPECT_PRINT_SIZE + b] = (uint8_t)(p->kept[i] >> (8 * (INSPECT_PRINT_SIZE - 1 - b)));
	*n = p->kept_n;
}
