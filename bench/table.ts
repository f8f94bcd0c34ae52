import type { Figure, Row, Skipped } from './rows.ts';

/** A row with its figures, or why it was skipped. */
export type Measured = Readonly<{ row: Row; result: readonly Figure[] | Skipped }>;

/** Whether the rounded figure meets its target. Undefined if it has no target. */
export function isMet({ value, target, unit }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  const shown = Number(rounded(value, unit));
  return target.bound === 'at most' ? shown <= target.value : shown >= target.value;
}

const rounded = (value: number, unit: Figure['unit']): string => value.toFixed(unit === 'times' ? 2 : 0);

const withUnit = (value: string | number, unit: Figure['unit']): string =>
  unit === 'times' ? `${value} ×` : `${value} ${unit}`;

function lineOf(figure: Figure): string[] {
  const { what, value, unit, target, from } = figure;
  const reach =
    target === undefined
      ? ['', '']
      : [`${target.bound} ${withUnit(target.value, unit)}`, isMet(figure) ? 'met' : 'not met'];
  return [`  ${what}`, withUnit(rounded(value, unit), unit), ...reach, from];
}

/** The table as text: the measured figure, the target, and whether it is met. */
export function renderTable(measured: readonly Measured[]): string {
  const lines = [
    ['', 'Measured', 'Target', 'Target met', 'Figures behind it'],
    ...measured.flatMap(({ row, result }) =>
      'skipped' in result
        ? [[row.title, '', '', 'not measured', result.skipped]]
        : [[row.title], ...result.map(lineOf)],
    ),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** The same as JSON. */
export function toJson(measured: readonly Measured[], machine: Readonly<Record<string, unknown>>): string {
  const rows = measured.map(({ row: { name, title }, result }) =>
    'skipped' in result
      ? { name, title, ...result }
      : { name, title, figures: result.map((figure) => ({ ...figure, met: isMet(figure) })) },
  );
  return `${JSON.stringify({ machine, rows }, undefined, 2)}\n`;
}
