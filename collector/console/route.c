/*
 * Which operation a request is, and whether who asks may have it. The table is the only place where rights are checked:
 * what is not in it does not exist, and every function in it is called only through here.
 */
#include "collector/console/route.h"
#include "collector/console/sign_in.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"

#define ADMIN ROLE_ADMINISTRATOR
#define AUDIT ROLE_AUDITOR
#define VIEW ROLE_VIEWER
#define ALL ROLES_ALL

const struct route routes[] = {
	{ASK_GET, "/api/v1/ways", 0, ROUTE_OPEN, ways_get},
	{ASK_GET, "/api/v1/session", ALL, ROUTE_EARLY, session_get},
	{ASK_POST, "/api/v1/session", 0, ROUTE_OPEN, session_post},
	{ASK_DELETE, "/api/v1/session", ALL, ROUTE_EARLY, session_delete},
	{ASK_GET, "/api/v1/session/others", ALL, 0, others_get},
	{ASK_POST, "/api/v1/session/others/end", ALL, 0, others_end_post},
	{ASK_POST, "/api/v1/session/password", ALL, ROUTE_EARLY, password_post},
	{ASK_POST, "/api/v1/session/totp", ALL, ROUTE_EARLY, totp_post},
	{ASK_POST, "/api/v1/session/totp/remove", ALL, 0, totp_remove_post},
	{ASK_POST, "/api/v1/session/recovery", ALL, 0, recovery_post},
	{ASK_POST, "/api/v1/session/challenge", 0, ROUTE_OPEN, challenge_post},
	{ASK_POST, "/api/v1/session/oidc", 0, ROUTE_OPEN, oidc_post},
	{ASK_POST, "/api/v1/session/oidc/return", 0, ROUTE_OPEN, oidc_return_post},
	{ASK_POST, "/api/v1/session/oidc/backchannel", 0, ROUTE_OPEN, oidc_backchannel_post},
	{ASK_GET, "/api/v1/session/passkeys", ALL, ROUTE_EARLY, passkeys_get},
	{ASK_POST, "/api/v1/session/passkeys/challenge", ALL, ROUTE_EARLY, passkeys_ask_post},
	{ASK_POST, "/api/v1/session/passkeys", ALL, ROUTE_EARLY, passkeys_post},
	{ASK_POST, "/api/v1/session/passkeys/{}/remove", ALL, 0, passkey_remove},
	{ASK_GET, "/api/v1/people", ADMIN, 0, people_get},
	{ASK_POST, "/api/v1/people/passkeys/remove", ADMIN, 0, people_passkey_remove},
	{ASK_GET, "/api/v1/vocabulary", ALL, 0, vocabulary_get},
	{ASK_GET, "/api/v1/records", AUDIT | VIEW, 0, records_get},
	{ASK_GET, "/api/v1/records.csv", AUDIT | VIEW, 0, csv_get},
	{ASK_GET, "/api/v1/records/{}", AUDIT | VIEW, 0, record_get},
	{ASK_GET, "/api/v1/records/{}/segment", AUDIT, 0, segment_get},
	{ASK_GET, "/api/v1/records/{}/neighbours", AUDIT | VIEW, 0, neighbours_get},
	{ASK_GET, "/api/v1/trail", AUDIT | VIEW, 0, trail_get},
	{ASK_GET, "/api/v1/trail.csv", AUDIT | VIEW, 0, trail_csv_get},
	{ASK_GET, "/api/v1/bundle", AUDIT, 0, bundle_get},
	{ASK_GET, "/api/v1/register.pdf", AUDIT, 0, register_get},
	{ASK_GET, "/api/v1/register.csv", AUDIT, 0, register_get},
	{ASK_GET, "/api/v1/register.zip", AUDIT, 0, register_get},
	{ASK_POST, "/api/v1/reports", ALL, 0, reports_post},
	{ASK_GET, "/api/v1/reports/{}", ALL, 0, report_get},
	{ASK_GET, "/api/v1/reports/{}/pdf", ALL, 0, report_file_get},
	{ASK_GET, "/api/v1/reports/{}/zip", ALL, 0, report_file_get},
	{ASK_POST, "/api/v1/proofs", ADMIN, 0, proofs_post},
	{ASK_GET, "/api/v1/proofs", ADMIN | AUDIT, 0, proofs_get},
	{ASK_GET, "/api/v1/proofs/{}", ADMIN | AUDIT, 0, proof_get},
	{ASK_GET, "/api/v1/searches", AUDIT | VIEW, 0, searches_get},
	{ASK_PUT, "/api/v1/searches", AUDIT | VIEW, 0, searches_put},
	{ASK_GET, "/api/v1/facets", AUDIT | VIEW, 0, facets_get},
	{ASK_GET, "/api/v1/alerts", AUDIT | VIEW, 0, alerts_get},
	{ASK_POST, "/api/v1/alerts/{}/acknowledge", AUDIT | VIEW, 0, alert_seen_post},
	{ASK_GET, "/api/v1/overview", ALL, 0, overview_get},
	{ASK_GET, "/api/v1/expiring", ALL, 0, expiring_get},
	{ASK_GET, "/api/v1/traffic", ALL, 0, traffic_get},
	{ASK_GET, "/api/v1/live", ALL, 0, live_get},
	{ASK_GET, "/api/v1/hosts", ALL, 0, hosts_get_all},
	{ASK_GET, "/api/v1/hosts/{}", ALL, 0, host_get},
	{ASK_POST, "/api/v1/hosts/{}/revoke", ADMIN, 0, host_revoke},
	{ASK_POST, "/api/v1/hosts/{}/retire", ADMIN, 0, host_retire},
	{ASK_GET, "/api/v1/tokens", ADMIN, 0, tokens_get},
	{ASK_POST, "/api/v1/tokens", ADMIN, 0, tokens_post},
	{ASK_GET, "/api/v1/policy", ADMIN | AUDIT, 0, policy_get},
	{ASK_POST, "/api/v1/policy", ADMIN, 0, policy_post},
	{ASK_GET, "/api/v1/policy/versions", ADMIN | AUDIT, 0, policy_versions_get},
	{ASK_POST, "/api/v1/policy/check", ADMIN | AUDIT, 0, policy_check_post},
	{ASK_POST, "/api/v1/policy/replay", ADMIN | AUDIT, 0, policy_replay_post},
	{ASK_GET, "/api/v1/policy/status", ADMIN | AUDIT, 0, policy_status},
	{ASK_GET, "/api/v1/devices/unlisted", ADMIN | AUDIT, 0, unlisted_get},
	{ASK_GET, "/api/v1/log", ALL, 0, log_get},
	{ASK_GET, NULL, 0, 0, NULL},
};

