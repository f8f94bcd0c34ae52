import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { parseWorkflowText } from '../../packages/local-runner/workflow-file.ts';
import { type Fields, fieldsOf } from '../../src/shared/values.ts';

type Workflow = Readonly<{
  file: string;
  text: string;
  jobs: readonly (readonly [string, Fields])[];
  root: Fields;
}>;

const root = path.resolve(import.meta.dirname, '../..');

function readFolder(folder: string): Workflow[] {
  return readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.yml'))
    .map((name) => {
      const text = readFileSync(path.join(root, folder, name), 'utf8');
      const document = fieldsOf(parse(text));
      const jobs = Object.entries(fieldsOf(document['jobs'])).map(
        ([id, job]) => [id, fieldsOf(job)] as const,
      );
      return { file: `${folder}/${name}`, text, jobs, root: document };
    });
}

const own = readFolder('.github/workflows');
const examples = readFolder('examples');
const all = [...own, ...examples];

const stepsOf = (job: Fields): Fields[] => (Array.isArray(job['steps']) ? job['steps'].map(fieldsOf) : []);
const steps = all.flatMap(({ file, jobs }) =>
  jobs.flatMap(([id, job]) => stepsOf(job).map((step) => ({ place: `${file}: ${id}`, step }))),
);
/** The lines of all workflows that use an action, with their positions. */
const uses = all.flatMap(({ file, text }) =>
  [...text.matchAll(/^\s*(?:- )?uses: (?<action>\S+?)(?:@(?<ref>\S+))?(?: # (?<note>.*))?$/gm)].map(
    ({ groups }) => ({
      file,
      action: groups?.['action'] ?? '',
      ref: groups?.['ref'],
      note: groups?.['note'],
    }),
  ),
);
const foreign = uses.filter(({ action }) => action !== './' && action !== 'OWNER/aws-lambda-invoke');

const SAME_REPOSITORY = 'github.event.pull_request.head.repo.full_name == github.repository';

test('workflows and examples are found', () => {
  expect(own.map(({ file }) => path.basename(file))).toEqual(
    expect.arrayContaining(['ci.yml', 'self-test.yml', 'codeql.yml', 'scorecard.yml', 'release.yml']),
  );
  expect(examples.length).toBeGreaterThan(15);
});

test.each(all)("$file is valid for GitHub's parser", async ({ file, text }) => {
  const { problems } = await parseWorkflowText(path.basename(file), text);
  expect(problems).toEqual([]);
});

describe('permissions', () => {
  test('are none at the top', () => {
    const lax = all.filter(({ root }) => JSON.stringify(root['permissions']) !== '{}');
    expect(lax.map(({ file }) => file)).toEqual([]);
  });

  test('are granted per job, each with a reason', () => {
    for (const { file, jobs, text } of all) {
      const granted = jobs.flatMap(([, job]) => Object.entries(fieldsOf(job['permissions'])));
      const reasons = [...text.matchAll(/^ {6}([a-z-]+): (read|write) # \S.*$/gm)].map(
        ([, scope, access]) => [scope, access],
      );
      expect({ file, granted }).toEqual({ file, granted: reasons });
    }
  });

  test('are stated by every job that uses an action of another repository', () => {
    const silent = all.flatMap(({ file, jobs }) =>
      jobs
        .filter(([, job]) =>
          stepsOf(job).some(({ uses }) => typeof uses === 'string' && !uses.startsWith('./')),
        )
        .filter(([, job]) => job['permissions'] === undefined)
        .map(([id]) => `${file}: ${id}`),
    );
    expect(silent).toEqual([]);
  });
});

describe('actions', () => {
  test('from other repositories are pinned to a full SHA, with the version in a comment', () => {
    expect(foreign.length).toBeGreaterThan(30);
    const loose = foreign.filter(
      ({ ref = '', note = '' }) => !/^[0-9a-f]{40}$/.test(ref) || !/^v\d+\.\d+\.\d+$/.test(note),
    );
    expect(loose).toEqual([]);
  });

  test.each([
    { what: 'the workflows', files: '.github/' },
    { what: 'the examples', files: 'examples/' },
  ])('from other repositories have one pin in $what', ({ files }) => {
    const pins = new Map<string, Set<string>>();
    for (const { file, action, ref, note } of foreign.filter((use) => use.file.startsWith(files))) {
      const name = `${file.split('/')[0]}: ${action.split('/').slice(0, 2).join('/')}`;
      pins.set(name, (pins.get(name) ?? new Set()).add(`${ref} ${note}`));
    }
    expect(pins.size).toBeGreaterThan(3);
    expect([...pins].filter(([, refs]) => refs.size > 1)).toEqual([]);
  });

  test('are found in every step that uses one', () => {
    const used = steps.map(({ step }) => step['uses']).filter((value) => value !== undefined);
    expect(uses.map(({ action, ref }) => (ref === undefined ? action : `${action}@${ref}`))).toEqual(used);
  });

  test('from this repository are used from the checkout in workflows, and from the release in examples', () => {
    const ours = uses.filter((use) => !foreign.includes(use));
    expect(ours.filter(({ file, action }) => file.startsWith('.github/') !== (action === './'))).toEqual([]);
    expect(new Set(ours.map(({ ref }) => ref))).toEqual(new Set(['v1', undefined]));
  });
});

// Source: the action.yml of each action at its pin.
const INPUTS_OF_OTHERS: Readonly<Record<string, readonly string[]>> = {
  'actions/cache/restore': ['key', 'path', 'restore-keys'],
  'actions/cache/save': ['key', 'path'],
  'actions/checkout': ['persist-credentials', 'ref'],
  'actions/download-artifact': ['github-token', 'name', 'path', 'pattern', 'run-id'],
  'actions/setup-node': ['node-version-file'],
  'actions/upload-artifact': ['if-no-files-found', 'name', 'path'],
  'actions/attest-build-provenance': ['subject-path'],
  'aws-actions/configure-aws-credentials': ['aws-region', 'role-to-assume'],
  'github/codeql-action/analyze': ['category'],
  'github/codeql-action/init': ['build-mode', 'config', 'languages'],
  'github/codeql-action/upload-sarif': ['sarif_file'],
  'ossf/scorecard-action': ['publish_results', 'results_file', 'results_format'],
};

test('actions from other repositories get only inputs that they declare', () => {
  const strange = steps.flatMap(({ place, step }) => {
    const [action = ''] = String(step['uses'] ?? './').split('@');
    if (action === './' || action === 'OWNER/aws-lambda-invoke') return [];
    const known = INPUTS_OF_OTHERS[action] ?? [];
    const unknown = Object.keys(fieldsOf(step['with'])).filter((name) => !known.includes(name));
    return unknown.map((name) => `${place}: ${action}: ${name}`);
  });
  expect(strange).toEqual([]);
});

test('every step of an example has its own name', () => {
  const unnamed = examples.flatMap(({ file, jobs }) =>
    jobs.flatMap(([id, job]) => {
      const names = stepsOf(job).map(({ name }) => name);
      return names.every((name) => typeof name === 'string') && new Set(names).size === names.length
        ? []
        : [`${file}: ${id}`];
    }),
  );
  expect(unnamed).toEqual([]);
});

test('an example that assumes a role on a pull request skips forks and has its own role', () => {
  const onPullRequests = examples.filter(
    ({ root, text }) => 'pull_request' in fieldsOf(root['on']) && text.includes('role-to-assume'),
  );
  expect(onPullRequests.length).toBeGreaterThan(1);
  const open = onPullRequests.flatMap(({ file, jobs }) =>
    jobs.filter(([, job]) => job['if'] !== SAME_REPOSITORY).map(([id]) => `${file}: ${id}`),
  );
  expect(open).toEqual([]);
  expect(onPullRequests.filter(({ text }) => text.includes('role/deploy')).map(({ file }) => file)).toEqual(
    [],
  );
});

test('a checkout leaves no credentials behind', () => {
  const checkouts = steps.filter(({ step }) => String(step['uses']).startsWith('actions/checkout@'));
  expect(checkouts.length).toBeGreaterThan(5);
  const keeping = checkouts.filter(({ step }) => fieldsOf(step['with'])['persist-credentials'] !== false);
  expect(keeping.map(({ place }) => place)).toEqual([]);
});

test('no script contains an expression', () => {
  const scripts = steps.filter(({ step }) => step['run'] !== undefined);
  expect(scripts.length).toBeGreaterThan(10);
  expect(scripts.filter(({ step }) => String(step['run']).includes('${{')).map(({ place }) => place)).toEqual(
    [],
  );
});

test('no payload contains text without toJSON()', () => {
  const texts = /\$\{\{(?!\s*toJSON\()[^}]*\b(?:title|head_ref|actor|name|body|outputs)\b/;
  const payloads = steps.map(({ place, step }) => ({
    place,
    payload: String(fieldsOf(step['with'])['payload'] ?? ''),
  }));
  expect(payloads.filter(({ payload }) => payload.includes('toJSON(')).length).toBeGreaterThan(3);
  expect(payloads.filter(({ payload }) => texts.test(payload)).map(({ place }) => place)).toEqual([]);
});

describe('workflows of this repository', () => {
  test('have a timeout', () => {
    const endless = own.flatMap(({ file, jobs }) =>
      jobs.filter(([, job]) => typeof job['timeout-minutes'] !== 'number').map(([id]) => `${file}: ${id}`),
    );
    expect(endless).toEqual([]);
  });

  test('never run the pull request of a fork with a token that can write', () => {
    expect(own.filter(({ root }) => 'pull_request_target' in fieldsOf(root['on']))).toEqual([]);
    const writing = own
      .filter(({ root }) => 'pull_request' in fieldsOf(root['on']))
      .flatMap(({ file, jobs }) =>
        jobs.flatMap(([, job]) =>
          Object.entries(fieldsOf(job['permissions'])).flatMap(([scope, access]) =>
            access === 'write' ? [`${file}: ${scope}`] : [],
          ),
        ),
      );
    // A fork's token is always read-only. CodeQL reports for other pull requests.
    expect(writing).toEqual(['.github/workflows/codeql.yml: security-events']);
  });

  test('run no built code in jobs whose token can write or sign', () => {
    const trusted = own.flatMap(({ jobs }) =>
      jobs.flatMap(([, job]) => {
        const granted = Object.entries(fieldsOf(job['permissions']));
        const isTrusted = granted.some(
          ([scope, access]) => access === 'write' && scope !== 'security-events',
        );
        return isTrusted ? stepsOf(job).map(({ run }) => String(run ?? '')) : [];
      }),
    );
    expect(trusted.filter((run) => run !== '').length).toBeGreaterThan(3);
    expect(trusted.filter((run) => /\b(?:script\/|npm|npx|node)\b/.test(run))).toEqual([]);
  });
});

test('dependency updates wait a week in every ecosystem', () => {
  const { updates } = fieldsOf(parse(readFileSync(path.join(root, '.github/dependabot.yml'), 'utf8')));
  const waits = (Array.isArray(updates) ? updates : [])
    .map(fieldsOf)
    .map((update) => [update['package-ecosystem'], fieldsOf(update['cooldown'])['default-days']]);
  expect(waits).toEqual([
    ['npm', 7],
    ['github-actions', 7],
  ]);
});

// Source: GitHub Docs, "Syntax for GitHub's form schema".
describe.each(['bug', 'feature'])('the issue form %s', (name) => {
  const form = fieldsOf(parse(readFileSync(path.join(root, `.github/ISSUE_TEMPLATE/${name}.yml`), 'utf8')));
  const fields = (Array.isArray(form['body']) ? form['body'] : []).map(fieldsOf);

  test('is valid for GitHub', () => {
    expect({ name: form['name'], description: form['description'] }).toEqual({
      name: expect.stringMatching(/\S/),
      description: expect.stringMatching(/\S/),
    });
    expect(fields.length).toBeGreaterThan(2);
    const types = ['checkboxes', 'dropdown', 'input', 'markdown', 'textarea'];
    expect(fields.filter(({ type }) => !types.includes(String(type)))).toEqual([]);
    expect(fields.filter(({ attributes }) => typeof fieldsOf(attributes)['label'] !== 'string')).toEqual([]);
  });

  test('has unique field IDs', () => {
    const ids = fields.map(({ id }) => String(id));
    expect(ids.filter((id) => !/^[a-z-]+$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
