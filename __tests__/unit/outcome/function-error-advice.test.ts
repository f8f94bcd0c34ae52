import { describe, expect, test } from '@jest/globals';
import { outcomeOf } from '../../../src/outcome/document.ts';
import { readFunctionError } from '../../../src/outcome/function-error.ts';
import { adviseOnFunctionError, explainFunctionError } from '../../../src/outcome/function-error-advice.ts';
import type { Report } from '../../../src/outcome/log-tail.ts';
import { heavyTest } from '../../heavy.ts';
import { REQUEST_ID, responseOf, resultOf } from './factory.ts';

/** The advice on an error as Lambda sends it. */
const advise = (result: unknown, report?: Report): string | undefined =>
  adviseOnFunctionError(readFunctionError(result), report);
const byLambda = (errorType: string, message: string) => ({
  errorType,
  errorMessage: `RequestId: ${REQUEST_ID} Error: ${message}`,
});
const memory = (used: number, size = 128): Report => ({ max_memory_used_mb: used, memory_size_mb: size });

describe('an explained error', () => {
  const messageOf = (requestId: string): string => {
    const parsed = byLambda('Sandbox.Timedout', 'Task timed out after 3.00 seconds');
    const ended = resultOf(responseOf(JSON.stringify(parsed), { functionError: 'Unhandled', requestId }));
    return explainFunctionError(outcomeOf(ended, { parsed }, { advise: () => '' })).message;
  };

  test('does not repeat the request ID, so that equal errors have equal messages', () => {
    expect(messageOf(REQUEST_ID)).toBe('Task timed out after 3.00 seconds');
  });

  test('keeps the ID of another request', () => {
    expect(messageOf(REQUEST_ID.replace(/.$/, 'z'))).toContain(`RequestId: ${REQUEST_ID} Error: Task`);
  });
});

describe('advice on a timeout', () => {
  const timedOut = (seconds: string) =>
    byLambda('Sandbox.Timedout', `Task timed out after ${seconds} seconds`);

  test('names the configured timeout, and the memory if the log has it', () => {
    const advice = advise(timedOut('3.00'), { ...memory(70), status: 'timeout' });
    expect(advice).toMatch(/^The function timed out after 3 s \(memory: 70 of 128 MB\)\. /);
    expect(advice).toContain('raise the timeout (at most 900 s)');
    expect(advise(timedOut('3.00'))).toMatch(/^The function timed out after 3 s\. /);
  });

  test.each([
    ['with the time that had passed', timedOut('3.05'), '3 s'],
    ['below a second', timedOut('0.50'), '0.5 s'],
    [
      'without a type',
      { errorMessage: `2023-11-15T14:05:05.017Z ${REQUEST_ID} Task timed out after 10.01 seconds` },
      '10 s',
    ],
    [
      'without a type and an id',
      { errorMessage: '2025-08-19T08:37:05.400Z Task timed out after 3.03 seconds' },
      '3 s',
    ],
  ])('is given %s', (_, error, timeout) => {
    expect(advise(error)).toContain(`timed out after ${timeout}.`);
  });

  test.each([
    ['type', { errorType: 'Sandbox.Timedout', errorMessage: 'something new' }, undefined],
    ['report', { errorMessage: 'something new' }, { status: 'timeout' } as const],
  ])('is given even if only the %s has it', (_, error, report) => {
    expect(advise(error, report)).toMatch(/^The function timed out\. /);
  });

  test('suggests splitting the work if the timeout is already the maximum', () => {
    expect(advise(timedOut('900.00'))).toMatch(/timed out after 900 s\..*split the work/);
    expect(advise(timedOut('900.00'))).not.toContain('raise the timeout');
  });

  test('mentions that the memory was nearly exhausted', () => {
    expect(advise(timedOut('3.00'), memory(122))).toContain('More memory may help');
    expect(advise(timedOut('3.00'), memory(121))).not.toContain('More memory');
  });

  test('mentions that the init phase had timed out before', () => {
    expect(advise(timedOut('3.00'), { initStatus: 'timeout' })).toContain(
      "Its init had exceeded Lambda's limit",
    );
    expect(advise(timedOut('3.00'), { initStatus: 'success' })).not.toContain('init');
  });

  test("is not given for a timeout of the function's own calls", () => {
    expect(
      advise({ errorType: 'Error', errorMessage: 'fetch: Task timed out after 3 seconds' }),
    ).toBeUndefined();
    expect(advise({ errorType: 'TimeoutError', errorMessage: 'The operation timed out' })).toBeUndefined();
  });
});

