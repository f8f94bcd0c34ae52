import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseSync } from '@swc/core';

type Fields = Readonly<Record<string, unknown>>;
type Import = Readonly<{ from: string; typesOnly: boolean }>;
/** A source file: its path below src, its folder, its text, and the nodes of its syntax tree. */
type Source = Readonly<{
  file: string;
  folder: string;
  text: string;
  bytes: Buffer;
  /** The parser's position of its first byte. */
  start: number;
  statements: Fields[];
  nodes: Fields[];
}>;

const root = path.resolve(import.meta.dirname, '../../src');

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

/** A node and all nodes below it. They are pushed onto one list because copies at each level would take 0.5 s. */
function nodesBelow(value: unknown, found: Fields[] = []): Fields[] {
  if (isFields(value)) found.push(value);
  if (typeof value === 'object' && value !== null)
    for (const below of Object.values(value)) nodesBelow(below, found);
  return found;
}

function readSource(file: string): Source {
  const text = readFileSync(path.join(root, file), 'utf8');
  // The parser starts a program after its first comments, so a line is added in front.
  const bytes = Buffer.from(`;\n${text}`);
  const [first, ...statements] = listOf(
    parseSync(bytes.toString(), { syntax: 'typescript', target: 'es2024' }).body,
  );
  const start = Number(fieldsOf(first?.['span'])['start']);
  const folder = file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
  return { file, folder, text, bytes, start, statements, nodes: nodesBelow(statements) };
}

const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .map(readSource);

/** The nodes in the sources that match a predicate, as file and node type. */
const places = (
  isBad: (node: Fields, source: Source) => boolean,
  of: readonly Source[] = sources,
): string[] =>
  of.flatMap((source) =>
    source.nodes.filter((node) => isBad(node, source)).map((node) => `${source.file}: ${node['type']}`),
  );

const isNamed = (node: unknown, name: string): boolean =>
  fieldsOf(node)['type'] === 'Identifier' && fieldsOf(node)['value'] === name;

const isMember = (node: Fields, object: string, property: string): boolean =>
  node['type'] === 'MemberExpression' &&
  isNamed(node['object'], object) &&
  isNamed(node['property'], property);

function importsOf({ nodes }: Source): Import[] {
  return nodes.flatMap((node) => {
    const from = fieldsOf(node['source'])['value'];
    if (node['type'] === 'CallExpression' && fieldsOf(node['callee'])['type'] === 'Import') {
      const [argument] = listOf(node['arguments']);
      return [{ from: String(fieldsOf(argument?.['expression'])['value']), typesOnly: false }];
    }
    if (typeof from !== 'string') return [];
    const specifiers = listOf(node['specifiers']);
    const typesOnly =
      node['typeOnly'] === true ||
      (specifiers.length > 0 && specifiers.every((specifier) => specifier['isTypeOnly'] === true));
    return [{ from, typesOnly }];
  });
}

/** Files outside `folders` that import a module whose name matches. */
const importersOutside = (folders: readonly string[], module: RegExp): string[] =>
  sources
    .filter(({ folder, file }) => !folders.includes(folder) && !folders.includes(file))
    .filter((source) => importsOf(source).some(({ from }) => module.test(from)))
    .map(({ file }) => file);

test('the sources are found', () => {
  expect(sources.map(({ file }) => file)).toEqual(
    expect.arrayContaining([
      'index.ts',
      'main.ts',
      'inputs/environment.ts',
      'lambda/evidence.ts',
      'report/log.ts',
    ]),
  );
});

