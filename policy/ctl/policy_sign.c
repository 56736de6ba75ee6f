/*
 * `policy keygen`, `sign`, `show` and `apply`: what the administrator does with a policy on his own machine, and what a
 * PC without a collector is given. The private key never leaves that machine, and no server has it.
 */
#include "policy/base/clock.h"
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/policy_files.h"
#include "policy/wire/release_code.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

#define VALID_DEFAULT_S (400ll * 86400)
#define KEY_TEXT_MAX 1024u
#define INBOX_POLICY "/var/lib/sekisho/inbox/policy"

/* --- keys --- */

/* The line for admin.keys (Ed25519), or the value of release: key (P-256), to standard output. */
static int print_public(struct ctl *c, const struct key *key, const char *name)
{
	_cleanup_buf_ struct buf der = BUF_INIT(512), text = BUF_INIT(KEY_TEXT_MAX);
	int r = key_type(key) == KEY_ED25519 ? verifier_encode(name, key, &text) : key_public_der(key, &der);

	if (!r && key_type(key) == KEY_P256)
		r = base64_encode(&text, buf_span(&der));
	if (r || !buf_str(&text))
		return complain_of(c, "key", r ? r : -ENOMEM, NULL);
	puts((const char *)text.p);
	return EXIT_GOOD;
}

static int make_key(struct ctl *c, enum key_type type, const char *name)
{
	_cleanup_(key_freep) struct key *key = NULL;
	const char *path = option_value(c, OPT_OUT);
	char text[SHOWN_MAX];
	int r;

	if (!path)
		return complain(EXIT_USAGE, SAY(c, "--out FILE is missing", "--out ファイル を指定してください"));
	r = key_new(type, &key);
	r = r ? r : key_save(key, path, 0600);
	if (r == V_EXISTS)
		return complain(EXIT_PROBLEM,
			SAY(c, "%s: is there already, and is not replaced", "%s: 既に存在します(上書きしません)"),
			shown(text, path));
	if (r)
		return complain_of(c, shown(text, path), r, NULL);
	r = print_public(c, key, name);
	if (!r && isatty(STDOUT_FILENO))
		fputs(type == KEY_ED25519
				? SAY(c, "keep the file here; put the line into admin.keys of the collector\n",
					  "鍵ファイルはこのマシンで保管し、上の行をコレクターの admin.keys "
					  "に登録してください\n")
				: SAY(c, "keep the file here; put the line into policy.yaml: release: {key: ...}\n",
					  "鍵ファイルはこのマシンで保管し、上の行を policy.yaml の release: key "
					  "に記入してください\n"),
			stderr);
	return r;
}

int command_policy_keygen(struct ctl *c)
{
	const char *name = option_value(c, OPT_NAME);

	if (!name || !*name || strlen(name) >= NOTE_NAME_MAX || strpbrk(name, " +\t\r\n"))
		return complain(EXIT_USAGE, SAY(c, "--name: a name without spaces and plus signs is missing",
						    "--name: 空白と + を含まない名前を指定してください"));
	return make_key(c, KEY_ED25519, name);
}

int command_release_keygen(struct ctl *c)
{
	return make_key(c, KEY_P256, NULL);
}

/* --- signing --- */

static int load_fleet(struct ctl *c, struct digest *fleet)
{
	_cleanup_buf_ struct buf text = BUF_INIT(KEY_TEXT_MAX);
	const char *path = option_value(c, OPT_LOG_KEY);
	struct verifier log = {.key = NULL};
	struct why why = {""};
	char room[PATH_MAX], shown_path[SHOWN_MAX];
	int r;

	if (!path) {
		layout_path(room, sizeof(room), LOG_KEY_PATH);
		path = room;
	}
	r = file_read(path, &text);
	if (r == V_NOT_FOUND)
		why_set(&why, r, "%s",
			SAY(c, "no such file: the fleet's log.vkey is needed (--log-key)",
				"ファイルがありません: ログの検証鍵 log.vkey が必要です(--log-key)"));
	r = r ? r : verifier_decode(buf_span(&text), &log, &why);
	r = r ? r : fleet_id(&log, fleet);
	if (log.key)
		verifier_deinit(&log);
	return r ? complain_of(c, shown(shown_path, path), r, &why) : EXIT_GOOD;
}

