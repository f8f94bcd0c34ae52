import type { ErrorFacts, FunctionError } from './function-error.ts';
import type { Report } from './log-tail.ts';

/** Everything that advice is made from; `found` is what the row's pattern found in the message. */
type Case = Readonly<{ report: Report; found: RegExpExecArray | undefined }>;

/** A row applies where all that it names does, type and message in the same error. */
type Row = Readonly<{
  type?: RegExp;
  message?: RegExp;
  report?: (report: Report) => boolean;
  advice: string | ((the: Case) => string);
}>;

/** From here on memory is taken to be used up: a killed process was not measured to its last byte. */
const FULL_SHARE = 0.95;
const LONGEST_RUN_S = 900;

function isFull({ max_memory_used_mb: used, memory_size_mb: size }: Report): boolean {
  return used !== undefined && size !== undefined && used >= size * FULL_SHARE;
}

function memoryOf({ max_memory_used_mb: used, memory_size_mb: size }: Report): string {
  return used === undefined || size === undefined ? '' : ` (memory: ${used} of ${size} MB)`;
}

function timeoutAdvice({ report, found }: Case): string {
  // Older runtimes put the time that had passed there, as in 3.05: a configured timeout is whole seconds.
  const told = found?.[1] === undefined ? undefined : Number(found[1]);
  const seconds = told === undefined || told < 1 ? told : Math.floor(told);
  return [
    `It ran into its timeout${seconds === undefined ? '' : ` of ${seconds} s`}${memoryOf(report)}.`,
    ...(report.initStatus === 'timeout'
      ? [
          'Its init had run into Lambda’s limit before, so it ran again within this time: do less of it there.',
        ]
      : []),
    ...(isFull(report) ? ['More memory may help: it also brings more CPU.'] : []),
    'See the end of its log for what it waited for;',
    seconds === LONGEST_RUN_S
      ? `no function may run longer than ${LONGEST_RUN_S} s, so split the work.`
      : `raise its timeout (${LONGEST_RUN_S} s at most) if the work takes that long.`,
  ].join(' ');
}

const memoryAdvice = ({ report }: Case): string =>
  `It ran out of memory${memoryOf(report)}. Raise the function’s memory size, or hold less of the data at a time.`;

const NATIVE_CRASH =
  'That is a crash in native code: check that binaries and native packages were built for the function’s runtime and architecture.';

const BY_SIGNAL: Readonly<Record<string, string>> = {
  'segmentation fault': NATIVE_CRASH,
  'illegal instruction': NATIVE_CRASH,
  'bus error': NATIVE_CRASH,
  aborted: 'See the end of its log: Node ends so where its heap is full, and says it there.',
};

function signalAdvice({ report, found }: Case): string {
  const signal = found?.[1] ?? '';
  const told = `Its process was ended by a signal, ${signal}${memoryOf(report)}.`;
  if (signal === 'killed' && memoryOf(report) === '') {
    return `${told} Too little memory is the usual reason: log_type: Tail shows how much it used.`;
  }
  return `${told} ${Object.hasOwn(BY_SIGNAL, signal) ? BY_SIGNAL[signal] : 'See the end of its log.'}`;
}

function missingAdvice({ found }: Case): string {
  const what = found?.[1] === undefined ? 'a module' : found[1];
  return `The deployment package and its layers lack ${what}. Check what is packaged, and that the handler setting names a file that is there.`;
}

function deniedAdvice({ found }: Case): string {
  const action = found?.[1] === undefined ? 'make this call' : `call ${found[1]}`;
  return `The function ran, and its own role may not ${action}. Allow it in the function’s execution role, or in the resource’s policy; the credentials of the workflow have no part in it.`;
}

const ELSEWHERE = 'was built for another system or architecture than the function’s';

