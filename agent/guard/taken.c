/*
 * A copy for the auditor is taken from this PC: by whom, which and why is a record before the answer is given, and
 * without it there is none. Called by the desk.
 *
 * The folder is root's, and so is whoever asks: what root reads past the desk is not told of here (sekisho-guard(8)).
 */
#include "agent/guard/guard.h"
#include "policy/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define FOLDER "/var/lib/sekisho/evidence"
#define DRIVES "drives/"
#define SUFFIX ".cms"
#define REASON_SIZE 200

/* As `sekishoctl evidence list` names it: of a print, or of a file on a drive. Without its suffix in `copy`. */
static bool is_name(const char *name, char copy[NAME_MAX])
{
	const char *base = strncmp(name, DRIVES, strlen(DRIVES)) ? name : name + strlen(DRIVES);
	size_t n = strlen(base), suffix = strlen(SUFFIX);

	if (n <= suffix || n >= NAME_MAX || base[0] == '.' || strchr(base, '/') ||
		strcmp(base + n - suffix, SUFFIX) != 0)
		return false;
	memcpy(copy, base, n - suffix);
	copy[n - suffix] = 0;
	return true;
}

static bool is_there(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	return !agent_path(path, sizeof(path), FOLDER) &&
	       (size_t)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%s", name) <
		       sizeof(path) - strlen(path) &&
	       !lstat(path, &st) && S_ISREG(st.st_mode);
}

struct json_t *taken_ask(struct guard *g, const struct json_t *ask, pid_t pid)
{
	const json_t *o = (const json_t *)ask;
	const char *name = json_string_value(json_object_get(o, "copy"));
	const char *reason = json_string_value(json_object_get(o, "reason"));
	char copy[NAME_MAX], text[REASON_SIZE];
	int r;

	if (!name || !is_name(name, copy) || !reason || !*reason)
		return (struct json_t *)service_refusal("request", "which copy, as evidence list names it, and why",
			"どの控えか(evidence list の表記)と理由が必要です");
	if (!is_there(name))
		return (struct json_t *)service_refusal("gone", "no such copy is kept here", "その控えはありません");
	text_copy(text, sizeof(text), SPAN_STR(reason));
	r = tell_taken(g, pid, copy, text);
	if (r)
		return (struct json_t *)service_refusal("unrecorded",
			"it cannot be recorded now, and is not given without a record",
			"現在は記録できないため、渡すことができません");
	return (struct json_t *)json_pack("{s:b}", "recorded", 1);
}
