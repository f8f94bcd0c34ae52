import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export type InputDeclaration = Readonly<{ description: string; default?: string; required?: boolean }>;
export type OutputDeclaration = Readonly<{ description: string }>;

/** What `action.yml` declares, as far as running it needs. */
export type ActionFile = Readonly<{
  name: string;
  description: string;
  inputs: Readonly<Record<string, InputDeclaration>>;
  outputs: Readonly<Record<string, OutputDeclaration>>;
  main: string;
  using: string;
}>;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function entries<T>(
  value: unknown,
  read: (fields: Readonly<Record<string, unknown>>) => T,
): Readonly<Record<string, T>> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, fields]) => [name, read(isRecord(fields) ? fields : {})] as const),
  );
}

/** Reads an action's metadata. Throws where the file is missing or no YAML. */
export function readActionFile(path: string): ActionFile {
  const document: unknown = parse(readFileSync(path, 'utf8'));
  const fields = isRecord(document) ? document : {};
  const runs = isRecord(fields['runs']) ? fields['runs'] : {};
  return {
    name: text(fields['name']),
    description: text(fields['description']),
    inputs: entries(fields['inputs'], (input) => ({
      description: text(input['description']),
      ...(input['default'] !== undefined && { default: String(input['default']) }),
      ...(typeof input['required'] === 'boolean' && { required: input['required'] }),
    })),
    outputs: entries(fields['outputs'], (output) => ({ description: text(output['description']) })),
    main: text(runs['main']),
    using: text(runs['using']),
  };
}
