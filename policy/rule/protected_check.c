/*
 * The section `protected:` tries itself: its expectations, and areas that nothing or nearly everything lies in. Called
 * by policy_check.c.
 */
#include "policy/rule/check_parts.h"
#include "policy/rule/protected_parts.h"

void check_area_expectations(struct checking *c)
{
	const struct protected_policy *s = c->p->protected;
	struct area_decision d;
	unsigned i;

	for (i = 0; s && i < s->expectations_n; i++) {
		const struct area_expectation *e = &s->expectations[i];
		const char *name = e->name[0] ? e->name : "expectation";
		int area = policy_area_of(c->p, SPAN_STR(e->path), e->share);

		d = (struct area_decision){.area = "", .action = ACTION_ALLOW, .rule = "no area"};
		if (area >= 0)
			policy_area(c->p, (unsigned)area, &e->facts, &d);
		if (e->area[0] && strcmp(e->area, d.area))
			FOUND(c, true, "expectation", IN_YAML, e->line, "%s: the area %s was expected, it is in %s",
				"%s: 期待する区域は %s ですが、%s になります", name, e->area,
				area >= 0 ? d.area : "none");
		else if (d.action != e->action)
			FOUND(c, true, "expectation", IN_YAML, e->line, "%s: %s was expected, %s decides %s",
				"%s: 期待は %s ですが、%s により %s になります", name, checking_action(e->action),
				d.rule, checking_action(d.action));
	}
}

/* A literal path of this area lies in an area before: that one takes it. */
static bool is_hidden(const struct policy *p, unsigned i, const char *path)
{
	int first = is_pattern(path) ? -1 : policy_area_of(p, SPAN_STR(path), NULL);

	return first >= 0 && (unsigned)first < i;
}

/*
 * What every program opens, or we ourselves: an area that refuses them would refuse the PC to everybody. One of each is
 * enough: who marks them marks the folder.
 */
static const char *const vital[] = {"/bin/sh", "/boot/vmlinuz", "/dev/null", "/etc/passwd", "/lib/systemd/systemd",
	"/lib64/ld-linux-x86-64.so.2", "/opt/x", "/proc/1/status", "/run/x", "/sbin/init", "/sys/x", "/tmp/x",
	"/usr/bin/sh", "/usr/lib/os-release", "/usr/sbin/sekisho-guard", "/var/lib/sekisho/guard/policy",
	"/var/lib/sekisho/orders/policy.yaml", "/var/log/x", "/var/spool/sekisho/guard/x"};
static const char *const vital_sources[] = {
	"/dev/sda1", "/dev/nvme0n1p1", "/dev/mapper/root", "tmpfs", "proc", "sysfs"};

static void check_area_lockout(struct checking *c, unsigned i)
{
	const struct area *a = &c->p->protected->areas[i];
	size_t k;

	for (k = 0; k < ARRAY_SIZE(vital); k++)
		if (policy_area_of(c->p, SPAN_STR(vital[k]), NULL) == (int)i) {
			FOUND(c, true, "lockout", IN_YAML, a->line,
				"area %s: would refuse files that the PC itself needs, like %s",
				"区域 %s: %s など、PC 自体の動作に必要なファイルが拒否されます", a->name, vital[k]);
			return;
		}
	for (k = 0; k < ARRAY_SIZE(vital_sources); k++)
		if (policy_area_of(c->p, SPAN("", 0), vital_sources[k]) == (int)i) {
			FOUND(c, true, "lockout", IN_YAML, a->line,
				"area %s: would refuse what lies on this PC's own file systems, like %s",
				"区域 %s: %s など、PC 自体のファイルシステムが拒否されます", a->name, vital_sources[k]);
			return;
		}
}

void check_areas_lockout(struct checking *c)
{
	unsigned i;

	for (i = 0; i < policy_areas_n(c->p); i++)
		if (policy_area_refuses(c->p, i))
			check_area_lockout(c, i);
}

void check_areas(struct checking *c)
{
	const struct protected_policy *s = c->p->protected;
	unsigned i;
	words w;

	for (i = 0; s && i < s->areas_n; i++)
		for (w = s->areas[i].paths; w && *w; w++) {
			if (is_hidden(c->p, i, *w))
				FOUND(c, false, "hidden", IN_YAML, s->areas[i].line,
					"area %s: %s lies in an area before it, which has it",
					"区域 %s: %s は前の区域に含まれるため、そちらの区域になります",
					s->areas[i].name, *w);
			if (policy_area_head(*w) == 1)
				FOUND(c, false, "wide", IN_YAML, s->areas[i].line,
					"area %s: %s could be anywhere: the kernel must tell of every file of the PC",
					"区域 %s: %s は場所が定まらず、PC の全ファイルを監視することになります",
					s->areas[i].name, *w);
		}
}
