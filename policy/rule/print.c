/*
 * What a policy says of a print job. See print.h.
 */
#include "policy/rule/print.h"
#include "policy/rule/print_parts.h"

static const struct print_policy none = {
	.fallback = ACTION_ALLOW, .unavailable = ACTION_ALLOW, .unrecorded = ACTION_ALLOW, .unstamped = ACTION_ALLOW};

static const struct print_policy *section(const struct policy *p)
{
	return p->print ? p->print : &none;
}

static bool document_fits(const struct policy *p, const struct print_rule *m, const struct print_facts *f)
{
	if (m->has_pages_over && (!f->has_pages || f->pages * f->copies <= m->pages_over))
		return false;
	if (m->colour && m->colour != f->colour)
		return false;
	return content_fits(p, &m->as.content,
		&(struct content_found){
			.readable = f->readable, .numbers = f->numbers, .matches = f->matches, .known = f->known});
}

static bool fits(const struct policy *p, const struct print_rule *m, const struct print_facts *f)
{
	if (!content_for(&m->as, &f->who))
		return false;
	if (m->printers && !content_like(m->printers, f->printer) &&
		(!f->printer_class[0] || !content_like(m->printers, f->printer_class)))
		return false;
	if (m->uris && !content_like(m->uris, f->uri))
		return false;
	if (m->locations && !content_like(m->locations, f->location))
		return false;
	if (m->formats && !content_like(m->formats, f->format))
		return false;
	if (m->areas && (!f->area || !f->area[0] || !content_like(m->areas, f->area)))
		return false;
	/* Both: a byte that CUPS does not like must not take a title out of its rule. */
	if (m->titles && !content_like(m->titles, f->title) && !content_like(m->titles, f->title_raw))
		return false;
	return document_fits(p, m, f);
}

/* Which of the rule's facts led there, in both languages. */
static void explain(const struct print_rule *m, const struct print_facts *f, struct document_decision *out)
{
	struct content_reason facts[5 + CONTENT_REASONS] = {
		{m->as.who.users || m->as.who.groups, " who it is", "印刷した人"},
		{m->printers || m->uris || m->locations, " the printer", "プリンター"},
		{m->titles != NULL, " the title", "文書名"},
		{m->areas != NULL, " the protected area of its file", "元ファイルの取扱区域"},
		{m->has_pages_over, " the number of pages", "ページ数"},
	};

	content_reasons(&m->as.content, f->readable, facts + 5);
	content_explain(m->as.line, facts, ARRAY_SIZE(facts), out->reason, sizeof(out->reason), out->reason_ja,
		sizeof(out->reason_ja));
}

void policy_print(const struct policy *p, const struct print_facts *f, struct document_decision *out)
{
	const struct print_policy *s = section(p);
	unsigned i;

	memset(out, 0, sizeof(*out));
	out->note = p->note;
	for (i = 0; i < s->rules_n; i++) {
		const struct print_rule *rule = &s->rules[i];

		if (!fits(p, rule, f))
			continue;
		content_decide(&rule->as, "print", out);
		out->stamp = rule->stamp;
		explain(rule, f, out);
		return;
	}
	content_default(s->fallback, "print", out);
}

unsigned policy_print_unavailable(const struct policy *p)
{
	return p->note ? ACTION_ALLOW : section(p)->unavailable;
}

unsigned policy_print_unrecorded(const struct policy *p)
{
	return p->note ? ACTION_ALLOW : section(p)->unrecorded;
}

unsigned policy_print_unstamped(const struct policy *p)
{
	return p->note ? ACTION_ALLOW : section(p)->unstamped;
}

bool policy_print_stamps(const struct policy *p)
{
	const struct print_policy *s = section(p);
	unsigned i;

	for (i = 0; i < s->rules_n && !s->rules[i].stamp; i++)
		;
	return i < s->rules_n;
}

bool policy_print_copies(const struct policy *p, struct print_copies *out)
{
	*out = section(p)->copies.as;
	return out->auditors.n > 0;
}

bool policy_print_documents(const struct policy *p)
{
	const struct print_policy *s = section(p);
	unsigned i;

	for (i = 0; i < s->rules_n; i++) {
		const struct print_rule *m = &s->rules[i];

		if (m->has_pages_over || m->colour || content_asks(&m->as.content))
			return true;
	}
	return false;
}

bool policy_print_text(const struct policy *p)
{
	const struct print_policy *s = section(p);
	unsigned i;

	for (i = 0; i < s->rules_n; i++)
		if (content_asks(&s->rules[i].as.content))
			return true;
	return s->ocr.on;
}

void policy_print_ocr(const struct policy *p, struct policy_ocr *out)
{
	*out = section(p)->ocr;
}

unsigned policy_print_patterns(const struct policy *p, const char *const **list)
{
	*list = section(p)->patterns.list;
	return section(p)->patterns.n;
}

unsigned policy_print_rules_n(const struct policy *p)
{
	return section(p)->rules_n;
}
