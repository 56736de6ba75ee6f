/*
 * IPP with CUPS. See ipp.h.
 */
#include "agent/print/ipp.h"
#include "agent/print/ipp_json.h"
#include "policy/base/buf.h"
#include "policy/base/clock.h"
#include <cups/cups.h>
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

#define CONNECT_MS 5000
#define ANSWER_SECONDS 20.0
#define LEASE_SECONDS 3600
#define RENEW_US (1200ll * 1000000)
#define ROOT_URI "ipp://localhost/"
#define LEFT_MAX 64 /* subscriptions that were left behind */

struct ipp_link {
	char socket[108];
	http_t *http;
	int subscription;
	bool refused; /* this cupsd has no notifier of ours */
	int64_t renewed_boot_us;
};

static const char *no_password(const char *prompt, http_t *http, const char *method, const char *resource, void *ctx)
{
	(void)prompt;
	(void)http;
	(void)method;
	(void)resource;
	(void)ctx;
	return NULL;
}

int ipp_open(const char *socket, struct ipp_link **out)
{
	struct ipp_link *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	if (snprintf(l->socket, sizeof(l->socket), "%s", socket) >= (int)sizeof(l->socket)) {
		free(l);
		return -ENAMETOOLONG;
	}
	/* What a person's or an administrator's client.conf says is about other servers. */
	cupsSetServer(l->socket);
	cupsSetUser("root");
	cupsSetPasswordCB2(no_password, NULL);
	*out = l;
	return 0;
}

bool ipp_is_up(const struct ipp_link *l)
{
	return l->http != NULL;
}

static int on_late(http_t *http, void *ctx)
{
	(void)http;
	(void)ctx;
	return 0;
}

static bool connected(struct ipp_link *l)
{
	if (!l->http)
		l->http = httpConnect2(l->socket, 0, NULL, AF_LOCAL, HTTP_ENCRYPTION_IF_REQUESTED, 1, CONNECT_MS, NULL);
	if (l->http)
		httpSetTimeout(l->http, ANSWER_SECONDS, on_late, NULL);
	return l->http;
}

static void hang_up(struct ipp_link *l)
{
	httpClose(l->http);
	l->http = NULL;
}

/* Owns `request`. The answer, or NULL with the verdict in *verdict: V_NOT_FOUND, -errno. */
static ipp_t *ask(struct ipp_link *l, ipp_t *request, const char *resource, int *verdict)
{
	ipp_t *answer;
	ipp_status_t status;

	*verdict = -ECONNREFUSED;
	if (!connected(l)) {
		ippDelete(request);
		return NULL;
	}
	answer = cupsDoRequest(l->http, request, resource);
	status = cupsLastError();
	if (answer && status < IPP_STATUS_REDIRECTION_OTHER_SITE) {
		*verdict = 0;
		return answer;
	}
	ippDelete(answer);
	if (status == IPP_STATUS_ERROR_NOT_FOUND)
		*verdict = V_NOT_FOUND;
	else if (status == IPP_STATUS_ERROR_SERVICE_UNAVAILABLE || status == IPP_STATUS_ERROR_INTERNAL || !answer)
		hang_up(l); /* cupsd ended or was started anew: the next question connects */
	if (*verdict < 0 && status != IPP_STATUS_ERROR_SERVICE_UNAVAILABLE)
		*verdict = -EPROTO;
	return NULL;
}

static ipp_t *request_for(ipp_op_t op, const char *name, const char *uri)
{
	ipp_t *request = ippNewRequest(op);

	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_URI, name, NULL, uri);
	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_NAME, "requesting-user-name", NULL, cupsUser());
	return request;
}

static ipp_t *request_for_job(ipp_op_t op, int id)
{
	char uri[64];

	snprintf(uri, sizeof(uri), "ipp://localhost/jobs/%d", id);
	return request_for(op, "job-uri", uri);
}

static int take_first(void *ctx, json_t *o)
{
	json_t **out = ctx;

	if (*out)
		json_decref(o);
	else
		*out = o;
	return 0;
}

/* --- questions --- */

static const char *const job_attributes[] = {"job-id", "job-uuid", "job-name", "job-originating-user-name",
	"job-originating-host-name", "job-printer-uri", "job-state", "job-state-reasons", "job-printer-state-message",
	"time-at-creation", "time-at-processing", "time-at-completed", "copies", "job-impressions-completed",
	"job-media-sheets-completed", "media", "sides", "print-color-mode", "number-up", "document-format",
	"document-format-supplied", "document-name-supplied", "job-k-octets", "job-hold-until", "number-of-documents"};

static const char *const printer_attributes[] = {"printer-name", "device-uri", "printer-location", "printer-info",
	"printer-make-and-model", "printer-type", "printer-state", "member-names", "printer-is-temporary",
	"media-default", "sides-default", "print-color-mode-default", "number-up-default"};

