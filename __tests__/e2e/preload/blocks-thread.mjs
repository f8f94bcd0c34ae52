// A thread of Node.js that waits, as for a DNS server that does not respond: nothing ever writes to this FIFO.
import { execFileSync } from 'node:child_process';
import { open } from 'node:fs';

const { RUNNER_TEMP: folder } = process.env;
execFileSync('mkfifo', [`${folder}/fifo`]);
open(`${folder}/fifo`, () => {});
