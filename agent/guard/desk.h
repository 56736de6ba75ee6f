/*
 * The desk: a UNIX stream socket, one JSON object (RFC 8259) a line each way.
 *
 *   {"ask": "event", "env": {"DEVPATH": ..., ...}}   root (udev's rules): decide now; {"access", "rule", ...}
 *   {"ask": "list"} | {"ask": "held"}                 what is plugged in, and what the policy says of it
 *   {"ask": "challenge", "device": id}                a challenge for the administrator; {"challenge": "..."}
 *   {"ask": "answer", "text": "..."}                  his answer; {"access", "until_us"} or {"error", "reason"}
 *   {"ask": "reasons"}                                what a reason of the caller's is waited for, and holds: {"items":
 *                                                     [{"item", "asked_us" | "until_us", "path"?, "rule"?}]}
 *   {"ask": "reason", "item": "area:payroll" | "file:3", "text"}   gives it; {"item", "until_us"?}
 *   {"ask": "self"}                                   {"open", "purpose"?, "until_us"?}
 *   {"ask": "self-open", "purpose", "minutes", "reason"?}   root: opens a maintenance window (SELF.md); as "self"
 *   {"ask": "self-close"}                             root: closes it; {"fitting", "others"}
 *   {"ask": "sleep"} | {"ask": "wake"}                root: the PC goes to sleep, or woke: {"said": true, "awake_us"?}
 *                                                     behind the sealed record; when that it sleeps was said first, by
 *                                                     the monotonic clock
 *
 *   {"ask": "unseal", "path": "...", "order": base64} a quarantined file is to be readable again, by an administrator's
 *                                                     order (policy/wire/sealed.h); {"begun": true}, the rest is a
 * record
 *
 *   {"ask": "take", "copy": "drives/....cms", "reason": "..."}   root: a copy for the auditor; behind its signed record
 *                                                     {"copy", "sha256", "bytes"}, and with the first byte of that line
 *                                                     the copy open for reading (SCM_RIGHTS)
 *
 * Errors: {"error": "<word>", "reason": "<text>"}. Served by sekisho-guard; asked by `sekisho-guard ask`, `sleep` and
 * `wake` (ask.c), and by sekishoctl.
 */
#ifndef SEKISHO_GUARD_DESK_H
#define SEKISHO_GUARD_DESK_H

#define DESK_PATH "/run/sekisho/guard.sock"
#define DESK_LINE_MAX 16384u
#define DESK_ANSWER_MAX (1u << 20)
#define DESK_CALLERS_MAX 32u
#define DESK_CALLERS_ROOT 8u        /* of them are root's alone */
#define DESK_CALLERS_EACH 8u        /* for each other user */
#define DESK_PATIENCE_US 5000000ull /* for a caller that says nothing */
#define ASK_PATIENCE_MS 500         /* udev waits this long, and no longer */
#define SLEEP_PATIENCE_MS 1500      /* so does a PC that goes to sleep, for the record; */
#define SLEEP_SENT_MS 2000          /* and so long behind it, until it is on its way, whoever asks */

#endif
