import { notAuthenticated, type ServiceError } from './service-errors.ts';

/** Access keys that simulate invalid credentials. */
export const EXPIRED_ACCESS_KEY_ID = 'AKIAEXPIRED0000000000';
export const UNKNOWN_ACCESS_KEY_ID = 'AKIAUNKNOWN0000000000';

type Headers = Readonly<Record<string, string>>;

const ALGORITHM = 'AWS4-HMAC-SHA256';

const incomplete = (message: string): ServiceError =>
  notAuthenticated('IncompleteSignatureException', message);

function parametersOf(authorization: string): Map<string, string> | ServiceError {
  const parameters = new Map<string, string>();
  for (const part of authorization.slice(ALGORITHM.length).split(',')) {
    const pair = part.trim();
    const separator = pair.indexOf('=');
    if (separator < 1) {
      return incomplete(
        `'${pair}' not a valid key=value pair (missing equal-sign) in Authorization header: '${authorization}'.`,
      );
    }
    parameters.set(pair.slice(0, separator), pair.slice(separator + 1));
  }
  return parameters;
}

const LONGEST_AGE_MS = 5 * 60_000;

/** 20260924T101112Z */
const basicTime = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');

/** AWS rejects a signature if its time differs from AWS's by more than 5 minutes. */
function ageProblem(timestamp: string, now: number): ServiceError | undefined {
  const signedAt = Date.parse(
    timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  const [earliest, latest] = [now - LONGEST_AGE_MS, now + LONGEST_AGE_MS].map(basicTime);
  const refused = (message: string) => notAuthenticated('InvalidSignatureException', message);
  if (signedAt < now - LONGEST_AGE_MS) {
    return refused(
      `Signature expired: ${timestamp} is now earlier than ${earliest} (${basicTime(now)} - 5 min.)`,
    );
  }
  return signedAt > now + LONGEST_AGE_MS
    ? refused(
        `Signature not yet current: ${timestamp} is still later than ${latest} (${basicTime(now)} + 5 min.)`,
      )
    : undefined;
}

function scopeProblem(options: {
  credential: string;
  timestamp: string;
  region: string;
  service: string;
}): ServiceError | undefined {
  const { credential, timestamp, region, service } = options;
  const parts = credential.split('/');
  const [accessKeyId, date, scopeRegion, scopeService, terminator] = parts;
  if (parts.length !== 5) {
    return incomplete(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
    );
  }
  const problems: string[] = [];
  if (scopeRegion !== region) {
    problems.push(`Credential should be scoped to a valid region, not '${scopeRegion}'.`);
  }
  if (scopeService !== service) {
    problems.push(`Credential should be scoped to correct service: '${service}'.`);
  }
  if (terminator !== 'aws4_request') {
    problems.push(
      `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'.`,
    );
  }
  const day = timestamp.slice(0, 8);
  if (date !== day) {
    problems.push(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${day}', from '${timestamp}'.`,
    );
  }
  if (problems.length > 0) return notAuthenticated('InvalidSignatureException', problems.join(' '));
  if (accessKeyId === EXPIRED_ACCESS_KEY_ID) {
    return notAuthenticated('ExpiredTokenException', 'The security token included in the request is expired');
  }
  if (accessKeyId === UNKNOWN_ACCESS_KEY_ID) {
    return notAuthenticated(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  }
  return undefined;
}

/**
 * Checks that a request is signed with SigV4 in the correct format, for the correct scope and time.
 * The signature itself can't be checked, because this server does not know the secret key.
 */
export function signatureProblem(
  headers: Headers,
  { region, service, now }: { region: string; service: string; now: number },
): ServiceError | undefined {
  const authorization = headers['authorization'];
  if (authorization === undefined) {
    return notAuthenticated('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  if (!authorization.startsWith('AWS4-')) {
    return incomplete(
      `'${authorization.split(' ').at(-1)}' not a valid key=value pair (missing equal-sign) in Authorization header: '${authorization}'.`,
    );
  }
  if (!authorization.startsWith(`${ALGORITHM} `)) {
    return incomplete(`Unsupported AWS 'algorithm': '${authorization.split(' ')[0]}'.`);
  }
  const parameters = parametersOf(authorization);
  if (!(parameters instanceof Map)) return parameters;
  const credential = parameters.get('Credential') ?? '';
  const signature = parameters.get('Signature') ?? '';
  const signedHeaders = parameters.get('SignedHeaders') ?? '';
  const timestamp = headers['x-amz-date'];
  const missing = (['Credential', 'Signature', 'SignedHeaders'] as const)
    .filter((name) => !parameters.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`);
  if (timestamp === undefined) {
    missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  }
  if (timestamp === undefined || missing.length > 0) {
    return incomplete(`${missing.join(' ')} Authorization=${authorization}`);
  }
  if (!/^\d{8}T\d{6}Z$/.test(timestamp)) {
    return incomplete(
      `Date must be in ISO-8601 'basic format'. Got '${timestamp}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    );
  }
  const names = signedHeaders.split(';');
  for (const required of ['host', 'x-amz-date']) {
    if (!names.includes(required)) {
      return notAuthenticated(
        'InvalidSignatureException',
        `'${required}' must be a 'SignedHeader' in the AWS Authorization.`,
      );
    }
  }
  const absent = names.filter((name) => headers[name] === undefined);
  if (absent.length > 0 || !/^[0-9a-f]{64}$/.test(signature)) {
    return notAuthenticated(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  return scopeProblem({ credential, timestamp, region, service }) ?? ageProblem(timestamp, now);
}
