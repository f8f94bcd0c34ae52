import '../realm.ts';
import { Buffer } from 'node:buffer';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { InvocationResult } from '../../../src/lambda/invocation.ts';
import type { Evaluation } from '../../../src/outcome/outcome.ts';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import { writeAnnotations } from '../../../src/report/annotations.ts';
import { outcomeHeadline, writeLog } from '../../../src/report/log.ts';
import { OutcomesFile } from '../../../src/report/outcomes-file.ts';
import { registerSecrets } from '../../../src/report/runner-secrets.ts';
import { anyText } from '../../any-text.ts';
import { SEED } from '../../seed.ts';
import { invocation, REQUEST_ID, responseOf, resultOf } from '../outcome/factory.ts';
import { unmasked } from '../report/factory.ts';
import { hostileText } from './arbitraries.ts';
import { onTheWire, stdoutOf } from './capture.ts';
import { type Asked, evaluating } from './evaluations.ts';
import { commandsIn, judgeOutput, tokensIn } from './runner-rules.ts';
import { annotationsOf, commentOf, outputsFor, shownOf, summaryOf, writeMany } from './writers.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'masks-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Standard output without the random tokens of its fences, which can contain any four digits by chance. */
const withoutTokens = (stdout: string): string =>
  tokensIn(judgeOutput(stdout)).reduce((rest, token) => rest.replaceAll(token, ''), stdout);

/** Everything that others can see of an evaluation, without the `add-mask` commands. */
function everythingShown(evaluation: Evaluation): string {
  const shown = shownOf(evaluation);
  const file = new OutcomesFile(folder);
  file.append(JSON.stringify(shown.outcome));
  const stdout = stdoutOf(() => {
    writeLog(shown, { showResponse: true });
    writeAnnotations(annotationsOf([evaluation]));
    writeMany([evaluation, evaluation]);
  });
  const told = annotationsOf([evaluation]).map(({ body }) => onTheWire(body));
  const inMarkdown = [summaryOf([evaluation]), commentOf([evaluation])];
  return [withoutTokens(stdout), ...told, ...inMarkdown, readFileSync(file.path, 'utf8')].join('\n');
}

/** The forms in which a reader could recognize a secret: each line, and its JSON encoding. */
const traces = (secret: string | number): string[] => {
  const text = String(secret);
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  const written = lines.map((line) => JSON.stringify(line).slice(1, -1));
  return [...new Set([...lines, ...written])].filter((trace) => trace.length >= 4);
};

/** The ways in which a function can leak a secret: in its response, its log or its error. */
type Leak = (secret: string | number) => InvocationResult;

const LEAKS: Readonly<Record<string, Leak>> = {
  'a response and a log': (secret) =>
    resultOf(
      responseOf(
        JSON.stringify({
          secret,
          list: [`prefix ${secret} suffix`, { deep: secret, [`key ${secret}`]: 1 }],
          body: JSON.stringify({ secret }),
        }),
        {
          logTail: Buffer.from(
            `START RequestId: ${REQUEST_ID} Version: 7 \nthe secret is ${secret}\n${JSON.stringify({ secret })}\n`,
          ),
        },
      ),
    ),
  'an error': (secret) =>
    resultOf(
      responseOf(
        JSON.stringify({
          errorType: 'Error',
          errorMessage: `bad: ${secret}`,
          secret,
          trace: [`Error: bad: ${secret}`, `    at ${secret} (/var/task/index.mjs:1:1)`],
          cause: { errorType: 'Error', errorMessage: `bad: ${secret}` },
        }),
        { functionError: 'Unhandled', logTail: Buffer.from(`ERROR bad: ${secret}\n`) },
      ),
    ),
};

