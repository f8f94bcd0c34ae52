export const id = 997;
export const ids = [997];
export const modules = {

/***/ 8997:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  ArityError: () => (/* reexport */ errors/* ArityError */.qU),
  EmptyExpressionError: () => (/* reexport */ errors/* EmptyExpressionError */.Ys),
  IncompleteExpressionError: () => (/* reexport */ errors/* IncompleteExpressionError */.rC),
  JMESPathError: () => (/* reexport */ errors/* JMESPathError */.vs),
  JMESPathTypeError: () => (/* reexport */ errors/* JMESPathTypeError */.RD),
  LexerError: () => (/* reexport */ errors/* LexerError */.r9),
  ParseError: () => (/* reexport */ errors/* ParseError */.mB),
  UnknownFunctionError: () => (/* reexport */ errors/* UnknownFunctionError */.Z8),
  VariadicArityError: () => (/* reexport */ errors/* VariadicArityError */.TP),
  search: () => (/* reexport */ search)
});

// EXTERNAL MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/errors.js
var errors = __webpack_require__(9977);
// EXTERNAL MODULE: external "node:crypto"
var external_node_crypto_ = __webpack_require__(7598);
;// CONCATENATED MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/ast.js
/**
 * AST node representing a comparator expression.
 *
 * A comparator expression is a binary expression that compares two values.
 *
 * @param name - The name of the comparator
 * @param first - The left-hand side of the comparator
 * @param second - The right-hand side of the comparator
 */
const comparator = (name, first, second) => ({
    type: 'comparator',
    children: [first, second],
    value: name,
});
/**
 * AST node representing the current node.
 *
 * The current node is a reference to the current value being processed.
 * In JMESPath, the current node is represented by the `@` symbol.
 */
const currentNode = () => ({
    type: 'current',
    children: [],
});
/**
 * AST node representing an expression reference.
 *
 * An expression reference is a reference to another expression.
 * In JMESPath, an expression reference is represented by the `&` symbol.
 *
 * @param expression - The expression to reference
 */
const expref = (expression) => ({
    type: 'expref',
    children: [expression],
});
/**
 * AST node representing a function expression.
 *
 * A function expression is a reference to a function and its arguments.
 * The JMESPath specification defines a set of built-in functions that can
 * be used in expressions like `length(@)`, `map(@, &foo)`, etc.
 *
 * Custom functions can be added by extending the `Functions` class.
 *
 * @param name - The name of the function
 * @param args - The arguments to the function
 */
const functionExpression = (name, args) => ({
    type: 'function_expression',
    children: args,
    value: name,
});
/**
 * AST node representing a field reference.
 *
 * A field reference is a reference to a field in an object.
 *
 * @param name - The name of the field
 */
const field = (name) => ({
    type: 'field',
    children: [],
    value: name,
});
/**
 * AST node representing a filter projection.
 *
 * A filter projection is a binary expression that filters the left-hand side
 * based on the right-hand side.
 *
 * In JMESPath, a filter projection is represented by the `[]` operator.
 * For example, `people[?age > 18]` filters the `people` array based on the
 * `age` field.
 *
 * @param left - The left-hand side of the filter projection
 * @param right - The right-hand side of the filter projection
 * @param comparator - The comparator to use for the filter
 */
const filterProjection = (left, right, comparator) => ({
    type: 'filter_projection',
    children: [left, right, comparator],
});
/**
 * AST node representing a flatten expression.
 *
 * A flatten expression is a unary expression that flattens an array of arrays
 * into a single array.
 *
 * In JMESPath, a flatten expression is represented by the `[]` operator.
 * For example, `people[].name` flattens the `people` array and returns the
 * `name` field of each object in the array.
 *
 * @param node - The node to flatten
 */
const flatten = (node) => ({
    type: 'flatten',
    children: [node],
});
/**
 * AST node representing an identity expression.
 */
const identity = () => ({ type: 'identity', children: [] });
/**
 * AST node representing an index reference.
 *
 * An index reference is a reference to an index in an array.
 * For example, `people[0]` references the first element in the `people` array.
 *
 * @param index - The index to reference
 */
const index = (index) => ({
    type: 'index',
    value: index,
    children: [],
});
/**
 * AST node representing an index expression.
 *
 * An index expression holds the index and the children of the expression.
 *
 * @param children - The children of the index expression
 */
const indexExpression = (children) => ({
    type: 'index_expression',
    children: children,
});
/**
 * AST node representing a key-value pair.
 *
 * @param keyName - The name of the key
 * @param node - The value of the key
 */
const keyValPair = (keyName, node) => ({
    type: 'key_val_pair',
    children: [node],
    value: keyName,
});
/**
 * AST node representing a literal value.
 *
 * A literal value is a value that is not a reference to another node.
 *
 * @param literalValue - The value of the literal
 */
const literal = (literalValue) => ({
    type: 'literal',
    value: literalValue,
    children: [],
});
/**
 * AST node representing a multi-select object.
 *
 * A multi-select object is a reference to multiple nodes in an object.
 *
 * @param nodes - The nodes to select
 */
const multiSelectObject = (nodes) => ({
    type: 'multi_select_object',
    children: nodes,
});
/**
 * AST node representing a multi-select list.
 *
 * @param nodes - The nodes to select
 */
const multiSelectList = (nodes) => ({
    type: 'multi_select_list',
    children: nodes,
});
/**
 * AST node representing an or expression.
 *
 * @param left - The left-hand side of the or expression
 * @param right - The right-hand side of the or expression
 */
const orExpression = (left, right) => ({
    type: 'or_expression',
    children: [left, right],
});
/**
 * AST node representing an and expression.
 *
 * @param left - The left-hand side of the and expression
 * @param right - The right-hand side of the and expression
 */
const andExpression = (left, right) => ({
    type: 'and_expression',
    children: [left, right],
});
/**
 * AST node representing a not expression.
 *
 * @param left - The left-hand side of the not expression
 * @param right - The right-hand side of the not expression
 */
const notExpression = (expr) => ({
    type: 'not_expression',
    children: [expr],
});
/**
 * AST node representing a pipe expression.
 *
 * @param left - The left-hand side of the pipe expression
 * @param right - The right-hand side of the pipe expression
 */
const pipe = (left, right) => ({
    type: 'pipe',
    children: [left, right],
});
/**
 * AST node representing a projection.
 *
 * @param left - The left-hand side of the projection
 * @param right - The right-hand side of the projection
 */
const projection = (left, right) => ({
    type: 'projection',
    children: [left, right],
});
/**
 * AST node representing a subexpression.
 *
 * @param children - The children of the subexpression
 */
