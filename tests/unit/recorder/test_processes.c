/* The table of processes: identity by pid and start, ancestors, what gives way when it is full. */
#include "agent/recorder/processes.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

struct fixture {
	struct names *names;
	struct processes *table;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || names_new(&f->names) || processes_new(f->names, &f->table))
		return -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	processes_free(f->table);
	names_free(f->names);
	free(f);
	return 0;
}

static void ancestors_are_told_nearest_first(void **state)
{
	struct fixture *f = *state;
	struct process *p;

	p = processes_add(f->table, 1, 10, 0, 0);
	processes_set_program(f->table, p, SPAN_STR("/sbin/init"));
	p = processes_add(f->table, 2, 20, 1, 10);
	assert_true(span_eq(names_get(f->names, p->program), SPAN_STR("/sbin/init")));
	processes_set_program(f->table, p, SPAN_STR("/bin/bash"));
	p = processes_add(f->table, 3, 30, 2, 20);
	processes_set_program(f->table, p, SPAN_STR("/usr/bin/vi"));
	assert_true(span_eq(names_get(f->names, p->parent[0]), SPAN_STR("/bin/bash")));
	assert_true(span_eq(names_get(f->names, p->parent[1]), SPAN_STR("/sbin/init")));
	assert_int_equal(p->parent[2], 0);
	/* a parent that is another process with the same number is not the parent */
	p = processes_add(f->table, 4, 40, 2, 21);
	assert_int_equal(p->parent[0], 0);
}

static void a_number_used_again_is_another_process(void **state)
{
	struct fixture *f = *state;
	struct process *p = processes_add(f->table, 7, 1, 0, 0);

	processes_set_program(f->table, p, SPAN_STR("/a"));
	assert_null(processes_find(f->table, 7, 2));
	assert_ptr_equal(processes_find(f->table, 7, 1), p);
	assert_ptr_equal(processes_add(f->table, 7, 1, 0, 0), p);
	assert_ptr_not_equal(processes_add(f->table, 7, 2, 0, 0), p);
}

static void the_ended_stay_a_while(void **state)
{
	struct fixture *f = *state;
	uint32_t i;

	for (i = 1; i <= PROCESSES_ENDED_MAX + 1; i++)
		processes_end(f->table, processes_add(f->table, i, 1, 0, 0));
	assert_null(processes_find(f->table, 1, 1));
	assert_non_null(processes_find(f->table, 2, 1));
	assert_int_equal(processes_kept(f->table), PROCESSES_ENDED_MAX);
	assert_int_equal(processes_evicted(f->table), 0);
	processes_end(f->table, processes_find(f->table, 2, 1)); /* twice is once */
	assert_int_equal(processes_kept(f->table), PROCESSES_ENDED_MAX);
}

static void a_full_table_loses_the_ended_then_the_longest_unheard(void **state)
{
	struct fixture *f = *state;
	struct process *p;
	uint32_t i;

	for (i = 1; i <= PROCESSES_MAX; i++) {
		p = processes_add(f->table, i, 1, 0, 0);
		processes_set_program(f->table, p, SPAN_STR("/same"));
	}
	processes_end(f->table, processes_find(f->table, 500, 1));
	processes_find(f->table, 1, 1);
	processes_add(f->table, PROCESSES_MAX + 1, 1, 0, 0);
	assert_null(processes_find(f->table, 500, 1));
	assert_int_equal(processes_evicted(f->table), 0);
	processes_add(f->table, PROCESSES_MAX + 2, 1, 0, 0);
	assert_int_equal(processes_evicted(f->table), 1);
	assert_non_null(processes_find(f->table, 1, 1));
	assert_null(processes_find(f->table, 2, 1));
	assert_int_equal(processes_kept(f->table), PROCESSES_MAX);
	assert_int_equal(names_kept(f->names), 1);
}

static void names_go_with_their_processes(void **state)
{
	struct fixture *f = *state;
	struct process *p = processes_add(f->table, 1, 1, 0, 0);
	uint32_t i;

	processes_set_program(f->table, p, SPAN_STR("/one"));
	processes_set_container(f->table, p, SPAN_STR("/docker/abc"));
	processes_add(f->table, 2, 1, 1, 1);
	assert_int_equal(names_kept(f->names), 2);
	processes_end(f->table, processes_find(f->table, 1, 1));
	processes_end(f->table, processes_find(f->table, 2, 1));
	for (i = 10; i < 10 + PROCESSES_ENDED_MAX; i++)
		processes_end(f->table, processes_add(f->table, i, 1, 0, 0));
	assert_int_equal(names_kept(f->names), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ancestors_are_told_nearest_first, setup, teardown),
		cmocka_unit_test_setup_teardown(a_number_used_again_is_another_process, setup, teardown),
		cmocka_unit_test_setup_teardown(the_ended_stay_a_while, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_table_loses_the_ended_then_the_longest_unheard, setup, teardown),
		cmocka_unit_test_setup_teardown(names_go_with_their_processes, setup, teardown),
	};

	return cmocka_run_group_tests_name("recorder/processes", tests, NULL, NULL);
}
