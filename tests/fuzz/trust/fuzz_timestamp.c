/* Any bytes as an authority's reply, judged by the seeds' own CA. */
#include "policy/base/file.h"
#include "policy/trust/timestamp.h"
#include <stdlib.h>
#include <sys/mman.h>

static const char ca[] = "-----BEGIN CERTIFICATE-----\n"
			 "MIIBeDCCAR2gAwIBAgIUUs8LOi1rIdO03kGiJUT6oyvpvG8wCgYIKoZIzj0EAwIw\n"
			 "ETEPMA0GA1UEAwwGVFNBIENBMB4XDTI2MTEyNjE5MDMzMFoXDTI2MTIyNjE5MDMz\n"
			 "MFowETEPMA0GA1UEAwwGVFNBIENBMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
			 "fhkc0ANRHe7l4azath4hnEfFQoK47f3G+a8OZuqGWGXaUZrSb+t9ODX55KCXG5WM\n"
			 "3H9FKRHvdjgHeIq+Db1F/6NTMFEwHQYDVR0OBBYEFHA+gTCDpeXSdmK8TcKyzKl5\n"
			 "OH9sMB8GA1UdIwQYMBaAFHA+gTCDpeXSdmK8TcKyzKl5OH9sMA8GA1UdEwEB/wQF\n"
			 "MAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAMFRi0xH9xBtwVALgiZyAjBr2ch85e45\n"
			 "XPSDHtXS+sLZAiEAizG9HOkVyODqCQf9dkrWmmJPYrSUKaADtmtQn5RIL1A=\n"
			 "-----END CERTIFICATE-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct span stamped = {(const uint8_t *)"a checkpoint\n", 13};
	static struct timestamp_trust *trust;
	struct timestamp t = {.time_us = -1};
	struct why why = {""};

	if (!trust) {
		_cleanup_close_ int fd = memfd_create("ca", MFD_CLOEXEC);
		char path[32];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (fd < 0 || write_all(fd, ca, sizeof(ca) - 1) || timestamp_trust_load(path, &trust, &why))
			abort();
	}
	if (timestamp_verify(trust, SPAN(data, size), stamped, SPAN(NULL, 0), &t, &why)) {
		if (!why.text[0])
			abort();
	} else if (t.time_us < 0 || strlen(t.signer) >= sizeof(t.signer)) {
		abort();
	}
	/* What is verified can be read as well, and says the same. */
	if (t.time_us >= 0) {
		struct timestamp read;

		if (timestamp_read(SPAN(data, size), stamped, &read, &why) || read.time_us != t.time_us ||
			strcmp(read.policy, t.policy) != 0)
			abort();
	} else if (!timestamp_read(SPAN(data, size), stamped, &t, &why) && t.time_us < 0) {
		abort();
	}
	return 0;
}