const subexpression = (children) => ({
    type: 'subexpression',
    children: children,
});
/**
 * AST node representing a slice.
 *
 * A slice is a reference to a range of values in an array.
 *
 * @param start - The start of the slice
 * @param end - The end of the slice
 * @param step - The step of the slice
 */
const slice = (start, end, step) => ({
    type: 'slice',
    children: [start, end, step],
});
/**
 * AST node representing a value projection.
 *
 * @param left - The left-hand side of the value projection
 * @param right - The right-hand side of the value projection
 */
const valueProjection = (left, right) => ({
    type: 'value_projection',
    children: [left, right],
});


;// CONCATENATED MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/constants.js
/**
 * The binding powers for the various tokens in the JMESPath grammar.
 *
 * The binding powers are used to determine the order of operations for
 * the parser. The higher the binding power, the more tightly the token
 * binds to its arguments.
 */
const BINDING_POWER = {
    eof: 0,
    unquoted_identifier: 0,
    quoted_identifier: 0,
    literal: 0,
    rbracket: 0,
    rparen: 0,
    comma: 0,
    rbrace: 0,
    number: 0,
    current: 0,
    expref: 0,
    colon: 0,
    pipe: 1,
    or: 2,
    and: 3,
    eq: 5,
    gt: 5,
    lt: 5,
    gte: 5,
    lte: 5,
    ne: 5,
    flatten: 9,
    // Everything above stops a projection.
    star: 20,
    filter: 21,
    dot: 40,
    not: 45,
    lbrace: 50,
    lbracket: 55,
    lparen: 60,
};
/**
 * The set of ASCII lowercase letters allowed in JMESPath identifiers.
 */
const ASCII_LOWERCASE = 'abcdefghijklmnopqrstuvwxyz';
/**
 * The set of ASCII uppercase letters allowed in JMESPath identifiers.
 */
const ASCII_UPPERCASE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
/**
 * The set of ASCII letters allowed in JMESPath identifiers.
 */
const ASCII_LETTERS = ASCII_LOWERCASE + ASCII_UPPERCASE;
/**
 * The set of ASCII digits allowed in JMESPath identifiers.
 */
const DIGITS = '0123456789';
/**
 * The set of ASCII letters and digits allowed in JMESPath identifiers.
 */
const START_IDENTIFIER = new Set(`${ASCII_LETTERS}_`);
/**
 * The set of ASCII letters and digits allowed in JMESPath identifiers.
 */
const VALID_IDENTIFIER = new Set(`${ASCII_LETTERS}${DIGITS}_`);
/**
 * The set of ASCII digits allowed in JMESPath identifiers.
 */
const VALID_NUMBER = new Set(DIGITS);
/**
 * The set of ASCII whitespace characters allowed in JMESPath identifiers.
 */
const WHITESPACE = new Set(' \t\n\r');
/**
 * The set of simple tokens in the JMESPath grammar.
 */
const SIMPLE_TOKENS = new Map([
    ['.', 'dot'],
    ['*', 'star'],
    [':', 'colon'],
    [']', 'rbracket'],
    [',', 'comma'],
    [':', 'colon'],
    ['@', 'current'],
    ['(', 'lparen'],
    [')', 'rparen'],
    ['{', 'lbrace'],
    ['}', 'rbrace'],
]);


;// CONCATENATED MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/Lexer.js


/**
 * A lexer for JMESPath expressions.
 *
 * This lexer tokenizes a JMESPath expression into a sequence of tokens.
 */
