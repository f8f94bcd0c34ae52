import { cpSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { type JobFolder, writeFiles } from './run-step.ts';

/** What stands in for somebody else's action: it gets the step's inputs, and may set variables for later steps. */
export type StandIn = (
  inputs: Readonly<Record<string, string>>,
  site: StandInSite,
) => Readonly<Record<string, string>> | undefined;

export type StandInSite = Readonly<{
  job: JobFolder;
  /** What `actions/checkout` finds in the repository. */
  repository: Readonly<Record<string, string>>;
  /** Where artifacts are kept between the jobs of a run. */
  artifacts: string;
}>;

const checkout: StandIn = (_inputs, { job, repository }) => {
  writeFiles(job.workspace, repository);
  return undefined;
};

/** The Node.js that runs this serves the scripts too. */
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

/** By a pattern each artifact comes into a folder of its own, by name into the folder itself. */
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

/** The actions of others that a workflow may use here. */
export const STAND_INS: ReadonlyMap<string, StandIn> = new Map([
  ['actions/checkout', checkout],
  ['actions/setup-node', setupNode],
  ['aws-actions/configure-aws-credentials', configureCredentials],
  ['actions/upload-artifact', uploadArtifact],
  ['actions/download-artifact', downloadArtifact],
]);
