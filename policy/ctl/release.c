/*
 * `release`: at the PC, the person away from the network reads a challenge and types the answer. `release answer`: at
 * the administrator's, with the release key and the roster of PCs (`host export`), without any network. See
 * policy/wire/RELEASE.md.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/guard_door.h"
#include "policy/wire/api.h"
#include "policy/wire/release_code.h"
#include <errno.h>
#include <inttypes.h>

#define ROSTER_MAX (64u << 20)
#define LINE_SIZE 256

/* One line from the person. False at the end of input. */
static bool prompt(const char *text, char line[LINE_SIZE])
{
	fputs(text, stderr);
	fflush(stderr);
	if (!fgets(line, LINE_SIZE, stdin))
		return false;
	line[strcspn(line, "\r\n")] = 0;
	return true;
}

static int choose_device(struct ctl *c, json_int_t *id)
{
	_cleanup_json_ json_t *ask = json_pack("{s:s}", "ask", "held"), *answer = NULL;
	json_t *devices, *o;
	char a[SHOWN_MAX], b[SHOWN_MAX], line[LINE_SIZE];
	size_t i;
	int r = guard_ask(c, ask, &answer);

	if (r)
		return r;
	devices = json_object_get(answer, "devices");
	if (!json_array_size(devices))
		return complain(EXIT_PROBLEM, SAY(c, "nothing that is plugged in is held", "保護中の機器はありません"));
	if (c->operands_n) {
		*id = strtol(c->operands[0], NULL, 10);
		return EXIT_GOOD;
	}
	json_array_foreach(devices, i, o)
	{
		fprintf(stderr, "%3" PRId64 "  %s  %s\n", (int64_t)json_integer_value(json_object_get(o, "id")),
			door_text(a, o, "product"), door_text(b, o, "serial"));
	}
	*id = json_integer_value(json_object_get(json_array_get(devices, 0), "id"));
	if (json_array_size(devices) == 1)
		return EXIT_GOOD;
	if (!prompt(SAY(c, "which device? ", "どの機器ですか? "), line))
		return EXIT_PROBLEM;
	*id = strtol(line, NULL, 10);
	return EXIT_GOOD;
}

static int say_answer(struct ctl *c, const char *text)
{
	_cleanup_json_ json_t *ask = json_pack("{s:s, s:s}", "ask", "answer", "text", text), *answer = NULL;
	char a[SHOWN_MAX], t[TEXT_TIME_SIZE];
	int r = ask ? guard_ask(c, ask, &answer) : EXIT_USAGE;

	if (r)
		return r;
	printf(SAY(c, "released: %s until %s\n", "解除しました: %s、期限 %s\n"), door_text(a, answer, "access"),
		text_time_local(t, json_integer_value(json_object_get(answer, "until_us"))));
	return EXIT_GOOD;
}

int command_release(struct ctl *c)
{
	_cleanup_json_ json_t *ask = NULL, *answer = NULL;
	char a[SHOWN_MAX], line[LINE_SIZE];
	json_int_t id = 0;
	int r = choose_device(c, &id);

	if (r)
		return r;
	ask = json_pack("{s:s, s:I}", "ask", "challenge", "device", id);
	r = guard_ask(c, ask, &answer);
	if (r)
		return r;
	fputs(SAY(c, "Read this to the administrator:\n\n    ", "次のコードを管理者に伝えてください:\n\n    "), stderr);
	printf("%s\n", door_text(a, answer, "challenge"));
	fflush(stdout);
	fputs("\n", stderr);
	do {
		if (!prompt(SAY(c, "answer: ", "回答コード: "), line) || !*line)
			return EXIT_PROBLEM;
		r = say_answer(c, line);
	} while (r == EXIT_PROBLEM && isatty(STDIN_FILENO));
	return r;
}

/* --- the administrator's side --- */

