import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { anyText } from '../../any-text.ts';

/** Every character sequence that some program reads as a line break, and a few that none should. */
const LINE_ENDS = ['\n', '\r', '\r\n', '\n\r', '\u2028', '\u2029', '\u0085', '\v', '\f'];
const COMMAND_NAMES = [
  'error',
  'warning',
  'notice',
  'debug',
  'group',
  'endgroup',
  'add-mask',
  'add-matcher',
  'remove-matcher',
  'add-path',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'echo',
  'ERROR',
  'Add-Mask',
];
const PROPERTIES = ['', ' title=forged', ' name=outcome', ' file=a.js,line=1', ' name=results;x=y'];

const commandName = fc.constantFrom(...COMMAND_NAMES);
const data = fc.constantFrom('', 'x', 'forged', 'a%0A::error::b', 'pause-logging', '***', ':', '::');

/** A workflow command in either syntax, at the start of a line or not, and a resume line with a guessed token. */
export const workflowCommand: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('', ' ', '  ', '\t', '\u00a0', '\u2003', '\ufeff', '\u200b', '\u0000'),
      commandName,
      fc.constantFrom(...PROPERTIES),
      data,
    )
    .map(([indent, name, properties, text]) => `${indent}::${name}${properties}::${text}`),
  fc
    .tuple(
      fc.constantFrom('', ' ', 'before ', '\u0000', '::', '#'),
      commandName,
      fc.constantFrom(...PROPERTIES),
      data,
    )
    .map(([before, name, properties, text]) => `${before}##[${name}${properties}]${text}`),
  fc.uuid().map((token) => `::${token}::`),
  fc.uuid().map((token) => `##[${token}]`),
  fc.uuid().map((token) => `::stop-commands::${token}\n::${token}::\n::error::after`),
);

/** A line with a meaning in GITHUB_OUTPUT, GITHUB_ENV or GITHUB_PATH. */
const fileCommand = fc.oneof(
  fc.constantFrom('outcome=forged', 'results<<EOF', 'EOF', 'a<<b\nc\nb', '<<', '=', 'PATH=/tmp'),
  fc.uuid().map((uuid) => `ghadelimiter_${uuid}`),
  fc.uuid().map((uuid) => `ghadelimiter_${uuid}\noutcome<<ghadelimiter_${uuid}\nforged`),
);

const character = fc.constantFrom(
  '\u0000',
  '\u0007',
  '\u0008',
  '\u001b',
  '\u007f',
  // Zero-width and bidirectional characters
  '\u200b',
  '\u200c',
  '\u200d',
  '\u2060',
  '\ufeff',
  '\u200e',
  '\u200f',
  '\u202a',
  '\u202e',
  '\u2066',
  '\u2069',
  '\ufffd',
  '\uffff',
  // Lone surrogates
  '\ud800',
  '\udbff',
  '\udc00',
  '\udfff',
  'é',
  '€',
  '😀',
  '👨‍👩‍👧',
  '́',
);

const ansi = fc.constantFrom(
  '\u001b[31m',
  '\u001b[0m',
  '\u001b[2J',
  '\u001b[1A\u001b[2K',
  '\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007',
  '\u009b31m',
);

const backticks = fc.integer({ min: 1, max: 9 }).map((length) => '`'.repeat(length));

const markdown = fc.oneof(
  backticks,
  fc
    .tuple(backticks, fc.constantFrom('', 'js\ncode\n', 'mermaid\ngraph TD;A-->B\n', 'math\nx^2\n'))
    .map(([ticks, inside]) => `${ticks}${inside}${ticks}`),
  fc.constantFrom(
    '|',
    '||',
    '\\',
    '\\|',
    '\\\\|',
    '`|`',
    ' | a | b |\n| --- | --- |\n| c | d |\n',
    '|\n\n# heading\n',
    '# heading',
    '\n\n> quote',
    '\n- item\n- [x] task',
    '---',
    '===',
    '~~~\n',
    '~~gone~~',
    '**bold**',
    '_em_',
    '$x^2$',
    '$$\nx\n$$',
    '$`x`$',
    '[x](javascript:alert(1))',
    '![x](https://evil.example/pixel.png)',
    '[x]: https://evil.example\n[x]',
    '[^1]\n\n[^1]: note',
    '<https://evil.example>',
    'https://evil.example/a?b=c',
    'www.evil.example',
    'a@b.example',
    'mailto:a@b.example',
    '@octocat',
    '@org/team',
    '#123',
    'GH-1',
    'octo/repo#1',
    '0123456789abcdef0123456789abcdef01234567',
    ':tada:',
    '&lt;img&gt;',
    '&#96;',
    '&#124;',
    '&copy;',
    '\\`',
    '\\<',
    '  \n',
  ),
);

