// Loaded before a program (--require): reports at its exit the files that it loaded as modules, one a line.
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
process.once('exit', () => writeSync(REPORT, [...files].join('\n')));
