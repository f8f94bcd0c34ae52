import { describe, expect, test } from '@jest/globals';
import { readFunctionError } from '../../../src/outcome/function-error.ts';

describe('a function error', () => {
  test('of Node has its type, its message and its frames, without the line that repeats them', () => {
    expect(
      readFunctionError({
        errorType: 'TypeError',
        errorMessage: 'boom',
        trace: [
          'TypeError: boom',
          '    at work (file:///var/task/work.mjs:2:9)',
          '    at handler (file:///var/task/index.mjs:5:3)',
        ],
      }),
    ).toEqual({
      type: 'TypeError',
      message: 'boom',
      frames: ['at work (file:///var/task/work.mjs:2:9)', 'at handler (file:///var/task/index.mjs:5:3)'],
    });
  });

  test('of Python has its type, its message and its frames with their source', () => {
    expect(
      readFunctionError({
        errorMessage: 'boom',
        errorType: 'ValueError',
        requestId: '11111111-2222-4333-8444-555555555555',
        stackTrace: [
          '  File "/var/task/app.py", line 3, in handler\n    raise ValueError("boom")\n',
          '  File "/var/task/work.py", line 9, in work\n    check()\n',
        ],
      }),
    ).toEqual({
      type: 'ValueError',
      message: 'boom',
      frames: [
        'File "/var/task/app.py", line 3, in handler\n    raise ValueError("boom")',
        'File "/var/task/work.py", line 9, in work\n    check()',
      ],
    });
  });

  test.each([
    ['Node’s runtime', '    at Runtime.handleOnce (file:///var/runtime/index.mjs:1173:29)'],
    ['Node itself', '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)'],
    ['Node’s modules', '    at Object.readFileSync (node:fs:441:20)'],
    ['a package', '    at parse (/var/task/node_modules/yaml/dist/index.js:1:1)'],
    ['Python’s runtime', '  File "/var/runtime/bootstrap.py", line 60, in handle'],
    ['Python itself', '  File "/var/lang/lib/python3.12/json/decoder.py", line 355, in raw_decode'],
    ['a package of Python', '  File "/opt/python/lib/python3.12/site-packages/boto3/client.py", line 1'],
  ])('shows own frames before one of %s', (_, foreign) => {
    const { frames } = readFunctionError({
      errorType: 'Error',
      errorMessage: 'boom',
      trace: [foreign, '    at handler (file:///var/task/index.mjs:5:3)', foreign],
    });
    expect(frames[0]).toBe('at handler (file:///var/task/index.mjs:5:3)');
  });

  test('shows foreign frames where there are no others', () => {
    expect(
      readFunctionError({
        errorType: 'Error',
        errorMessage: 'boom',
        trace: ['Error: boom', '    at Runtime.handleOnce (file:///var/runtime/index.mjs:1173:29)'],
      }).frames,
    ).toEqual(['at Runtime.handleOnce (file:///var/runtime/index.mjs:1173:29)']);
  });

  test('of Lambda itself has no frames', () => {
    expect(
      readFunctionError({
        errorType: 'Sandbox.Timedout',
        errorMessage: 'RequestId: ID Error: Task timed out after 1.00 seconds',
      }),
    ).toEqual({
      type: 'Sandbox.Timedout',
      message: 'RequestId: ID Error: Task timed out after 1.00 seconds',
      frames: [],
    });
  });

  test.each([
    ['a string', 'boom', 'boom'],
    ['an empty string', '', '""'],
    ['a number', 7, '7'],
    ['null', null, 'null'],
    ['nothing', undefined, 'null'],
    ['a list', ['boom', 7], '["boom",7]'],
    ['an object of another shape', { code: 7 }, '{"code":7}'],
    ['a type that is no text', { errorType: 7, errorMessage: null }, '{"errorType":7,"errorMessage":null}'],
  ])('that is %s is shown as it came', (_, result, message) => {
    expect(readFunctionError(result)).toEqual({ type: undefined, message, frames: [] });
  });

  test.each([
    ['only a type', { errorType: 'Error', errorMessage: '' }, { type: 'Error', message: '', frames: [] }],
    ['only a message', { errorMessage: 'boom' }, { type: undefined, message: 'boom', frames: [] }],
    [
      'a stack that is no list',
      { errorType: 'Error', errorMessage: 'boom', trace: 'at handler' },
      { type: 'Error', message: 'boom', frames: [] },
    ],
    [
      'frames that are no text',
      { errorType: 'Error', errorMessage: 'boom', stackTrace: [7, null, '    at handler (index.js:1:1)'] },
      { type: 'Error', message: 'boom', frames: ['at handler (index.js:1:1)'] },
    ],
  ])('with %s is read as far as it goes', (_, result, error) => {
    expect(readFunctionError(result)).toEqual(error);
  });
});
