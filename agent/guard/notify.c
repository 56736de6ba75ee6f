/*
 * Notifications on the desktop. See notify.h.
 */
#include "agent/guard/notify.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/trust/digest.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#define SERVICE "org.freedesktop.Notifications"
#define SERVICE_PATH "/org/freedesktop/Notifications"
#define WAIT_US 2000000ull
#define CHILD_SECONDS 5
#define TEXT_MAX 2048u
#define PROCESSES_MAX 512 /* looked at for the person's language */
#define ENVIRON_MAX (128u << 10)

struct notify {
	struct digest told[NOTIFY_CAUSES_MAX], device[NOTIFY_CAUSES_MAX];
	unsigned told_n, next;
	pid_t children[NOTIFY_CHILDREN_MAX];
};

int notify_new(struct notify **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
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

static bool told_before(struct notify *n, enum notice what, const struct device *d, const struct decision *why)
{
	struct digest device, cause;
	const char *rule = why ? why->rule : "";
	struct span parts[3];
	unsigned i;

	device_key(d, &device);
	parts[0] = SPAN(&device, sizeof(device));
	parts[1] = SPAN(&what, sizeof(what));
	parts[2] = SPAN(rule, strlen(rule));
	digest_of(&cause, parts, ARRAY_SIZE(parts));
	for (i = 0; i < n->told_n; i++)
		if (digest_eq(&n->told[i], &cause))
			return true;
	n->told[n->next] = cause;
	n->device[n->next] = device;
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
};

static bool is_japanese(const char *lang)
{
	return lang && !strncmp(lang, "ja", 2);
}

/* Text for a body that may be read as markup. */
static int put_escaped(struct buf *b, const char *s)
{
	char shown[2 * DEVICE_TEXT_SIZE];
	int r = 0;

	text_escape_to(shown, sizeof(shown), SPAN_STR(s));
	for (s = shown; !r && *s; s++)
		r = *s == '&'   ? buf_puts(b, "&amp;")
		    : *s == '<' ? buf_puts(b, "&lt;")
		    : *s == '>' ? buf_puts(b, "&gt;")
				: buf_put(b, s, 1);
	return r;
}

static int put_device(struct buf *b, const struct device *d, const struct decision *why)
{
	const char *name = why && why->label[0] ? why->label : d->product_name[0] ? d->product_name : "USB";
	int r = put_escaped(b, name);

	if (!r && d->serial[0]) {
		r = buf_puts(b, " (");
		r = r ? r : put_escaped(b, d->serial);
		r = r ? r : buf_puts(b, ")");
	}
	return r ? r : buf_puts(b, "\n");
}

int notify_text(enum notice what, const char *lang, const struct device *d, const struct decision *why,
	struct buf *summary, struct buf *body)
{
	const struct words *w = is_japanese(lang) ? &japanese[what] : &english[what];
	int r = buf_puts(summary, w->summary);

	r = r ? r : put_device(body, d, why);
	return r ? r : buf_puts(body, w->body);
}

/* --- the child: that person, without any power --- */

/* One variable of an environment, which ends its words by NUL. */
static const char *variable(const struct buf *b, const char *name)
{
	size_t at = 0, n = strlen(name);

	while (at < b->n) {
		const char *word = (const char *)b->p + at;
		size_t len = strnlen(word, b->n - at);

		if (len > n && !strncmp(word, name, n) && word[n] == '=' && at + len < b->n)
			return word + n + 1;
		at += len + 1;
	}
	return NULL;
}

static bool language_of(const char *pid, char *out, size_t size)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	_cleanup_buf_ struct buf b = BUF_INIT(ENVIRON_MAX);
	char path[64];
	struct stat st;
	size_t i;

	snprintf(path, sizeof(path), "/proc/%.16s/environ", pid);
	if (stat(path, &st) || st.st_uid != getuid() || file_read(path, &b) || !buf_str(&b))
		return false;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const char *v = variable(&b, names[i]);

		if (v && *v) {
			snprintf(out, size, "%.15s", v);
			return true;
		}
	}
	return false;
}

/* The language of the session: of one of the person's own programs. */
static void find_language(char *out, size_t size)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *e;
	unsigned looked = 0;

	snprintf(out, size, "C");
	while (dir && looked < PROCESSES_MAX && (e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		looked++;
		if (language_of(e->d_name, out, size) && strncmp(out, "C", 1) != 0 && strncmp(out, "POSIX", 5) != 0)
			return;
	}
}

static int become(uint32_t uid)
{
	struct passwd *pw = getpwuid(uid);

	if (!uid || !pw)
		return -ESRCH;
	if (setgroups(0, NULL) || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) || setresuid(uid, uid, uid))
		return -errno;
	return setuid(0) == 0 ? -EPERM : 0;
}

static int speak(const char *summary, const char *body, uint32_t uid, bool urgent)
{
	char address[96];
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	snprintf(address, sizeof(address), "unix:path=/run/user/%u/bus", uid);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, WAIT_US);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = sd_bus_call_method(bus, SERVICE, SERVICE_PATH, SERVICE, "Notify", NULL, NULL, "susssasa{sv}i",
			"Sekisho", 0u, "drive-removable-media", summary, body, 0, 2, "urgency", "y",
			(uint8_t)(urgent ? 2 : 1), "category", "s", "device", -1);
	sd_bus_flush_close_unref(bus);
	return r;
}

static int child(enum notice what, const struct device *d, const struct decision *why, uint32_t uid)
{
	_cleanup_buf_ struct buf summary = BUF_INIT(TEXT_MAX), body = BUF_INIT(TEXT_MAX);
	char lang[16];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGALRM, SIG_DFL);
	alarm(CHILD_SECONDS);
	/* Nothing of the guard's is for that person: neither maps nor keys. */
	syscall(SYS_close_range, 3u, ~0u, 0u);
	if (become(uid))
		return 1;
	find_language(lang, sizeof(lang));
	if (notify_text(what, lang, d, why, &summary, &body) || !buf_str(&summary) || !buf_str(&body))
		return 1;
	return speak((char *)summary.p, (char *)body.p, uid, what != NOTICE_APPROVED) < 0;
}

void notify_reap(struct notify *n)
{
	unsigned i;

	for (i = 0; i < NOTIFY_CHILDREN_MAX; i++)
		if (n->children[i] > 0 && waitpid(n->children[i], NULL, WNOHANG) != 0)
			n->children[i] = 0;
}

void notify_show(struct notify *n, enum notice what, const struct device *d, const struct decision *why, uint32_t uid)
{
	unsigned i;
	pid_t pid;

	if (uid == UINT32_MAX || told_before(n, what, d, why))
		return;
	notify_reap(n);
	for (i = 0; i < NOTIFY_CHILDREN_MAX && n->children[i]; i++)
		;
	if (i == NOTIFY_CHILDREN_MAX)
		return;
	pid = fork();
	if (pid == 0)
		_exit(child(what, d, why, uid));
	if (pid > 0)
		n->children[i] = pid;
}
