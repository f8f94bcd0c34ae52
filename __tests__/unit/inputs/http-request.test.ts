import { describe, expect, test } from '@jest/globals';
import { type HttpRequest, parseHttpRequest } from '../../../src/inputs/http-request.ts';
import { Problems } from '../../../src/inputs/problems.ts';
import { eventOf, invocationFor, planFor, problemsFor } from './factory.ts';

const read = (
  ...lines: readonly string[]
): { request: HttpRequest | undefined; problems: readonly string[] } => {
  const problems = new Problems();
  const request = parseHttpRequest(lines.join('\n'), problems);
  return { request, problems: problems.error?.problems ?? [] };
};

const accepted = (...lines: readonly string[]): HttpRequest => {
  const { request, problems } = read(...lines);
  expect(problems).toEqual([]);
  if (request === undefined) throw new Error('there is no request');
  return request;
};

const GET = { method: 'GET', path: '/health', query: '', headers: [], body: '' } as const;

describe('the request line', () => {
  test.each([
    ['GET /health', GET],
    ['get   /health  ', GET],
    ['GET /health HTTP/1.1', GET],
    ['GET /health HTTP/2', GET],
    ['GET /health?deep=1&a=%20?', { ...GET, query: 'deep=1&a=%20?' }],
    ['GET /health?', GET],
    ['DELETE /', { ...GET, method: 'DELETE', path: '/' }],
    ['GET /caf\u00e9?q=\u{1f600}', { ...GET, path: '/caf%C3%A9', query: 'q=%F0%9F%98%80' }],
    ['GET /a//b/../c', { ...GET, path: '/a//b/../c' }],
    ['GET https://api.example.com/health', { ...GET, headers: [['Host', 'api.example.com']] }],
    [
      'GET http://localhost:3000?a=1',
      { ...GET, path: '/', query: 'a=1', headers: [['Host', 'localhost:3000']] },
    ],
  ])('%j is read', (line, expected) => {
    expect(accepted(line)).toEqual(expected);
  });

  test.each([
    ['/health', 'begin with the method, for example GET /health.'],
    ['https://api.example.com/health', 'begin with the method, for example GET /health.'],
    ['GET', 'the path is missing. Write it after the method, for example GET /health.'],
    ['GET HTTP/1.1', 'the path is missing. Write it after the method, for example GET /health.'],
    ['GET health', 'the path must begin with "/".'],
    ['GET *', 'the path must begin with "/".'],
    ['GET /a b', 'the path has white space in it. Write %20 for a space.'],
    ['GETT /health', '"GETT" is not a method that an API has. Did you mean GET?'],
    [
      'FROBNICATE /health',
      '"FROBNICATE" is not a method that an API has. It must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.',
    ],
    [
      'eyJhbGciOiJIUzI1NiJ9 /health',
      'the first word is not a method that an API has. It must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.',
    ],
    ['requests/health.http', 'this looks like the path of a file. Write the request itself.'],
    ['GET /health#top', 'remove "#" and what follows it: a fragment is not sent.'],
    ['GET /100%', '"%" must be followed by two hexadecimal digits. Write %25 for the sign itself.'],
    ['GET /?q=%zz', '"%" must be followed by two hexadecimal digits. Write %25 for the sign itself.'],
    [
      'GET https://user:password@api.example.com/',
      'a user name in a URL is not sent. Remove it, or write an Authorization header.',
    ],
    [
      'GET {{host}}/health',
      '"{{ }}" is not evaluated here. Write an expression, for example ${{ vars.NAME }}.',
    ],
    ['@host = example.com', 'variables (@name = value) are not supported. Write the values out.'],
    ['< {% request.variables %}', 'scripts and files are not supported. Write the request itself.'],
  ])('%j is refused with its reason', (line, reason) => {
    expect(read(line)).toEqual({ request: undefined, problems: [`http_request, line 1: ${reason}`] });
  });
});

