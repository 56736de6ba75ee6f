/*
 * What comes into cloud folders is looked into as what is written to drives is: the recorder tells of it (cloud.h), the
 * file is opened here, and goes the way of written.c. Called by written.c.
 *
 * The folder is a person's own, who may put anything in the place of a name meanwhile. So nothing is followed on the
 * way to the file, no link and no mount: from the mount point of the very file system that the kernel named down to a
 * regular file with the inode that it named, or it is not there any more. File systems of a program's (FUSE) are not
 * entered: their answer may never come. What is moved there as a folder is walked through, so far.
 */
#include "agent/guard/written.h"
#include "agent/service/cloud.h"
#include "policy/base/clock.h"
#include "policy/base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define WORDS_AT_A_TIME 64u  /* then the rest of the loop has its turn */
#define WORDS_US 50000       /* the same */
#define WALK_US 200000       /* for one folder: names that are not in memory wait for a disk */
#define TREE_FILES_MAX 256u  /* of a folder that was moved there; of more it is told that they were not looked into */
#define TREE_NAMES_MAX 2048u /* that are asked for in it, whatever they are */
#define TREE_DEPTH_MAX 16u
#define RECORDER "sekisho-recorder"

struct walk {
	struct guard *g;
	const struct cloud_word *w;
	int64_t began_us;
	unsigned files, names;
	bool cut;
};

static struct written_file begin(const struct cloud_word *w, int fd)
{
	struct written_file f = {.fd = fd,
		.cloud = true,
		.pid = w->pid,
		.uid = w->uid,
		.login_uid = w->login_uid,
		.owner_uid = w->uid,
		.closed_awake_us = clock_awake_us()};

	snprintf(f.program, sizeof(f.program), "%.*s", (int)w->program.n, (const char *)w->program.p);
	return f;
}

/* Owns `fd`. */
static void take(struct walk *k, int fd, const struct stat *st)
{
	struct written_file f = begin(k->w, fd);

	if (!st->st_size) {
		close(fd);
		return;
	}
	f.dev = st->st_dev;
	f.ino = st->st_ino;
	f.sb = makedev(k->w->dev_major, k->w->dev_minor);
	f.owner_uid = st->st_uid;
	k->files++;
	written_take(k->g, &f);
}

/* It is told by its name only. */
static void unread(struct guard *g, const struct cloud_word *w, const char *path, const char *detail)
{
	struct written_file f = begin(w, -1);

	f.named = strdup(path);
	f.ino = w->inode;
	f.dev = makedev(w->dev_major, w->dev_minor);
	written_unread(g, &f, INSPECT_NOT_LOOKED_AT, detail);
	free(f.named);
}

/*
 * Another name lies there by now, or none. Not so where the file is there and cannot be opened: whoever holds a lease
 * (fcntl(2)) of his own file keeps us from it, and not the client that comes later.
 */
static bool is_gone(int r)
{
	return r == -ENOENT || r == -ELOOP || r == -ENOTDIR || r == -EXDEV || r == -ENXIO;
}

static void unread_in(struct walk *k, int dir, const char *name, int r)
{
	char link[32], path[WRITTEN_PATH_SIZE + NAME_MAX + 2];
	struct cloud_word w = *k->w;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, path, WRITTEN_PATH_SIZE - 1);
	if (n <= 0)
		return;
	snprintf(path + n, sizeof(path) - (size_t)n, "/%s", name);
	k->files++;
	/* That of the word is the folder's. */
	w.inode = 0;
	unread(k->g, &w, path, strerror(-r));
}

