export const id = 414;
export const ids = [414,988];
export const modules = {

/***/ 2988:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   readConfiguration: () => (/* binding */ readConfiguration)
/* harmony export */ });
/* harmony import */ var _aws_sdk_client_lambda__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(1696);
/* harmony import */ var _request_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(5822);


/** Asks once for the configuration of what an invocation names. A Failure here says nothing of the invocation. */
function readConfiguration(client, { functionName, qualifier }, bounds) {
    return (0,_request_js__WEBPACK_IMPORTED_MODULE_0__/* .perform */ .y9)(bounds, async ({ abortSignal }) => {
        const output = await client.send(new _aws_sdk_client_lambda__WEBPACK_IMPORTED_MODULE_1__/* .GetFunctionConfigurationCommand */ .qA6({
            FunctionName: functionName,
            ...(qualifier !== undefined && { Qualifier: qualifier }),
        }), { abortSignal });
        const snapStart = output.SnapStart;
        return {
            kind: 'configuration',
            // Functions from before there were states have none, and are ready.
            state: output.State ?? 'Active',
            ...(output.StateReason !== undefined && { stateReason: output.StateReason }),
            ...(output.StateReasonCode !== undefined && { stateReasonCode: output.StateReasonCode }),
            lastUpdateStatus: output.LastUpdateStatus ?? 'Successful',
            ...(output.LastUpdateStatusReason !== undefined && { lastUpdateReason: output.LastUpdateStatusReason }),
            ...(output.LastUpdateStatusReasonCode !== undefined && {
                lastUpdateReasonCode: output.LastUpdateStatusReasonCode,
            }),
            // There is a snapshot of published versions alone.
            awaitsSnapshot: snapStart?.ApplyOn === 'PublishedVersions' &&
                snapStart.OptimizationStatus !== 'On' &&
                output.Version !== '$LATEST',
            isDurable: output.DurableConfig !== undefined,
        };
    });
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


/***/ }),

/***/ 7414:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   Readiness: () => (/* binding */ Readiness)
/* harmony export */ });
/* harmony import */ var _configuration_js__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(2988);
/* harmony import */ var _failures_js__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(6971);
/* harmony import */ var _polling_js__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(6693);



