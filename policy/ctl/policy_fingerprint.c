/*
 * `policy fingerprint`: documents that a policy is to know (policy/rule/known.h), as a section for policy.yaml. A
 * front: sekisho-inspect reads the documents, each in its sandbox, as it reads what leaves a PC; nothing of them is
 * read here.
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/policy_files.h"
#include "policy/ctl/setup.h"
#include "policy/rule/known.h"
#include "policy/trust/digest.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define YAML_COLUMNS 100u /* of base64 in a line */

extern char **environ;

struct fingerprinting {
	struct ctl *c;
	uint8_t key[KNOWN_KEY_SIZE];
	bool more; /* the policy has a key already: only documents are wanted */
	json_t *known;
};

/* The key that the policy has, or a new one. */
static int take_key(struct fingerprinting *x)
{
	const char *path = option_value(x->c, OPT_POLICY);
	struct policy_files f;
	int r;

	if (path) {
		r = policy_files_open(x->c, path, &f);
		if (!r && policy_known_key(f.policy)) {
			memcpy(x->key, policy_known_key(f.policy), sizeof(x->key));
			x->more = true;
		}
		policy_files_deinit(&f);
		if (r || x->more)
			return r;
	}
	r = random_bytes(x->key, sizeof(x->key));
	return r ? complain_of(x->c, "key", r, NULL) : EXIT_GOOD;
}

/* Its name without folders, as a policy may have it: whole characters, none that stands between names in records. */
static void name_of(const char *path, char out[POLICY_NAME_SIZE])
{
	const char *slash = strrchr(path, '/');
	char *s;

	text_copy(out, POLICY_NAME_SIZE, SPAN_STR(slash ? slash + 1 : path));
	for (s = out; *s; s++)
		if ((unsigned char)*s < ' ' || *s == ';' || *s == '=')
			*s = '_';
	if (!text_is_utf8(SPAN_STR(out)))
		snprintf(out, POLICY_NAME_SIZE, "document");
}

/* One line of the inspector's: an object of one file. */
static int take_line(struct fingerprinting *x, const char *path, const char *line)
{
	_cleanup_json_ json_t *o = json_loads(line, 0, NULL);
	const char *prints = json_string_value(json_object_get(o, "prints"));
	const char *hash = json_string_value(json_object_get(o, "sha256"));
	const char *findings = json_string_value(json_object_get(o, "findings"));
	_cleanup_buf_ struct buf bytes = BUF_INIT(KNOWN_PRINTS_MAX * KNOWN_PRINT_SIZE + 3);
	char name[POLICY_NAME_SIZE], a[SHOWN_MAX], b[SHOWN_MAX];
	struct digest digest;
	bool few;

	if (!prints || !hash || hex_decode(hash, digest.b, DIGEST_SIZE) || base64_decode(&bytes, SPAN_STR(prints)))
		return complain(EXIT_MACHINE, SAY(x->c, "sekisho-inspect said something that is no answer",
						      "sekisho-inspect の応答を読み取れません"));
	few = bytes.n < KNOWN_PRINTS_MIN * KNOWN_PRINT_SIZE;
	if (few)
		complain(EXIT_GOOD,
			SAY(x->c, "%s: too little text (%s): it is found as the very same file only",
				"%s: 文章が足りません(%s)。同一のファイルだけを検出します"),
			shown(a, path), shown(b, findings && *findings ? findings : "-"));
	name_of(path, name);
	return json_array_append_new(x->known,
		       json_pack("{s:s, s:i, s:s, s:s, s:i, s:s}", "name", name, "share", (int)KNOWN_SHARE, "sha256",
			       hash, "prints", few ? "" : prints, "fingerprints",
			       few ? 0 : (int)(bytes.n / KNOWN_PRINT_SIZE), "findings", findings ? findings : ""))
		       ? EXIT_MACHINE
		       : EXIT_GOOD;
}