bool route_reads(const struct account *a)
{
	const struct route *r;

	for (r = routes; r->path && r->fn != records_get; r++)
		;
	return (a->roles & r->roles) != 0;
}

bool route_matches(const char *pattern, const char *path, char *id, size_t size)
{
	const char *hole = strstr(pattern, "{}");
	size_t head = hole ? (size_t)(hole - pattern) : 0, n;

	if (!hole)
		return !strcmp(pattern, path);
	if (strncmp(pattern, path, head) != 0)
		return false;
	n = strcspn(path + head, "/");
	if (!n || n >= size || strcmp(hole + 2, path + head + n) != 0)
		return false;
	memcpy(id, path + head, n);
	id[n] = 0;
	return true;
}

/* Did our own page ask? Browsers say where a request comes from; what they do not say is checked by the token. */
static bool is_ours(const struct ask *a)
{
	const char *site = ask_header(a, "Sec-Fetch-Site"), *origin = ask_header(a, "Origin");
	const char *host = ask_header(a, "Host");
	static const char scheme[] = "https://";

	if (site && strcmp(site, "same-origin") != 0)
		return false;
	return !origin ||
	       (host && !strncmp(origin, scheme, sizeof(scheme) - 1) && !strcasecmp(origin + sizeof(scheme) - 1, host));
}

