import { createHash } from 'node:crypto';

let invocations = 0;

// Returns the size and SHA-256 of the payload instead of the payload, and the run count of this environment.
export const handler = async (event) => {
  const json = JSON.stringify(event);
  invocations += 1;
  return {
    bytes: Buffer.byteLength(json),
    sha256: createHash('sha256').update(json).digest('hex'),
    invocations,
  };
};