class Lexer {
    #position;
    #expression;
    #chars;
    #current;
    #length;
    /**
     * Tokenize a JMESPath expression.
     *
     * This method is a generator that yields tokens for the given expression.
     *
     * @param expression The JMESPath expression to tokenize.
     */
    *tokenize(expression) {
        this.#initializeForExpression(expression);
        while (this.#current !== '' && this.#current !== undefined) {
            if (SIMPLE_TOKENS.has(this.#current)) {
                yield {
                    // biome-ignore lint/style/noNonNullAssertion: We know that SIMPLE_TOKENS has this.#current as a key because we checked for that above.
                    type: SIMPLE_TOKENS.get(this.#current),
                    value: this.#current,
                    start: this.#position,
                    end: this.#position + 1,
                };
                this.#next();
            }
            else if (START_IDENTIFIER.has(this.#current)) {
                yield this.#consumeIdentifier();
            }
            else if (WHITESPACE.has(this.#current)) {
                this.#next();
            }
            else if (this.#current === '[') {
                yield this.#consumeSquareBracket();
            }
            else if (this.#current === `'`) {
                yield this.#consumeRawStringLiteral();
            }
            else if (this.#current === '`') {
                yield this.#consumeLiteral();
            }
            else if (VALID_NUMBER.has(this.#current)) {
                const start = this.#position;
                const buff = this.#consumeNumber();
                yield {
                    type: 'number',
                    value: Number.parseInt(buff, 10),
                    start: start,
                    end: start + buff.length,
                };
            }
            else if (this.#current === '-') {
                yield this.#consumeNegativeNumber();
            }
            else if (this.#current === '"') {
                yield this.#consumeQuotedIdentifier();
            }
            else if (['<', '>', '!', '=', '|', '&'].includes(this.#current)) {
                yield this.#consumeComparatorSigns(this.#current);
            }
            else {
                throw new errors/* LexerError */.r9(this.#position, this.#current);
            }
        }
        yield { type: 'eof', value: '', start: this.#length, end: this.#length };
    }
    /**
     * Consume a comparator sign.
     *
     * This method is called when the lexer encounters a comparator sign.
     *
     * @param current The current character
     */
    #consumeComparatorSigns = (current) => {
        switch (current) {
            case '<':
                return this.#matchOrElse('=', 'lte', 'lt');
            case '>':
                return this.#matchOrElse('=', 'gte', 'gt');
            case '!':
                return this.#matchOrElse('=', 'ne', 'not');
            case '|':
                return this.#matchOrElse('|', 'or', 'pipe');
            case '&':
                return this.#matchOrElse('&', 'and', 'expref');
            default:
                return this.#consumeEqualSign();
        }
    };
    /**
     * Consume an equal sign.
     *
     * This method is called when the lexer encounters an equal sign.
     * It checks if the next character is also an equal sign and returns
     * the corresponding token.
     */
    #consumeEqualSign() {
        if (this.#next() === '=') {
            this.#next();
            return {
                type: 'eq',
                value: '==',
                start: this.#position - 1,
                end: this.#position,
            };
        }
        throw new errors/* LexerError */.r9(this.#position - 1, '=');
    }
    /**
     * Consume an unquoted identifier.
     *
     * This method is called when the lexer encounters a character that is a valid
     * identifier. It advances the lexer until it finds a character that is not a
     * valid identifier and returns the corresponding token.
     */
    #consumeIdentifier() {
        const start = this.#position;
        let buff = this.#current;
        while (VALID_IDENTIFIER.has(this.#next())) {
            buff += this.#current;
        }
        return {
            type: 'unquoted_identifier',
            value: buff,
            start,
            end: start + buff.length,
        };
    }
    /**
     * Consume a negative number.
     *
     * This method is called when the lexer encounters a negative sign.
     * It checks if the next character is a number and returns the corresponding token.
     */
    #consumeNegativeNumber() {
        const start = this.#position;
        const buff = this.#consumeNumber();
        if (buff.length > 1) {
            return {
                type: 'number',
                value: Number.parseInt(buff, 10),
                start: start,
                end: start + buff.length,
            };
        }
        // If the negative sign is not followed by a number, it is an error.
        throw new errors/* LexerError */.r9(start, 'Unknown token after "-"');
    }
    /**
     * Consume a raw string that is a number.
     *
     * It takes the current position and advances
     * the lexer until it finds a character that
     * is not a number.
     */
    #consumeNumber() {
        let buff = this.#current;
        while (VALID_NUMBER.has(this.#next())) {
            buff += this.#current;
        }
        return buff;
    }
    /**
     * Consume a square bracket.
     *
     * This method is called when the lexer encounters a square bracket.
     * It checks if the next character is a question mark or a closing
     * square bracket and returns the corresponding token.
     */
    #consumeSquareBracket() {
        const start = this.#position;
        const nextChar = this.#next();
        if (nextChar === ']') {
            this.#next();
            return { type: 'flatten', value: '[]', start: start, end: start + 2 };
        }
        if (nextChar === '?') {
            this.#next();
            return { type: 'filter', value: '[?', start: start, end: start + 2 };
        }
        return { type: 'lbracket', value: '[', start: start, end: start + 1 };
    }
    /**
     * Initializes the lexer for the given expression.
     *
     * We use a separate method for this instead of the constructor
     * because we want to be able to reuse the same lexer instance
     * and also because we want to be able to expose a public API
     * for tokenizing expressions like `new Lexer().tokenize(expression)`.
     *
     * @param expression The JMESPath expression to tokenize.
     */
    #initializeForExpression(expression) {
        if (typeof expression !== 'string') {
            throw new errors/* EmptyExpressionError */.Ys();
        }
        this.#position = 0;
        this.#expression = expression;
        this.#chars = Array.from(expression);
        this.#current = this.#chars[0];
        this.#length = this.#expression.length;
    }
    /**
     * Advance the lexer to the next character in the expression.
     */
    #next() {
        if (this.#position === this.#length - 1) {
            this.#current = '';
        }
        else {
            this.#position += 1;
            this.#current = this.#chars[this.#position];
        }
        return this.#current;
    }
    /**
     * Consume until the given delimiter is reached allowing
     * for escaping of the delimiter with a backslash (`\`).
     *
     * @param delimiter The delimiter to consume until.
     */
    #consumeUntil(delimiter) {
        const start = this.#position;
        let buff = '';
        this.#next();
        while (this.#current !== delimiter) {
            if (this.#current === '\\') {
                buff += '\\';
                this.#next();
            }
            if (this.#current === '') {
                // We've reached the end of the expression (EOF) before
                // we found the delimiter. This is an error.
                throw new errors/* LexerError */.r9(start, this.#expression.substring(start));
            }
            buff += this.#current;
            this.#next();
        }
        // Skip the closing delimiter
        this.#next();
        return buff;
    }
    /**
     * Process a literal.
     *
     * A literal is a JSON string that is enclosed in backticks.
     */
    #consumeLiteral() {
        const start = this.#position;
        const lexeme = this.#consumeUntil('`').replace('\\`', '`');
        try {
            const parsedJson = JSON.parse(lexeme);
            return {
                type: 'literal',
                value: parsedJson,
                start,
                end: this.#position - start,
            };
        }
        catch {
            throw new errors/* LexerError */.r9(start, lexeme);
        }
    }
    /**
     * Process a quoted identifier.
     *
     * A quoted identifier is a string that is enclosed in double quotes.
     */
    #consumeQuotedIdentifier() {
        const start = this.#position;
        const lexeme = `"${this.#consumeUntil('"')}"`;
        const tokenLen = this.#position - start;
        return {
            type: 'quoted_identifier',
            value: JSON.parse(lexeme),
            start,
            end: tokenLen,
        };
    }
    /**
     * Process a raw string literal.
     *
     * A raw string literal is a string that is enclosed in single quotes.
     */
    #consumeRawStringLiteral() {
        const start = this.#position;
        const lexeme = this.#consumeUntil(`'`).replace(`\\'`, `'`);
        const tokenLen = this.#position - start;
        return {
            type: 'literal',
            value: lexeme,
            start,
            end: tokenLen,
        };
    }
    /**
     * Match the expected character and return the corresponding token type.
     *
     * @param expected The expected character
     * @param matchType The token type to return if the expected character is found
     * @param elseType  The token type to return if the expected character is not found
     */
    #matchOrElse(expected, matchType, elseType) {
        const start = this.#position;
        const current = this.#current;
        const nextChar = this.#next();
        if (nextChar === expected) {
            this.#next();
            return {
                type: matchType,
                value: current + nextChar,
                start,
                end: start + 2,
            };
        }
        return {
            type: elseType,
            value: current,
            start,
            end: start,
        };
    }
}


// EXTERNAL MODULE: ./node_modules/@aws-lambda-powertools/commons/lib/esm/typeUtils.js
var typeUtils = __webpack_require__(9193);
// EXTERNAL MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/Expression.js
var Expression = __webpack_require__(1368);
// EXTERNAL MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/Functions.js
var Functions = __webpack_require__(1657);
// EXTERNAL MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/utils.js
var utils = __webpack_require__(8993);
;// CONCATENATED MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/TreeInterpreter.js





/**
 *
 * A tree interpreter for JMESPath ASTs.
 *
 * The tree interpreter is responsible for visiting nodes in the AST and
 * evaluating them to produce a result.
 *
 * @internal
 */
