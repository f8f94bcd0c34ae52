import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

// Its init phase lasts until the test opens the gate.
appendFileSync(process.env.RUNS, 'initializing\n');
while (!existsSync(`${process.env.RUNS}.gate`)) await sleep(10);

export const handler = async () => ({ Status: 'SUCCEEDED', Result: '"ran"' });
