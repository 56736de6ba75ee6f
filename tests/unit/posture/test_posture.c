/*
 * How a PC is kept, on systems that are made up below a folder: what is good, what is not, and what cannot be told.
 */
#include "agent/posture/posture.h"
#include "policy/wire/record.h"
#include "tests/unit/cm.h"
#include <sys/stat.h>

#define NOW 1795737600 /* 2026-11-27 00:00 UTC */

static char dir[64];
static struct posture_place at = {.root = dir, .now = NOW};
static struct posture_fact fact;
static const struct posture_taken nothing;

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/posture-XXXXXX");
	fact = (struct posture_fact){.state = STATE_NOT_APPLICABLE, .words = BUF_INIT(POSTURE_FACTS_MAX)};
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	buf_deinit(&fact.words);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* A file below the folder, with the folders above it. */
static void put(const char *path, const char *text)
{
	char full[512];
	FILE *f;
	char *slash;

	snprintf(full, sizeof(full), "%s%s", dir, path);
	for (slash = strchr(full + strlen(dir) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void says(uint64_t state, const char *words)
{
	assert_non_null(buf_str(&fact.words));
	assert_string_equal((char *)fact.words.p, words);
	assert_int_equal(fact.state, state);
	buf_clear(&fact.words);
	fact.state = STATE_NOT_APPLICABLE;
}

/* --- disks --- */

static void block(const char *name, const char *number, const char *uuid, const char *made_of)
{
	char path[256], text[128];

	snprintf(path, sizeof(path), "/sys/dev/block/%s/uevent", number);
	snprintf(text, sizeof(text), "DEVNAME=%s\n", name);
	put(path, text);
	snprintf(path, sizeof(path), "/sys/class/block/%s/dev", name);
	snprintf(text, sizeof(text), "%s\n", number);
	put(path, text);
	if (uuid) {
		snprintf(path, sizeof(path), "/sys/dev/block/%s/dm/uuid", number);
		put(path, uuid);
	}
	for (; made_of && *made_of; made_of += strcspn(made_of, " "), made_of += strspn(made_of, " ")) {
		snprintf(path, sizeof(path), "/sys/dev/block/%s/slaves/%.*s", number, (int)strcspn(made_of, " "),
			made_of);
		put(path, "");
	}
}

static void disks_are(uint64_t state, const char *words)
{
	assert_int_equal(posture_disks(&at, &nothing, &fact), 0);
	says(state, words);
}

static void test_disks(void **state)
{
	(void)state;
	disks_are(STATE_UNKNOWN, "/=unknown swap=none");
	put("/proc/self/mountinfo", "21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n");
	disks_are(STATE_UNKNOWN, "/=unknown swap=none");
	block("sda1", "8:1", NULL, NULL);
	disks_are(STATE_WEAK, "/=plain swap=none");
	/* LVM on LUKS, as Debian's installer makes it. */
	put("/proc/self/mountinfo", "21 1 253:1 / / rw shared:1 - ext4 /dev/mapper/vg-root rw\n"
				    "30 21 253:2 / /home rw - ext4 /dev/mapper/vg-home rw\n"
				    "31 21 0:40 / /srv rw - tmpfs tmpfs rw\n");
	block("sda5", "8:5", NULL, NULL);
	block("dm-0", "253:0", "CRYPT-LUKS2-0123-sda5_crypt\n", "sda5");
	block("dm-1", "253:1", "LVM-abc\n", "dm-0");
	block("dm-2", "253:2", "LVM-def\n", "dm-0");
	disks_are(STATE_GOOD, "/=luks2 /home=luks2 /srv=memory swap=none");
	/* One half of it in the clear. */
	block("dm-2", "253:2", "LVM-def\n", "dm-0 sda1");
	disks_are(STATE_WEAK, "/=luks2 /home=plain /srv=memory swap=none");
	/* The last mount on a place is what is seen. */
	put("/proc/self/mountinfo",
		"21 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw\n22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
	disks_are(STATE_WEAK, "/=plain swap=none");
	/* What nobody can tell is not good. */
	put("/proc/self/mountinfo", "21 1 0:30 / / rw - zfs rpool/ROOT rw\n");
	disks_are(STATE_UNKNOWN, "/=unknown swap=none");
	put("/proc/self/mountinfo", "nonsense\n - \n21 1 8:1 / / - \n");
	disks_are(STATE_UNKNOWN, "/=unknown swap=none");
	/* Made of itself: it ends. */
	put("/proc/self/mountinfo", "21 1 253:9 / / rw - ext4 /dev/x rw\n");
	block("dm-9", "253:9", "LVM-x\n", "dm-9");
	disks_are(STATE_UNKNOWN, "/=unknown swap=none");
	put("/proc/self/mountinfo", "21 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw\n");
	put("/proc/swaps", "Filename Type Size Used Priority\n/swapfile file 1048572 0 -2\n");
	disks_are(STATE_UNKNOWN, "/=luks2 swap=unknown");
}

/* --- passwords --- */

static void passwords_are(const char *shadow, uint64_t state, const char *words)
{
	struct posture_taken t = {.has_shadow = shadow != NULL, .shadow = BUF_INIT(4096)};

	if (shadow)
		assert_int_equal(buf_puts(&t.shadow, shadow), 0);
	if (shadow)
		assert_non_null(buf_str(&t.shadow));
	assert_int_equal(posture_passwords(&at, &t, &fact), 0);
	says(state, words);
	posture_taken_deinit(&t);
}

static void test_passwords(void **state)
{
	static const char fine[] = "root:*:19000:0:99999:7:::\nhanako:$y$j9T$x:20000:0:90:7:::\n";

	(void)state;
	passwords_are(fine, STATE_UNKNOWN, "pam=none");
	/* Debian 12 as it is installed. */
	put("/etc/pam.d/common-password", "# comment pam_pwquality.so minlen=99\n"
					  "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt\n");
	put("/etc/pam.d/common-auth", "auth\t[success=1 default=ignore]\tpam_unix.so nullok\n");
	put("/etc/login.defs", "#PASS_MAX_DAYS 1\nPASS_MAX_DAYS\t99999\n");
	passwords_are(fine, STATE_WEAK, "quality=none minlen=6 lockout=none empty=0");
	put("/etc/pam.d/common-password",
		"password requisite pam_pwquality.so retry=3\npassword sufficient pam_unix.so use_authtok\n");
	passwords_are(fine, STATE_GOOD, "quality=pwquality minlen=8 lockout=none empty=0");
	put("/etc/security/pwquality.conf", "# minlen = 20\nminlen = 12\n");
	passwords_are(fine, STATE_GOOD, "quality=pwquality minlen=12 lockout=none empty=0");
	put("/etc/security/pwquality.conf.d/50-less.conf", "minlen = 6\n");
	put("/etc/security/pwquality.conf.d/90-not.conf~", "minlen = 30\n");
	passwords_are(fine, STATE_WEAK, "quality=pwquality minlen=6 lockout=none empty=0");
	put("/etc/pam.d/common-password", "password requisite pam_pwquality.so minlen=14\n");
	put("/etc/pam.d/common-auth", "auth required pam_faillock.so preauth\nauth sufficient pam_unix.so\n");
	put("/etc/security/faillock.conf", "deny = 5\n");
	put("/etc/login.defs", "X\nPASS_MAX_DAYS\t90\n");
	passwords_are(fine, STATE_GOOD, "quality=pwquality minlen=14 lockout=5 max-days=90 empty=0");
	passwords_are("root:*:1::::::\nguest::19000:0:99999:7:::\n", STATE_WEAK,
		"quality=pwquality minlen=14 lockout=5 max-days=90 empty=1");
	passwords_are(NULL, STATE_UNKNOWN, "quality=pwquality minlen=14 lockout=5 max-days=90 empty=unknown");
	/* Not a line of shadow's. */
	passwords_are("a\nb\n:\n", STATE_GOOD, "quality=pwquality minlen=14 lockout=5 max-days=90 empty=0");
}

/* --- the desktop --- */

static void desktop_is(uint64_t state, const char *words)
{
	assert_int_equal(posture_desktop(&at, &nothing, &fact), 0);
	says(state, words);
}

static void test_desktop(void **state)
{
	(void)state;
	desktop_is(STATE_NOT_APPLICABLE, "desktop=none");
	put("/usr/share/wayland-sessions/gnome.desktop", "");
	put("/usr/share/xsessions/gnome.desktop", "");
	desktop_is(STATE_UNKNOWN, "gnome=left-to-people");
	put("/etc/dconf/profile/user", "user-db:user\nsystem-db:local\nsystem-db:site # ours\n");
	put("/etc/dconf/db/site.d/00-lock",
		"[org/gnome/desktop/session]\nidle-delay = uint32 600\n\n"
		"[org/gnome/desktop/screensaver]\nlock-enabled=true\nlock-delay=uint32 0\n");
	/* Not compiled: dconf knows nothing of it. */
	desktop_is(STATE_UNKNOWN, "gnome=left-to-people");
	put("/etc/dconf/db/site", "");
	desktop_is(STATE_UNKNOWN, "gnome=left-to-people");
	put("/etc/dconf/db/site.d/locks/lock",
		"/org/gnome/desktop/session/idle-delay\n/org/gnome/desktop/screensaver/ # all\n");
	desktop_is(STATE_GOOD, "gnome=600s");
	/* What stands above goes before. */
	put("/etc/dconf/db/local.d/10", "[org/gnome/desktop/session]\nidle-delay=uint32 3600\n");
	put("/etc/dconf/db/local", "");
	desktop_is(STATE_WEAK, "gnome=3600s");
	put("/etc/dconf/db/local.d/10", "[org/gnome/desktop/session]\nidle-delay=uint32 0\n");
	desktop_is(STATE_WEAK, "gnome=never");
	put("/etc/dconf/db/local.d/10", "[org/gnome/desktop/screensaver]\nlock-enabled=false\n");
	desktop_is(STATE_WEAK, "gnome=off");
	put("/etc/dconf/db/local.d/10", "");
	put("/usr/share/wayland-sessions/plasmawayland.desktop", "");
	desktop_is(STATE_UNKNOWN, "gnome=600s plasma=left-to-people");
	put("/etc/xdg/kscreenlockerrc", "[Daemon][$i]\nAutolock=true\nTimeout=10\n");
	desktop_is(STATE_GOOD, "gnome=600s plasma=600s");
	put("/etc/xdg/kscreenlockerrc", "[Daemon]\nAutolock[$i]=true\nTimeout=10\n");
	desktop_is(STATE_UNKNOWN, "gnome=600s plasma=left-to-people");
	put("/etc/xdg/kscreenlockerrc", "[$i]\n[Daemon]\nAutolock=false\n");
	desktop_is(STATE_WEAK, "gnome=600s plasma=off");
	put("/etc/xdg/kscreenlockerrc", "[$i]\n[Daemon]\nTimeout=5\n");
	put("/usr/share/xsessions/xfce.desktop", "");
	desktop_is(STATE_UNKNOWN, "xfce=unknown gnome=600s plasma=300s");
}

/* The files that Debian's, Ubuntu's and Fedora's GNOME bring are one desktop; what only begins alike is another one. */
static void test_desktop_screens(void **state)
{
	(void)state;
	put("/usr/share/wayland-sessions/gnome.desktop", "");
	put("/usr/share/wayland-sessions/gnome-wayland.desktop", "");
	put("/usr/share/wayland-sessions/gnome-classic-wayland.desktop", "");
	put("/usr/share/wayland-sessions/ubuntu-wayland.desktop", "");
	put("/usr/share/xsessions/gnome-classic-xorg.desktop", "");
	put("/usr/share/xsessions/ubuntu-xorg.desktop", "");
	put("/usr/share/xsessions/gnome-xorg.desktop", "");
	desktop_is(STATE_UNKNOWN, "gnome=left-to-people");
	put("/usr/share/xsessions/gnome-flashback-metacity.desktop", "");
	desktop_is(STATE_UNKNOWN, "gnome-flashback-metacity=unknown gnome=left-to-people");
}

/* Locks by each person's own swayidle. */
static void test_desktop_sway(void **state)
{
	(void)state;
	put("/usr/share/wayland-sessions/sway.desktop", "");
	desktop_is(STATE_UNKNOWN, "sway=unknown");
}

/* --- antivirus --- */

static void antivirus_is(uint64_t state, const char *words)
{
	assert_int_equal(posture_antivirus(&at, &nothing, &fact), 0);
	says(state, words);
}

static void test_antivirus(void **state)
{
	(void)state;
	antivirus_is(STATE_WEAK, "scanner=none");
	put("/proc/77/comm", "clamd\n");
	antivirus_is(STATE_WEAK, "scanner=clamav on-access=no signatures=none");
	put("/var/lib/clamav/daily.cvd",
		"ClamAV-VDB:23 Nov 2026 08-31 -0500:27500:2100000:90:0123456789abcdef0123456789abcdef:sig:builder:1\n");
	antivirus_is(STATE_GOOD, "scanner=clamav on-access=no signatures=3d");
	put("/proc/78/comm", "clamonacc\n");
	put("/var/lib/clamav/daily.cvd", "ClamAV-VDB:19 Nov 2026 08-31 -0500:27500:2100000:90:0123456789abcdef\n");
	antivirus_is(STATE_WEAK, "scanner=clamav on-access=yes signatures=7d");
	put("/var/lib/clamav/daily.cld", "ClamAV-VDB:26 Nov 2026 08-31 -0500:27501:2100000:90:0123456789abcdef\n");
	antivirus_is(STATE_GOOD, "scanner=clamav on-access=yes signatures=0d");
	put("/var/lib/clamav/daily.cld", "ClamAV-VDB:yesterday, by my word::::::::::::::::::\n");
	antivirus_is(STATE_WEAK, "scanner=clamav on-access=yes signatures=7d");
	put("/proc/77/comm", "falcon-sensor\n");
	antivirus_is(STATE_UNKNOWN, "scanner=falcon");
	/* A person's program with that name. */
	if (geteuid() == 0) {
		char path[128];

		snprintf(path, sizeof(path), "%s/proc/77/comm", dir);
		assert_int_equal(chown(path, 1000, 1000), 0);
		antivirus_is(STATE_WEAK, "scanner=none");
	}
}

/* --- updates --- */

static void counted(const char *output, uint64_t updates, uint64_t security)
{
	uint64_t u, s;

	posture_apt_count(SPAN_STR(output), &u, &s);
	assert_int_equal(u, updates);
	assert_int_equal(s, security);
}

static void test_updates(void **state)
{
	(void)state;
	counted("", 0, 0);
	counted("Inst", 0, 0);
	counted("Inst libssl3 [3.0.15-1~deb12u1] (3.0.17-1~deb12u2 Debian-Security:12/oldstable-security [amd64])\n"
		"Inst tzdata [2024a-0+deb12u1] (2025b-0+deb12u1 Debian:12.11/oldstable, "
		"Debian:12-updates/oldstable-updates [all])\n"
		"Inst linux-image-6.1.0-40-amd64 (6.1.153-1 Debian-Security:12/oldstable-security [amd64])\n"
		"Conf libssl3 (3.0.17-1~deb12u2 Debian-Security:12/oldstable-security [amd64])\n",
		2, 1);
	counted("Inst bash [5.1-6ubuntu1] (5.1-6ubuntu1.1 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security "
		"[amd64]) []",
		1, 1);
	assert_int_equal(posture_updates(&at, &nothing, &fact), 0);
	says(STATE_UNKNOWN, "apt=unknown");
}

/* --- the firewall --- */

static void firewall_is(const char *nft, const char *legacy, uint64_t state, const char *words)
{
	struct posture_taken t = {.has_nft = nft != NULL,
		.nft = BUF_INIT(POSTURE_OUTPUT_MAX),
		.legacy = BUF_INIT(4096),
		.legacy_6 = BUF_INIT(4096)};

	if (nft)
		assert_int_equal(buf_puts(&t.nft, nft), 0);
	if (legacy) {
		assert_int_equal(buf_puts(&t.legacy, legacy), 0);
		assert_int_equal(buf_puts(&t.legacy_6, legacy), 0);
		assert_non_null(buf_str(&t.legacy));
		assert_non_null(buf_str(&t.legacy_6));
	}
	assert_int_equal(posture_firewall(&at, &t, &fact), 0);
	says(state, words);
	posture_taken_deinit(&t);
}

#define CHAIN(family, policy)                                                           \
	"{\"chain\": {\"family\": \"" family                                            \
	"\", \"table\": \"t\", \"name\": \"in\", \"handle\": 1, \"type\": \"filter\", " \
	"\"hook\": \"input\", \"prio\": 0, \"policy\": \"" policy "\"}}"
#define RULE(chain, expr)                                                         \
	"{\"rule\": {\"family\": \"inet\", \"table\": \"t\", \"chain\": \"" chain \
	"\", \"handle\": 2, \"expr\": [" expr "]}}"
#define RULES(...) "{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\"}}, " __VA_ARGS__ "]}"
#define SOME "{\"match\": {\"op\": \"in\", \"left\": {\"ct\": {\"key\": \"state\"}}, \"right\": \"established\"}}, "

static void test_firewall(void **state)
{
	(void)state;
	firewall_is(NULL, NULL, STATE_UNKNOWN, "ipv4=unknown ipv6=off read=nothing");
	put("/proc/net/if_inet6", "");
	firewall_is(RULES(CHAIN("inet", "accept")), NULL, STATE_WEAK, "ipv4=open ipv6=open read=nft");
	firewall_is("nonsense", NULL, STATE_WEAK, "ipv4=open ipv6=open read=nft");
	firewall_is("{\"nftables\": [1, {\"chain\": 2}, {\"rule\": {\"expr\": 3}}]}", NULL, STATE_WEAK,
		"ipv4=open ipv6=open read=nft");
	firewall_is(RULES(CHAIN("inet", "drop")), NULL, STATE_GOOD, "ipv4=refuses ipv6=refuses read=nft");
	firewall_is(RULES(CHAIN("ip", "drop")), NULL, STATE_WEAK, "ipv4=refuses ipv6=open read=nft");
	firewall_is(RULES(CHAIN("ip", "drop") ", " CHAIN("ip6", "drop")), NULL, STATE_GOOD,
		"ipv4=refuses ipv6=refuses read=nft");
	/* firewalld: all is accepted by the policy, and refused by the last rule. */
	firewall_is(RULES(CHAIN("inet", "accept") ", " RULE("in", SOME "{\"accept\": null}") ", " RULE(
			    "in", "{\"reject\": {\"type\": \"icmpx\"}}")),
		NULL, STATE_GOOD, "ipv4=refuses ipv6=refuses read=nft");
	/* Refused with a condition only. */
	firewall_is(RULES(CHAIN("inet", "accept") ", " RULE("in", SOME "{\"drop\": null}")), NULL, STATE_WEAK,
		"ipv4=open ipv6=open read=nft");
	/* Let in before. */
	firewall_is(RULES(CHAIN("inet", "drop") ", " RULE("in", "{\"counter\": {\"packets\": 0}}, {\"accept\": null}")),
		NULL, STATE_WEAK, "ipv4=open ipv6=open read=nft");
	/* By another chain; one that goes round ends. */
	firewall_is(RULES(CHAIN("inet", "accept") ", " RULE("in", "{\"jump\": {\"target\": \"last\"}}") ", " RULE(
			    "last", "{\"drop\": null}")),
		NULL, STATE_GOOD, "ipv4=refuses ipv6=refuses read=nft");
	firewall_is(RULES(CHAIN("inet", "accept") ", " RULE("in", "{\"goto\": {\"target\": \"in\"}}")), NULL,
		STATE_WEAK, "ipv4=open ipv6=open read=nft");
	firewall_is(NULL, "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\nCOMMIT\n", STATE_GOOD,
		"ipv4=refuses ipv6=refuses read=iptables-legacy");
	firewall_is(NULL, "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.0.0.1 -j DROP\nCOMMIT\n", STATE_UNKNOWN,
		"ipv4=unknown ipv6=unknown read=iptables-legacy");
	firewall_is(NULL, "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n", STATE_GOOD,
		"ipv4=refuses ipv6=refuses read=iptables-legacy");
}

/* --- what they all use --- */

static void test_words(void **state)
{
	char one[300];

	(void)state;
	memset(one, 'x', sizeof(one));
	one[sizeof(one) - 1] = 0;
	posture_say(&fact, "a=%s", one);
	posture_say(&fact, "b=%s", one);
	posture_say(&fact, "c=%s", one);
	assert_non_null(buf_str(&fact.words));
	assert_string_equal((char *)fact.words.p + 301, " ...");
	posture_judge(&fact, STATE_GOOD);
	posture_judge(&fact, STATE_UNKNOWN);
	posture_judge(&fact, STATE_GOOD);
	assert_int_equal(fact.state, STATE_UNKNOWN);
	posture_judge(&fact, STATE_WEAK);
	posture_judge(&fact, STATE_NOT_APPLICABLE);
	assert_int_equal(fact.state, STATE_WEAK);
}

static void test_ask(void **state)
{
	static const char *const echo[] = {"/bin/echo", "one", "two", NULL}, *const fails[] = {"/bin/false", NULL},
				 *const late[] = {"/bin/sleep", "60", NULL}, *const much[] = {"/usr/bin/yes", NULL},
				 *const none[] = {"/nonexistent/program", NULL};
	_cleanup_buf_ struct buf out = BUF_INIT(0);

	(void)state;
	assert_true(posture_ask(echo, 10, &out));
	assert_string_equal((char *)out.p, "one two\n");
	assert_false(posture_ask(fails, 10, &out));
	assert_false(posture_ask(late, 1, &out));
	assert_false(posture_ask(much, 10, &out));
	assert_false(posture_ask(none, 10, &out));
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_disks),
		IN_FOLDER(test_passwords),
		IN_FOLDER(test_desktop),
		IN_FOLDER(test_desktop_screens),
		IN_FOLDER(test_desktop_sway),
		IN_FOLDER(test_antivirus),
		IN_FOLDER(test_updates),
		IN_FOLDER(test_firewall),
		IN_FOLDER(test_words),
		IN_FOLDER(test_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
