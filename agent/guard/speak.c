/*
 * Asks a device itself what its vendor's own interface is for, by Microsoft's OS descriptors (OS 1.0: string 0xEE names
 * a request code, by which the extended compat id is asked: "MTP"). Called for devices with an interface of class ff,
 * by devices.c: a phone that shows its files that way has nothing else to be known by.
 *
 * Only standard and vendor IN requests on endpoint 0 are sent, with a short time each; nothing is claimed or written.
 */
#include "agent/guard/guard.h"
#include <fcntl.h>
#include <libusb.h>

#define WAIT_MS 100
#define OS_STRING 0xee
#define OS_STRING_SIZE 18
#define COMPAT_INDEX 4
#define COMPAT_HEAD 16
#define COMPAT_SECTION 24
#define COMPAT_MAX (COMPAT_HEAD + 16 * COMPAT_SECTION)

/* The sections of an extended compat id descriptor: is one of them MTP? */
static bool names_mtp(const uint8_t *p, int n)
{
	int at;

	for (at = COMPAT_HEAD; at + COMPAT_SECTION <= n; at += COMPAT_SECTION)
		if (memcmp(p + at + 2, "MTP", 3) == 0)
			return true;
	return false;
}

static bool ask(libusb_device_handle *h)
{
	static const uint8_t sign[] = {'M', 0, 'S', 0, 'F', 0, 'T', 0, '1', 0, '0', 0, '0', 0};
	uint8_t text[OS_STRING_SIZE] = {0}, compat[COMPAT_MAX] = {0};
	int n = libusb_control_transfer(h, LIBUSB_ENDPOINT_IN, LIBUSB_REQUEST_GET_DESCRIPTOR,
		LIBUSB_DT_STRING << 8 | OS_STRING, 0, text, sizeof(text), WAIT_MS);

	if (n != OS_STRING_SIZE || memcmp(text + 2, sign, sizeof(sign)) != 0)
		return false;
	n = libusb_control_transfer(h, LIBUSB_ENDPOINT_IN | LIBUSB_REQUEST_TYPE_VENDOR | LIBUSB_RECIPIENT_DEVICE,
		text[16], 0, COMPAT_INDEX, compat, sizeof(compat), WAIT_MS);
	return n > 0 && names_mtp(compat, n);
}

bool speaks_mtp(unsigned bus, unsigned address)
{
	libusb_device_handle *h = NULL;
	_cleanup_close_ int fd = -1;
	libusb_context *ctx = NULL;
	char path[64];
	bool yes = false;

	snprintf(path, sizeof(path), "/dev/bus/usb/%03u/%03u", bus, address);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	/* Its own look at what is plugged in is not wanted: one device, by its descriptor. */
	libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
	if (fd < 0 || libusb_init(&ctx))
		return false;
	if (libusb_wrap_sys_device(ctx, (intptr_t)fd, &h) == 0) {
		yes = ask(h);
		libusb_close(h);
	}
	libusb_exit(ctx);
	return yes;
}
