import { describe, expect, test } from '@jest/globals';
import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda';
import { EVENT_BUILDERS } from '../../../src/inputs/http-event.ts';
import { type HttpRequest, parseHttpRequest } from '../../../src/inputs/http-request.ts';
import { Problems } from '../../../src/inputs/problems.ts';
import { fieldsOf } from '../../../src/shared/values.ts';
import { VERSION } from '../../../src/shared/version.ts';
import { REQUEST_ID } from '../../base.ts';
import { STAMP } from './factory.ts';

function requestOf(...lines: readonly string[]): HttpRequest {
  const request = parseHttpRequest(lines.join('\n'), new Problems());
  if (request === undefined) throw new Error('the request is not valid');
  return request;
}

const of20 = (...lines: readonly string[]) =>
  EVENT_BUILDERS['2.0'](requestOf(...lines), STAMP) satisfies APIGatewayProxyEventV2;
const of10 = (...lines: readonly string[]) => {
  const event = EVENT_BUILDERS['1.0'](requestOf(...lines), STAMP);
  // The type always has an authorizer, and the event of API Gateway has none if none is configured.
  const requestContext = { ...event.requestContext, authorizer: undefined };
  const typed = { ...event, requestContext } satisfies APIGatewayProxyEvent;
  expect(typed.path).toBe(event.path);
  return event;
};
const ofAlb = (...lines: readonly string[]) =>
  EVENT_BUILDERS.alb(requestOf(...lines), STAMP) satisfies ALBEvent;

const TRACE = 'Root=1-695735a5-111111112222433384445555';
const HOST = 'a1b2c3d4e5.execute-api.us-east-1.amazonaws.com';

// The events that the services make of this request. Sources: the payload formats in the API Gateway guide, and
// "Lambda functions as targets" in the Elastic Load Balancing guide.
const REQUEST = [
  'POST /a%2Fb/c%20d?tag=x&tag=y%2Cz&q=a+b&empty&e%5B0%5D= HTTP/1.1',
  'Content-Type: application/json; charset=utf-8',
  'Cookie: one=1; two=2',
  'X-Tag: a',
  'x-tag: b',
  'cookie: three=3',
  '',
  '{"caf\u00e9": 1}',
];

test('format 2.0 is the event of an HTTP API', () => {
  expect(of20(...REQUEST)).toEqual({
    version: '2.0',
    routeKey: '$default',
    rawPath: '/a/b/c d',
    rawQueryString: 'tag=x&tag=y%2Cz&q=a+b&empty&e%5B0%5D=',
    cookies: ['one=1', 'two=2', 'three=3'],
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-tag': 'a,b',
      'content-length': '12',
      host: HOST,
      'user-agent': `aws-lambda-invoke/${VERSION}`,
      'x-amzn-trace-id': TRACE,
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
    },
    queryStringParameters: { tag: 'x,y,z', q: 'a b', empty: '', 'e[0]': '' },
    requestContext: {
      accountId: '123456789012',
      apiId: 'a1b2c3d4e5',
      domainName: HOST,
      domainPrefix: 'a1b2c3d4e5',
      http: {
        method: 'POST',
        path: '/a/b/c d',
        protocol: 'HTTP/1.1',
        sourceIp: '192.0.2.1',
        userAgent: `aws-lambda-invoke/${VERSION}`,
      },
      requestId: REQUEST_ID,
      routeKey: '$default',
      stage: '$default',
      time: '02/Jan/2026:03:04:05 +0000',
      timeEpoch: 1767323045678,
    },
    body: '{"caf\u00e9": 1}',
    isBase64Encoded: false,
  });
});

test('format 2.0 leaves out what a request does not have, and a function URL does not decode the path', () => {
  const event = of20('GET https://abc123.lambda-url.eu-west-1.on.aws/a%2Fb');
  expect(event).not.toHaveProperty('cookies');
  expect(event).not.toHaveProperty('queryStringParameters');
  expect(event).not.toHaveProperty('body');
  expect(event).toMatchObject({
    rawPath: '/a%2Fb',
    rawQueryString: '',
    headers: { 'content-length': '0', host: 'abc123.lambda-url.eu-west-1.on.aws' },
    requestContext: {
      apiId: 'abc123',
      domainName: 'abc123.lambda-url.eu-west-1.on.aws',
      domainPrefix: 'abc123',
      http: { path: '/a%2Fb' },
    },
    isBase64Encoded: false,
  });
});

