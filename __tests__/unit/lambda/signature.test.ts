import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { queryText, Signer } from '../../../src/lambda/signature.ts';
import { signedBySdk } from '../../sdk-signature.ts';
import { SEED } from '../../seed.ts';

const signatureIn = ({ authorization = '' }: Readonly<Record<string, string>>): string =>
  authorization.replace(/.*Signature=/, '');

// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, whose paths need no encoding.
describe('an example that AWS documents', () => {
  const key = {
    credentials: {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    },
    region: 'us-east-1',
    date: new Date('2013-05-24T00:00:00Z'),
  };
  const host = 'examplebucket.s3.amazonaws.com';

  test.each([
    {
      what: 'a header of its own',
      request: { path: '/test.txt', headers: { host, range: 'bytes=0-9' } },
      signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    },
    {
      what: 'a parameter without a value',
      request: { path: '/', query: { lifecycle: '' }, headers: { host } },
      signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    },
    {
      what: 'two parameters',
      request: { path: '/', query: { prefix: 'J', 'max-keys': '2' }, headers: { host } },
      signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    },
  ])('with $what has the signature that is written there', ({ request, signature }) => {
    expect(signatureIn(new Signer('s3').sign({ method: 'GET', ...request }, key))).toBe(signature);
  });
});

const printable = fc.string({
  unit: fc.constantFrom(...'abcXYZ019 -_.~!\'()*$&+,:;=@/?#%"<>[]{}|^`\\äß漢😀'),
});
const word = fc.stringMatching(/^[a-zA-Z0-9]{1,20}$/);

const requests = fc.record({
  method: fc.constantFrom('GET', 'POST'),
  path: fc
    .array(
      word.chain((name) => printable.map((rest) => encodeURIComponent(`${name}${rest}`))),
      { minLength: 1 },
    )
    .map((segments) => `/${segments.join('/')}`),
  query: fc.dictionary(word, printable, { maxKeys: 4 }),
  headers: fc
    .dictionary(
      word.map((name) => `x-amz-${name.toLowerCase()}`),
      fc.stringMatching(/^[!-~]( {0,3}[!-~]){0,20}$/),
      { maxKeys: 4 },
    )
    .map((headers) => ({
      ...headers,
      host: 'lambda.eu-west-1.amazonaws.com',
      'content-length': '12',
      'user-agent': 'anything (1.0)',
      'x-amzn-trace-id': 'Root=1',
    })),
  body: fc.option(fc.oneof(printable, fc.uint8Array()), { nil: undefined }),
});

const keys = fc.record({
  credentials: fc.record({
    accessKeyId: word,
    secretAccessKey: fc.stringMatching(/^[a-zA-Z0-9/+]{40}$/),
    sessionToken: fc.option(fc.stringMatching(/^[a-zA-Z0-9/+=]{1,100}$/), { nil: undefined }),
  }),
  region: fc.constantFrom('eu-west-1', 'us-gov-west-1', 'cn-north-1'),
  date: fc.date({ min: new Date('2020-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
});

describe('a signature', () => {
  test('is the one that the SDK’s own signer gives, whatever is signed', async () => {
    // One signer for all: a key that it has kept may not serve another day, region or secret.
    const signer = new Signer('lambda');
    await fc.assert(
      fc.asyncProperty(requests, keys, async (request, key) => {
        expect(signer.sign(request, key)).toEqual(await signedBySdk(request, key));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('leaves the headers that it was given as they were', () => {
    const headers = { host: 'lambda.eu-west-1.amazonaws.com' };
    new Signer('lambda').sign(
      { method: 'GET', path: '/', headers },
      { credentials: { accessKeyId: 'A', secretAccessKey: 'b' }, region: 'eu-west-1', date: new Date(0) },
    );
    expect(headers).toEqual({ host: 'lambda.eu-west-1.amazonaws.com' });
  });
});

describe('the text of a query', () => {
  test.each([
    { query: undefined, text: '' },
    { query: { Qualifier: '$LATEST' }, text: 'Qualifier=%24LATEST' },
    { query: { b: '2', a: ['y', 'x'], c: null }, text: 'a=x&a=y&b=2&c=' },
    { query: { ab: '1', a: '2' }, text: 'a=2&ab=1' },
    { query: { q: "it's (1*2)! & more" }, text: 'q=it%27s%20%281%2A2%29%21%20%26%20more' },
  ])('of $query is $text', ({ query, text }) => {
    expect(queryText(query)).toBe(text);
  });
});
