/*
 * The folder of timestamps, read and judged. See timestamps.h.
 */
#include "policy/ctl/timestamps.h"
#include "collector/store/store.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/verify.h"
#include "policy/wire/server_conf.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

static const struct conf_key keys[] = {
	CONF_KEY(struct timestamp_settings, "url", CONF_STR, url, sizeof(((struct timestamp_settings *)0)->url), 0, 0,
		"the timestamp authority (RFC 3161 by HTTP)"),
	CONF_KEY(struct timestamp_settings, "ca", CONF_STR, ca, sizeof(((struct timestamp_settings *)0)->ca), 0, 0,
		"certificates that say who the authority is (PEM)"),
	CONF_KEY(struct timestamp_settings, "folder", CONF_STR, folder,
		sizeof(((struct timestamp_settings *)0)->folder), 0, 0, "where checkpoints and tokens are kept"),
	{NULL, 0, 0, 0, 0, 0, NULL},
};

int timestamp_settings_load(const char *path, struct timestamp_settings *out, struct why *why)
{
	*out = (struct timestamp_settings){.url = ""};
	layout_path(out->folder, sizeof(out->folder), STAMPS_FOLDER);
	return server_conf_load(path, SERVER_TIMESTAMP, keys, out, why);
}

static int is_checkpoint(const struct dirent *e)
{
	uint64_t size;

	return stamp_name(e->d_name, "checkpoint", &size);
}

struct stamped {
	struct report *report;
	struct store *store;
	const struct digest *root;
	uint64_t size;
	struct buf note, reply;
};

/* Of the same log as what is judged: that goes on from it, or it is of what a running collector has signed since. */
static int same_log(struct stamped *x, const struct checkpoint *stamped)
{
	struct checkpoint judged = {.size = x->size, .root = *x->root};
	const struct checkpoint *from = stamped, *to = &judged;
	struct merkle_proof proof = {.n = 0};
	int v = 0;

	if (stamped->size > x->size) {
		from = &judged;
		to = stamped;
		v = store_refresh(x->store);
	}
	v = v ? v : store_consistency_of(x->store, from->size, to->size, &proof);
	if (v)
		return v;
	return merkle_verify_consistency(from->size, &from->root, to->size, &to->root, &proof) ? V_DENIED : 0;
}

static int judge_checkpoint(struct stamped *x, uint64_t size, struct why *why)
{
	struct report *r = x->report;
	struct checkpoint head;
	int v = checkpoint_verify(buf_span(&x->note), &r->log, &head, why);

	if (v)
		return v;
	v = head.size == size ? same_log(x, &head) : V_NOT_FOUND;
	if (v == V_NOT_FOUND)
		v = why_set(why, V_BAD, "%s",
			SAY(r->ctl, "is of another size than its name or the log",
				"名前またはログと大きさが異なります"));
	else if (v == V_DENIED)
		v = why_set(why, V_BAD, "%s", SAY(r->ctl, "is not of this log", "このログのものではありません"));
	return v;
}

static int judge_one(struct stamped *x, const char *folder, const char *name, bool last)
{
	struct report *r = x->report;
	struct timestamps *t = &r->timestamps;
	char path[PATH_MAX], token[PATH_MAX];
	struct timestamp stamp;
	struct why why = {""};
	uint64_t size = 0;
	int v;

	stamp_name(name, "checkpoint", &size);
	stamp_path(path, folder, size, "checkpoint");
	stamp_path(token, folder, size, "tsr");
	buf_clear(&x->note);
	buf_clear(&x->reply);
	v = file_read(path, &x->note);
	v = v ? v : judge_checkpoint(x, size, &why);
	if (!v) {
		memcpy(path, token, sizeof(path));
		v = file_read(path, &x->reply);
		if (v == V_NOT_FOUND && last)
			return 0; /* being asked for */
	}
	if (!v && !t->trust) {
		t->unjudged++;
		return 0;
	}
	v = v ? v : timestamp_verify(t->trust, buf_span(&x->reply), buf_span(&x->note), SPAN(NULL, 0), &stamp, &why);
	if (v > 0) {
		audit_tell(r->audit, "timestamp", path, false, 0, NULL, "%s",
			why.text[0] ? why.text : SAY(r->ctl, "is not there", "ありません"));
		return 0;
	}
	if (v)
		return v;
	t->good++;
	t->size = size;
	t->newest = stamp;
	return 0;
}

static int judge_folder(struct stamped *x, const char *folder)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, is_checkpoint, alphasort), i, v = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (i = 0; i < n; i++) {
		v = v ? v : judge_one(x, folder, names[i]->d_name, i == n - 1);
		free(names[i]);
	}
	free(names);
	return v;
}

int timestamps_trust(struct report *r, const char *ca)
{
	struct why why = {""};
	int x = ca ? timestamp_trust_load(ca, &r->timestamps.trust, &why) : 0;

	return x ? complain_of(r->ctl, ca, x, &why) : EXIT_GOOD;
}

int timestamps_options(struct report *r)
{
	struct timestamps *t = &r->timestamps;
	const char *folder = option_value(r->ctl, OPT_TIMESTAMPS), *ca = option_value(r->ctl, OPT_TSA_CA);
	struct timestamp_settings own = {.url = ""};
	struct why why = {""};

	if (!folder && !option_value(r->ctl, OPT_STORE)) {
		int x = timestamp_settings_load(NULL, &own, &why);

		if (x)
			return complain_of(r->ctl, SERVER_CONF_PATH, x, &why);
		folder = own.folder;
		ca = ca || !own.ca[0] ? ca : own.ca;
	}
	if (folder && snprintf(t->folder, sizeof(t->folder), "%s", folder) >= (int)sizeof(t->folder))
		return complain_of(r->ctl, folder, -ENAMETOOLONG, NULL);
	return timestamps_trust(r, ca);
}

int timestamps_judge(struct report *r, struct store *s, uint64_t size, const struct digest *root)
{
	struct stamped x = {.report = r,
		.store = s,
		.root = root,
		.size = size,
		.note = BUF_INIT(NOTE_SIZE_MAX),
		.reply = BUF_INIT(TIMESTAMP_MAX)};
	int v = r->timestamps.folder[0] ? judge_folder(&x, r->timestamps.folder) : 0;

	buf_deinit(&x.note);
	buf_deinit(&x.reply);
	return v;
}

void timestamps_deinit(struct timestamps *t)
{
	timestamp_trust_free(t->trust);
}

void timestamps_say(const struct report *r)
{
	const struct timestamps *t = &r->timestamps;
	char when[TEXT_TIME_SIZE], who[4 * sizeof(t->newest.signer) + 1];

	if (t->good)
		printf(SAY(r->ctl, "%u timestamps: %" PRIu64 " segments were there at the latest at %s, says %s\n",
			       "タイムスタンプ %u 件: セグメント %" PRIu64 " 件は遅くとも %s に存在(%s による)\n"),
			t->good, t->size, text_time_local(when, t->newest.time_us),
			text_escape_to(who, sizeof(who), SPAN_STR(t->newest.signer)));
	if (t->unjudged)
		printf(SAY(r->ctl, "%u timestamps not checked (no --tsa-ca)\n",
			       "タイムスタンプ %u 件は未検証(--tsa-ca なし)\n"),
			t->unjudged);
}