static void want(ipp_t *request, const char *const *names, size_t n)
{
	ippAddStrings(request, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "requested-attributes", (int)n, NULL, names);
}

int ipp_job(struct ipp_link *l, int id, json_t **out)
{
	ipp_t *request = request_for_job(IPP_OP_GET_JOB_ATTRIBUTES, id), *answer;
	json_t *job = NULL;
	int r;

	want(request, job_attributes, ARRAY_SIZE(job_attributes));
	answer = ask(l, request, "/jobs/", &r);
	if (!answer)
		return r;
	ipp_each_group(answer, IPP_TAG_JOB, take_first, &job);
	ippDelete(answer);
	if (!job)
		return V_NOT_FOUND;
	json_object_set_new(job, "job-id", json_integer(id));
	*out = job;
	return 0;
}

int ipp_printer(struct ipp_link *l, const char *uri, json_t **out)
{
	ipp_t *request, *answer;
	json_t *printer = NULL;
	int r;

	if (!uri)
		return V_NOT_FOUND;
	request = request_for(IPP_OP_GET_PRINTER_ATTRIBUTES, "printer-uri", uri);
	want(request, printer_attributes, ARRAY_SIZE(printer_attributes));
	answer = ask(l, request, "/", &r);
	if (!answer)
		return r;
	ipp_each_group(answer, IPP_TAG_PRINTER, take_first, &printer);
	ippDelete(answer);
	if (!printer)
		return V_NOT_FOUND;
	*out = printer;
	return 0;
}

static int act(struct ipp_link *l, ipp_t *request, char *reason, size_t size)
{
	int r;
	ipp_t *answer = ask(l, request, "/jobs/", &r);

	if (r)
		snprintf(reason, size, "%s", cupsLastErrorString());
	ippDelete(answer);
	return r;
}

int ipp_release(struct ipp_link *l, int id, char *reason, size_t size)
{
	return act(l, request_for_job(IPP_OP_RELEASE_JOB, id), reason, size);
}

int ipp_restart_held(struct ipp_link *l, int id, char *reason, size_t size)
{
	ipp_t *request = request_for_job(IPP_OP_RESTART_JOB, id);

	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "job-hold-until", NULL, "indefinite");
	return act(l, request, reason, size);
}

struct ids {
	int *list, n, max;
};

static int take_id(void *ctx, json_t *o)
{
	struct ids *ids = ctx;

	if (ids->n < ids->max)
		ids->list[ids->n++] = (int)json_integer_value(json_object_get(o, "job-id"));
	json_decref(o);
	return 0;
}

int ipp_jobs_after(struct ipp_link *l, int since, int *list, int max)
{
	static const char *const wanted[] = {"job-id"};
	ipp_t *request = request_for(IPP_OP_GET_JOBS, "printer-uri", ROOT_URI), *answer;
	struct ids ids = {.list = list, .max = max};
	int r;

	ippAddString(request, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "which-jobs", NULL, "all");
	ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "first-job-id", since < INT_MAX ? since + 1 : since);
	ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "limit", max);
	want(request, wanted, 1);
	answer = ask(l, request, "/", &r);
	if (!answer)
		return r == V_NOT_FOUND ? 0 : r;
	ipp_each_group(answer, IPP_TAG_JOB, take_id, &ids);
	ippDelete(answer);
	return ids.n;
}

int ipp_queues(struct ipp_link *l, int (*fn)(void *ctx, json_t *queue), void *ctx)
{
	ipp_t *request = request_for(IPP_OP_CUPS_GET_PRINTERS, "printer-uri", ROOT_URI), *answer;
	int r, n;

	want(request, printer_attributes, ARRAY_SIZE(printer_attributes));
	answer = ask(l, request, "/", &r);
	if (!answer)
		return r == V_NOT_FOUND ? 0 : r;
	n = ipp_each_group(answer, IPP_TAG_PRINTER, fn, ctx);
	ippDelete(answer);
	return n;
}

pid_t ipp_cupsd(struct ipp_link *l)
{
	struct ucred who = {.pid = 0};
	socklen_t n = sizeof(who);

	if (!connected(l) || getsockopt(httpGetFd(l->http), SOL_SOCKET, SO_PEERCRED, &who, &n))
		return 0;
	return who.pid;
}

/* --- the subscription --- */

static ipp_t *request_for_subscription(ipp_op_t op, int id)
{
	ipp_t *request = request_for(op, "printer-uri", ROOT_URI);

	ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-subscription-id", id);
	return request;
}

/*
 * Those of a daemon that was killed, or of a PC that lost its power: CUPS keeps them in a file for as long as their
 * lease. A cupsd without our notifier, as it is when we are removed, would start that again and again, and do nothing
 * else.
 */
