/*
 * Why a service stops: who sent the signal, and where that is systemd, whether the PC goes down or somebody asked for
 * this service. Called once, on the way out, so that it may wait for an answer for a moment. See service.h.
 *
 * Whoever asked systemd is not told by it. The recorder has them: a record of the program that spoke with it.
 */
#include "agent/service/service.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/wire/agent_conf.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define PATIENCE_US 2000000
#define PROC_MAX 4096

/* While everything stops the bus may have gone before us; root has systemd's own socket. */
static int open_systemd(sd_bus **out)
{
	_cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
	int r = sd_bus_open_system(out);

	if (r >= 0 || geteuid())
		return r;
	r = sd_bus_new(&bus);
	r = r < 0 ? r : sd_bus_set_address(bus, "unix:path=/run/systemd/private");
	r = r < 0 ? r : sd_bus_start(bus);
	if (r >= 0)
		*out = STEAL(bus);
	return r;
}

/* Is the PC going down? Where systemd does not say, nobody knows: that counts as asked for. */
static bool goes_down(void)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	_cleanup_free_ char *state = NULL;

	if (open_systemd(&bus) < 0 || sd_bus_set_method_call_timeout(bus, PATIENCE_US) < 0)
		return false;
	return sd_bus_get_property_string(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
		       "org.freedesktop.systemd1.Manager", "SystemState", NULL, &state) >= 0 &&
	       !strcmp(state, "stopping");
}

/*
 * Is the agent being replaced by its package? The guard's word, which root alone can write; root who writes it by hand
 * finds that told by the guard (own.h).
 */
static bool is_upgraded(void)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], text[4096];
	const char *purpose;
	json_int_t until;
	struct stat st;
	ssize_t n;
	json_t *o;
	bool yes;

	if (agent_path(path, sizeof(path), SERVICE_MAINTENANCE_PATH))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid || st.st_mode & 022)
		return false;
	n = read(fd, text, sizeof(text));
	o = n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
	yes = o && !json_unpack(o, "{s:s, s:I}", "purpose", &purpose, "until_boot_us", &until) &&
	      !strcmp(purpose, "upgrade") && clock_boot_us() < until;
	json_decref(o);
	return yes;
}

static bool is_systemd(uint32_t pid)
{
	_cleanup_buf_ struct buf b = BUF_INIT(64);

	return pid == 1 && !file_read("/proc/1/comm", &b) && buf_str(&b) && !strcmp((const char *)b.p, "systemd\n");
}

static void read_sender(struct stop_asked *a)
{
	_cleanup_buf_ struct buf comm = BUF_INIT(64);
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/exe", a->pid);
	n = readlink(path, a->program, sizeof(a->program) - 1);
	a->program[n > 0 ? n : 0] = 0;
	snprintf(path, sizeof(path), "/proc/%u/comm", a->pid);
	if (!file_read(path, &comm) && comm.n && buf_str(&comm))
		snprintf(a->comm, sizeof(a->comm), "%.*s", (int)comm.n - 1, (const char *)comm.p);
	a->login_uid = service_login_uid(a->pid);
	a->has_login = a->login_uid != UINT32_MAX;
}

void service_stop_asked(const struct signalfd_siginfo *info, struct stop_asked *out)
{
	*out = (struct stop_asked){.signal = info->ssi_signo, .pid = info->ssi_pid, .uid = info->ssi_uid};
	if (is_systemd(out->pid))
		out->how = goes_down() ? STOP_SHUTDOWN : is_upgraded() ? STOP_UPGRADE : STOP_ASKED;
	else
		out->how = STOP_SIGNAL;
	if (out->how == STOP_SIGNAL && out->pid)
		read_sender(out);
}

void service_put_stop(struct record *r, const struct stop_asked *a)
{
	static const char *const names[] = {[STOP_FAILED] = "failed",
		[STOP_SHUTDOWN] = "shutdown",
		[STOP_ASKED] = "asked",
		[STOP_UPGRADE] = "upgrade",
		[STOP_SIGNAL] = "signal",
		[STOP_ANEW] = "anew"};

	record_set_str(r, F_OPERATION, names[a->how]);
	if (a->how == STOP_FAILED || a->how == STOP_ANEW)
		return;
	record_set_uint(r, F_SIGNAL, a->signal);
	if (a->how != STOP_SIGNAL || !a->pid)
		return;
	record_set_uint(r, F_PID, a->pid);
	record_set_uint(r, F_UID, a->uid);
	record_set_text(r, F_PROGRAM, a->program);
	record_set_text(r, F_COMM, a->comm);
	if (a->has_login)
		record_set_uint(r, F_LOGIN_UID, a->login_uid);
}
