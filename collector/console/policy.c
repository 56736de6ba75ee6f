/*
 * The signed policy, the newest or an earlier one: shown with its texts, checked before somebody signs another one in
 * the browser, carried to the collector, and who has it. Nothing here could sign.
 */
#include "policy/rule/policy.h"
#include "collector/console/console.h"
#include "collector/http/parse.h"
#include "policy/base/clock.h"
#include "policy/base/text.h"
#include "policy/wire/api.h"
#include "policy/wire/bundle.h"

#define CHECK_MAX (2u << 20) /* both texts as JSON */
#define FINDINGS_MAX 200u

/* --- shown --- */

static json_t *admins_json(struct console *c)
{
	struct admins admins = {.n = 0};
	json_t *list = json_array();
	char hex[65];
	uint8_t raw[32];
	unsigned i;

	if (!admins_load(c->conf.admins, &admins, NULL))
		for (i = 0; i < admins.n; i++)
			if (!key_public_raw(admins.v[i].key, raw))
				json_array_append_new(list, json_pack("{s:s, s:s}", "name", admins.v[i].name, "key",
								    hex_encode(hex, raw, sizeof(raw))));
	admins_deinit(&admins);
	return list;
}

/* "version=3", or nothing, which is the newest: 0. False: answered. */
static bool asked_version(struct call *x, uint64_t *out)
{
	static const char name[] = "version=";

	*out = 0;
	if (!*x->a->query)
		return true;
	if (!strncmp(x->a->query, name, sizeof(name) - 1) && !ask_number(x->a->query + sizeof(name) - 1, out) && *out)
		return true;
	reply_error(x, 400, "filter", "version: a number from 1 on belongs there, and nothing else");
	return false;
}

void policy_get(struct call *x)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(BUNDLE_MAX), raw = BUF_INIT(BUNDLE_RAW_MAX);
	struct policy_times times = {0, 0};
	struct bundle b = {.version = 0};
	struct digest fleet;
	uint64_t version;
	int r;

	if (!asked_version(x, &version))
		return;
	r = policy_kept(x->c, version, &bytes, &raw, &b, &times);
	if (r == V_NOT_FOUND && version) {
		reply_error(x, 404, "version", "the collector keeps no policy of that version");
		return;
	}
	if (r && r != V_NOT_FOUND) {
		reply_error(x, version ? 409 : 503, "policy",
			version ? "this version is damaged, or signed by none of the keys in admin.keys"
				: "the newest policy cannot be read, or is signed by none of the keys in admin.keys");
		return;
	}
	if (!x->c->has_log || fleet_id(&x->c->log, &fleet)) {
		reply_error(x, 503, "log", "the log's key is not there");
		return;
	}
	if (tell_view(x, KIND_CONSOLE_VIEW, version ? x->a->query : NULL, 0))
		reply(x, json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version",
				 (json_int_t)b.version, "signer", b.signer, "issued", time_json(b.issued_us),
				 "not_before", time_json(b.not_before_us), "not_after", time_json(b.not_after_us),
				 "from", time_json(times.from_us), "to", time_json(times.to_us), "policy_yaml",
				 text_json(b.policy_yaml), "devices_csv", text_json(b.devices_csv), "fleet",
				 digest_json(&fleet), "admins", admins_json(x->c)));
}

/* --- checking --- */

struct findings {
	json_t *list;
};

static void add(struct findings *f, bool fatal, const char *where, const char *en, const char *ja)
{
	if (json_array_size(f->list) < FINDINGS_MAX)
		json_array_append_new(
			f->list, json_pack("{s:b, s:o, s:o, s:o}", "fatal", fatal, "where", text_json(SPAN_STR(where)),
					 "text", text_json(SPAN_STR(en)), "text_ja", text_json(SPAN_STR(ja))));
}

static void say(void *ctx, const struct policy_finding *f)
{
	char where[128];

	if (f->line)
		snprintf(where, sizeof(where), "%s:%u", f->file, f->line);
	else
		snprintf(where, sizeof(where), "%s", f->file);
	add(ctx, f->fatal, where, f->en, f->ja);
}

