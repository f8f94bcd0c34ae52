// Loaded before a program (--require). At its exit, reports the files that it loaded as modules, and the parts of
// Node.js that were loaded, by their names in the sources of Node.js.
'use strict';

const { writeSync } = require('node:fs');
const { registerHooks } = require('node:module');
const { fileURLToPath } = require('node:url');

const REPORT = 3;

const files = new Set();
registerHooks({
  load: (url, context, next) => {
    if (url.startsWith('file:')) files.add(fileURLToPath(url));
    return next(url, context);
  },
});
process.once('exit', () => {
  const parts = process.moduleLoadList.map((entry) => entry.replace(/^\w+ /, ''));
  writeSync(REPORT, JSON.stringify({ files: [...files], parts }));
});