test('format 1.0 is the event of a REST API', () => {
  const event = of10(...REQUEST);
  const single = {
    'Content-Type': 'application/json; charset=utf-8',
    Cookie: 'three=3',
    'X-Tag': 'b',
    'Content-Length': '12',
    Host: HOST,
    'User-Agent': `aws-lambda-invoke/${VERSION}`,
    'X-Amzn-Trace-Id': TRACE,
    'X-Forwarded-For': '192.0.2.1',
    'X-Forwarded-Port': '443',
    'X-Forwarded-Proto': 'https',
  };
  expect(event).toMatchObject({
    resource: '/{proxy+}',
    path: '/a%2Fb/c%20d',
    httpMethod: 'POST',
    headers: single,
    queryStringParameters: { tag: 'y,z', q: 'a b', empty: '', 'e[0]': '' },
    multiValueQueryStringParameters: { tag: ['x', 'y,z'], q: ['a b'], empty: [''], 'e[0]': [''] },
    pathParameters: { proxy: 'a/b/c d' },
    stageVariables: null,
    body: '{"caf\u00e9": 1}',
    isBase64Encoded: false,
  });
  expect(event.multiValueHeaders).toEqual({
    ...Object.fromEntries(Object.entries(single).map(([name, value]) => [name, [value]])),
    Cookie: ['one=1; two=2', 'three=3'],
    'X-Tag': ['a', 'b'],
  });
  expect(event.requestContext).toMatchObject({
    domainName: HOST,
    httpMethod: 'POST',
    identity: { sourceIp: '192.0.2.1', userAgent: `aws-lambda-invoke/${VERSION}`, user: null },
    path: '/prod/a%2Fb/c%20d',
    requestTime: '02/Jan/2026:03:04:05 +0000',
    requestTimeEpoch: 1767323045678,
    resourcePath: '/{proxy+}',
    stage: 'prod',
  });
  expect(event).not.toHaveProperty('version');
  expect(of10('GET /')).toMatchObject({
    resource: '/',
    pathParameters: null,
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    body: null,
  });
});

test('alb is the event of a load balancer, with lists where a name is repeated, and decodes nothing', () => {
  const event = ofAlb(...REQUEST);
  expect(event).toEqual({
    requestContext: { elb: { targetGroupArn: expect.stringMatching(/^arn:aws:elasticloadbalancing:/) } },
    httpMethod: 'POST',
    path: '/a%2Fb/c%20d',
    multiValueQueryStringParameters: { tag: ['x', 'y%2Cz'], q: ['a+b'], empty: [''], 'e%5B0%5D': [''] },
    multiValueHeaders: expect.objectContaining({
      'content-type': ['application/json; charset=utf-8'],
      cookie: ['one=1; two=2', 'three=3'],
      host: [expect.stringMatching(/\.elb\.amazonaws\.com$/)],
      'x-tag': ['a', 'b'],
    }),
    body: '{"caf\u00e9": 1}',
    isBase64Encoded: false,
  });
  const plain = ofAlb('GET /health?deep=1');
  expect(plain).toMatchObject({
    queryStringParameters: { deep: '1' },
    headers: { 'x-forwarded-proto': 'https', 'x-amzn-trace-id': TRACE },
    body: '',
    isBase64Encoded: false,
  });
  expect(plain).not.toHaveProperty('multiValueHeaders');
});

describe('a body', () => {
  // As HTTP APIs and load balancers were seen to pass them. A REST API without binary media types passes text alone.
  test.each([
    ['text/plain', false],
    ['TEXT/HTML; charset=utf-8', false],
    ['application/json', false],
    ['application/javascript', false],
    ['application/xml', false],
    ['application/x-www-form-urlencoded', true],
    ['application/vnd.api+json', true],
    ['application/octet-stream', true],
    ['multipart/form-data; boundary=x', true],
    ['', true],
  ])('of type %j is in base64: %s', (type, isBase64Encoded) => {
    const lines = ['POST /', ...(type === '' ? [] : [`content-type: ${type}`]), '', 'a=\u00e9'];
    const body = isBase64Encoded ? 'YT3DqQ==' : 'a=\u00e9';
    expect(of20(...lines)).toMatchObject({ body, isBase64Encoded });
    expect(ofAlb(...lines)).toMatchObject({ body, isBase64Encoded });
    expect(of10(...lines)).toMatchObject({ body: 'a=\u00e9', isBase64Encoded: false });
  });

  test('that is compressed is in base64 behind a load balancer', () => {
    const lines = ['POST /', 'content-type: text/plain', 'content-encoding: gzip', '', 'a'];
    expect(ofAlb(...lines)).toMatchObject({ body: 'YQ==', isBase64Encoded: true });
  });

  test('has its own length, whatever the request says', () => {
    expect(of20('POST /', 'Content-Length: 99', '', '\u00e9').headers['content-length']).toBe('2');
  });
});

