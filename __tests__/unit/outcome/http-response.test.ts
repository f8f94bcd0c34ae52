import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import type { HttpEventFormat } from '../../../src/lambda/invocation.ts';
import { parseResponse } from '../../../src/outcome/document.ts';
import { type HttpReading, readHttpResponse } from '../../../src/outcome/http-response.ts';

function read(
  format: HttpEventFormat,
  returned: unknown,
  given: Readonly<{ isWhole?: boolean }> = {},
): HttpReading {
  const payload = returned instanceof Uint8Array ? returned : Buffer.from(JSON.stringify(returned));
  const parsed = parseResponse(payload);
  return readHttpResponse({ payload, parsed, format, isWhole: true, hasFailed: false, ...given });
}

const FORMATS = ['2.0', '1.0', 'alb'] as const;
const JSON_TYPE = { 'content-type': 'application/json' } as const;

/** What a REST API and a load balancer send instead of a response that they do not accept. */
const refused = (why: string): HttpReading => ({
  http: { status: 502, headers: JSON_TYPE, body: { message: 'Internal server error' } },
  problem: `API Gateway does not accept this response, and responds with 502: ${why}.`,
  isEncoded: false,
});

describe.each(FORMATS)('a response of format %s', (format) => {
  test.each([
    [{ statusCode: 204 }, { status: 204, headers: {}, body: '' }],
    [
      { statusCode: '404', body: 'no such page' },
      { status: 404, headers: {}, body: 'no such page' },
    ],
    [
      { statusCode: 200, body: null, headers: null, isBase64Encoded: null },
      { status: 200, headers: {}, body: '' },
    ],
    [
      { statusCode: 200, headers: { 'X-Count': 3, 'X-Last': true, 'Content-Type': null }, body: '{"a":1}' },
      { status: 200, headers: { 'x-count': '3', 'x-last': 'true' }, body: { a: 1 } },
    ],
    [
      { statusCode: 200, headers: JSON_TYPE, body: 'eyJvayI6dHJ1ZX0=', isBase64Encoded: true },
      { status: 200, headers: JSON_TYPE, body: { ok: true } },
    ],
    [
      { statusCode: 200, body: '/9j/', isBase64Encoded: true },
      { status: 200, headers: {}, body: '/9j/' },
    ],
    [
      { statusCode: 200, headers: { 'a-b': '1', 'A-B': '2' } },
      { status: 200, headers: { 'a-b': '1, 2' }, body: '' },
    ],
  ])('%j is accepted', (returned, http) => {
    expect(read(format, returned)).toEqual({
      http,
      isEncoded: 'isBase64Encoded' in returned && returned.isBase64Encoded === true,
    });
  });

  test.each([
    [{ statusCode: null, body: '' }, 'statusCode is null, not a status code'],
    [{ statusCode: 'OK' }, 'statusCode is a string, not a status code'],
    [{ statusCode: {} }, 'statusCode is an object, not a status code'],
    [{ statusCode: 0 }, 'statusCode is not from 100 to 599'],
    [{ statusCode: 200.5 }, 'statusCode is not from 100 to 599'],
    [{ statusCode: 600 }, 'statusCode is not from 100 to 599'],
    [{ statusCode: 200, headers: ['a'] }, 'headers is a list, not an object'],
    [{ statusCode: 200, headers: 'a: b' }, 'headers is a string, not an object'],
    [{ statusCode: 200, headers: { a: ['b'] } }, 'a value in headers is a list'],
    [{ statusCode: 200, headers: { 'a b': 'c' } }, 'headers has a name that no header can have'],
    [{ statusCode: 200, headers: { a: 'b\r\nc: d' } }, 'a value in headers has a line end in it'],
    [
      { statusCode: 200, body: { ok: true } },
      'body is an object. It must be a string, for example from JSON.stringify()',
    ],
    [
      { statusCode: 200, body: 3 },
      'body is a number. It must be a string, for example from JSON.stringify()',
    ],
    [{ statusCode: 200, isBase64Encoded: 'true' }, 'isBase64Encoded is a string, not true or false'],
    [
      { statusCode: 200, body: '{}', isBase64Encoded: true },
      'isBase64Encoded is true, and body is not base64',
    ],
  ])('%j is a 502', (returned, why) => {
    expect(read(format, returned)).toEqual(refused(why));
  });

  test('of a function that failed is a 502 without more words', () => {
    const payload = Buffer.from('{"errorType":"TypeError"}');
    const parsed = parseResponse(payload);
    expect(readHttpResponse({ payload, parsed, format, isWhole: true, hasFailed: true })).toEqual({
      http: refused('').http,
      isEncoded: false,
    });
  });

  test('that was streamed has status and headers in front of its body', () => {
    const streamed = (prelude: string, body: string | Uint8Array): Buffer =>
      Buffer.concat([Buffer.from(prelude), Buffer.alloc(8), Buffer.from(body)]);
    const prelude = '{"statusCode":201,"headers":{"Content-Type":"application/json"}}';
    expect(read(format, streamed(prelude, '{"ok":true}'))).toEqual({
      http: { status: 201, headers: JSON_TYPE, body: { ok: true } },
      isEncoded: false,
    });
    expect(read(format, streamed('{}', Buffer.from([0, 1, 255]))).http).toEqual({
      status: 200,
      headers: {},
      body: 'AAH/',
    });
    expect(read(format, streamed(prelude, 'the start'), { isWhole: false }).http).toEqual({
      status: 201,
      headers: JSON_TYPE,
    });
    expect(read(format, streamed('{"statusCode":', ''))).toEqual(
      refused('what precedes the streamed body is not a JSON object'),
    );
    expect(read(format, streamed('{"statusCode":"OK"}', '')).http.status).toBe(502);
  });
});

