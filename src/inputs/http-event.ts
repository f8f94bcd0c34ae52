import { Buffer } from 'node:buffer';
import { unescape as decodeUrl } from 'node:querystring';
import type { HttpEventFormat } from '../lambda/invocation.ts';
import { VERSION } from '../shared/version.ts';
import { type Header, type HttpRequest, parseHttpRequest } from './http-request.ts';
import { type GivenPayload, oversizeProblem, type Payloads, unevaluatedIn } from './payload.ts';
import type { Problems } from './problems.ts';

/** The time when the API receives the request, and a UUID for the IDs that the API gives to requests. */
export type EventStamp = Readonly<{ at: Date; id: string }>;

type Values = Readonly<Record<string, string>>;
type MultiValues = Readonly<Record<string, string[]>>;

// The account of AWS's own examples, and an address that is reserved for examples (RFC 5737). An application may trust
// a loopback address more than others.
const ACCOUNT = '123456789012';
const SOURCE_IP = '192.0.2.1';
const API_ID = 'a1b2c3d4e5';
const API_DOMAIN = `${API_ID}.execute-api.us-east-1.amazonaws.com`;
const STAGE = 'prod';
const USER_AGENT = `aws-lambda-invoke/${VERSION}`;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** A time in the format of access logs, in UTC. */
function logTime(at: Date): string {
  const [date = '', time = ''] = at.toISOString().split(/[T.]/);
  const [year, , day] = date.split('-');
  return `${day}/${MONTHS[at.getUTCMonth()]}/${year}:${time} +0000`;
}

/** All values of each name, in the order of first appearance. The letter case of names does not matter. */
function groupedHeaders(pairs: readonly Header[]): [name: string, values: string[]][] {
  const found = new Map<string, [name: string, values: string[]]>();
  for (const [name, value] of pairs) {
    const known = found.get(name.toLowerCase());
    if (known === undefined) found.set(name.toLowerCase(), [name, [value]]);
    else known[1].push(value);
  }
  return [...found.values()];
}

/** All values of each parameter. The letter case of names matters. */
function groupedParameters(pairs: Iterable<Header>): MultiValues {
  const found = new Map<string, string[]>();
  for (const [name, value] of pairs) found.set(name, [...(found.get(name) ?? []), value]);
  return Object.fromEntries(found);
}

const joined = (values: MultiValues): Values =>
  Object.fromEntries(Object.entries(values).map(([name, each]) => [name, each.join(',')]));
const lastOf = (values: MultiValues): Values =>
  Object.fromEntries(Object.entries(values).map(([name, each]) => [name, each.at(-1) ?? '']));
const isEmpty = (values: object): boolean => Object.keys(values).length === 0;
const isRepeated = (values: MultiValues): boolean => Object.values(values).some(({ length }) => length > 1);

const headerOf = (headers: readonly Header[], wanted: string): string | undefined =>
  headers.find(([name]) => name.toLowerCase() === wanted)?.[1];

/** Adds the headers that a client or the API sends, unless the request has them. */
function complete({ headers, body }: HttpRequest, host: string, { at, id }: EventStamp): Header[] {
  const seconds = Math.floor(at.getTime() / 1000).toString(16);
  const added: readonly Header[] = [
    ['Host', host],
    ['User-Agent', USER_AGENT],
    ['X-Amzn-Trace-Id', `Root=1-${seconds}-${id.replaceAll('-', '').slice(0, 24)}`],
    ['X-Forwarded-For', SOURCE_IP],
    ['X-Forwarded-Port', '443'],
    ['X-Forwarded-Proto', 'https'],
  ];
  const written = headers.filter(([name]) => name.toLowerCase() !== 'content-length');
  const missing = added.filter(([name]) => headerOf(headers, name.toLowerCase()) === undefined);
  const length: readonly Header[] = body === '' ? [] : [['Content-Length', String(Buffer.byteLength(body))]];
  return [...written, ...length, ...missing];
}

const inLowerCase = (headers: readonly Header[]): Header[] =>
  headers.map(([name, value]) => [name.toLowerCase(), value]);

