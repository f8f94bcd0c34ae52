import { type ErrorFacts, type FunctionError, readFunctionError } from './function-error.ts';
import { type Report, readReport } from './log-tail.ts';
import type { Outcome } from './outcome.ts';

/** The report in the log, and the match of a row's pattern in the message. */
type MatchedRow = Readonly<{ report: Report; found: RegExpExecArray | undefined }>;

/** A row applies if all its conditions do. Type and message must match the same error. */
type FunctionErrorAdvice = Readonly<{
  type?: RegExp;
  message?: RegExp;
  report?: (report: Report) => boolean;
  advice: string | ((matched: MatchedRow) => string);
}>;

const CHECK_LOG = 'Check the end of its log.';
const NOT_JSON = "The handler succeeded, but its return value can't be serialized as JSON.";
const ELSEWHERE = 'built for another system or architecture';

// The first row that applies is used. Types that begin with Runtime, Sandbox, Function or Extension are from Lambda or
// its runtimes. The patterns are bounded, because the function writes the message and it can be long.
const ADVICE_BY_CAUSE: readonly FunctionErrorAdvice[] = [
  // `RequestId: ID Error: Task timed out after 3.00 seconds`; earlier without a type, after time and ID
  {
    message:
      /^(?:RequestId: \S{1,64} Error: |\d{4}-\d\d-\d\dT[\d:.]{1,20}Z (?:[\w-]{1,64} )?)?Task timed out after (\d{1,6}(?:\.\d{1,6})?) seconds$/,
    advice: timeoutAdvice,
  },
  { type: /^Sandbox\.Timedout$/, advice: timeoutAdvice },
  { report: ({ status }) => status === 'timeout', advice: timeoutAdvice },

  // Memory: in Lambda's words, by its signs if Lambda does not say it, then in the words of Java, Python, .NET, Ruby,
  // Node
  { report: ({ errorType }) => errorType === 'Runtime.OutOfMemory', advice: memoryAdvice },
  { type: /^Runtime\.OutOfMemory$/, advice: memoryAdvice },
  { type: /^Runtime\.ExitError$/, message: /signal: killed/, report: isFull, advice: memoryAdvice },
  {
    type: /^(?:java\.lang\.OutOfMemoryError|MemoryError|(?:System\.)?OutOfMemoryException|Function<NoMemoryError>)$/,
    advice: memoryAdvice,
  },
  { message: /(?:JavaScript|JS) heap out of memory/, advice: memoryAdvice },

  // `Runtime exited with error: signal: segmentation fault (core dumped)`, `… exit status 127`, `… without providing a
  // reason`
  { type: /^Runtime\.ExitError$/, message: /signal: (\w{1,20}(?: \w{1,20}){0,3})/, advice: signalAdvice },
  {
    type: /^Runtime\.ExitError$/,
    message: /exit status (\d{1,3})/,
    advice: ({ found }) =>
      `The function's process exited with status ${found?.[1]} before it responded. ${CHECK_LOG} Look for an error outside the handler, a call like process.exit or sys.exit, or a missing command.`,
  },
  {
    type: /^Runtime\.ExitError$/,
    advice: `The function's process exited before it responded. ${CHECK_LOG} Look for a call like process.exit or sys.exit.`,
  },
  // Earlier, without a type
  {
    message: /Process exited before completing request$/,
    advice: `The function's process exited before it responded. ${CHECK_LOG}`,
  },

  {
    type: /^Function\.ResponseSizeTooLarge$/,
    advice:
      "The response exceeds Lambda's limit of 6 MB. Return less, store it in S3 and return its location, or stream it: a streamed response can have 200 MB.",
  },

  // Packages and handlers: Python, then Node's require and import, then Ruby
  {
    type: /^Runtime\.ImportModuleError$/,
    message: /No module named '([\w.-]{1,100})'/,
    advice: missingAdvice,
  },
  { message: /Cannot find (?:module|package) '([\w@./-]{1,200})'/, advice: missingAdvice },
  { message: /cannot load such file -- ([\w./-]{1,200})/, advice: missingAdvice },
  {
    type: /^Runtime\.ImportModuleError$/,
    advice: `The handler's module, or one that it imports, could not be loaded. Check that the deployment package and its layers are complete, and that no native package in them is ${ELSEWHERE}.`,
  },
  {
    type: /^Runtime\.HandlerNotFound$/,
    advice:
      "The handler's file was loaded, but it does not export that function. Check the handler setting (file.function) and the export.",
  },
  {
    type: /^Runtime\.MalformedHandlerName$/,
    advice:
      'The handler setting is not in the form the runtime expects: file, dot, function, as in index.handler.',
  },
  {
    type: /^Runtime\.UserCodeSyntaxError$/,
    advice:
      'The deployed code has a syntax error. Check what is packaged, and that the runtime supports the syntax (Node.js needs .mjs or "type": "module" for import).',
  },
  {
    type: /^Runtime\.InvalidEntrypoint$/,
    message: /exec format error/,
    advice: `The function's entry point is ${ELSEWHERE}. Build it for the function's architecture (x86_64 or arm64).`,
  },
  {
    type: /^Runtime\.InvalidEntrypoint$/,
    message: /bootstrap/,
    advice:
      "The bootstrap file could not be started. It has to be at the root of the package or a layer, be executable, name the right interpreter in its first line, and be built for the function's architecture.",
  },
  {
    type: /^Runtime\.InvalidEntrypoint$/,
    advice:
      "The function's entry point could not be started. In an image, ENTRYPOINT has to be an absolute path and not a symbolic link. In a package, check the bootstrap file.",
  },
  {
    type: /^java\.lang\.(?:ClassNotFoundException|NoClassDefFoundError)$/,
    advice:
      "A class is missing from the deployment package. If it is the handler's, check the handler setting (package.Class::method). If not, package the dependencies too.",
  },
  { message: /^Unable to import module '/, advice: missingAdvice },

  {
    type: /^Extension\.LaunchError$/,
    advice: `An extension of the function could not be started. Check its layer: the file has to be executable, and must not be ${ELSEWHERE}.`,
  },
  {
    type: /^Extension\./,
    advice:
      "An extension failed, not the function's own code. Check the EXTENSION lines in the log, and the version and settings of the extension's layer.",
  },

  // Denied calls: in the words of IAM, then in those of Python's client for S3
  {
    message: /is not authorized to perform:? ([a-z0-9-]{1,40}:[A-Za-z0-9*]{1,80})/,
    advice: deniedAdvice,
  },
  { message: /is not authorized to perform/, advice: deniedAdvice },
  {
    message: /\(AccessDenied(?:Exception)?\) when calling the (\w{1,80}) operation/,
    advice: deniedAdvice,
  },

  // Node and Python; Node's earlier runtimes call it Error
  {
    type: /^Runtime\.(?:JSONStringifyError|MarshalError)$/,
    advice: `${NOT_JSON} Return plain objects, lists, strings, numbers and booleans: no BigInt, cycle, set, Decimal, date, bytes or coroutine.`,
  },
  {
    message: /^Unable to stringify response body/,
    advice: `${NOT_JSON} Look for a BigInt or an object that contains itself.`,
  },
];

/** The share of memory that counts as used up. The last measurement before a process is killed is not exact. */
const FULL_SHARE = 0.95;
const LONGEST_RUN_S = 900;

function isFull({ max_memory_used_mb: used, memory_size_mb: size }: Report): boolean {
  return used !== undefined && size !== undefined && used >= size * FULL_SHARE;
}

function memoryOf({ max_memory_used_mb: used, memory_size_mb: size }: Report): string {
  return used === undefined || size === undefined ? '' : ` (memory: ${used} of ${size} MB)`;
}

function timeoutAdvice({ report, found }: MatchedRow): string {
  // Older runtimes report the elapsed time, such as 3.05, but a configured timeout is in whole seconds.
  const timeout = found?.[1] === undefined ? undefined : Number(found[1]);
  const seconds = timeout === undefined || timeout < 1 ? timeout : Math.floor(timeout);
  return [
    `The function timed out${seconds === undefined ? '' : ` after ${seconds} s`}${memoryOf(report)}.`,
    ...(report.initStatus === 'timeout'
      ? [
          "Its init had exceeded Lambda's limit before, so it ran again within this timeout: do less during init.",
        ]
      : []),
    ...(isFull(report) ? ['More memory may help: it also adds CPU.'] : []),
    'Check the end of its log for what it was waiting for.',
    seconds === LONGEST_RUN_S
      ? `No function can run longer than ${LONGEST_RUN_S} s: split the work.`
      : `If the work takes that long, raise the timeout (at most ${LONGEST_RUN_S} s).`,
  ].join(' ');
}

function memoryAdvice({ report }: MatchedRow): string {
  return `The function ran out of memory${memoryOf(report)}. Raise its memory size, or process less data at a time.`;
}

const NATIVE_CRASH =
  "Native code crashed: check that binaries and native packages are built for the function's runtime and architecture.";

const BY_SIGNAL: Readonly<Record<string, string>> = {
  'segmentation fault': NATIVE_CRASH,
  'illegal instruction': NATIVE_CRASH,
  'bus error': NATIVE_CRASH,
  aborted: `${CHECK_LOG} Node.js aborts when its heap is full, and says so there.`,
};

function signalAdvice({ report, found }: MatchedRow): string {
  const signal = found?.[1] ?? '';
  const what = `The function's process was ended by a signal: ${signal}${memoryOf(report)}.`;
  if (signal === 'killed' && memoryOf(report) === '') {
    return `${what} The usual reason is too little memory. The REPORT line of its log says how much it used.`;
  }
  return `${what} ${Object.hasOwn(BY_SIGNAL, signal) ? BY_SIGNAL[signal] : CHECK_LOG}`;
}

function missingAdvice({ found }: MatchedRow): string {
  const what = found?.[1] === undefined ? 'a module' : found[1];
  return `The deployment package and its layers do not contain ${what}. Check what is packaged, and that the handler setting names a file that is in the package.`;
}

function deniedAdvice({ found }: MatchedRow): string {
  const action = found?.[1] === undefined ? 'make this call' : `call ${found[1]}`;
  return `The function's execution role is not allowed to ${action}. Allow it in the execution role's policy, or in the resource's policy. The workflow's credentials are not involved.`;
}

// Known causes are at the start of a message. The rest can have megabytes and is not searched.
const LONGEST_TEXT = 4_096;

function adviceOf(row: FunctionErrorAdvice, error: ErrorFacts, report: Report): string | undefined {
  if (row.type !== undefined && !row.type.test(error.type?.slice(0, LONGEST_TEXT) ?? '')) return undefined;
  if (row.report !== undefined && !row.report(report)) return undefined;
  const found = row.message?.exec(error.message.slice(0, LONGEST_TEXT)) ?? undefined;
  if (row.message !== undefined && found === undefined) return undefined;
  return typeof row.advice === 'string' ? row.advice : row.advice({ report, found });
}

/** One line of advice on a function error with a known cause. The report in the log tail makes it more exact. */
export function adviseOnFunctionError(error: FunctionError, report: Report | undefined): string | undefined {
  // The innermost cause explains the most. An error of Lambda itself has no causes.
  const errors = [error, ...(error.causes ?? [])].toReversed();
  for (const row of ADVICE_BY_CAUSE) {
    for (const one of errors) {
      const advice = adviceOf(row, one, report ?? {});
      if (advice !== undefined) return advice;
    }
  }
  return undefined;
}

/** A function's own error, and what to do about it where that is known. */
export type ExplainedError = FunctionError & Readonly<{ advice?: string }>;

/**
 * A message without the request ID that Lambda puts before its own errors, such as timeouts. A report shows the ID
 * beside the message, and equal errors of many invocations are counted together only if their messages are equal.
 */
function withoutRequestId(message: string, requestId: string | undefined): string {
  const prefix = `RequestId: ${requestId} Error: `;
  return requestId !== undefined && message.startsWith(prefix) ? message.slice(prefix.length) : message;
}

/** Reads and explains the error of a function that failed. */
export function explainFunctionError(outcome: Outcome): ExplainedError {
  const { response, log_result: log } = 'status_code' in outcome ? outcome : {};
  const error = readFunctionError(response);
  const report = log === undefined ? undefined : readReport(log, outcome.request_id);
  const advice = adviseOnFunctionError(error, report);
  const message = withoutRequestId(error.message, outcome.request_id);
  return { ...error, message, ...(advice !== undefined && { advice }) };
}
