import { describe, expect, test } from '@jest/globals';
import { readFunctionError } from '../../../src/outcome/function-error.ts';
import { heavyTest } from '../../heavy.ts';

describe('a function error', () => {
  test('of Node.js has its type, message and frames, without the line that repeats them', () => {
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

  test('of Python has its type, message and frames, innermost first and without source lines', () => {
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
      frames: ['File "/var/task/work.py", line 9, in work', 'File "/var/task/app.py", line 3, in handler'],
    });
  });

  test.each([
    ["Node's runtime", '    at Runtime.handleOnce (file:///var/runtime/index.mjs:1173:29)'],
    ['Node itself', '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)'],
    ["Node's modules", '    at Object.readFileSync (node:fs:441:20)'],
    ['a package', '    at parse (/var/task/node_modules/yaml/dist/index.js:1:1)'],
    ["Python's runtime", '  File "/var/runtime/bootstrap.py", line 60, in handle'],
    ['Python itself', '  File "/var/lang/lib/python3.12/json/decoder.py", line 355, in raw_decode'],
    ["Python's import system", '  File "<frozen importlib._bootstrap>", line 1030, in _gcd_import'],
    ['a package of Python', '  File "/opt/python/lib/python3.12/site-packages/boto3/client.py", line 1'],
  ])('shows its own frames and omits those of %s', (_, foreign) => {
    const own = foreign.startsWith('  File')
      ? 'File "/var/task/app.py", line 3, in handler'
      : 'at handler (file:///var/task/index.mjs:5:3)';
    const { frames } = readFunctionError({
      errorType: 'Error',
      errorMessage: 'boom',
      trace: [foreign, own, foreign],
    });
    expect(frames).toEqual([own]);
  });

  test('shows foreign frames if there are no others', () => {
    expect(
      readFunctionError({
        errorType: 'Error',
        errorMessage: 'boom',
        trace: ['Error: boom', '    at Runtime.handleOnce (file:///var/runtime/index.mjs:1173:29)'],
      }).frames,
    ).toEqual(['at Runtime.handleOnce (file:///var/runtime/index.mjs:1173:29)']);
  });

  test('shows only the first frame if all are foreign, and in Python the innermost', () => {
    const stackTrace = [
      '  File "/var/runtime/bootstrap.py", line 60, in handle\n    load()\n',
      '  File "<frozen importlib._bootstrap>", line 1030, in _gcd_import\n',
    ];
    expect(readFunctionError({ errorType: 'KeyError', errorMessage: 'x', stackTrace }).frames).toEqual([
      'File "<frozen importlib._bootstrap>", line 1030, in _gcd_import',
    ]);
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
  ])('that is %s is shown unchanged', (_, result, message) => {
    expect(readFunctionError(result)).toEqual({ type: undefined, message, frames: [] });
  });

  test.each([
    ['only a type', { errorType: 'Error', errorMessage: '' }, { type: 'Error', message: '', frames: [] }],
    ['only a message', { errorMessage: 'boom' }, { type: undefined, message: 'boom', frames: [] }],
    [
      'a stack that is neither a string nor a list',
      { errorType: 'Error', errorMessage: 'boom', trace: { at: 'handler' } },
      { type: 'Error', message: 'boom', frames: [] },
    ],
    [
      'frames that are not strings',
      { errorType: 'Error', errorMessage: 'boom', stackTrace: [7, null, '    at handler (index.js:1:1)'] },
      { type: 'Error', message: 'boom', frames: ['at handler (index.js:1:1)'] },
    ],
  ])('with %s is read as far as possible', (_, result, error) => {
    expect(readFunctionError(result)).toEqual(error);
  });
});

const framesOf = (stackTrace: unknown, given: object = {}): readonly string[] =>
  readFunctionError({ errorType: 'Error', errorMessage: 'boom', stackTrace, ...given }).frames;

