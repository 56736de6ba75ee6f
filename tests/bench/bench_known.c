/*
 * How much of each document that a policy knows stands in files, asked as the guard asks. For tests/bench/known.
 *
 *   bench_known INSPECTOR POLICY.YAML FILE...     one line of JSON for each file: {"file": ..., "ms": ..., "known":
 * {...}}
 */
#include "agent/inspect/inspect.h"
#include "agent/inspect/numbers.h"
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include <fcntl.h>
#include <stdio.h>

static int one(struct inspect *in, const struct policy *p, const struct inspect_known *known, const char *file)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
	const struct inspect_ask ask = {.text = true, .known = known, .time_ms = 60000};
	uint8_t share[KNOWN_MAX] = {0};
	struct inspect_facts facts;
	int64_t begun = clock_boot_us();
	struct why why = {""};
	bool first = true;
	unsigned i;

	if (fd < 0 || inspect_document(in, fd, &ask, &facts, &why)) {
		fprintf(stderr, "%s: %s\n", file, why.text);
		return 1;
	}
	known_of(p, &facts, share);
	printf("{\"file\": \"%s\", \"ms\": %.3f, \"known\": {", file, (double)(clock_boot_us() - begun) / 1e3);
	for (i = 0; i < policy_known_n(p); i++) {
		if (!share[i])
			continue;
		printf("%s\"%s\": %u", first ? "" : ", ", policy_known(p, i)->name, share[i]);
		first = false;
	}
	puts("}}");
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_buf_ struct buf yaml = BUF_INIT(POLICY_YAML_MAX);
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_(inspect_known_freep) struct inspect_known *known = NULL;
	_cleanup_(inspect_stopp) struct inspect *in = NULL;
	struct why why = {""};
	int i, r = 0;

	if (argc < 4) {
		fputs("usage: bench_known INSPECTOR POLICY.YAML FILE...\n", stderr);
		return 2;
	}
	setenv("SEKISHO_ROOT", "/nonexistent", 0);
	if (inspect_start(argv[1], &in, &why) || file_read(argv[2], &yaml) ||
		policy_load(buf_span(&yaml), SPAN("", 0), &p, &why) || known_ask(p, &known)) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	for (i = 3; i < argc; i++)
		r |= one(in, p, known, argv[i]);
	return r;
}
