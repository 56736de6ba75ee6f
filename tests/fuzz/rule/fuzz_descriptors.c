/* USB descriptors as a device gives them. */
#include "policy/rule/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct device d = {.usb = true};
	struct why why = {""};

	device_read_descriptors(&d, SPAN(data, size), &why);
	return 0;
}
