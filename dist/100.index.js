export const id = 100;
export const ids = [100];
export const modules = {

/***/ 100:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   StreamedResponse: () => (/* binding */ StreamedResponse)
/* harmony export */ });
/* harmony import */ var node_fs_promises__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(1455);
/* harmony import */ var node_path__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(6760);


/** Keeps a streamed response in a file as it arrives; until it is whole, the file's name ends in `.partial`. */
class StreamedResponse {
    #file;
    #handle;
    #error;
    constructor(file) {
        this.#file = file;
    }
    /** Writes a chunk. What goes wrong is thrown by `end`: the invocation is under way and must not suffer from it. */
    async take(chunk) {
        if (this.#error !== undefined)
            return;
        try {
            this.#handle ??= await this.#open();
            await this.#handle.appendFile(chunk);
        }
        catch (error) {
            this.#error = error;
        }
    }
    /** Gives a whole response its name; undefined where nothing came. Throws where it could not be written. */
    async end({ isWhole }) {
        await this.#handle?.close();
        if (this.#error !== undefined)
            throw this.#error;
        if (this.#handle === undefined)
            return undefined;
        if (!isWhole)
            return { path: this.#partial, isWhole };
        await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_0__.rename)(this.#partial, this.#file);
        return { path: this.#file, isWhole };
    }
    get #partial() {
        return `${this.#file}.partial`;
    }
    async #open() {
        await (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_0__.mkdir)(node_path__WEBPACK_IMPORTED_MODULE_1__.dirname(this.#file), { recursive: true });
        return (0,node_fs_promises__WEBPACK_IMPORTED_MODULE_0__.open)(this.#partial, 'w');
    }
}


/***/ })

};
