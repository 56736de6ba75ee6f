/*
 * Words for the person whose job was stopped, or is told of. See notify.h.
 */
#include "agent/print/notify.h"
#define TITLE_SHOWN 256u /* bytes */

struct words {
	const char *summary, *body;
};

enum { DENIED, HELD, ASKED, TOLD };

static const struct words english[] = {
	[DENIED] = {"This document was not printed", "Printing it is not allowed here."},
	[HELD] = {"This document waits for approval", "It prints when the administrator releases it."},
	[ASKED] = {"Say why you print this document",
		"Open \"State a reason\", or run: sekishoctl reason. Then it prints. What you say is recorded."},
	[TOLD] = {"Take care of what you print",
		"What stands in it must not be left about. It is recorded, and the administrator is told."},
};
static const struct words japanese[] = {
	[DENIED] = {"印刷できませんでした", "この文書の印刷は許可されていません。"},
	[HELD] = {"印刷は承認待ちです", "管理者が許可すると印刷されます。"},
	[ASKED] = {"この文書を印刷する理由を入力してください",
		"「理由の入力」を開くか、sekishoctl reason を実行すると印刷されます。入力内容は記録されます。"},
	[TOLD] = {"印刷した内容に注意してください",
		"取り扱いに注意が必要な情報が含まれています。記録され、管理者に通知されます。"},
};

static unsigned which_of(unsigned action, const struct document_decision *why)
{
	if (action == ACTION_ALERT)
		return TOLD;
	return action != ACTION_HOLD ? DENIED : why->ask_reason ? ASKED : HELD;
}

int notify_text(unsigned action, const char *lang, const char *title, const struct document_decision *why,
	struct buf *summary, struct buf *body)
{
	bool ja = notice_japanese(lang);
	unsigned which = which_of(action, why);
	const struct words *w = ja ? &japanese[which] : &english[which];
	const char *say = ja ? why->message_ja : why->message;
	int r = buf_puts(summary, w->summary);

	r = r ? r : notice_put(body, title, TITLE_SHOWN);
	r = r ? r : buf_puts(body, "\n");
	return r ? r : say[0] ? notice_put(body, say, SIZE_MAX) : buf_puts(body, w->body);
}

struct said {
	unsigned action;
	const char *title;
	const struct document_decision *why;
};

static int text(const void *ctx, const char *lang, struct buf *summary, struct buf *body)
{
	const struct said *said = ctx;

	return notify_text(said->action, lang, said->title, said->why, summary, body);
}

void notify_show(
	struct notices *n, unsigned action, const char *title, const struct document_decision *why, uint32_t uid)
{
	notices_say(n, uid,
		&(struct notice_words){.icon = action == ACTION_ALERT ? "printer" : "printer-error",
			.urgent = true,
			.text = text,
			.ctx = &(struct said){.action = action, .title = title, .why = why}});
}