const secretText = fc.oneof(
  hostileText.map((text) => text.slice(0, 60)),
  fc.string({ minLength: 4, maxLength: 40 }),
  anyText({ minLength: 4, maxLength: 20 }),
  fc
    .array(fc.base64String({ minLength: 8, maxLength: 40 }), { minLength: 2, maxLength: 5 })
    .map((lines) => lines.join('\n')),
  fc
    .array(fc.stringMatching(/^[\w+/="\\ ]{4,20}$/), { minLength: 1, maxLength: 3 })
    .map((lines) => lines.join('\r\n')),
);
const secretNumber = fc.oneof(
  fc.integer({ min: 1000 }),
  fc.integer({ max: -1000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
// A mask consists of asterisks, so they do not indicate a secret, and neither does text that is there without it.
const secret = fc.oneof(
  { arbitrary: secretText.filter((text) => !text.includes('*')), weight: 4 },
  { arbitrary: secretNumber, weight: 1 },
);

const EXPECTED = { expect: "response.secret == 'something else'", query: '[response.secret, log_result]' };

describe.each(Object.keys(LEAKS))('a secret in %s', (how) => {
  const leak = LEAKS[how] ?? (() => resultOf(responseOf('null')));
  const masks: Asked = { ...EXPECTED, mask: 'response.secret' };

  test('is only in the outputs, not in anything that others see', async () => {
    const evaluated = await evaluating(masks);
    const control = everythingShown(evaluated(leak('')));
    let found = 0;
    const all = fc.property(secret, (hidden) => {
      const evaluation = evaluated(leak(hidden));
      const shown = everythingShown(evaluation);
      for (const trace of traces(hidden)) {
        if (control.includes(trace)) continue;
        found += 1;
        expect(shown).not.toContain(onTheWire(trace));
      }
      const { values } = outputsFor([evaluation], { outcomes: 'outcomes.jsonl' });
      expect(values['response']).toBe(Buffer.from(evaluation.response).toString());
      expect(JSON.parse(values['outcomes'] ?? '')[0].response.secret).toEqual(
        JSON.parse(JSON.stringify(hidden)),
      );
    });
    fc.assert(all, { seed: SEED, numRuns: 150 });
    expect(found).toBeGreaterThan(150);
  });

  test('is registered with the runner, line by line', async () => {
    const evaluated = await evaluating(masks);
    const all = fc.property(secret, (hidden) => {
      const { secrets } = evaluated(leak(hidden));
      const told = commandsIn(judgeOutput(stdoutOf(() => registerSecrets(secrets, new SecretTexts()))));
      const masked = told.filter(({ name }) => name === 'add-mask').map(({ data }) => data);
      expect(masked).toEqual(expect.arrayContaining(traces(hidden).map(onTheWire)));
      expect(told.length).toBe(masked.length);
    });
    fc.assert(all, { seed: SEED, numRuns: 100 });
  });

  test('is not shown if the mask cannot be evaluated', async () => {
    const evaluated = await evaluating({ ...masks, mask: 'length(`1`)' });
    const control = everythingShown(evaluated(leak('')));
    const all = fc.property(secret, (hidden) => {
      const shown = everythingShown(evaluated(leak(hidden)));
      for (const trace of traces(hidden)) {
        if (!control.includes(trace)) expect(shown).not.toContain(onTheWire(trace));
      }
    });
    fc.assert(all, { seed: SEED, numRuns: 60 });
  });
});

/** The text shown for a response from a runtime, with its `secret` masked. */
async function shownFor(response: string, asked: Asked = {}): Promise<string> {
  const evaluated = await evaluating({ mask: 'response.secret', ...asked });
  return everythingShown(evaluated(resultOf(responseOf(response))));
}

describe('a secret in another encoding', () => {
  const characters = fc.stringMatching(/^[a-z][a-z/é<&='"\\]{8,24}[a-z]$/);
  const escapeAll = (text: string, which: RegExp): string =>
    JSON.stringify(text).replace(which, (character) =>
      character === '/' ? '\\/' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );

  test.each([
    ['Python before 3.12 escapes non-ASCII text', /[^\0-\x7f]/g],
    ['PHP escapes a slash', /\//g],
    ['Go and Gson escape HTML characters', /[<>&='](?!$)/g],
  ])('is not shown, as %s', async (_, which) => {
    const all = fc.asyncProperty(characters, async (text) => {
      const written = escapeAll(text, which);
      const shown = await shownFor(`{"secret":${written}}`);
      expect(shown).not.toContain(written.slice(1, -1));
    });
    await fc.assert(all, { seed: SEED, numRuns: 40 });
  });

  test('is not shown as JSON in a JSON string', async () => {
    const all = fc.asyncProperty(characters, async (text) => {
      const body = JSON.stringify(JSON.stringify({ secret: text }));
      const shown = await shownFor(`{"body":${body}}`, { mask: 'powertools_json(response.body).secret' });
      expect(shown).not.toContain(body.slice(1, -1));
    });
    await fc.assert(all, { seed: SEED, numRuns: 40 });
  });

  /** Writes a text in JSON as a library would that escapes these characters. */
  const writers: Readonly<Record<string, (text: string) => string>> = {
    JavaScript: (text) => JSON.stringify(text),
    PHP: (text) => escapeAll(text, /[/\u0080-\uffff]/g),
    Python: (text) => escapeAll(text, /[\u0080-\uffff]/g),
    Go: (text) => escapeAll(text, /[<>&]/g),
    Gson: (text) => escapeAll(text, /[<>&=']/g),
  };

  test.each(Object.keys(writers))('is not shown in a log line of %s, encoded once or twice', async (name) => {
    const write = writers[name] ?? JSON.stringify;
    const evaluated = await evaluating({ mask: 'response.secret' });
    const all = fc.property(characters, (text) => {
      const written = [
        text,
        write(text),
        write(write(text)),
        JSON.stringify(write(text)),
        encodeURIComponent(text),
      ];
      const logTail = Buffer.from(written.map((form) => `INFO ${form}\n`).join(''));
      const shown = everythingShown(
        evaluated(resultOf(responseOf(JSON.stringify({ secret: text }), { logTail }))),
      );
      for (const form of written) expect(shown).not.toContain(form.replace(/^[\\"]+|[\\"]+$/g, ''));
    });
    fc.assert(all, { seed: SEED, numRuns: 60 });
  });

  test('is not shown as a number with more digits than a double', async () => {
    const all = fc.asyncProperty(fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n }), async (number) => {
      expect(await shownFor(`{"secret":${number}}`)).not.toContain(String(number));
    });
    await fc.assert(all, { seed: SEED, numRuns: 40 });
  });

  test('is not shown under a duplicate key', async () => {
    expect(await shownFor('{"secret":"first secret","secret":"second secret"}')).not.toContain(
      'first secret',
    );
  });
});

describe('a long secret', () => {
  test('is not partly shown in the reason why an expectation is not met', async () => {
    const long = fc.stringMatching(/^[a-zA-Z0-9]{201,400}$/);
    const all = fc.asyncProperty(long, async (text) => {
      const shown = await shownFor(JSON.stringify({ secret: text }), EXPECTED);
      expect(shown).not.toContain(text.slice(0, 16));
    });
    await fc.assert(all, { seed: SEED, numRuns: 40 });
  });
});

describe('a secret outside of the response', () => {
  test('is hidden in all text of the outcome from a function, a network or the user', async () => {
    const evaluated = await evaluating({ mask: 'response.secret' });
    const all = fc.property(fc.stringMatching(/^[a-zA-Z0-9_-]{12,40}$/), (text) => {
      const ended = resultOf(
        responseOf(JSON.stringify({ secret: text }), {
          functionError: text,
          executedVersion: text,
          requestId: text,
          durableExecutionArn: `arn:${text}`,
        }),
        {
          region: text,
          invocation: invocation({
            functionName: `${text}:${text}`,
            reference: { name: text, qualifier: text },
            tenantId: text,
          }),
        },
      );
      expect(everythingShown(evaluated(ended))).not.toContain(text);
    });
    fc.assert(all, { seed: SEED, numRuns: 40 });
  });
});

describe('a mask', () => {
  test('does not change the reported size of the response', async () => {
    const evaluated = await evaluating({ mask: 'response.secret' });
    const evaluation = evaluated(resultOf(responseOf('{"secret":"a long secret"}')));
    expect(outcomeHeadline(shownOf(evaluation))).toBe(outcomeHeadline(unmasked(evaluation)));
  });

  test('for whitespace hides nothing and gives no warning', async () => {
    const evaluated = await evaluating({ mask: 'response.secret' });
    const { secrets } = evaluated(resultOf(responseOf('{"secret":"   "}')));
    expect(secrets.texts).toEqual([]);
  });

  test('covers the reason why a query failed, and an expression that contains the secret', async () => {
    const evaluated = await evaluating({ mask: 'response.secret', expect: "response.secret != 'a secret'" });
    const evaluation = {
      ...evaluated(resultOf(responseOf('{"secret":"a secret"}'))),
      queryProblem: 'found "a secret"',
    };
    expect(everythingShown(evaluation)).not.toContain('a secret');
  });
});
