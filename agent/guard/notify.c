/*
 * Notifications on the desktop. See notify.h.
 */
#include "agent/guard/notify.h"
#include "agent/notice/notices.h"
#include "policy/base/clock.h"
#include "policy/trust/digest.h"
#include <errno.h>
#include <time.h>

#define UNSAID_AGAIN_US (60ll * 1000000) /* a PC that never shows anything is not asked for each file */

struct notify {
	struct digest told[NOTIFY_CAUSES_MAX], device[NOTIFY_CAUSES_MAX];
	int64_t until_boot_us[NOTIFY_CAUSES_MAX]; /* then it may be told again; 0: until the device is unplugged */
	uint32_t id[NOTIFY_CAUSES_MAX], last_id;
	unsigned told_n, next;
	struct notices notices;
};

/* Nobody saw it: the same cause may be told again, after a while. */
static void unsaid(void *ctx, uint32_t id)
{
	struct notify *n = ctx;
	unsigned i;

	for (i = 0; i < n->told_n; i++)
		if (n->id[i] == id)
			n->until_boot_us[i] = clock_boot_us() + UNSAID_AGAIN_US;
}

int notify_new(struct notify **out)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return -ENOMEM;
	(*out)->notices.unsaid = unsaid;
	(*out)->notices.ctx = *out;
	return 0;
}

void notify_free(struct notify *n)
{
	free(n);
}

/* --- once per cause --- */

static void device_key(const struct device *d, struct digest *out)
{
	const struct span parts[] = {SPAN(&d->vendor, sizeof(d->vendor)), SPAN(&d->product, sizeof(d->product)),
		SPAN(d->serial, strlen(d->serial) + 1), SPAN(d->port, strlen(d->port) + 1)};

	digest_of(out, parts, ARRAY_SIZE(parts));
}

/* `of` is a device's key, or a person's; `lasts_us` 0: until notify_forget. Where it was not, last_id is its number. */
static bool told_before(struct notify *n, enum notice what, const struct digest *of, const char *rule, int64_t lasts_us)
{
	const struct span parts[] = {SPAN(of, sizeof(*of)), SPAN(&what, sizeof(what)), SPAN(rule, strlen(rule))};
	int64_t now = clock_boot_us();
	struct digest cause;
	unsigned i;

	digest_of(&cause, parts, ARRAY_SIZE(parts));
	for (i = 0; i < n->told_n; i++)
		if (digest_eq(&n->told[i], &cause) && (!n->until_boot_us[i] || now < n->until_boot_us[i]))
			return true;
	n->told[n->next] = cause;
	n->device[n->next] = *of;
	n->until_boot_us[n->next] = lasts_us ? now + lasts_us : 0;
	n->last_id = n->last_id == UINT32_MAX ? 1 : n->last_id + 1;
	n->id[n->next] = n->last_id;
	n->next = (n->next + 1) % NOTIFY_CAUSES_MAX;
	if (n->told_n < NOTIFY_CAUSES_MAX)
		n->told_n++;
	return false;
}

void notify_forget(struct notify *n, const struct device *d)
{
	struct digest device;
	unsigned i;

	device_key(d, &device);
	for (i = 0; i < n->told_n; i++)
		if (digest_eq(&n->device[i], &device))
			memset(&n->told[i], 0, sizeof(n->told[i]));
}

/* --- texts --- */

struct words {
	const char *summary, *body;
};

static const struct words english[] = {
	[NOTICE_READ_ONLY] = {"This drive is read-only here",
		"You can open what is on it. Writing needs the administrator's approval."},
	[NOTICE_DENIED] = {"This device is not allowed here",
		"It is not used by this PC. If you need it, ask the administrator."},
	[NOTICE_WITHDRAWN] = {"The approval of this device has ended",
		"What was saved until now is on it. If you need it longer, ask the administrator."},
	[NOTICE_APPROVED] = {"This device is approved", "You can use it. What is done with it is recorded."},
	[NOTICE_TWIN] = {"Two devices have the same serial number",
		"Neither can be written to while both are plugged in. Unplug one, and tell the administrator."},
	[NOTICE_RELEASED] = {"This device is released for a while",
		"You can use it until %s, or until you unplug it. What is done with it is recorded."},
	[NOTICE_RELEASE_END] = {"The release of this device has ended",
		"What was saved until now is on it. If you need it longer, ask the administrator for another code."},
	[NOTICE_WRITTEN] = {"Take care of what you saved on this drive",
		"What stands in it must not be carried out just so. It is recorded, and the administrator is told."},
	[NOTICE_SEALED] = {"A file on this drive was locked away",
		"What stands in it must not be carried out. It is there with .sekisho behind its name, whole, and "
		"cannot be "
		"read. If you need it, ask the administrator."},
	[NOTICE_OPENED] = {"A file on this drive can be read again",
		"The administrator has released it. It is recorded."},
	[NOTICE_NOT_OPENED] = {"A file on this drive could not be released",
		"It is as it was. Tell the administrator: the record says why."},
	[NOTICE_ASKED] = {"Say why you saved this on the drive",
		"Open \"State a reason\", or run: sekishoctl reason. What you say is recorded."},
	[NOTICE_CLOUD] = {"Take care of what you saved in a cloud folder",
		"What stands in it must not be carried out just so. It is recorded, and the administrator is told."},
	[NOTICE_REFUSED] = {"This file is protected", "Who may open it is laid down by the administrator, and you, or "
						      "this program, are not named. It is recorded."},
	[NOTICE_PURPOSE] = {"Say what you need this file for", "Open \"State a reason\", or run: sekishoctl reason. "
							       "Then open the file again. What you say is recorded."},
};

