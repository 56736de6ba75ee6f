/*
 * The gate's wrapper: lies in the gate's ServerBin under the name of every backend, and is run by cupsd in its place.
 * Asks the daemon whether this job may print, hands it the spooled documents, waits at most 1.5 s, and then becomes the
 * real backend by execv: same arguments, descriptors, user, process. As `notifier/sekisho` it wakes the daemon when
 * cupsd tells that something happened; in the place of a filter it stamps pages (stamp.c).
 *
 * What must never happen here: a child or a descriptor left behind (cupsd waits for both), a signal's disposition
 * changed, a shell, a wait without an end where the policy lets jobs pass, or a job lost. cupsd takes a backend that a
 * signal killed for one that worked.
 */
#include "agent/print/stamp.h"
#include <errno.h>
#include <unistd.h>

/* cups/backend.h, without its library. */
enum { EXIT_HOLD = 3, EXIT_STOP = 4, EXIT_CANCEL = 5 };

#define RETRY_SECONDS 1

/* --- asking --- */

/* A raw queue: what was stamped takes the place of the arguments. The daemon's last word; V_AGAIN without one. */
static int stamp_files(int gate, char **argv, int *answer, char text[REQUEST_TEXT_MAX + 1])
{
	int r = stamp_arguments(argv, text);

	r = stamp_tell(gate, r) ? V_AGAIN : 0;
	return r ? r : ask_wait(gate, REQUEST_WAIT_MS, answer, text);
}

/* 0 with the daemon's answer; V_AGAIN where it is not there, or does not answer. */
static int ask_gate(const struct place *at, int argc, char **argv, int *answer, char text[REQUEST_TEXT_MAX + 1],
	unsigned *documents)
{
	_cleanup_buf_ struct buf question = BUF_INIT(REQUEST_MAX);
	_cleanup_close_ int gate = ask_open(at);
	bool again = getenv(REQUEST_SEEN) != NULL;
	int fds[REQUEST_DOCUMENTS_MAX], r;
	unsigned n = ask_documents(argc, argv, fds, documents), i;

	/* A backend that runs another one, for the printer that it chose: the job has been asked about. */
	r = gate < 0 || ask_write(&question, at, again ? "route" : "print", argc, argv, *documents) ||
			    ask_send(gate, buf_span(&question), fds, again ? 0 : n)
		    ? V_AGAIN
		    : 0;
	for (i = 0; i < n; i++)
		close(fds[i]);
	if (again) {
		*answer = ANSWER_PASS;
		return 0;
	}
	r = r ? r : ask_wait(gate, REQUEST_WAIT_MS, answer, text);
	if (!r && *answer == ANSWER_WAIT)
		r = ask_wait(gate, REQUEST_STAMP_MS + REQUEST_WAIT_MS, answer, text);
	return !r && *answer == ANSWER_STAMP ? stamp_files(gate, argv, answer, text) : r;
}

/* --- what to do --- */

/* On the job's line in every print dialogue: cupsd takes it for job-printer-state-message. */
static void tell_person(const char *text)
{
	if (*text)
		dprintf(STDERR_FILENO, "ERROR: %s\n", text);
}

static void tell_unavailable(void)
{
	const char *lang = getenv("LANG");

	tell_person(lang && !strncmp(lang, "ja", 2)
			    ? "[Sekisho] 印刷ゲートが応答しないため保留しました。復旧後に自動で印刷されます。"
			    : "[Sekisho] Held: the print gate does not answer. It prints when the gate is back.");
}

/* Returns where the job may print; else ends the process with what cupsd shall do. */
static void judge(const struct place *at, int argc, char **argv)
{
	char text[REQUEST_TEXT_MAX + 1] = "", closed[PATH_MAX];
	bool told = false;
	unsigned documents;
	int answer = ANSWER_PASS;

	while (ask_gate(at, argc, argv, &answer, text, &documents)) {
		if (!ask_within(at, REQUEST_CLOSED, closed) || access(closed, F_OK))
			return;
		if (!told)
			tell_unavailable();
		told = true;
		if (documents < 2)
			_exit(EXIT_HOLD);
		/* cupsd aborts a job of several documents whose backend ends early: it waits here instead. */
		sleep(RETRY_SECONDS);
	}
	if (answer == ANSWER_PASS)
		return;
	tell_person(text);
	_exit(answer == ANSWER_CANCEL ? EXIT_CANCEL : EXIT_HOLD);
}

/* cupsd writes an IPP message for each event; that one came is all that the daemon needs: it asks CUPS itself. */
static int notify(const struct place *at)
{
	static const char event[] = "ask=event";
	char skipped[4096];

	for (;;) {
		ssize_t n = read(STDIN_FILENO, skipped, sizeof(skipped));
		_cleanup_close_ int gate = -1;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return 0;
		gate = ask_open(at);
		if (gate >= 0)
			ask_send(gate, SPAN(event, sizeof(event)), NULL, 0);
	}
}

int main(int argc, char **argv)
{
	struct place at;
	char real[PATH_MAX];

	if (!ask_place(&at)) {
		tell_person("sekisho: run by cupsd only");
		return EXIT_STOP;
	}
	if (!strcmp(at.kind, "notifier"))
		return notify(&at);
	if (!strcmp(at.kind, "filter"))
		return stamp_filter(&at, argc, argv);
	if (argc >= 6)
		judge(&at, argc, argv);
	if (snprintf(real, sizeof(real), "%s/" REQUEST_STOCK "/backend/%s", at.tree, at.name) < (int)sizeof(real)) {
		setenv(REQUEST_SEEN, "1", 1);
		execv(real, argv);
	}
	dprintf(STDERR_FILENO, "ERROR: [Sekisho] the backend %s of CUPS cannot be run: %s\n", at.name, strerror(errno));
	return EXIT_STOP;
}
