/*
 * Both texts of a policy, divided by the first NUL byte: whatever is read can be decided by and checked.
 */
#include "policy/rule/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = memchr(data, 0, size);
	size_t n = cut ? (size_t)(cut - data) : size;
	const struct device_user who = {.user = "taro", .host = "ws-1", .groups = (const char *const[]){NULL}};
	struct device d = {
		.usb = true, .vendor = 0x0951, .product = 0x1666, .serial = "A1", .kinds = 1u << 1 | 1u << 8};
	struct policy *p = NULL;
	struct decision out;
	struct why why = {""};

	if (policy_load(SPAN(data, n), SPAN(data + n + !!cut, size - n - !!cut), &p, &why))
		return 0;
	policy_decide(p, &d, DEVICE_KIND_STORAGE, &who, &out);
	policy_decide(p, &d, DEVICE_KIND_HID, &who, &out);
	policy_check(p, 1, NULL, NULL);
	policy_free(p);
	return 0;
}
