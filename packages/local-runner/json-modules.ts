// Lets plain Node.js load GitHub's parser, which imports JSON without import attributes: node --import ./packages/local-runner/json-modules.ts
import { registerHooks } from 'node:module';

registerHooks({
  load: (url, context, next) =>
    next(
      url,
      url.endsWith('.json')
        ? { ...context, importAttributes: { ...context.importAttributes, type: 'json' } }
        : context,
    ),
});