static const struct words japanese[] = {
	[NOTICE_READ_ONLY] = {"このドライブは読み取り専用です",
		"内容を開くことはできます。書き込むには管理者の承認が必要です。"},
	[NOTICE_DENIED] = {"この機器は使用できません",
		"このPCでは利用できない機器です。必要な場合は管理者に連絡してください。"},
	[NOTICE_WITHDRAWN] = {"この機器の利用許可が終了しました",
		"これまでに保存した内容は残っています。引き続き必要な場合は管理者に連絡してください。"},
	[NOTICE_APPROVED] = {"この機器は承認されています", "利用できます。操作は記録されます。"},
	[NOTICE_TWIN] = {"同じシリアル番号の機器が2台あります",
		"両方を接続している間は、どちらにも書き込めません。片方を外して管理者に連絡してください。"},
	[NOTICE_RELEASED] = {"この機器は一時的に解除されました",
		"%s まで、または取り外すまで利用できます。操作は記録されます。"},
	[NOTICE_RELEASE_END] = {"この機器の一時解除が終了しました",
		"これまでに保存した内容は残っています。引き続き必要な場合は管理者に新しいコードを依頼してください。"},
	[NOTICE_WRITTEN] = {"このドライブに保存した内容に注意してください",
		"持ち出しに注意が必要な情報が含まれています。記録され、管理者に通知されます。"},
	[NOTICE_SEALED] = {"このドライブのファイルを隔離しました",
		"持ち出せない情報が含まれています。ファイルは名前の末尾に .sekisho "
		"が付いて残っていますが、解除されるまで読めません。"
		"必要な場合は管理者に連絡してください。"},
	[NOTICE_OPENED] = {"このドライブのファイルの隔離を解除しました", "管理者が解除を許可しました。記録されます。"},
	[NOTICE_NOT_OPENED] = {"このドライブのファイルの隔離を解除できませんでした",
		"ファイルはそのままです。管理者に連絡してください。理由は記録されています。"},
	[NOTICE_ASKED] = {"ドライブに保存した理由を入力してください",
		"「理由の入力」を開くか、sekishoctl reason を実行してください。入力内容は記録されます。"},
	[NOTICE_CLOUD] = {"クラウドフォルダに保存した内容に注意してください",
		"持ち出しに注意が必要な情報が含まれています。記録され、管理者に通知されます。"},
	[NOTICE_REFUSED] = {"このファイルは保護されています",
		"開くことができる人とプログラムは管理者が定めています。あなた、またはこのプログラムは含まれていません。"
		"記録されます。"},
	[NOTICE_PURPOSE] = {"このファイルを利用する目的を入力してください",
		"「理由の入力」を開くか、sekishoctl reason "
		"を実行してから、もう一度開いてください。入力内容は記録されます。"},
};

static int put_device(struct buf *b, const struct device *d, const struct decision *why)
{
	const char *name = why && why->label[0] ? why->label : d->product_name[0] ? d->product_name : "USB";
	int r = notice_put(b, name, SIZE_MAX);

	if (!r && d->serial[0]) {
		r = buf_puts(b, " (");
		r = r ? r : notice_put(b, d->serial, SIZE_MAX);
		r = r ? r : buf_puts(b, ")");
	}
	return r ? r : buf_puts(b, "\n");
}

