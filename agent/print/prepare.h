/*
 * `sekisho-print prepare` and `remove`: what stands before cupsd, and takes the gate away again.
 */
#ifndef SEKISHO_PRINT_PREPARE_H
#define SEKISHO_PRINT_PREPARE_H

int prepare_main(int argc, char **argv);
int remove_main(void);

#endif
