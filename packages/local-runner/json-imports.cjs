// The same for jest as json-modules.ts for Node.js: GitHub's parser imports JSON without saying so.
module.exports = {
  process: (source) => ({
    code: source.replace(/ from ("[^"]+\.json");/g, " from $1 with { type: 'json' };"),
  }),
};
