/*
 * `print queues`, `print held`, `print release`: what the print gate knows, by its status file, and what it is asked at
 * its desk (agent/print/desk.h).
 */
#include "policy/base/file.h"
#include "policy/base/text.h"
#include "policy/ctl/guard_door.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define STATUS_PATH "/run/sekisho/print.json"
#define DESK_PATH "/run/sekisho/print.sock"
#define STATUS_MAX (4u << 20)
#define ANSWER_MAX (256u << 10)
#define PATIENCE_S 10

/* --- queues --- */

static void print_queue(const struct ctl *c, const json_t *q)
{
	char name[SHOWN_MAX], uri[SHOWN_MAX], reason[SHOWN_MAX], location[SHOWN_MAX];
	bool inside = json_is_true(json_object_get(q, "inside"));

	printf("%-8s  %-20s  %s", inside ? SAY(c, "inside", "ゲート内") : SAY(c, "OUTSIDE", "ゲート外"),
		door_text(name, q, "name"), door_text(uri, q, "uri"));
	if (json_is_true(json_object_get(q, "class")))
		printf("  %s", SAY(c, "class", "クラス"));
	if (json_is_true(json_object_get(q, "temporary")))
		printf("  %s", SAY(c, "temporary", "一時"));
	if (json_string_length(json_object_get(q, "location")))
		printf("  %s", door_text(location, q, "location"));
	putchar('\n');
	if (!inside)
		printf("          %s\n", door_reason(c, reason, q));
}

int command_print_queues(struct ctl *c)
{
	_cleanup_buf_ struct buf text = BUF_INIT(STATUS_MAX);
	_cleanup_json_ json_t *o = NULL;
	const json_t *list, *q;
	char path[108];
	size_t i;
	bool outside = false;
	int r;

	layout_path(path, sizeof(path), STATUS_PATH);
	r = file_read(path, &text);
	if (r == V_NOT_FOUND)
		return complain(EXIT_MACHINE,
			SAY(c, "the print gate does not run here: there is no %s",
				"印刷ゲートが動作していません: %s がありません"),
			path);
	if (r)
		return complain_of(c, path, r, NULL);
	o = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(o, "queues");
	if (!json_is_array(list))
		return complain(EXIT_PROBLEM, SAY(c, "%s cannot be read", "%s を解釈できません"), path);
	json_array_foreach(list, i, q)
	{
		outside |= !json_is_true(json_object_get(q, "inside"));
	}
	if (option_on(c, OPT_JSON))
		return say_json(list) ? EXIT_MACHINE : outside ? EXIT_PROBLEM : EXIT_GOOD;
	if (!json_is_true(json_object_get(o, "running")))
		puts(SAY(c, "the print gate has stopped; this is what it saw last",
			"印刷ゲートは停止しています。最後に確認した状態です"));
	else if (!json_is_true(json_object_get(o, "cups")))
		puts(SAY(c, "CUPS cannot be asked", "CUPS に問い合わせできません"));
	json_array_foreach(list, i, q)
	{
		print_queue(c, q);
	}
	if (!json_array_size(list))
		puts(SAY(c, "there are no queues", "印刷キューはありません"));
	return fflush(stdout) ? EXIT_MACHINE : outside ? EXIT_PROBLEM : EXIT_GOOD;
}

/* --- the desk --- */

bool print_desk_is_there(void)
{
	char path[108];

	layout_path(path, sizeof(path), DESK_PATH);
	return !access(path, F_OK);
}

int print_ask(struct ctl *c, const json_t *ask, json_t **answer)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	_cleanup_free_ char *text = json_dumps(ask, JSON_COMPACT), *got = malloc(ANSWER_MAX);
	char shown_error[SHOWN_MAX];
	json_t *o;
	ssize_t n;

	layout_path(at.sun_path, sizeof(at.sun_path), DESK_PATH);
	if (!text || !got || fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
		connect(fd, (struct sockaddr *)&at, sizeof(at)))
		return complain(EXIT_MACHINE,
			SAY(c, "the print gate does not run here: %s", "印刷ゲートが動作していません: %s"),
			strerror(errno));
	n = send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 ? -1 : recv(fd, got, ANSWER_MAX, 0);
	if (n < 0)
		return complain_of(c, SAY(c, "print gate", "印刷ゲート"), -errno, NULL);
	o = json_loadb(got, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(o) || json_object_get(o, "error")) {
		int r = complain(EXIT_PROBLEM, "%s",
			json_is_object(o)
				? door_reason(c, shown_error, o)
				: SAY(c, "the print gate's answer cannot be read", "印刷ゲートの応答を解釈できません"));

		json_decref(o);
		return r;
	}
	*answer = o;
	return EXIT_GOOD;
}

int command_print_held(struct ctl *c)
{
	_cleanup_json_ json_t *ask = json_pack("{s:s}", "ask", "held"), *answer = NULL;
	const json_t *list, *j;
	size_t i;
	int r = print_ask(c, ask, &answer);

	if (r)
		return r;
	list = json_object_get(answer, "jobs");
	if (option_on(c, OPT_JSON))
		return say_json(list);
	json_array_foreach(list, i, j)
	{
		char user[SHOWN_MAX], title[SHOWN_MAX], printer[SHOWN_MAX], rule[SHOWN_MAX], t[TEXT_TIME_SIZE];

		printf("%-6" JSON_INTEGER_FORMAT "  %s  %s  %s → %s  (%s)\n",
			json_integer_value(json_object_get(j, "id")),
			text_time_local(t, json_integer_value(json_object_get(j, "created_us"))),
			door_text(user, j, "user"), door_text(title, j, "title"), door_text(printer, j, "printer"),
			door_text(rule, j, "rule"));
	}
	if (!json_array_size(list))
		puts(SAY(c, "no job is held", "保留中の印刷はありません"));
	return fflush(stdout) ? EXIT_MACHINE : EXIT_GOOD;
}

int command_print_release(struct ctl *c)
{
	_cleanup_json_ json_t *ask = NULL, *answer = NULL;
	char *end, text[SHOWN_MAX];
	unsigned long id = strtoul(c->operands[0], &end, 10);
	int r;

	if (!id || *end || id > INT32_MAX)
		return complain(EXIT_USAGE, SAY(c, "\"%s\" is no number of a job", "「%s」はジョブ番号ではありません"),
			shown(text, c->operands[0]));
	ask = json_pack("{s:s, s:i}", "ask", "release", "id", (int)id);
	r = print_ask(c, ask, &answer);
	if (!r && option_on(c, OPT_JSON))
		return say_json(answer);
	if (!r)
		printf(SAY(c, "job %lu prints\n", "ジョブ %lu を印刷します\n"), id);
	return r;
}
