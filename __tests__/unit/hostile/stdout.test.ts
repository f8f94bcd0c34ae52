import '../realm.ts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AttemptProgress } from '../../../src/lambda/attempt-progress.ts';
import { toFailure } from '../../../src/lambda/failures.ts';
import type { InvocationResult } from '../../../src/lambda/invocation.ts';
import { type MaskedEvaluation, maskEvaluation } from '../../../src/outcome/masks.ts';
import { SecretTexts } from '../../../src/outcome/secret-texts.ts';
import { invalidInput, writeAnnotations } from '../../../src/report/annotations.ts';
import { fence, mayContainCommand } from '../../../src/report/foreign-text.ts';
import { groupsOf, hints, outcomeHeadline, writeLog } from '../../../src/report/log.ts';
import { notWritten } from '../../../src/report/not-written.ts';
import { waitLine, writeDurableEvent } from '../../../src/report/progress.ts';
import { registerSecrets } from '../../../src/report/runner-secrets.ts';
import { cut } from '../../../src/shared/text.ts';
import { SEED } from '../../seed.ts';
import { unmasked } from '../report/factory.ts';
import { hostileText, hostileValue, workflowCommand } from './arbitraries.ts';
import { onTheWire, stdoutOf } from './capture.ts';
import { evaluating, hostileResult } from './evaluations.ts';
import { type Command, commandsIn, judgeOutput, type Transcript, tokensIn } from './runner-rules.ts';
import { annotationsOf, writeMany } from './writers.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TITLES = [
  'Response',
  'Function error',
  'Function log',
  'Function log (last 4 KB)',
  'Function log (stored in CloudWatch Logs)',
  "Response that is not Lambda's",
];

const evaluated = await evaluating({
  query: 'response',
  // One expectation that is never met, and two that can't always be evaluated.
  expect: "response == 'never'\nlength(response) > `0`\nresponse.errorMessage == `1`",
});

const written = (work: () => void): Transcript => judgeOutput(stdoutOf(work));
/** The lines of a printed text, which ends with a line break. A CR directly before it is not a separate line. */
const linesOf = (text: string): string[] =>
  onTheWire(`${text}\n`)
    .split(/\r\n|\r|\n/)
    .slice(0, -1);

/** The visible lines, without the fences. A fenced line is text, not a command. */
const shape = ({ lines }: Transcript): Record<string, unknown>[] =>
  lines.flatMap((line): Record<string, unknown>[] => {
    if (line.kind === 'resume') return [];
    if (line.kind !== 'command') return [{ kind: 'text', line: line.line }];
    const { name, data } = line.command;
    return name === 'stop-commands' ? [] : [{ kind: name, data }];
  });

/** The expected log of an invocation: the action's own lines and groups, and every foreign line unchanged. */
const meant = (evaluation: MaskedEvaluation, showResponse: boolean) => [
  ...[outcomeHeadline(evaluation), ...hints(evaluation, { showResponse })]
    .flatMap(linesOf)
    .map((line) => ({ kind: 'text', line })),
  ...groupsOf(evaluation, { showResponse }).flatMap(({ title, foreign }) => [
    { kind: 'group', data: title },
    ...linesOf(foreign).map((line) => ({ kind: 'text', line })),
    { kind: 'endgroup', data: '' },
  ]),
];

