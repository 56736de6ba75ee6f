/*
 * What the kernel tells of print jobs, from the command line, for flows: loaded without the gate, which a test has no
 * business with (agent/probe/paper.h). Not shipped.
 */
#include "agent/probe/paper.h"
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct why why = {""};
	int r;

	if (argc != 2 || (strcmp(argv[1], "load") != 0 && strcmp(argv[1], "unload") != 0)) {
		fprintf(stderr, "usage: paper load | unload\n");
		return 2;
	}
	r = strcmp(argv[1], "load") == 0 ? paper_load(&why) : paper_unload();
	if (r || why.text[0])
		fprintf(stderr, "paper: %d %s %s\n", r, r < 0 ? strerror(-r) : "", why.text);
	return r || why.text[0] ? 1 : 0;
}