describe('advice on memory', () => {
  const killed = byLambda('Runtime.ExitError', 'Runtime exited with error: signal: killed');

  test.each([
    ["Lambda's report", killed, { ...memory(100), errorType: 'Runtime.OutOfMemory' }],
    [
      "Lambda's error",
      byLambda('Runtime.OutOfMemory', 'Runtime exited with error: signal: killed'),
      memory(100),
    ],
    ['Java', { errorType: 'java.lang.OutOfMemoryError', errorMessage: 'Java heap space' }, memory(100)],
    [
      'Java, as a cause',
      { errorType: 'java.lang.RuntimeException', cause: { errorType: 'java.lang.OutOfMemoryError' } },
      memory(100),
    ],
    ['Python', { errorType: 'MemoryError', errorMessage: '' }, memory(100)],
    ['.NET', { errorType: 'OutOfMemoryException', errorMessage: 'x' }, memory(100)],
    [
      'Ruby',
      { errorType: 'Function<NoMemoryError>', errorMessage: 'failed to allocate memory' },
      memory(100),
    ],
    [
      'Node',
      {
        errorType: 'Error',
        errorMessage: 'Worker terminated due to reaching memory limit: JS heap out of memory',
      },
      memory(100),
    ],
  ])('is given for the error of %s', (_, error, report) => {
    expect(advise(error, report)).toBe(
      'The function ran out of memory (memory: 100 of 128 MB). Raise its memory size, or process less data at a time.',
    );
  });

  test('is given for a killed process that used at least 95 % of the memory', () => {
    expect(advise(killed, memory(122))).toMatch(/^The function ran out of memory \(memory: 122 of 128 MB\)/);
    expect(advise(killed, memory(121))).not.toContain('out of memory');
  });

  test('omits unknown figures', () => {
    expect(advise({ errorType: 'MemoryError', errorMessage: '' })).toMatch(
      /^The function ran out of memory\. /,
    );
  });

  test('is not given if a process that used all memory ended in another way', () => {
    const exited = byLambda('Runtime.ExitError', 'Runtime exited with error: exit status 1');
    expect(advise(exited, memory(128))).not.toContain('memory');
  });
});

describe('advice on a process that ended', () => {
  const exited = (how: string) => byLambda('Runtime.ExitError', `Runtime exited ${how}`);

  test.each([
    [
      'its status',
      exited('with error: exit status 127'),
      undefined,
      /^The function's process exited with status 127 before it/,
    ],
    [
      'nothing',
      exited('without providing a reason'),
      undefined,
      /^The function's process exited before it responded\./,
    ],
    [
      'a crash',
      exited('with error: signal: segmentation fault (core dumped)'),
      undefined,
      /: segmentation fault\. Native/,
    ],
    [
      'an abort',
      exited('with error: signal: aborted (core dumped)'),
      memory(70),
      /: aborted \(memory: 70 of 128 MB\)\. .*heap/,
    ],
    [
      'a kill',
      exited('with error: signal: killed'),
      undefined,
      /: killed\. The usual reason is too little memory\. The REPORT line of its log/,
    ],
    [
      'a kill with memory left',
      exited('with error: signal: killed'),
      memory(70),
      /: killed \(memory: 70 of 128 MB\)\. Check/,
    ],
    [
      'another signal',
      exited('with error: signal: terminated'),
      undefined,
      /: terminated\. Check the end of its log\.$/,
    ],
    [
      'the old message',
      { errorMessage: `RequestId: ${REQUEST_ID} Process exited before completing request` },
      undefined,
      /^The function's process exited/,
    ],
  ])('names %s', (_, error, report, advice) => {
    expect(advise(error, report)).toMatch(advice);
  });
});

