import { readFileSync } from 'node:fs';
import { isBasicExpression, NoOperationTraceWriter } from '@actions/workflow-parser';
import { convertActionTemplate, parseAction } from '@actions/workflow-parser/actions/index';
import type { ScalarToken } from '@actions/workflow-parser/templates/tokens/scalar-token';

/** An input: its default as written in `action.yml`, and as GitHub's parser read it, for evaluation. */
export type InputDeclaration = Readonly<{ description: string; default?: string; preset?: ScalarToken }>;
export type OutputDeclaration = Readonly<{ description: string }>;

/** The parts of `action.yml` that are needed to run the action. */
export type ActionFile = Readonly<{
  inputs: Readonly<Record<string, InputDeclaration>>;
  outputs: Readonly<Record<string, OutputDeclaration>>;
  main: string;
  using: string;
}>;

/** An action's metadata as GitHub's own parser reads it, or the errors that the parser reports. */
export type ParsedAction = Readonly<{ action: ActionFile | undefined; problems: readonly string[] }>;

/** A scalar as written. The parser itself turns a text with several expressions into one `format` call. */
const textOf = (token: ScalarToken): string =>
  (isBasicExpression(token) ? token.source : undefined) ?? token.toString();

/** Parses the metadata of a JavaScript action. */
export function parseActionText(name: string, content: string): ParsedAction {
  const { context, value } = parseAction({ name, content }, new NoOperationTraceWriter());
  const problems = context.errors.getErrors().map(({ message }) => message);
  if (value === undefined || problems.length > 0) return { action: undefined, problems };
  const { inputs = [], outputs = [], runs } = convertActionTemplate(context, value);
  if (!('main' in runs)) return { action: undefined, problems: [`${name} is not a JavaScript action`] };
  const action = {
    inputs: Object.fromEntries(
      inputs.map(({ id, description = '', default: preset }) => [
        id,
        { description, ...(preset !== undefined && { default: textOf(preset), preset }) },
      ]),
    ),
    outputs: Object.fromEntries(outputs.map(({ id, description = '' }) => [id, { description }])),
    main: runs.main,
    using: runs.using,
  };
  return { action, problems };
}

/** Reads an action's metadata. Throws if a runner would not load it. */
export function readActionFile(path: string): ActionFile {
  const { action, problems } = parseActionText(path, readFileSync(path, 'utf8'));
  if (action === undefined) throw new Error([`Failed to load ${path}`, ...problems].join('\n'));
  return action;
}
