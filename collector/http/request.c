/*
 * Requests, from evhttp to the routes, and their answers. Whatever two readers could understand differently is refused
 * before a route sees it.
 */
#include "collector/http/conn.h"
#include "policy/base/text.h"
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/keyvalq_struct.h>
#include <sys/socket.h>

/* --- requests --- */

static void on_complete(struct evhttp_request *req, void *arg)
{
	(void)req;
	conn_phase(arg, PHASE_IDLE);
}

/* Things that no client of ours sends, and that two readers could understand differently. NULL where all is well. */
static const char *strange(struct evhttp_request *req)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	struct evkeyval *h;
	unsigned lengths = 0, hosts = 0;
	uint64_t v;

	TAILQ_FOREACH(h, headers, next)
	{
		if (!evutil_ascii_strcasecmp(h->key, "Transfer-Encoding") ||
			!evutil_ascii_strcasecmp(h->key, "Trailer"))
			return "transfer encodings are not taken";
		if (!evutil_ascii_strcasecmp(h->key, "Content-Encoding"))
			return "content encodings are not taken";
		if (!evutil_ascii_strcasecmp(h->key, "Content-Length")) {
			lengths++;
			if (ask_number(h->value, &v))
				return "Content-Length is no number";
		}
		hosts += !evutil_ascii_strcasecmp(h->key, "Host");
	}
	if (lengths > 1 || hosts > 1)
		return "a header is there twice";
	if ((evhttp_request_get_command(req) & (EVHTTP_REQ_POST | EVHTTP_REQ_PUT)) && !lengths)
		return "Content-Length is required";
	return NULL;
}

static bool take_target(struct ask *a)
{
	const char *uri = evhttp_request_get_uri(a->req);
	size_t n = uri ? strcspn(uri, "?") : 0;
	size_t i;

	if (!n || n >= sizeof(a->path) || uri[0] != '/')
		return false;
	for (i = 0; i < n; i++)
		if (uri[i] <= 0x20 || uri[i] == '%' || uri[i] == '#' || uri[i] == 0x7f)
			return false;
	memcpy(a->path, uri, n);
	a->path[n] = 0;
	a->query = uri[n] ? uri + n + 1 : "";
	return true;
}

static enum ask_method method_of(struct evhttp_request *req)
{
	switch (evhttp_request_get_command(req)) {
	case EVHTTP_REQ_POST:
		return ASK_POST;
	case EVHTTP_REQ_PUT:
		return ASK_PUT;
	case EVHTTP_REQ_DELETE:
		return ASK_DELETE;
	default:
		return ASK_GET;
	}
}

static void answer_stopping(const struct server *s, struct evhttp_request *req)
{
	char text[64];

	snprintf(text, sizeof(text), "%s stops", s->o.called);
	answer_error(req, 503, "stopping", text, 5);
}

void request_take(struct evhttp_request *req, void *arg)
{
	struct server *s = arg;
	struct ask a = {.owner = s->o.owner, .server = s, .req = req, .conn = conn_of(req)};
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evcon);
	struct evbuffer *input = evhttp_request_get_input_buffer(req);
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t len = sizeof(cred);
	const char *why = strange(req);

	if (a.conn) {
		conn_phase(a.conn, PHASE_HANDLING);
		conn_find_peer(a.conn);
		evhttp_request_set_on_complete_cb(req, on_complete, a.conn);
	} else if (getsockopt(bufferevent_getfd(bev), SOL_SOCKET, SO_PEERCRED, &cred, &len)) {
		answer_error(req, 403, "peer", "the other end is not known", 0);
		return;
	}
	a.uid = cred.uid;
	s->count.requests++;
	if (s->stopping || why)
		evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
	a.method = method_of(req);
	a.body = SPAN(evbuffer_pullup(input, -1), evbuffer_get_length(input));
	if (why)
		answer_error(req, 400, "request", why, 0);
	else if (s->stopping || s->failed)
		answer_stopping(s, req);
	else if (!take_target(&a))
		answer_error(req, 400, "path", "no path of ours", 0);
	else
		s->o.route(&a);
}

int ask_peer(const struct ask *a, struct cert_info *out)
{
	if (!a->conn || a->conn->has_peer != PEER_THERE)
		return V_NOT_FOUND;
	*out = a->conn->peer;
	return 0;
}

