// The benchmark: measures dist/ side by side with the floor, and prints how far it is from its targets.
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Effort, ROWS } from './rows.ts';
import { type Measured, renderTable, toJson } from './table.ts';

const USAGE = `usage: script/bench [--quick] [--json] [ROW ...]
rows: ${ROWS.map(({ name }) => name).join(', ')}
`;

const FULL: Effort = { short: 21, long: 5 };
const QUICK: Effort = { short: 5, long: 1 };

function readArguments() {
  const { values, positionals } = parseArgs({
    options: { quick: { type: 'boolean' }, json: { type: 'boolean' } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !ROWS.some((row) => row.name === name));
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(', ')}`);
  return {
    ...values,
    rows: ROWS.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
  };
}

async function bench({ quick = false, json = false, rows }: ReturnType<typeof readArguments>): Promise<void> {
  const machine = {
    date: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    loadBefore: loadavg()[0],
  };
  const measured: Measured[] = [];
  for (const row of rows) {
    process.stderr.write(`${row.title}...\n`);
    measured.push({ row, result: await row.measure(quick ? QUICK : FULL) });
  }
  const head = `Node.js ${machine.node}, ${machine.platform}, ${machine.cpus}, load before ${machine.loadBefore?.toFixed(2)}, ${machine.date}\n\n`;
  process.stdout.write(json ? toJson(measured, machine) : head + renderTable(measured));
}

try {
  await bench(readArguments());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exitCode = 1;
}
