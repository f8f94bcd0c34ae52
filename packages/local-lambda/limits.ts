/** Largest payload of a synchronous invocation, in bytes. */
export const SYNC_PAYLOAD_BYTES = 6_291_456;
/** Largest payload of an asynchronous invocation, in bytes (256 KB until 2025). */
export const ASYNC_PAYLOAD_BYTES = 1_048_576;
/** Largest response, in bytes: 6 MB and 100 bytes, as the error message of the service says. */
export const RESPONSE_BYTES = 6_291_556;
/** How much of the log's end comes with an invocation, in bytes, before base64. */
export const LOG_TAIL_BYTES = 4_096;
/** Largest message of one log event, in bytes: an event may have 1 MB, of which 26 bytes are CloudWatch's own. */
export const LOG_EVENT_BYTES = 1_048_550;
/** Largest X-Amz-Client-Context, in bytes, still in base64. */
export const CLIENT_CONTEXT_BYTES = 3_583;
/** How long the init phase of an environment may take before Lambda starts it once more. */
export const INIT_PHASE_MS = 10_000;
/** Largest streamed response, in bytes. */
export const STREAM_BYTES = 209_715_200;
/** Largest payload of an operation of a durable execution but its result, in bytes. */
export const OPERATION_PAYLOAD_BYTES = 1_048_576;
/** Longest execution timeout of a durable function that may be invoked synchronously. */
export const SYNC_DURABLE_SECONDS = 900;