int ask_shown(const struct ask *a, struct cert_info *out, const char **word, struct why *why)
{
	return a->conn ? tls_shown(bufferevent_openssl_get_ssl(a->conn->bev), out, word, why) : V_NOT_FOUND;
}

void ask_address(const struct ask *a, char *out, size_t size)
{
	char *address = NULL;
	uint16_t port;

	if (a->conn)
		evhttp_connection_get_peer(evhttp_request_get_connection(a->req), &address, &port);
	snprintf(out, size, "%s", address ? address : "");
}

void ask_known(const struct ask *a)
{
	if (a->conn)
		conn_known(a->conn);
}

const char *ask_header(const struct ask *a, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(a->req), name);
}

/* --- answers --- */

void answer_header(struct evhttp_request *req, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), name, value);
}

/* The connection of a request that is about to be answered. */
static void begin_answer(struct evhttp_request *req)
{
	const struct answer_header *h;
	struct conn *c = conn_of(req);

	if (!c)
		return;
	conn_phase(c, PHASE_WRITING);
	if (c->server->stopping)
		answer_header(req, "Connection", "close");
	for (h = c->server->o.headers; h && h->name; h++)
		answer_header(req, h->name, h->value);
}

void answer_buffer(struct evhttp_request *req, int status, const char *type, struct evbuffer *steal)
{
	begin_answer(req);
	if (*type)
		answer_header(req, "Content-Type", type);
	evhttp_send_reply(req, status, status < 300 ? "OK" : "Refused", steal);
	evbuffer_free(steal);
}

void answer_send(struct evhttp_request *req, int status, const char *type, struct span bytes)
{
	struct evbuffer *out = evbuffer_new();

	if (!out || evbuffer_add(out, bytes.p, bytes.n)) {
		log_error("no memory for an answer");
		abort();
	}
	answer_buffer(req, status, type, out);
}

void answer_json(struct evhttp_request *req, int status, json_t *steal)
{
	_cleanup_free_ char *text = steal ? json_dumps(steal, JSON_COMPACT) : NULL;

	json_decref(steal);
	if (text)
		answer_send(req, status, "application/json", SPAN_STR(text));
	else
		answer_send(req, 503, "application/json", SPAN_STR("{\"error\":\"failed\"}"));
}

void answer_error(struct evhttp_request *req, int status, const char *word, const char *reason, unsigned retry_after)
{
	char text[16], shown[300];

	if (retry_after) {
		snprintf(text, sizeof(text), "%u", retry_after);
		answer_header(req, "Retry-After", text);
	}
	/* Reasons are cut by bytes: what they quote may end in half a character, which JSON does not take. */
	text_escape_to(shown, sizeof(shown), SPAN_STR(reason));
	answer_json(req, status, json_pack("{s:s, s:s}", "error", word, "reason", shown));
}

void answer_bytes(struct evhttp_request *req, const char *type, bool immutable, struct span bytes)
{
	answer_header(req, "Cache-Control", immutable ? "public, max-age=31536000, immutable" : "no-cache");
	answer_send(req, 200, type, bytes);
}

/* --- answers in pieces --- */

void stream_begin(struct held *h, const char *type)
{
	begin_answer(h->req);
	answer_header(h->req, "Content-Type", type);
	evhttp_send_reply_start(h->req, 200, "OK");
}

int stream_piece(struct held *h, struct span bytes)
{
	struct evbuffer *out = evbuffer_new();

	if (!out || evbuffer_add(out, bytes.p, bytes.n)) {
		if (out)
			evbuffer_free(out);
		return -ENOMEM;
	}
	/* The time in which an answer must be taken begins anew. */
	conn_phase(h->conn, PHASE_WRITING);
	evhttp_send_reply_chunk(h->req, out);
	evbuffer_free(out);
	return 0;
}

size_t stream_waiting(const struct held *h)
{
	return evbuffer_get_length(bufferevent_get_output(h->conn->bev));
}

bool stream_drained(struct held *h)
{
	bool before = h->drained;

	h->drained = !stream_waiting(h);
	return before && h->drained;
}

void stream_finish(struct held *h, bool whole)
{
	struct evhttp_request *req = held_release(h);

	if (whole)
		evhttp_send_reply_end(req);
	else
		evhttp_connection_free(evhttp_request_get_connection(req));
}
