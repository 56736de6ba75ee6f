/*
 * Policies as commands are given them: a policy.yaml with its ledger, as a person and a spreadsheet write them, or both
 * out of a signed one. See policy_files.h.
 */
#include "policy/ctl/policy_files.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include <errno.h>
#include <iconv.h>
#include <limits.h>

#define COSE_SIGN1 0xd2 /* the tag that a signed policy begins with, and no text does */

void policy_files_deinit(struct policy_files *f)
{
	policy_free(STEAL(f->policy));
	buf_deinit(&f->yaml);
	buf_deinit(&f->csv);
}

static int read_one(struct ctl *c, const char *path, struct buf *out)
{
	struct why why = {""};
	char text[SHOWN_MAX];
	int r = file_read(path, out);

	if (r == V_NOT_FOUND)
		why_set(&why, r, "%s", SAY(c, "no such file", "ファイルがありません"));
	if (r == V_FULL)
		why_set(&why, r, "%s", SAY(c, "too large", "大きすぎます"));
	return r ? complain_of(c, shown(text, path), r, &why) : EXIT_GOOD;
}

/* --- the ledger, as a spreadsheet saves it --- */

static unsigned lines_before(const char *from, const char *to)
{
	unsigned n = 1;

	for (; from < to; from++)
		n += *from == '\n';
	return n;
}

static int from_cp932(struct span in, struct buf *out, struct why *why)
{
	char *from = (char *)(uintptr_t)in.p, room[4096];
	size_t left = in.n;
	iconv_t cd = iconv_open("UTF-8", "CP932");
	int r = 0;

	if (cd == (iconv_t)-1)
		return why_set(why, V_BAD, "not UTF-8, and this machine cannot read CP932: save it as CSV UTF-8");
	while (left && !r) {
		char *to = room;
		size_t free_n = sizeof(room);

		if (iconv(cd, &from, &left, &to, &free_n) == (size_t)-1 && errno != E2BIG)
			r = why_set(why, V_BAD, "line %u: neither UTF-8 nor CP932 (Shift_JIS): save it as CSV UTF-8",
				lines_before((const char *)in.p, from));
		else
			r = buf_put(out, room, (size_t)(to - room));
	}
	iconv_close(cd);
	return r;
}

int ledger_to_utf8(struct buf *csv, bool *was_cp932, struct why *why)
{
	static const uint8_t bom[] = {0xef, 0xbb, 0xbf};
	struct buf out = BUF_INIT(csv->max);
	int r;

	*was_cp932 = false;
	if (csv->n >= 2 && ((csv->p[0] == 0xff && csv->p[1] == 0xfe) || (csv->p[0] == 0xfe && csv->p[1] == 0xff)))
		return why_set(why, V_BAD, "UTF-16: save it as CSV UTF-8");
	/* What says that it is UTF-8 is no CP932: policy_load tells the line that is not. */
	if (text_is_utf8(buf_span(csv)) || (csv->n >= sizeof(bom) && !memcmp(csv->p, bom, sizeof(bom))))
		return 0;
	r = from_cp932(buf_span(csv), &out, why);
	if (r == V_FULL)
		why_set(why, r, "larger than %zu bytes as UTF-8", csv->max);
	if (r) {
		buf_deinit(&out);
		return r;
	}
	buf_deinit(csv);
	*csv = out;
	*was_cp932 = true;
	return 0;
}

int ledger_file_read(struct ctl *c, const char *path, struct buf *csv)
{
	struct why why = {""};
	char text[SHOWN_MAX];
	bool was_cp932;
	int r = read_one(c, path, csv);

	if (r)
		return r;
	r = ledger_to_utf8(csv, &was_cp932, &why);
	if (r)
		return complain_of(c, shown(text, path), r, &why);
	if (was_cp932)
		fprintf(stderr,
			SAY(c, "%s: note: read as CP932 (Shift_JIS), as Excel saves CSV in Japan\n",
				"%s: 注意: CP932(Shift_JIS)として読み込みました\n"),
			shown(text, path));
	return EXIT_GOOD;
}

/* --- both --- */

/* devices.csv in the folder of the policy, where nobody says another. */
static bool beside(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int n = slash ? (int)(slash - path + 1) : 0;

	return (size_t)snprintf(out, PATH_MAX, "%.*sdevices.csv", n, path) < PATH_MAX && access(out, R_OK) == 0;
}

static int load(struct ctl *c, struct policy_files *f)
{
	struct why why = {""};
	int r = policy_load(buf_span(&f->yaml), buf_span(&f->csv), &f->policy, &why);

	return r ? complain_of(c, SAY(c, "policy", "ポリシー"), r, &why) : EXIT_GOOD;
}

int policy_files_read(struct ctl *c, const char *path, struct policy_files *f)
{
	const char *csv = option_value(c, OPT_DEVICES);
	char room[PATH_MAX];
	int r;

	*f = (struct policy_files){.yaml = BUF_INIT(POLICY_YAML_MAX), .csv = BUF_INIT(POLICY_CSV_MAX)};
	r = read_one(c, path, &f->yaml);
	if (!r && !csv && beside(path, room))
		csv = room;
	if (!r && csv)
		r = ledger_file_read(c, csv, &f->csv);
	return r ? r : load(c, f);
}

static int read_signed(struct ctl *c, const char *path, struct span bytes, struct policy_files *f)
{
	_cleanup_buf_ struct buf raw = BUF_INIT(BUNDLE_RAW_MAX);
	struct admins trusted = {.n = 0};
	struct why why = {""};
	char text[SHOWN_MAX];
	struct bundle b;
	int r = admins_trusted(c, &trusted);

	if (r)
		return r;
	r = bundle_open(bytes, &trusted, NULL, 0, 0, &raw, &b, &why);
	admins_deinit(&trusted);
	if (r > 0)
		return complain(EXIT_PROBLEM, "%s: %s: %s", shown(text, path), bundle_verdict_name(r), why.text);
	r = r ? r : buf_put_span(&f->yaml, b.policy_yaml);
	r = r ? r : buf_put_span(&f->csv, b.devices_csv);
	return r ? complain_of(c, shown(text, path), r, NULL) : load(c, f);
}

int policy_files_open(struct ctl *c, const char *path, struct policy_files *f)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX);
	int r = bundle_read(c, path, &bytes);

	*f = (struct policy_files){.yaml = BUF_INIT(POLICY_YAML_MAX), .csv = BUF_INIT(POLICY_CSV_MAX)};
	if (r)
		return r;
	return bytes.n && bytes.p[0] == COSE_SIGN1 ? read_signed(c, path, buf_span(&bytes), f)
						   : policy_files_read(c, path, f);
}

unsigned policy_groups(const struct ctl *c, const char **groups, unsigned max)
{
	unsigned i, n = 0;

	for (i = 0; i < c->given_n && n < max; i++)
		if (c->given[i].id == OPT_GROUP)
			groups[n++] = c->given[i].value;
	return n;
}
