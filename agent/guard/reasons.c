/*
 * Why: what people say of themselves where the policy asks for it (policy.yaml(5)): the purpose for which they open
 * files of an area (`purpose_minutes`), and why they wrote a file to a drive (`ask_reason`). Asked at the desk by the
 * person; what is said is a signed record before anything follows from it. Called by desk.c, written.c, refuse.c and
 * the loop.
 *
 * A file that nobody gave a reason for within REASON_WAIT_US, or before the guard ends, is a record too. Whose word it
 * is: the user who signed in, else the user of the process (as for who opens a file, refuse_door.c); of a file whose
 * writer had ended, who written.c takes for it.
 */
#include "agent/guard/guard.h"
#include "agent/guard/written.h"
#include "agent/service/purposes.h"
#include "agent/service/service.h"
#include "policy/base/clock.h"
#include <errno.h>
#include <jansson.h>

#define FILES_MAX 64u      /* that a reason is waited for; the oldest goes unsaid for another one */
#define AREAS_TOLD_MAX 32u /* who was refused files of which area */
#define AREA_FRESH_US (600ll * 1000000)
#define REASON_WAIT_US (3600ll * 1000000) /* that the PC is awake */
#define AREA_ITEM "area:"
#define FILE_ITEM "file:"

struct wanted {
	uint32_t uid;
	int64_t boot_us; /* 0: free */
	bool purpose;    /* a purpose is all that is missing */
	char area[POLICY_NAME_SIZE];
};

struct reasons {
	struct purposes purposes;
	struct wanted wanted[AREAS_TOLD_MAX];
	struct reason_file *files; /* the oldest first */
	unsigned files_n, last_id;
};

int reasons_open(struct guard *g)
{
	g->reasons = calloc(1, sizeof(*g->reasons));
	if (!g->reasons)
		return -ENOMEM;
	purposes_init(&g->reasons->purposes, g->orders_path);
	return 0;
}

/* --- files that were written to a drive --- */

static void file_free(struct reason_file *f)
{
	free(f->path);
	free(f);
}

static struct reason_file *file_take(struct reasons *q, struct reason_file **at)
{
	struct reason_file *f = *at;

	*at = f->next;
	q->files_n--;
	return f;
}

static void missing(struct guard *g, struct reason_file **at)
{
	struct reason_file *f = file_take(g->reasons, at);

	tell_reason(g, f, 0, NULL);
	file_free(f);
}

void reasons_ask(struct guard *g, const struct written_file *w, const char *path, const struct digest *hash,
	const char *rule, uint32_t uid)
{
	struct reasons *q = g->reasons;
	struct reason_file *f, **at;

	/* Written once more: the newest is what the reason is for. */
	for (at = &q->files; *at; at = &(*at)->next)
		if ((*at)->dev == w->dev && (*at)->ino == w->ino && (*at)->uid == uid) {
			file_free(file_take(q, at));
			break;
		}
	if (q->files && q->files_n >= FILES_MAX)
		missing(g, &q->files);
	f = calloc(1, sizeof(*f));
	if (f)
		f->path = strdup(path);
	if (!f || !f->path) {
		free(f);
		guard_fail(g, -ENOMEM, "asking for a reason");
		return;
	}
	f->id = ++q->last_id;
	f->uid = uid;
	f->dev = w->dev;
	f->ino = w->ino;
	f->since_awake_us = clock_awake_us();
	f->since_wall_us = clock_wall_us();
	f->has_hash = hash != NULL;
	if (hash)
		f->hash = *hash;
	snprintf(f->device, sizeof(f->device), "%s", w->device);
	snprintf(f->rule, sizeof(f->rule), "%s", rule);
	for (at = &q->files; *at; at = &(*at)->next)
		;
	*at = f;
	q->files_n++;
}

void reasons_run(struct guard *g, int64_t now_awake_us)
{
	while (g->reasons->files && now_awake_us >= g->reasons->files->since_awake_us + REASON_WAIT_US)
		missing(g, &g->reasons->files);
}

int64_t reasons_due(const struct guard *g)
{
	return g->reasons->files ? g->reasons->files->since_awake_us + REASON_WAIT_US : INT64_MAX;
}

void reasons_stop(struct guard *g)
{
	while (g->reasons->files)
		missing(g, &g->reasons->files);
}

void reasons_close(struct guard *g)
{
	if (!g->reasons)
		return;
	while (g->reasons->files)
		file_free(file_take(g->reasons, &g->reasons->files));
	free(STEAL(g->reasons));
}

/* --- areas --- */

bool reasons_wanted(struct guard *g, const char *area, uint32_t uid, bool purpose, int64_t now)
{
	struct wanted *oldest = g->reasons->wanted, *w;
	bool is_new;

	for (w = g->reasons->wanted; w < g->reasons->wanted + AREAS_TOLD_MAX; w++) {
		if (w->boot_us && w->uid == uid && w->purpose == purpose && !strcmp(w->area, area))
			break;
		if (w->boot_us < oldest->boot_us)
			oldest = w;
	}
	if (w == g->reasons->wanted + AREAS_TOLD_MAX) {
		w = oldest;
		w->boot_us = 0;
	}
	is_new = !w->boot_us || now >= w->boot_us + AREA_FRESH_US;
	if (is_new) {
		*w = (struct wanted){.uid = uid, .boot_us = now, .purpose = purpose};
		snprintf(w->area, sizeof(w->area), "%s", area);
	}
	return is_new;
}