int signing_key(struct ctl *c, enum key_type type, struct key **out)
{
	const char *path = option_value(c, OPT_KEY);

	if (!path)
		return complain(EXIT_USAGE, SAY(c, "--key FILE is missing", "--key ファイル を指定してください"));
	return signing_key_at(c, path, type, out);
}

int signing_key_at(struct ctl *c, const char *path, enum key_type type, struct key **out)
{
	struct why why = {""};
	char text[SHOWN_MAX];
	int r;

	r = key_load(path, out, &why);
	if (!r && (key_type(*out) != type || !key_is_private(*out)))
		r = why_set(&why, V_BAD, "%s", SAY(c, "not the right kind of key", "鍵の種類が違います"));
	if (r == V_NOT_FOUND)
		why_set(&why, r, "%s", SAY(c, "no such file", "ファイルがありません"));
	return r ? complain_of(c, shown(text, path), r, &why) : EXIT_GOOD;
}

static int parse_valid(struct ctl *c, int64_t *seconds)
{
	const char *v = option_value(c, OPT_VALID);
	char *end;
	long long n;

	*seconds = VALID_DEFAULT_S;
	if (!v)
		return EXIT_GOOD;
	n = strtoll(v, &end, 10);
	n *= *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : *end == 's' || !*end ? 1 : 0;
	if (n <= 0 || n > 10ll * 366 * 86400 || (*end && end[1]))
		return complain(EXIT_USAGE, SAY(c, "--valid: no time up to ten years (90d, 12h)",
						    "--valid: 10 年以内の期間を指定してください(90d, 12h)"));
	*seconds = n;
	return EXIT_GOOD;
}

static int write_out(struct ctl *c, const char *path, struct span bytes)
{
	char text[SHOWN_MAX];
	int r = file_replace(path, bytes, 0644);

	return r ? complain_of(c, shown(text, path), r, NULL) : EXIT_GOOD;
}

static int sign(struct ctl *c, const struct policy_files *f, const struct key *key, const char *out)
{
	_cleanup_buf_ struct buf signed_bytes = BUF_INIT(BUNDLE_MAX), admins = BUF_INIT(16u << 10);
	const char *admins_path = option_value(c, OPT_ADMINS);
	struct bundle b = {.version = policy_version(f->policy),
		.policy_yaml = buf_span(&f->yaml),
		.devices_csv = buf_span(&f->csv)};
	struct admins list = {.n = 0};
	struct why why = {""};
	int64_t seconds = 0;
	int r = parse_valid(c, &seconds);

	r = r ? r : load_fleet(c, &b.fleet);
	if (r)
		return r;
	if (admins_path) {
		r = file_read(admins_path, &admins);
		r = r ? r : admins_decode(buf_span(&admins), &list, &why);
		admins_deinit(&list);
		if (r)
			return complain_of(c, "--admins", r, &why);
		b.admins = buf_span(&admins);
	}
	b.issued_us = b.not_before_us = clock_wall_us();
	b.not_after_us = b.issued_us + seconds * 1000000;
	r = bundle_sign(key, &b, &signed_bytes);
	return r ? complain_of(c, SAY(c, "signing", "署名"), r, NULL) : write_out(c, out, buf_span(&signed_bytes));
}

int command_policy_sign(struct ctl *c)
{
	_cleanup_(key_freep) struct key *key = NULL;
	_cleanup_json_ json_t *told = NULL;
	const char *out = option_value(c, OPT_OUT);
	struct policy_files f = {.policy = NULL};
	char room[PATH_MAX], text[SHOWN_MAX];
	int r = signing_key(c, KEY_ED25519, &key);

	if (r)
		return r;
	if (!out) {
		snprintf(room, sizeof(room), "%.4000s.signed", c->operands[0]);
		out = room;
	}
	r = policy_files_read(c, c->operands[0], &f);
	/* What a PC would refuse is not signed at all. */
	r = r ? r : policy_files_check(c, &f, &told);
	r = r ? r : sign(c, &f, key, out);
	if (!r && json_object_set_new(told, "signed", json_string(shown(text, out))))
		r = EXIT_MACHINE;
	if (told && option_on(c, OPT_JSON))
		r = say_json(told) ? EXIT_MACHINE : r;
	else if (!r)
		printf(SAY(c, "%s: version %llu, signed\n", "%s: 版 %llu に署名しました\n"), shown(text, out),
			(unsigned long long)policy_version(f.policy));
	policy_files_deinit(&f);
	return r;
}