describe('advice', () => {
  test.each([
    [
      'a response that is too large',
      {
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
      },
      /limit of 6 MB.*S3.*stream/,
    ],
    [
      'a missing module of Python',
      {
        errorType: 'Runtime.ImportModuleError',
        errorMessage: "Unable to import module 'app': No module named 'pytz.x'",
      },
      /do not contain pytz\.x\..*handler setting/,
    ],
    [
      'a module of Python for another system',
      {
        errorType: 'Runtime.ImportModuleError',
        errorMessage: "Unable to import module 'app': cannot import name '_imaging'",
      },
      /native package in them is built for another system/,
    ],
    [
      "Python's import without a type",
      { errorMessage: "Unable to import module 'index': Error" },
      /do not contain a module\..*handler setting/,
    ],
    [
      'a missing module of Node',
      {
        errorType: 'Runtime.ImportModuleError',
        errorMessage: "Error: Cannot find module '@me/orders/lib'\nRequire stack:\n- /var/runtime/index.mjs",
      },
      /do not contain @me\/orders\/lib\./,
    ],
    [
      'a missing package of an ES module',
      { errorType: 'Error', errorMessage: "Cannot find package 'yaml' imported from /var/task/index.mjs" },
      /do not contain yaml\./,
    ],
    [
      'a missing gem',
      { errorType: 'Init<LoadError>', errorMessage: 'cannot load such file -- rack' },
      /do not contain rack\./,
    ],
    [
      'a missing handler',
      { errorType: 'Runtime.HandlerNotFound', errorMessage: 'index.handler is undefined or not exported' },
      /does not export that function.*handler setting/,
    ],
    [
      'a malformed handler setting',
      { errorType: 'Runtime.MalformedHandlerName', errorMessage: "Bad handler 'x'" },
      /^The handler setting is not in the form/,
    ],
    [
      'a syntax error',
      { errorType: 'Runtime.UserCodeSyntaxError', errorMessage: 'SyntaxError: x' },
      /has a syntax error/,
    ],
    [
      'a different architecture',
      byLambda('Runtime.InvalidEntrypoint', 'fork/exec /var/task/bootstrap: exec format error'),
      /x86_64 or arm64/,
    ],
    [
      'a missing bootstrap',
      byLambda(
        'Runtime.InvalidEntrypoint',
        "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
      ),
      /^The bootstrap file could not be started/,
    ],
    [
      "an image's entry point",
      byLambda('Runtime.InvalidEntrypoint', 'fork/exec /entry.sh: no such file or directory'),
      /ENTRYPOINT has to be an absolute path/,
    ],
    [
      'a missing class',
      { errorType: 'java.lang.ClassNotFoundException', errorMessage: 'Class not found: com.example.Handler' },
      /package\.Class::method/,
    ],
    [
      'a missing class of a dependency',
      {
        errorType: 'java.lang.RuntimeException',
        errorMessage: 'x',
        cause: { errorType: 'java.lang.NoClassDefFoundError', errorMessage: 'a/B' },
      },
      /package the dependencies too/,
    ],
    [
      'an extension that did not start',
      byLambda('Extension.LaunchError', 'fork/exec /opt/extensions/x: no such file or directory'),
      /^An extension of the function could not be started/,
    ],
    [
      'an extension that failed',
      byLambda('Extension.Crash', 'exit code 0'),
      /^An extension failed, not the function's own code/,
    ],
    [
      'a denied call',
      {
        errorType: 'AccessDeniedException',
        errorMessage:
          'User: arn:aws:sts::123456789012:assumed-role/my-role/my-function is not authorized to perform: dynamodb:GetItem on resource: arn',
      },
      /execution role is not allowed to call dynamodb:GetItem\..*workflow's credentials are not involved/,
    ],
    [
      'a denied call without its name',
      { errorType: 'Error', errorMessage: 'x is not authorized to perform this' },
      /not allowed to make this call\./,
    ],
    [
      'a denied call as the cause',
      {
        errorType: 'Error',
        errorMessage: 'is not authorized to perform: s3:GetObject',
        cause: { message: 'is not authorized to perform: kms:Decrypt on x' },
      },
      /not allowed to call kms:Decrypt\./,
    ],
    [
      'a denied call of Python',
      {
        errorType: 'ClientError',
        errorMessage: 'An error occurred (AccessDenied) when calling the GetObject operation: Access Denied',
      },
      /not allowed to call GetObject\./,
    ],
    [
      'a Python return value that is not serializable',
      {
        errorType: 'Runtime.MarshalError',
        errorMessage: 'Unable to marshal response: Object of type set is not JSON serializable',
      },
      /^The handler succeeded, but its return value can't be serialized as JSON\. Return/,
    ],
    [
      'a Node.js return value that is not serializable',
      { errorType: 'Runtime.JSONStringifyError', errorMessage: 'Unable to stringify response body' },
      /^The handler succeeded, but its return value can't be serialized as JSON\. Return/,
    ],
    [
      'a return value of old Node.js that is not serializable',
      { errorType: 'Error', errorMessage: 'Unable to stringify response body' },
      /Look for a BigInt/,
    ],
  ])('is given for %s, on one line', (_, error, advice) => {
    expect(advise(error)).toMatch(advice);
    expect(advise(error)).not.toContain('\n');
  });

  test.each([
    ["an error of the function's own", { errorType: 'TypeError', errorMessage: 'boom' }],
    ["a type that only ends like Lambda's", { errorType: 'My.Runtime.ExitError', errorMessage: 'boom' }],
    ["a class that only ends like Java's", { errorType: 'my.OutOfMemoryError', errorMessage: 'boom' }],
    ['a text', 'boom'],
    ['nothing', null],
  ])('is not given for %s', (_, error) => {
    expect(advise(error, memory(128))).toBeUndefined();
  });

  test('quotes only names and numbers from the message', () => {
    const advice = advise({
      errorType: 'Error',
      errorMessage: "Cannot find module 'x\n::error::@everyone' Cannot find module 'a|<b>'",
    });
    expect(advice).toBeUndefined();
  });

  heavyTest.each([
    "Cannot find module '",
    'is not authorized to perform: ',
    'is not authorized to perform: a',
    '(AccessDenied) when calling the a',
    'Task timed out after ',
    'RequestId: a Error: ',
    'signal: ',
    'signal: a ',
    'exit status 1',
    "No module named 'a.",
    'cannot load such file -- a/',
    'Runtime.',
    'java.lang.',
    'a',
    ' ',
  ])('for 6 MB of "%s" is found in linear time', (part) => {
    const text = part.repeat(6_000_000 / part.length);
    const before = performance.now();
    for (const errorType of ['Error', 'Runtime.ExitError', 'Runtime.ImportModuleError', text]) {
      advise({ errorType, errorMessage: text, cause: { errorType: text, errorMessage: text } });
    }
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  test('reads only the first 4,096 characters of a message', () => {
    const behind = (length: number) =>
      advise({ errorMessage: `${'x'.repeat(length)} JavaScript heap out of memory` });
    expect([behind(4_000), behind(5_000)]).toEqual([expect.any(String), undefined]);
  });
});
