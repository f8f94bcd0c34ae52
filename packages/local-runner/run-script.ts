import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readOutputs } from './output-file.ts';
import { type JobFolder, writeFiles } from './run-step.ts';

/** The outcome of a `run:` step. */
export type ScriptRun = Readonly<{
  exitCode: number | null;
  /** Standard output and standard error, in the order printed. */
  text: string;
  outputs: Readonly<Record<string, string>>;
  /** The variables that it wrote to `GITHUB_ENV` for later steps. */
  env: Readonly<Record<string, string>>;
  summary: string;
}>;

/** Runs a `run:` step with bash, as a runner on Linux does. `commands` are scripts that come first on its PATH. */
export function runScript(options: {
  script: string;
  env: Readonly<Record<string, string>>;
  job: JobFolder;
  commands: Readonly<Record<string, string>>;
}): ScriptRun {
  const { script, env, job, commands } = options;
  const bin = path.join(job.folder, 'bin');
  writeFiles(bin, commands);
  for (const name of Object.keys(commands)) chmodSync(path.join(bin, name), 0o755);
  writeFiles(job.folder, { 'script.sh': script });
  const file = (name: string): string => path.join(job.folder, name);
  for (const name of ['script-output', 'script-env', 'script-summary']) writeFileSync(file(name), '');
  // A file, because a pipe would stay open while background processes of the script run.
  const output = openSync(file('script-text'), 'w');
  const { status } = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', file('script.sh')], {
    cwd: job.workspace,
    stdio: ['ignore', output, output],
    env: {
      ...env,
      PATH: [bin, process.env['PATH']].join(path.delimiter),
      HOME: job.folder,
      GITHUB_OUTPUT: file('script-output'),
      GITHUB_ENV: file('script-env'),
      GITHUB_STEP_SUMMARY: file('script-summary'),
    },
  });
  closeSync(output);
  return {
    exitCode: status,
    text: readFileSync(file('script-text'), 'utf8'),
    outputs: readOutputs(readFileSync(file('script-output'), 'utf8')),
    env: readOutputs(readFileSync(file('script-env'), 'utf8')),
    summary: readFileSync(file('script-summary'), 'utf8'),
  };
}
