import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { type JobFolder, writeFiles } from './run-step.ts';

/** A stand-in for a third-party action: it gets the step's inputs and can set variables for later steps. */
export type StandIn = (
  inputs: Readonly<Record<string, string>>,
  site: StandInSite,
) => Readonly<Record<string, string>> | undefined;

export type StandInSite = Readonly<{
  job: JobFolder;
  /** The files that `actions/checkout` writes to the workspace. */
  repository: Readonly<Record<string, string>>;
  /** The folder for artifacts, kept between the jobs of a run. */
  artifacts: string;
  /** The folder for caches, kept between runs, with one subfolder per key. */
  caches: string;
}>;

const checkout: StandIn = (_inputs, { job, repository }) => {
  writeFiles(job.workspace, repository);
  return undefined;
};

/** Scripts use the same Node.js as this process, so nothing is installed. */
const setupNode: StandIn = () => undefined;

const configureCredentials: StandIn = (inputs) => ({
  AWS_REGION: inputs['aws-region'] ?? '',
  AWS_ACCESS_KEY_ID: 'AKIALOCALLAMBDA00000',
  AWS_SECRET_ACCESS_KEY: 'not-checked-here',
});

const uploadArtifact: StandIn = ({ name = '', path: from = '' }, { job, artifacts }) => {
  const source = path.resolve(job.workspace, from);
  const target = path.join(artifacts, name);
  mkdirSync(target, { recursive: true });
  cpSync(source, statSync(source).isDirectory() ? target : path.join(target, path.basename(source)), {
    recursive: true,
  });
  return undefined;
};

/** With `pattern`, each artifact gets its own folder. With `name`, its files go into the folder itself. */
const downloadArtifact: StandIn = ({ name, pattern, path: to = '.' }, { job, artifacts }) => {
  const target = path.resolve(job.workspace, to);
  if (name !== undefined) cpSync(path.join(artifacts, name), target, { recursive: true });
  for (const artifact of readdirSync(artifacts)) {
    if (pattern !== undefined && path.matchesGlob(artifact, pattern)) {
      cpSync(path.join(artifacts, artifact), path.join(target, artifact), { recursive: true });
    }
  }
  return undefined;
};

/** A key is saved only once, because caches are immutable. A path that does not exist is skipped. */
const saveCache: StandIn = ({ key = '', path: from = '' }, { job, caches }) => {
  const source = path.resolve(job.workspace, from);
  const target = path.join(caches, encodeURIComponent(key));
  if (existsSync(source) && !existsSync(target)) cpSync(source, path.join(target, from), { recursive: true });
  return undefined;
};

/** Restores the cache with the exact key, otherwise the newest cache that matches a prefix in `restore-keys`. */
const restoreCache: StandIn = (inputs, { job, caches }) => {
  const { key = '', 'restore-keys': prefixes = '' } = inputs;
  const newestFirst = readdirSync(caches)
    .map((folder) => ({ folder, name: decodeURIComponent(folder) }))
    .sort(
      (one, other) =>
        statSync(path.join(caches, other.folder)).mtimeMs - statSync(path.join(caches, one.folder)).mtimeMs,
    );
  const wanted = [
    (name: string) => name === key,
    ...prefixes
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line) => (name: string) => name.startsWith(line)),
  ];
  const found = wanted.flatMap((matches) => newestFirst.filter(({ name }) => matches(name)))[0];
  if (found !== undefined) cpSync(path.join(caches, found.folder), job.workspace, { recursive: true });
  return undefined;
};

/** The third-party actions that a workflow can use with this runner. */
export const STAND_INS: ReadonlyMap<string, StandIn> = new Map([
  ['actions/checkout', checkout],
  ['actions/setup-node', setupNode],
  ['aws-actions/configure-aws-credentials', configureCredentials],
  ['actions/cache/restore', restoreCache],
  ['actions/cache/save', saveCache],
  ['actions/upload-artifact', uploadArtifact],
  ['actions/download-artifact', downloadArtifact],
]);