describe('the log', () => {
  test('runs only its own group and fence commands, whatever a function or a third party wrote', () => {
    const seen = new Set<string>();
    let [fences, groups] = [0, 0];
    const all = fc.property(hostileResult, fc.boolean(), (resultOf, showResponse) => {
      const evaluation = unmasked(evaluated(resultOf));
      const log = written(() => writeLog(evaluation, { showResponse }));
      expect(shape(log)).toEqual(meant(evaluation, showResponse));
      expect(log.open).toBeUndefined();
      for (const { title } of groupsOf(evaluation, { showResponse })) expect(TITLES).toContain(title);
      groups += groupsOf(evaluation, { showResponse }).length;
      for (const token of tokensIn(log)) {
        expect(token).toMatch(UUID);
        seen.add(token);
        fences += 1;
      }
    });
    fc.assert(all, { seed: SEED, numRuns: 400 });
    expect(fences).toBeGreaterThan(200);
    expect(groups).toBeGreaterThan(fences + 50);
    // A runner registers each token as a secret until the job ends.
    expect(seen.size).toBe(1);
  });

  const told = (foreign: string): Transcript =>
    written(() =>
      writeLog(
        unmasked(evaluated({ ...refused, result: { ...refused.result, foreignText: foreign } })),
        quiet,
      ),
    );

  test.each(['a\nb', 'std::vector', '{"arn":"arn:aws:iam::1:role/r"}', '# [x]', 'é\r\nü'])(
    'shows text without a command unfenced: %j',
    (text) => {
      expect(commandsIn(told(text)).map(({ name }) => name)).toEqual(['group', 'endgroup']);
    },
  );

  test('shows a path that contains a command inside a fence', () => {
    const responseFile = { path: '/w/x\n::error::forged', isWhole: true };
    const log = written(() => writeLog({ ...unmasked(evaluated(refused)), responseFile }, quiet));
    expect(commandsIn(log).map(({ name }) => name)).toEqual(['stop-commands']);
  });

  test('does not end a fence for text that contains the token', () => {
    const all = fc.property(hostileText, (text) => {
      const [token = ''] = tokensIn(told('::x'));
      const again = told(
        `x\n::${token}::\n##[${token.toUpperCase()}]\n::stop-commands::${token}\n::error::forged\n${text}`,
      );
      expect(commandsIn(again).map(({ name }) => name)).toEqual(['group', 'stop-commands', 'endgroup']);
    });
    fc.assert(all, { seed: SEED, numRuns: 100 });
  });
});

describe('the log of many invocations', () => {
  // `name` does not come from the server: it is always a word of this action, Node.js or Lambda.
  const named = (ended: InvocationResult): InvocationResult =>
    ended.result.kind === 'failure' ? { ...ended, result: { ...ended.result, name: 'HTTP 502' } } : ended;
  const several = fc.array(hostileResult.map(named), { minLength: 2, maxLength: 6 });

  test('runs no command but its own groups and fences', () => {
    let fences = 0;
    const all = fc.property(several, (deliveries) => {
      const evaluations = deliveries.map((resultOf) => evaluated(resultOf));
      const log = written(() => writeMany(evaluations));
      const commands = commandsIn(log).map(({ name }) => name);
      expect(new Set(['stop-commands', 'group', 'endgroup', ...commands]).size).toBe(3);
      expect(log.open).toBeUndefined();
      fences += tokensIn(log).length;
      const shown = evaluations.map(unmasked);
      const failed = shown.filter(({ failsStep }) => failsStep);
      const text = (line: unknown) => ({ kind: 'text', line });
      expect(shape(log)).toEqual([
        ...shown.flatMap((one, index) =>
          linesOf(`[${index + 1}/${shown.length}] ${outcomeHeadline(one)}`).map(text),
        ),
        ...failed.flatMap((one) =>
          groupsOf(one, quiet).flatMap(({ title, foreign }) => [
            { kind: 'group', data: `${one.label}: ${title}` },
            ...linesOf(cut(foreign, 4096)).map(text),
            { kind: 'endgroup', data: '' },
          ]),
        ),
        text(expect.stringMatching(/^\d+ invocations: [\w ,;]+\.$/)),
      ]);
    });
    fc.assert(all, { seed: SEED, numRuns: 150 });
    expect(fences).toBeGreaterThan(100);
  });
});

const quiet = { showResponse: false };
const refused = await (async () => {
  const { resultOf, failure } = await import('../outcome/factory.ts');
  const result = failure({ name: 'HTTP 502' });
  return { ...resultOf(result), result };
})();

