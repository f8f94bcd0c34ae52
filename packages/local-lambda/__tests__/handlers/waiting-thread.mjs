import { execFileSync } from 'node:child_process';
import { open } from 'node:fs';
import { connect } from 'node:net';

/** Connects to a port, which shows how long this process lives, and keeps a thread of Node.js waiting at a FIFO. */
export const handler = async ({ port, fifo }) => {
  execFileSync('mkfifo', [fifo]);
  open(fifo, () => {});
  await new Promise((resolve) => connect(port, '127.0.0.1', resolve));
};