/* Owns `fd`, a folder's. */
static void take_folder(struct walk *k, int fd, unsigned depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *e;
	struct stat st;
	int one;

	if (!dir) {
		close(fd);
		return;
	}
	while (!k->cut && (e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (k->names++ == TREE_NAMES_MAX || k->files >= TREE_FILES_MAX ||
			clock_awake_us() - k->began_us > WALK_US) {
			k->cut = true;
			break;
		}
		one = file_open_below(dirfd(dir), e->d_name);
		if (one < 0) {
			if (!is_gone(one))
				unread_in(k, dirfd(dir), e->d_name, one);
			continue;
		}
		if (written_stat(one, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
			close(one);
		else if (S_ISDIR(st.st_mode) && depth == TREE_DEPTH_MAX)
			k->cut = !close(one);
		else if (S_ISDIR(st.st_mode))
			take_folder(k, one, depth + 1);
		else
			take(k, one, &st);
	}
	closedir(dir);
}

static void on_word(struct guard *g, const struct cloud_word *w)
{
	struct walk k = {.g = g, .w = w, .began_us = clock_awake_us()};
	char path[WRITTEN_PATH_SIZE + 1], place[PATH_MAX], fs[MOUNTS_FS_SIZE];
	_cleanup_close_ int at = -1;
	struct stat st;
	size_t skip;
	int fd;

	snprintf(path, sizeof(path), "%.*s", (int)w->path.n, (const char *)w->path.p);
	/* Whether it is a client the recorder has asked the policy, who knows where the program runs. */
	if (!policy_drives_cloud(g->orders.policy, "") || !mounts_place(w->dev_major, w->dev_minor, path, place, fs))
		return;
	if (!strncmp(fs, "fuse", 4) && strcmp(fs, "fuseblk") != 0) {
		unread(g, w, path, "on a file system that is a program's");
		return;
	}
	skip = strlen(place);
	skip += path[skip] == '/';
	at = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	fd = at < 0 ? -errno : file_open_below(at, path + skip);
	if (fd < 0) {
		if (!is_gone(fd))
			unread(g, w, path, strerror(-fd));
		return;
	}
	if (written_stat(fd, &st) || (w->inode && st.st_ino != w->inode))
		close(fd);
	else if (S_ISREG(st.st_mode))
		take(&k, fd, &st);
	else if (S_ISDIR(st.st_mode) && w->moved)
		take_folder(&k, fd, 1);
	else
		close(fd);
	if (k.cut)
		unread(g, w, path, "a folder with more than is looked into");
}

static int on_words(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	static char room[CLOUD_WORD_MAX + 1];
	struct cloud_word w;
	struct guard *g = ctx;
	int64_t began = clock_awake_us();
	unsigned i;

	(void)source;
	(void)events;
	for (i = 0; i < WORDS_AT_A_TIME && clock_awake_us() - began < WORDS_US; i++) {
		ssize_t n = recv(fd, room, sizeof(room), 0);

		if (n < 0)
			break;
		if (g->written->on && !cloud_get(SPAN(room, (size_t)n), &w))
			on_word(g, &w);
	}
	written_go_on(g);
	return 0;
}

void written_hear(struct guard *g)
{
	const struct group *gr = getgrnam(RECORDER);
	int r = cloud_listen(gr ? gr->gr_gid : 0, &g->written->cloud);

	if (r)
		log_error("what comes into cloud folders cannot be heard of: %s", strerror(-r));
}

int written_cloud_start(struct guard *g)
{
	return g->written->cloud < 0 ? 0 : sd_event_add_io(g->event, NULL, g->written->cloud, EPOLLIN, on_words, g);
}

void written_cloud_stop(struct guard *g)
{
	static char room[CLOUD_WORD_MAX + 1];
	char path[WRITTEN_PATH_SIZE + 1];
	struct cloud_word w;
	ssize_t n;

	/* Who sends from now on is told that nobody is here. */
	cloud_unname();
	while (g->written->cloud >= 0 && (n = recv(g->written->cloud, room, sizeof(room), 0)) >= 0) {
		if (!g->written->on || cloud_get(SPAN(room, (size_t)n), &w))
			continue;
		snprintf(path, sizeof(path), "%.*s", (int)w.path.n, (const char *)w.path.p);
		unread(g, &w, path, "the guard stopped");
	}
}

void written_cloud_close(struct guard *g)
{
	cloud_unlisten(&g->written->cloud);
}
