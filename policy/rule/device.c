/*
 * A device's facts from its USB descriptors: what it can do, and a fingerprint of what it says of itself. Called by the
 * guard with bytes that a device chose: they are walked by their own lengths, within bounds, and never trusted.
 */
#include "policy/rule/device.h"
#include "policy/base/text.h"
#include <stdlib.h>

/* USB 2.0 table 9-5: descriptor types; 9-8, 9-10, 9-12: their sizes. */
#define TYPE_DEVICE 1
#define TYPE_CONFIG 2
#define TYPE_INTERFACE 4
#define SIZE_DEVICE 18
#define SIZE_CONFIG 9
#define SIZE_INTERFACE 9

#define BIT(kind) (1ull << DEVICE_KIND_##kind)

static bool is(const struct device_interface *i, int class, int subclass, int protocol)
{
	return i->class == class && (subclass < 0 || i->subclass == subclass) &&
	       (protocol < 0 || i->protocol == protocol);
}

/* Communications devices (CDC 1.2 table 4): those that make a network. */
static bool is_network_model(uint8_t subclass)
{
	return subclass == 0x06 || subclass == 0x07 || (subclass >= 0x0a && subclass <= 0x0e);
}

uint64_t device_kinds_of(const struct device_interface *i)
{
	switch (i->class) {
	case 0x01:
		return BIT(AUDIO);
	case 0x02:
		return is_network_model(i->subclass) ? BIT(NETWORK) : BIT(SERIAL);
	case 0x03:
		return BIT(HID);
	case 0x06:
		return BIT(PHONE);
	case 0x07:
		return BIT(PRINTER);
	case 0x08:
		return BIT(STORAGE);
	case 0x09:
		return BIT(HUB);
	case 0x0a:
		return 0; /* carries the data of an interface of class 02, which is judged */
	case 0x0b:
		return BIT(SMARTCARD);
	case 0x0e:
		return BIT(VIDEO);
	case 0xe0:
		return is(i, 0xe0, 1, 1) ? BIT(BLUETOOTH) : is(i, 0xe0, 1, 3) ? BIT(NETWORK) : BIT(OTHER);
	case 0xef:
		return is(i, 0xef, 4, -1) ? BIT(NETWORK) : BIT(OTHER);
	case 0xff:
		/* adb; Apple's multiplexer */
		return is(i, 0xff, 0x42, -1) || is(i, 0xff, 0xfe, 2) ? BIT(PHONE) : BIT(VENDOR);
	default:
		return BIT(OTHER);
	}
}

void device_serial(char out[DEVICE_TEXT_SIZE], const char *said)
{
	size_t n;

	said += strspn(said, " \t");
	n = strnlen(said, DEVICE_TEXT_SIZE - 1);
	while (n && strchr(" \t", said[n - 1]))
		n--;
	memcpy(out, said, n);
	out[n] = 0;
}

/* --- descriptors --- */

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static int by_class(const void *a, const void *b)
{
	return memcmp(a, b, 3);
}

static void hash_bytes(struct span *parts, size_t *n, const uint8_t *p, size_t size)
{
	parts[*n] = SPAN(p, size);
	++*n;
}

static void hash_text(struct span *parts, size_t *n, const char *s)
{
	hash_bytes(parts, n, (const uint8_t *)s, strlen(s) + 1);
}

/* The set of what its interfaces can do, in order: how many alternate settings say the same is of no meaning. */
static size_t classes_of(const struct device *d, uint8_t out[3 * DEVICE_INTERFACES_MAX])
{
	size_t n = 0;
	unsigned i;

	for (i = 0; i < d->interfaces_n; i++) {
		const uint8_t one[3] = {d->interface[i].class, d->interface[i].subclass, d->interface[i].protocol};
		size_t k;

		for (k = 0; k < n && memcmp(out + 3 * k, one, 3) != 0; k++)
			;
		if (k == n)
			memcpy(out + 3 * n++, one, 3);
	}
	qsort(out, n, 3, by_class);
	return 3 * n;
}

static void make_fingerprint(struct device *d, const uint8_t *device)
{
	/* bDeviceClass, bDeviceSubClass, bDeviceProtocol; idVendor, idProduct, bcdDevice; bNumConfigurations */
	const uint8_t fixed[10] = {device[4], device[5], device[6], device[8], device[9], device[10], device[11],
		device[12], device[13], device[17]};
	uint8_t classes[3 * DEVICE_INTERFACES_MAX];
	struct span parts[8];
	size_t classes_n = classes_of(d, classes), n = 0;

	hash_text(parts, &n, "sekisho device 1");
	hash_bytes(parts, &n, fixed, sizeof(fixed));
	hash_bytes(parts, &n, classes, classes_n);
	hash_text(parts, &n, d->vendor_name);
	hash_text(parts, &n, d->product_name);
	hash_text(parts, &n, d->serial);
	digest_of(&d->fingerprint, parts, n);
	d->has_fingerprint = true;
}

static int take_interface(struct device *d, const uint8_t *p, size_t at, struct why *why)
{
	struct device_interface *i;

	if (d->interfaces_n == DEVICE_INTERFACES_MAX)
		return why_set(
			why, V_BAD, "descriptors: more than %u interfaces, at byte %zu", DEVICE_INTERFACES_MAX, at);
	i = &d->interface[d->interfaces_n++];
	i->number = p[2];
	i->alternate = p[3];
	i->class = p[5];
	i->subclass = p[6];
	i->protocol = p[7];
	return 0;
}

int device_read_descriptors(struct device *d, struct span s, struct why *why)
{
	struct device got = *d;
	size_t at = SIZE_DEVICE;
	unsigned i;

	if (s.n < SIZE_DEVICE || s.p[0] != SIZE_DEVICE || s.p[1] != TYPE_DEVICE)
		return why_set(why, V_BAD, "descriptors: no device descriptor at byte 0");
	got.vendor = u16(s.p + 8);
	got.product = u16(s.p + 10);
	got.interfaces_n = 0;
	while (at < s.n) {
		const uint8_t *p = s.p + at;
		size_t left = s.n - at;
		int r = 0;

		if (left < 2 || p[0] < 2 || p[0] > left)
			return why_set(why, V_BAD, "descriptors: one of %u bytes at byte %zu, where %zu are left",
				(unsigned)p[0], at, left);
		if (p[1] == TYPE_INTERFACE && p[0] < SIZE_INTERFACE)
			r = why_set(
				why, V_BAD, "descriptors: an interface of %u bytes at byte %zu", (unsigned)p[0], at);
		else if (p[1] == TYPE_CONFIG && p[0] < SIZE_CONFIG)
			r = why_set(
				why, V_BAD, "descriptors: a configuration of %u bytes at byte %zu", (unsigned)p[0], at);
		else if (p[1] == TYPE_INTERFACE)
			r = take_interface(&got, p, at, why);
		if (r)
			return r;
		at += p[0];
	}
	for (i = 0; i < got.interfaces_n; i++)
		got.kinds |= device_kinds_of(&got.interface[i]);
	if (s.p[4] == 0x09)
		got.kinds |= BIT(HUB);
	make_fingerprint(&got, s.p);
	*d = got;
	return 0;
}

void device_recorded(
	struct device *d, uint16_t vendor, uint16_t product, const char *serial, const struct digest *fingerprint)
{
	*d = (struct device){.usb = true, .vendor = vendor, .product = product, .kinds = 1ull << DEVICE_KIND_STORAGE};
	snprintf(d->serial, sizeof(d->serial), "%s", serial);
	d->has_fingerprint = fingerprint != NULL;
	if (fingerprint)
		d->fingerprint = *fingerprint;
}
