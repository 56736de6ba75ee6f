/*
 * Words for the person whose job was stopped. See notify.h.
 */
#include "agent/print/notify.h"
#define TITLE_SHOWN 256u /* bytes */

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

int notify_text(bool held, const char *lang, const char *title, const struct document_decision *why,
	struct buf *summary, struct buf *body)
{
	bool ja = notice_japanese(lang);
	unsigned which = held && why->ask_reason ? 2 : held;
	const struct words *w = ja ? &japanese[which] : &english[which];
	const char *say = ja ? why->message_ja : why->message;
	int r = buf_puts(summary, w->summary);

	r = r ? r : notice_put(body, title, TITLE_SHOWN);
	r = r ? r : buf_puts(body, "\n");
	return r ? r : say[0] ? notice_put(body, say, SIZE_MAX) : buf_puts(body, w->body);
}

struct said {
	bool held;
	const char *title;
	const struct document_decision *why;
};

static int text(const void *ctx, const char *lang, struct buf *summary, struct buf *body)
{
	const struct said *said = ctx;

	return notify_text(said->held, lang, said->title, said->why, summary, body);
}

void notify_show(struct notices *n, bool held, const char *title, const struct document_decision *why, uint32_t uid)
{
	notices_say(n, uid,
		&(struct notice_words){.icon = "printer-error",
			.urgent = true,
			.text = text,
			.ctx = &(struct said){.held = held, .title = title, .why = why}});
}
