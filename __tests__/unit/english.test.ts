import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROOT } from '../markdown.ts';
import { type Part, proseOf } from '../prose.ts';

/** Where the words are looked for. A folder is added once it is clean. */
const SCOPES: readonly Readonly<{ files: readonly string[]; part: Part }>[] = [
  { files: ['*.md', 'docs/**/*.md', 'action.yml'], part: 'all but code spans' },
  { files: ['examples/*.yml', '.github/**/*.{yml,md}'], part: 'all but code spans' },
  { files: ['examples/local/*'], part: 'comments and strings' },
  { files: ['src/**/*.ts'], part: 'comments and strings' },
  { files: ['packages/*/README.md'], part: 'all but code spans' },
  { files: ['bench/*.ts', 'script/*.ts'], part: 'comments and strings' },
  {
    files: ['script/{bench,bootstrap,build,bundle,demo,picture,test,transcripts,try}'],
    part: 'all but code spans',
  },
  { files: ['packages/local-{proxy,server}/*.ts'], part: 'comments and strings' },
  // The strings of these folders are the names and messages of GitHub and AWS.
  { files: ['packages/local-{github,lambda,runner}/**/*.{ts,mjs}'], part: 'comments and test names' },
  { files: ['packages/local-{proxy,server}/__tests__/*.ts'], part: 'comments and test names' },
  {
    files: ['__tests__/*.ts', '__tests__/transcripts/*.{ts,mjs}', '__tests__/unit/*.ts'],
    part: 'comments and test names',
  },
  {
    files: ['__tests__/unit/{hostile,inputs,journal,lambda,outcome,report,shared}/**/*.ts'],
    part: 'comments and test names',
  },
  { files: ['__tests__/{integration,e2e}/**/*.{ts,mjs}'], part: 'comments and test names' },
];

/** Words to avoid, what to write instead, and an example. A space matches any gap, including a line break. */
const WORDS = [
  ['answer(?:s|ed|ing)?', 'response, respond', 'the function answered'],
  ['results?', 'response (of a function) or outcome (of an invocation)', 'the result of the function'],
  ['verdicts?|(?<!line )endings?', 'outcome', 'the verdict on an invocation'],
  ['c(?:ame|omes?) to', 'outcome, or evaluates to', 'each must come to true'],
  ['(?:sen[dt]s?|sending|ask(?:s|ed|ing)?)(?: it| them| this)? again', 'retry', 'Sending it again in 0.2 s'],
  ['repetitions?', 'copies', 'all repetitions at once'],
  ['in flight', 'concurrent', '50 invocations in flight'],
  ['mend(?:s|ed|ing)?', 'fix', 'Mend what the message says'],
  ['provabl[ey]|surely', 'ran, did not run or may have run', 'what provably did not run'],
  ['nothing tells', 'it is not known', 'nothing tells whether the function ran'],
  ['held|do(?:es)? not hold|did not hold', 'met, not met', 'an expectation that does not hold'],
  ['yield(?:s|ed|ing)?', 'evaluate to', 'every value that it yields'],
  ['c(?:ame|omes?) to stand|(?:it|connection|tunnel) stands', 'connect', 'before the tunnel stands'],
  ['br(?:eaks?|oke|oken|eaking) off', 'the connection is reset or closed', 'Where the stream breaks off'],
  ['(?:is|are) not taken here', 'is not supported', 'a comment is not taken here'],
  ['may not|might not', "is not allowed to, or can't", 'its own role may not call X'],
  ['may (?:invoke|call)|why not', 'can invoke, Reason', 'whether the role may invoke'],
  ['asked as', 'Checked as', 'Asked as role'],
  ['tells the truth', 'every failure reported accurately', 'an action that tells the truth'],
  ['never twice', 'at most once', 'invokes functions, never twice'],
  ['not as expected', 'did not meet an expectation', 'f responded, and not as expected'],
  ['safely run twice', 'it is safe for the function to run twice', 'If the function may safely run twice'],
  ['too old now', 'have expired', 'The credentials are too old now'],
  ['allow (?:can lift|lifts)', 'an Allow cannot override a Deny', 'which no allow can lift'],
  ['let no connection|lets no connection', 'blocked the connection', 'The proxy let no connection through'],
  ['was over before', 'timed out after … without a response', 'timeout_seconds was over before'],
  ['would be too long', 'gave up', 'to wait 6 s more would be too long'],
  ['has not the', 'is not in the', 'The handler has not the form'],
  ['ended well', 'succeeded', 'The handler ended well'],
  ['ha(?:s|ve) no part in', 'are not involved', 'the credentials have no part in it'],
  ['found a warm', 'warm starts', '0 found a warm execution environment'],
  ['to the last end', 'total', 'from the first start to the last end'],
  ['as many rows', 'one lane per concurrent invocation', 'in as many rows as were running'],
  ['by the log', 'reported by Lambda', 'Duration in Lambda, by the log'],
  ['as seen from here', 'round-trip time', 'Time to the response, as seen from here'],
  ['of the (?:job|role):|beside it', 'Job permissions, IAM permissions', 'Of the role:'],
  ['stays? away', 'is not needed', 'Everything else can stay away'],
  [
    '(?:is|are) (?:said|told) where',
    'name the place: errors name …',
    'What is missing is said where it is missed',
  ],
  ['one a line', 'one per line', 'Several: one a line'],
  ['folders? (?:is|are) made', 'folders are created', 'Its folder is made.'],
  ['brings? the quotes', 'adds the quotes', 'toJSON() brings the quotes'],
  ['besides:', 'more examples', 'Besides: an example'],
  ['instruments?', 'test tool', 'An instrument, not a product'],
  ['the house', 'code layout', 'The map of the house'],
  ['whoever', 'anyone who', "Whoever reaches the function's data"],
  ['couriers?|errands?|ledgers?', 'the name of the thing', 'the courier of an invocation'],
  ['in (?:the )?place of', 'instead of', 'a list in place of a name'],
  ['please', 'nothing: say what to do', 'One example at a time, please.'],
  ['organisations?|licences?|behaviours?|colours?', 'American spelling', 'an organisation'],
  ['\\w+(?:al|it|gn|im|or)is(?:e[sd]?|ing|ation)', 'American spelling: -ize', 'It is serialised'],
] as const;

