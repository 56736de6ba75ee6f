/*
 * `sekishoctl timestamp`: has the log's newest checkpoint stamped by an authority that is not ours (RFC 3161), once a
 * day by its timer. Reads the log, and writes into a folder of its own; it has no key of ours and can change nothing of
 * the store, because it speaks with the network. What it gets is verified before it is kept.
 */
#include "collector/store/store.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/timestamps.h"
#include "policy/ctl/verify.h"
#include "policy/wire/server_conf.h"
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>

#define TIMEOUT_S 60L
#define VKEY_MAX 4096u
#define KEPT CONFINE_CAP(CAP_DAC_OVERRIDE) /* by root's hand: the folders are the collector's */

DEFINE_CLEANUP(CURL *, curl_easy_cleanup)
DEFINE_CLEANUP(struct curl_slist *, curl_slist_free_all)

struct stamping {
	struct ctl *c;
	struct timestamp_settings s;
	struct timestamp_trust *trust;
	struct verifier log;
	struct buf note, request, reply;
	struct checkpoint head;
};

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
	return buf_put(ctx, p, size * n) ? 0 : size * n;
}

/* RFC 3161 section 3.4. What comes is judged by its signature, whichever way it came. */
static int ask(struct stamping *x, struct why *why)
{
	_cleanup_(curl_slist_free_allp) struct curl_slist *head =
		curl_slist_append(NULL, "Content-Type: " TIMESTAMP_REQUEST_TYPE);
	_cleanup_(curl_easy_cleanupp) CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode r;

	if (!head || !curl)
		return -ENOMEM;
	curl_easy_setopt(curl, CURLOPT_URL, x->s.url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, head);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &x->reply);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->request.n);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)x->request.p);
	r = curl_easy_perform(curl);
	if (r == CURLE_WRITE_ERROR)
		return why_set(why, V_BAD, "the answer is larger than it can be");
	if (r)
		return why_set(why, V_BAD, "%s", curl_easy_strerror(r));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200 ? 0 : why_set(why, V_BAD, "HTTP %ld", status);
}

/* The published checkpoint, and that it is the log's. EXIT_*. */
static int newest(struct stamping *x)
{
	_cleanup_buf_ struct buf key = BUF_INIT(VKEY_MAX);
	char room[PATH_MAX], beside[PATH_MAX], folder[PATH_MAX - 16];
	const char *place = store_path(x->c, room, sizeof(room)), *path = option_value(x->c, OPT_LOG_KEY);
	struct store_options o = {.dir = place};
	struct store *store;
	struct why why = {""};
	int r;

	if (snprintf(beside, sizeof(beside), "%s/../log.vkey", store_folder(place, folder, sizeof(folder))) >=
		(int)sizeof(beside))
		return complain_of(x->c, place, -ENAMETOOLONG, NULL);
	path = path ? path : beside;
	r = file_read(path, &key);
	r = r ? r : verifier_decode(buf_span(&key), &x->log, &why);
	if (r)
		return complain_of(x->c, path, r, &why);
	r = store_open(&o, &store, &why);
	if (r)
		return complain_of(x->c, place, r, &why);
	r = buf_put_span(&x->note, store_checkpoint(store));
	store_close(store);
	if (!r && !x->note.n)
		return EXIT_GOOD;
	r = r ? r : checkpoint_verify(buf_span(&x->note), &x->log, &x->head, &why);
	return r ? complain_of(x->c, place, r, &why) : EXIT_GOOD;
}

static int keep(struct stamping *x, const struct timestamp *t)
{
	char path[PATH_MAX], when[TEXT_TIME_SIZE], who[SHOWN_MAX];
	int r;

	stamp_path(path, x->s.folder, x->head.size, "checkpoint");
	r = file_replace(path, buf_span(&x->note), 0644);
	if (!r) {
		stamp_path(path, x->s.folder, x->head.size, "tsr");
		r = file_replace(path, buf_span(&x->reply), 0644);
	}
	if (r)
		return complain_of(x->c, path, r, NULL);
	if (option_on(x->c, OPT_JSON)) {
		_cleanup_json_ json_t *o = json_pack("{s:I, s:s, s:s, s:s}", "size", (json_int_t)x->head.size, "time",
			text_time_utc(when, t->time_us), "signer", t->signer, "token", path);

		return o ? say_json(o) : complain_of(x->c, path, -ENOMEM, NULL);
	}
	printf(SAY(x->c, "%" PRIu64 " segments stamped at %s by %s: %s\n",
		       "セグメント %" PRIu64 " 件に %s のタイムスタンプを取得しました(%s): %s\n"),
		x->head.size, text_time_local(when, t->time_us), shown(who, t->signer), path);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

static int stamp(struct stamping *x)
{
	struct timestamp t;
	struct why why = {""};
	uint64_t before;
	int r = newest(x);

	if (r)
		return r;
	r = stamp_find(x->s.folder, UINT64_MAX, UINT64_MAX, &before);
	if (r)
		return complain_of(x->c, x->s.folder, r, NULL);
	if (!x->head.size || before >= x->head.size) {
		if (!option_on(x->c, OPT_QUIET))
			puts(SAY(x->c, "nothing new since the last one", "前回から新しい記録はありません"));
		return EXIT_GOOD;
	}
	r = timestamp_request(buf_span(&x->note), &x->request);
	r = r ? r : ask(x, &why);
	r = r ? r
	      : timestamp_verify(x->trust, buf_span(&x->reply), buf_span(&x->note), buf_span(&x->request), &t, &why);
	return r ? complain_of(x->c, x->s.url, r, &why) : keep(x, &t);
}

int command_timestamp(struct ctl *c)
{
	struct stamping x = {.c = c,
		.note = BUF_INIT(NOTE_SIZE_MAX),
		.request = BUF_INIT(TIMESTAMP_MAX),
		.reply = BUF_INIT(TIMESTAMP_MAX)};
	const char *config = option_value(c, OPT_CONFIG);
	struct why why = {""};
	int r = confine_power(KEPT, CONFINE_SERVER);

	if (r)
		return complain_of(c, SAY(c, "giving up privileges", "権限の放棄"), r, NULL);
	r = timestamp_settings_load(config, &x.s, &why);
	if (r)
		return complain_of(c, config ? config : SERVER_CONF_PATH, r, &why);
	if (!x.s.url[0] || !x.s.ca[0])
		return complain(EXIT_USAGE,
			SAY(c, "no authority is set: url and ca in %s", "認証局が設定されていません: %s の url と ca"),
			config ? config : SERVER_CONF_PATH);
	r = timestamp_trust_load(x.s.ca, &x.trust, &why);
	r = r ? complain_of(c, x.s.ca, r, &why) : stamp(&x);
	timestamp_trust_free(x.trust);
	verifier_deinit(&x.log);
	buf_deinit(&x.note);
	buf_deinit(&x.request);
	buf_deinit(&x.reply);
	return r;
}
