/*
 * The first trampoline of a boot, made beside the loading of what needs them. The kernel begins its table of
 * trampolines with it, and on kernels as 6.1 whoever attaches it sleeps until each task has been seen outside of the
 * empty table before it (kernel/trace/ftrace.c: synchronize_rcu_tasks): a quarter of a second and more, in which no
 * processor is needed. A child attaches a program that does nothing to a function that nothing calls, while the parent
 * has its own programs verified; what the parent attaches then waits for nobody.
 */
#include "agent/probe/load.h"
#include <fcntl.h>

/* The kernel's own, for trying out what is attached to functions (net/bpf/test_run.c). */
#define FUNCTION "bpf_fentry_test1"

/*
 * Its end takes as long once more, and what has its descriptors open may be waited for: it keeps none but the pipe's.
 * Never returns.
 */
static void attach_first(uint32_t function, int until)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY, .attach_btf_id = function);
	int program, link = -1, fd;
	char c;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
	program =
		bpf_prog_load(BPF_PROG_TYPE_TRACING, "sekisho_first", "Dual BSD/GPL", insns, ARRAY_SIZE(insns), &opts);
	if (program >= 0)
		link = bpf_raw_tracepoint_open(NULL, program);
	/* A table that is empty again would begin anew. */
	if (link >= 0)
		(void)!read(until, &c, 1);
	_exit(link < 0);
}

int first_begin(void)
{
	int function, ends[2];
	pid_t child;

	function = load_types() ? btf__find_by_name_kind(load_types(), FUNCTION, BTF_KIND_FUNC) : -1;
	if (function < 0 || pipe2(ends, O_CLOEXEC))
		return -1;
	child = fork();
	if (child == 0) {
		close(ends[1]);
		attach_first((uint32_t)function, ends[0]);
	}
	close(ends[0]);
	if (child < 0)
		closep(&ends[1]);
	return ends[1];
}