void policy_check_post(struct call *x)
{
	static const char *const names[] = {"policy_yaml", "devices_csv", NULL};
	_cleanup_(policy_freep) struct policy *p = NULL;
	struct findings f = {.list = json_array()};
	json_t *o = body_object(x, CHECK_MAX, names), *version = NULL;
	const json_t *yaml = json_object_get(o, "policy_yaml"), *csv = json_object_get(o, "devices_csv");
	struct why why = {""};
	bool good = false;
	int r;

	if (!o)
		goto out;
	if (!json_is_string(yaml) || !json_is_string(csv)) {
		reply_error(x, 400, "request", "\"policy_yaml\" and \"devices_csv\" are texts");
		goto out;
	}
	r = policy_load(SPAN(json_string_value(yaml), json_string_length(yaml)),
		SPAN(json_string_value(csv), json_string_length(csv)), &p, &why);
	if (r > 0)
		add(&f, true, "", why.text, why_ja(&why));
	r = r ? r : policy_check(p, clock_wall_us(), say, &f);
	if (r < 0) {
		reply_error(x, 503, "busy", "no memory");
		goto out;
	}
	good = !r;
	version = p ? json_integer((json_int_t)policy_version(p)) : json_null();
	reply(x, json_pack("{s:b, s:O, s:O}", "good", good, "version", version, "findings", f.list));
out:
	json_decref(version);
	json_decref(f.list);
	json_decref(o);
}

/* --- on its way --- */

void policy_post(struct call *x)
{
	struct told t = {.kind = KIND_CONSOLE_CHANGE, .operation = x->a->path, .urgent = true};
	const char *type = ask_header(x->a, "Content-Type");
	struct why why = {""};
	struct digest hash;
	json_t *answer = NULL;
	uint64_t version;
	char what[64];

	if (!type || strcasecmp(type, API_POLICY_TYPE) != 0) {
		reply_error(x, 400, "request", "the body has to be " API_POLICY_TYPE);
		return;
	}
	if (!x->a->body.n || x->a->body.n > BUNDLE_MAX || bundle_peek(x->a->body, &version, &why)) {
		reply_error(x, 400, "bad", "not a signed policy");
		return;
	}
	digest_span(&hash, x->a->body);
	snprintf(what, sizeof(what), "policy %llu pushed", (unsigned long long)version);
	t.text = what;
	t.hash = &hash;
	if (tell_call(x, t) && door_call(x, API_ADMIN_POLICY, API_POLICY_TYPE, x->a->body, &answer))
		reply(x, json_pack("{s:O, s:O}", "version", json_object_get(answer, "version"), "connected",
				 json_object_get(answer, "connected")));
	json_decref(answer);
}

void policy_status(struct call *x)
{
	json_t *answer = NULL, *out = json_array();
	json_int_t version, has, counts[3] = {0};
	const json_t *list, *h;
	size_t i;

	if (!door_call(x, API_ADMIN_POLICY, NULL, SPAN(NULL, 0), &answer) || !tell_view(x, KIND_CONSOLE_VIEW, NULL, 0))
		goto out;
	version = json_integer_value(json_object_get(answer, "version"));
	list = json_object_get(answer, "hosts");
	for (i = 0; i < json_array_size(list); i++) {
		h = json_array_get(list, i);
		if (!account_sees(x->account, json_string_value(json_object_get(h, "name"))))
			continue;
		has = json_integer_value(json_object_get(h, "policy"));
		counts[has == version ? 0 : json_is_true(json_object_get(h, "connected")) ? 1 : 2]++;
		json_array_append_new(out,
			json_pack("{s:O, s:O, s:I, s:O, s:o}", "id", json_object_get(h, "id"), "name",
				json_object_get(h, "name"), "policy", has, "connected", json_object_get(h, "connected"),
				"seen", time_json(json_integer_value(json_object_get(h, "seen")))));
	}
	reply(x, json_pack("{s:I, s:I, s:I, s:I, s:O}", "version", version, "in_force", counts[0], "behind", counts[1],
			 "away", counts[2], "hosts", out));
out:
	json_decref(out);
	json_decref(answer);
}
