/*
 * Options to filter: times, kinds, classes, numbers. See log_filter.h. Wrong words are refused with the right ones
 * beside.
 */
#include "policy/ctl/log_filter.h"
#include "policy/base/text.h"
#include <errno.h>
#include <strings.h>

#define WORD_MAX 64 /* longer ones are no names of ours */

static int one_time(const struct ctl *c, int id, const char *name, int64_t now_us, int64_t *out)
{
	const char *v = option_value(c, id);
	char text[SHOWN_MAX];

	if (!v || !text_time_parse(v, now_us, out))
		return EXIT_GOOD;
	return complain(EXIT_USAGE,
		SAY(c, "--%s: \"%s\" is no time (2026-11-23T10:00+09:00, \"2026-11-23 10:00\", 10:00, -2h)",
			"--%s: 「%s」は日時ではありません(2026-11-23T10:00+09:00, \"2026-11-23 10:00\", 10:00, -2h)"),
		name, shown(text, v));
}

/* The next word of "a,b,c" into `word`, cut where it is too long; false behind the last. */
static bool next_word(const char **rest, char word[WORD_MAX])
{
	size_t n;

	if (!*rest)
		return false;
	n = strcspn(*rest, ",");
	snprintf(word, WORD_MAX, "%.*s", (int)n, *rest);
	*rest = (*rest)[n] ? *rest + n + 1 : NULL;
	return true;
}

/* "names of an enumeration, ..." into their values. */
static int words(const struct ctl *c, const char *list, unsigned field, const char *name, unsigned *out, unsigned *n)
{
	char word[WORD_MAX], text[SHOWN_MAX];

	while (next_word(&list, word)) {
		const struct enum_info *e = enum_by_name(field, word);
		size_t i;

		if (!e) {
			complain(0,
				SAY(c, "--%s: there is no \"%s\"; there are:", "--%s: 「%s」はありません。使えるもの:"),
				name, shown(text, word));
			for (i = 0; (e = enum_at(i)); i++)
				if (e->field == field)
					fprintf(stderr, "  %-16s %s\n", e->name, SAY(c, e->en, e->ja));
			return EXIT_USAGE;
		}
		if (*n == STORE_FILTER_MAX)
			return complain(
				EXIT_USAGE, SAY(c, "--%s: at most %d", "--%s: %d 個までです"), name, STORE_FILTER_MAX);
		out[(*n)++] = (unsigned)e->value;
	}
	return EXIT_GOOD;
}

int log_filter(const struct ctl *c, int64_t now_us, struct store_filter *out)
{
	struct store_filter f = {
		.host = option_value(c, OPT_HOST),
		.user = option_value(c, OPT_USER),
		.program = option_value(c, OPT_PROGRAM),
		.path = option_value(c, OPT_PATH),
		.text = option_value(c, OPT_TEXT),
		.newest_first = option_on(c, OPT_NEWEST),
	};
	const char *limit = option_value(c, OPT_LIMIT);
	unsigned i;
	int r = one_time(c, OPT_SINCE, "since", now_us, &f.from_us);

	r = r ? r : one_time(c, OPT_UNTIL, "until", now_us, &f.until_us);
	for (i = 0; !r && i < c->given_n; i++) {
		if (c->given[i].id == OPT_KIND)
			r = words(c, c->given[i].value, F_KIND, "kind", f.kinds, &f.kinds_n);
		else if (c->given[i].id == OPT_CLASS)
			r = words(c, c->given[i].value, F_CLASS, "class", f.classes, &f.classes_n);
	}
	if (r)
		return r;
	if (f.from_us && f.until_us && f.from_us >= f.until_us)
		return complain(EXIT_USAGE, SAY(c, "--since is not before --until", "--since が --until より後です"));
	if (limit) {
		char *end;
		unsigned long v;

		errno = 0;
		v = strtoul(limit, &end, 10);
		if (errno || *end || *limit < '0' || *limit > '9' || !v || v > UINT32_MAX)
			return complain(EXIT_USAGE,
				SAY(c, "--limit: a number from 1 on", "--limit: 1 以上の数を指定してください"));
		f.limit = (unsigned)v;
	}
	*out = f;
	return EXIT_GOOD;
}

int log_facts(const struct ctl *c, struct fact *facts, unsigned *n)
{
	struct why why = {""};
	char text[SHOWN_MAX];
	unsigned i;

	*n = 0;
	for (i = 0; i < c->given_n; i++) {
		if (c->given[i].id != OPT_FACT)
			continue;
		if (*n == FACTS_MAX)
			return complain(EXIT_USAGE, SAY(c, "--fact: at most %u", "--fact: %u 個までです"), FACTS_MAX);
		if (fact_parse(c->given[i].value, &facts[*n], &why))
			return complain(EXIT_USAGE, "--%s (\"%s\")", why.text, shown(text, c->given[i].value));
		(*n)++;
	}
	return EXIT_GOOD;
}

int log_fields(const struct ctl *c, unsigned fields[FIELD_MAX + 1])
{
	const char *list = option_value(c, OPT_FIELDS);
	char word[WORD_MAX], text[SHOWN_MAX];
	unsigned n = 0, f;

	if (!list) {
		/* When first: what a reader sorts by. */
		fields[n++] = F_TIME;
		for (f = 1; f <= FIELD_MAX; f++)
			if (field_table[f].name && f != F_TIME)
				fields[n++] = f;
		fields[n] = 0;
		return EXIT_GOOD;
	}
	while (next_word(&list, word)) {
		/* The PC is the first column of every row. */
		if (!strcmp(word, "host"))
			continue;
		f = field_by_name(word);
		if (!f || n == FIELD_MAX) {
			complain(0,
				SAY(c, "--fields: there is no \"%s\"; there are:",
					"--fields: 「%s」はありません。使えるもの:"),
				shown(text, word));
			for (f = 1; f <= FIELD_MAX; f++)
				if (field_table[f].name)
					fprintf(stderr, "  %-16s %s\n", field_table[f].name,
						SAY(c, field_table[f].en, field_table[f].ja));
			return EXIT_USAGE;
		}
		fields[n++] = f;
	}
	fields[n] = 0;
	return EXIT_GOOD;
}

struct named {
	const char *want;
	bool there;
};

static int on_host(void *ctx, const struct store_host *h)
{
	char hex[2 * DIGEST_SIZE + 1];
	struct named *n = ctx;

	n->there |= !strcmp(h->name, n->want) ||
		    !strncasecmp(hex_encode(hex, h->id.b, DIGEST_SIZE), n->want, strlen(n->want));
	return n->there ? V_END : 0;
}

int host_is_there(const struct ctl *c, struct store *s)
{
	struct named n = {.want = option_value(c, OPT_HOST)};
	char a[SHOWN_MAX];
	int r = n.want ? store_host_each(s, on_host, &n) : 0;

	if (!n.want || r == V_END || r < 0 || n.there)
		return EXIT_GOOD;
	return complain(EXIT_PROBLEM,
		SAY(c, "there is no PC \"%s\" (sekishoctl host list)", "PC「%s」はありません(sekishoctl host list)"),
		shown(a, n.want));
}

int store_to_search(const struct ctl *c, struct store **out)
{
	_cleanup_(store_closep) struct store *s = NULL;
	struct store_options o = {.dir = NULL};
	struct why why = {""};
	char room[PATH_MAX];
	int r;

	*out = NULL;
	o.dir = store_path(c, room, sizeof(room));
	r = store_open(&o, &s, &why);
	if (r)
		return complain_of(c, o.dir, r, &why);
	r = host_is_there(c, s);
	if (!r)
		*out = STEAL(s);
	return r;
}
