/*
 * The password policy: what PAM asks of a new password, how many wrong ones lock, and whether an account opens without
 * one. Debian's common-password and common-auth, the system-auth and password-auth of others (pam.d(5));
 * pwquality.conf(5), faillock.conf(5), shadow(5).
 */
#include "agent/posture/posture.h"
#include "policy/wire/record.h"
#include <errno.h>

#define PWQUALITY_DEFAULT 8u /* minlen of pwquality.conf(5) and pam_cracklib(8)'s 9 less its one credit */
#define UNIX_DEFAULT 6u      /* what pam_unix(8) asks for with "obscure" */

struct stack {
	const char *quality; /* name of the module, or NULL */
	unsigned long quality_min, unix_min;
	bool lockout, nullok;
	unsigned long deny;
};

/* The number behind "key=" or "key = ", where a word of the line is it. */
static bool number_of(const char *line, const char *key, unsigned long *out)
{
	const char *at = line;
	size_t n = strlen(key);

	while ((at = strstr(at, key))) {
		if ((at == line || at[-1] == ' ' || at[-1] == '\t') && at[n + strspn(at + n, " \t")] == '=') {
			at += n;
			*out = strtoul(at + strspn(at, " \t="), NULL, 10);
			return true;
		}
		at += n;
	}
	return false;
}

static void meet_pam(void *ctx, char *line)
{
	static const struct {
		const char *module, *name;
	} quality[] = {
		{"pam_pwquality.so", "pwquality"}, {"pam_passwdqc.so", "passwdqc"}, {"pam_cracklib.so", "cracklib"}};
	struct stack *s = ctx;
	unsigned long n;
	size_t i;

	line[strcspn(line, "#")] = 0;
	line += strspn(line, " \t-");
	s->nullok |= strstr(line, "pam_unix.so") && strstr(line, "nullok") && !strncmp(line, "auth", 4);
	if (strstr(line, "pam_faillock.so") || strstr(line, "pam_tally2.so")) {
		s->lockout = true;
		if (number_of(line, "deny", &n))
			s->deny = n;
	}
	if (strncmp(line, "password", 8) != 0)
		return;
	if (strstr(line, "pam_unix.so") && number_of(line, "minlen", &n))
		s->unix_min = n;
	for (i = 0; i < ARRAY_SIZE(quality); i++)
		if (strstr(line, quality[i].module)) {
			s->quality = quality[i].name;
			if (number_of(line, "minlen", &n))
				s->quality_min = n;
		}
}

struct setting {
	const char *key;
	unsigned long value;
	bool there;
};
static void meet_setting(void *ctx, char *line)
{
	struct setting *s = ctx;
	unsigned long n;

	line[strcspn(line, "#")] = 0;
	if (number_of(line, s->key, &n)) {
		s->value = n;
		s->there = true;
	}
}

static int setting_in(const struct posture_place *at, const char *path, struct setting *s)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	int r = posture_read(at, path, &text);

	if (!r)
		posture_lines(&text, meet_setting, s);
	return r;
}

static bool is_conf(void *ctx, const char *name)
{
	const char *dot = strrchr(name, '.');

	(void)ctx;
	return dot && !strcmp(dot, ".conf");
}

/* Accounts whose password is the empty one: name:PASSWORD:... */
static unsigned empty_passwords(const struct buf *shadow)
{
	const char *at = (const char *)shadow->p, *colon;
	unsigned n = 0;

	for (; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
		colon = strpbrk(at, ":\n");
		n += colon && *colon == ':' && colon[1] == ':';
	}
	return n;
}

static int read_stack(const struct posture_place *at, struct stack *s)
{
	static const char *const files[] = {"/etc/pam.d/common-auth", "/etc/pam.d/common-password",
		"/etc/pam.d/common-account", "/etc/pam.d/system-auth", "/etc/pam.d/password-auth"};
	struct setting minlen = {.key = "minlen"}, deny = {.key = "deny"};
	size_t i;
	int r = 0;

	for (i = 0; i < ARRAY_SIZE(files) && !r; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(0);

		r = posture_read(at, files[i], &text);
		if (!r)
			posture_lines(&text, meet_pam, s);
	}
	r = r ? r : setting_in(at, "/etc/security/pwquality.conf", &minlen);
	r = r ? r : posture_files(at, "/etc/security/pwquality.conf.d", is_conf, meet_setting, &minlen);
	r = r ? r : setting_in(at, "/etc/security/faillock.conf", &deny);
	/* What the module is told in its line goes before its file. */
	if (!s->quality_min)
		s->quality_min = minlen.there ? minlen.value : PWQUALITY_DEFAULT;
	if (!s->deny)
		s->deny = deny.there ? deny.value : 3;
	return r;
}

int posture_passwords(const struct posture_place *at, const struct posture_taken *t, struct posture_fact *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT(0);
	struct stack s = {0};
	unsigned long least, days;
	unsigned empty;
	char *at_days;
	int r = read_stack(at, &s);

	r = r ? r : posture_read(at, "/etc/login.defs", &text);
	if (r)
		return r;
	if (!posture_there(at, "/etc/pam.d")) {
		posture_say(f, "pam=none");
		posture_judge(f, STATE_UNKNOWN);
		return 0;
	}
	least = s.quality && s.quality_min > s.unix_min ? s.quality_min : s.unix_min ? s.unix_min : UNIX_DEFAULT;
	posture_say(f, "quality=%s minlen=%lu", s.quality ? s.quality : "none", least);
	if (s.lockout)
		posture_say(f, "lockout=%lu", s.deny);
	else
		posture_say(f, "lockout=none");
	/* "PASS_MAX_DAYS 90": told, and not judged: what a password must be renewed for, standards no longer agree
	 * upon. */
	at_days = text.n ? strstr((char *)text.p, "\nPASS_MAX_DAYS") : NULL;
	if (at_days) {
		days = strtoul(at_days + strlen("\nPASS_MAX_DAYS"), NULL, 10);
		if (days && days < 99999)
			posture_say(f, "max-days=%lu", days);
	}
	empty = empty_passwords(&t->shadow);
	if (t->has_shadow)
		posture_say(f, "empty=%u", empty);
	else
		posture_say(f, "empty=unknown");
	if (empty || !s.quality || least < POSTURE_PASSWORD_MIN)
		posture_judge(f, STATE_WEAK);
	else
		posture_judge(f, t->has_shadow ? STATE_GOOD : STATE_UNKNOWN);
	return 0;
}