class TreeInterpreter {
    #functions;
    /**
     * @param options The options to use for the interpreter.
     */
    constructor(options) {
        if (options?.customFunctions) {
            this.#functions = options.customFunctions;
        }
        else {
            this.#functions = new Functions/* Functions */.a();
        }
        this.#functions.introspectMethods();
    }
    /**
     * Visit a node in the AST.
     *
     * The function will call the appropriate method to visit the node based on its type.
     *
     * @param node The node to visit.
     * @param value The current value to visit.
     */
    visit(node, value) {
        const nodeType = node.type;
        const visitMethods = {
            subexpression: this.#visitSubexpressionOrIndexExpressionOrPipe,
            field: this.#visitField,
            comparator: this.#visitComparator,
            current: this.#visitCurrent,
            expref: this.#visitExpref,
            function_expression: this.#visitFunctionExpression,
            filter_projection: this.#visitFilterProjection,
            flatten: this.#visitFlatten,
            identity: this.#visitIdentity,
            index: this.#visitIndex,
            index_expression: this.#visitSubexpressionOrIndexExpressionOrPipe,
            slice: this.#visitSlice,
            key_val_pair: this.#visitKeyValPair,
            literal: this.#visitLiteral,
            multi_select_object: this.#visitMultiSelectObject,
            multi_select_list: this.#visitMultiSelectList,
            or_expression: this.#visitOrExpression,
            and_expression: this.#visitAndExpression,
            not_expression: this.#visitNotExpression,
            pipe: this.#visitSubexpressionOrIndexExpressionOrPipe,
            projection: this.#visitProjection,
            value_projection: this.#visitValueProjection,
        };
        const visitMethod = visitMethods[nodeType];
        if (visitMethod) {
            return visitMethod.call(this, node, value);
        }
        throw new errors/* JMESPathError */.vs(`Not Implemented: Invalid node type: ${node.type}`);
    }
    /**
     * Visit a subexpression, index expression, or pipe node.
     *
     * This method is shared between subexpression, index expression, and pipe
     * since they all behave the same way in the context of an expression.
     *
     * They all visit their children and return the result of the last child.
     *
     * @param node The node to visit.
     * @param value The current value to visit.
     */
    #visitSubexpressionOrIndexExpressionOrPipe(node, value) {
        let result = value;
        for (const child of node.children) {
            result = this.visit(child, result);
        }
        return result;
    }
    /**
     * Visit a field node.
     *
     * @param node The field node to visit.
     * @param value The current value to visit.
     */
    #visitField(node, value) {
        if (!node.value)
            return null;
        if ((0,typeUtils/* isRecord */.u4)(value) &&
            typeof node.value === 'string' &&
            node.value in value) {
            return value[node.value];
        }
        return null;
    }
    /**
     * Visit a comparator node.
     *
     * @param node The comparator node to visit.
     * @param value The current value to visit.
     */
    #visitComparator(node, value) {
        const comparator = node.value;
        const left = this.visit(node.children[0], value);
        const right = this.visit(node.children[1], value);
        if (typeof comparator === 'string' &&
            ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'].includes(comparator)) {
            // Common cases: comparator is == or !=
            if (comparator === 'eq') {
                return (0,typeUtils/* isStrictEqual */.qU)(left, right);
            }
            if (comparator === 'ne') {
                return !(0,typeUtils/* isStrictEqual */.qU)(left, right);
            }
            /* v8 ignore else -- @preserve */
            if (typeof left === 'number' && typeof right === 'number') {
                // Ordering operators only work on numbers. Evaluating them on other
                // types will return null.
                if (comparator === 'lt') {
                    return left < right;
                }
                if (comparator === 'lte') {
                    return left <= right;
                }
                if (comparator === 'gt') {
                    return left > right;
                }
                return left >= right;
            }
        }
        else {
            throw new errors/* JMESPathError */.vs(`Invalid comparator: ${comparator}`);
        }
    }
    /**
     * Visit a current node.
     *
     * @param node The current node to visit.
     * @param value The current value to visit.
     */
    #visitCurrent(_node, value) {
        return value;
    }
    /**
     * Visit an expref node.
     *
     * @param node The expref node to visit.
     * @param value The current value to visit.
     */
    #visitExpref(node, _value) {
        return new Expression/* Expression */.r(node.children[0], this);
    }
    /**
     * Visit a function expression node.
     *
     * @param node The function expression node to visit.
     * @param value The current value to visit.
     */
    #visitFunctionExpression(node, value) {
        const args = [];
        for (const child of node.children) {
            args.push(this.visit(child, value));
        }
        // check that method name is a string
        if (typeof node.value !== 'string') {
            throw new errors/* JMESPathError */.vs(`Function name must be a string, got ${node.value}`);
        }
        // convert snake_case to camelCase
        const normalizedFunctionName = node.value.replace(/_([a-z])/g, (g) => g[1].toUpperCase());
        // capitalize first letter & add `func` prefix
        const funcName = `func${normalizedFunctionName.charAt(0).toUpperCase() +
            normalizedFunctionName.slice(1)}`;
        if (!this.#functions.methods.has(funcName)) {
            throw new errors/* UnknownFunctionError */.Z8(node.value);
        }
        try {
            // We know that methodName is a key of this.#functions, but TypeScript
            // doesn't know that, so we suppress the issue to tell it that it's
            // okay. We could use a type assertion like `as keyof Functions`, but
            // we also want to keep the args generic, so for now we'll just ignore it.
            // @ts-expect-error
            return this.#functions[funcName](args);
        }
        catch (error) {
            /* v8 ignore else -- @preserve */
            if (error instanceof errors/* JMESPathTypeError */.RD ||
                error instanceof errors/* VariadicArityError */.TP ||
                error instanceof errors/* ArityError */.qU) {
                error.setEvaluatedFunctionName(node.value);
                throw error;
            }
        }
    }
    /**
     * Visit a filter projection node.
     *
     * @param node The filter projection node to visit.
     * @param value The current value to visit.
     */
    #visitFilterProjection(node, value) {
        const base = this.visit(node.children[0], value);
        if (!Array.isArray(base)) {
            return null;
        }
        const comparatorNode = node.children[2];
        const collected = [];
        for (const item of base) {
            if ((0,utils/* isTruthy */.zz)(this.visit(comparatorNode, item))) {
                const current = this.visit(node.children[1], item);
                if (current !== null) {
                    collected.push(current);
                }
            }
        }
        return collected;
    }
    /**
     * Visit a flatten node.
     *
     * @param node The flatten node to visit.
     * @param value The current value to visit.
     */
    #visitFlatten(node, value) {
        const base = this.visit(node.children[0], value);
        if (!Array.isArray(base)) {
            return null;
        }
        const mergedList = [];
        for (const item of base) {
            if (Array.isArray(item)) {
                mergedList.push(...item);
            }
            else {
                mergedList.push(item);
            }
        }
        return mergedList;
    }
    /**
     * Visit an identity node.
     *
     * @param node The identity node to visit.
     * @param value The current value to visit.
     */
    #visitIdentity(_node, value) {
        return value;
    }
    /**
     * Visit an index node.
     *
     * @param node The index node to visit.
     * @param value The current value to visit.
     */
    #visitIndex(node, value) {
        if (!Array.isArray(value)) {
            return null;
        }
        // The Python implementation doesn't support string indexing
        // even though we could, so we won't either for now.
        if (typeof node.value !== 'number') {
            throw new errors/* JMESPathError */.vs(`Invalid index: ${node.value}`);
        }
        const index = node.value < 0 ? value.length + node.value : node.value;
        const found = value[index];
        if (found === undefined) {
            return null;
        }
        return found;
    }
    /**
     * Visit a slice node.
     *
     * @param node The slice node to visit.
     * @param value The current value to visit.
     */
    #visitSlice(node, value) {
        const step = (0,typeUtils/* isIntegerNumber */.w$)(node.children[2]) ? node.children[2] : 1;
        if (step === 0) {
            throw new Error('Invalid slice, step cannot be 0');
        }
        if (!Array.isArray(value)) {
            return null;
        }
        if (value.length === 0) {
            return [];
        }
        return (0,utils/* sliceArray */.iH)({
            array: value,
            start: node.children[0],
            end: node.children[1],
            step,
        });
    }
    /**
     * Visit a key-value pair node.
     *
     * @param node The key-value pair node to visit.
     * @param value The current value to visit.
     */
    #visitKeyValPair(node, value) {
        return this.visit(node.children[0], value);
    }
    /**
     * Visit a literal node.
     *
     * @param node The literal node to visit.
     * @param value The current value to visit.
     */
    #visitLiteral(node, _value) {
        return node.value;
    }
    /**
     * Visit a multi-select object node.
     *
     * @param node The multi-select object node to visit.
     * @param value The current value to visit.
     */
    #visitMultiSelectObject(node, value) {
        if (Object.is(value, null)) {
            return null;
        }
        const collected = {};
        for (const child of node.children) {
            /* v8 ignore else -- @preserve */
            if (typeof child.value === 'string') {
                collected[child.value] = this.visit(child, value);
            }
        }
        return collected;
    }
    /**
     * Visit a multi-select list node.
     *
     * @param node The multi-select list node to visit.
     * @param value The current value to visit.
     */
    #visitMultiSelectList(node, value) {
        if (Object.is(value, null)) {
            return null;
        }
        const collected = [];
        for (const child of node.children) {
            collected.push(this.visit(child, value));
        }
        return collected;
    }
    /**
     * Visit an or expression node.
     *
     * @param node The or expression node to visit.
     * @param value The current value to visit.
     */
    #visitOrExpression(node, value) {
        const matched = this.visit(node.children[0], value);
        if (!(0,utils/* isTruthy */.zz)(matched)) {
            return this.visit(node.children[1], value);
        }
        return matched;
    }
    /**
     * Visit an and expression node.
     *
     * @param node The and expression node to visit.
     * @param value The current value to visit.
     */
    #visitAndExpression(node, value) {
        const matched = this.visit(node.children[0], value);
        if (!(0,utils/* isTruthy */.zz)(matched)) {
            return matched;
        }
        return this.visit(node.children[1], value);
    }
    /**
     * Visit a not expression node.
     *
     * @param node The not expression node to visit.
     * @param value The current value to visit.
     */
    #visitNotExpression(node, value) {
        const originalResult = this.visit(node.children[0], value);
        if (typeof originalResult === 'number' && originalResult === 0) {
            // Special case for 0, !0 should be false, not true.
            // 0 is not a special cased integer in jmespath.
            return false;
        }
        return !(0,utils/* isTruthy */.zz)(originalResult);
    }
    /**
     * Visit a projection node.
     *
     * @param node The projection node to visit.
     * @param value The current value to visit.
     */
    #visitProjection(node, value) {
        const base = this.visit(node.children[0], value);
        if (!Array.isArray(base)) {
            return null;
        }
        const collected = [];
        for (const item of base) {
            const current = this.visit(node.children[1], item);
            if (current !== null) {
                collected.push(current);
            }
        }
        return collected;
    }
    /**
     * Visit a value projection node.
     *
     * @param node The value projection node to visit.
     * @param value The current value to visit.
     */
    #visitValueProjection(node, value) {
        const base = this.visit(node.children[0], value);
        if (!(0,typeUtils/* isRecord */.u4)(base)) {
            return null;
        }
        const values = Object.values(base);
        const collected = [];
        for (const item of values) {
            const current = this.visit(node.children[1], item);
            if (current !== null) {
                collected.push(current);
            }
        }
        return collected;
    }
}