describe('headers', () => {
  test('are read in their order, with repeated names and empty values, among comments', () => {
    const { headers } = accepted('GET /', 'Accept: text/plain', '# a comment', 'X-Empty:', 'accept:  a: b ');
    expect(headers).toEqual([
      ['Accept', 'text/plain'],
      ['X-Empty', ''],
      ['accept', 'a: b'],
    ]);
  });

  test('a Host header overrides the host of a URL', () => {
    const { headers } = accepted('GET https://a.example/', 'host: b.example');
    expect(headers).toEqual([['host', 'b.example']]);
  });

  test.each([
    ['{"ok": 1', 'the name of a header has letters, digits and dashes only, and no space before the colon.'],
    ['Accept', 'a header needs a colon, as in "name: value". Put an empty line in front of the body.'],
    [
      'Accept : a',
      'the name of a header has letters, digits and dashes only, and no space before the colon.',
    ],
    [': a', 'the name of a header has letters, digits and dashes only, and no space before the colon.'],
    ['A: \u0001', 'a header can have no control characters.'],
    [
      'Authorization: Bearer {{token}}',
      '"{{ }}" is not evaluated here. Write an expression, for example ${{ vars.NAME }}.',
    ],
    [
      '  &page=2',
      'the line begins with white space. Write the request target, and each header, on one line of its own.',
    ],
    ['### next', '"###" begins another request. http_request supports only one.'],
  ])('%j is refused with its reason', (line, reason) => {
    expect(read('GET /', line).problems).toEqual([`http_request, line 2: ${reason}`]);
  });
});

describe('the body', () => {
  test('is what follows the first empty line, but for the last line end', () => {
    expect(accepted('POST /', '', '  {', '', '  }  ', '').body).toBe('  {\n\n  }  ');
    expect(accepted('POST /', 'A: b', '', 'a', '', '').body).toBe('a\n');
    expect(accepted('POST /', '', '', 'a').body).toBe('\na');
  });

  test('keeps its line ends, and the lines of the head may end in CR LF', () => {
    expect(accepted('POST / HTTP/1.1\r', 'A: b\r', '\r', 'a\r', 'b\r', '')).toEqual({
      ...GET,
      method: 'POST',
      path: '/',
      headers: [['A', 'b']],
      body: 'a\r\nb',
    });
  });

  test('may hold what looks like a comment, a header or a template', () => {
    const lines = ['# title', 'a: b', '> quoted', '<note/>', '{{name}}'];
    expect(accepted('POST /', '', ...lines).body).toBe(lines.join('\n'));
  });

  test.each([
    ['< ./body.json', 'a body in a file is not supported. Write the body itself.'],
    ['<@ ./body.json', 'a body in a file is not supported. Write the body itself.'],
    ['### next', '"###" begins another request. http_request supports only one.'],
    ['> {% client.test() %}', 'response handlers are not supported. Use expect.'],
  ])('%j is refused with its reason', (line, reason) => {
    expect(read('POST /', '', line).problems).toEqual([`http_request, line 3: ${reason}`]);
  });
});

test('comments and empty lines in front are skipped, and lines keep their numbers', () => {
  expect(accepted('### Health', '// checked daily', '', 'GET /health')).toEqual(GET);
  expect(read('', '# a comment', 'GET health').problems).toEqual([
    'http_request, line 3: the path must begin with "/".',
  ]);
  expect(read('# nothing', '').problems).toEqual([
    'http_request has no request line. Begin with a method and a path, for example GET /health.',
  ]);
});

test('all problems are found at once, and none quotes a path, a header or the body', () => {
  const { problems } = read('FETCH s3cret', 'A', 'B : s3cret', '', '### s3cret');
  expect(problems.map((problem) => problem.slice(0, 20))).toEqual([
    'http_request, line 1',
    'http_request, line 1',
    'http_request, line 2',
    'http_request, line 3',
    'http_request, line 5',
  ]);
  expect(problems.join()).not.toContain('s3cret');
});

