/*
 * What `sekishoctl doctor` judges: looked up on this machine. See doctor.h. Status files are written by unprivileged
 * programs: they are parsed strictly, and shown escaped. Starts no program but sekisho-load,
 * sekisho-collector and sekisho-console, from beside this one, to --check.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/ctl/doctor.h"
#include "policy/ctl/status_parts.h"
#include "policy/ctl/timestamps.h"
#include "policy/trust/cert.h"
#include "policy/wire/server_conf.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define FILE_MAX_BYTES (256u << 10)
#define LSM_FILE "/sys/kernel/security/lsm"
#define LOCKDOWN_FILE "/sys/kernel/security/lockdown"

extern char **environ;

static bool is_there(const char *path)
{
	char room[PATH_MAX];

	layout_path(room, sizeof(room), path);
	return access(room, F_OK) == 0;
}

/* The first line of a file; NULL where it cannot be read. */
static json_t *line_of(const char *path)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4096);
	const char *s;

	if (file_read(path, &b))
		return NULL;
	s = buf_str(&b);
	return s ? json_stringn(s, strcspn(s, "\n")) : NULL;
}

static void put_line(json_t *o, const char *key, const char *path)
{
	json_t *s = line_of(path);

	if (s)
		json_object_set_new(o, key, s);
}

static json_t *kernel(void)
{
	json_t *o = json_object();
	struct utsname u;

	if (!uname(&u))
		json_object_set_new(o, "release", json_string(u.release));
	json_object_set_new(o, "btf", json_boolean(!access("/sys/kernel/btf/vmlinux", F_OK)));
	put_line(o, "lsm", LSM_FILE);
	put_line(o, "lockdown", LOCKDOWN_FILE);
	return o;
}

/* --- what other programs say with --check --- */

/* Beside this program, or in the sbin beside its bin. */
static bool find_program(const char *name, char out[PATH_MAX])
{
	static const char *const places[] = {"", "/../sbin"};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;
	size_t i;

	if (n < 0)
		return false;
	self[n] = 0;
	slash = strrchr(self, '/');
	if (!slash)
		return false;
	*slash = 0;
	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (snprintf(out, PATH_MAX, "%s%s/%s", self, places[i], name) < PATH_MAX && !access(out, X_OK))
			return true;
	return false;
}

static void read_all(int fd, struct buf *out)
{
	char part[4096];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && buf_put(out, part, (size_t)n))
			return;
}

/* What `name` --check prints. False: it could not be asked. */
static bool ask(const char *name, struct buf *text)
{
	posix_spawn_file_actions_t to;
	char path[PATH_MAX], called[64], what[] = "--check", *argv[] = {called, what, NULL};
	int out[2], status = 0, r;
	pid_t child;

	snprintf(called, sizeof(called), "%s", name);
	if (!find_program(name, path) || pipe2(out, O_CLOEXEC))
		return false;
	r = posix_spawn_file_actions_init(&to);
	if (!r) {
		posix_spawn_file_actions_adddup2(&to, out[1], STDOUT_FILENO);
		r = posix_spawn(&child, path, &to, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&to);
	}
	close(out[1]);
	if (!r) {
		read_all(out[0], text);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(out[0]);
	return !r;
}

static json_t *ask_load(void)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FILE_MAX_BYTES);

	return ask("sekisho-load", &text) ? json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL)
					  : NULL;
}

/* --- the settings of a collector's machine --- */

static void put_wrong(json_t *wrong, const char *program)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FILE_MAX_BYTES);
	const char *s;

	if (!ask(program, &text) || !text.n)
		return;
	s = buf_str(&text);
	if (s)
		json_array_append_new(wrong, json_stringn(s, strcspn(s, "\n")));
}

/* Has the usual file the section's header? What it has else is told by whom it belongs to. */
static bool has_section(const char *section)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FILE_MAX_BYTES);
	char path[PATH_MAX];
	const char *line;
	bool there = false;

	layout_path(path, sizeof(path), SERVER_CONF_PATH);
	for (line = file_read(path, &text) ? NULL : buf_str(&text); line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (conf_is_header(line, section, &there) && there)
			return true;
	}
	return false;
}

static json_t *settings(void)
{
	json_t *wrong = json_array(), *former = json_array();
	struct timestamp_settings s;
	struct why why = {""};
	char path[SERVER_PATH_MAX];
	size_t i;

	put_wrong(wrong, "sekisho-collector");
	put_wrong(wrong, "sekisho-console");
	if (timestamp_settings_load(NULL, &s, &why) && why.text[0])
		json_array_append_new(wrong, json_string(why.text));
	for (i = 0; server_sections[i]; i++)
		if (!server_conf_former(server_sections[i], path) && !access(path, F_OK))
			json_array_append_new(
				former, json_pack("{s:s, s:s, s:b}", "path", path, "section", server_sections[i],
						"there", has_section(server_sections[i])));
	return json_pack("{s:o, s:o}", "wrong", wrong, "former", former);
}

/* --- what lies about --- */

