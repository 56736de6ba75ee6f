/*
 * See witnesses.h. Called by the verifiers of stores, bundles and checkpoints. Must never count a witness twice, or one
 * whose key nobody vouches for.
 */
#include "policy/ctl/witnesses.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/verify.h"
#include <inttypes.h>
#include <stdlib.h>

int witnesses_options(struct report *r)
{
	_cleanup_buf_ struct buf text = BUF_INIT(QUORUM_TEXT_MAX);
	const char *least = option_value(r->ctl, OPT_WITNESSES), *path = option_value(r->ctl, OPT_WITNESS_POLICY);
	struct why why = {""};
	char *end;
	unsigned long n;
	int x;

	if (least) {
		n = strtoul(least, &end, 10);
		if (*least < '1' || *least > '9' || *end || n > COSIGNATURES_MAX)
			return complain(EXIT_USAGE,
				SAY(r->ctl, "--witnesses: a number from 1 to %d",
					"--witnesses: 1 から %d までの数を指定してください"),
				COSIGNATURES_MAX);
		r->witnesses.has_least = true;
		r->witnesses.least = (unsigned)n;
	}
	if (!path)
		return EXIT_GOOD;
	x = file_read(path, &text);
	x = x ? x : quorum_read(buf_span(&text), &r->witnesses.policy, &why);
	if (!x && r->log.key && !quorum_has_log(r->witnesses.policy, &r->log))
		return complain(
			EXIT_USAGE, SAY(r->ctl, "%s: does not name this log", "%s: このログの記載がありません"), path);
	if (!x)
		return EXIT_GOOD;
	complain_of(r->ctl, path, x, &why);
	return x < 0 ? EXIT_MACHINE : EXIT_USAGE;
}

int witnesses_line(struct report *r, struct span line, const char *place, struct digest *host)
{
	struct witnesses *w = &r->witnesses;
	struct why why = {""};
	struct digest id;
	int x;

	if (w->keys_n == NOTE_SIGNATURES_MAX)
		x = why_set(&why, V_BAD, "more than %d lines", NOTE_SIGNATURES_MAX);
	else
		x = witness_read(line, &id, &w->keys[w->keys_n], &why);
	if (x > 0)
		audit_tell(r->audit, "witness", place, false, 0, NULL, "%s", why.text);
	if (x)
		return x < 0 ? x : V_BAD;
	w->hosts[w->keys_n++] = id;
	if (host)
		*host = id;
	return 0;
}

int witnesses_lines(struct report *r, struct span lines, const char *place)
{
	struct span line;
	int x = 0;

	while (!x && lines.n) {
		if (!text_line(&lines, &line)) {
			audit_tell(r->audit, "witness", place, false, 0, NULL, "%s",
				SAY(r->ctl, "cut off", "途中で切れています"));
			return V_BAD;
		}
		x = witnesses_line(r, line, place, NULL);
	}
	return x;
}

/* Whose is it, of those that are known? *of_policy: the auditor's own. NULL: a stranger's. */
static const struct verifier *known(const struct witnesses *w, const struct cosignature *c, bool *of_policy)
{
	const struct verifier *v = w->policy ? quorum_witness(w->policy, c) : NULL;
	unsigned i;

	*of_policy = v;
	for (i = 0; !v && i < w->keys_n; i++)
		if (!strcmp(w->keys[i].name, c->name) && !memcmp(w->keys[i].hash, c->hash, NOTE_KEY_HASH))
			v = &w->keys[i];
	return v;
}

static void count(struct witnesses *w, const char *name, uint64_t time_s)
{
	unsigned i;

	for (i = 0; i < w->by_n; i++)
		if (!strcmp(w->by[i].name, name))
			return;
	snprintf(w->by[w->by_n].name, sizeof(w->by[0].name), "%s", name);
	w->by[w->by_n++].time_s = time_s;
}

int witnesses_judge(struct report *r, struct span note, uint64_t size, const char *place)
{
	struct witnesses *w = &r->witnesses;
	struct cosignatures c;
	struct why why = {""};
	unsigned i;
	int x = cosignatures_read(note, &r->log, &c, &why);

	if (x > 0)
		audit_tell(r->audit, "log", place, false, 0, NULL, "%s", why.text);
	w->size = size;
	for (i = 0; !x && i < c.n; i++) {
		uint64_t time_s;
		bool of_policy;
		const struct verifier *v = known(w, &c.at[i], &of_policy);

		if (!v)
			continue;
		x = cosignature_check(&c, i, v, &time_s);
		if (x == V_BAD) {
			audit_tell(r->audit, "cosignature", place, false, 0, NULL,
				SAY(r->ctl, "of %s: does not match this checkpoint",
					"%s の連署がこのチェックポイントと一致しません"),
				c.at[i].name);
			x = 0;
			continue;
		}
		if (x)
			break;
		count(w, c.at[i].name, time_s);
		if (of_policy)
			quorum_mark(w->policy, v);
	}
	return x < 0 ? x : 0;
}

void witnesses_end(struct report *r, const char *place)
{
	const struct witnesses *w = &r->witnesses;

	if (!w->has_least && !w->policy)
		return;
	if (w->short_of)
		audit_tell(r->audit, "witness", place, false, 0, NULL, "%s",
			SAY(r->ctl, "what was cosigned does not reach as far",
				"連署されたチェックポイントの範囲外のものがあります"));
	else if (w->has_least && w->by_n < w->least)
		audit_tell(r->audit, "witness", place, false, 0, NULL,
			SAY(r->ctl, "cosigned by %u, %u are asked for", "連署 %u 件(必要数 %u 件)"), w->by_n, w->least);
	else if (w->policy && !quorum_met(w->policy))
		audit_tell(r->audit, "witness", place, false, 0, NULL, "%s",
			SAY(r->ctl, "the policy's quorum is not met", "ポリシーの定足数を満たしていません"));
}

void witnesses_say(const struct report *r)
{
	const struct witnesses *w = &r->witnesses;
	char text[4 * NOTE_NAME_MAX + 1], when[TEXT_TIME_SIZE];
	unsigned i;

	if (!w->by_n)
		return;
	printf(SAY(r->ctl, "The log up to %" PRIu64 " segments is cosigned by %u witnesses:\n",
		       "セグメント %" PRIu64 " 件までのログに %u 件の連署があります:\n"),
		w->size, w->by_n);
	for (i = 0; i < w->by_n; i++) {
		bool has_time = w->by[i].time_s < (uint64_t)INT64_MAX / 1000000;

		printf("  %s  %s\n", text_escape_to(text, sizeof(text), SPAN_STR(w->by[i].name)),
			has_time ? text_time_local(when, (int64_t)w->by[i].time_s * 1000000) : "");
	}
}

void witnesses_deinit(struct witnesses *w)
{
	unsigned i;

	quorum_free(w->policy);
	for (i = 0; i < w->keys_n; i++)
		verifier_deinit(&w->keys[i]);
}
