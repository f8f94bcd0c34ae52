// Fails if a bundle would break only when it runs, or contains a package that script/aliases replaces.
// Usage: node script/check-bundle.ts STATS.json
import { readdirSync } from 'node:fs';
import { type BundledModule, type BundleStats, readBundleStats } from './bundle-stats.ts';

const ALIASES = 'script/aliases';

/** ncc bundles this module, which throws, instead of a module that it cannot find. */
const NOT_FOUND = '@@notfound.js?';

function unresolved({ name, issuer }: BundledModule): string[] {
  const at = name.indexOf(NOT_FOUND);
  return at === -1 ? [] : [`${issuer} imports ${name.slice(at + NOT_FOUND.length)}, which was not found`];
}

/** The names that a replacement lacks. Webpack itself checks only some kinds of imports. */
function aliasProblems(modules: readonly BundledModule[], replaced: string): string[] {
  const alias = `${ALIASES}/${replaced}.mjs`;
  return modules.flatMap(({ name, requests, providedExports, usedExports }) => {
    // Webpack appends to a file's name how many modules it concatenated into it.
    if (name.replace(/ \+ \d+ modules$/, '') !== `./${alias}`)
      return requests.includes(replaced) ? [`${replaced} resolves to ${name}, not to ${alias}`] : [];
    if (usedExports === undefined)
      return [
        `${replaced} is imported as a whole, so that nobody can tell which names ${alias} has to export`,
      ];
    return usedExports
      .filter((used) => !providedExports.includes(used))
      .map((missing) => `${alias} does not export ${missing}, which is imported from ${replaced}`);
  });
}

function problemsOf({ warnings, modules }: BundleStats): string[] {
  const replaced = readdirSync(ALIASES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.mjs'))
    .map((file) => file.replaceAll('\\', '/').replace(/\.mjs$/, ''));
  return [
    ...new Set([
      ...warnings,
      ...modules.flatMap(unresolved),
      ...replaced.flatMap((name) => aliasProblems(modules, name)),
    ]),
  ];
}

const [statsFile = ''] = process.argv.slice(2);
const stats = readBundleStats(statsFile);
if (stats.modules.length === 0) throw new Error(`${statsFile} names no module`);
const problems = problemsOf(stats);
for (const problem of problems) process.stderr.write(`The bundle is broken: ${problem}.\n`);
if (problems.length > 0) process.exitCode = 1;
