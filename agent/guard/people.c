/*
 * Who is at the PC: the active session of each seat, by sd-login (which reads files of logind's and asks no bus). Rules
 * and ledger rows that name people are judged by who is at the seat that the device belongs to, and that person is
 * told. Called by the loop; where there is no logind, nobody is there.
 *
 * Groups are looked up once for each person that comes: a name service may be slow.
 */
#include "agent/guard/guard.h"
#include "policy/base/log.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <systemd/sd-login.h>

#define SEAT0 "seat0"

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

bool person_look_up(struct person *p, uid_t uid)
{
	struct passwd *pw = getpwuid(uid);

	if (!pw || strlen(pw->pw_name) >= sizeof(p->name))
		return false;
	p->there = true;
	p->uid = uid;
	snprintf(p->name, sizeof(p->name), "%s", pw->pw_name);
	read_groups(p, pw);
	return true;
}

void person_name(const struct guard *g, uint32_t uid, char out[64])
{
	struct passwd *pw;
	unsigned i;

	/* Who is at the PC is known, and nobody is asked. */
	for (i = 0; i < g->people_n; i++)
		if (g->people[i].there && g->people[i].uid == uid) {
			snprintf(out, 64, "%s", g->people[i].name);
			return;
		}
	pw = getpwuid(uid);
	snprintf(out, 64, "%s", pw && strlen(pw->pw_name) < 64 ? pw->pw_name : "");
}

/* The person of the seat's active session; nobody where it is a greeter's or a lock screen's. */
static void look(struct person *p, const char *seat)
{
	_cleanup_free_ char *session = NULL, *class = NULL;
	uid_t uid;

	*p = (struct person){.there = false};
	snprintf(p->seat, sizeof(p->seat), "%s", seat);
	if (sd_seat_get_active(seat, &session, &uid) < 0 || sd_session_get_class(session, &class) < 0 ||
		strcmp(class, "user") != 0)
		return;
	person_look_up(p, uid);
}

/* Says whether anybody came or went, or a seat did. */
static bool take(struct guard *g, const struct person *p, unsigned at)
{
	struct person *to = &g->people[at];
	bool same = at < g->people_n && p->there == to->there && p->uid == to->uid && !strcmp(p->seat, to->seat);
	unsigned i;

	if (same)
		return false;
	*to = *p;
	for (i = 0; i < to->groups_n; i++)
		to->groups[i] = to->group_room[i];
	to->groups[i] = NULL;
	return true;
}

static bool look_at_seats(struct guard *g)
{
	char **seats = NULL;
	struct person p;
	bool changed;
	unsigned n = 1;
	int i, r = sd_get_seats(&seats);

	look(&p, SEAT0);
	changed = take(g, &p, 0);
	for (i = 0; i < r; i++) {
		if (strcmp(seats[i], SEAT0) != 0 && strlen(seats[i]) < SEAT_SIZE && n < SEATS_MAX) {
			look(&p, seats[i]);
			changed |= take(g, &p, n++);
		}
		free(seats[i]);
	}
	free(seats);
	changed |= n != g->people_n;
	g->people_n = n;
	return changed;
}

const struct person *person_of(const struct guard *g, const struct unit *u)
{
	static const struct person nobody = {.seat = ""};
	unsigned i;

	if (!u || !u->seat[0])
		return &g->people[0];
	for (i = 0; i < g->people_n; i++)
		if (!strcmp(g->people[i].seat, u->seat))
			return &g->people[i];
	/* Of a seat that has no screen (yet), or is one too many. */
	return &nobody;
}

static int on_login(sd_event_source *source, int fd, uint32_t events, void *ctx)
{
	struct guard *g = ctx;
	unsigned seats = g->people_n;

	(void)source;
	(void)fd;
	(void)events;
	sd_login_monitor_flush(g->logins);
	if (!look_at_seats(g))
		return 0;
	/* Whose device it is was of no interest while there was one seat. */
	if (seats != g->people_n && devices_scan(g) < 0)
		log_warning("devices cannot be listed for another seat");
	judge_soon(g);
	return 0;
}

int people_start(struct guard *g)
{
	int r = sd_login_monitor_new(NULL, &g->logins);

	if (r < 0) {
		log_warning("who is at this PC cannot be seen: %s", strerror(-r));
		g->logins = NULL;
		return 0;
	}
	r = sd_event_add_io(g->event, NULL, sd_login_monitor_get_fd(g->logins),
		(uint32_t)sd_login_monitor_get_events(g->logins), on_login, g);
	if (r < 0)
		return r;
	look_at_seats(g);
	return 0;
}

void people_stop(struct guard *g)
{
	sd_login_monitor_unref(g->logins);
	g->logins = NULL;
}
