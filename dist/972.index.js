export const id = 972;
export const ids = [972];
export const modules = {

/***/ 7972:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  Functions: () => (/* reexport */ Functions/* Functions */.a),
  PowertoolsFunctions: () => (/* binding */ PowertoolsFunctions)
});

// EXTERNAL MODULE: external "node:zlib"
var external_node_zlib_ = __webpack_require__(8522);
;// CONCATENATED MODULE: ./node_modules/@aws-lambda-powertools/commons/lib/esm/fromBase64.js
const BASE64_REGEX = /^[A-Za-z0-9+/]*={0,2}$/;
/**
 * Convert a base64 string to a Uint8Array.
 *
 * The input string must be a valid base64 string, otherwise an error will be thrown.
 *
 * The encoding parameter is optional and defaults to 'utf-8'.
 *
 * @example
 * ```ts
 * import { fromBase64 } from '@aws-lambda-powertools/commons/utils/base64';
 *
 * const encodedValue = 'aGVsbG8gd29ybGQ=';
 *
 * const decoded = fromBase64(encodedValue);
 * // new Uint8Array([ 97, 71, 86, 115, 98, 71, 56, 103, 100, 50, 57, 121, 98, 71, 81, 61 ]);
 * ```
 *
 * @param input The base64 string to convert to a Uint8Array
 * @param encoding The encoding of the input string (optional)
 */
const fromBase64 = (input, encoding) => {
    if ((input.length * 3) % 4 !== 0) {
        throw new TypeError('Incorrect padding on base64 string.');
    }
    if (!BASE64_REGEX.exec(input)) {
        throw new TypeError('Invalid base64 string.');
    }
    const buffer = encoding ? Buffer.from(input, encoding) : Buffer.from(input);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
};


// EXTERNAL MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/Functions.js
var Functions = __webpack_require__(1657);
;// CONCATENATED MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/PowertoolsFunctions.js
var __decorate = (undefined && undefined.__decorate) || function (decorators, target, key, desc) {
    var c = arguments.length, r = c < 3 ? target : desc === null ? desc = Object.getOwnPropertyDescriptor(target, key) : desc, d;
    if (typeof Reflect === "object" && typeof Reflect.decorate === "function") r = Reflect.decorate(decorators, target, key, desc);
    else for (var i = decorators.length - 1; i >= 0; i--) if (d = decorators[i]) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r;
    return c > 3 && r && Object.defineProperty(target, key, r), r;
};



const decoder = new TextDecoder('utf-8');
/**
 * Custom functions for the Powertools for AWS Lambda JMESPath module.
 *
 * Built-in JMESPath functions include: `powertools_json`, `powertools_base64`, `powertools_base64_gzip`
 *
 * You can use these functions to decode and/or deserialize JSON objects when using the {@link search | `search`} function.
 *
 * @example
 * ```typescript
 * import { search } from '@aws-lambda-powertools/jmespath';
 * import { PowertoolsFunctions } from '@aws-lambda-powertools/jmespath/functions';
 *
 * const data = {
 *   body: "{\"foo\": \"bar\"}"
 * };
 *
 * const result = search(
 *   'powertools_json(body)',
 *   data,
 *   { customFunctions: new PowertoolsFunctions() }
 * );
 * console.log(result); // { foo: 'bar' }
 * ```
 */
class PowertoolsFunctions extends Functions/* Functions */.a {
    funcPowertoolsBase64(value) {
        return decoder.decode(fromBase64(value, 'base64'));
    }
    funcPowertoolsBase64Gzip(value) {
        const encoded = fromBase64(value, 'base64');
        const uncompressed = (0,external_node_zlib_.gunzipSync)(encoded);
        return uncompressed.toString();
    }
    funcPowertoolsJson(value) {
        return JSON.parse(value);
    }
}
__decorate([
    Functions/* Functions */.a.signature({
        argumentsSpecs: [['string']],
    })
], PowertoolsFunctions.prototype, "funcPowertoolsBase64", null);
__decorate([
    Functions/* Functions */.a.signature({
        argumentsSpecs: [['string']],
    })
], PowertoolsFunctions.prototype, "funcPowertoolsBase64Gzip", null);
__decorate([
    Functions/* Functions */.a.signature({
        argumentsSpecs: [['string']],
    })
], PowertoolsFunctions.prototype, "funcPowertoolsJson", null);




/***/ })

};
