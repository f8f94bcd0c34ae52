export const id = 933;
export const ids = [933];
export const modules = {

/***/ 7933:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   LiveResponse: () => (/* binding */ LiveResponse)
/* harmony export */ });
/* harmony import */ var node_buffer__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(4573);

// As of a response that is shown when it is whole.
const SHOWN_BYTES = 64 * 1024;
/** Makes of a streamed response, as it arrives, what the log shows of it: whole lines of text, cut at 64 KiB. */
class LiveResponse {
    #decoder = new TextDecoder('utf-8', { fatal: true });
    #rest = '';
    #bytesLeft = SHOWN_BYTES;
    /** The lines that are whole with this chunk; empty where none is. */
    next(chunk) {
        if (this.#bytesLeft === 0)
            return '';
        const text = this.#rest + this.#decode(chunk);
        const end = text.length > this.#bytesLeft ? text.length : text.lastIndexOf('\n') + 1;
        this.#rest = text.slice(end);
        return this.#show(text.slice(0, end));
    }
    /** The line that the response ended in. */
    end() {
        return this.#show(this.#rest);
    }
    #decode(chunk) {
        try {
            return this.#decoder.decode(chunk, { stream: true });
        }
        catch {
            // Nothing of it is for a log.
            this.#rest = '';
            this.#bytesLeft = 0;
            return 'The response is no text and not shown.\n';
        }
    }
    #show(lines) {
        const bytes = node_buffer__WEBPACK_IMPORTED_MODULE_0__.Buffer.from(lines);
        if (bytes.length <= this.#bytesLeft || this.#bytesLeft === 0) {
            this.#bytesLeft -= Math.min(bytes.length, this.#bytesLeft);
            return lines.replace(/\n$/, '');
        }
        // A character that the cut goes through is left out.
        const kept = new TextDecoder().decode(bytes.subarray(0, this.#bytesLeft)).replace(/\uFFFD$/, '');
        this.#bytesLeft = 0;
        return `${kept}\n… cut: the first ${SHOWN_BYTES.toLocaleString('en-US')} bytes`;
    }
}


/***/ })

};