describe('text that may contain a command', () => {
  test('includes all text in which a runner would find one', () => {
    let bare = 0;
    const all = fc.property(hostileText, (text) => {
      if (mayContainCommand(text)) return;
      bare += 1;
      expect(judgeOutput(onTheWire(text)).lines.filter(({ kind }) => kind !== 'text')).toEqual([]);
    });
    fc.assert(all, { seed: SEED, numRuns: 2000 });
    expect(bare).toBeGreaterThan(500);
  });

  test('includes every generated command line', () => {
    const all = fc.property(workflowCommand, hostileText, (line, text) => {
      expect(mayContainCommand(`${text}\r${line}`)).toBe(true);
    });
    fc.assert(all, { seed: SEED, numRuns: 500 });
  });

  test.each([
    '\u200b::x',
    ':\u0007:x',
    '\u2028::x',
    '\u115f::x',
    '\ud800::x',
    '#\u200d#\ufe0f[x',
    'a\r\t::x',
  ])('includes %j, with characters that comparison ignores', (text) =>
    expect(mayContainCommand(text)).toBe(true),
  );

  test.each([' ', '\n', '\r\n', '#', '# ', '\n:', '\n: ', '\u200b'])(
    'is found in linear time: 6 MB of %j',
    (unit) => expect(mayContainCommand(unit.repeat(6_000_000 / unit.length))).toBe(false),
  );
});

describe('a fence', () => {
  test('consists of one stop, the text, and one resume', () => {
    const all = fc.property(hostileText, fc.uuid(), (text, token) => {
      const { lines, open } = judgeOutput(onTheWire(fence(text, token)));
      expect(open).toBeUndefined();
      expect(lines.map(({ kind }) => kind)).toEqual([
        'command',
        ...linesOf(text).map(() => 'fenced'),
        'resume',
      ]);
    });
    fc.assert(all, { seed: SEED, numRuns: 400 });
  });
});

/** The expected commands for annotations. */
const asCommands = (annotations: ReturnType<typeof annotationsOf>): Command[] =>
  annotations.map(({ level, title, body }) => ({
    name: level,
    properties: { title },
    data: onTheWire(body),
  }));

describe('annotations', () => {
  const KNOWN = [
    'Lambda Function Execution Error',
    'Expectation Not Met',
    'Failed to Invoke Lambda Function',
    'Lambda Outcome Unknown',
    'No Query Value',
  ];

  test('are exactly the intended ones, with titles from the action', () => {
    let bodies = 0;
    const all = fc.property(fc.array(hostileResult, { maxLength: 14 }), (deliveries) => {
      const annotations = annotationsOf(deliveries.map((resultOf) => evaluated(resultOf)));
      const log = written(() => writeAnnotations(annotations));
      expect(commandsIn(log)).toEqual(asCommands(annotations));
      expect(log.lines.filter(({ kind }) => kind !== 'command')).toEqual(
        annotations.length === 0 ? [{ kind: 'text', line: '' }] : [],
      );
      for (const { title } of annotations) expect(KNOWN).toContain(title);
      expect(annotations.filter(({ level }) => level === 'error').length).toBeLessThanOrEqual(10);
      bodies += annotations.length;
    });
    fc.assert(all, { seed: SEED, numRuns: 100 });
    expect(bodies).toBeGreaterThan(200);
  });

  test('of inputs, files and other errors are one command each', () => {
    const all = fc.property(hostileText, hostileText, (one, other) => {
      const annotations = [
        invalidInput([one, other]),
        notWritten({ report: 'response', error: new Error(one) }),
        notWritten({ report: 'outputs', error: other }),
        notWritten({ report: 'summary', error: one }),
      ];
      const log = written(() => writeAnnotations(annotations));
      expect(commandsIn(log)).toEqual(asCommands(annotations));
      expect(annotations[0]?.body).toContain(one.slice(0, 1_000));
      expect(log.lines).toHaveLength(4);
    });
    fc.assert(all, { seed: SEED, numRuns: 200 });
  });
});

