/*
 * A desktop as far as notices go, for PCs of the lab, which have no screen: has the name of the one that shows
 * notifications on the session bus, and writes each that it is to show to standard output, one a line.
 *
 *   bell    with DBUS_SESSION_BUS_ADDRESS; its LANG is the language of the session
 */
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define NAME "org.freedesktop.Notifications"

/* Notify(application, replaces, icon, summary, body, ...) */
static int on_notify(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	const char *application, *icon, *summary, *body;
	uint32_t replaces, *shown = ctx;
	int r = sd_bus_message_read(m, "susss", &application, &replaces, &icon, &summary, &body);

	(void)error;
	if (r < 0)
		return r;
	printf("%s | %s | ", application, summary);
	for (; *body; body++)
		putchar(*body == '\n' ? ' ' : *body);
	putchar('\n');
	fflush(stdout);
	return sd_bus_reply_method_return(m, "u", ++*shown);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Notify", "susssasa{sv}i", "u", on_notify, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int main(void)
{
	uint32_t shown = 0;
	sd_bus *bus = NULL;
	int r = sd_bus_open_user(&bus);

	r = r < 0 ? r : sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/Notifications", NAME, vtable, &shown);
	r = r < 0 ? r : sd_bus_request_name(bus, NAME, 0);
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	fprintf(stderr, "bell: %s\n", strerror(-r));
	sd_bus_unref(bus);
	return 1;
}
