/*
 * A device as the policy sees it: facts, none of which the kernel or udev is asked for here. Filled by the guard (from
 * libudev and libusb), by `sekishoctl policy explain` and by a policy's own expectations; read by policy_decide.
 *
 * Every string is what the device says of itself: from outside, not always UTF-8, never trusted, cut at its room.
 */
#ifndef SEKISHO_RULE_DEVICE_H
#define SEKISHO_RULE_DEVICE_H

#include "policy/base/buf.h"
#include "policy/base/why.h"
#include "policy/trust/digest.h"
#include "policy/wire/record.h"

/*
 * Kinds of devices are DEVICE_KIND_* and what may be done with them ACCESS_* of the record table
 * (policy/wire/enums.def), where their names stand too. One device may be of several kinds (a stick with a keyboard
 * inside): each is decided by itself. What makes a device which kind, by its interface classes (USB-IF class codes) or
 * what the kernel made of it:
 *
 *   storage    08, a disk by bulk-only transport or UAS; also a Thunderbolt disk     hub        09
 *   optical    a CD, DVD or BD drive, built in or not                                audio      01
 *   sd         a card in a slot that is not on USB (mmc, memstick)                   video      0e
 *   phone      06 (PTP), MTP by its descriptor or name, adb (ff:42), Apple's         smartcard  0b
 *   network    02 and 0a with a network model, e0:01:03 and ef:04 (RNDIS), ff with   bluetooth  e0:01:01
 *              a network driver                                                      printer    07
 *   serial     02:02 modems, ff with a serial driver                                 hid        03
 *   vendor     ff, otherwise unknown                                                 other      all else
 *
 * The smaller an ACCESS_* the stricter.
 */
#define DEVICE_KINDS 16u /* one more than the largest DEVICE_KIND_* */

#define DEVICE_TEXT_SIZE 128 /* a USB string descriptor has at most 126 UTF-16 units; longer ones are cut */
#define DEVICE_INTERFACES_MAX 64u
#define DEVICE_MEDIA_MAX 16u /* file systems and containers on a medium that are told of */

struct device_interface {
	uint8_t class, subclass, protocol;
	uint8_t number;    /* bInterfaceNumber */
	uint8_t alternate; /* bAlternateSetting */
};

/* What lies on the medium, by udev's blkid. */
struct device_medium {
	char type[24]; /* "vfat", "ext4", "crypto_LUKS", "BitLocker", "LVM2_member", ... */
	char uuid[64]; /* of the file system or container */
};

struct device {
	uint64_t kinds; /* bit per DEVICE_KIND_* */
	bool usb;
	uint16_t vendor, product;            /* USB ids; 0 and no `usb`: not on USB */
	char vendor_name[DEVICE_TEXT_SIZE];  /* iManufacturer */
	char product_name[DEVICE_TEXT_SIZE]; /* iProduct */
	char serial[DEVICE_TEXT_SIZE]; /* iSerialNumber, else the disk's or card's (CID); "": none; device_serial */
	bool has_fingerprint;
	struct digest fingerprint; /* device_fingerprint */
	unsigned interfaces_n;
	struct device_interface interface[DEVICE_INTERFACES_MAX];
	char port[64]; /* "1-2.3": where it is plugged in; changes, so nothing should be granted by it alone */
	uint64_t size; /* bytes of the medium; 0: unknown or none */
	unsigned media_n;
	struct device_medium medium[DEVICE_MEDIA_MAX];
	bool encrypted; /* all that lies on the medium is in a LUKS or BitLocker container */
	bool twin;      /* another device with the same vendor, product and serial is plugged in now */
};

/*
 * Who would use it: the person whose session is active at the PC, and the PC. `user` NULL: nobody is signed in.
 */
struct device_user {
	const char *user;
	const char *const *groups; /* of the user, NULL at the end */
	const char *host;          /* host name */
	int64_t wall_us;           /* when; rules by day and hour read it in the PC's own time zone */
};

/* A drive on USB as records tell of it; `fingerprint` NULL: none. A serial number that is too long is cut. */
void device_recorded(
	struct device *d, uint16_t vendor, uint16_t product, const char *serial, const struct digest *fingerprint);
/*
 * SHA-256 over what a device's descriptors say, without what changes with the port that it is plugged into (bcdUSB and
 * bMaxPacketSize0 with the speed, endpoints' packet sizes with it; address and port): "sekisho device 1" and a NUL;
 * bDeviceClass, bDeviceSubClass, bDeviceProtocol; idVendor, idProduct, bcdDevice (as they lie, two bytes each);
 * bNumConfigurations; the set of (class, subclass, protocol) of all interfaces of all configurations, each once, in
 * ascending order; manufacturer, product and serial number as `struct device` has them, each with a NUL behind it.
 * tests/verify/fingerprints.py computes the same from these words.
 *
 * `descriptors`: what /sys/bus/usb/devices/X/descriptors holds (USB 2.0 chapter 9.5: device descriptor, then each
 * configuration with what belongs to it). Also fills vendor, product, interfaces. 0; V_BAD with the offset where they
 * are malformed.
 */
int device_read_descriptors(struct device *d, struct span descriptors, struct why *why);

/*
 * What a device, a person or a file says is its serial number: cut at its room, without blanks at its ends, which many
 * devices pad it with and no spreadsheet keeps.
 */
void device_serial(char out[DEVICE_TEXT_SIZE], const char *said);

/* The kinds that an interface stands for by its class codes alone (a set of bits). */
uint64_t device_kinds_of(const struct device_interface *i);

#endif
