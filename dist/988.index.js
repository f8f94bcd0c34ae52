export const id = 988;
export const ids = [988];
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


/***/ })

};
