// Promises that never settle and do not keep the process alive.
import promises from 'node:fs/promises';

for (const name of ['open', 'readFile', 'realpath', 'stat']) promises[name] = () => new Promise(() => {});