describe('the frames of a function error', () => {
  test("of Java omit the JDK, Lambda's runtime and frameworks", () => {
    expect(
      framesOf([
        'java.base/java.lang.Integer.parseInt(Unknown Source)',
        'com.fasterxml.jackson.databind.ObjectMapper.readValue(ObjectMapper.java:3612)',
        'app//com.example.Orders.lambda$load$0(Orders.java:31)',
        'com.example.Handler.handleRequest(Handler.java:12)',
        'org.springframework.cloud.function.context.catalog.SimpleFunctionRegistry.invoke(SimpleFunctionRegistry.java:1027)',
        'java.base/jdk.internal.reflect.DirectMethodHandleAccessor.invoke(Unknown Source)',
        'sun.reflect.NativeMethodAccessorImpl.invoke0(Native Method)',
        'com.amazonaws.services.lambda.runtime.api.client.EventHandlerLoader.handleRequest(EventHandlerLoader.java:205)',
        'lambdainternal.EventHandlerLoader$2.call(EventHandlerLoader.java:905)',
      ]),
    ).toEqual([
      'app//com.example.Orders.lambda$load$0(Orders.java:31)',
      'com.example.Handler.handleRequest(Handler.java:12)',
    ]);
  });

  test('of Java keep packages whose names only start like those of the JDK', () => {
    const own = ['javafans.Handler.run(Handler.java:1)', 'com.java.Handler.run(Handler.java:2)'];
    expect(framesOf(own)).toEqual(own);
  });

  test('of Java in a custom runtime are read from the printed stack', () => {
    const stackTrace = [
      'java.lang.RuntimeException: boom',
      '\tat com.example.Application.hello(Application.java:24)',
      '\tat java.base/java.lang.Thread.run(Thread.java:840)',
      'Caused by: java.lang.IllegalStateException: no orders',
      '\t... 12 more',
    ].join('\n');
    expect(framesOf(stackTrace)).toEqual(['at com.example.Application.hello(Application.java:24)']);
  });

  test("of Go are read from the objects of a panic, without Lambda's module, other modules and the standard library", () => {
    expect(
      framesOf([
        {
          path: 'github.com/aws/aws-lambda-go@v1.46.0/lambda/errors.go',
          line: 39,
          label: 'lambdaPanicResponse',
        },
        {
          path: 'github.com/aws/aws-lambda-go/lambda/function.go',
          line: 31,
          label: '(*Function).Invoke.func1',
        },
        { path: 'runtime/panic.go', line: 914, label: 'gopanic' },
        { path: 'encoding/json/decode.go', line: 7, label: '(*decodeState).object' },
        { path: 'example.com/ext@v0.1.2/ext.go', line: 54, label: 'Parse' },
        { path: 'github.com/me/orders/main.go', line: 114, label: '(*Orders).Check' },
        { path: 'common/main.go', line: 71, label: 'handle' },
        { path: 'reflect/value.go', line: 596, label: 'Value.call' },
      ]),
    ).toEqual(['(*Orders).Check (github.com/me/orders/main.go:114)', 'handle (common/main.go:71)']);
  });

  test('of a Go panic do not start in the Go runtime, which is partly assembly', () => {
    expect(
      framesOf([
        { path: 'github.com/aws/aws-lambda-go/lambda/errors.go', line: 52, label: 'lambdaPanicResponse' },
        { path: 'runtime/asm_arm64.s', line: 1223, label: 'goexit' },
        { path: 'runtime/panic.go', line: 785, label: 'gopanic' },
        { path: 'runtime/signal_unix.go', line: 917, label: 'sigpanic' },
        { path: 'internal/runtime/maps/runtime_faststr_swiss.go', line: 265, label: 'mapassign_faststr' },
        { path: 'orders/main.go', line: 31, label: 'handler' },
        { path: 'runtime/asm_amd64.s', line: 1700, label: 'goexit' },
      ]),
    ).toEqual(['handler (orders/main.go:31)']);
  });

  test("of PHP leave out PHP itself, Composer's packages and the layer that runs it", () => {
    expect(
      framesOf([
        '#0 /var/task/src/Orders.php(24): PDO->prepare()',
        '#1 [internal function]: App\\Orders->load()',
        '#2 /var/task/vendor/symfony/http-kernel/HttpKernel.php(181): App\\Orders->all()',
        '#3 /var/task/src/index.php(7): App\\Orders->check()',
        '#4 /opt/bref/bootstrap.php(43): Bref\\Runtime\\LambdaRuntime->processNextEvent()',
        '#5 {main}',
      ]),
    ).toEqual([
      '#0 /var/task/src/Orders.php(24): PDO->prepare()',
      '#3 /var/task/src/index.php(7): App\\Orders->check()',
    ]);
  });

  test('of PHP are only the first one if all are foreign', () => {
    const stackTrace = ['#0 /var/task/vendor/bref/bref/src/Handler.php(5): run()', '#1 {main}'];
    expect(framesOf(stackTrace)).toEqual(stackTrace.slice(0, 1));
    expect(framesOf(['#0 {main}'])).toEqual(['#0 {main}']);
  });

  const COMPILED = [
    '    at wrapSafe (node:internal/modules/cjs/loader:1693:18)',
    '    at require (node:internal/modules/helpers:152:16)',
  ];
  const syntaxError = (place: string): string[] => [
    place,
    'const total = ;',
    '              ^',
    '',
    "SyntaxError: Unexpected token ';'",
    ...COMPILED,
    '    at handler (/var/task/index.js:4:3)',
  ];
  const framesOfSyntaxError = (place: string): readonly string[] =>
    framesOf(undefined, {
      errorType: 'SyntaxError',
      errorMessage: "Unexpected token ';'",
      trace: syntaxError(place),
    });

  test.each(['/var/task/orders.js:12', 'file:///var/task/my orders.mjs:12', 'C:\\task\\orders.js:12'])(
    'of a Node.js syntax error start with its position, which is above the stack: %s',
    (place) => {
      expect(framesOfSyntaxError(place)).toEqual([place, 'at handler (/var/task/index.js:4:3)']);
    },
  );

  test('of a syntax error in a package are those of the code that loads it', () => {
    expect(framesOfSyntaxError('/var/task/node_modules/broken/index.js:1')).toEqual([
      'at handler (/var/task/index.js:4:3)',
    ]);
  });

  test('do not repeat a position that is above the stack and in it', () => {
    const trace = [
      '/var/task/index.js:4',
      'throw new Error()',
      'Error: boom',
      '    at f (/var/task/index.js:4:3)',
    ];
    expect(framesOf(undefined, { trace })).toEqual(['at f (/var/task/index.js:4:3)']);
  });

  test('of .NET omit System, Amazon.Lambda and lines between frames', () => {
    expect(
      framesOf([
        'at System.Number.ThrowFormatException[TChar](ReadOnlySpan`1 value)',
        'at Orders.Function.Load(String id) in /src/Function.cs:line 31',
        '--- End of stack trace from previous location ---',
        'at Orders.Function.Handler(String id, ILambdaContext context) in /src/Function.cs:line 10',
        'at lambda_method(Closure , Stream , Stream , LambdaContextInternal )',
        'at Amazon.Lambda.RuntimeSupport.HandlerWrapper.Invoke(InvocationRequest invocation)',
      ]),
    ).toEqual([
      'at Orders.Function.Load(String id) in /src/Function.cs:line 31',
      'at Orders.Function.Handler(String id, ILambdaContext context) in /src/Function.cs:line 10',
    ]);
  });

  test('of Ruby omit gems and Ruby itself', () => {
    expect(
      framesOf([
        "/var/task/vendor/bundle/ruby/3.2.0/gems/rack-3.0.0/lib/rack.rb:93:in `call'",
        "/var/lang/lib/ruby/3.2.0/json/common.rb:216:in `parse'",
        "<internal:kernel>:187:in `loop'",
        "/var/task/orders.rb:31:in 'Orders#load'",
        "/var/task/lambda_function.rb:5:in `lambda_handler'",
        "/var/runtime/gems/aws_lambda_ric-3.0.0/lib/aws_lambda_ric/lambda_handler.rb:28:in `call_handler'",
      ]),
    ).toEqual([
      "/var/task/orders.rb:31:in 'Orders#load'",
      "/var/task/lambda_function.rb:5:in `lambda_handler'",
    ]);
  });

  test('of old Python versions are read from lists of four', () => {
    expect(
      framesOf([
        ['/var/task/app.py', 123, 'handler', 'work()'],
        ['/var/task/work.py', 9, 'work', 'raise Exception()'],
        [],
      ]),
    ).toEqual(['File "/var/task/work.py", line 9, in work', 'File "/var/task/app.py", line 123, in handler']);
  });

  test('of Node.js omit V8, the modules of old Node.js versions, and lines that repeat the message', () => {
    const message = 'bad order:\nat line 7';
    expect(
      framesOf(undefined, {
        errorMessage: message,
        trace: [
          'Error: bad order:',
          'at line 7',
          '    at JSON.parse (<anonymous>)',
          '    at load (/var/task/index.js:3:1)',
          '    at async Promise.all (index 0)',
          '    at process._tickCallback (internal/process/next_tick.js:68:7)',
        ],
      }),
    ).toEqual(['at load (/var/task/index.js:3:1)']);
  });

  test('of an error that a handler serialized itself are those of its stack', () => {
    expect(
      readFunctionError({
        name: 'OrderError',
        message: 'boom',
        stack: 'OrderError: boom\n    at load (/var/task/a.js:1:1)',
      }),
    ).toEqual({ type: 'OrderError', message: 'boom', frames: ['at load (/var/task/a.js:1:1)'] });
  });

  test('are one line each', () => {
    const frames = framesOf(['  at a (/var/task/a.js:1:1)\r\n  source\n', ' at b (/var/task/b.js:1:1) ']);
    expect(frames).toEqual(['at a (/var/task/a.js:1:1)', 'at b (/var/task/b.js:1:1)']);
  });
});