// Codes and states are words; a reason is a sentence that anybody could have put there.
const word = (text) => (text !== undefined && /^\w+$/.test(text) ? text : '');
const inBrackets = (text) => (text === '' ? '' : ` (${text})`);
/** By lambda states (source: AWS Lambda Developer Guide, "Lambda function states"): the first row that fits counts. */
const STANDINGS = [
    {
        when: ({ state }) => state === 'Failed',
        standing: ({ stateReason, stateReasonCode }) => ({
            state: `Failed${inBrackets(word(stateReasonCode))}`,
            next: 'give up',
            isReady: false,
            why: `the function is in state Failed: ${stateReason ?? 'Lambda gives no reason'}`,
        }),
    },
    {
        when: ({ lastUpdateStatus }) => lastUpdateStatus === 'Failed',
        standing: ({ state, lastUpdateReason, lastUpdateReasonCode }) => ({
            state: `${word(state)}, and its last update failed${inBrackets(word(lastUpdateReasonCode))}`,
            next: 'give up',
            isReady: false,
            why: `the function's last update failed, so the old code would answer: ${lastUpdateReason ?? 'Lambda gives no reason'}`,
        }),
    },
    {
        // Only an invocation wakes it.
        when: ({ state }) => state === 'Inactive',
        standing: ({ stateReasonCode }) => ({
            state: `Inactive${inBrackets(word(stateReasonCode))}; the invocation will wake it`,
            next: 'send',
            isReady: false,
        }),
    },
    {
        when: ({ state }) => state !== 'Active',
        standing: ({ state, stateReasonCode }) => ({
            state: `${word(state)}${inBrackets(word(stateReasonCode))}`,
            next: 'wait',
            isReady: false,
        }),
    },
    {
        when: ({ lastUpdateStatus }) => lastUpdateStatus !== 'Successful',
        standing: () => ({
            state: 'Active, and an update is in progress: until it is done the old code answers',
            next: 'wait',
            isReady: false,
        }),
    },
    {
        when: ({ awaitsSnapshot }) => awaitsSnapshot,
        standing: () => ({ state: 'Active, and its snapshot is not ready', next: 'wait', isReady: false }),
    },
];
const READY = { state: 'ready', next: 'send', isReady: true };
const standingOf = (configuration) => STANDINGS.find(({ when }) => when(configuration))?.standing(configuration) ?? READY;
// Lambda throttles such questions early, for all of an account and region together.
const mayAskAgain = ({ proof, mayClear }) => mayClear || proof === 'may_have_run';
function toStoppedWait({ cancel }, state) {
    if (cancel.aborted)
        return (0,_failures_js__WEBPACK_IMPORTED_MODULE_1__/* .toUnsent */ .di)(_failures_js__WEBPACK_IMPORTED_MODULE_1__/* .CANCELLED */ .gD);
    const message = `timeout_seconds was over, and the function was not ready${inBrackets(state)}`;
    return (0,_failures_js__WEBPACK_IMPORTED_MODULE_1__/* .toUnsent */ .di)({ name: 'NotReady', message });
}
async function waitFor(invocation, waiting) {
    const { client, stop, timing, onStateChange } = waiting;
    let last = '';
    for (let waitMs = _polling_js__WEBPACK_IMPORTED_MODULE_2__/* .FIRST_POLL_MS */ .kL;; waitMs = (0,_polling_js__WEBPACK_IMPORTED_MODULE_2__/* .nextPoll */ .Hv)(waitMs)) {
        const found = await (0,_configuration_js__WEBPACK_IMPORTED_MODULE_0__.readConfiguration)(client, invocation, waiting);
        if (stop.aborted)
            return toStoppedWait(waiting, last);
        if (found.kind === 'configuration') {
            const standing = standingOf(found);
            if (standing.state !== last) {
                onStateChange({ invocation, state: standing.state, isReady: standing.isReady });
            }
            last = standing.state;
            if (standing.next === 'send')
                return found;
            if (standing.next === 'give up')
                return (0,_failures_js__WEBPACK_IMPORTED_MODULE_1__/* .toUnsent */ .di)({ name: 'FunctionFailed', message: standing.why });
        }
        else if (!mayAskAgain(found))
            return (0,_failures_js__WEBPACK_IMPORTED_MODULE_1__/* .toUnasked */ .tK)(found);
        await (0,_polling_js__WEBPACK_IMPORTED_MODULE_2__/* .pause */ .v7)(waitMs, timing, stop);
        if (stop.aborted)
            return toStoppedWait(waiting, last);
    }
}
/**
 * Waits until functions may be invoked, once for each function and qualifier. The SDK's waiters do not fit:
 * they tell of no change, and where asking is not allowed they ask on until the time is over.
 */
class Readiness {
    #waits = new Map();
    /** Waits until the function is ready, or was found to be. A Failure says why it never will be. */
    wait(invocation, waiting) {
        return (this.#waits.get(keyOf(invocation)) ?? this.#begin(invocation, waiting)).result;
    }
    /** The same, when an invocation was refused for the state since. */
    waitAgain(invocation, waiting) {
        const known = this.#waits.get(keyOf(invocation));
        return (known === undefined || known.isOver ? this.#begin(invocation, waiting) : known).result;
    }
    #begin(invocation, waiting) {
        const result = waitFor(invocation, waiting);
        const shared = { result, isOver: false };
        this.#waits.set(keyOf(invocation), shared);
        void result.then(() => {
            shared.isOver = true;
        });
        return shared;
    }
}
const keyOf = ({ reference, qualifier = reference.qualifier, region }) => JSON.stringify([region, reference.accountId, reference.name, qualifier]);


/***/ })

};