/* --- looking, applying --- */

int bundle_read(struct ctl *c, const char *path, struct buf *bytes)
{
	struct why why = {""};
	char text[SHOWN_MAX];
	int r = file_read(path, bytes);

	if (r == V_NOT_FOUND)
		why_set(&why, r, "%s", SAY(c, "no such file", "ファイルがありません"));
	if (r == V_FULL)
		why_set(&why, V_BAD, "%s",
			SAY(c, "too large for a signed policy", "署名済みポリシーとして大きすぎます"));
	return r ? complain_of(c, shown(text, path), r, &why) : EXIT_GOOD;
}

int admins_trusted(struct ctl *c, struct admins *out)
{
	static const char *const usual[] = {"/etc/sekisho/admin.keys", "/var/lib/sekisho/device/admin.keys",
		"/var/lib/sekisho-collector/admin.keys"};
	const char *path = option_value(c, OPT_ADMINS);
	struct why why = {""};
	char room[PATH_MAX];
	size_t i;
	int r = V_NOT_FOUND;

	if (path)
		r = admins_load(path, out, &why);
	for (i = 0; !path && r == V_NOT_FOUND && i < ARRAY_SIZE(usual); i++) {
		layout_path(room, sizeof(room), usual[i]);
		r = admins_load(room, out, &why);
	}
	if (r == V_NOT_FOUND)
		return complain(EXIT_PROBLEM, SAY(c, "no administrator's key is known here (--admins FILE)",
						      "管理者の公開鍵が見つかりません(--admins ファイル)"));
	return r ? complain_of(c, "admin.keys", r, &why) : EXIT_GOOD;
}

int command_policy_show(struct ctl *c)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX), raw = BUF_INIT(BUNDLE_RAW_MAX);
	struct admins trusted = {.n = 0};
	struct why why = {""};
	char a[TEXT_TIME_SIZE], b_text[TEXT_TIME_SIZE], signer[SHOWN_MAX];
	struct bundle b;
	int r = bundle_read(c, c->operands[0], &bytes);

	r = r ? r : admins_trusted(c, &trusted);
	if (r)
		return r;
	r = bundle_open(buf_span(&bytes), &trusted, NULL, 0, 0, &raw, &b, &why);
	admins_deinit(&trusted);
	if (r)
		return complain(r < 0 ? EXIT_MACHINE : EXIT_PROBLEM, "%s: %s",
			r < 0 ? strerror(-r) : bundle_verdict_name(r), why.text);
	if (option_on(c, OPT_JSON)) {
		_cleanup_json_ json_t *o =
			json_pack("{s:I, s:s, s:s, s:s, s:s%, s:s%}", "version", (json_int_t)b.version, "signed_by",
				shown(signer, b.signer), "signed_at", text_time_utc(a, b.issued_us), "valid_until",
				text_time_utc(b_text, b.not_after_us), "policy_yaml", (const char *)b.policy_yaml.p,
				b.policy_yaml.n, "devices_csv", (const char *)b.devices_csv.p, b.devices_csv.n);

		return say_json(o);
	}
	printf(SAY(c, "# version %" PRIu64 ", signed by %s at %s, valid until %s\n",
		       "# 版 %" PRIu64 "、署名者 %s、署名日時 %s、有効期限 %s\n"),
		b.version, shown(signer, b.signer), text_time_local(a, b.issued_us),
		text_time_local(b_text, b.not_after_us));
	printf("# policy.yaml\n");
	fwrite(b.policy_yaml.p, 1, b.policy_yaml.n, stdout);
	printf("# devices.csv\n");
	fwrite(b.devices_csv.p, 1, b.devices_csv.n, stdout);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

/* For a PC without a network: the file is laid where the uplink would, and the guard judges it as always. */
int command_policy_apply(struct ctl *c)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX);
	char path[PATH_MAX];
	int r = bundle_read(c, c->operands[0], &bytes);

	if (r)
		return r;
	layout_path(path, sizeof(path), INBOX_POLICY);
	r = write_out(c, path, buf_span(&bytes));
	if (!r)
		puts(SAY(c, "given to the guard: sekishoctl status says whether it took it",
			"ガードに渡しました。結果は sekishoctl status で確認できます"));
	return r;
}