/* The body's words; "%s" in them is the time at which it ends, by the PC's own clock and zone. */
static int put_body(struct buf *b, const char *words, const struct decision *why)
{
	const char *at = strstr(words, "%s");
	time_t until = why ? (time_t)(why->until_us / 1000000) : 0;
	char clock[16] = "?";
	struct tm tm;
	int r;

	if (!at)
		return buf_puts(b, words);
	if (localtime_r(&until, &tm))
		strftime(clock, sizeof(clock), "%H:%M", &tm);
	r = buf_put(b, words, (size_t)(at - words));
	r = r ? r : buf_puts(b, clock);
	return r ? r : buf_puts(b, at + 2);
}

/* The administrator's own words go before ours. */
static int put_advice(struct buf *b, const struct words *w, const char *lang, const struct decision *why,
	const struct document_decision *written)
{
	const char *message = !written ? "" : notice_japanese(lang) ? written->message_ja : written->message;

	return message[0] ? notice_put(b, message, SIZE_MAX) : put_body(b, w->body, why);
}

int notify_text(enum notice what, const char *lang, const struct device *d, const struct decision *why,
	const struct document_decision *written, struct buf *summary, struct buf *body)
{
	const struct words *w = notice_japanese(lang) ? &japanese[what] : &english[what];
	int r = buf_puts(summary, w->summary);

	r = r ? r : put_device(body, d, why);
	return r ? r : put_advice(body, w, lang, why, written);
}

int notify_named_text(enum notice what, const char *lang, const char *name, const struct document_decision *written,
	struct buf *summary, struct buf *body)
{
	const struct words *w = notice_japanese(lang) ? &japanese[what] : &english[what];
	int r = buf_puts(summary, w->summary);

	r = r ? r : notice_put(body, name, SIZE_MAX);
	r = r ? r : buf_puts(body, "\n");
	return r ? r : put_advice(body, w, lang, NULL, written);
}

/* --- saying it --- */

/* `name` is of notices that are of no device. */
struct notice_said {
	enum notice what;
	const struct device *d;
	const struct decision *why;
	const struct document_decision *written;
	const char *name;
	uint32_t id; /* 0: it is said each time */
};

static int text(const void *ctx, const char *lang, struct buf *summary, struct buf *body)
{
	const struct notice_said *said = ctx;

	return said->name ? notify_named_text(said->what, lang, said->name, said->written, summary, body)
			  : notify_text(said->what, lang, said->d, said->why, said->written, summary, body);
}

static void say(struct notify *n, const struct notice_said *said, uint32_t uid)
{
	enum notice what = said->what;

	notices_say(&n->notices, uid,
		&(struct notice_words){.icon = what == NOTICE_CLOUD ? "folder-remote"
					       : said->name         ? "dialog-password"
								    : "drive-removable-media",
			.urgent = what != NOTICE_APPROVED && what != NOTICE_RELEASED && what != NOTICE_OPENED,
			.id = said->id,
			.text = text,
			.ctx = said});
}

void notify_reap(struct notify *n)
{
	notices_reap(&n->notices);
}

static void show(struct notify *n, enum notice what, const struct device *d, const struct decision *why,
	const struct document_decision *written, uint32_t uid)
{
	struct digest device;

	device_key(d, &device);
	if (uid != UINT32_MAX && !told_before(n, what, &device, written ? written->rule : why ? why->rule : "", 0))
		say(n, &(struct notice_said){.what = what, .d = d, .why = why, .written = written, .id = n->last_id},
			uid);
}

void notify_area(struct notify *n, enum notice what, const char *area, uint32_t uid)
{
	say(n, &(struct notice_said){.what = what, .name = area}, uid);
}

void notify_cloud(struct notify *n, const char *path, const struct document_decision *written, uint32_t uid)
{
	const struct span parts[] = {SPAN_STR("cloud folder"), SPAN(&uid, sizeof(uid))};
	const char *slash = strrchr(path, '/');
	struct digest person;

	digest_of(&person, parts, ARRAY_SIZE(parts));
	if (uid == UINT32_MAX || told_before(n, NOTICE_CLOUD, &person, written->rule, NOTIFY_CLOUD_US))
		return;
	say(n,
		&(struct notice_said){
			.what = NOTICE_CLOUD, .name = slash ? slash + 1 : path, .written = written, .id = n->last_id},
		uid);
}

void notify_show(struct notify *n, enum notice what, const struct device *d, const struct decision *why, uint32_t uid)
{
	show(n, what, d, why, NULL, uid);
}

void notify_written(struct notify *n, enum notice what, const struct device *d, const struct decision *why,
	const struct document_decision *written, uint32_t uid)
{
	show(n, what, d, why, written, uid);
}