;// CONCATENATED MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/ParsedResult.js


class ParsedResult {
    expression;
    parsed;
    constructor(expression, parsed) {
        this.expression = expression;
        this.parsed = parsed;
    }
    /**
     * Perform a JMESPath search on a JSON value.
     *
     * @param value - The JSON value to search
     * @param options - The parsing options to use
     */
    search(value, options) {
        const interpreter = new TreeInterpreter(options);
        try {
            return interpreter.visit(this.parsed, value);
        }
        catch (error) {
            if (error instanceof errors/* JMESPathTypeError */.RD ||
                error instanceof errors/* UnknownFunctionError */.Z8 ||
                error instanceof errors/* ArityError */.qU ||
                error instanceof errors/* VariadicArityError */.TP) {
                error.setExpression(this.expression);
            }
            throw error;
        }
    }
}


;// CONCATENATED MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/Parser.js






/**
 * Top down operator precedence parser for JMESPath.
 *
 * The implementation of this Parser is based on the implementation of
 * [jmespath.py](https://github.com/jmespath/jmespath.py/), which in turn
 * is based on [Vaughan R. Pratt's "Top Down Operator Precedence"](http://dl.acm.org/citation.cfm?doid=512927.512931).
 *
 * If you don't want to read the full paper, there are some other good
 * overviews that explain the general idea:
 * - [Pratt Parsers: Expression Parsing Made Easy](https://journal.stuffwithstuff.com/2011/03/19/pratt-parsers-expression-parsing-made-easy/)
 * - [Simple Top-Down Parsing in Python](https://11l-lang.org/archive/simple-top-down-parsing/)
 * - [Top Down Operator Precedence](http://javascript.crockford.com/tdop/tdop.html)
 */