describe('a function error of 6 MB', () => {
  const BYTES = 6_000_000;
  /** For work that takes milliseconds. With a pattern that is not linear, it would take minutes or hours. */
  const MOST_MS = 5_000;

  // For every pattern, a repeated text that almost matches it.
  const parts = [
    '(',
    '((:1',
    ':1',
    ':1:in',
    'a',
    'a:1',
    'at ',
    'at System.',
    'at lambda_method',
    'at async Promise.a',
    'a.b(',
    'java/',
    'File "',
    '#1 /a(1)',
    '#1 /vendor',
    '/vendor/',
    '/var/task',
    '/usr/lib',
    '/usr/local/lib/ruby',
    '/node_modules',
    '/site-packages',
    '/gems',
    '"<frozen',
    '@v1',
    '@v1/a.go:1',
    '(fmt/',
    '(fmt/a.go:1',
    '(github.com/aws/aws-lambda-go',
    'node:internal',
    'C:/a:1',
    'Error: ',
    ' ',
    '\t',
    '\\',
  ];
  const shapes: Readonly<Record<string, (text: string) => unknown>> = {
    'one line': (text) => ({ errorType: 'Error', errorMessage: 'boom', trace: [text] }),
    'one line after another': (text) => ({
      errorType: 'Error',
      errorMessage: 'boom',
      trace: `x\n${text}\n)`,
    }),
    'many lines': (text) => ({
      errorType: 'Error',
      errorMessage: 'boom',
      stackTrace: text.match(/.{1,600}/g) ?? [],
    }),
    'a place': (text) => ({
      errorType: 'Error',
      errorMessage: 'boom',
      stackTrace: [{ path: text, line: 1 }],
    }),
    'a message': (text) => ({ errorType: 'Error', errorMessage: text, trace: ['    at f (/a.js:1:1)'] }),
    'a type': (text) => ({ errorType: text, errorMessage: 'boom', trace: ['    at f (/a.js:1:1)'] }),
    'a cause': (text) => ({ errorMessage: 'boom', cause: { errorMessage: text, stackTrace: [text] } }),
  };

  heavyTest.each(parts)('of %j is read in linear time, whichever part is that long', (part) => {
    const text = part.repeat(BYTES / part.length);
    for (const [shape, make] of Object.entries(shapes)) {
      const error = make(text);
      const before = performance.now();
      const { frames } = readFunctionError(error);
      expect([shape, performance.now() - before < MOST_MS]).toEqual([shape, true]);
      expect(frames.every((frame) => frame.length <= 512)).toBe(true);
    }
  });

  heavyTest('in 100,000 lines keeps the innermost call at either end', () => {
    const calls = (name: string) =>
      Array.from({ length: 100_000 }, (_, at) => `    at ${name}${at} (/a.js:1:1)`);
    expect(framesOf(calls('f')).slice(0, 2)).toEqual(['at f0 (/a.js:1:1)', 'at f1 (/a.js:1:1)']);
    const python = Array.from(
      { length: 100_000 },
      (_, at) => `  File "/var/task/a.py", line ${at}, in f\n    f()\n`,
    );
    expect(framesOf(python)[0]).toBe('File "/var/task/a.py", line 99999, in f');
    expect(framesOf(calls('f'))).toHaveLength(1_000);
  });
});

