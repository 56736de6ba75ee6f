/*
 * `console user`: accounts of the console, by its own door. Passwords are made there and shown once; none is ever on a
 * command line.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/door.h"
#include "policy/trust/digest.h"
#include <limits.h>

#define USERS "/desk/users"
#define DISABLE "/desk/disable"
#define RESET "/desk/reset"
#define BIND "/desk/bind"
#define UNBIND "/desk/unbind"
#define CERTIFICATE_MAX 12288u

/* Asks the console's door and says what is wrong. EXIT_*. */
static int ask(struct ctl *c, const char *target, const json_t *body, json_t **answer)
{
	struct why why = {""};
	int r = door_ask(c, target, body, answer, &why);

	if (r == V_NOT_FOUND)
		return complain(EXIT_MACHINE,
			SAY(c, "the console does not run here, or its door is elsewhere (--socket): %s",
				"コンソールが動作していないか、ソケットが別の場所にあります(--socket): %s"),
			why.text);
	return r ? complain_of(c, SAY(c, "console", "コンソール"), r, &why) : EXIT_GOOD;
}

static void print_list(const json_t *list, const char *none)
{
	char text[SHOWN_MAX];
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		printf("%s%s", i ? "," : "", shown(text, json_string_value(json_array_get(list, i))));
	if (!json_array_size(list))
		fputs(none, stdout);
}

