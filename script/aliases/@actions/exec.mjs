// Replaces @actions/exec in the bundle. @actions/core imports it to describe the platform, which this action never
// requests, and it loads the parts of Node.js that start processes.
// Provides getExecOutput, which fails: nothing may start a process.
export function getExecOutput() {
  throw new Error('@actions/exec is not in the bundle: see script/aliases/@actions/exec.mjs');
}
