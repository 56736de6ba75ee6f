/*
 * The beginning of a program. See program.h.
 */
#include "policy/wire/program.h"
#include "policy/base/confine.h"
#include "policy/base/log.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#define MALLOC_BOUND (64 << 10)

#ifdef __SANITIZE_ADDRESS__
/* The leak check at exit wants ptrace, which the filters of system calls answer with death. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

int program_usage(const struct program *p)
{
	fputs(p->usage, stderr);
	return 2;
}

static void all_options(const struct program *p, struct option out[PROGRAM_OPTIONS_MAX + 4])
{
	static const struct option common[] = {{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}};
	size_t n = ARRAY_SIZE(common), i;

	memcpy(out, common, sizeof(common));
	for (i = 0; p->own && p->own[i].name && i < PROGRAM_OPTIONS_MAX; i++)
		out[n++] = p->own[i];
	out[n] = (struct option){NULL, 0, NULL, 0};
}

bool program_line(const struct program *p, int argc, char **argv, const char **config, int *code)
{
	struct option options[PROGRAM_OPTIONS_MAX + 4];
	int o;

	log_open(p->name, LOG_INFO);
	all_options(p, options);
	*config = NULL;
	*code = 0;
	while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (o == 'c') {
			*config = optarg;
		} else if (o == 'h') {
			fputs(p->usage, stdout);
			return false;
		} else if (o == 'V') {
			printf("%s %s\n", p->name, SEKISHO_VERSION);
			return false;
		} else if (o == 0) {
			continue; /* it has set its flag */
		} else if (o >= PROGRAM_OWN) {
			p->take(p->ctx, o, optarg);
		} else {
			*code = program_usage(p);
			return false;
		}
	}
	return true;
}

int program_settings(const struct program *p, const char *config, struct agent_conf *out, struct why *why)
{
	char path[PATH_MAX];
	int r = config ? 0 : agent_path(path, sizeof(path), AGENT_CONF_PATH);

	/* Settings that somebody names and that are not there are a mistake; agent.conf itself may be missing. */
	if (config && access(config, R_OK))
		return why_set(why, V_NOT_FOUND, "%s: %s", config, strerror(errno));
	r = r ? -ENAMETOOLONG : agent_conf_load(config ? config : path, out, why);
	if (!r)
		log_open(p->name, out->debug ? LOG_DEBUG : LOG_INFO);
	/*
	 * A PC's programs rest most of the time. What they needed at their start, or for a large segment, goes back to
	 * the system: left alone, malloc would raise both bounds by the largest piece that was ever freed.
	 */
	mallopt(M_MMAP_THRESHOLD, MALLOC_BOUND);
	mallopt(M_TRIM_THRESHOLD, MALLOC_BOUND);
	return r;
}

int program_complain(const char *what, int r, const struct why *why)
{
	if (why->text[0])
		log_error("%s: %s", what, why->text);
	else
		log_error("%s: %s", what, r < 0 ? strerror(-r) : "unusable");
	return EXIT_FAILURE;
}

int program_not_started(const char *what, int r, const struct why *why)
{
	program_complain(what, r, why);
	return r == V_NOT_FOUND ? PROGRAM_NOT_MADE : EXIT_FAILURE;
}

int program_checked(int r, const struct why *why)
{
	if (r)
		puts(why->text[0] ? why->text : r < 0 ? strerror(-r) : "unusable");
	return r || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int program_give_up_power(const char *user, struct why *why)
{
	bool stayed = false;
	int r = confine_program(user, &stayed, why);

	if (stayed)
		log_warning("user %s does not exist: staying root, without capabilities", user);
	return r;
}

int program_path(char *out, size_t size, const char *path)
{
	return agent_path(out, size, path) ? -ENAMETOOLONG : 0;
}
