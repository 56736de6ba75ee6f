/*
 * sekisho-posture: how this PC is kept, as six signed records; once, then it ends. Started each day by systemd's timer
 * as root.
 *
 * Takes what needs root (the device key, three lists of bytes), becomes its own user without capabilities, and only
 * then reads and understands; filters its system calls; seals. In that order, below. It has no network, and changes
 * nothing of the system.
 */
#include "agent/posture/posture.h"
#include "policy/base/clock.h"
#include "policy/base/confine.h"
#include "policy/base/log.h"
#include "policy/wire/producer.h"
#include "policy/wire/program.h"
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#define USER "sekisho-posture"
#define RECORD_TEXT_MAX 4096u

struct run {
	struct agent_conf conf;
	char spool[PATH_MAX], seen[PATH_MAX];
	struct posture_place at;
	struct posture_taken taken;
	struct posture_fact facts[POSTURE_CHECKS];
	size_t n;
	uint64_t which;
	struct producer_keys keys;
	struct sealer *sealer;
	bool print, json;
};

static void fill(struct record *r, const struct posture_fact *f)
{
	record_reset(r);
	record_set_uint(r, F_KIND, KIND_POSTURE);
	record_set_int(r, F_TIME, clock_wall_us());
	record_set_int(r, F_BOOT_TIME, clock_boot_us());
	record_set_uint(r, F_CHECK, f->check);
	record_set_uint(r, F_STATE, f->state);
	record_set_span(r, F_TEXT, buf_span(&f->words));
}

static int print_one(const struct posture_fact *f, bool json)
{
	_cleanup_buf_ struct buf text = BUF_INIT(RECORD_TEXT_MAX);
	struct record r;
	int got;

	if (!json) {
		printf("%-16s %-15s %.*s\n", enum_by_value(F_CHECK, f->check)->name,
			enum_by_value(F_STATE, f->state)->name, (int)f->words.n, (const char *)f->words.p);
		return 0;
	}
	fill(&r, f);
	got = record_json(&r, &text);
	if (!got)
		printf("%.*s\n", (int)text.n, (const char *)text.p);
	return got;
}

static int print_all(const struct run *x)
{
	size_t i;
	int got = 0;

	for (i = 0; i < x->n && !got; i++)
		got = print_one(&x->facts[i], x->json);
	return got ? got : fflush(stdout) ? -errno : 0;
}

static int seal(struct run *x)
{
	struct record r;
	size_t i;
	int got = 0;

	for (i = 0; i < x->n && !got; i++) {
		fill(&r, &x->facts[i]);
		got = sealer_put(x->sealer, &r, false);
		/* A full spool counts it: the loss is what is sealed then. */
		got = got == V_FULL ? 0 : got;
	}
	return got ? got : sealer_flush(x->sealer, true);
}

/* Each step names itself where it fails. */
static int run(struct run *x)
{
	struct why why = {""};
	const char *step = "folders";
	int got = 0;

	/* takes what needs privilege */
	if (!x->print) {
		got = producer_folder(x->spool, "posture", USER);
		if (!got) {
			step = "keys";
			got = producer_keys_load(&x->keys, &why);
		}
	}
	if (!got) {
		posture_take(&x->at, &x->taken);
		step = "giving up privileges";
		got = program_give_up_power(USER, &why);
	}

	/* looks */
	if (!got) {
		step = "looking";
		got = posture_look(&x->at, &x->taken, x->which, x->facts, &x->n);
	}
	if (!got) {
		step = "system call filter";
		got = confine_syscalls(CONFINE_LOCAL);
	}
	if (!got && x->print) {
		step = "printing";
		got = print_all(x);
	} else if (!got) {
		step = "spool";
		got = producer_sealer(PRODUCER_POSTURE, &x->conf, &x->keys, x->spool, x->seen, &x->sealer, &why);
		if (!got && why.text[0])
			log_warning("spool: %s; the chain begins anew, and says so", why.text);
		got = got ? got : seal(x);
	}
	return got ? program_not_started(step, got, &why) : EXIT_SUCCESS;
}

static void release(struct run *x)
{
	size_t i;

	sealer_free(x->sealer);
	producer_keys_deinit(&x->keys);
	posture_taken_deinit(&x->taken);
	for (i = 0; i < x->n; i++)
		buf_deinit(&x->facts[i].words);
}

/* --print CHECK...: these only. */
static bool take_checks(struct run *x, int n, char **names)
{
	const struct enum_info *check;

	x->which = n ? 0 : POSTURE_ALL;
	for (; n > 0; n--, names++) {
		check = enum_by_name(F_CHECK, *names);
		/* whether protected files are refused the guard tries, and tells */
		if (!check || check->value == CHECK_PROTECTED_FILES || !x->print)
			return false;
		x->which |= UINT64_C(1) << check->value;
	}
	return true;
}

int main(int argc, char **argv)
{
	int print = 0, json = 0;
	const struct option own[] = {
		{"print", no_argument, &print, 1}, {"json", no_argument, &json, 1}, {NULL, 0, NULL, 0}};
	const struct program program = {.name = "sekisho-posture",
		.usage = "usage: sekisho-posture [--config FILE]\n"
			 "       sekisho-posture --print [--json] [CHECK]...\n"
			 "       sekisho-posture --help | --version\n"
			 "Looks how this PC is kept (encryption, screen lock, passwords, antivirus, updates, "
			 "firewall), and makes\n"
			 "signed records of it, or prints it. See sekisho-posture(8).\n",
		.own = own};
	struct run x = {.at = {.root = ""}};
	struct why why = {""};
	const char *config;
	int got;

	if (!program_line(&program, argc, argv, &config, &got))
		return got;
	x.print = print;
	x.json = json;
	if ((json && !print) || !take_checks(&x, argc - optind, argv + optind))
		return program_usage(&program);
	if (agent_path(x.spool, sizeof(x.spool), "/var/spool/sekisho") ||
		agent_path(x.seen, sizeof(x.seen), "/var/lib/sekisho/inbox/checkpoint"))
		return program_complain("SEKISHO_ROOT", -ENAMETOOLONG, &why);
	got = program_settings(&program, config, &x.conf, &why);
	if (got)
		return program_complain("settings", got, &why);
	x.at.now = clock_wall_us() / 1000000;
	umask(0027);
	got = run(&x);
	release(&x);
	return got;
}
