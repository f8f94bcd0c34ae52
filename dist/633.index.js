export const id = 633;
export const ids = [633];
export const modules = {

/***/ 8633:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   followExecution: () => (/* binding */ followExecution)
/* harmony export */ });
/* harmony import */ var node_buffer__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(4573);
/* harmony import */ var _aws_sdk_client_lambda__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(1696);
/* harmony import */ var _failures_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(6971);
/* harmony import */ var _polling_js__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(6693);
/* harmony import */ var _request_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(5822);





const PAGE = 1000;
// An execution that was just started may not be found at once.
const UNFOUND_MS = 30_000;
const TYPE = /^(Step|Wait|Callback|ChainedInvoke|Context)(Started|Succeeded|Failed|TimedOut|Stopped|Cancelled)$/;
const KINDS = ['Step', 'Wait', 'Callback', 'ChainedInvoke', 'Context'];
const STATES = [
    'Started',
    'Succeeded',
    'Failed',
    'TimedOut',
    'Stopped',
    'Cancelled',
];
/** The event in our words; undefined where it is about the execution itself or its invocations. */
function readEvent(event, invocation) {
    const [, kindText, stateText] = TYPE.exec(event.EventType ?? '') ?? [];
    const kind = KINDS.find((known) => known === kindText);
    const state = STATES.find((known) => known === stateText);
    if (kind === undefined || state === undefined)
        return undefined;
    const seconds = event.WaitStartedDetails?.Duration ?? event.StepFailedDetails?.RetryDetails?.NextAttemptDelaySeconds;
    return {
        invocation,
        kind,
        state,
        ...(event.Name !== undefined && { name: event.Name }),
        ...(seconds !== undefined && { seconds }),
    };
}
const isOver = (failure) => !failure.mayClear && failure.proof !== 'may_have_run';
/** Reads a history from where it was read to, so that each event is told once, whatever gets lost between. */
class History {
    #arn;
    #invocation;
    #lastId = 0;
    #marker;
    #isHidden = false;
    constructor(arn, invocation) {
        this.#arn = arn;
        this.#invocation = invocation;
    }
    /** Tells what is new. The answer says whether anything was. */
    async read(following) {
        const before = this.#lastId;
        while (!this.#isHidden) {
            const page = await this.#readPage(following);
            if (page.kind === 'failure') {
                if (isOver(page) && !following.stop.aborted)
                    this.hide(page, following);
                break;
            }
            const { Events: events = [], NextMarker: next } = page.output;
            for (const event of events)
                this.#tell(event, following);
            if (next === undefined)
                break;
            this.#marker = next;
        }
        return this.#lastId > before;
    }
    /** Reads no more of it, and says once why. */
    hide(failure, { onHiddenHistory }) {
        if (!this.#isHidden)
            onHiddenHistory(this.#invocation, failure);
        this.#isHidden = true;
    }
    #readPage({ client, ...bounds }) {
        return (0,_request_js__WEBPACK_IMPORTED_MODULE_2__/* .perform */ .y9)(bounds, async ({ abortSignal }) => {
            const command = new _aws_sdk_client_lambda__WEBPACK_IMPORTED_MODULE_3__/* .GetDurableExecutionHistoryCommand */ .b9k({
                DurableExecutionArn: this.#arn,
                IncludeExecutionData: false,
                MaxItems: PAGE,
                ...(this.#marker !== undefined && { Marker: this.#marker }),
            });
            return { kind: 'read', output: await client.send(command, { abortSignal }) };
        });
    }
    #tell(event, { onExecutionEvent }) {
        const { EventId: id = 0 } = event;
        if (id <= this.#lastId)
            return;
        this.#lastId = id;
        const told = readEvent(event, this.#invocation);
        if (told !== undefined)
            onExecutionEvent(told);
    }
}
function readExecution(arn, { client, ...bounds }, data) {
    return (0,_request_js__WEBPACK_IMPORTED_MODULE_2__/* .perform */ .y9)(bounds, async ({ abortSignal }) => {
        const command = new _aws_sdk_client_lambda__WEBPACK_IMPORTED_MODULE_3__/* .GetDurableExecutionCommand */ .zbP({ DurableExecutionArn: arn, ...data });
        return { kind: 'read', output: await client.send(command, { abortSignal }) };
    });
}
/** An error in the form in which functions report theirs. */
function errorPayload({ Status: status, Error: error }) {
    const { ErrorType: errorType, ErrorMessage: errorMessage, StackTrace: stackTrace, ErrorData: errorData, } = error ?? {};
    return node_buffer__WEBPACK_IMPORTED_MODULE_0__.Buffer.from(JSON.stringify({
        errorType: errorType ?? `DurableExecution.${status}`,
        errorMessage: errorMessage ?? `The durable execution ended with status ${status}.`,
        ...(stackTrace !== undefined && { stackTrace }),
        ...(errorData !== undefined && { errorData }),
    }));
}
/** What the execution came to, in place of the answer that started it. */
function toAnswer(started, execution) {
    const { functionError: _, ...rest } = started;
    const ended = {
        ...rest,
        ...(execution.Version !== undefined && { executedVersion: execution.Version }),
    };
    return execution.Status === 'SUCCEEDED'
        ? { ...ended, payload: node_buffer__WEBPACK_IMPORTED_MODULE_0__.Buffer.from(execution.Result ?? 'null') }
        : {
            ...ended,
            payload: errorPayload(execution),
            functionError: started.functionError ?? execution.Status ?? 'Unknown',
        };
}
const STOPS = {
    cancelled: {
        name: 'Cancelled',
        message: 'the workflow was cancelled while the durable execution was running',
    },
    deadline: {
        name: 'DeadlineExceeded',
        message: 'timeout_seconds was over while the durable execution was running',
    },
};
/**
 * Follows a durable execution until it ends or the bounds do; the answer is then its own. A Failure is one of
 * following: the execution goes on by itself. Never throws.
 */
async function followExecution(started, invocation, following) {
    const { durableExecutionArn: arn } = started;
    const { timing, stop, cancel } = following;
    const history = new History(arn, invocation);
    const startedAt = timing.now();
    const giveUp = (failure) => {
        if (invocation.invocationType !== 'RequestResponse')
            return failure;
        // The answer itself says how it ended; only the history is missing.
        history.hide(failure, following);
        return started;
    };
    let waitMs = _polling_js__WEBPACK_IMPORTED_MODULE_4__/* .FIRST_POLL_MS */ .kL;
    for (;;) {
        // First the state, then what led to it: so the history is whole when the end is seen.
        const found = await readExecution(arn, following, { IncludeExecutionData: false });
        const isNews = await history.read(following);
        const isRunning = found.kind === 'read' && found.output.Status === 'RUNNING';
        const ended = found.kind === 'read' && !isRunning
            ? await readExecution(arn, following, { IncludeExecutionData: true })
            : found;
        if (ended.kind === 'read' && !isRunning)
            return toAnswer(started, ended.output);
        if (stop.aborted)
            return giveUp((0,_failures_js__WEBPACK_IMPORTED_MODULE_1__/* .toUnfollowed */ .Ft)(STOPS[cancel.aborted ? 'cancelled' : 'deadline'], started));
        if (ended.kind === 'failure' && isOver(ended)) {
            const mayCome = ended.statusCode === 404 && timing.now() - startedAt < UNFOUND_MS;
            if (!mayCome)
                return giveUp((0,_failures_js__WEBPACK_IMPORTED_MODULE_1__/* .toUnfollowed */ .Ft)(ended, started));
        }
        waitMs = isNews ? _polling_js__WEBPACK_IMPORTED_MODULE_4__/* .FIRST_POLL_MS */ .kL : (0,_polling_js__WEBPACK_IMPORTED_MODULE_4__/* .nextPoll */ .Hv)(waitMs);
        await (0,_polling_js__WEBPACK_IMPORTED_MODULE_4__/* .pause */ .v7)(waitMs, timing, stop);
    }
}


/***/ }),

/***/ 6693:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Hv: () => (/* binding */ nextPoll),
/* harmony export */   kL: () => (/* binding */ FIRST_POLL_MS),
/* harmony export */   v7: () => (/* binding */ pause)
/* harmony export */ });
/** The first wait between two questions of a kind, in milliseconds. */
const FIRST_POLL_MS = 500;
const LONGEST_POLL_MS = 10_000;
const GROWTH = 1.5;
/** The wait after one of `waitMs`. */
const nextPoll = (waitMs) => Math.min(LONGEST_POLL_MS, waitMs * GROWTH);
/** Waits, with up to a quarter more at random so that many who ask do not ask at once. */
const pause = (waitMs, timing, stop) => timing.sleep(waitMs * (1 + timing.random() / 4), stop);


/***/ })

};
