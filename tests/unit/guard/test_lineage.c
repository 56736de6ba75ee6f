/*
 * Whose a maintenance window is: of the processes above who asks, by the names of their programs; and of real ones, by
 * /proc.
 */
#include "agent/guard/guard.h"
#include "tests/unit/cm.h"
#include <sys/wait.h>
#include <unistd.h>

/* "sekishoctl sh dpkg ...", the caller first; the name of whose window it is, "" where it is nobody's. */
static void root_is(const char *names, const char *wanted)
{
	struct ancestor v[LINEAGE_MAX];
	char text[256], *word, *save = NULL;
	unsigned n = 0, root;

	snprintf(text, sizeof(text), "%s", names);
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		v[n] = (struct ancestor){.pid = 100 - (pid_t)n, .start_ticks = n};
		snprintf(v[n++].name, LINEAGE_NAME_SIZE, "%s", word);
	}
	root = lineage_root(v, n);
	assert_string_equal(root < n ? v[root].name : "", wanted);
	if (root < n)
		assert_int_equal(v[root].pid, 100 - (pid_t)root);
}

static void the_outermost_package_manager_has_the_window(void **s)
{
	(void)s;
	root_is("sekishoctl sh dpkg bash sshd", "dpkg");
	root_is("sekishoctl dash dpkg apt-get sudo bash sshd", "apt-get");
	root_is("sekishoctl dash perl dpkg apt bash", "apt");
	root_is("sekishoctl dash dpkg python3.11", "python3.11");
	root_is("sekishoctl dash rpm dnf5 bash", "dnf5");
	root_is("sekishoctl dash python3.9 bash", "dash");
	root_is("sekishoctl dash dpkg bash python3.11 gdm", "dpkg");
	/* One that lies below is not one that it works for. */
	root_is("dpkg bash sshd", "bash");
}

static void else_who_called(void **s)
{
	(void)s;
	root_is("sekishoctl bash sshd", "bash");
	root_is("sekishoctl sudo bash sshd", "bash");
	root_is("sekishoctl env sudo zsh", "zsh");
	root_is("sekishoctl", "");
	root_is("sekishoctl sudo", "");
	root_is("", "");
}

static void it_is_read_from_the_kernel(void **s)
{
	struct ancestor v[LINEAGE_MAX];
	unsigned n = lineage_read(getpid(), v);
	pid_t child;

	(void)s;
	assert_true(n >= 1);
	assert_int_equal(v[0].pid, getpid());
	assert_string_equal(v[0].name, "guard_test_lineage");
	if (n > 1)
		assert_int_equal(v[1].pid, getppid());
	assert_true(lineage_lives(v[0].pid, v[0].start_ticks));
	assert_false(lineage_lives(v[0].pid, v[0].start_ticks + 1));
	child = fork();
	if (child == 0)
		pause();
	assert_true(child > 0);
	assert_true(lineage_read(child, v) > 1);
	assert_int_equal(v[1].pid, getpid());
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(lineage_lives(child, v[0].start_ticks));
	assert_int_equal(lineage_read(child, v), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_outermost_package_manager_has_the_window),
		cmocka_unit_test(else_who_called),
		cmocka_unit_test(it_is_read_from_the_kernel),
	};

	return cmocka_run_group_tests_name("guard/lineage", tests, NULL, NULL);
}
