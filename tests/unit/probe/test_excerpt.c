/*
 * Each object of kernel programs, by the kernel's types and by an excerpt of them: libbpf makes the same instructions
 * of it. Whether this kernel then takes them is not asked.
 */
#include "agent/probe/load.h"
#include "tests/unit/cm.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct excerpt none;

static struct bpf_object *open_object(const char *name, struct excerpt *x)
{
	char path[512];
	struct bpf_object *o;

	snprintf(path, sizeof(path), "%s/%s.bpf.o", TEST_OBJECTS, name);
	o = bpf_object__open_file(path, x == &none ? NULL : excerpt_begin(x));
	assert_non_null(o);
	return o;
}

/* Descriptors of maps are others each time. */
static struct bpf_insn without_maps(struct bpf_insn i)
{
	if (i.code == (BPF_LD | BPF_IMM | BPF_DW))
		i.imm = 0;
	return i;
}

static bool same(const struct bpf_program *p, const struct bpf_program *q)
{
	size_t n = bpf_program__insn_cnt(p), i;

	if (n != bpf_program__insn_cnt(q))
		return false;
	for (i = 0; i < n; i++) {
		struct bpf_insn a = without_maps(bpf_program__insns(p)[i]), b = without_maps(bpf_program__insns(q)[i]);

		if (memcmp(&a, &b, sizeof(a)))
			return false;
	}
	return true;
}

/* How many programs are what they were before they were loaded. */
static unsigned compare(struct bpf_object *a, struct bpf_object *b)
{
	struct bpf_program *p;
	unsigned n = 0;

	bpf_object__for_each_program(p, a)
	{
		n++;
		if (!same(p, bpf_object__find_program_by_name(b, bpf_program__name(p))))
			n += 1000;
	}
	return n;
}

static void instructions_are_the_same(const char *name)
{
	struct excerpt x;
	struct bpf_object *fresh = open_object(name, &none), *whole = open_object(name, &none),
			  *part = open_object(name, &x);
	unsigned programs;

	assert_true(x.fd >= 0);
	(void)bpf_object__load(whole);
	programs = compare(whole, fresh);
	/* Nobody may create maps here, and programs stay as they are. */
	if (programs < 1000)
		skip();
	assert_int_equal(excerpt_fill(&x, part), 0);
	(void)bpf_object__load(part);
	assert_true(compare(whole, part) < 1000);
	/* An excerpt it is. */
	assert_true(lseek(x.fd, 0, SEEK_CUR) > 1000);
	assert_true(lseek(x.fd, 0, SEEK_CUR) < 1000000);
	excerpt_end(&x);
	bpf_object__close(part);
	bpf_object__close(whole);
	bpf_object__close(fresh);
}

#define OBJECT(name)                              \
	static void test_##name(void **state)     \
	{                                         \
		(void)state;                      \
		instructions_are_the_same(#name); \
	}
OBJECT(gate)
OBJECT(egress)
OBJECT(paper)
OBJECT(shield)
OBJECT(trampoline)
OBJECT(tracepoint)

/* Forms of a structure are found by its name, and functions by theirs alone. */
static int count(void *ctx, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(load_types(), id);

	assert_string_equal(btf__name_by_offset(load_types(), t->name_off), "task_struct");
	++*(unsigned *)ctx;
	return 0;
}

static int stop(void *ctx, uint32_t id)
{
	(void)id;
	++*(unsigned *)ctx;
	return -EBUSY;
}

static void test_names(void **state)
{
	unsigned n = 0, m = 0;

	(void)state;
	if (!load_types())
		skip();
	assert_int_equal(load_each_structure("task_struct___gate", count, &n), 0);
	assert_true(n >= 1);
	assert_int_equal(load_each_structure("task_struct", count, &m), 0);
	assert_int_equal(n, m);
	assert_int_equal(load_each_structure("task_struct", stop, &m), -EBUSY);
	assert_int_equal(m, n + 1);
	n = 0;
	assert_int_equal(load_each_structure("___task_struct", count, &n), 0);
	assert_int_equal(load_each_structure("task_struct____gate", count, &n), 0);
	assert_int_equal(n, 0);
	assert_true(load_in_kernel("device_add"));
	assert_false(load_in_kernel("device_add___gate"));
	assert_false(load_in_kernel("task_struct"));
	assert_null(load_prototype("btf_trace_that_is_not_there"));
	assert_non_null(load_prototype("btf_trace_sched_switch"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_gate), cmocka_unit_test(test_egress),
		cmocka_unit_test(test_paper), cmocka_unit_test(test_shield), cmocka_unit_test(test_trampoline),
		cmocka_unit_test(test_tracepoint), cmocka_unit_test(test_names)};

	load_listen();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
