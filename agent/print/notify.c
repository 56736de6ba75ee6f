/*
 * Words for the person whose job was stopped. See notify.h.
 */
#include "agent/print/notify.h"
#include "agent/notice/speaker.h"
#include "policy/base/text.h"
#include <sys/wait.h>

#define CHILD_SECONDS 10
#define TEXT_MAX 2048u
#define SHOWN_MAX 256 /* bytes of a title */

struct words {
	const char *summary, *body;
};

static const struct words english[] = {
	{"This document was not printed", "Printing it is not allowed here."},
	{"This document waits for approval", "It prints when the administrator releases it."},
	{"Say why you print this document",
		"Open \"State a reason\", or run: sekishoctl reason. Then it prints. What you say is recorded."},
};
static const struct words japanese[] = {
	{"印刷できませんでした", "この文書の印刷は許可されていません。"},
	{"印刷は承認待ちです", "管理者が許可すると印刷されます。"},
	{"この文書を印刷する理由を入力してください",
		"「理由の入力」を開くか、sekishoctl reason を実行すると印刷されます。入力内容は記録されます。"},
};

/* Text for a body that may be read as markup. */
static int put_escaped(struct buf *b, const char *s)
{
	char shown[SHOWN_MAX];
	int r = 0;

	text_escape_to(shown, sizeof(shown), SPAN_STR(s));
	for (s = shown; !r && *s; s++)
		r = *s == '&'   ? buf_puts(b, "&amp;")
		    : *s == '<' ? buf_puts(b, "&lt;")
		    : *s == '>' ? buf_puts(b, "&gt;")
				: buf_put(b, s, 1);
	return r;
}

int notify_text(bool held, const char *lang, const char *title, const struct document_decision *why,
	struct buf *summary, struct buf *body)
{
	bool ja = !strncmp(lang, "ja", 2);
	unsigned which = held && why->ask_reason ? 2 : held;
	const struct words *w = ja ? &japanese[which] : &english[which];
	const char *say = ja ? why->message_ja : why->message;
	int r = buf_puts(summary, w->summary);

	r = r ? r : put_escaped(body, title);
	r = r ? r : buf_puts(body, "\n");
	return r ? r : say[0] ? put_escaped(body, say) : buf_puts(body, w->body);
}

static int child(bool held, const char *title, const struct document_decision *why, uint32_t uid)
{
	_cleanup_buf_ struct buf summary = BUF_INIT(TEXT_MAX), body = BUF_INIT(TEXT_MAX);
	_cleanup_(speaker_freep) struct speaker *s = NULL;
	char lang[LANG_SIZE];

	alarm(CHILD_SECONDS);
	if (speaker_become(uid) || speaker_new(uid, &s))
		return 1;
	speaker_language(s, lang);
	if (notify_text(held, lang, title, why, &summary, &body) || !buf_str(&summary) || !buf_str(&body))
		return 1;
	return speaker_say(s, "printer-error", (char *)summary.p, (char *)body.p, true) < 0;
}

void notify_reap(struct notices *n)
{
	unsigned i;

	for (i = 0; i < NOTICES_MAX; i++)
		if (n->children[i] > 0 && waitpid(n->children[i], NULL, WNOHANG) != 0)
			n->children[i] = 0;
}

void notify_show(struct notices *n, bool held, const char *title, const struct document_decision *why, uint32_t uid)
{
	unsigned i;
	pid_t pid;

	if (uid == UINT32_MAX)
		return;
	notify_reap(n);
	for (i = 0; i < NOTICES_MAX && n->children[i]; i++)
		;
	if (i == NOTICES_MAX)
		return;
	pid = fork();
	if (pid == 0)
		_exit(child(held, title, why, uid));
	if (pid > 0)
		n->children[i] = pid;
}