/* Runs the inspector on one file. EXIT_*. */
static int ask(struct fingerprinting *x, const char *program, const char *path)
{
	char key[2 * KNOWN_KEY_SIZE + 1], a[SHOWN_MAX];
	const char *args[] = {program, "show", "--json", "--prints", hex_encode(key, x->key, sizeof(x->key)), "--time",
		"600", "--", path, NULL};
	_cleanup_fclose_ FILE *in = NULL;
	_cleanup_free_ char *line = NULL;
	posix_spawn_file_actions_t fa;
	int pipes[2], status = 0, r, code = EXIT_PROBLEM;
	size_t size = 0;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return complain_of(x->c, program, -errno, NULL);
	r = posix_spawn_file_actions_init(&fa);
	if (!r) {
		posix_spawn_file_actions_adddup2(&fa, pipes[1], STDOUT_FILENO);
		r = posix_spawn(&pid, program, &fa, NULL, (char *const *)(uintptr_t)args, environ);
		posix_spawn_file_actions_destroy(&fa);
	}
	close(pipes[1]);
	in = r ? NULL : fdopen(pipes[0], "r");
	if (!in) {
		close(pipes[0]);
		return complain_of(x->c, program, r ? -r : -ENOMEM, NULL);
	}
	if (getline(&line, &size, in) > 0)
		code = take_line(x, path, line);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* It says itself what it cannot open. */
	if (!line || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
		return complain(
			EXIT_PROBLEM, SAY(x->c, "%s: could not be read", "%s: 読み取れませんでした"), shown(a, path));
	return code;
}

static int put_lines(struct buf *b, const char *base64)
{
	int r = 0;

	for (; *base64 && !r; base64 += strnlen(base64, YAML_COLUMNS))
		r = buf_putf(b, "        %.*s\n", (int)YAML_COLUMNS, base64);
	return r;
}

static int put_yaml(const struct fingerprinting *x, struct buf *b)
{
	_cleanup_buf_ struct buf key = BUF_INIT(64);
	const json_t *d;
	size_t i;
	int r = base64_encode(&key, SPAN(x->key, sizeof(x->key)));

	if (!r && !x->more)
		r = buf_putf(b, "documents:\n  key: %s\n  known:\n", buf_str(&key));
	json_array_foreach(x->known, i, d)
	{
		const char *prints = json_string_value(json_object_get(d, "prints"));
		/* A string of JSON is one of YAML. */
		_cleanup_free_ char *name = json_dumps(json_object_get(d, "name"), JSON_ENCODE_ANY);

		r = r      ? r
		    : name ? buf_putf(b, "    - name: %s\n      share: %u\n      sha256: %s\n", name, KNOWN_SHARE,
				     json_string_value(json_object_get(d, "sha256")))
			   : -ENOMEM;
		r = r || !*prints ? r : buf_puts(b, "      prints: |\n");
		r = r ? r : put_lines(b, prints);
	}
	return r;
}

int command_policy_fingerprint(struct ctl *c)
{
	_cleanup_json_ json_t *known = json_array(), *all = NULL;
	struct fingerprinting x = {.c = c, .known = known};
	_cleanup_buf_ struct buf yaml = BUF_INIT(POLICY_YAML_MAX), key = BUF_INIT(64);
	char program[PATH_MAX];
	int i, r, code = EXIT_GOOD;

	if (!known)
		return EXIT_MACHINE;
	if (!setup_find(c, "sekisho-inspect", program))
		return EXIT_MACHINE;
	r = take_key(&x);
	for (i = 0; !r && i < c->operands_n; i++) {
		int one = ask(&x, program, c->operands[i]);

		code = one > code ? one : code;
	}
	if (r)
		return r;
	/* What could be read is given all the same: the others are named, and the exit status says so. */
	if (option_on(c, OPT_JSON)) {
		if (base64_encode(&key, SPAN(x.key, sizeof(x.key))) || !buf_str(&key))
			return EXIT_MACHINE;
		all = json_pack("{s:s, s:O}", "key", buf_str(&key), "known", known);
		r = say_json(all);
	} else if (json_array_size(known)) {
		r = put_yaml(&x, &yaml);
		r = r ? complain_of(c, "policy.yaml", r, NULL) : out_put(&yaml) ? EXIT_GOOD : EXIT_MACHINE;
	}
	return r ? r : code;
}
