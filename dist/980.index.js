export const id = 980;
export const ids = [980];
export const modules = {

/***/ 5980:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   streamOnce: () => (/* binding */ streamOnce)
/* harmony export */ });
/* harmony import */ var node_buffer__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(4573);
/* harmony import */ var _aws_sdk_client_lambda__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(1696);
/* harmony import */ var _failures_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(6971);
/* harmony import */ var _invoke_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(9092);
/* harmony import */ var _request_js__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(5822);





// As long as a buffered response may be: up to here it is also held for the outcome.
const LONGEST_HELD = 6_291_556;
/** The start of a response, as long as all of it can be held; nothing once it can't. */
class Held {
    #chunks = [];
    #bytes = 0;
    add(chunk) {
        this.#bytes += chunk.length;
        if (this.#bytes <= LONGEST_HELD)
            this.#chunks.push(chunk);
        else
            this.#chunks = [];
    }
    get payload() {
        return node_buffer__WEBPACK_IMPORTED_MODULE_0__.Buffer.concat(this.#chunks);
    }
}
/** Hands on every chunk; the answer is the event that ends the stream, undefined where none came. */
async function readStream(stream, take) {
    for await (const { PayloadChunk: chunk, InvokeComplete: end } of stream) {
        if (chunk?.Payload !== undefined)
            await take(chunk.Payload);
        // Lambda may close the connection late, or never.
        if (end !== undefined)
            return end;
    }
    return undefined;
}
/** A function error as plain invocations have it: JSON with errorType and errorMessage. */
function errorPayload({ ErrorCode: errorType, ErrorDetails: details = '', }) {
    try {
        const told = JSON.parse(details);
        if (typeof told === 'object' && told !== null)
            return node_buffer__WEBPACK_IMPORTED_MODULE_0__.Buffer.from(details);
    }
    catch {
        // No JSON: a sentence.
    }
    return node_buffer__WEBPACK_IMPORTED_MODULE_0__.Buffer.from(JSON.stringify({ errorType, errorMessage: details }));
}
function answerOf(progress, executedVersion) {
    const requestId = progress.head?.requestId;
    return {
        kind: 'answer',
        statusCode: progress.head?.statusCode ?? 0,
        ...(executedVersion && { executedVersion }),
        ...(requestId !== undefined && { requestId }),
    };
}
/** Sends a synchronous invocation once and takes its response as a stream. Never throws; one that breaks is a Failure. */
function streamOnce(client, invocation, { onChunk, ...bounds }) {
    return (0,_request_js__WEBPACK_IMPORTED_MODULE_3__/* .perform */ .y9)(bounds, async ({ abortSignal, progress }) => {
        const command = new _aws_sdk_client_lambda__WEBPACK_IMPORTED_MODULE_4__/* .InvokeWithResponseStreamCommand */ .Jjw((0,_invoke_js__WEBPACK_IMPORTED_MODULE_2__/* .parametersOf */ .m)(invocation));
        const output = await client.send(command, { abortSignal });
        const answer = answerOf(progress, output.ExecutedVersion);
        if (output.EventStream === undefined)
            return (0,_failures_js__WEBPACK_IMPORTED_MODULE_1__/* .toStrangeAnswer */ .kc)('', progress);
        progress.streamCame(0);
        const held = new Held();
        const end = await readStream(output.EventStream, async (chunk) => {
            progress.streamCame(chunk.length);
            held.add(chunk);
            await onChunk(chunk);
        });
        if (end === undefined)
            return (0,_failures_js__WEBPACK_IMPORTED_MODULE_1__/* .toBrokenStream */ .$P)(progress);
        return {
            ...answer,
            streamedBytes: progress.streamedBytes ?? 0,
            payload: end.ErrorCode ? errorPayload(end) : held.payload,
            ...(end.ErrorCode && { functionError: end.ErrorCode }),
            ...(end.LogResult && { logTail: node_buffer__WEBPACK_IMPORTED_MODULE_0__.Buffer.from(end.LogResult, 'base64') }),
        };
    });
}


/***/ })

};