describe('format 2.0', () => {
  test.each([
    [{ ok: true }, { ok: true }],
    ['Hello', 'Hello'],
    [[1], [1]],
    [null, null],
    [Buffer.from('not JSON'), 'not JSON'],
    [Buffer.from([255, 216]), '/9g='],
    [Buffer.alloc(0), ''],
  ])('%j without a status is the body of a 200', (returned, body) => {
    expect(read('2.0', returned)).toEqual({
      http: { status: 200, headers: JSON_TYPE, body },
      isEncoded: false,
    });
  });

  test('has cookies beside its headers, and no multiValueHeaders', () => {
    const returned = {
      statusCode: 200,
      headers: { 'Set-Cookie': 'a=1' },
      cookies: ['b=2', 'c=3'],
      multiValueHeaders: { d: ['4'] },
    };
    expect(read('2.0', returned).http.headers).toEqual({ 'set-cookie': ['a=1', 'b=2', 'c=3'] });
    expect(read('2.0', { statusCode: 200, cookies: 'a=1' })).toEqual(
      refused('cookies is a string, not a list'),
    );
  });

  test('of a stream that is too long for the outcome and has no status has no body', () => {
    expect(read('2.0', Buffer.from('id,name\n'), { isWhole: false }).http).toEqual({
      status: 200,
      headers: {},
    });
  });
});

describe.each(['1.0', 'alb'] as const)('format %s', (format) => {
  test.each([
    [{ ok: true }, 'statusCode is missing'],
    ['Hello', 'it is a string, not an object'],
    [null, 'it is null, not an object'],
    [[], 'it is a list, not an object'],
    [Buffer.from('<html>'), 'it is not JSON'],
  ])('%j is a 502', (returned, why) => {
    expect(read(format, returned)).toEqual(refused(why));
  });

  test('has several values of a header, which count where headers has the name too', () => {
    const returned = {
      statusCode: 200,
      headers: { 'Content-Type': 'text/plain', Vary: 'a', 'set-cookie': 'a=1' },
      multiValueHeaders: { vary: ['b', 'c'], 'Set-Cookie': ['b=2', 'c=3'] },
      cookies: ['d=4'],
    };
    expect(read(format, returned).http.headers).toEqual({
      'content-type': 'text/plain',
      vary: 'b, c',
      'set-cookie': ['b=2', 'c=3'],
    });
    expect(read(format, { statusCode: 200, multiValueHeaders: { a: 'b' } })).toEqual(
      refused('multiValueHeaders is a string, not a list'),
    );
  });
});

describe('a body', () => {
  test.each([
    ['text/plain', '200', '200'],
    ['text/plain', '{"a":1}', { a: 1 }],
    ['text/html', '[1]', [1]],
    ['text/html', '<p>', '<p>'],
    ['application/json', '200', 200],
    ['application/json; charset=utf-8', 'true', true],
    ['application/problem+json', '"x"', 'x'],
    ['application/json', '{"a":', '{"a":'],
    [undefined, 'true', 'true'],
    [undefined, '{"a":1}', { a: 1 }],
  ])('of type %j that is %j is %j', (type, body, value) => {
    const headers = type === undefined ? {} : { 'content-type': type };
    expect(read('1.0', { statusCode: 200, headers, body }).http.body).toEqual(value);
  });
});

test('a header is read in linear time', () => {
  const returned = { statusCode: 200, headers: { 'content-type': ' json'.repeat(200_000) }, body: '1' };
  expect(read('1.0', returned).http.body).toBe('1');
});
