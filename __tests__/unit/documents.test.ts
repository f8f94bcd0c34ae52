import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseSync } from '@swc/core';
import { parse } from 'yaml';
import { exampleNames } from '../../examples/local/stage.ts';
import { writeFiles } from '../../packages/local-runner/run-step.ts';
import { type Fields, fieldsOf } from '../../src/shared/values.ts';
import { heavyTest } from '../heavy.ts';
import { blocksIn, documents, ROOT } from '../markdown.ts';

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

test('the documents that a new contributor looks for exist', () => {
  expect(documents.map(({ file }) => file)).toEqual(
    expect.arrayContaining([
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'README.md',
      'RELEASING.md',
      'SECURITY.md',
      'docs/expressions.md',
      'docs/function-log.md',
      'docs/inputs.md',
      'docs/reliability.md',
      'docs/threat-model.md',
    ]),
  );
});

describe('the README', () => {
  const { text = '' } = documents.find(({ file }) => file === 'README.md') ?? {};

  test('has at most 400 lines', () => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(400);
  });

  test('has its sections in the order that a new user needs them', () => {
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual([
      'What it promises',
      'Quick start',
      'Try it without an AWS account',
      'What failure looks like',
      'Scenarios',
      'Permissions',
      'Inputs',
      'Outputs',
      'Migrating from other tools',
      'Limits and troubleshooting',
      'Versions and verification',
      'More',
    ]);
  });

  test('has the same title as action.yml', () => {
    const [, name] = /^name: (.+)$/m.exec(readFileSync(path.join(ROOT, 'action.yml'), 'utf8')) ?? [];
    expect(text.split('\n')[0]).toBe(`# ${name}`);
  });
});

test('the picture in the README is legible on a phone and in dark mode', () => {
  const picture = readFileSync(path.join(ROOT, 'docs/images/failure.svg'), 'utf8');
  const width = Number(/<svg [^>]*\bwidth="(\d+)"/.exec(picture)?.[1]);
  const sizes = [...picture.matchAll(/font(?:-size)?: (\d+)px/g)].map(([, size]) => Number(size));
  expect(sizes.length).toBeGreaterThan(3);
  // A phone shows a README about 370 px wide. Text smaller than 10 px is hard to read.
  expect(Math.min(...sizes) * (370 / width)).toBeGreaterThanOrEqual(10);
  // A character of a monospaced font is 0.6 em wide.
  const code = [...picture.matchAll(/<text x="(\d+)" [^>]*class="code"[^>]*>(.*)<\/text>/g)];
  expect(code.length).toBeGreaterThan(3);
  const widest = Math.max(...code.map(([, x, text = '']) => Number(x) + text.length * 0.6 * 13));
  expect(widest).toBeLessThan(width);
  expect(picture).toContain('@media (prefers-color-scheme: dark)');
});

describe('links', () => {
  const links = documents.flatMap(({ file, links }) => links.map((url) => ({ file, url })));
  const outside = links.filter(({ url }) => /^[a-z]+:/.test(url));
  const inside = links.filter((link) => !outside.includes(link));

  test('within the repository lead to an existing file and heading', () => {
    expect(inside.length).toBeGreaterThan(50);
    const dead = inside.filter(({ file, url }) => {
      const [target = '', anchor] = url.split('#');
      const found = target === '' ? file : path.posix.join(path.posix.dirname(file), target);
      if (!existsSync(path.join(ROOT, found))) return true;
      const document = documents.find((other) => other.file === found);
      return anchor !== undefined && document?.anchors.has(anchor) !== true;
    });
    expect(dead).toEqual([]);
  });

  test('to other sites use https', () => {
    expect(outside.length).toBeGreaterThan(3);
    expect(outside.filter(({ url }) => !URL.canParse(url) || new URL(url).protocol !== 'https:')).toEqual([]);
  });
});

test('every code block names a language that is checked by a test', () => {
  const known = ['yaml', 'json', 'sh', 'console', 'ts', 'diff'];
  const unknown = documents.flatMap(({ blocks }) =>
    blocks.filter(({ language }) => !known.includes(language)),
  );
  expect(unknown).toEqual([]);
});

test('the migrated step of the README is the one of docs/coming-from.md, whose blocks are run', () => {
  const stepsOf = (text: string): unknown[] => parse(text).map(({ id: _, ...step }: { id?: string }) => step);
  const [before, after] = blocksIn('yaml')
    .filter(({ place }) => place.startsWith('docs/coming-from.md'))
    .map(({ text }) => stepsOf(text));
  const [diff, ...others] = blocksIn('diff');
  const signed = (sign: string): unknown[] =>
    stepsOf((diff?.text ?? '').replace(/^(.) ?(.*\n?)/gm, (_, first, rest) => (first === sign ? rest : '')));
  expect(others).toEqual([]);
  expect(signed('-')).toEqual(before);
  expect(signed('+')).toEqual(after?.slice(-1));
});

describe('JSON', () => {
  const parsed = blocksIn('json').map(({ place, text }) => ({ place, json: fieldsOf(JSON.parse(text)) }));
  const policies = parsed.filter(({ json }) => 'Statement' in json);
  const statements = policies.flatMap(({ json }) => listOf(json['Statement']).map(fieldsOf));
  const actions = new Set(statements.flatMap((statement) => listOf(statement['Action']).map(String)));
  const policyRows = documents.flatMap(({ text }) => [
    ...text.matchAll(/^\| `(?<action>(?:lambda|logs):\w+)` \|/gm),
  ]);

  test('parses', () => {
    expect(parsed.length).toBeGreaterThan(2);
  });

  test('the policies are valid for IAM and allow a function with and without qualifiers', () => {
    expect(policies.length).toBeGreaterThan(1);
    for (const { json } of policies) expect(json['Version']).toBe('2012-10-17');
    const bad = statements.filter(({ Effect, Resource }: Fields) => {
      const [one = '', all = ''] = listOf(Resource).map(String);
      return (
        Effect !== 'Allow' ||
        !/^arn:aws:(?:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+|logs:[a-z0-9-]+:\d{12}:log-group:[\w/-]+)$/.test(
          one,
        ) ||
        all !== `${one}:*`
      );
    });
    expect(bad).toEqual([]);
  });

  test('the policies grant all actions that the documents list', () => {
    const asked = new Set(policyRows.map(({ groups }) => groups?.['action'] ?? ''));
    expect(asked.size).toBeGreaterThan(2);
    expect([...actions].sort()).toEqual([...asked, 'lambda:InvokeFunction'].sort());
  });
});