const html = fc.constantFrom(
  '<img src=x onerror=alert(1)>',
  '<a href="https://evil.example">here</a>',
  '<a href=javascript:alert(1)>',
  '<details><summary>open</summary>',
  '</details>',
  '<!-- comment',
  '-->',
  '<![CDATA[ x ]]>',
  '<script>alert(1)</script>',
  '<svg/onload=alert(1)>',
  '</code>',
  '</td></tr></table>',
  '<td>',
  '<br>',
  '<?php ?>',
  '<!DOCTYPE html>',
  '<kbd>',
  '<',
  '>',
  '<x',
);

const plain = fc.oneof(
  fc.constantFrom(
    'order 7 has no lines',
    'TypeError: x is not a function',
    ' ',
    '  ',
    '\t',
    '%0A',
    '%25',
    '%',
  ),
  fc.string({ maxLength: 12 }),
  anyText({ maxLength: 6 }),
);

const fragment: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: workflowCommand, weight: 4 },
  { arbitrary: fc.constantFrom(...LINE_ENDS), weight: 5 },
  { arbitrary: markdown, weight: 5 },
  { arbitrary: html, weight: 3 },
  { arbitrary: plain, weight: 3 },
  { arbitrary: character, weight: 3 },
  { arbitrary: fileCommand, weight: 2 },
  { arbitrary: ansi, weight: 1 },
);

/** Text that a malicious function or server would write. It is rarely very long. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.array(fragment, { maxLength: 14 }).map((parts) => parts.join('')), weight: 30 },
  {
    arbitrary: fc
      .tuple(fragment, fragment, fc.integer({ min: 1, max: 12_000 }))
      .map(([start, long, length]) => `${start}${(long || 'x').repeat(length).slice(0, 12_000)}${start}`),
    weight: 1,
  },
);

/** Hostile text that is not empty, for header values. */
export const hostileValue: fc.Arbitrary<string> = hostileText.filter((text) => text !== '');

/** Hostile text as bytes, mixed with bytes that are not UTF-8. */
export const hostileBytes: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      { arbitrary: hostileText.map((text) => Buffer.from(text)), weight: 3 },
      { arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)), weight: 2 },
      {
        arbitrary: fc
          .constantFrom(
            [0xc3],
            [0xe2, 0x82],
            [0xf0, 0x9f, 0x98],
            [0x80],
            [0xff],
            [0xed, 0xa0, 0x80],
            [0xc0, 0xba],
          )
          .map((bytes) => Buffer.from(bytes)),
        weight: 1,
      },
    ),
    { maxLength: 4 },
  )
  .map((parts) => Buffer.concat(parts));

/** A response: text, JSON with hostile text, an error payload in the format of any runtime, or bytes. */
export const hostileResponse: fc.Arbitrary<Uint8Array> = fc.oneof(
  hostileBytes,
  hostileText.map((text) => Buffer.from(JSON.stringify(text))),
  fc
    .dictionary(hostileText, fc.oneof(hostileText, fc.double(), fc.boolean(), fc.constant(null)), {
      maxKeys: 4,
    })
    .map((fields) => Buffer.from(JSON.stringify(fields))),
  fc
    .record(
      {
        errorType: hostileText,
        errorMessage: fc.oneof(hostileText, fc.dictionary(hostileText, hostileText, { maxKeys: 2 })),
        trace: fc.array(
          fc.oneof(
            hostileText,
            hostileText.map((text) => `    at ${text} (/var/task/index.mjs:1:1)`),
          ),
          { maxLength: 5 },
        ),
        stackTrace: fc.array(
          hostileText.map((text) => `File "${text}", line 1, in handler`),
          { maxLength: 3 },
        ),
        name: hostileText,
        message: hostileText,
        cause: fc.record({ errorType: hostileText, errorMessage: hostileText }),
      },
      { requiredKeys: [] },
    )
    .map((error) => Buffer.from(JSON.stringify(error))),
);

/** A log tail: hostile bytes, or the location of a log in another place. */
export const hostileLogTail: fc.Arbitrary<Uint8Array> = fc.oneof(
  hostileBytes,
  fc
    .record({ logGroup: hostileText, logStreamName: hostileText })
    .map((place) => Buffer.from(JSON.stringify(place))),
);

/** A function name that the inputs accept, including names that look like something else. */
export const functionName: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9-_.]{1,64}$/),
  fc.constantFrom('www.evil.example', '__bold__', '---', 'GH-1', '1.', 'a_b_c', '-', '.', '0123456789abcdef'),
);

/** A qualifier that the inputs accept. */
export const qualifier: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9-_$]{1,128}$/),
  fc.constantFrom('$LATEST', '$LATEST.PUBLISHED', '$x$', '$$', '__x__', '7'),
);

/** A region of each partition. */
export const region: fc.Arbitrary<string> = fc.constantFrom(
  'eu-west-1',
  'us-east-1',
  'us-gov-west-1',
  'cn-north-1',
  'us-iso-east-1',
  'eusc-de-east-1',
);
