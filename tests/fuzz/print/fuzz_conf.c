/*
 * A cups-files.conf, whatever its bytes: with another ServerBin put in, that one is what is read back. And the ports of
 * a cupsd.conf.
 */
#include "agent/print/tree.h"
#include "policy/base/file.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[64];
	_cleanup_buf_ struct buf out = BUF_INIT(1u << 20);
	char bin[PATH_MAX];
	uint16_t ports[2];

	if (!path[0])
		snprintf(path, sizeof(path), "/dev/shm/sekisho-fuzz-conf-%d", (int)getpid());
	if (tree_ports(SPAN(data, size), ports, 2) > 2)
		abort();
	if (size > 65536 || tree_conf(SPAN(data, size), "/opt/x", &out))
		return 0;
	if (file_replace_volatile(path, buf_span(&out), 0600) || tree_server_bin(path, bin) ||
		strcmp(bin, "/opt/x") != 0)
		abort();
	unlink(path);
	return 0;
}
