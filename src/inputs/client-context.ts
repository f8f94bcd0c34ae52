import { Buffer } from 'node:buffer';
import { describeJsonProblem, parseJson } from './json-text.ts';
import type { Problems } from './problems.ts';

// Source: the Invoke API's ClientContext, "up to 3,583 bytes of base64-encoded data".
const LONGEST_ENCODED = 3583;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

async function encode(text: string, problems: Problems): Promise<string | undefined> {
  if (text.startsWith('{')) {
    const { problem } = await parseJson(text, 'client_context');
    if (problem) problems.add(describeJsonProblem('client_context', problem));
    return problem ? undefined : Buffer.from(text, 'utf8').toString('base64');
  }
  // A newline, as `base64` writes one after 76 characters, is an invalid header.
  const compact = text.replace(/\s+/g, '');
  const decoded = BASE64.test(compact) ? Buffer.from(compact, 'base64').toString('utf8') : '';
  if (decoded === '' || (await parseJson(decoded, 'client_context')).problem) {
    problems.add(
      'client_context must be a JSON object, which the action encodes, or base64 of a JSON document; it is neither.',
    );
    return undefined;
  }
  return compact;
}

/** Base64 of the client context: as given, or made from a JSON object. */
export async function parseClientContext(text: string, problems: Problems): Promise<string | undefined> {
  if (text === '') return undefined;
  const encoded = await encode(text, problems);
  if (encoded !== undefined && encoded.length > LONGEST_ENCODED) {
    problems.add(
      `client_context is ${encoded.length} bytes in base64; Lambda takes at most ${LONGEST_ENCODED}. Send less, or use the payload.`,
    );
    return undefined;
  }
  return encoded;
}
