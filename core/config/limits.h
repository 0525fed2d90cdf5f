/* config/limits.h -- the fixed limits, in one place. Limits a user may set are in settings.h. */
#ifndef TC_CONFIG_LIMITS_H
#define TC_CONFIG_LIMITS_H

#define FRAME_BYTES_MAX       16384u /* a data frame with its header (decision 9); also the rest of one */
#define COMMAND_ID_MAX        64u    /* bytes of a command's id as JSON text */
#define COMMAND_SYMBOLS_MAX   4096u  /* patterns in one command, before the rule limit is applied */
#define HTTP_HEADER_BYTES_MAX 16384u /* request line and headers together: 431 */
#define HTTP_TARGET_BYTES_MAX 8192u  /* request target: 414 */
#define HTTP_HEADERS_MAX      100u   /* 431 */
#define HTTP_PROTOCOL_LINES   4u     /* Sec-WebSocket-Protocol fields of one request: 431 */
#define HTTP_EXTENSION_LINES  4u     /* Sec-WebSocket-Extensions fields of one request: 431 */
#define HTTP_BODY_BYTES_MAX   65536u /* 413 */
#define WS_CONTROL_BYTES_MAX  125u   /* RFC 6455 5.5 */
#define MESSAGE_GRACE_MS      1000u  /* a message in pieces holds its memory so long whoever waits for it */
#define WORKERS_MAX           64u
#define FEEDS_MAX             64u
#define LISTENERS_MAX         16u

#ifndef __cplusplus
_Static_assert(FRAME_BYTES_MAX < 65536, "a data frame's length fits 16 bits");
#endif
#endif