// Source: "Lambda functions as targets" of the ELB guide. HTTP APIs and function URLs were seen to do the same, also
// where there is no content-type.
const TEXT_TYPE = /^(?:text\/.*|application\/(?:json|javascript|xml))$/;

/** Whether an HTTP API or a load balancer passes the body as text. Otherwise it passes base64. */
function isTextBody({ headers }: Pick<HttpRequest, 'headers'>): boolean {
  const [type = ''] = (headerOf(headers, 'content-type') ?? '').split(';');
  return TEXT_TYPE.test(type.trim().toLowerCase());
}

const inBase64 = (text: string): string => Buffer.from(text).toString('base64');

/**
 * The event of an HTTP API or a function URL. An HTTP API decodes the path, and a function URL does not.
 * Source: "Create AWS Lambda proxy integrations for HTTP APIs" of the API Gateway guide.
 */
function httpApiEvent(request: HttpRequest, stamp: EventStamp) {
  const { method, query, body } = request;
  const domainName = headerOf(request.headers, 'host') ?? API_DOMAIN;
  const isFunctionUrl = /\.lambda-url\.[a-z\d-]+\.on\.aws$/i.test(domainName);
  const path = isFunctionUrl ? request.path : decodeUrl(request.path);
  const all = inLowerCase(complete(request, domainName, stamp));
  const headers = joined(Object.fromEntries(groupedHeaders(all.filter(([name]) => name !== 'cookie'))));
  const cookies = all
    .filter(([name]) => name === 'cookie')
    .flatMap(([, value]) => value.split(';').map((cookie) => cookie.trim()))
    .filter((cookie) => cookie !== '');
  const parameters = joined(groupedParameters(new URLSearchParams(query)));
  const isBase64Encoded = body !== '' && !isTextBody(request);
  const sourceIp = SOURCE_IP;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    ...(cookies.length > 0 && { cookies }),
    headers: { 'content-length': '0', ...headers },
    ...(!isEmpty(parameters) && { queryStringParameters: parameters }),
    requestContext: {
      accountId: ACCOUNT,
      apiId: domainName.split('.')[0] ?? API_ID,
      domainName,
      domainPrefix: domainName.split('.')[0] ?? API_ID,
      http: { method, path, protocol: 'HTTP/1.1', sourceIp, userAgent: headers['user-agent'] ?? '' },
      requestId: stamp.id,
      routeKey: '$default',
      stage: '$default',
      time: logTime(stamp.at),
      timeEpoch: stamp.at.getTime(),
    },
    ...(body !== '' && { body: isBase64Encoded ? inBase64(body) : body }),
    isBase64Encoded,
  };
}

const NOBODY = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userArn: null,
} as const;

type RestApiParts = Readonly<{
  request: HttpRequest;
  stamp: EventStamp;
  domainName: string;
  resource: string;
  userAgent: string;
}>;

function restApiContext({ request, stamp, domainName, resource, userAgent }: RestApiParts) {
  const { method, path } = request;
  return {
    accountId: ACCOUNT,
    apiId: API_ID,
    domainName,
    domainPrefix: domainName.split('.')[0] ?? API_ID,
    extendedRequestId: stamp.id,
    httpMethod: method,
    identity: { ...NOBODY, sourceIp: SOURCE_IP, userAgent },
    path: `/${STAGE}${path}`,
    protocol: 'HTTP/1.1',
    requestId: stamp.id,
    requestTime: logTime(stamp.at),
    requestTimeEpoch: stamp.at.getTime(),
    resourceId: 'pr0xy1',
    resourcePath: resource,
    stage: STAGE,
  };
}

/**
 * The event of a REST API with a proxy resource and a stage. Without binary media types, a REST API passes every body
 * as text. Source: "Input format of a Lambda function for proxy integration" of the API Gateway guide.
 */
