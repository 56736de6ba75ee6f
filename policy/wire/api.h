/*
 * Words and limits of the conversation between a PC and the collector; collector/ingest/PROTOCOL.md is its page.
 */
#ifndef SEKISHO_WIRE_API_H
#define SEKISHO_WIRE_API_H

#define API_ENROL "/v1/enrol"
#define API_RENEW "/v1/renew"
#define API_SEGMENTS "/v1/segments"
#define API_WAIT "/v1/wait"
#define API_CHECKPOINT "/v1/checkpoint"
#define API_CONSISTENCY "/v1/consistency"
#define API_COSIGN "/v1/cosign"
#define API_COSIGNED "/v1/cosigned"
#define API_WITNESSES "/v1/witnesses"

#define API_POLICY "/v1/policy"

#define API_ADMIN_POLICY "/admin/policy"
#define API_ADMIN_TOKENS "/admin/tokens"
#define API_ADMIN_HOSTS "/admin/hosts"
#define API_ADMIN_REVOKE "/admin/revoke"
#define API_ADMIN_RETIRE "/admin/retire"
#define API_ADMIN_FOLLOW "/admin/follow"
#define API_ADMIN_COLLECTORS "/admin/collectors"
#define API_ADMIN_STATUS "/admin/status"
#define API_ADMIN_RETENTION "/admin/retention"
#define API_ADMIN_RETENTION_HOLD "/admin/retention/hold"
#define API_ADMIN_RETENTION_LIFT "/admin/retention/lift"
#define API_ADMIN_RETENTION_ORDER "/admin/retention/order"

/*
 * Which PCs sleep, in the folder of status files, but none of them (*.json): {"current_us", "asleep": {"<id in hex>":
 * since_us, ...}}, by the wall clock, and since when by the PC's. Found by the herald alone, and laid there for the
 * console every few seconds while all that the log has is judged; older than API_ASLEEP_FRESH_US it says nothing.
 */
#define API_ASLEEP_FILE "asleep"
#define API_ASLEEP_MAX (16u << 20)
#define API_ASLEEP_FRESH_US (60ll * 1000000)

#define API_HEADER_SEEN "Sekisho-Seen"
#define API_HEADER_CHECKPOINT "Sekisho-Checkpoint" /* the last one that the PC keeps, the note in base64 */
#define API_HEADER_GAP "Sekisho-Gap"
#define API_GAP_LOST "lost"
#define API_SEGMENT_TYPE "application/vnd.sekisho.segment"

#define API_TOKEN_PREFIX "SEK1"
#define API_TOKEN_ID_SIZE 8
#define API_TOKEN_SECRET_SIZE 16
#define API_ENROL_AAD "sekisho enrol 1"
#define API_RENEW_AAD "sekisho renew 1"

#define API_SEGMENTS_BODY_MAX ((1u << 20) + (1u << 20) + 8192u) /* one more segment behind the first MiB */
#define API_SEGMENTS_MAX 64u                                    /* in one request */
#define API_ANSWER_MAX (1u << 20)
#define API_ADMINS_MAX (8u << 10) /* text of admin.keys */
#define API_POLICY_TYPE "application/vnd.sekisho.policy"
#define API_ORDER_TYPE "application/vnd.sekisho.order"
#define API_POLICY_HANDED_MAX (128u << 10) /* a larger one does not come with the waiting request's answer */
#define API_WAIT_SECONDS 1500u
#define API_PORT 8443u

#endif
