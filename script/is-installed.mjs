// Exits with 0 where node_modules has what package-lock.json asks for, and with 1 where it does not.
// Runs before anything is installed, on the Node.js that is at hand. Usage: node script/is-installed.mjs
import { readFileSync } from 'node:fs';

/** The packages of a lockfile by their place; without the checkout itself and its workspaces, which are not installed. */
function readPackages(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  return new Map(Object.entries(packages).filter(([place]) => place.includes('node_modules/')));
}

/** npm leaves out an optional package that is for another platform. */
const isInstalled = (wanted, installed) =>
  installed === undefined
    ? wanted.optional === true
    : installed.version === wanted.version &&
      installed.integrity === wanted.integrity &&
      installed.link === wanted.link;

function hasWhatIsLocked() {
  const wanted = readPackages('package-lock.json');
  const installed = readPackages('node_modules/.package-lock.json');
  return (
    [...wanted].every(([place, entry]) => isInstalled(entry, installed.get(place))) &&
    [...installed.keys()].every((place) => wanted.has(place))
  );
}

try {
  if (!hasWhatIsLocked()) process.exitCode = 1;
} catch {
  // A file is missing or broken, as after an install that was interrupted.
  process.exitCode = 1;
}
