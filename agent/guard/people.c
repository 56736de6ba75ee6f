/*
 * Who is at the PC: the active session of the seat, by sd-login (which reads files of logind's and asks no bus). Rules
 * and ledger rows that name people are judged by it. Called by the loop; where there is no logind, nobody is there.
 *
 * Groups are looked up once for each person that comes: a name service may be slow.
 */
#include "agent/guard/guard.h"
#include "policy/base/log.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <systemd/sd-login.h>

#define SEAT "seat0"

static void read_groups(struct person *p, const struct passwd *pw)
{
	gid_t gids[GROUPS_MAX];
	int n = GROUPS_MAX, i;

	/* More than fit: those that do. */
	if (getgrouplist(pw->pw_name, pw->pw_gid, gids, &n) < 0)
		n = GROUPS_MAX;
	for (i = 0; i < n; i++) {
		struct group *gr = getgrgid(gids[i]);

		if (!gr || strlen(gr->gr_name) >= sizeof(p->group_room[0]))
			continue;
		snprintf(p->group_room[p->groups_n], sizeof(p->group_room[0]), "%s", gr->gr_name);
		p->groups_n++;
	}
}

/* The person of the active session; nobody where it is a greeter's or a lock screen's. */
static void look(struct person *p)
{
	_cleanup_free_ char *session = NULL, *class = NULL;
	struct passwd *pw;
	uid_t uid;

	*p = (struct person){.there = false};
	if (sd_seat_get_active(SEAT, &session, &uid) < 0 || sd_session_get_class(session, &class) < 0 ||
		strcmp(class, "user") != 0)
		return;
	pw = getpwuid(uid);
	if (!pw || strlen(pw->pw_name) >= sizeof(p->name))
		return;
	p->there = true;
	p->uid = uid;
	snprintf(p->name, sizeof(p->name), "%s", pw->pw_name);
	read_groups(p, pw);
}

static void take(struct guard *g, const struct person *p)
{
	unsigned i;

	g->person = *p;
	for (i = 0; i < g->person.groups_n; i++)
		g->person.groups[i] = g->person.group_room[i];
	g->person.groups[i] = NULL;
}

static int on_login(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	struct person p;

	(void)source;
	(void)fd;
	(void)events;
	sd_login_monitor_flush(g->logins);
	look(&p);
	if (p.there == g->person.there && p.uid == g->person.uid)
		return 0;
	take(g, &p);
	judge_soon(g);
	return 0;
}

int people_start(struct guard *g)
{
	struct person p;
	int r = sd_login_monitor_new(NULL, &g->logins);

	if (r < 0) {
		log_warning("who is at this PC cannot be seen: %s", strerror(-r));
		g->logins = NULL;
		take(g, &(struct person){.there = false});
		return 0;
	}
	r = sd_event_add_io(g->event, NULL, sd_login_monitor_get_fd(g->logins),
		(uint32_t)sd_login_monitor_get_events(g->logins), on_login, g);
	if (r < 0)
		return r;
	look(&p);
	take(g, &p);
	return 0;
}

void people_stop(struct guard *g)
{
	sd_login_monitor_unref(g->logins);
	g->logins = NULL;
}