describe('the outside world', () => {
  test('process.env is read only in inputs', () => {
    const readers = sources.filter(
      (source) =>
        source.nodes.some((node) => isMember(node, 'process', 'env')) ||
        importsOf(source).some(({ from }) => from === 'node:process' || from === 'process'),
    );
    expect(readers.map(({ file }) => file)).toEqual(['inputs/early-endpoint.ts', 'inputs/environment.ts']);
  });

  test('the inputs are read only in inputs', () => {
    const names = ['getInput', 'getBooleanInput', 'getMultilineInput'];
    const readers = sources.filter(({ nodes }) =>
      nodes.some((node) => names.some((name) => isNamed(node, name))),
    );
    expect(readers.map(({ file }) => file)).toEqual(['inputs/environment.ts']);
  });

  test('the AWS SDK is imported only in lambda and logs', () => {
    expect(importersOutside(['lambda', 'logs'], /^@(?:aws-sdk|smithy)\//)).toEqual([]);
    expect(importersOutside([], /^@(?:aws-sdk|smithy)\//)).not.toEqual([]);
  });

  test("the runner's toolkit is imported only in main, inputs and report", () => {
    expect(importersOutside(['main.ts', 'inputs', 'report'], /^@actions\//)).toEqual([]);
    expect(importersOutside([], /^@actions\//)).not.toEqual([]);
  });

  test('in report, only writers import the toolkit, and renderers are pure', () => {
    const writers = sources.filter(
      (source) =>
        source.folder === 'report' && importsOf(source).some(({ from }) => /^@actions\//.test(from)),
    );
    const folderOf = (file: string): string => path.posix.dirname(file);
    const inFolder = (folder: string): string[] =>
      writers.map(({ file }) => file).filter((file) => folderOf(file) === folder);
    expect(inFolder('report')).toEqual([
      'report/annotations.ts',
      'report/debug-log.ts',
      'report/foreign-text.ts',
      'report/log.ts',
      'report/missing-permissions.ts',
      'report/outputs.ts',
      'report/progress.ts',
      'report/runner-secrets.ts',
    ]);
    for (const folder of ['report/summary', 'report/comment'])
      expect(inFolder(folder).length).toBeLessThanOrEqual(1);
  });

  test('files are read and written only in inputs, journal and report', () => {
    const folders = ['inputs', 'journal', 'report', 'shared/folder.ts'];
    expect(importersOutside(folders, /^(?:node:)?fs/)).toEqual([]);
  });

  test('outcome is pure: it uses no clock, network or machine', () => {
    const pure = sources.filter(({ folder }) => folder === 'outcome');
    expect(
      pure.flatMap(importsOf).filter(({ from }) => /^node:/.test(from) && from !== 'node:buffer'),
    ).toEqual([]);
    expect(places((node) => isMember(node, 'Date', 'now') || isMember(node, 'Math', 'random'), pure)).toEqual(
      [],
    );
  });
});

/** The folders that each folder may import from; `types` only as types. */
const NEIGHBOURS: Readonly<
  Record<string, Readonly<{ values: readonly string[]; types: readonly string[] }>>
> = {
  inputs: { values: ['inputs', 'shared'], types: ['lambda', 'outcome'] },
  lambda: { values: ['lambda', 'shared'], types: [] },
  logs: { values: ['logs', 'lambda', 'shared'], types: [] },
  journal: { values: ['journal', 'shared'], types: ['lambda', 'outcome'] },
  outcome: { values: ['outcome', 'shared'], types: ['lambda'] },
  report: { values: ['report', 'outcome', 'shared'], types: [] },
  wiring: {
    values: ['wiring', 'inputs', 'lambda', 'logs', 'journal', 'outcome', 'report', 'shared'],
    types: [],
  },
  shared: { values: ['shared'], types: [] },
};

describe('import directions', () => {
  const neighbourOf = (file: string, from: string): string => {
    const target = path.posix.join(path.posix.dirname(file), from);
    return target.includes('/') ? target.slice(0, target.indexOf('/')) : target;
  };

  test.each(Object.entries(NEIGHBOURS))(
    '%s imports only from allowed folders',
    (folder, { values, types }) => {
      const strays = sources
        .filter((source) => source.folder === folder)
        .flatMap((source) =>
          importsOf(source)
            .filter(({ from }) => from.startsWith('.'))
            .filter(({ from, typesOnly }) => {
              const neighbour = neighbourOf(source.file, from);
              return !values.includes(neighbour) && !(typesOnly && types.includes(neighbour));
            })
            .map(({ from }) => `${source.file} imports ${from}`),
        );
      expect(strays).toEqual([]);
    },
  );

  test('every folder is listed', () => {
    expect([...new Set(sources.map(({ folder }) => folder))].sort()).toEqual([
      '',
      'inputs',
      'journal',
      'lambda',
      'logs',
      'outcome',
      'report',
      'shared',
      'wiring',
    ]);
  });

  test('no function, class or type name is defined in two files', () => {
    const places = sources.flatMap((source) =>
      definitionsIn(source).map((name) => ({ name, file: source.file })),
    );
    const isTwice = ({ name, file }: { name: string; file: string }): boolean =>
      places.some((other) => other.name === name && other.file !== file);
    const found = places.filter(isTwice).map(({ file, name }) => [file, name] as const);
    expect(byFile(found)).toEqual({});
  });

  test('main has at most 80 lines', () => {
    const main = sources.find(({ file }) => file === 'main.ts');
    expect(main?.text.split('\n').length).toBeLessThanOrEqual(81);
  });

  test.each([
    ['main.ts', ['process.ts']],
    ['process.ts', ['index.ts']],
    ['wiring/step.ts', ['main.ts']],
    ['wiring/outcomes.ts', ['main.ts', 'process.ts', 'wiring/step.ts']],
    ['index.ts', []],
  ])('%s is imported by %j', (target, importers) => {
    const found = sources.filter(({ file, ...source }) =>
      importsOf({ file, ...source }).some(
        ({ from }) => from.startsWith('.') && path.posix.join(path.posix.dirname(file), from) === target,
      ),
    );
    expect(found.map(({ file }) => file)).toEqual(importers);
  });
});

describe('the language', () => {
  test('there is no any', () => {
    expect(places((node) => node['type'] === 'TsKeywordType' && node['kind'] === 'any')).toEqual([]);
  });

  test('there is no "as" except "as const"', () => {
    expect(places((node) => node['type'] === 'TsAsExpression' || node['type'] === 'TsTypeAssertion')).toEqual(
      [],
    );
  });

  test('there is no non-null assertion', () => {
    expect(places((node) => node['type'] === 'TsNonNullExpression')).toEqual([]);
  });

  test('there is no enum and no namespace', () => {
    expect(
      places((node) => ['TsEnumDeclaration', 'TsModuleDeclaration'].includes(String(node['type']))),
    ).toEqual([]);
  });

  test('there is no default export', () => {
    const kinds = ['ExportDefaultDeclaration', 'ExportDefaultExpression', 'ExportDefaultSpecifier'];
    expect(places((node) => kinds.includes(String(node['type'])))).toEqual([]);
  });

  test('no comment disables a check', () => {
    const silenced = sources.filter(({ text }) => /@ts-|biome-ignore|eslint-disable/.test(text));
    expect(silenced.map(({ file }) => file)).toEqual([]);
  });

  test('no file is named utils or helpers', () => {
    expect(
      sources.map(({ file }) => file).filter((file) => /(?:^|\/|-)(?:utils?|helpers?)(?:\.|\/|-)/.test(file)),
    ).toEqual([]);
  });

  test('relative imports end in .ts', () => {
    const strays = sources.flatMap((source) =>
      importsOf(source)
        .filter(({ from }) => from.startsWith('.') && !from.endsWith('.ts'))
        .map(({ from }) => `${source.file} imports ${from}`),
    );
    expect(strays).toEqual([]);
  });

  test('only index runs code on import', () => {
    const running = sources.filter(({ statements }) =>
      statements.some((statement) => statement['type'] === 'ExpressionStatement'),
    );
    expect(running.map(({ file }) => file)).toEqual(['index.ts']);
  });
});

const LONGEST_FUNCTION = 40;

/** Names by the file that defines them. */
function byFile(found: readonly (readonly [file: string, name: string])[]): Record<string, string[]> {
  const files: Record<string, string[]> = {};
  for (const [file, name] of found) files[file] = [...(files[file] ?? []), name];
  return files;
}

const FUNCTIONS = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression', 'ClassMethod'];
const METHODS = ['ClassMethod', 'PrivateMethod', 'Constructor', 'MethodProperty'];

/** A function's lines, including the closing brace. Positions count the bytes of all files parsed so far. */
function lineCount(source: Source, node: Fields): number {
  const span = fieldsOf(node['span']);
  const at = (side: string): number => Number(span[side]) - source.start;
  return source.bytes.subarray(at('start'), at('end')).toString().split('\n').length;
}

const nameOf = (node: Fields): string => {
  const { value } = fieldsOf(node['identifier'] ?? node['key']);
  return typeof value === 'string' ? value : String(node['type']);
};

const longFunctions = byFile(
  sources.flatMap((source) =>
    source.nodes
      .filter((node) => FUNCTIONS.includes(String(node['type'])) || METHODS.includes(String(node['type'])))
      .filter((node) => lineCount(source, node) > LONGEST_FUNCTION)
      .map((node) => [source.file, nameOf(node)] as const),
  ),
);

/** The functions, including constants that are functions, classes and types at the top level of a file. */
function definitionsIn({ statements }: Source): string[] {
  return statements
    .map((statement) => ('declaration' in statement ? fieldsOf(statement['declaration']) : statement))
    .flatMap((statement) => {
      if (['FunctionDeclaration', 'ClassDeclaration'].includes(String(statement['type'])))
        return [nameOf(statement)];
      if (statement['type'] === 'TsTypeAliasDeclaration' || statement['type'] === 'TsInterfaceDeclaration')
        return [String(fieldsOf(statement['id'])['value'])];
      return listOf(statement['declarations'])
        .filter(({ init }) => FUNCTIONS.includes(String(fieldsOf(init)['type'])))
        .map(({ id }) => String(fieldsOf(id)['value']));
    });
}

/** A parameter as a pattern, whether the function wraps it or not. */
const patternOf = (parameter: Fields): Fields =>
  'pat' in parameter ? fieldsOf(parameter['pat']) : parameter;

describe('functions', () => {
  test('have at most three parameters', () => {
    // The arguments of a generic type have the same node name.
    const isFunction = ({ type }: Fields): boolean => type !== 'TsTypeParameterInstantiation';
    expect(places((node) => isFunction(node) && listOf(node['params']).length > 3)).toEqual([]);
  });

  test('take no positional boolean', () => {
    const isBoolean = (parameter: Fields): boolean => {
      const type = fieldsOf(fieldsOf(patternOf(parameter)['typeAnnotation'])['typeAnnotation']);
      return type['type'] === 'TsKeywordType' && type['kind'] === 'boolean';
    };
    const named = sources.flatMap(({ file, nodes }) =>
      nodes
        .filter((node) => listOf(node['params']).some(isBoolean))
        .map((node) => `${file}: ${fieldsOf(node['identifier'])['value'] ?? node['type']}`),
    );
    expect(named).toEqual([]);
  });

  test('cover every case in a switch, checked by the compiler', () => {
    const isExhaustive = (node: Fields): boolean =>
      listOf(node['cases']).some(
        ({ test: tested, consequent }) =>
          tested === null &&
          nodesBelow(consequent).some(
            ({ type, typeAnnotation }) =>
              type === 'TsSatisfiesExpression' && fieldsOf(typeAnnotation)['kind'] === 'never',
          ),
      );
    expect(places((node) => node['type'] === 'SwitchStatement' && !isExhaustive(node))).toEqual([]);
  });

  test('set the exit code only in index, and never with setFailed', () => {
    const filesWith = (isBad: (node: Fields) => boolean): string[] =>
      sources.filter(({ nodes }) => nodes.some(isBad)).map(({ file }) => file);
    const setsExitCode = ({ type, left }: Fields): boolean =>
      type === 'AssignmentExpression' && isMember(fieldsOf(left), 'process', 'exitCode');
    expect(filesWith(setsExitCode)).toEqual(['index.ts']);
    expect(filesWith((node) => isNamed(node, 'setFailed'))).toEqual([]);
  });

  test('have at most 40 lines', () => {
    expect(longFunctions).toEqual({});
  });
});

describe('documentation', () => {
  const exported = sources.flatMap(({ file, text }) =>
    [
      ...text.matchAll(
        /(?:\/\*\*(?<doc>(?:(?!\*\/)[\s\S])*)\*\/\n)?^export (?:async )?(?:abstract )?(?:function|const|class|type) (?<name>\w+)/gm,
      ),
    ].map(({ groups }) => ({ symbol: `${file}: ${groups?.['name']}`, doc: groups?.['doc'] })),
  );

  test('is present above each exported symbol', () => {
    expect(exported.length).toBeGreaterThan(50);
    expect(exported.filter(({ doc }) => doc === undefined).map(({ symbol }) => symbol)).toEqual([]);
  });

  test('has one to three lines', () => {
    const long = exported.filter(({ doc = '' }) => {
      const lines = doc.split('\n').filter((line) => /[A-Za-z]/.test(line));
      return lines.length > 3;
    });
    expect(long.map(({ symbol }) => symbol)).toEqual([]);
  });
});