static json_t *disks(void)
{
	static const char *const paths[] = {
		"/var/spool/sekisho", "/var/lib/sekisho", "/var/lib/sekisho-collector/store"};
	json_t *o = json_object();
	unsigned long seen[ARRAY_SIZE(paths)];
	char room[PATH_MAX];
	struct statvfs fs;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		layout_path(room, sizeof(room), paths[i]);
		seen[i] = 0;
		if (statvfs(room, &fs))
			continue;
		seen[i] = fs.f_fsid;
		/* One that two of them share is told once. */
		for (k = 0; k < i && (!fs.f_fsid || seen[k] != fs.f_fsid); k++)
			;
		if (k == i)
			json_object_set_new(o, paths[i],
				json_pack("{s:I, s:I}", "free", (json_int_t)fs.f_bavail * (json_int_t)fs.f_frsize,
					"size", (json_int_t)fs.f_blocks * (json_int_t)fs.f_frsize));
	}
	return o;
}

static json_t *certificates(void)
{
	static const char *const paths[] = {"/var/lib/sekisho/uplink/ca.crt", "/var/lib/sekisho-collector/ca/ca.crt",
		"/var/lib/sekisho-collector/ca/server.crt", "/var/lib/sekisho-console/tls.crt"};
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_buf_ struct buf pem = BUF_INIT(FILE_MAX_BYTES);
		struct cert_info info;
		struct why why;
		char room[PATH_MAX];

		layout_path(room, sizeof(room), paths[i]);
		if (!file_read(room, &pem) && !cert_read(buf_span(&pem), &info, &why))
			json_object_set_new(o, paths[i], json_integer(info.not_after_us));
	}
	return o;
}

static json_t *timestamps(void)
{
	struct timestamp_settings s;
	struct why why;
	char path[PATH_MAX];
	uint64_t size = 0;
	struct stat st;
	json_t *o;

	if (timestamp_settings_load(NULL, &s, &why) || !s.url[0])
		return NULL;
	o = json_pack("{s:s}", "url", s.url);
	if (!stamp_find(s.folder, UINT64_MAX, UINT64_MAX, &size) && size) {
		stamp_path(path, s.folder, size, "tsr");
		if (!stat(path, &st))
			json_object_set_new(o, "newest_us", json_integer((json_int_t)st.st_mtime * 1000000));
	}
	return o;
}

static void put_status(json_t *facts, const char *name)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FILE_MAX_BYTES);
	_cleanup_json_ json_t *o = NULL;
	char path[PATH_MAX], room[PATH_MAX], program[64];

	snprintf(path, sizeof(path), RUN_PATH "/%s.json", name);
	snprintf(program, sizeof(program), "sekisho-%s", name);
	layout_path(room, sizeof(room), path);
	if (!file_read(room, &text))
		o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(o))
		return;
	json_object_set_new(o, "alive",
		json_boolean(status_alive(status_number(o, "pid"), program) &&
			     !json_is_false(json_object_get(o, "running"))));
	json_object_set(facts, name, o);
}

json_t *doctor_facts(void)
{
	static const char *const programs[] = {
		"recorder", "guard", "print", "uplink", "collector", "console", "herald", "shield"};
	bool enrolled = is_there("/var/lib/sekisho/device/device.pub"),
	     pc = enrolled || is_there(RUN_PATH "/gate.json");
	struct timex t = {.modes = 0};
	json_t *o = json_object(), *part;
	size_t i;

	json_object_set_new(o, "now_us", json_integer(clock_wall_us()));
	json_object_set_new(o, "root", json_boolean(geteuid() == 0));
	json_object_set_new(o, "systemd", json_boolean(!access("/run/systemd/system", F_OK)));
	json_object_set_new(o, "enrolled", json_boolean(enrolled));
	json_object_set_new(o, "pc", json_boolean(pc));
	json_object_set_new(o, "server", json_boolean(is_there("/var/lib/sekisho-collector/log.vkey")));
	json_object_set_new(o, "cups", json_boolean(!access("/usr/sbin/cupsd", X_OK)));
	json_object_set_new(o, "qpdf", json_boolean(!access("/usr/bin/qpdf", X_OK)));
	json_object_set_new(o, "packages",
		json_string(access("/usr/bin/apt-get", X_OK) && !access("/usr/bin/dnf", X_OK) ? "dnf" : "apt"));
	if (json_is_true(json_object_get(o, "systemd")) && enrolled)
		json_object_set_new(o, "units", doctor_units_fact());
	json_object_set_new(o, "clock_synced", json_boolean(adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC)));
	json_object_set_new(o, "kernel", kernel());
	json_object_set_new(o, "disks", disks());
	json_object_set_new(o, "certificates", certificates());
	if (json_is_true(json_object_get(o, "server")))
		json_object_set_new(o, "settings", settings());
	part = timestamps();
	if (part)
		json_object_set_new(o, "timestamps", part);
	for (i = 0; i < ARRAY_SIZE(programs); i++)
		put_status(o, programs[i]);
	part = geteuid() || !enrolled ? NULL : doctor_keys_fact();
	if (part)
		json_object_set_new(o, "keys", part);
	part = geteuid() || !pc ? NULL : ask_load();
	if (part)
		json_object_set_new(o, "load", part);
	return o;
}