/* The PC whose id begins so, in the roster. */
static int find_host(struct ctl *c, const struct release_challenge *ch, struct key **key, char name[SHOWN_MAX])
{
	const char *path = option_value(c, OPT_ROSTER);
	_cleanup_buf_ struct buf text = BUF_INIT(ROSTER_MAX);
	_cleanup_json_ json_t *roster = NULL;
	char begin[2 * RELEASE_HOST_SIZE + 1], a[SHOWN_MAX];
	struct why why = {""};
	json_t *o;
	size_t i;
	int r;

	if (!path)
		return complain(EXIT_USAGE, SAY(c, "--roster FILE is missing (sekishoctl host export)",
						    "--roster ファイル を指定してください(sekishoctl host export)"));
	r = file_read(path, &text);
	if (r)
		return complain_of(c, shown(a, path), r, NULL);
	roster = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_array(json_object_get(roster, "hosts")))
		return complain(EXIT_PROBLEM,
			SAY(c, "%s: is no roster (sekishoctl host export)",
				"%s: PC 名簿ではありません(sekishoctl host export)"),
			shown(a, path));
	hex_encode(begin, ch->host, RELEASE_HOST_SIZE);
	json_array_foreach(json_object_get(roster, "hosts"), i, o)
	{
		_cleanup_buf_ struct buf der = BUF_INIT(512);
		const char *id = json_string_value(json_object_get(o, "id"));
		const char *spki = json_string_value(json_object_get(o, "device_key"));

		if (!id || !spki || strncmp(id, begin, strlen(begin)) != 0)
			continue;
		door_text(name, o, "name");
		r = base64_decode(&der, SPAN_STR(spki));
		r = r ? r : key_from_public_der(buf_span(&der), key, &why);
		return r ? complain_of(c, SAY(c, "roster", "名簿"), r, &why) : EXIT_GOOD;
	}
	return complain(
		EXIT_PROBLEM, SAY(c, "no PC of the roster has this challenge's number: is the roster new enough?",
				      "名簿に該当する PC がありません。名簿は最新ですか?"));
}

static int parse_terms(struct ctl *c, struct release_terms *terms)
{
	const char *lasts = option_value(c, OPT_FOR), *access = option_value(c, OPT_ACCESS);
	unsigned long n;
	char *end;

	if (access && strcmp(access, "read-only") != 0 && strcmp(access, "read-write") != 0)
		return complain(EXIT_USAGE, SAY(c, "--access: read-only or read-write",
						    "--access: read-only か read-write を指定してください"));
	terms->write = !access || !strcmp(access, "read-write");
	n = strtoul(lasts ? lasts : "1h", &end, 10);
	if (n > RELEASE_UNITS_MAX * RELEASE_UNIT_S)
		n = 0;
	n *= *end == 'h' ? 3600 : *end == 'm' ? 60 : 0;
	terms->units = (unsigned)((n + RELEASE_UNIT_S - 1) / RELEASE_UNIT_S);
	if (n < RELEASE_UNIT_S || n > RELEASE_UNITS_MAX * RELEASE_UNIT_S || (*end && end[1]))
		return complain(EXIT_USAGE, SAY(c, "--for: 15m to 24h", "--for: 15m から 24h の間で指定してください"));
	return EXIT_GOOD;
}

int command_release_answer(struct ctl *c)
{
	_cleanup_(key_freep) struct key *pc = NULL, *key = NULL;
	const char *path = option_value(c, OPT_KEY);
	uint8_t secret[SECRET_SIZE];
	char challenge[LINE_SIZE] = "", name[SHOWN_MAX] = "", out[RELEASE_TEXT_SIZE], a[SHOWN_MAX];
	struct release_challenge ch;
	struct release_terms terms;
	struct digest host;
	struct why why = {""};
	int r = parse_terms(c, &terms), i;

	if (r)
		return r;
	for (i = 0; i < c->operands_n; i++)
		snprintf(challenge + strlen(challenge), sizeof(challenge) - strlen(challenge), "%s ", c->operands[i]);
	if (release_challenge_parse(challenge, &ch, &why))
		return complain(EXIT_PROBLEM, "%s", SAY(c, why.text, why_ja(&why)));
	if (!path)
		return complain(EXIT_USAGE, SAY(c, "--key FILE is missing", "--key ファイル を指定してください"));
	r = key_load(path, &key, &why);
	if (r)
		return complain_of(c, shown(a, path), r, &why);
	r = find_host(c, &ch, &pc, name);
	if (r)
		return r;
	r = key_id(pc, &host);
	r = r ? r : release_secret(key, pc, secret);
	r = r ? r : release_answer_text(secret, &host, &ch, &terms, out);
	secret_wipe(secret, sizeof(secret));
	if (r)
		return complain_of(c, SAY(c, "answer", "回答"), r, NULL);
	if (option_on(c, OPT_JSON)) {
		_cleanup_json_ json_t *o = json_pack("{s:s, s:s, s:s, s:i}", "answer", out, "host", name, "access",
			terms.write ? "read-write" : "read-only", "minutes", terms.units * RELEASE_UNIT_S / 60);

		return say_json(o);
	}
	fprintf(stderr, SAY(c, "%s, device %02x%02x%02x: %s for %u minutes\n", "%s、機器 %02x%02x%02x: %s、%u 分間\n"),
		name, ch.device[0], ch.device[1], ch.device[2], terms.write ? "read-write" : "read-only",
		terms.units * RELEASE_UNIT_S / 60);
	puts(out);
	return EXIT_GOOD;
}

/* The roster: names, ids and public keys of the PCs. Nothing in it is secret. */
int command_host_export(struct ctl *c)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = door_hosts(c, &answer);

	return r ? r : say_json(answer);
}
