/*
 * What a policy says of a file that was written to a removable drive. See drives.h.
 */
#include "policy/rule/drives.h"
#include "policy/rule/drives_parts.h"

/* Where the policy names none: the clients' programs as packages install them, and nothing that staff can write to. */
static const char *const clients[] = {"/usr/bin/nextcloud", "/usr/bin/owncloud", "/usr/bin/dropbox",
	"/opt/dropbox/dropbox*", "/usr/bin/onedrive", "/usr/bin/syncthing", "/usr/bin/seaf-daemon", "/usr/bin/insync*",
	"/usr/lib/insync/*", "/usr/bin/megasync", NULL};

static const struct drives_policy none = {.fallback = ACTION_ALLOW};

static const struct drives_policy *section(const struct policy *p)
{
	return p->drives ? p->drives : &none;
}

static bool fits(const struct policy *p, const struct drive_rule *m, const struct drive_facts *f)
{
	if (!content_for(&m->as, &f->who))
		return false;
	if (m->paths && !content_like(m->paths, f->path))
		return false;
	if (m->formats && !content_like(m->formats, f->format))
		return false;
	if (m->has_size_over && f->size <= m->size_over)
		return false;
	if (m->has_cloud && f->cloud != m->cloud)
		return false;
	return content_fits(p, &m->as.content,
		&(struct content_found){
			.readable = f->readable, .numbers = f->numbers, .matches = f->matches, .known = f->known});
}

static void explain(const struct drive_rule *m, const struct drive_facts *f, struct document_decision *out)
{
	struct content_reason facts[5 + CONTENT_REASONS] = {
		{m->as.who.users || m->as.who.groups, " who it is", "利用者"},
		{m->paths != NULL, " its name", "ファイル名"},
		{m->formats != NULL, " its format", "形式"},
		{m->has_size_over, " its size", "サイズ"},
		{m->has_cloud, m->cloud ? " a cloud folder" : " a drive",
			m->cloud ? "クラウド同期フォルダー" : "ドライブ"},
	};

	content_reasons(&m->as.content, f->readable, facts + 5);
	content_explain(m->as.line, facts, ARRAY_SIZE(facts), out->reason, sizeof(out->reason), out->reason_ja,
		sizeof(out->reason_ja));
}

bool policy_drives(const struct policy *p)
{
	return p->drives != NULL;
}

bool policy_drives_cloud(const struct policy *p, const char *program)
{
	const struct drives_policy *s = section(p);

	return s->cloud && !content_like(s->clients ? s->clients : clients, program);
}

void policy_drive(const struct policy *p, const struct drive_facts *f, struct document_decision *out)
{
	const struct drives_policy *s = section(p);
	unsigned i;

	memset(out, 0, sizeof(*out));
	out->note = p->note;
	for (i = 0; i < s->rules_n && !fits(p, &s->rules[i], f); i++)
		;
	if (i < s->rules_n) {
		content_decide(&s->rules[i].as, "drives", out);
		explain(&s->rules[i], f, out);
	} else {
		content_default(s->fallback, "drives", out);
	}
	/* A file in a cloud folder is its owner's own on the PC: nothing of it is made unreadable, and nobody is asked.
	 */
	if (f->cloud && out->action == ACTION_QUARANTINE)
		out->action = ACTION_ALERT;
	out->ask_reason = out->ask_reason && !f->cloud;
}

bool policy_drives_scan(const struct policy *p)
{
	return section(p)->scan;
}

void policy_drives_ocr(const struct policy *p, struct policy_ocr *out)
{
	*out = section(p)->ocr;
}

uint64_t policy_drives_max_bytes(const struct policy *p)
{
	return section(p)->max_bytes;
}

bool policy_drives_copies(const struct policy *p, struct print_copies *out)
{
	*out = section(p)->copies.as;
	return out->auditors.n > 0;
}

bool policy_drives_quarantine(const struct policy *p, struct drives_quarantine *out)
{
	*out = section(p)->quarantine;
	return out->openers.n > 0;
}

unsigned policy_drives_patterns(const struct policy *p, const char *const **list)
{
	*list = section(p)->patterns.list;
	return section(p)->patterns.n;
}

unsigned policy_drives_rules_n(const struct policy *p)
{
	return section(p)->rules_n;
}
