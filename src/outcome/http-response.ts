import { Buffer, isUtf8 } from 'node:buffer';
import type { HttpEventFormat } from '../lambda/invocation.ts';
import { type Fields, isFields } from '../shared/values.ts';
import { type ParsedResponse, parseResponse } from './document.ts';
import type { HttpResponse } from './outcome.ts';

/** What a client of the API would get, and a problem if the API would not accept the response. */
export type HttpReading = Readonly<{
  http: HttpResponse;
  problem?: string;
  /** Whether the body was in base64, where masks can't find anything. */
  isEncoded: boolean;
}>;

/** What a function returned: its bytes, or the start of a long stream, the parsed value, and whether it failed. */
type Returned = Readonly<{
  payload: Uint8Array;
  parsed: ParsedResponse;
  format: HttpEventFormat;
  isWhole: boolean;
  hasFailed: boolean;
}>;

/** An API does not accept the response. */
class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
}

type HeaderValues = Readonly<Record<string, HttpResponse['headers'][string]>>;

/** What API Gateway sends instead of a response that it does not accept. */
const BAD_GATEWAY: HttpResponse = {
  status: 502,
  headers: { 'content-type': 'application/json' },
  body: { message: 'Internal server error' },
};

const kindOfValue = (value: unknown): string => {
  if (Array.isArray(value)) return 'a list';
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
};

/** Reads a status, which can be a number or a text with digits. */
function readStatus(status: unknown): number {
  if (status === undefined) throw new MalformedResponse('statusCode is missing');
  const isNumber = typeof status === 'number' || (typeof status === 'string' && /^\d{3}$/.test(status));
  if (!isNumber) throw new MalformedResponse(`statusCode is ${kindOfValue(status)}, not a status code`);
  const code = Number(status);
  if (!Number.isInteger(code) || code < 100 || code > 599)
    throw new MalformedResponse('statusCode is not from 100 to 599');
  return code;
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;

function readValue(value: unknown, field: string): string {
  if (!['string', 'number', 'boolean'].includes(typeof value))
    throw new MalformedResponse(`a value in ${field} is ${kindOfValue(value)}`);
  const text = String(value);
  if (/[\r\n\0]/.test(text)) throw new MalformedResponse(`a value in ${field} has a line end in it`);
  return text;
}

/** The fields of headers or multiValueHeaders, without null, which serializers write for an absent value. */
function entriesOf(headers: unknown, field: string): [name: string, value: unknown][] {
  if (headers === undefined || headers === null) return [];
  if (!isFields(headers)) throw new MalformedResponse(`${field} is ${kindOfValue(headers)}, not an object`);
  const entries = Object.entries(headers).filter(([, value]) => value !== null);
  if (!entries.every(([name]) => HEADER_NAME.test(name)))
    throw new MalformedResponse(`${field} has a name that no header can have`);
  return entries.map(([name, value]) => [name.toLowerCase(), value]);
}

function readTexts(value: unknown, field: string): string[] {
  if (!Array.isArray(value)) throw new MalformedResponse(`${field} is ${kindOfValue(value)}, not a list`);
  return value.map((each) => readValue(each, field));
}

/** The headers, and the cookies of format 2.0. If a name is in both, multiValueHeaders is used. */
function readHeaders({ headers, multiValueHeaders, cookies }: Fields, format: HttpEventFormat): HeaderValues {
  const found = new Map<string, string[]>();
  for (const [name, value] of entriesOf(headers, 'headers')) {
    found.set(name, [...(found.get(name) ?? []), readValue(value, 'headers')]);
  }
  if (format === '2.0') {
    const set = cookies === undefined || cookies === null ? [] : readTexts(cookies, 'cookies');
    if (set.length > 0) found.set('set-cookie', [...(found.get('set-cookie') ?? []), ...set]);
  } else {
    for (const [name, values] of entriesOf(multiValueHeaders, 'multiValueHeaders'))
      found.set(name, readTexts(values, 'multiValueHeaders'));
  }
  return Object.fromEntries(
    [...found].map(([name, values]) => [name, name === 'set-cookie' ? values : values.join(', ')]),
  );
}

const BASE64 = /^[\w+/-]*={0,2}$/;

/** The bytes of a body. */
function decodeBody({ body, isBase64Encoded: encoded }: Fields): Uint8Array {
  if (encoded !== undefined && encoded !== null && typeof encoded !== 'boolean')
    throw new MalformedResponse(`isBase64Encoded is ${kindOfValue(encoded)}, not true or false`);
  if (body === undefined || body === null) return new Uint8Array();
  if (typeof body !== 'string')
    throw new MalformedResponse(
      `body is ${kindOfValue(body)}. It must be a string, for example from JSON.stringify()`,
    );
  if (encoded !== true) return Buffer.from(body);
  const compact = body.replace(/\s/g, '');
  if (!BASE64.test(compact)) throw new MalformedResponse('isBase64Encoded is true, and body is not base64');
  return Buffer.from(compact, 'base64');
}

const JSON_TYPE = /^[^;]*[/+]json\s*(?:;|$)/i;

/**
 * The body in the document. Objects and lists are parsed even if the content-type is not JSON. Numbers and words of JSON
 * are then kept as text. A body that is not UTF-8 is in base64.
 */
function bodyValue(bytes: Uint8Array, { 'content-type': type = '' }: HeaderValues): unknown {
  if (!isUtf8(bytes)) return Buffer.from(bytes).toString('base64');
  const { value, isJson } = parseResponse(bytes);
  const isStructure = typeof value === 'object' && value !== null;
  if (!isJson || isStructure || JSON_TYPE.test(String(type))) return value;
  return Buffer.from(bytes).toString('utf8');
}

const DELIMITER = Buffer.alloc(8);

/** Reads the status and headers that HttpResponseStream writes before a body; undefined if there are none. */
function readPrelude({ payload, parsed, format, isWhole }: Returned): HttpReading | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  if (parsed.isJson || bytes[0] !== 0x7b) return undefined;
  const end = bytes.indexOf(DELIMITER);
  if (end === -1) return undefined;
  const { value } = parseResponse(bytes.subarray(0, end));
  if (!isFields(value)) throw new MalformedResponse('what precedes the streamed body is not a JSON object');
  const headers = readHeaders(value, format);
  const status = readStatus(value['statusCode'] ?? 200);
  const body = isWhole ? { body: bodyValue(bytes.subarray(end + DELIMITER.length), headers) } : {};
  return { http: { status, headers, ...body }, isEncoded: false };
}

