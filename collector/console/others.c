/*
 * Somebody's other sessions: where they are signed in besides, and an end to one or all of that (OWASP ASVS 5.0.0,
 * 7.5.2). Nobody sees or ends a session of another account here.
 */
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"

static json_t *others_json(struct call *x)
{
	int64_t now = clock_boot_us();
	json_t *list = json_array();
	const struct session *s;
	char ref[SESSION_REF_SIZE];
	unsigned at = 0;

	while ((s = session_next(x->c->sessions, x->account->name, now, &at))) {
		if (s == x->session)
			continue;
		session_ref(s, ref);
		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o}", "id", ref, "address", s->address, "began",
						    time_json(s->created_wall_us), "seen",
						    time_json(s->created_wall_us + (s->seen_us - s->created_us))));
	}
	return json_pack("{s:o}", "others", list);
}

void others_get(struct call *x)
{
	if (tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		reply(x, others_json(x));
}

/* Of the account's other sessions: that one, or with NULL all. How many; each is in the log before it ends. False:
 * answered. */
static bool end(struct call *x, const char *which, unsigned *n)
{
	int64_t now = clock_boot_us();
	struct session *s;
	char ref[SESSION_REF_SIZE], text[ADDRESS_SIZE + 64];
	unsigned at = 0;

	while ((s = session_next(x->c->sessions, x->account->name, now, &at))) {
		struct told t = {.kind = KIND_SIGN_OUT, .text = text, .urgent = true};

		session_ref(s, ref);
		if (s == x->session || (which && strcmp(which, ref) != 0))
			continue;
		snprintf(text, sizeof(text), "ended from another session; it began at %s", s->address);
		if (!tell_call(x, t))
			return false;
		session_end(s);
		(*n)++;
	}
	return true;
}

void others_end_post(struct call *x)
{
	static const char *const names[] = {"id", "proof", NULL};
	json_t *o = body_object(x, SIGN_IN_PASSKEY_MAX, names);
	bool one = o && json_object_get(o, "id");
	const char *which = one ? body_text(x, o, "id", SESSION_REF_SIZE - 1) : NULL;
	unsigned n = 0;

	if (!o || (one && !which) || !sign_in_proof(x, o, "for ending other sessions") || !end(x, which, &n))
		goto out;
	/* Half of a sign-in that somebody else began is no session yet: it ends with all of them. */
	if (!which)
		second_end_all(x->c, x->account->name);
	if (one && !n)
		reply_error(x, 404, "session", "this account has no such other session");
	else
		reply(x, others_json(x));
out:
	json_decref(o);
}