// The first row that applies is taken. Errors that begin with Runtime, Sandbox, Function or Extension are Lambda's
// own or its runtimes'; patterns are bounded, since a message is the function's and may be long.
const ROWS: readonly Row[] = [
  // `RequestId: ID Error: Task timed out after 3.00 seconds`; earlier without a type, after time and id
  {
    message:
      /^(?:RequestId: \S{1,64} Error: |\d{4}-\d\d-\d\dT[\d:.]{1,20}Z (?:[\w-]{1,64} )?)?Task timed out after (\d{1,6}(?:\.\d{1,6})?) seconds$/,
    advice: timeoutAdvice,
  },
  { type: /^Sandbox\.Timedout$/, advice: timeoutAdvice },
  { report: ({ status }) => status === 'timeout', advice: timeoutAdvice },

  // Memory: as Lambda says it, as it looks where Lambda does not, then as Java, Python, .NET, Ruby and Node say it
  { report: ({ errorType }) => errorType === 'Runtime.OutOfMemory', advice: memoryAdvice },
  { type: /^Runtime\.OutOfMemory$/, advice: memoryAdvice },
  { type: /^Runtime\.ExitError$/, message: /signal: killed/, report: isFull, advice: memoryAdvice },
  {
    type: /^(?:java\.lang\.OutOfMemoryError|MemoryError|(?:System\.)?OutOfMemoryException|Function<NoMemoryError>)$/,
    advice: memoryAdvice,
  },
  { message: /(?:JavaScript|JS) heap out of memory/, advice: memoryAdvice },

  // `Runtime exited with error: signal: segmentation fault (core dumped)`, `… exit status 127`, `… without providing a reason`
  { type: /^Runtime\.ExitError$/, message: /signal: (\w{1,20}(?: \w{1,20}){0,3})/, advice: signalAdvice },
  {
    type: /^Runtime\.ExitError$/,
    message: /exit status (\d{1,3})/,
    advice: ({ found }) =>
      `Its process exited with status ${found?.[1]} before it answered. See the end of its log: an error outside the handler, a call like process.exit or sys.exit, or a command that is not there.`,
  },
  {
    type: /^Runtime\.ExitError$/,
    advice:
      'Its process exited before it answered. See the end of its log, and look for a call like process.exit or sys.exit.',
  },
  // Earlier, without a type
  {
    message: /Process exited before completing request$/,
    advice: 'Its process exited before it answered. See the end of its log.',
  },

  {
    type: /^Function\.ResponseSizeTooLarge$/,
    advice:
      'Its response is over Lambda’s limit of 6 MB. Return less, put it into S3 and return its place, or stream it: a streamed response may have 200 MB.',
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
    advice: `The handler’s module, or one that it imports, could not be loaded. Check that the deployment package and its layers are complete and that no native package in them ${ELSEWHERE}.`,
  },
  {
    type: /^Runtime\.HandlerNotFound$/,
    advice:
      'The handler’s file was loaded and has no such function. Check the handler setting (file.function), and that the function is exported under that name.',
  },
  {
    type: /^Runtime\.MalformedHandlerName$/,
    advice:
      'The handler setting has not the form that the runtime wants, as in index.handler: file, dot, function.',
  },
  {
    type: /^Runtime\.UserCodeSyntaxError$/,
    advice:
      'The code that was deployed does not parse. Check what was packaged, and that the function’s runtime knows the syntax (for Node also: .mjs or "type": "module" for import).',
  },
  {
    type: /^Runtime\.InvalidEntrypoint$/,
    message: /exec format error/,
    advice: `What the function starts with ${ELSEWHERE}. Build it for the function’s architecture (x86_64 or arm64).`,
  },
  {
    type: /^Runtime\.InvalidEntrypoint$/,
    message: /bootstrap/,
    advice:
      'The file bootstrap could not be started. It has to be at the root of the package or a layer, executable, with the right interpreter in its first line, and built for the function’s architecture.',
  },
  {
    type: /^Runtime\.InvalidEntrypoint$/,
    advice:
      'What the function starts with could not be started. In an image, ENTRYPOINT has to be an absolute path and no symbolic link; in a package, check the file bootstrap.',
  },
  {
    type: /^java\.lang\.(?:ClassNotFoundException|NoClassDefFoundError)$/,
    advice:
      'A class is not in the deployment package. If it is the handler’s, check the handler setting (package.Class::method); if not, package the dependencies too.',
  },
  { message: /^Unable to import module '/, advice: missingAdvice },

  {
    type: /^Extension\.LaunchError$/,
    advice: `An extension of the function could not be started. Check its layer: that the file is executable, and that it is not one that ${ELSEWHERE}.`,
  },
  {
    type: /^Extension\./,
    advice:
      'An extension of the function failed, not its code. See the EXTENSION lines of its log, and check the version and the settings of the layer that brings it.',
  },

  // Denied calls: as IAM says it, then as Python says it of S3
  {
    message: /is not authorized to perform:? ([a-z0-9-]{1,40}:[A-Za-z0-9*]{1,80})/,
    advice: deniedAdvice,
  },
  { message: /is not authorized to perform/, advice: deniedAdvice },
  {
    message: /\(AccessDenied(?:Exception)?\) when calling the (\w{1,80}) operation/,
    advice: deniedAdvice,
  },

  // Node and Python; Node’s earlier runtimes call it Error
  {
    type: /^Runtime\.(?:JSONStringifyError|MarshalError)$/,
    advice:
      'The handler ended well, and what it returned can’t be written as JSON. Return plain objects, lists, strings, numbers and booleans: no BigInt, cycle, set, Decimal, date, bytes or coroutine.',
  },
  {
    message: /^Unable to stringify response body/,
    advice:
      'The handler ended well, and what it returned can’t be written as JSON: look for a BigInt or an object that contains itself.',
  },
];

// What a message says of a known cause stands at its start; the rest of megabytes is not searched.
const LONGEST_TEXT = 4_096;

function adviceOf(row: Row, error: ErrorFacts, report: Report): string | undefined {
  if (row.type !== undefined && !row.type.test(error.type?.slice(0, LONGEST_TEXT) ?? '')) return undefined;
  if (row.report !== undefined && !row.report(report)) return undefined;
  const found = row.message?.exec(error.message.slice(0, LONGEST_TEXT)) ?? undefined;
  if (row.message !== undefined && found === undefined) return undefined;
  return typeof row.advice === 'string' ? row.advice : row.advice({ report, found });
}

/** What to do about a function error of a known cause, in one line; the report of the log tail makes it exact. */
export function adviseOnFunctionError(error: FunctionError, report: Report | undefined): string | undefined {
  // The innermost cause says most about why; what Lambda itself says has no causes.
  const errors = [error, ...(error.causes ?? [])].toReversed();
  for (const row of ROWS) {
    for (const one of errors) {
      const advice = adviceOf(row, one, report ?? {});
      if (advice !== undefined) return advice;
    }
  }
  return undefined;
}