static int area_of(const struct policy *p, const char *name)
{
	unsigned i;

	for (i = 0; i < policy_areas_n(p); i++)
		if (!strcmp(policy_area_name(p, i), name))
			return policy_area_purpose_s(p, i) ? (int)i : -1;
	return -1;
}

/* --- the desk --- */

static uint32_t person(pid_t pid, uid_t uid)
{
	uint32_t login = service_login_uid((uint32_t)pid);

	return login != UINT32_MAX ? login : uid;
}

static void put_area(json_t *list, const char *area, const char *key, int64_t wall_us)
{
	char item[sizeof(AREA_ITEM) + POLICY_NAME_SIZE];

	snprintf(item, sizeof(item), AREA_ITEM "%s", area);
	json_array_append_new(list, json_pack("{s:s, s:I}", "item", item, key, (json_int_t)wall_us));
}

struct json_t *reasons_list(struct guard *g, pid_t pid, uid_t uid)
{
	const struct policy *p = g->orders.policy;
	int64_t now = clock_boot_us(), wall = clock_wall_us(), until;
	uint32_t who = person(pid, uid);
	const struct reason_file *f;
	const struct wanted *w;
	json_t *list = json_array();
	char item[32];
	unsigned i;
	int at;

	for (i = 0; i < policy_areas_n(p); i++) {
		until = policy_area_purpose_s(p, i)
				? purposes_until(&g->reasons->purposes, policy_area_name(p, i), who, now)
				: 0;
		if (until)
			put_area(list, policy_area_name(p, i), "until_us", wall + until - now);
	}
	for (w = g->reasons->wanted; w < g->reasons->wanted + AREAS_TOLD_MAX; w++)
		if (w->boot_us && w->purpose && w->uid == who && now < w->boot_us + AREA_FRESH_US &&
			(at = area_of(p, w->area)) >= 0 &&
			purposes_lack(&g->reasons->purposes, p, (unsigned)at, who, now))
			put_area(list, w->area, "asked_us", wall + w->boot_us - now);
	for (f = g->reasons->files; f; f = f->next) {
		if (f->uid != who)
			continue;
		snprintf(item, sizeof(item), FILE_ITEM "%u", f->id);
		json_array_append_new(
			list, json_pack("{s:s, s:s%, s:s, s:I}", "item", item, "path", f->path, strlen(f->path), "rule",
				      f->rule, "asked_us", (json_int_t)f->since_wall_us));
	}
	return (struct json_t *)json_pack("{s:o}", "items", list);
}

static json_t *unrecorded(void)
{
	return service_refusal("unrecorded", "the record cannot be written: it is as if nothing was said",
		"記録を書き込めないため、受け付けられません");
}

static json_t *give_area(struct guard *g, const char *area, const char *text, pid_t pid, uid_t uid)
{
	int64_t now = clock_boot_us(), length, until;
	uint32_t who = person(pid, uid);
	int i = area_of(g->orders.policy, area), r;

	if (i < 0)
		return service_refusal("item", "the policy in force has no such area that asks for a purpose",
			"適用中のポリシーに、利用目的の入力が必要なその区域はありません");
	/* Before it is a record: one of a purpose that was refused would say that the area was open to him. */
	if (purposes_room(&g->reasons->purposes, area, who, now))
		return service_refusal("full", "too many purposes hold on this PC: again in a while",
			"このPCで有効な利用目的が多すぎます。しばらくしてからやり直してください");
	length = (int64_t)policy_area_purpose_s(g->orders.policy, (unsigned)i) * 1000000;
	until = clock_wall_us() + length;
	if (!tell_purpose(g, pid, uid, who, area, until, text))
		return unrecorded();
	r = purposes_add(&g->reasons->purposes, area, who, now + length, now);
	if (r) {
		guard_fail(g, r, "keeping a purpose");
		return service_refusal("failed", "the guard failed", "ガードで障害が発生しました");
	}
	return json_pack("{s:s+, s:I}", "item", AREA_ITEM, area, "until_us", (json_int_t)until);
}

static json_t *give_file(struct guard *g, const char *number, const char *text, pid_t pid, uid_t uid)
{
	unsigned long id = strtoul(number, NULL, 10);
	uint32_t who = person(pid, uid);
	struct reason_file **at;

	for (at = &g->reasons->files; *at && ((*at)->id != id || (*at)->uid != who); at = &(*at)->next)
		;
	/* Of others' it is not said that they are there. */
	if (!*at)
		return service_refusal(
			"item", "no reason of yours is waited for there", "あなたの理由が必要な項目ではありません");
	if (!tell_reason(g, *at, uid, text))
		return unrecorded();
	file_free(file_take(g->reasons, at));
	return json_pack("{s:s+}", "item", FILE_ITEM, number);
}

struct json_t *reasons_give(struct guard *g, const struct json_t *ask, pid_t pid, uid_t uid)
{
	const json_t *o = (const json_t *)ask;
	const char *item = json_string_value(json_object_get(o, "item"));
	const char *text = service_reason(o, "text");
	json_t *answer;

	if (!text)
		return (struct json_t *)service_no_reason();
	answer = item && !strncmp(item, AREA_ITEM, strlen(AREA_ITEM))
			 ? give_area(g, item + strlen(AREA_ITEM), text, pid, uid)
		 : item && !strncmp(item, FILE_ITEM, strlen(FILE_ITEM))
			 ? give_file(g, item + strlen(FILE_ITEM), text, pid, uid)
			 : service_refusal("item", "an item is area:NAME or file:NUMBER",
				   "項目は area:名前 または file:番号 で指定してください");
	return (struct json_t *)answer;
}
