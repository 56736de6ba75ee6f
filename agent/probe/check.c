/*
 * What is pinned, tried: see check.h. Called by main.c. Must never load, replace or steer anything, nor read events
 * that are the recorder's.
 */
#include "agent/probe/check.h"
#include "agent/probe/gate.h"
#include "agent/probe/probe.h"
#include "policy/base/cleanup.h"
#include "policy/base/clock.h"
#include "policy/wire/record.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TAKEN_WITHIN_US 5000000
#define LOOK_EVERY_NS 20000000

static json_t *state(const char *how, const char *why)
{
	return json_pack("{s:s, s:s}", "state", how, "why", why);
}

/* 0 opened, a verdict or -errno of probe_open or gate_open otherwise: *out says so. */
static bool is_open(int r, const struct why *why, json_t **out)
{
	*out = !r                 ? state("current", "")
	       : r == V_NOT_FOUND ? state("none", why->text)
	       : r == V_BAD       ? state("other", why->text)
				  : state("failed", strerror(-r));
	return !r && *out;
}

/* Something that the kernel has to tell of: a program is started. */
static int start_something(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		/* What it says is nobody's business. */
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
			_exit(127);
		execl("/proc/self/exe", "sekisho-load", "--version", (char *)NULL);
		_exit(127);
	}
	if (child < 0)
		return -errno;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static bool taken(const struct probe *p, uint64_t position)
{
	int64_t until = clock_awake_us() + TAKEN_WITHIN_US;

	while (probe_taken(p) < position && clock_awake_us() < until)
		nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
	return probe_taken(p) >= position;
}

static json_t *recorder(void)
{
	_cleanup_(probe_closep) struct probe *p = NULL;
	struct why why = {""};
	uint64_t before, after;
	json_t *o;

	if (!is_open(probe_open(&p, &why), &why, &o))
		return o;
	before = probe_told(p);
	if (start_something()) {
		json_decref(o);
		return state("failed", strerror(errno));
	}
	after = probe_told(p);
	json_object_set_new(o, "set", json_string(enum_by_value(F_PROBE_SET, probe_set_of(p))->name));
	json_object_set_new(o, "told", json_boolean(after != before));
	json_object_set_new(o, "taken", json_boolean(taken(p, after)));
	return o;
}

static json_t *layers_text(unsigned layers)
{
	_cleanup_buf_ struct buf text = BUF_INIT(256);

	return gate_layers_text(layers, &text) || !buf_str(&text) ? json_string("") : json_string((const char *)text.p);
}

static json_t *gate(void)
{
	_cleanup_(gate_closep) struct gate *g = NULL;
	struct why why = {""};
	json_t *o;
	int bit;

	if (!is_open(gate_open(&g, &why), &why, &o))
		return o;
	json_object_set_new(o, "how", json_string(gate_dry_run(g) ? "note" : "enforce"));
	json_object_set_new(o, "layers", layers_text(gate_layers(g)));
	/* One that only notes lets the canary through. */
	bit = gate_dry_run(g) ? (int)gate_layers(g) : gate_prove(g);
	if (bit < 0) {
		json_decref(o);
		return state("failed", strerror(-bit));
	}
	json_object_set_new(o, "missing", layers_text(gate_layers(g) & ~(unsigned)bit));
	return o;
}

int check_print(void)
{
	json_t *o = json_pack("{s:o, s:o}", "recorder", recorder(), "gate", gate());
	_cleanup_free_ char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;

	json_decref(o);
	return text && puts(text) >= 0 && !fflush(stdout) ? 0 : 3;
}