describe('masks', () => {
  const findAll = evaluating({ mask: 'response' });

  test('are registered one by one, each unchanged', async () => {
    const evaluateMasked = await findAll;
    let registered = 0;
    const all = fc.property(hostileResult, (resultOf) => {
      const { secrets } = evaluateMasked(resultOf);
      const log = written(() => registerSecrets(secrets, new SecretTexts()));
      expect(commandsIn(log)).toEqual(
        secrets.texts.map((text) => ({ name: 'add-mask', properties: {}, data: onTheWire(text) })),
      );
      expect(log.open).toBeUndefined();
      for (const text of secrets.texts) expect(text).not.toMatch(/[\r\n]/);
      registered += secrets.texts.length;
    });
    fc.assert(all, { seed: SEED, numRuns: 300 });
    expect(registered).toBeGreaterThan(500);
  });

  test('do not add other commands to the log', async () => {
    const evaluateMasked = await findAll;
    const all = fc.property(hostileResult, (resultOf) => {
      const evaluation = evaluateMasked(resultOf);
      const shown = maskEvaluation(evaluation, new SecretTexts(evaluation.secrets.texts));
      const log = written(() => writeLog(shown, { showResponse: true }));
      expect(shape(log)).toEqual(meant(shown, true));
    });
    fc.assert(all, { seed: SEED, numRuns: 100 });
  });
});

describe('a wait message', () => {
  const head = fc.option(fc.record({ statusCode: fc.constantFrom(200, 429, 500, 502) }), { nil: undefined });
  const thrown = fc.record(
    {
      name: fc.oneof(hostileValue, fc.constantFrom('TooManyRequestsException', 'SyntaxError', 'Error')),
      message: hostileText,
      code: fc.oneof(hostileValue, fc.constantFrom('ECONNRESET', 'ENOTFOUND')),
      Reason: fc.oneof(hostileValue, fc.constantFrom('CallerRateLimitExceeded')),
    },
    { requiredKeys: [] },
  );
  const failureOf = (error: unknown, came: { head: { statusCode: number } | undefined; text: string }) => {
    const progress = new AttemptProgress(() => 0);
    if (came.head !== undefined) {
      progress.receivedHead(came.head);
      progress.receivedText(came.text);
    }
    return toFailure(error, progress);
  };
  const lineOf = ({ name, reason }: { name: string; reason?: string | undefined }): string => {
    const told = waitLine({
      label: 'my-function',
      error: name,
      reason,
      ran: 'perhaps',
      waitMs: 1,
      leftMs: 2,
    });
    return `${told.what}${told.next}`;
  };

  test('is one line without a command, whatever the response is', () => {
    const responded = head.filter((one) => one !== undefined);
    const all = fc.property(thrown, responded, hostileText, (error, one, text) => {
      const line = lineOf(failureOf(error, { head: one, text }));
      expect(judgeOutput(line).lines).toEqual([{ kind: 'text', line }]);
      expect(line).not.toMatch(/[\r\n]/);
    });
    fc.assert(all, { seed: SEED, numRuns: 300 });
  });

  test("is one line without a command after a success status that is not Lambda's", () => {
    const all = fc.property(hostileText, (text) => {
      const progress = new AttemptProgress(() => 0);
      progress.receivedHead({ statusCode: 200 });
      progress.receivedText(text);
      const line = lineOf(toFailure(progress.flawFound('content'), progress));
      expect(judgeOutput(line).lines).toEqual([{ kind: 'text', line }]);
    });
    fc.assert(all, { seed: SEED, numRuns: 100 });
  });

  test('is one line without a command after no response and an error name that is not a word', () => {
    const all = fc.property(thrown, (error) => {
      const line = lineOf(failureOf(error, { head: undefined, text: '' }));
      expect(judgeOutput(line).lines).toEqual([{ kind: 'text', line }]);
    });
    fc.assert(all, { seed: SEED, numRuns: 300 });
  });
});

describe('an event of a durable execution', () => {
  test('is one line without a command, whatever the name of a step', () => {
    const all = fc.property(hostileText, (name) => {
      const happened = { label: 'my-function', kind: 'Step', state: 'Started', name } as const;
      const line = expect.stringMatching(/^my-function: step .* started$/su);
      expect(shape(written(() => writeDurableEvent(happened)))).toEqual([{ kind: 'text', line }]);
    });
    fc.assert(all, { seed: SEED, numRuns: 300 });
  });
});