class Parser {
    /**
     * The maximum binding power for a token
     * that can stop a projection.
     */
    #projectionStop = 10;
    /**
     * Cache object
     */
    #cache = {};
    /**
     * The maximum size of the cache.
     */
    #maxCacheSize = 128;
    #tokenizer;
    #tokens;
    #index = 0;
    constructor(lookahead = 2) {
        this.#tokens = Array.from({ length: lookahead });
    }
    /**
     * Parse a JMESPath expression and return the Abstract Syntax Tree (AST)
     * that represents the expression.
     *
     * The AST is cached, so if you parse the same expression multiple times,
     * the AST will be returned from the cache.
     *
     * @param expression - The JMESPath expression to parse.
     */
    parse(expression) {
        const cached = this.#cache[expression];
        if (cached) {
            return cached;
        }
        const parsedResult = this.#doParse(expression);
        this.#cache[expression] = parsedResult;
        if (Object.keys(this.#cache).length > this.#maxCacheSize) {
            this.#evictCache();
        }
        return parsedResult;
    }
    /**
     * Purge the entire cache.
     */
    purgeCache() {
        this.#cache = {};
    }
    /**
     * Do the actual parsing of the expression.
     *
     * @param expression - The JMESPath expression to parse.
     */
    #doParse(expression) {
        try {
            return this.#parse(expression);
        }
        catch (error) {
            if (error instanceof errors/* LexerError */.r9 ||
                error instanceof errors/* IncompleteExpressionError */.rC ||
                error instanceof errors/* ParseError */.mB) {
                error.setExpression(expression);
                throw error;
            }
            throw error;
        }
    }
    /**
     * Parse a JMESPath expression and return the parsed result.
     */
    #parse(expression) {
        this.#tokenizer = new Lexer();
        this.#tokens = [...this.#tokenizer.tokenize(expression)];
        this.#index = 0;
        const parsed = this.#expression(0);
        if (this.#currentToken() !== 'eof') {
            this.#throwParseError();
        }
        return new ParsedResult(expression, parsed);
    }
    /**
     * Process an expression.
     */
    #expression(bindingPower = 0) {
        const leftToken = this.#lookaheadToken(0);
        this.#advance();
        let left = this.#getNudFunction(leftToken);
        let currentToken = this.#currentToken();
        while (bindingPower < BINDING_POWER[currentToken]) {
            this.#advance();
            left = this.#getLedFunction(currentToken, left);
            currentToken = this.#currentToken();
        }
        return left;
    }
    /**
     * Get the nud function for a token. This is the function that
     * is called when a token is found at the beginning of an expression.
     *
     * @param tokenType - The type of token to get the nud function for.
     */
    #getNudFunction(token) {
        const { type: tokenType } = token;
        switch (tokenType) {
            case 'literal':
                return literal(token.value);
            case 'unquoted_identifier':
                return field(token.value);
            case 'quoted_identifier':
                return this.#processQuotedIdentifier(token);
            case 'star':
                return this.#processStarToken();
            case 'filter':
                return this.#getLedFunction(tokenType, identity());
            case 'lbrace':
                return this.#parseMultiSelectHash();
            case 'lparen':
                return this.#processLParenTokenNud();
            case 'flatten':
                return this.#processFlattenTokenNud();
            case 'not':
                return notExpression(this.#expression(BINDING_POWER.not));
            case 'lbracket':
                return this.#processLBracketTokenNud();
            case 'current':
                return currentNode();
            case 'expref':
                return expref(this.#expression(BINDING_POWER.expref));
            default:
                return this.#processDefaultToken(token);
        }
    }
    /**
     * Process a quoted identifier.
     *
     * A quoted identifier is a string that is enclosed in double quotes.
     *
     * @example s."foo"
     *
     * @param token - The token to process
     */
    #processQuotedIdentifier(token) {
        const fieldValue = field(token.value);
        if (this.#currentToken() === 'lparen') {
            this.#throwParseError({
                lexPosition: 0,
                reason: 'quoted identifiers cannot be used as a function name',
            });
        }
        return fieldValue;
    }
    /**
     * Process a star token.
     *
     * A star token is a syntax that allows you to project all the
     * elements in a list or dictionary.
     *
     * @example foo[*]
     */
    #processStarToken() {
        const left = identity();
        let right;
        if (this.#currentToken() === 'rbracket') {
            right = identity();
        }
        else {
            right = this.#parseProjectionRhs(BINDING_POWER.star);
        }
        return valueProjection(left, right);
    }
    /**
     * Process a left parenthesis token.
     *
     * A left parenthesis token is a syntax that allows you to group
     * expressions together.
     *
     * @example (foo.bar)
     */
    #processLParenTokenNud() {
        const expression = this.#expression();
        this.#match('rparen');
        return expression;
    }
    /**
     * Process a flatten token.
     *
     * A flatten token is a syntax that allows you to flatten the
     * results of a subexpression.
     *
     * @example foo[].bar
     */
    #processFlattenTokenNud() {
        const left = flatten(identity());
        const right = this.#parseProjectionRhs(BINDING_POWER.flatten);
        return projection(left, right);
    }
    /**
     * Process a left bracket token.
     *
     * A left bracket token is a syntax that allows you to access
     * elements in a list or dictionary.
     *
     * @example foo[0]
     */
    #processLBracketTokenNud() {
        if (['number', 'colon'].includes(this.#currentToken())) {
            const right = this.#parseIndexExpression();
            return this.#projectIfSlice(identity(), right);
        }
        if (this.#currentToken() === 'star' && this.#lookahead(1) === 'rbracket') {
            this.#advance();
            this.#advance();
            const right = this.#parseProjectionRhs(BINDING_POWER.star);
            return projection(identity(), right);
        }
        return this.#parseMultiSelectList();
    }
    /**
     * Process a default token.
     *
     * A default token is a syntax that allows you to access
     * elements in a list or dictionary.
     *
     * @param token - The token to process
     */
    #processDefaultToken(token) {
        if (token.type === 'eof') {
            throw new errors/* IncompleteExpressionError */.rC({
                lexPosition: token.start,
                tokenValue: token.value,
                tokenType: token.type,
            });
        }
        throw new errors/* ParseError */.mB({
            lexPosition: token.start,
            tokenValue: token.value,
            tokenType: token.type,
        });
    }
    /**
     * Get the led function for a token. This is the function that
     * is called when a token is found in the middle of an expression.
     *
     * @param tokenType - The type of token to get the led function for.
     * @param leftNode - The left hand side of the expression.
     */
    #getLedFunction(tokenType, leftNode) {
        switch (tokenType) {
            case 'dot':
                return this.#processDotToken(leftNode);
            case 'pipe':
                return this.#processPipeToken(leftNode);
            case 'or':
                return this.#processOrToken(leftNode);
            case 'and':
                return this.#processAndToken(leftNode);
            case 'lparen':
                return this.#processLParenToken(leftNode);
            case 'filter':
                return this.#processFilterToken(leftNode);
            case 'eq':
            case 'ne':
            case 'gt':
            case 'gte':
            case 'lt':
            case 'lte':
                return this.#parseComparator(leftNode, tokenType);
            case 'flatten':
                return this.#processFlattenToken(leftNode);
            case 'lbracket':
                return this.#processLBracketToken(leftNode);
            default:
                return this.#throwParseError();
        }
    }
    /**
     * Process a dot token.
     *
     * A dot token is a syntax that allows you to access
     * fields in a dictionary or elements in a list.
     *
     * @example foo.bar
     *
     * @param leftNode - The left hand side of the expression.
     */
    #processDotToken(leftNode) {
        if (this.#currentToken() !== 'star') {
            const right = this.#parseDotRhs(BINDING_POWER.dot);
            if (leftNode.type === 'subexpression') {
                leftNode.children.push(right);
                return leftNode;
            }
            return subexpression([leftNode, right]);
        }
        // We are creating a value projection
        this.#advance();
        const right = this.#parseProjectionRhs(BINDING_POWER.dot);
        return valueProjection(leftNode, right);
    }
    /**
     * Process a pipe token.
     *
     * A pipe token is a syntax that allows you to combine two
     * expressions using the pipe operator.
     *
     * @example foo | bar
     *
     * @param leftNode - The left hand side of the expression.
     */
    #processPipeToken(leftNode) {
        const right = this.#expression(BINDING_POWER.pipe);
        return pipe(leftNode, right);
    }
    /**
     * Process an or token.
     *
     * An or token is a syntax that allows you to combine two
     * expressions using the logical or operator.
     *
     * @example foo || bar
     *
     * @param leftNode - The left hand side of the expression.
     */
    #processOrToken(leftNode) {
        const right = this.#expression(BINDING_POWER.or);
        return orExpression(leftNode, right);
    }
    /**
     * Process an and token.
     *
     * An and token is a syntax that allows you to combine two
     * expressions using the logical and operator.
     *
     * @example foo && bar
     *
     * @param leftNode - The left hand side of the expression.
     */
    #processAndToken(leftNode) {
        const right = this.#expression(BINDING_POWER.and);
        return andExpression(leftNode, right);
    }
    /**
     * Process a left parenthesis token.
     *
     * @param leftNode - The left hand side of the expression.
     */
    #processLParenToken(leftNode) {
        const name = leftNode.value;
        const args = [];
        while (this.#currentToken() !== 'rparen') {
            const expression = this.#expression();
            if (this.#currentToken() === 'comma') {
                this.#match('comma');
            }
            args.push(expression);
        }
        this.#match('rparen');
        return functionExpression(name, args);
    }
    /**
     * Process a filter token.
     *
     * @param leftNode - The left hand side of the expression.
     */
    #processFilterToken(leftNode) {
        // Filters are projections
        const condition = this.#expression(0);
        this.#match('rbracket');
        let right;
        if (this.#currentToken() === 'flatten') {
            right = identity();
        }
        else {
            right = this.#parseProjectionRhs(BINDING_POWER.flatten);
        }
        return filterProjection(leftNode, right, condition);
    }
    /**
     * Process a projection right hand side.
     *
     * @param leftNode - The left hand side of the expression.
     */
    #processFlattenToken(leftNode) {
        const left = flatten(leftNode);
        const right = this.#parseProjectionRhs(BINDING_POWER.flatten);
        return projection(left, right);
    }
    /**
     * Process a left bracket token.
     *
     * @param leftNode - The left hand side of the expression.
     */
    #processLBracketToken(leftNode) {
        const token = this.#lookaheadToken(0);
        if (['number', 'colon'].includes(token.type)) {
            const right = this.#parseIndexExpression();
            if (leftNode.type === 'index_expression') {
                // Optimization: if the left node is an index expression
                // we can avoid creating another node and instead just
                // add the right node as a child of the left node.
                leftNode.children.push(right);
                return leftNode;
            }
            return this.#projectIfSlice(leftNode, right);
        }
        // We have a projection
        this.#match('star');
        this.#match('rbracket');
        const right = this.#parseProjectionRhs(BINDING_POWER.star);
        return projection(leftNode, right);
    }
    /**
     * Throw a parse error.
     *
     * This type of error indicates that the parser encountered
     * a syntax error while processing the expression.
     *
     * The error includes the position in the expression where
     * the error occurred, the value of the token that caused
     * the error, the type of the token, and an optional reason.
     *
     * @param options - The options to use when throwing the error.
     */
    #throwParseError(options) {
        const token = this.#lookaheadToken(0);
        throw new errors/* ParseError */.mB({
            lexPosition: options?.lexPosition ?? token.start,
            tokenValue: options?.tokenValue ?? token.value,
            tokenType: options?.tokenType ?? token.type,
            reason: options?.reason,
        });
    }
    /**
     * Process an index expression.
     *
     * An index expression is a syntax that allows you to
     * access elements in a list or dictionary. For example
     * `foo[0]` accesses the first element in the list `foo`.
     */
    #parseIndexExpression() {
        // We're here:
        // [<current>
        //  ^
        //  | (currentToken)
        if (this.#lookahead(0) === 'colon' || this.#lookahead(1) === 'colon') {
            return this.#parseSliceExpression();
        }
        // Parse the syntax [number]
        const node = index(this.#lookaheadToken(0).value);
        this.#advance();
        this.#match('rbracket');
        return node;
    }
    /**
     * Process a slice expression.
     *
     * A slice expression is a syntax that allows you to
     * access a range of elements in a list. For example
     * `foo[0:10:2]` accesses every other element in the
     * list `foo` from index 0 to 10.
     *
     * In a slice expression, the first index represents the
     * start of the slice, the second index represents the
     * end of the slice, and the third index represents the
     * step.
     *
     * If the first index is omitted, it defaults to 0.
     * If the second index is omitted, it defaults to the
     * length of the list. If the third index is omitted, it
     * defaults to 1. If the last colon is omitted, it defaults
     * to a single index.
     */
    #parseSliceExpression() {
        // [start:end:step]
        // Where start, end, and step are optional.
        // The last colon is optional as well.
        const parts = [];
        let index = 0;
        let currentToken = this.#currentToken();
        while (currentToken !== 'rbracket' && index < 3) {
            if (currentToken === 'colon') {
                index += 1;
                if (index === 3) {
                    this.#throwParseError();
                }
                this.#advance();
            }
            else if (currentToken === 'number') {
                parts[index] = this.#lookaheadToken(0).value;
                this.#advance();
            }
            else {
                this.#throwParseError();
            }
            currentToken = this.#currentToken();
        }
        this.#match('rbracket');
        return slice(parts[0], parts[1], parts[2]);
    }
    /**
     * Process a projection if the right hand side of the
     * projection is a slice.
     *
     * @param left - The left hand side of the projection.
     * @param right - The right hand side of the projection.
     */
    #projectIfSlice(left, right) {
        const idxExpression = indexExpression([left, right]);
        if (right.type === 'slice') {
            return projection(idxExpression, this.#parseProjectionRhs(BINDING_POWER.star));
        }
        return idxExpression;
    }
    /**
     * Process a comparator.
     *
     * A comparator is a syntax that allows you to compare
     * two values. For example `foo == bar` compares the
     * value of `foo` with the value of `bar`.
     *
     * @param left - The left hand side of the comparator.
     * @param comparatorChar - The comparator character.
     */
    #parseComparator(left, comparatorChar) {
        return comparator(comparatorChar, left, this.#expression(BINDING_POWER[comparatorChar]));
    }
    /**
     * Process a multi-select list.
     *
     * A multi-select list is a syntax that allows you to
     * select multiple elements from a list. For example
     * `foo[*]` selects all elements in the list `foo`.
     */
    #parseMultiSelectList() {
        const expressions = [];
        while (true) {
            const expression = this.#expression();
            expressions.push(expression);
            if (this.#currentToken() === 'rbracket') {
                break;
            }
            this.#match('comma');
        }
        this.#match('rbracket');
        return multiSelectList(expressions);
    }
    /**
     * Process a multi-select hash.
     *
     * A multi-select hash is a syntax that allows you to
     * select multiple key-value pairs from a dictionary.
     * For example `foo{a: a, b: b}` selects the keys `a`
     * and `b` from the dictionary `foo`.
     */
    #parseMultiSelectHash() {
        const pairs = [];
        while (true) {
            const keyToken = this.#lookaheadToken(0);
            // Before getting the token value, verify it's
            // an identifier.
            this.#matchMultipleTokens(['quoted_identifier', 'unquoted_identifier']); // token types
            const keyName = keyToken.value;
            this.#match('colon');
            const value = this.#expression(0);
            const node = keyValPair(keyName, value);
            pairs.push(node);
            /* v8 ignore else -- @preserve */
            if (this.#currentToken() === 'comma') {
                this.#match('comma');
            }
            else if (this.#currentToken() === 'rbrace') {
                this.#match('rbrace');
                break;
            }
        }
        return multiSelectObject(pairs);
    }
    /**
     * Process the right hand side of a projection.
     *
     * @param bindingPower - The binding power of the current token.
     */
    #parseProjectionRhs(bindingPower) {
        // Parse the right hand side of the projection.
        let right;
        if (BINDING_POWER[this.#currentToken()] < this.#projectionStop) {
            // BP of 10 are all the tokens that stop a projection.
            right = identity();
        }
        else if (this.#currentToken() === 'lbracket') {
            right = this.#expression(bindingPower);
        }
        else if (this.#currentToken() === 'filter') {
            right = this.#expression(bindingPower);
        }
        else if (this.#currentToken() === 'dot') {
            this.#match('dot');
            right = this.#parseDotRhs(bindingPower);
        }
        else {
            this.#throwParseError();
        }
        return right;
    }
    /**
     * Process the right hand side of a dot expression.
     *
     * @param bindingPower - The binding power of the current token.
     */
    #parseDotRhs(bindingPower) {
        // From the grammar:
        // expression '.' ( identifier /
        //                  multi-select-list /
        //                  multi-select-hash /
        //                  function-expression /
        //                  *
        // In terms of tokens that means that after a '.',
        // you can have:
        const lookahead = this.#currentToken();
        // Common case "foo.bar", so first check for an identifier.
        if (['quoted_identifier', 'unquoted_identifier', 'star'].includes(lookahead)) {
            return this.#expression(bindingPower);
        }
        if (lookahead === 'lbracket') {
            this.#match('lbracket');
            return this.#parseMultiSelectList();
        }
        if (lookahead === 'lbrace') {
            this.#match('lbrace');
            return this.#parseMultiSelectHash();
        }
        this.#throwParseError();
    }
    /**
     * Process a token and throw an error if it doesn't match the expected token.
     *
     * @param tokenType - The expected token type.
     */
    #match(tokenType) {
        const currentToken = this.#currentToken();
        if (currentToken === tokenType) {
            this.#advance();
        }
        else {
            const token = this.#lookaheadToken(0);
            if (token.type === 'eof') {
                throw new errors/* IncompleteExpressionError */.rC({
                    lexPosition: token.start,
                    tokenValue: token.value,
                    tokenType: token.type,
                });
            }
            throw new errors/* ParseError */.mB({
                lexPosition: token.start,
                tokenValue: token.value,
                tokenType: token.type,
            });
        }
    }
    /**
     * Process a token and throw an error if it doesn't match the expected token.
     *
     * @param tokenTypes - The expected token types.
     */
    #matchMultipleTokens(tokenTypes) {
        const currentToken = this.#currentToken();
        if (!tokenTypes.includes(currentToken)) {
            const token = this.#lookaheadToken(0);
            if (token.type === 'eof') {
                throw new errors/* IncompleteExpressionError */.rC({
                    lexPosition: token.start,
                    tokenValue: token.value,
                    tokenType: token.type,
                });
            }
            throw new errors/* ParseError */.mB({
                lexPosition: token.start,
                tokenValue: token.value,
                tokenType: token.type,
            });
        }
        this.#advance();
    }
    /**
     * Advance the index to the next token.
     */
    #advance() {
        this.#index += 1;
    }
    /**
     * Get the current token type.
     */
    #currentToken() {
        return this.#tokens[this.#index].type;
    }
    /**
     * Look ahead in the token stream and get the type of the token
     *
     * @param number - The number of tokens to look ahead.
     */
    #lookahead(number) {
        return this.#tokens[this.#index + number].type;
    }
    /**
     * Look ahead in the token stream and get the token
     *
     * @param number - The number of tokens to look ahead.
     */
    #lookaheadToken(number) {
        return this.#tokens[this.#index + number];
    }
    /**
     * Remove half of the cached expressions randomly.
     */
    #evictCache() {
        const newCache = Object.keys(this.#cache).reduce((acc, key) => {
            if ((0,external_node_crypto_.randomInt)(0, 100) > 50) {
                acc[key] = this.#cache[key];
            }
            return acc;
        }, {});
        this.#cache = newCache;
    }
}


;// CONCATENATED MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/search.js

const parser = new Parser();
/**
 * Search for data in a JSON object using a JMESPath expression.
 *
 * @example
 * ```typescript
 * import { search } from '@aws-lambda-powertools/jmespath';
 *
 * const data = {
 *   foo: {
 *     bar: {
 *       baz: 1
 *     }
 *   }
 * };
 *
 * const result = search('foo.bar.baz', data);
 * console.log(result); // 1
 * ```
 *
 * By default the search function will use all the built-in functions
 * present in the [JMESPath specification](https://jmespath.org/specification.html).
 *
 * Powertools for AWS Lambda provides some additional functions that can be used
 * by passing them in the `customFunctions` option.
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
 *
 * @param expression - The JMESPath expression to use
 * @param data - The JSON object to search
 * @param options - The parsing options to use
 */
const search = (expression, data, options) => {
    return parser.parse(expression).search(data, options);
};


;// CONCATENATED MODULE: ./node_modules/@aws-lambda-powertools/jmespath/lib/esm/index.js




/***/ })

};