static void cancel_left(struct ipp_link *l, const char *recipient)
{
	static const char *const wanted[] = {"notify-subscription-id", "notify-recipient-uri"};
	ipp_t *request = request_for(IPP_OP_GET_SUBSCRIPTIONS, "printer-uri", ROOT_URI), *answer;
	int ids[LEFT_MAX], n = 0, id = 0, r;
	bool ours = false;
	ipp_attribute_t *a;

	ippAddStrings(request, IPP_TAG_OPERATION, IPP_TAG_KEYWORD, "requested-attributes", (int)ARRAY_SIZE(wanted),
		NULL, wanted);
	answer = ask(l, request, "/", &r);
	if (!answer)
		return;
	/* A separator without a name stands between two of them, and the end counts as one. */
	for (a = ippFirstAttribute(answer);; a = ippNextAttribute(answer)) {
		const char *name = a ? ippGetName(a) : NULL;

		if (!name) {
			if (ours && id && n < LEFT_MAX)
				ids[n++] = id;
			ours = false;
			id = 0;
		} else if (!strcmp(name, wanted[0]))
			id = ippGetInteger(a, 0);
		else if (!strcmp(name, wanted[1]))
			ours = ippGetString(a, 0, NULL) && !strcmp(ippGetString(a, 0, NULL), recipient);
		if (!a)
			break;
	}
	ippDelete(answer);
	while (n)
		ippDelete(ask(l, request_for_subscription(IPP_OP_CANCEL_SUBSCRIPTION, ids[--n]), "/", &r));
}

static int subscribe(struct ipp_link *l, const char *recipient)
{
	static const char *const events[] = {"job-created", "job-state-changed", "job-completed", "job-stopped",
		"printer-added", "printer-deleted", "printer-modified", "printer-config-changed", "server-started",
		"server-restarted"};
	ipp_t *request = request_for(IPP_OP_CREATE_PRINTER_SUBSCRIPTIONS, "printer-uri", ROOT_URI), *answer;
	ipp_attribute_t *a;
	int r;

	cancel_left(l, recipient);
	ippAddString(request, IPP_TAG_SUBSCRIPTION, IPP_TAG_URI, "notify-recipient-uri", NULL, recipient);
	ippAddStrings(
		request, IPP_TAG_SUBSCRIPTION, IPP_TAG_KEYWORD, "notify-events", (int)ARRAY_SIZE(events), NULL, events);
	ippAddInteger(request, IPP_TAG_SUBSCRIPTION, IPP_TAG_INTEGER, "notify-lease-duration", LEASE_SECONDS);
	answer = ask(l, request, "/", &r);
	if (!answer)
		return r;
	a = ippFindAttribute(answer, "notify-subscription-id", IPP_TAG_INTEGER);
	l->subscription = a ? ippGetInteger(a, 0) : 0;
	l->refused = !a;
	l->renewed_boot_us = clock_boot_us();
	ippDelete(answer);
	return 0;
}

/* Still there? A cupsd whose files were cleared has forgotten it. */
static int renew(struct ipp_link *l)
{
	ipp_t *request = request_for_subscription(IPP_OP_RENEW_SUBSCRIPTION, l->subscription);
	int r;

	ippAddInteger(request, IPP_TAG_OPERATION, IPP_TAG_INTEGER, "notify-lease-duration", LEASE_SECONDS);
	ippDelete(ask(l, request, "/", &r));
	if (r == V_NOT_FOUND || r == -EPROTO)
		l->subscription = 0;
	else if (!r)
		l->renewed_boot_us = clock_boot_us();
	return r < 0 && r != -EPROTO ? r : 0;
}

int ipp_subscribe(struct ipp_link *l, const char *recipient, bool *pushed)
{
	bool anew = !l->http;
	int r = connected(l) ? 0 : -ECONNREFUSED;

	*pushed = false;
	if (!r && l->subscription && (anew || clock_boot_us() > l->renewed_boot_us + RENEW_US))
		r = renew(l);
	if (!r && !l->subscription && (anew || !l->refused))
		r = subscribe(l, recipient);
	/* Refused outright is an answer as well: CUPS is there, and will not tell. */
	if (r == -EPROTO || r == V_NOT_FOUND) {
		l->refused = true;
		r = 0;
	}
	*pushed = !r && l->subscription;
	return r;
}

void ipp_unsubscribe(struct ipp_link *l)
{
	unsigned tries = 2;
	int r;

	/* cupsd may have been started anew since it was last asked: then the first question only finds that out. */
	while (l->subscription && tries-- && connected(l)) {
		ippDelete(ask(l, request_for_subscription(IPP_OP_CANCEL_SUBSCRIPTION, l->subscription), "/", &r));
		if (l->http)
			break;
	}
	hang_up(l);
}
