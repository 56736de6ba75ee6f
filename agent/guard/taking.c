/*
 * Copies for the auditor (agent/evidence) leave the PC through here: whoever takes one is in a signed record, with the
 * copy's SHA-256 and his reason, before he has the first byte. Called by the desk, for root only.
 *
 * A copy may be large: it is read part by part when nothing else is to do. What is given is the descriptor that was
 * read, so that another file of the same name, or the folder's bound, changes nothing in between. Must never give a
 * copy whose record is not durable.
 */
#include "agent/evidence/evidence.h"
#include "agent/guard/guard.h"
#include "policy/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define DRIVES "drives/"
#define SUFFIX ".cms"
#define NAME_SIZE 128
#define PART (1u << 20)

struct taking {
	int fd;
	pid_t pid;
	uid_t uid;
	uint64_t bytes;
	struct digesting *hash;
	char name[NAME_SIZE]; /* without suffix, as records of copies have it */
	char reason[SERVICE_REASON_SIZE];
	uint8_t part[PART];
};

void taking_free(struct taking *t)
{
	if (!t)
		return;
	closep(&t->fd);
	digesting_end(t->hash, NULL);
	free(t);
}

/* NAME.cms of a print, or drives/NAME.cms, as `evidence list` shows them; nothing that leads elsewhere. */
static bool is_copy(const char *text, char name[NAME_SIZE])
{
	const char *base = !strncmp(text, DRIVES, strlen(DRIVES)) ? text + strlen(DRIVES) : text;
	size_t n = strlen(base), suffix = strlen(SUFFIX);

	if (n <= suffix || n - suffix >= NAME_SIZE || base[0] == '.' || strcmp(base + n - suffix, SUFFIX) != 0 ||
		base[strspn(base, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")])
		return false;
	snprintf(name, NAME_SIZE, "%.*s", (int)(n - suffix), base);
	return true;
}

/* -errno where there is none that is a file. */
static int open_copy(const char *copy)
{
	char folder[PATH_MAX], path[PATH_MAX + NAME_SIZE + 16];
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r = agent_path(folder, sizeof(folder), EVIDENCE_FOLDER);

	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/%s", folder, copy);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -ENOENT;
}

static json_t *failed(void)
{
	return service_refusal("failed", "the guard failed", "ガードで障害が発生しました");
}

struct json_t *taking_begin(struct guard *g, const struct json_t *ask, pid_t pid, uid_t uid, struct taking **out)
{
	const json_t *o = (const json_t *)ask;
	const char *copy = json_string_value(json_object_get(o, "copy"));
	const char *reason = service_reason(o, "reason");
	char name[NAME_SIZE];
	struct taking *t;
	int fd;

	(void)g;
	*out = NULL;
	if (uid != 0)
		return (struct json_t *)service_refusal(
			"denied", "only root can take copies", "控えを取り出せるのは root のみです");
	if (!reason)
		return (struct json_t *)service_no_reason();
	if (!copy || !is_copy(copy, name))
		return (struct json_t *)service_refusal("request", "that is no name of a copy (evidence list)",
			"控えの名前ではありません(evidence list で確認できます)");
	fd = open_copy(copy);
	if (fd == -ENOENT || fd == -ELOOP || fd == -ENXIO)
		return (struct json_t *)service_refusal("gone", "there is no such copy", "その控えはありません");
	t = fd < 0 ? NULL : calloc(1, sizeof(*t));
	if (!t || digesting_new(&t->hash)) {
		closep(&fd);
		free(t);
		return (struct json_t *)failed();
	}
	t->fd = fd;
	t->pid = pid;
	t->uid = uid;
	snprintf(t->name, sizeof(t->name), "%s", name);
	snprintf(t->reason, sizeof(t->reason), "%s", reason);
	*out = t;
	return NULL;
}

int taking_step(struct guard *g, struct taking *t, struct json_t **answer, int *fd)
{
	ssize_t n = pread(t->fd, t->part, sizeof(t->part), (off_t)t->bytes);
	char hex[2 * DIGEST_SIZE + 1];
	struct digest d;

	if (n > 0) {
		digesting_put(t->hash, SPAN(t->part, n));
		t->bytes += (uint64_t)n;
		return V_AGAIN;
	}
	*fd = -1;
	if (n < 0) {
		*answer = (struct json_t *)failed();
		return 0;
	}
	digesting_end(STEAL(t->hash), &d);
	if (!tell_taken(g, t->pid, t->uid, t->name, &d, t->bytes, t->reason)) {
		*answer = (struct json_t *)service_refusal("unrecorded",
			"the record cannot be written, so the copy is not given",
			"記録を書き込めないため、控えを渡せません");
		return 0;
	}
	*answer = (struct json_t *)json_pack("{s:s, s:s, s:I}", "copy", t->name, "sha256",
		hex_encode(hex, d.b, DIGEST_SIZE), "bytes", (json_int_t)t->bytes);
	*fd = *answer ? steal_fd(&t->fd) : -1;
	return 0;
}