describe('a function error in another format', () => {
  test.each([
    [
      "Rust's type",
      { errorType: '&alloc::string::String', errorMessage: 'boom' },
      '&alloc::string::String',
      'boom',
    ],
    [
      "Ruby's type",
      { errorType: 'Function<StandardError>', errorMessage: 'boom' },
      'Function<StandardError>',
      'boom',
    ],
    ['a message that is a number', { errorType: 'number', errorMessage: 7 }, 'number', '7'],
    ['a message that is false', { errorMessage: false }, undefined, 'false'],
    ['a message that is an object', { errorMessage: { code: 7 } }, undefined, '{"code":7}'],
    ['message', { message: 'boom' }, undefined, 'boom'],
    ['error', { error: 'boom' }, undefined, 'boom'],
    ['error and message', { error: 'NotFound', message: 'boom' }, 'NotFound', 'boom'],
    ['an error within', { error: { name: 'NotFound', message: 'boom' } }, 'NotFound', 'boom'],
    ['a name that need not be a type', { name: 'Bob' }, undefined, '{"name":"Bob"}'],
    ['an error that tells nothing', { error: true }, undefined, '{"error":true}'],
    ['an error within that tells nothing', { error: { code: 7 } }, undefined, '{"error":{"code":7}}'],
  ])('with %s is read', (_, result, type, message) => {
    expect(readFunctionError(result)).toEqual({ type, message, frames: [] });
  });

  const nested = (depth: number, [open, close]: readonly [string, string]): unknown =>
    JSON.parse(`${open.repeat(depth)}1${close.repeat(depth)}`);

  test.each([
    ['a deep list', nested(500_000, ['[', ']']), 'The response is nested too deeply to be shown.'],
    ['a deep object', nested(500_000, ['{"a":', '}']), 'The response is nested too deeply to be shown.'],
    ['a deep error', nested(500_000, ['{"error":', '}']), 'The response is nested too deeply to be shown.'],
    [
      'a deep message',
      { errorMessage: nested(500_000, ['[', ']']) },
      'The response is nested too deeply to be shown.',
    ],
    ['a long text', 'x'.repeat(6_000_000), 'x'.repeat(6_000_000)],
  ])('that is %s is also read', (_, result, message) => {
    expect(readFunctionError(result)).toEqual({ type: undefined, message, frames: [] });
  });

  const values: readonly unknown[] = [
    null,
    true,
    false,
    0,
    -1.5,
    '',
    ' ',
    'at x',
    [],
    [[]],
    [null],
    {},
    [{}],
    { a: 1 },
  ];
  const fields = [
    'errorType',
    'errorMessage',
    'trace',
    'stackTrace',
    'stack',
    'cause',
    'causes',
    'error',
    'message',
    'name',
  ];

  test.each(fields)('has a string and lines, whatever %s is', (field) => {
    for (const value of values) {
      for (const base of [{}, { errorType: 'Error', errorMessage: 'boom' }]) {
        for (const result of [
          { ...base, [field]: value },
          { ...base, [field]: [value, value] },
          { ...base, cause: { [field]: value } },
        ]) {
          const { type, message, frames, causes = [] } = readFunctionError(result);
          expect(
            [type, ...causes.map((cause) => cause.type)].every((one) => one === undefined || one.length > 0),
          ).toBe(true);
          expect(
            [message, ...causes.map((cause) => cause.message)].every((one) => typeof one === 'string'),
          ).toBe(true);
          expect(
            [...frames, ...causes.flatMap((cause) => cause.frames)].every((one) => !one.includes('\n')),
          ).toBe(true);
          expect(message !== '' || type !== undefined).toBe(true);
        }
      }
    }
  });
});