test('the headers of a request override those that an API adds', () => {
  const lines = ['GET /', 'Host: shop.example', 'X-Forwarded-For: 198.51.100.7', 'User-Agent: check'];
  expect(of20(...lines)).toMatchObject({
    headers: { host: 'shop.example', 'x-forwarded-for': '198.51.100.7', 'user-agent': 'check' },
    requestContext: { domainName: 'shop.example', domainPrefix: 'shop', http: { userAgent: 'check' } },
  });
  expect(of10(...lines)).toMatchObject({
    requestContext: { domainName: 'shop.example', identity: { userAgent: 'check' } },
  });
});

/** A value by its path; undefined if there is none. */
const at = (event: unknown, path: string): unknown =>
  path.split('.').reduce((value: unknown, name) => fieldsOf(value)[name], event);

describe('what adapters read without a check is there', () => {
  const SIMPLE = ['GET /health?deep=1', 'Accept: application/json'];

  test.each([
    // mangum/handlers/api_gateway.py, alb.py and utils.py: how an event is recognized, and what has no default there.
    [
      'Mangum',
      '2.0',
      [
        'version',
        'requestContext.http.sourceIp',
        'requestContext.http.path',
        'requestContext.http.method',
        'rawQueryString',
        'headers.host',
      ],
    ],
    [
      'Mangum',
      '1.0',
      [
        'resource',
        'path',
        'httpMethod',
        'requestContext.identity.sourceIp',
        'multiValueHeaders.Host',
        'multiValueQueryStringParameters.deep',
      ],
    ],
    [
      'Mangum',
      'alb',
      [
        'requestContext.elb',
        'path',
        'httpMethod',
        'headers.host',
        'headers.x-forwarded-for',
        'queryStringParameters.deep',
      ],
    ],
    // core/requestv2.go, request.go and requestALB.go: from what the request's URL is put together.
    [
      'aws-lambda-go-api-proxy',
      '2.0',
      [
        'rawPath',
        'requestContext.domainName',
        'rawQueryString',
        'requestContext.http.method',
        'requestContext.http.sourceIp',
      ],
    ],
    [
      'aws-lambda-go-api-proxy',
      '1.0',
      ['path', 'httpMethod', 'headers.Host', 'multiValueQueryStringParameters.deep'],
    ],
    ['aws-lambda-go-api-proxy', 'alb', ['path', 'httpMethod', 'headers.host', 'queryStringParameters.deep']],
    // The request readers of the container refuse an event without a method or a context.
    ['aws-serverless-java-container', '2.0', ['requestContext.http.method', 'rawPath']],
    ['aws-serverless-java-container', '1.0', ['httpMethod', 'requestContext', 'path']],
    ['aws-serverless-java-container', 'alb', ['httpMethod', 'requestContext', 'path']],
    // MarshallRequest of each function.
    [
      'Amazon.Lambda.AspNetCoreServer',
      '2.0',
      [
        'requestContext.http.method',
        'requestContext.http.path',
        'requestContext.domainName',
        'requestContext.stage',
        'rawQueryString',
        'headers.host',
      ],
    ],
    [
      'Amazon.Lambda.AspNetCoreServer',
      '1.0',
      [
        'httpMethod',
        'path',
        'resource',
        'pathParameters.proxy',
        'requestContext.path',
        'requestContext.identity.sourceIp',
        'headers.Host',
      ],
    ],
    [
      'Amazon.Lambda.AspNetCoreServer',
      'alb',
      [
        'httpMethod',
        'path',
        'headers.x-forwarded-proto',
        'headers.x-forwarded-port',
        'headers.x-forwarded-for',
      ],
    ],
  ] as const)('%s, format %s', (_, format, paths) => {
    const event = EVENT_BUILDERS[format](requestOf(...SIMPLE), STAMP);
    expect(paths.filter((path) => at(event, path) === undefined || at(event, path) === null)).toEqual([]);
  });
});
