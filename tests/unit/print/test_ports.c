/*
 * agent/print/tree_conf.c: the ports at which CUPS listens, as cupsd.conf(5) has them.
 */
#include "agent/print/tree.h"
#include "tests/unit/cm.h"

static void finds_ports(void **state)
{
	static const char conf[] =
		"# Listen 1\nListen localhost:631\n listen /run/cups/cups.sock\nLISTEN *:8631\n"
		"Listen [::1]:10631\nPort 632\nSSLListen 192.0.2.1:443 \nSSLPort 444\n"
		"ListenBackLog 128\nListen host\nListen 1.2.3.4:99999\nListen 1.2.3.4:123456\nListen\n"
		"Listen a632";
	static const uint16_t want[] = {631, 8631, 10631, 632, 443, 444};
	uint16_t ports[8];

	(void)state;
	assert_int_equal(tree_ports(SPAN_STR(conf), ports, 8), 6);
	assert_memory_equal(ports, want, sizeof(want));
	assert_int_equal(tree_ports(SPAN_STR(conf), ports, 2), 2);
	assert_int_equal(tree_ports(SPAN("", 0), ports, 2), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(finds_ports)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
