/*
 * Decoded events as lines of JSON, for tests and for whoever wants to see what the kernel programs tell.
 */
#ifndef SEKISHO_PROBE_DUMP_H
#define SEKISHO_PROBE_DUMP_H

/*
 * Takes the ring buffer over, with a filter of its own: all use of files below `below`, and every process. Prints until
 * a signal ends it, then the losses. An exit status.
 */
int dump(const char *below);

#endif