describe('as an input', () => {
  const HTTP = { payload: '', http_request: 'GET /health' } as const;

  test.each(['2.0', '1.0', 'alb', '2', '1', 'ALB'])('http_event %s is a format', async (format) => {
    const { http } = await invocationFor({ ...HTTP, http_event: format });
    const known = { '2': '2.0', '1': '1.0', ALB: 'alb' };
    const expected = Object.entries(known).find(([given]) => given === format)?.[1] ?? format;
    expect(http).toEqual({ format: expected, request: 'GET /health' });
  });

  test.each([
    ['v1', '1.0'],
    ['REST', '1.0'],
    ['http-api', '2.0'],
    ['function_url', '2.0'],
    ['elb', 'alb'],
  ])('http_event %s is refused, and %s suggested', async (given, meant) => {
    expect(await problemsFor({ ...HTTP, http_event: given })).toEqual([
      `http_event must be 2.0, 1.0 or alb; got "${given}" (did you mean "${meant}"?).`,
    ]);
  });

  test('takes the place of a payload, and stands beside none', async () => {
    expect(await problemsFor({ http_request: 'GET /', payload_file: 'a.json' })).toEqual([
      'payload, payload_file and http_request are all given. Keep one of them.',
    ]);
    expect(await problemsFor({ http_request: 'GET /' })).toEqual([
      'payload and http_request are both given. Keep one of them.',
    ]);
  });

  test('has a response, so it cannot be an Event', async () => {
    expect(await problemsFor({ ...HTTP, invocation_type: 'Event' })).toEqual([
      'http_request needs invocation_type RequestResponse or DryRun: an Event has no response. To queue the event of a request, give it as payload.',
    ]);
    expect((await invocationFor({ ...HTTP, invocation_type: 'DryRun' })).invocationType).toBe('DryRun');
  });

  test("an entry has its own, with its own white space, or the step's in its own format", async () => {
    const plan = await planFor({
      ...HTTP,
      http_event: 'alb',
      invocations: [
        '- {}',
        '- http_event: 1.0',
        '- http_request: |',
        '    POST /',
        '    content-type: text/plain',
        '',
        '      indented',
        '- payload: {}',
      ].join('\n'),
    });
    expect(plan.invocations.map(({ http }) => http)).toEqual([
      { format: 'alb', request: 'GET /health' },
      { format: '1.0', request: 'GET /health' },
      { format: 'alb', request: 'POST /\ncontent-type: text/plain\n\n  indented\n' },
      undefined,
    ]);
    const own = JSON.parse((await eventOf(plan.invocations[2]?.payload)).toString());
    expect(own.body).toBe('  indented');
  });

  test("an entry's problems name the entry, and the step's are told once", async () => {
    const invocations = '- { function_name: f, http_request: GET health }\n- g\n- h\n';
    expect(await problemsFor({ payload: '', http_request: 'GET /%', invocations })).toEqual([
      'invocations, entry 1 (line 1): http_request, line 1: the path must begin with "/".',
      'http_request, line 1: "%" must be followed by two hexadecimal digits. Write %25 for the sign itself.',
    ]);
    const both = '- { function_name: f, payload: {}, http_request: GET / }';
    expect(await problemsFor({ payload: '', invocations: both })).toEqual([
      'invocations, entry 1 (line 1, column 36): payload and http_request are both given. Keep one of them.',
    ]);
  });

  test('a body without a content-type is warned of where an API passes it in base64', async () => {
    const warningsWith = async (text: string, format: string) =>
      (await planFor({ payload: '', http_request: text, http_event: format })).warnings;
    for (const format of ['2.0', 'alb']) {
      expect(await warningsWith('POST /\n\n{}', format)).toEqual([
        'http_request has a body and no content-type header: the function gets the body in base64, as from an API. For JSON, write content-type: application/json.',
      ]);
      expect(await warningsWith('POST /\nContent-Type: text/csv\n\na', format)).toEqual([]);
    }
    expect(await warningsWith('POST /\n\n{}', '1.0')).toEqual([]);
    expect(await warningsWith('POST /\nContent-Type: text/csv\n\n${{ a }}', '1.0')).toEqual([
      expect.stringContaining('http_request contains "${{" (line 4, column 1)'),
    ]);
  });

  test('http_event without http_request has no effect, and that is a warning', async () => {
    expect((await planFor({ http_event: 'alb' })).warnings).toEqual([
      'http_event has no effect without http_request; the payload is sent as it is.',
    ]);
  });

  test('an event that is too long for Lambda is refused', async () => {
    const text = `POST /\n\n${'x'.repeat(5_000_000)}`;
    expect(await problemsFor({ payload: '', http_request: text })).toEqual([
      expect.stringMatching(
        /^The event of http_request is 6,6\d\d,\d{3} bytes; Lambda takes at most 6,291,456 /,
      ),
    ]);
  });
});

