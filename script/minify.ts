// Minifies a bundle in place, chunks included, which ncc does not minify, and without what nobody uses.
// Usage: node script/minify.ts FOLDER
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { minifySync } from '@swc/core';

const [folder = ''] = process.argv.slice(2);
for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
  const file = path.join(folder, name);
  const { code } = minifySync(readFileSync(file, 'utf8'), {
    module: false,
    // Errors are known by the names of their classes.
    compress: { keep_classnames: true, passes: 2 },
    mangle: { keep_classnames: true },
    format: { comments: false },
  });
  writeFileSync(file, code);
}