static int list(struct ctl *c)
{
	_cleanup_json_ json_t *answer = NULL;
	char name[SHOWN_MAX], seen[SHOWN_MAX];
	json_t *o;
	size_t i;
	int r = ask(c, USERS, NULL, &answer);

	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	json_array_foreach(json_object_get(answer, "users"), i, o)
	{
		printf("%-24s ", door_text(name, o, "name"));
		print_list(json_object_get(o, "roles"), "-");
		fputs("  ", stdout);
		print_list(json_object_get(o, "scope"), "*");
		printf("  %s", door_text(seen, o, "signed_in"));
		if (json_array_size(json_object_get(o, "passkeys")))
			printf(SAY(c, "  passkeys: %zu", "  パスキー: %zu"),
				json_array_size(json_object_get(o, "passkeys")));
		if (json_is_true(json_object_get(o, "totp")))
			fputs(SAY(c, "  codes", "  アプリの認証コード"), stdout);
		if (json_is_object(json_object_get(o, "recovery")))
			printf(SAY(c, "  recovery codes: %lld", "  リカバリーコード: %lld"),
				json_integer_value(json_object_get(json_object_get(o, "recovery"), "left")));
		if (json_array_size(json_object_get(o, "certificates")))
			printf(SAY(c, "  certificates: %zu", "  証明書: %zu"),
				json_array_size(json_object_get(o, "certificates")));
		if (json_is_object(json_object_get(o, "oidc")))
			printf("  OpenID: %s", door_text(seen, json_object_get(o, "oidc"), "subject"));
		printf("%s%s\n", json_is_true(json_object_get(o, "disabled")) ? SAY(c, "  disabled", "  無効") : "",
			json_is_true(json_object_get(o, "second_factor"))
				? ""
				: SAY(c, "  no second factor yet", "  二要素認証未設定"));
	}
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

/* All values of an option that can be given several times. NULL: not UTF-8. */
static json_t *values(const struct ctl *c, int id)
{
	json_t *out = json_array();
	unsigned i;

	for (i = 0; i < c->given_n; i++)
		if (c->given[i].id == id && json_array_append_new(out, json_string(c->given[i].value))) {
			json_decref(out);
			return NULL;
		}
	return out;
}

/* A password that was made, once: to standard output, and nothing else there. */
static int print_password(const struct ctl *c, const json_t *answer)
{
	const char *password = json_string_value(json_object_get(answer, "password"));

	if (!password)
		return complain(
			EXIT_PROBLEM, SAY(c, "console: gave no password", "コンソールがパスワードを返しませんでした"));
	puts(password);
	if (isatty(STDOUT_FILENO))
		fputs(SAY(c, "for the first sign-in; another one and a second factor are asked for there\n",
			      "初回サインイン用です。サインイン後に新しいパスワードと二要素認証を設定します\n"),
			stderr);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

static int add(struct ctl *c, const char *name)
{
	_cleanup_json_ json_t *answer = NULL, *body = NULL, *roles = values(c, OPT_ROLE), *scope = values(c, OPT_SCOPE);
	int r;

	if (!option_on(c, OPT_ROLE))
		return complain(EXIT_USAGE, SAY(c, "--role administrator, auditor or viewer is missing",
						    "--role(administrator, auditor, viewer)を指定してください"));
	body = roles && scope ? json_pack("{s:s, s:O, s:O}", "name", name, "roles", roles, "scope", scope) : NULL;
	if (!body)
		return complain(EXIT_USAGE, SAY(c, "not UTF-8", "UTF-8 ではありません"));
	if (!json_array_size(scope))
		json_object_set_new(body, "scope", json_null());
	r = ask(c, USERS, body, &answer);
	return r ? r : print_password(c, answer);
}

static int on_one(struct ctl *c, const char *target, const char *name, bool password)
{
	_cleanup_json_ json_t *answer = NULL, *body = json_pack("{s:s}", "name", name);
	char text[SHOWN_MAX];
	int r;

	if (!body)
		return complain(EXIT_USAGE, SAY(c, "not UTF-8", "UTF-8 ではありません"));
	r = ask(c, target, body, &answer);
	if (r)
		return r;
	if (password)
		return print_password(c, answer);
	printf(SAY(c, "%s: disabled\n", "%s: 無効にしました\n"), shown(text, name));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

/* "certificate" with the file's text, or "fingerprint" where that is what was given. EXIT_*. */
static int put_certificate(struct ctl *c, json_t *body)
{
	const char *given = option_value(c, OPT_CERTIFICATE);
	_cleanup_buf_ struct buf pem = BUF_INIT(CERTIFICATE_MAX);
	struct digest fingerprint;
	char text[SHOWN_MAX];
	int r;

	if (!hex_decode(given, fingerprint.b, DIGEST_SIZE)) {
		json_object_set_new(body, "fingerprint", json_string(given));
		return EXIT_GOOD;
	}
	r = file_read(given, &pem);
	if (!r && json_object_set_new(body, "certificate", json_stringn((const char *)pem.p, pem.n)))
		r = V_BAD;
	return r ? complain(EXIT_USAGE,
			   r == V_NOT_FOUND ? SAY(c, "%s: no such file", "%s: ファイルがありません")
					    : SAY(c, "%s: no certificate in PEM", "%s: PEM 形式の証明書ではありません"),
			   shown(text, given))
		 : EXIT_GOOD;
}

/* What is to be bound: a certificate, or a person of the OpenID provider. EXIT_*. */
static int put_bound(struct ctl *c, json_t *body)
{
	if (option_on(c, OPT_OIDC) == option_on(c, OPT_CERTIFICATE))
		return complain(EXIT_USAGE, SAY(c, "--certificate FILE or --oidc SUBJECT belongs there",
						    "--certificate FILE または --oidc SUBJECT を指定してください"));
	if (!option_on(c, OPT_OIDC))
		return put_certificate(c, body);
	if (json_object_set_new(body, "oidc", json_string(option_value(c, OPT_OIDC))))
		return complain(EXIT_USAGE, SAY(c, "not UTF-8", "UTF-8 ではありません"));
	return EXIT_GOOD;
}

static int bind_to(struct ctl *c, const char *target, const char *name)
{
	_cleanup_json_ json_t *answer = NULL, *body = json_pack("{s:s}", "name", name);
	char text[SHOWN_MAX], print[SHOWN_MAX];
	int r;

	if (!body)
		return complain(EXIT_USAGE, SAY(c, "not UTF-8", "UTF-8 ではありません"));
	r = put_bound(c, body);
	r = r ? r : ask(c, target, body, &answer);
	if (r)
		return r;
	if (option_on(c, OPT_JSON))
		return say_json(answer);
	shown(text, name);
	door_text(print, answer, option_on(c, OPT_OIDC) ? "subject" : "fingerprint");
	if (option_on(c, OPT_OIDC))
		printf(!strcmp(target, BIND)
				? SAY(c, "%s: OpenID subject %s bound\n", "%s: OpenID の利用者 %s を登録しました\n")
				: SAY(c, "%s: OpenID subject %s unbound\n",
					  "%s: OpenID の利用者 %s の登録を解除しました\n"),
			text, print);
	else if (!strcmp(target, BIND))
		printf(SAY(c, "%s: certificate bound, SHA-256 %s\n", "%s: 証明書を登録しました(SHA-256 %s)\n"), text,
			print);
	else
		printf(json_is_true(json_object_get(answer, "disabled"))
				? SAY(c,
					  "%s: certificate unbound, SHA-256 %s; account disabled: it had no other "
					  "second factor\n",
					  "%s: 証明書の登録を解除しました(SHA-256 "
					  "%s)。他に二要素認証がないため、アカウントは無効です\n")
				: SAY(c, "%s: certificate unbound, SHA-256 %s\n",
					  "%s: 証明書の登録を解除しました(SHA-256 %s)\n"),
			text, print);
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_console_user(struct ctl *c)
{
	const char *action = c->operands[0], *name = c->operands_n > 1 ? c->operands[1] : NULL;
	char text[SHOWN_MAX];

	if (!strcmp(action, "list") && !name)
		return list(c);
	if (!strcmp(action, "add") && name)
		return add(c, name);
	if (!strcmp(action, "disable") && name)
		return on_one(c, DISABLE, name, false);
	if (!strcmp(action, "reset") && name)
		return on_one(c, RESET, name, true);
	if (!strcmp(action, "bind") && name)
		return bind_to(c, BIND, name);
	if (!strcmp(action, "unbind") && name)
		return bind_to(c, UNBIND, name);
	return complain(EXIT_USAGE,
		SAY(c, "\"%s\": list, or add, disable, reset, bind or unbind with a name; see --help",
			"「%s」: list、または名前付きの add, disable, reset, bind, unbind を指定してください"),
		shown(text, action));
}
