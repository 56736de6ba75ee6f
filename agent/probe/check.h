/*
 * `sekisho-load --check`: are the kernel programs there, of this version, and do they do what they are for. Asked by
 * `sekishoctl doctor`, also while no service runs. Changes nothing.
 */
#ifndef SEKISHO_PROBE_CHECK_H
#define SEKISHO_PROBE_CHECK_H

/*
 * Prints one JSON object: "recorder" and "gate", each with "state" (current, none, other, failed) and "why". Of the
 * recorder's set also "set", "told" (the kernel told of a program that was started just now) and "taken" (somebody
 * took that within seconds); of the gate "how" (enforce, note), "layers" and "missing": what was attached, and what
 * of it did not bite just now. 0; 3 where this machine failed.
 */
int check_print(void);

#endif
