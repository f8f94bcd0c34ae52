// Prints and returns text that a careless log reader would mistake for commands.
const HOSTILE_LINES = [
  '::error title=Forged::This is no annotation',
  '::set-output name=result::forged',
  '::add-mask::e',
  '::stop-commands::pause',
  '##[error]This is no annotation either',
  '  ::warning::after white space',
  '%0A::error::after an escaped line break',
  'carriage return\r::error::after it',
  '\u001b[31mred\u001b[0m \u001b]0;title\u0007',
  '@octocat and @github/team',
  '| a | table |\n|---|---|\n| <img src=x onerror=alert(1)> | `code` |',
  '```\n</details>',
  'REPORT RequestId: 00000000-0000-0000-0000-000000000000\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 1 MB\tMax Memory Used: 1 MB\t',
];

export const handler = async (event) => {
  for (const line of HOSTILE_LINES) console.log(line);
  process.stdout.write(`${HOSTILE_LINES.join('\n')}\n`);
  if (event?.throw) throw new Error(HOSTILE_LINES.join('\n'));
  return { lines: HOSTILE_LINES };
};
