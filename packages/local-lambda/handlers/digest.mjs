import { createHash } from 'node:crypto';

let invocations = 0;

// Proves what arrived, without sending it back: its size and SHA-256, and how often this environment has run.
export const handler = async (event) => {
  const json = JSON.stringify(event);
  invocations += 1;
  return {
    bytes: Buffer.byteLength(json),
    sha256: createHash('sha256').update(json).digest('hex'),
    invocations,
  };
};
