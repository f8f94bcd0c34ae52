import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  convertWorkflowTemplate,
  isMapping,
  NoOperationTraceWriter,
  parseWorkflow,
} from '@actions/workflow-parser';
import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token';
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';

/** A workflow as GitHub's own parser reads it, or the errors that the parser reports. */
export type WorkflowFile = Readonly<{ root: MappingToken | undefined; problems: readonly string[] }>;

/** Parses a workflow's text. */
export async function parseWorkflowText(name: string, content: string): Promise<WorkflowFile> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  // Only the conversion finds some mistakes, for example a `needs` that names a missing job.
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  const problems = context.errors.getErrors().map(({ message }) => message);
  return { root: value !== undefined && isMapping(value) ? value : undefined, problems };
}

/** Reads a workflow file. Throws where GitHub would refuse it. */
export async function readWorkflow(file: string): Promise<MappingToken> {
  const { root, problems } = await parseWorkflowText(path.basename(file), readFileSync(file, 'utf8'));
  if (root === undefined || problems.length > 0)
    throw new Error([`${file} is not a workflow:`, ...problems].join('\n'));
  return root;
}

/** The entry of a mapping. */
export const entryOf = (token: TemplateToken | undefined, key: string): TemplateToken | undefined =>
  token !== undefined && isMapping(token) ? token.find(key) : undefined;