static bool same(const char *a, const char *b)
{
	size_t n = strlen(a), i;
	unsigned char d = 0;

	if (n != strlen(b))
		return false;
	for (i = 0; i < n; i++)
		d |= (unsigned char)(a[i] ^ b[i]);
	return !d;
}

/* Finds the session of a call. False: answered. */
static bool who(struct call *x)
{
	const char *header = ask_header(x->a, "Cookie");
	char cookie[SESSION_TEXT_SIZE];
	int64_t now = clock_boot_us();

	if (header && !session_cookie(header, cookie))
		x->session = session_find(x->c->sessions, cookie, now);
	secret_wipe(cookie, sizeof(cookie));
	if (x->session)
		x->account = account_find(&x->c->accounts, x->session->account);
	if (!x->session || !x->account || x->account->disabled) {
		reply_error(x, 401, "session", "sign in first");
		return false;
	}
	if (!visitor_same(x)) {
		struct told t = {.kind = KIND_CONSOLE_REFUSED,
			.cause = CAUSE_CERTIFICATE,
			.operation = x->a->path,
			.text = "not with the certificate that the session began with"};

		x->c->count.denied++;
		if (tell_call(x, t))
			reply_error(
				x, 401, "certificate", "this session began with a certificate that is not shown here");
		return false;
	}
	x->session->seen_us = now;
	ask_known(x->a);
	return true;
}

static bool refuse(struct call *x, unsigned cause, const char *word, const char *reason)
{
	struct told t = {.kind = KIND_CONSOLE_REFUSED, .cause = cause, .operation = x->a->path};

	x->c->count.denied++;
	/* Refused either way; an outsider must not fill the log with it. */
	if (x->session && !tell_call(x, t))
		return false;
	reply_error(x, 403, word, reason);
	return false;
}

static bool may(struct call *x)
{
	const struct route *r = x->route;
	const char *csrf = ask_header(x->a, "Sekisho-Csrf");

	if (r->method != ASK_GET && !is_ours(x->a))
		return refuse(x, CAUSE_CROSS_SITE, "csrf", "this was not asked by the console's own page");
	if (r->flags & ROUTE_OPEN)
		return true;
	if (!who(x))
		return false;
	if (r->method != ASK_GET && (!csrf || !same(csrf, x->session->csrf)))
		return refuse(x, CAUSE_CROSS_SITE, "csrf", "the header Sekisho-Csrf is missing or of another session");
	if (!(r->flags & ROUTE_EARLY) && (sign_in_due_password(x) || sign_in_due_factor(x))) {
		reply_error(x, 403, "must", "another password and a second factor come first");
		return false;
	}
	if (!(x->account->roles & r->roles))
		return refuse(x, CAUSE_ROLE, "role", "not for the roles of this account");
	return true;
}

void console_route(struct ask *a)
{
	struct console *c = a->owner;
	struct call x = {.c = c, .a = a};
	bool known = false;
	const struct route *r;

	if (!a->conn) {
		desk_route(c, a);
		return;
	}
	ask_address(a, x.address, sizeof(x.address));
	for (r = routes; r->path; r++) {
		if (!route_matches(r->path, a->path, x.id, sizeof(x.id)))
			continue;
		known = true;
		if (r->method != a->method)
			continue;
		x.route = r;
		if (may(&x))
			r->fn(&x);
		return;
	}
	if (known)
		reply_error(&x, 405, "method", "not by this method");
	else if (!strcmp(a->path, "/metrics") && a->method == ASK_GET)
		metrics_get(c, a);
	else if (a->method != ASK_GET || !page_get(c, a))
		reply_error(&x, 404, "path", !strcmp(a->path, "/") ? "no page is installed here" : "no such path");
}
