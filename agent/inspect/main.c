/*
 * sekisho-inspect: looks into documents that are printed or written to drives. Started by the print daemon and the
 * guard (inspect_start), with its end of a socket as descriptor 0; `show` does the same for a person. It holds no key
 * and must never open a network.
 */
#include "agent/inspect/container.h"
#include "agent/inspect/inspect.h"
#include "agent/inspect/pdf_text.h"
#include "agent/inspect/serve.h"
#include "agent/inspect/show.h"
#include "policy/base/confine.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define USER "sekisho-inspect"
#define OOM_FIRST "500" /* of 1000: proc(5) */

static const char usage[] =
	"usage: sekisho-inspect show [--text] [--ocr] [--pattern REGEX]... [--prints KEY] [--json] [--time SECONDS] "
	"FILE...\n"
	"       sekisho-inspect serve          (by sekisho-print and sekisho-guard: a socket is descriptor 0)\n"
	"\n"
	"Shows what a document is: format, pages, colour, paper, who made it; and what could not be found "
	"out.\n"
	"Each document is read in a process of its own that has no rights and no time to lose.\n"
	"\n"
	"  --text            also look for numbers of people and accounts in the text\n"
	"  --ocr             also read the text of pictures (where tesseract is installed), a minute of each file at "
	"most\n"
	"  --pattern REGEX   also count what matches this Perl-compatible expression\n"
	"  --prints KEY      also make fingerprints of its text (KEY: 32 hexadecimal digits)\n"
	"  --json            one JSON object a line\n"
	"  --time SECONDS    give up after this long (10)\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 all was found out, 1 something was not (it is said what), 2 wrong usage, 3 a file that cannot "
	"be read.\n";

/* "+" when all rights are gone; else "?" (no such user) or "-", and the reason. */
static void say(char first, const char *text)
{
	char word[256];
	int n = snprintf(word, sizeof(word), "%c%s", first, text);

	if (send(0, word, (size_t)n < sizeof(word) ? (size_t)n : sizeof(word) - 1, MSG_NOSIGNAL) < 0)
		log_error("whoever started this does not listen");
}

/*
 * Who runs out of memory ends this before whoever started it, and before what people run: systemd keeps the daemons to
 * the last, and children have that from them. Where it cannot be said nothing else changes.
 */
static void first_to_go(void)
{
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write_all(fd, OOM_FIRST, sizeof(OOM_FIRST) - 1))
		log_debug("oom_score_adj: %m");
}

static int run_server(void)
{
	struct why why = {""};
	struct digest warm;
	bool stayed = false;
	int r;

	/* Ends with the daemon also when that is killed; and asked for before the parent could be another one. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (close_range(3, ~0u, 0))
		return 1;
	first_to_go();
	/* What libraries fetch and find at their first use, while it can still be found. */
	digest_span(&warm, SPAN("", 0));
	pdf_text_prepare();
	encoding_prepare();
	mail_prepare();
	ole_prepare();
	r = confine_program(USER, &stayed, &why);
	if (r) {
		say(r == V_NOT_FOUND ? '?' : '-', r < 0 ? strerror(-r) : why.text);
		return 1;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user takes it back */
	prctl(PR_SET_DUMPABLE, 0);
	say('+', "");
	r = serve(0);
	if (r)
		log_error("%s", strerror(-r));
	/* Not by exit(3): tesseract complains there of what lives as long as the process. */
	_exit(r ? 1 : 0);
}

int main(int argc, char **argv)
{
	log_open("sekisho-inspect", LOG_INFO);
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		return run_server();
	if (argc >= 2 && strcmp(argv[1], "show") == 0)
		return show(argc - 1, argv + 1, usage);
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) < 0;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("sekisho-inspect %s\n", SEKISHO_VERSION) < 0;
	fputs(usage, stderr);
	return 2;
}