describe('expressions on http', () => {
  const HTTP = { payload: '', http_request: 'GET /' } as const;

  test.each(['expect', 'query', 'mask'] as const)('%s can read it with http_request alone', async (input) => {
    const expression = { [input]: 'http.body.ok' };
    expect(await problemsFor({ ...HTTP, ...expression })).toEqual([]);
    expect(await problemsFor(expression)).toEqual([
      `${input}: http needs http_request: a response to a payload is in response.\n    http.body.ok\n    ^`,
    ]);
    expect(await problemsFor({ ...HTTP, ...expression, invocation_type: 'DryRun' })).toEqual([
      expect.stringMatching(
        new RegExp(`^${input}: invocation_type: DryRun has no http\\. Use RequestResponse`),
      ),
    ]);
  });

  test('an expectation of the step needs it in every entry, and one of an entry in that entry', async () => {
    const invocations = '- {}\n- { payload: {}, expect: http.body.ok }\n';
    expect(await problemsFor({ ...HTTP, invocations })).toEqual([
      expect.stringMatching(/^invocations, entry 2 \(line 2\): expect: http needs http_request/),
    ]);
    const mixed = '- {}\n- { payload: {} }\n';
    expect(await problemsFor({ ...HTTP, expect: 'http.body.ok', invocations: mixed })).toHaveLength(1);
  });

  test.each([
    ['statusCode == `200`', 'there is no field "statusCode"; did you mean http.status?'],
    ['status == `200`', 'there is no field "status"; did you mean http.status?'],
    ['body.ok == `true`', 'there is no field "body"; did you mean http.body?'],
    ['http.statusCode != `500`', 'http has no field "statusCode"; did you mean http.status?'],
    ['http.stauts != `500`', 'http has no field "stauts"; did you mean http.status?'],
    ['http.ok', 'http has no field "ok"; it has status, headers and body.'],
    [
      'http.headers."Content-Type" != \'a\'',
      'names of headers are in lower case: http.headers."content-type".',
    ],
  ])('%s is refused before anything is sent', async (expression, reason) => {
    const [problem] = await problemsFor({ ...HTTP, expect: expression });
    expect(problem?.split('\n')[0]).toBe(`expect: ${reason}`);
  });

  test('a field is looked for in the response where not every invocation has an HTTP request', async () => {
    const mixed = '- {}\n- { payload: {} }\n';
    const [problem] = await problemsFor({ ...HTTP, mask: 'statusCode', invocations: mixed });
    expect(problem).toContain('did you mean response.statusCode?');
  });

  test.each(['http.status', 'http.headers."x-a"', 'http.body.Status', 'response.http.ok', 'http'])(
    '%s is sound',
    async (expression) => {
      expect(await problemsFor({ ...HTTP, query: expression })).toEqual([]);
    },
  );
});
