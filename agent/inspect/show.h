/*
 * sekisho-inspect show: facts of files, for a person. Called by main.c.
 */
#ifndef SEKISHO_INSPECT_SHOW_H
#define SEKISHO_INSPECT_SHOW_H

/* argv[0] is the word "show". Answers the exit status. */
int show(int argc, char **argv, const char *usage);

#endif
