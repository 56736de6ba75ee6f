/*
 * What passes between the gate's wrapper (backend.c, one per job, run by cupsd) and its daemon: one message each way
 * over a SEQPACKET socket, the question with the job's spooled documents as descriptors.
 *
 *   question  strings "name=value", each ended by NUL, the first "ask=print" (also: route, event, stamp, stamped)
 *   answer    one letter (enum answer), then a text for the person, in UTF-8 without control characters
 *
 * Where pages are to be stamped, a filter of the job asks ("stamp"), is answered with the stamp's text, and says how it
 * went ("stamped", with a result); the backend is told to wait for that, or, on a queue without filters, is itself
 * answered with the text, says how it went, and is answered once more.
 *
 * The question holds what users wrote (title, options, user name): the daemon takes it apart with request_parse and
 * believes none of it.
 */
#ifndef SEKISHO_PRINT_REQUEST_H
#define SEKISHO_PRINT_REQUEST_H

#include "policy/base/buf.h"
#include "policy/base/why.h"

#define REQUEST_MAX (96u << 10)
#define REQUEST_DOCUMENTS_MAX 32u /* handed over; more are counted */
#define REQUEST_WAIT_MS 1500      /* the wrapper waits at most this long */
#define REQUEST_STAMP_MS 60000    /* ... and so long for a stamp */
#define REQUEST_TEXT_MAX 480u     /* of an answer */

/* Below the gate's folder (see tree.h); links, so that the wrapper reads no configuration. */
#define REQUEST_SOCKET "gate"        /* -> the daemon's socket */
#define REQUEST_STOCK "stock"        /* -> the ServerBin of CUPS */
#define REQUEST_CLOSED "closed"      /* there: what cannot be judged is held */
#define REQUEST_STAMPS "stamps"      /* there: some jobs are stamped, and filters ask */
#define REQUEST_SEEN "SEKISHO_PRINT" /* in the environment of the real backend: this job was asked about */

enum answer {
	ANSWER_PASS = 'p',
	ANSWER_HOLD = 'h',
	ANSWER_CANCEL = 'c',
	ANSWER_WAIT = 'w',  /* the answer comes when the pages are stamped */
	ANSWER_STAMP = 's', /* stamp the pages with this text, and say how it went */
};

/* name, member; the names are those of the message. */
#define REQUEST_KEYS(X)           \
	X("ask", ask)             \
	X("job", job)             \
	X("user", user)           \
	X("title", title)         \
	X("copies", copies)       \
	X("options", options)     \
	X("scheme", scheme)       \
	X("uri", uri)             \
	X("printer", printer)     \
	X("class", printer_class) \
	X("type", type)           \
	X("info", info)           \
	X("location", location)   \
	X("auth-uid", auth_uid)   \
	X("lang", lang)           \
	X("documents", documents) \
	X("files", files)         \
	X("result", result)

/* Every member is there; "" where the message does not say it. Borrowed from the message. */
struct request {
#define X(name, member) const char *member;
	REQUEST_KEYS(X)
#undef X
	unsigned long job_id;      /* 0 where the question is no job's */
	unsigned long documents_n; /* that the job has, by the wrapper's count */
	unsigned long files_n;     /* of these, given to the backend as files: a queue without filters */
	unsigned long copies_n;    /* at least 1 */
	bool authenticated;        /* CUPS knows the user by the socket's credentials */
	unsigned long uid;         /* then */
};

/* Takes a question apart. Unknown names are passed over. 0; V_BAD with what is wrong. */
int request_parse(struct span bytes, struct request *out, struct why *why);

/*
 * One option out of the text that CUPS gives to backends ("media=A4 sides=two-sided-long-edge job-name='a b'"), by the
 * rules of cupsParseOptions: quotes, braces, backslashes. The last one counts. False where it is not there.
 */
bool request_option(const char *options, const char *name, char *out, size_t size);

#endif