function readAccepted(returned: Returned): HttpReading {
  const { payload, parsed, format, isWhole } = returned;
  const prelude = readPrelude(returned);
  if (prelude !== undefined) return prelude;
  const { value } = parsed;
  // Source: "Lambda function response for format 2.0" of the API Gateway guide.
  if (format === '2.0' && !(isFields(value) && 'statusCode' in value)) {
    if (!isWhole) return { http: { status: 200, headers: {} }, isEncoded: false };
    const headers = { 'content-type': 'application/json' };
    return { http: { status: 200, headers, body: bodyValue(payload, headers) }, isEncoded: false };
  }
  if (!isFields(value))
    throw new MalformedResponse(
      parsed.isJson ? `it is ${kindOfValue(value)}, not an object` : 'it is not JSON',
    );
  const status = readStatus(value['statusCode']);
  const headers = readHeaders(value, format);
  return {
    http: { status, headers, body: bodyValue(decodeBody(value), headers) },
    isEncoded: value['isBase64Encoded'] === true,
  };
}

/** Reads what a function returned in the way that its API does. */
export function readHttpResponse(returned: Returned): HttpReading {
  if (returned.hasFailed) return { http: BAD_GATEWAY, isEncoded: false };
  try {
    return readAccepted(returned);
  } catch (error) {
    if (!(error instanceof MalformedResponse)) throw error;
    const problem = `API Gateway does not accept this response, and responds with 502: ${error.message}.`;
    return { http: BAD_GATEWAY, problem, isEncoded: false };
  }
}