const GAP = '(?:\\s|[#*>]|//)+';
const patternOf = (words: string): RegExp =>
  new RegExp(`(?<![\\w.-])(?:${words.replaceAll(' ', GAP)})(?![\\w-])`, 'gi');

const BANNED = [
  ...WORDS.map(([words, write]) => ({ pattern: patternOf(words), write })),
  { pattern: /\b(?:[Rr]equest|[Aa]ccount|[Aa]ccess key) ids?\b/g, write: 'ID or IDs, in capitals' },
  { pattern: /[‘’“”]/g, write: 'straight quotes' },
];

/** The places in a text that have a banned word, as file:line, the word, and what to write. */
const findingsIn = (file: string, text: string): string[] =>
  BANNED.flatMap(({ pattern, write }) =>
    [...text.matchAll(pattern)].map(({ index, 0: found }) => {
      const line = text.slice(0, index).split('\n').length;
      return `${file}:${line}: "${found.replace(/\s+/g, ' ')}": write ${write}`;
    }),
  );

const filesOf = (patterns: readonly string[]): string[] =>
  globSync([...patterns], { cwd: ROOT })
    .map((file) => file.replaceAll('\\', '/'))
    .sort();

describe.each(SCOPES)('the English of $files', ({ files, part }) => {
  const found = filesOf(files);

  test('is looked at in some files', () => {
    expect(found.length).toBeGreaterThan(1);
  });

  test.each(found)('%s has no banned words', (file) => {
    expect(findingsIn(file, proseOf(file, part))).toEqual([]);
  });
});

/** Words that no name in code contains either, because another term is used everywhere. */
const OTHER_TERMS = /answer|courier|errand|ledger/gi;

const CODE = ['{src,packages,bench,script}/**/*.{ts,mjs,cjs}', '__tests__/**/*.{ts,mjs}'];

test.each(
  filesOf(CODE).filter((file) => !file.includes('node_modules') && !file.endsWith('english.test.ts')),
)('%s uses the terms of the project in names', (file) => {
  expect(readFileSync(path.join(ROOT, file), 'utf8').match(OTHER_TERMS)).toBeNull();
});

/** Names, which keep their capital letter inside a heading. */
const NAMES: ReadonlySet<string> = new Set([
  'AWS',
  'CLI',
  'GitHub',
  'Invoke',
  'Lambda',
  "Lambda's",
  'Terraform',
  "Terraform's",
]);

test('headings of documents are in sentence case', () => {
  const headings = filesOf(['*.md', 'docs/**/*.md']).flatMap((file) =>
    [
      ...proseOf(file, 'all but code spans')
        .replace(/^ *```.*?```/gms, '')
        .matchAll(/^#+ (.+)$/gm),
    ].map(([, text = '']) => ({ file, text })),
  );
  expect(headings.length).toBeGreaterThan(50);
  const wrong = headings.filter(({ text }) =>
    text
      .split(/: | /)
      .slice(1)
      .some((word) => /^[A-Z]/.test(word) && !NAMES.has(word)),
  );
  expect(wrong).toEqual([]);
});

test.each(WORDS)('"%s" is found', (words, write, example) => {
  expect(example).toMatch(patternOf(words));
  expect(findingsIn('a.md', `First line\n${example.replace(' ', '\n# ')}`)).toContainEqual(
    expect.stringMatching(/^a\.md:[23]: ".+": write /),
  );
  expect(write).not.toMatch(patternOf(words));
});

test('an ID in small letters is found', () => {
  expect(findingsIn('a.md', 'the request id')).toEqual([
    'a.md:1: "request id": write ID or IDs, in capitals',
  ]);
  expect(findingsIn('a.md', 'the request ID')).toEqual([]);
});

describe('the prose of a program', () => {
  const file = '__tests__/unit/english.test.ts';

  test('is its comments and strings, each in its line', () => {
    const lines = proseOf(file, 'comments and strings').split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^ *\/\*\* Where the words are looked for\. .*\*\/$/));
    expect(lines.findIndex((line) => line.includes('@jest/globals'))).toBe(2);
    // A regular expression is not prose, so it does not find itself.
    expect(lines.join('')).not.toMatch(/globSync/);
  });

  test('is without its strings where only test names count', () => {
    const text = proseOf(file, 'comments and test names');
    expect(text).toContain('is without its strings where only test names count');
    expect(text).not.toContain('@jest/globals');
  });
});
