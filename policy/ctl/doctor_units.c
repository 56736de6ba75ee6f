/*
 * `sekishoctl doctor` of the units that a PC starts with: whether what runs now will run after the next start. Gathers
 * the fact "units" from systemd's own folders, and judges it. See doctor.h. Asks systemd nothing, and changes nothing.
 */
#include "policy/ctl/doctor.h"
#include <glob.h>
#include <limits.h>
#include <unistd.h>

#define FOLDERS_N 2
static const char *const folders[FOLDERS_N] = {"/etc/systemd/system", "/run/systemd/system"};

enum needed { ALWAYS, WITH_CUPS, WITH_A_KEEPER };

static const struct {
	const char *name;
	enum needed when;
	bool by_sleep; /* the PC's going to sleep starts it: started now, it would say so */
} units[] = {
	{"sekisho-load.service", ALWAYS, false},
	{"sekisho-probes.service", ALWAYS, false},
	{"sekisho-guard.service", ALWAYS, false},
	{"sekisho-recorder.service", ALWAYS, false},
	{"sekisho-uplink.service", ALWAYS, false},
	{"sekisho-posture.timer", ALWAYS, false},
	{"sekisho-sleep.service", ALWAYS, true},
	{"sekisho-print.service", WITH_CUPS, false},
	{"sekisho-keeper.socket", WITH_A_KEEPER, false},
};

/* --- facts --- */

/* `systemctl mask` leaves a link to nothing in the place of a unit. */
static bool is_masked(const char *unit)
{
	char path[PATH_MAX], room[PATH_MAX], to[PATH_MAX];
	size_t i;

	for (i = 0; i < FOLDERS_N; i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "%s/%s", folders[i], unit);
		layout_path(room, sizeof(room), path);
		n = readlink(room, to, sizeof(to) - 1);
		if (n > 0 && (to[n] = 0, !strcmp(to, "/dev/null")))
			return true;
	}
	return false;
}

static bool is_enabled(const char *unit)
{
	char path[PATH_MAX], room[PATH_MAX];
	bool found = false;
	size_t i;

	for (i = 0; i < FOLDERS_N && !found; i++) {
		glob_t g = {0};

		snprintf(path, sizeof(path), "%s/*.wants/%s", folders[i], unit);
		layout_path(room, sizeof(room), path);
		found = !glob(room, GLOB_NOSORT, NULL, &g);
		globfree(&g);
	}
	return found;
}

json_t *doctor_units_fact(void)
{
	json_t *o = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(units); i++)
		json_object_set_new(o, units[i].name,
			json_string(is_masked(units[i].name)    ? "masked"
				    : is_enabled(units[i].name) ? "enabled"
								: "disabled"));
	return o;
}

/* --- judging --- */

static bool is_needed(const struct doctor *d, enum needed when)
{
	const char *keys = json_string_value(json_object_get(doctor_fact(d, "keys"), "new"));

	return when == WITH_CUPS       ? json_is_true(doctor_fact(d, "cups"))
	       : when == WITH_A_KEEPER ? keys && strcmp(keys, "file") != 0
				       : true;
}

void doctor_units(struct doctor *d)
{
	const json_t *o = doctor_fact(d, "units");
	size_t before = json_array_size(d->findings), i;
	char fix[SHOWN_MAX];

	if (!json_is_object(o))
		return; /* no systemd: quickstart starts what there is */
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		const char *is = json_string_value(json_object_get(o, units[i].name));
		bool masked = is && !strcmp(is, "masked");

		if (!is_needed(d, units[i].when) || (is && !strcmp(is, "enabled")))
			continue;
		snprintf(fix, sizeof(fix), "%s%s%ssystemctl enable %s%s", masked ? "systemctl unmask " : "",
			masked ? units[i].name : "", masked ? "; " : "", units[i].by_sleep ? "" : "--now ",
			units[i].name);
		doctor_found(d, "units", DOCTOR_BAD, fix,
			masked ? SAY(d->ctl, "%s is masked: it will not start any more",
					 "%s はマスクされており、起動できません")
			       : SAY(d->ctl, "%s is not enabled: it will not be there after the next start",
					 "%s は有効化されておらず、次回の起動時に開始されません"),
			units[i].name);
	}
	if (json_array_size(d->findings) == before)
		doctor_found(d, "units", DOCTOR_GOOD, NULL, "%s",
			SAY(d->ctl, "all that a PC needs starts with it",
				"必要なユニットはすべて起動時に開始されます"));
}
