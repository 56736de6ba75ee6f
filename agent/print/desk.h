/*
 * The desk: a UNIX SEQPACKET socket, one JSON object (RFC 8259) a message, one question and one answer a connection.
 *
 *   {"ask": "held"}                jobs that the policy holds: {"jobs": [{"id", "user", "title", "printer", "rule",
 * ...}]}
 *   {"ask": "release", "id": n}    lets one of them print: {"released": n}
 *
 * For root and members of sekisho-admin.
 *
 *   {"ask": "reasons"}             jobs of the caller's that print when he says why: {"items": [{"item": "print:3",
 * ...}]}
 *   {"ask": "reason", "item": "print:3", "text"}   says so: {"item"}
 *
 * For everybody, of his own jobs. Errors: {"error": "<word>", "reason": "<text>"}. Asked by sekishoctl; what
 * everybody may know (queues) is in the status file, /run/sekisho/print.json.
 */
#ifndef SEKISHO_PRINT_DESK_H
#define SEKISHO_PRINT_DESK_H

#define DESK_PATH "/run/sekisho/print.sock"
#define DESK_ASK_MAX 4096u
#define DESK_ANSWER_MAX (160u << 10)
#define DESK_GROUP "sekisho-admin"

#endif
