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
import { parseDocument, visit } from 'yaml';

/**
 * The same workflow with quotes around each block of text that has an expression. A runner evaluates the text of a
 * block, and GitHub's parser for editors evaluates its lines as they are written, with their indentation.
 */
function withQuotedBlocks(content: string): string {
  const document = parseDocument(content);
  let isChanged = false;
  visit(document, {
    Scalar: (_, scalar) => {
      const isBlock = scalar.type === 'BLOCK_LITERAL' || scalar.type === 'BLOCK_FOLDED';
      if (!isBlock || !String(scalar.value).includes('${{')) return;
      scalar.type = 'QUOTE_DOUBLE';
      isChanged = true;
    },
  });
  const onOneLine = { lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER };
  return isChanged && document.errors.length === 0 ? document.toString(onOneLine) : content;
}

/** A workflow as GitHub's own parser reads it, or the errors that the parser reports. */
export type WorkflowFile = Readonly<{ root: MappingToken | undefined; problems: readonly string[] }>;

/** Parses a workflow's text. */
export async function parseWorkflowText(name: string, content: string): Promise<WorkflowFile> {
  const { context, value } = parseWorkflow(
    { name, content: withQuotedBlocks(content) },
    new NoOperationTraceWriter(),
  );
  // Only the conversion finds some mistakes, for example a `needs` that names a missing job.
  if (value !== undefined) await convertWorkflowTemplate(context, value);
  const problems = context.errors.getErrors().map(({ message }) => message);
  return { root: value !== undefined && isMapping(value) ? value : undefined, problems };
}

/** Reads a workflow file. Throws if GitHub would refuse it. */
export async function readWorkflow(file: string): Promise<MappingToken> {
  const { root, problems } = await parseWorkflowText(path.basename(file), readFileSync(file, 'utf8'));
  if (root === undefined || problems.length > 0)
    throw new Error([`${file} is not a workflow:`, ...problems].join('\n'));
  return root;
}

/** The entry of a mapping. */
export const entryOf = (token: TemplateToken | undefined, key: string): TemplateToken | undefined =>
  token !== undefined && isMapping(token) ? token.find(key) : undefined;
