import { readFileSync, statSync } from 'node:fs';
import { type Fields, fieldsOf } from '../shared/fields.ts';

// The events whose runs get no secrets where the pull request is from a fork. A run for pull_request_target belongs to
// the base repository: docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
const EVENTS: ReadonlySet<string> = new Set([
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
]);

// GitHub caps a payload at 25 MB: docs.github.com/en/webhooks/webhook-events-and-payloads. Most have some 30 KB.
const LARGEST_PAYLOAD = 25_000_000;

const repositoryOf = (side: unknown): Fields => fieldsOf(fieldsOf(side)['repo']);

/** A repository that is a fork itself has pull requests of its own, which do get its secrets. */
function isFromFork({ head, base }: Fields): boolean | undefined {
  const { fork, id } = repositoryOf(head);
  if (typeof fork !== 'boolean') return undefined;
  return fork && (id === undefined || id !== repositoryOf(base)['id']);
}

/** Whether the run is for a pull request from a fork; undefined where nothing says so. Never throws. */
export function readIsFork(event: Readonly<{ name: string; path: string | undefined }>): boolean | undefined {
  if (!EVENTS.has(event.name) || !event.path) return undefined;
  try {
    const file = statSync(event.path);
    if (!file.isFile() || file.size > LARGEST_PAYLOAD) return undefined;
    return isFromFork(fieldsOf(fieldsOf(JSON.parse(readFileSync(event.path, 'utf8')))['pull_request']));
  } catch {
    return undefined;
  }
}
