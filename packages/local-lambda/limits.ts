/** Largest payload of a synchronous invocation, in bytes. */
export const SYNC_PAYLOAD_BYTES = 6_291_456;
/** Largest payload of an asynchronous invocation, in bytes (256 KB until 2025). */
export const ASYNC_PAYLOAD_BYTES = 1_048_576;
/** Largest response, in bytes: 6 MB and 100 bytes, according to the service's error message. */
export const RESPONSE_BYTES = 6_291_556;
/** Size of the log tail, in bytes, before base64. */
export const LOG_TAIL_BYTES = 4_096;
/** Largest message of a log event, in bytes: an event can have 1 MB, of which CloudWatch uses 26 bytes. */
export const LOG_EVENT_BYTES = 1_048_550;
/** Largest X-Amz-Client-Context, in bytes, encoded in base64. */
export const CLIENT_CONTEXT_BYTES = 3_583;
/** How long an init phase can take before Lambda restarts it. */
export const INIT_PHASE_MS = 10_000;
/** Largest streamed response, in bytes. */
export const STREAM_BYTES = 209_715_200;
/** Largest payload of an operation in a durable execution, in bytes. The execution's output has its own limit. */
export const OPERATION_PAYLOAD_BYTES = 1_048_576;
/** Longest execution timeout of a durable function that can be invoked synchronously. */
export const SYNC_DURABLE_SECONDS = 900;
