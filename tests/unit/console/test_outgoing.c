/* A file that goes out ends with the right to it: signed out, disabled, other rights, an hour. */
#include "collector/console/outgoing.h"
#include "collector/console/route.h"
#include "policy/base/clock.h"
#include "tests/unit/cm.h"
#include <stdlib.h>

#define S INT64_C(1000000)

static struct console *c;
static struct session *session;
static struct outgoing out;
static int64_t now;

/* main.c's, which no test has. */
void console_fail(struct console *x, int r, const char *what)
{
	(void)x;
	fail_msg("%s: %d", what, r);
}

static int begin(void **state)
{
	static const struct route route = {.roles = ROLE_AUDITOR | ROLE_VIEWER};
	char cookie[SESSION_TEXT_SIZE];
	struct why why = {""};
	struct account *a;
	struct call x;

	(void)state;
	now = clock_boot_us();
	c = calloc(1, sizeof(*c));
	if (!c || !(c->sessions = calloc(1, sizeof(*c->sessions))) ||
		accounts_load("/nonexistent/accounts.json", &c->accounts, &why) ||
		account_add(&c->accounts, "hanako", &a))
		return -1;
	c->sessions->idle_us = 900 * S;
	c->sessions->life_us = 43200 * S;
	a->roles = ROLE_VIEWER;
	a->scope_n = 1;
	snprintf(a->scope[0], sizeof(a->scope[0]), "pc-*");
	if (session_new(c->sessions, "hanako", "192.0.2.1", now, 1, cookie, &session))
		return -1;
	x = (struct call){.c = c, .route = &route, .session = session, .account = a};
	outgoing_begin(&out, &x);
	return 0;
}

static int end(void **state)
{
	(void)state;
	accounts_deinit(&c->accounts);
	free(c->sessions);
	free(c);
	return 0;
}

static void goes_on(void **state)
{
	int64_t t;

	(void)state;
	assert_null(outgoing_over(c, &out, now));
	/* Nobody clicks meanwhile: the file itself is what the session does. */
	for (t = 0; t < 3600 * S; t += 300 * S)
		assert_null(outgoing_over(c, &out, now + t));
	assert_non_null(outgoing_over(c, &out, now + 3700 * S));
}

static void signed_out(void **state)
{
	(void)state;
	session_end(session);
	assert_non_null(outgoing_over(c, &out, now));
}

static void disabled(void **state)
{
	(void)state;
	account_find(&c->accounts, "hanako")->disabled = true;
	assert_non_null(outgoing_over(c, &out, now));
	account_find(&c->accounts, "hanako")->disabled = false;
	assert_null(outgoing_over(c, &out, now));
	snprintf(account_find(&c->accounts, "hanako")->name, ACCOUNT_NAME_SIZE, "taro");
	assert_non_null(outgoing_over(c, &out, now));
}

static void other_rights(void **state)
{
	struct account *a = account_find(&c->accounts, "hanako");

	(void)state;
	a->roles = ROLE_ADMINISTRATOR;
	assert_non_null(outgoing_over(c, &out, now));
	a->roles = ROLE_AUDITOR;
	assert_null(outgoing_over(c, &out, now));
	snprintf(a->scope[0], sizeof(a->scope[0]), "pc-1");
	assert_non_null(outgoing_over(c, &out, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(goes_on, begin, end),
		cmocka_unit_test_setup_teardown(signed_out, begin, end),
		cmocka_unit_test_setup_teardown(disabled, begin, end),
		cmocka_unit_test_setup_teardown(other_rights, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