function restApiEvent(request: HttpRequest, stamp: EventStamp) {
  const { method, path, query, body } = request;
  const domainName = headerOf(request.headers, 'host') ?? API_DOMAIN;
  const multiValueHeaders: MultiValues = Object.fromEntries(
    groupedHeaders(complete(request, domainName, stamp)),
  );
  const headers = lastOf(multiValueHeaders);
  const multiValueQueryStringParameters = groupedParameters(new URLSearchParams(query));
  const hasQuery = !isEmpty(multiValueQueryStringParameters);
  const userAgent = headerOf(request.headers, 'user-agent') ?? USER_AGENT;
  const isRoot = path === '/';
  const resource = isRoot ? '/' : '/{proxy+}';
  return {
    resource,
    path,
    httpMethod: method,
    headers,
    multiValueHeaders,
    queryStringParameters: hasQuery ? lastOf(multiValueQueryStringParameters) : null,
    multiValueQueryStringParameters: hasQuery ? multiValueQueryStringParameters : null,
    pathParameters: isRoot ? null : { proxy: decodeUrl(path.slice(1)) },
    stageVariables: null,
    requestContext: restApiContext({ request, stamp, domainName, resource, userAgent }),
    body: body === '' ? null : body,
    isBase64Encoded: false,
  };
}

/** The parameters of a query as a load balancer passes them: it does not decode them. */
const encodedParameters = (query: string): Header[] =>
  query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [name, value.join('=')];
    });

const TARGET_GROUP = `arn:aws:elasticloadbalancing:us-east-1:${ACCOUNT}:targetgroup/lambda/49e9d65c45c6791a`;
const BALANCER_DOMAIN = 'lambda-alb-123578498.us-east-1.elb.amazonaws.com';

/**
 * The event of an Application Load Balancer. If a name is repeated, it is the event of a target group that has
 * multi-value headers enabled. Source: "Lambda functions as targets" of the ELB guide.
 */
function loadBalancerEvent(request: HttpRequest, stamp: EventStamp) {
  const { method, path, query, body, headers: written } = request;
  const headers: MultiValues = Object.fromEntries(
    groupedHeaders(inLowerCase(complete(request, headerOf(written, 'host') ?? BALANCER_DOMAIN, stamp))),
  );
  const parameters = groupedParameters(encodedParameters(query));
  const isCompressed = headerOf(written, 'content-encoding') !== undefined;
  const isBase64Encoded = body !== '' && (isCompressed || !isTextBody(request));
  return {
    requestContext: { elb: { targetGroupArn: TARGET_GROUP } },
    httpMethod: method,
    path,
    ...(isRepeated(headers) || isRepeated(parameters)
      ? { multiValueQueryStringParameters: parameters, multiValueHeaders: headers }
      : { queryStringParameters: lastOf(parameters), headers: lastOf(headers) }),
    body: isBase64Encoded ? inBase64(body) : body,
    isBase64Encoded,
  };
}

/** The function that builds the event of a request, for each format. */
export const EVENT_BUILDERS = {
  '2.0': httpApiEvent,
  '1.0': restApiEvent,
  alb: loadBalancerEvent,
} as const satisfies Record<HttpEventFormat, (request: HttpRequest, stamp: EventStamp) => object>;

const NO_TYPE =
  'http_request has a body and no content-type header: the function gets the body in base64, as from an API. For JSON, write content-type: application/json.';

/** Makes the event of an HTTP request. Undefined if there are problems with it. */
export function buildPayload(given: GivenPayload, problems: Problems): Payloads | undefined {
  const { httpRequest: text, httpEvent: format, invocationType, stamp } = given;
  const request = parseHttpRequest(text, problems);
  if (request === undefined) return undefined;
  const bytes = Buffer.from(JSON.stringify(EVENT_BUILDERS[format](request, stamp)));
  const tooLarge = oversizeProblem(
    { source: 'The event of http_request', bytes: bytes.length },
    invocationType,
  );
  if (tooLarge !== undefined) {
    problems.add(tooLarge);
    return undefined;
  }
  const hasType = headerOf(request.headers, 'content-type') !== undefined;
  const isEncoded = request.body !== '' && !hasType && format !== '1.0';
  return {
    events: [bytes],
    outsideFiles: [],
    http: Object.freeze({ format, request: text }),
    warnings: [...unevaluatedIn('http_request', { text, input: 'payload' }), ...(isEncoded ? [NO_TYPE] : [])],
  };
}
