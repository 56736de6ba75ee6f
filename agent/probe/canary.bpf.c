/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Denies every open to one process, for as long as the loader asks whether denying works on this kernel (enforce.c):
 * that a program was taken and attached proves nothing. It must never stay, and never name anybody else's process.
 */
#include "agent/probe/kernel.bpf.h"

#define EPERM_NUMBER 1

/* Set by the loader before loading. 0: nobody. */
const volatile unsigned int canary = 0;

SEC("fmod_ret/security_file_open")
int BPF_PROG(deny_canary, struct file *file, int ret)
{
	if (!canary || bpf_get_current_pid_tgid() >> 32 != canary)
		return ret;
	return -EPERM_NUMBER;
}

char _license[] SEC("license")
= "Dual BSD/GPL";
