import { describe, expect, test } from '@jest/globals';
import type { EvaluatedInvocation } from '../../../src/outcome/evaluate.ts';
import { ReportGuard } from '../../../src/report/guard.ts';
import { notWritten } from '../../../src/report/not-written.ts';
import { type Reporter, Reports } from '../../../src/report/reporters.ts';
import { stdoutDuring } from '../hostile/capture.ts';
import { succeeded } from './factory.ts';

const evaluated: EvaluatedInvocation = { evaluation: succeeded(), masked: succeeded(), maskedJson: '{}' };
const failing = (): never => {
  throw new Error('full');
};

/** The calls to reporters of which one fails, and the printed text. */
async function doneBeside(broken: Partial<Reporter> & Pick<Reporter, 'name'>) {
  const done: string[] = [];
  const reporter = (name: Reporter['name']): Reporter => ({
    name,
    add: () => done.push(`${name}: add`),
    write: () => {
      done.push(`${name}: write`);
    },
  });
  const guard = new ReportGuard();
  const reports = new Reports(
    [reporter('log'), { ...reporter(broken.name), ...broken }, reporter('comment')],
    guard,
  );
  const stdout = await stdoutDuring(async () => {
    await reports.add(evaluated);
    await reports.write();
  });
  return { done, reports, stdout };
}

describe('a report that fails', () => {
  test('does not affect other reports, neither while invocations end nor afterwards', async () => {
    for (const broken of [{ add: failing }, { write: failing }]) {
      const { done } = await doneBeside({ name: 'summary', ...broken });
      expect(done).toEqual(
        expect.arrayContaining(['log: add', 'comment: add', 'log: write', 'comment: write']),
      );
    }
  });

  test.each([
    ['summary', false],
    ['annotations', false],
    ['comment', false],
    ['log', false],
    ['outputs', true],
    ['outcomes_file', true],
    ['response', true],
  ] as const)('fails the step if later steps rely on it: %s, %s', async (name, failsStep) => {
    const { reports } = await doneBeside({ name, write: failing });
    expect(reports.failsStep).toBe(failsStep);
  });

  test('for each of many invocations gives one annotation', () => {
    const guard = new ReportGuard();
    for (let at = 0; at < 3; at += 1) guard.fail('annotations', new Error('full'));
    expect(guard.takeProblems()).toHaveLength(1);
    guard.fail('annotations', new Error('full'));
    guard.fail('outputs', new Error('full'));
    expect(guard.takeProblems().map((problem) => notWritten(problem).title)).toEqual(['Outputs Not Written']);
  });

  test('after the annotations were written is still reported', async () => {
    const { stdout } = await doneBeside({ name: 'summary', write: failing });
    expect(stdout).toMatch(/^::warning title=Job Summary Not Written::The job summary was not written: full/);
  });
});