describe('commands', () => {
  const blocks = blocksIn('sh', 'console').map(({ language, place, text }) => ({
    place,
    script: language === 'sh' ? text : [...text.matchAll(/^\$ (.*)$/gm)].map(([, line]) => line).join('\n'),
  }));
  const lines = blocks.flatMap(({ script }) => script.split('\n'));

  test('have valid bash syntax', () => {
    expect(blocks.length).toBeGreaterThan(5);
    const unreadable = blocks.filter(
      ({ script }) => spawnSync('bash', ['-n'], { input: script }).status !== 0,
    );
    expect(unreadable).toEqual([]);
  });

  test('of this repository exist', () => {
    const ours = documents.flatMap(({ text }) => text.match(/\bscript\/[\w.-]*\w/g) ?? []);
    expect(ours.length).toBeGreaterThan(20);
    expect(ours.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
    const run = lines.flatMap((line) => /^script\/[a-z-]+/.exec(line) ?? []);
    expect(run.length).toBeGreaterThan(5);
    // Windows has no such mode.
    if (process.platform === 'win32') return;
    expect(run.filter((file) => (statSync(path.join(ROOT, file)).mode & 0o111) === 0)).toEqual([]);
  });

  heavyTest('of the demo use existing names', () => {
    const given = documents.flatMap(({ text }) =>
      [...text.matchAll(/\bscript\/demo ([\w-]+)`/g)].map(([, name = '']) => name),
    );
    expect(given.length).toBeGreaterThan(1);
    const help = execFileSync('bash', ['script/demo', '--help'], { cwd: ROOT, encoding: 'utf8' });
    expect(given.filter((name) => !exampleNames().includes(name) && !help.includes(name))).toEqual([]);
  });

  test('of the tests name existing tests', () => {
    const given = lines.flatMap((line) => /^script\/test (\S+)/.exec(line)?.[1] ?? []);
    expect(given.length).toBeGreaterThan(0);
    expect(given.filter((name) => !existsSync(path.join(ROOT, '__tests__', name)))).toEqual([]);
  });

  test('of RELEASING.md change nothing in src/, so dist/ is the same for every OWNER', () => {
    const changed = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
      (file) =>
        file.endsWith('.ts') && /(?<!\w)OWNER(?!\w)/.test(readFileSync(path.join(ROOT, 'src', file), 'utf8')),
    );
    expect(changed).toEqual([]);
  });

  test('of RELEASING.md replace OWNER with a name', () => {
    const command = lines.filter((line) => line.startsWith('git grep -l'));
    expect(command).toHaveLength(1);
    const folder = mkdtempSync(path.join(tmpdir(), 'owner-'));
    try {
      const files = [
        'README.md',
        '.github/CODEOWNERS',
        'RELEASING.md',
        'packages/local-runner/run-job.ts',
        'examples/basic.yml',
      ];
      writeFiles(
        folder,
        Object.fromEntries(files.map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')])),
      );
      const run = (script: string) =>
        execFileSync('bash', ['-ec', script], { cwd: folder, encoding: 'utf8' });
      run('git init --quiet && git add --all');
      run(command.join('\n'));
      const after = files.map((file) => readFileSync(path.join(folder, file), 'utf8'));
      expect(after.filter((text) => /(?<!\w)OWNER(?!\w)/.test(text))).toEqual([]);
      expect(after[0]).toContain('- uses: your-name/aws-lambda-invoke@v1');
      expect(after[0]).not.toContain('CODEyour-name');
      expect(after[1]).toContain('* @your-name');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test('TypeScript parses', () => {
  const blocks = blocksIn('ts');
  expect(blocks.length).toBeGreaterThan(2);
  for (const { text } of blocks) parseSync(text, { syntax: 'typescript', target: 'es2024' });
});

test('documents name existing files and folders', () => {
  const named = documents
    // Entries of past releases do not change.
    .filter(({ file }) => file !== 'CHANGELOG.md')
    .flatMap(({ file, text }) =>
      [
        ...text.matchAll(
          /(?<![\w./-])(?:src|__tests__|script|packages|bench|docs|examples|\.github)\/[\w./-]*[\w/]/g,
        ),
      ].map(([name]) => ({ file, name })),
    );
  expect(named.filter(({ file }) => file === 'CONTRIBUTING.md').length).toBeGreaterThan(15);
  expect(new Set(named.map(({ file }) => file)).size).toBeGreaterThan(5);
  expect(named.filter(({ name }) => !existsSync(path.join(ROOT, name)))).toEqual([]);
});

test('CONTRIBUTING names existing modules and tests', () => {
  const { text = '' } = documents.find(({ file }) => file === 'CONTRIBUTING.md') ?? {};
  const names = [...text.matchAll(/`(?:\w+\/)?([\w-]+(?:\.test)?\.ts)`/g)].map(([, name = '']) => name);
  const known = ['src', '__tests__', 'script']
    .flatMap((folder) => readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }))
    .map((file) => path.basename(file));
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
});