describe('the causes of a function error', () => {
  test('of Java are its chain, and the error keeps its own type and message', () => {
    expect(
      readFunctionError({
        errorMessage: 'An error occurred during JSON parsing',
        errorType: 'java.lang.RuntimeException',
        stackTrace: [],
        cause: {
          errorMessage: 'wrapped',
          errorType: 'java.io.UncheckedIOException',
          stackTrace: [],
          cause: {
            errorMessage: 'not a valid Integer value',
            errorType: 'com.fasterxml.jackson.databind.exc.InvalidFormatException',
            stackTrace: ['com.example.Orders.read(Orders.java:5)'],
          },
        },
      }),
    ).toEqual({
      type: 'java.lang.RuntimeException',
      message: 'An error occurred during JSON parsing',
      frames: [],
      causes: [
        { type: 'java.io.UncheckedIOException', message: 'wrapped', frames: [] },
        {
          type: 'com.fasterxml.jackson.databind.exc.InvalidFormatException',
          message: 'not a valid Integer value',
          frames: ['com.example.Orders.read(Orders.java:5)'],
        },
      ],
    });
  });

  test("of .NET's AggregateException start with the first in its list", () => {
    const causes = [
      { errorType: 'FormatException', errorMessage: 'first', stackTrace: ['at A.B() in /src/B.cs:line 1'] },
      { errorType: 'FormatException', errorMessage: 'second' },
    ];
    expect(
      readFunctionError({ errorType: 'AggregateException', errorMessage: 'One or more errors', causes })
        .causes,
    ).toEqual([{ type: 'FormatException', message: 'first', frames: ['at A.B() in /src/B.cs:line 1'] }]);
  });

  test('of Node.js can be text', () => {
    expect(
      readFunctionError({ errorType: 'Error', errorMessage: 'boom', cause: 'no orders' }).causes,
    ).toEqual([{ type: undefined, message: 'no orders', frames: [] }]);
  });

  test('are the innermost five of a longer chain, outermost first', () => {
    const chain = (depth: number): object =>
      depth === 0 ? { errorMessage: '0' } : { errorMessage: String(depth), cause: chain(depth - 1) };
    const { message, causes } = readFunctionError(chain(9));
    expect([message, ...(causes ?? []).map((cause) => cause.message)]).toEqual([
      '9',
      '4',
      '3',
      '2',
      '1',
      '0',
    ]);
  });

  heavyTest('are found at any depth of the chain', () => {
    const deep: unknown = JSON.parse(
      `${'{"errorMessage":"x","cause":'.repeat(200_000)}null${'}'.repeat(200_000)}`,
    );
    expect(readFunctionError(deep).causes).toHaveLength(5);
  });

  test('are not read from an object that is not an error', () => {
    expect(readFunctionError({ cause: 'rain' })).toEqual({
      type: undefined,
      message: '{"cause":"rain"}',
      frames: [],
    });
  });
});
