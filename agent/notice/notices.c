/*
 * Sentences to people's desktops, each by a child. See notices.h.
 */
#include "agent/notice/notices.h"
#include "agent/notice/speaker.h"
#include "policy/base/cleanup.h"
#include "policy/base/file.h"
#include "policy/base/log.h"
#include "policy/base/text.h"
#include <fcntl.h>
#include <sys/wait.h>

#define CHILD_SECONDS 10
#define TEXT_MAX 2048u
#define SHOWN_MAX 600u

/* Who makes it may be spared where memory is full; a process of that person's is not. As far as it goes. */
static void be_nobody_special(void)
{
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write_all(fd, "0", 1))
		log_debug("oom_score_adj: %m");
}

static int child(uint32_t uid, const struct notice_words *words)
{
	_cleanup_buf_ struct buf summary = BUF_INIT(TEXT_MAX), body = BUF_INIT(TEXT_MAX);
	_cleanup_(speaker_freep) struct speaker *s = NULL;
	char lang[LANG_SIZE];

	alarm(CHILD_SECONDS);
	be_nobody_special();
	if (speaker_become(uid) || speaker_new(uid, &s))
		return 1;
	speaker_language(s, lang);
	if (words->text(words->ctx, lang, &summary, &body) || !buf_str(&summary) || !buf_str(&body))
		return 1;
	return speaker_say(s, words->icon, (char *)summary.p, (char *)body.p, words->urgent) < 0;
}

static void was_not_said(struct notices *n, uint32_t id)
{
	if (id && n->unsaid)
		n->unsaid(n->ctx, id);
}

void notices_reap(struct notices *n)
{
	unsigned i;
	int status;

	for (i = 0; i < NOTICES_MAX; i++) {
		pid_t got = n->children[i] > 0 ? waitpid(n->children[i], &status, WNOHANG) : 0;

		if (!got)
			continue;
		n->children[i] = 0;
		if (got > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
			was_not_said(n, n->ids[i]);
	}
}

void notices_say(struct notices *n, uint32_t uid, const struct notice_words *words)
{
	unsigned i;
	pid_t pid;

	if (uid == UINT32_MAX)
		return;
	notices_reap(n);
	for (i = 0; i < NOTICES_MAX && n->children[i]; i++)
		;
	if (i == NOTICES_MAX) {
		was_not_said(n, words->id);
		return;
	}
	pid = fork();
	if (pid == 0)
		_exit(child(uid, words));
	if (pid < 0) {
		was_not_said(n, words->id);
		return;
	}
	n->children[i] = pid;
	n->ids[i] = words->id;
}

bool notice_japanese(const char *lang)
{
	return lang && !strncmp(lang, "ja", 2);
}

int notice_put(struct buf *b, const char *s, size_t most)
{
	char shown[SHOWN_MAX];
	int r = 0;

	text_escape_to(shown, most < sizeof(shown) ? most : sizeof(shown), SPAN_STR(s));
	for (s = shown; !r && *s; s++)
		r = *s == '&'   ? buf_puts(b, "&amp;")
		    : *s == '<' ? buf_puts(b, "&lt;")
		    : *s == '>' ? buf_puts(b, "&gt;")
				: buf_put(b, s, 1);
	return r;
}
