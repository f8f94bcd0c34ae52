import { type Fields, isFields } from '../shared/values.ts';

/** What a payload says about one error: the runtime's name of its type, its message, its stack frames. */
export type ErrorFacts = Readonly<{
  type: string | undefined;
  message: string;
  /** One line each, innermost first: the frames of the function's own code, or the first frame if there are none. */
  frames: readonly string[];
}>;

/** A function's own error, from its response, with the causes that its runtime named. */
export type FunctionError = ErrorFacts &
  Readonly<{
    /** The causes, outermost first, at most the innermost five. Absent if there are none. */
    causes?: readonly ErrorFacts[];
  }>;

const MOST_CAUSES = 5;

// A function can write a stack of megabytes. The patterns search this much of each line.
const LONGEST_LINE = 512;
const MOST_LINES = 1_000;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value ?? null);
  } catch {
    // JSON.parse accepts any depth, but JSON.stringify overflows the stack.
    return 'The response is nested too deeply to be shown.';
  }
}

// The formats of a frame in a stack. Other lines repeat type and message, or separate frames, such as
// .NET's `--- End of stack trace from previous location ---` and Python's `[Previous line repeated …]`.
// A stack is from one runtime, so the first format that matches a line is the format of all its frames.
const AT_FRAME = /^at /;
const PYTHON_FRAME = /^File "/;
const FRAME: readonly RegExp[] = [
  // PHP: `#0 /var/task/src/index.php(24): handler()`, `#1 [internal function]: {closure}()`, last of all `#2 {main}`
  /^#\d+ (?:\S.*\(\d+\): |\[internal function\]: |\{main\}$)/,
  // Node `at handler (file:///var/task/index.mjs:5:3)`, .NET `at Ns.Function.Handler(…) in /src/Function.cs:line 10`,
  // and Java if a custom runtime sends the printed stack as one text.
  AT_FRAME,
  // Python: `File "/var/task/app.py", line 3, in handler`
  PYTHON_FRAME,
  // Java: `com.example.Handler.handleRequest(Handler.java:12)`
  /^[^\s(]+\([^()]*\)$/,
  // Ruby: "/var/task/lambda_function.rb:5:in `lambda_handler'", since Ruby 3.4 with two straight quotes
  /:\d+:in [`']/,
  // A custom runtime's file and line, and Go as it is written below
  /^\S+:\d+(?::\d+)?$/,
  /\([^\s()]+:\d+\)$/,
];

// Node prints the place of a syntax error, and with source maps of any error, above the stack: `/var/task/orders.js:3`.
const PLACE = /^(?:file:\/\/)?(?:\/|[A-Za-z]:[/\\]).*:\d+$/;

const GO_STANDARD_LIBRARY =
  'bufio|bytes|compress|container|context|crypto|database|encoding|errors|fmt|internal|io|log|maps|math|mime|net|os|reflect|regexp|runtime|slices|sort|strconv|strings|sync|syscall|text|time|unicode';

// Frames of a runtime, a standard library or an installed package, which are not the user's own code.
const FOREIGN_FRAME: readonly RegExp[] = [
  // The managed runtimes' own folders, whatever the language
  /\/var\/(?:runtime|lang)\//,
  // PHP: its own frames, Composer's packages, the layers that bring PHP itself
  /^#\d+ (?:\{main\}$|\[internal function\]|\/opt\/|[^(]*\/vendor\/)/,
  // Node: its modules (`internal/` before version 16), what V8 itself runs, packages
  /node:internal|\(node:|at node:|\(internal\/|\(<anonymous>\)$|^at async Promise\.\w+ \(index \d+\)$/,
  /[/\\]node_modules[/\\]/,
  // Python: packages, the import system, the standard library of an image that is not Lambda's
  /[/\\](?:site|dist)-packages[/\\]|"<frozen |\/usr\/(?:local\/)?lib(?:64)?\/python/,
  // Java: after an optional module or class loader, as in `java.base/` and `app//`
  /^(?:at )?(?:[\w.@-]+\/{1,2})?(?:javax?|jdk|sun|com\.sun|kotlinx?|scala|lambdainternal|com\.amazonaws\.(?:auth|client|http|services|xray)|software\.amazon|com\.fasterxml|org\.springframework)\./,
  // .NET. A frame with a space before the parenthesis is from Node
  /^at (?:(?:System|Microsoft|Amazon\.Lambda)\.[^\s(]*|lambda_method\w*)\(/,
  // Go: modules with a version, Lambda's own without one, the standard library, whose entry points are assembly
  /@v\d[^\s:@]*\.go:\d+\)$|\(github\.com\/aws\/aws-lambda-go\//,
  new RegExp(`\\((?:${GO_STANDARD_LIBRARY})/[^\\s:()]+\\.(?:go|s):\\d+\\)$`),
  // Ruby: gems, wherever they are, the standard library, what is written in C
  /\/gems\/|\/usr\/(?:local\/)?lib\/ruby\/|^<internal:/,
];

/** The first line of a text, trimmed, and cut to the length that the patterns search. */
const firstLine = (text: string): string =>
  (text.trim().split('\n', 1)[0] ?? '').trim().slice(0, LONGEST_LINE).toWellFormed();

/** The first and last lines of a long stack, because the innermost call is at one of its ends. */
function bothEnds(entries: readonly unknown[]): readonly unknown[] {
  if (entries.length <= MOST_LINES) return entries;
  return [...entries.slice(0, MOST_LINES / 2), ...entries.slice(-MOST_LINES / 2)];
}

/** The lines of an entry in a stack. Python writes the source line below the place, and only the place is kept. */
function stackLinesOf(entry: unknown): string[] {
  if (isText(entry)) return [firstLine(entry)];
  if (Array.isArray(entry)) {
    // Python before 3.7: `["/var/task/app.py", 3, "handler", "raise ValueError('boom')"]`
    const [path, line, name]: readonly unknown[] = entry;
    return isText(path) && isText(name)
      ? [firstLine(`File "${path}", line ${asJson(line)}, in ${name}`)]
      : [];
  }
  // Go, of a panic: `{"path":"example.com/orders/main.go","line":31,"label":"handler"}`
  if (isFields(entry) && isText(entry['path'])) {
    const label = isText(entry['label']) ? entry['label'] : '';
    return [firstLine(`${label} (${entry['path']}:${asJson(entry['line'])})`)];
  }
  return [];
}

/** The lines of a stack, without those that repeat type and message. */
function stackOf(fields: Fields, { type, message }: Omit<ErrorFacts, 'frames'>): string[] {
  // Node has `trace`, the other runtimes have `stackTrace`. An error that the handler serialized itself has `stack`.
  const stack = fields['trace'] ?? fields['stackTrace'] ?? fields['stack'];
  // Some custom runtimes send the stack as one text.
  const entries: readonly unknown[] = isText(stack) ? stack.split('\n') : Array.isArray(stack) ? stack : [];
  const heading = message.split('\n', MOST_LINES).map(firstLine);
  const repeated = new Set([...heading, firstLine(`${type}: ${heading[0]}`)]);
  return bothEnds(entries)
    .flatMap(stackLinesOf)
    .filter((line) => !repeated.has(line));
}

const isForeign = (frame: string): boolean => FOREIGN_FRAME.some((pattern) => pattern.test(frame));

function framesOf(fields: Fields, heading: Omit<ErrorFacts, 'frames'>): string[] {
  const lines = stackOf(fields, heading);
  const form = FRAME.find((pattern) => lines.some((line) => pattern.test(line)));
  const frames = lines.filter((line) => form?.test(line));
  // Only stacks of Python begin with the outermost call.
  if (form === PYTHON_FRAME) frames.reverse();
  const [first = ''] = lines;
  const isPlace = form === AT_FRAME && PLACE.test(first);
  if (isPlace && !frames.some((frame) => frame.includes(`${first}:`))) frames.unshift(first);
  const own = frames.filter((frame) => !isForeign(frame));
  return own.length > 0 ? own : frames.slice(0, 1);
}

function errorMessageOf(fields: Fields): string | undefined {
  const { errorMessage } = fields;
  if (isText(errorMessage)) return errorMessage;
  if (errorMessage !== undefined && errorMessage !== null && errorMessage !== '') return asJson(errorMessage);
  // Custom runtimes, and errors that a handler serialized itself
  return [fields['message'], fields['error']].find(isText);
}

function errorTypeOf(fields: Fields, message: string | undefined): string | undefined {
  if (isText(fields['errorType'])) return fields['errorType'];
  // Without a message, the fields `name` and `error` are probably not about an error.
  if (message === undefined) return undefined;
  return [fields['name'], fields['error']].filter(isText).find((text) => text !== message);
}

function factsOf(value: unknown): ErrorFacts {
  if (!isFields(value))
    return { type: undefined, message: isText(value) ? value : asJson(value), frames: [] };
  const text = errorMessageOf(value);
  // A custom runtime's `{"error":{"name":…,"message":…}}`
  if (text === undefined && isFields(value['error']) && errorMessageOf(value['error']) !== undefined) {
    return factsOf(value['error']);
  }
  const type = errorTypeOf(value, text);
  const message = text ?? (type === undefined ? asJson(value) : '');
  return { type, message, frames: framesOf(value, { type, message }) };
}

/** The cause of an error: `cause` in Java, .NET and serialized Node errors, `causes` in .NET's AggregateException. */
function causeOf(value: unknown): unknown {
  if (!isFields(value)) return undefined;
  const { cause, causes } = value;
  return cause ?? (Array.isArray(causes) ? causes[0] : undefined);
}

function causesOf(result: unknown): ErrorFacts[] {
  const chain: unknown[] = [];
  for (let cause = causeOf(result); isFields(cause) || isText(cause); cause = causeOf(cause))
    chain.push(cause);
  return chain.slice(-MOST_CAUSES).map(factsOf);
}

/**
 * Reads a function error from the parsed response. Handlers and custom runtimes can send anything, so a response
 * without a type and a message is shown as it is. Never throws.
 */
export function readFunctionError(result: unknown): FunctionError {
  const causes =
    isFields(result) && (isText(result['errorType']) || errorMessageOf(result) !== undefined)
      ? causesOf(result)
      : [];
  return { ...factsOf(result), ...(causes.length > 0 && { causes }) };
}
