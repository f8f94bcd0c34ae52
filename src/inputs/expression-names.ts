import type { InvocationKind, Invocations } from '../lambda/invocation.ts';
import type { Outcome } from '../outcome/outcome.ts';
import {
  type ExpressionNode,
  isPathStep,
  mapChildren,
  nodesInScope,
  operatorOf,
  readsIn,
  spelled,
  spelledName,
} from '../shared/expression-tree.ts';
import { nearest } from '../shared/text.ts';
import { isNumber, type Lexeme, lexemesOf, type Mistake } from './expression-mistakes.ts';

export { readTree } from './expression-mistakes.ts';
export { parseTree, search } from './jmespath.ts';

type KeyOf<Kind> = Kind extends unknown ? keyof Kind : never;
type FieldName = KeyOf<Outcome>;

/** Every field of an outcome, and where its value comes from. */
const FIELDS: Readonly<Record<FieldName, 'step' | 'log' | 'response' | 'http'>> = {
  index: 'step',
  name: 'step',
  function_name: 'step',
  qualifier: 'step',
  region: 'step',
  invocation_type: 'step',
  tenant_id: 'step',
  outcome: 'step',
  status_code: 'step',
  function_error: 'step',
  executed_version: 'step',
  request_id: 'step',
  log_url: 'step',
  durable_execution_arn: 'step',
  started_at: 'step',
  elapsed_ms: 'step',
  attempts: 'step',
  ran: 'step',
  error: 'step',
  expectations: 'step',
  query_result: 'step',
  resumed: 'step',
  response: 'response',
  http: 'http',
  log_result: 'log',
  duration_ms: 'log',
  billed_duration_ms: 'log',
  init_duration_ms: 'log',
  restore_duration_ms: 'log',
  memory_size_mb: 'log',
  max_memory_used_mb: 'log',
  cold_start: 'log',
};
const FIELD_NAMES = Object.keys(FIELDS);
const sourceOf = (name: string): string | undefined =>
  Object.entries(FIELDS).find(([field]) => field === name)?.[1];

/** What functions behind API Gateway return, and what a failed function returns. */
const RESPONSE_FIELDS = ['statusCode', 'headers', 'body', 'isBase64Encoded', 'errorType', 'errorMessage'];

const LITERALS: ReadonlyMap<string, string> = new Map([
  ['true', 'true'],
  ['false', 'false'],
  ['null', 'null'],
  ['True', 'true'],
  ['False', 'false'],
  ['None', 'null'],
  ['undefined', 'null'],
]);

type NamePlace = Readonly<{ name: string; isCompared: boolean; isFirst: boolean }>;

/** The fields of an HTTP response. */
const HTTP_FIELDS: readonly string[] = ['status', 'headers', 'body'];

/** The field of an HTTP response that a name probably means; undefined if it is not known. */
const httpFieldFor = (name: string): string | undefined =>
  /^status_?code$/i.test(name) ? 'status' : nearest(name, HTTP_FIELDS);

/** Fields by the names that they had in earlier versions. */
const FORMER_NAMES: ReadonlyMap<string, string> = new Map(Object.entries({ result: 'response' }));

/** Says how to write a name that is not a field of the outcome. */
function unknownName({
  name,
  isCompared,
  isFirst,
  isHttp,
}: NamePlace & Readonly<{ isHttp: boolean }>): string {
  const literal = LITERALS.get(name);
  if (literal !== undefined)
    return `"${name}" is read as a field name; write it in backticks: \`${literal}\``;
  if (isNumber(name)) {
    return `"${name}" is read as a field name; write \`${name}\` for the number, or '${name}' for the string`;
  }
  const ofResponse = `response.${spelledName(name)}`;
  const ofHttp = httpFieldFor(name);
  if (isHttp && ofHttp !== undefined) return `there is no field "${name}"; did you mean http.${ofHttp}?`;
  // The status of the request to Lambda is almost always 200, so an expectation on it would hide a failed response.
  if (/^(?:http_?)?status$/i.test(name)) {
    return `there is no field "${name}"; did you mean response.statusCode? The status of the request to Lambda is status_code`;
  }
  if (RESPONSE_FIELDS.includes(name)) return `there is no field "${name}"; did you mean ${ofResponse}?`;
  const isString = isCompared && !isFirst;
  const longer = isString ? undefined : FIELD_NAMES.find((field) => field.startsWith(`${name}_`));
  const meant = FORMER_NAMES.get(name) ?? nearest(name, FIELD_NAMES) ?? longer;
  if (meant !== undefined) return `there is no field "${name}"; did you mean ${meant}?`;
  return isString
    ? `"${name}" is read as a field name; write a string in single quotes: '${name}'`
    : `there is no field "${name}"; did you mean ${ofResponse}, or the string '${name}'?`;
}

/** The fields that an expression reads from the outcome itself, and how it uses them. */
function namePlacesIn(tree: ExpressionNode): NamePlace[] {
  const nodes = nodesInScope(tree);
  const comparisons = nodes.filter((node) => node.type === 'Comparator');
  return nodes
    .filter((node) => node.type === 'Field')
    .map((node) => ({
      name: node.name,
      isCompared: comparisons.some(({ left, right }) => left === node || right === node),
      isFirst: comparisons.some(({ left }) => left === node),
    }));
}

/** The column of a field's name in the text, at the beginning of a path. */
function columnOf(name: string, lexemes: readonly Lexeme[]): number {
  const found = lexemes.find(({ text }, at) => {
    const isName = text === name || text === JSON.stringify(name);
    const isPart = lexemes[at - 1]?.text === '.' || ['(', ':'].includes(lexemes[at + 1]?.text ?? '');
    return isName && !isPart;
  });
  return found?.at ?? 0;
}

/** The expression with its first ! applied to everything after it; undefined if no ! binds too early. */
function negated(node: ExpressionNode): ExpressionNode | undefined {
  if (!isPathStep(node)) return undefined;
  const left = node.left.type === 'NotExpression' ? node.left.child : negated(node.left);
  return left === undefined ? undefined : mapChildren(node, (child) => (child === node.left ? left : child));
}

function earlyNegation(tree: ExpressionNode, lexemes: readonly Lexeme[]): Mistake | undefined {
  for (const node of nodesInScope(tree)) {
    const meant = negated(node);
    if (meant === undefined) continue;
    const column = lexemes.find(({ text }) => text === '!')?.at ?? 0;
    return { column, what: `! binds first: write !(${spelled(meant)})` };
  }
  return undefined;
}

/** A comparison by size with a literal that is not a number. It has no value, whatever the other side is. */
function nonNumericComparison(tree: ExpressionNode, lexemes: readonly Lexeme[]): Mistake | undefined {
  const found = nodesInScope(tree).find(
    (node) =>
      node.type === 'Comparator' &&
      node.name !== 'EQ' &&
      node.name !== 'NE' &&
      [node.left, node.right].some((side) => side.type === 'Literal' && typeof side.value !== 'number'),
  );
  if (found?.type !== 'Comparator') return undefined;
  const column = lexemes.find(({ text }) => text === operatorOf(found))?.at ?? 0;
  return { column, what: '<, <=, > and >= compare numbers only' };
}

const isField = (node: ExpressionNode, name: string): boolean => node.type === 'Field' && node.name === name;

/** What is wrong with a field that an expression reads from a part of an HTTP response; undefined if nothing is. */
function wrongHttpField(holder: ExpressionNode, name: string): string | undefined {
  if (isField(holder, 'http') && !HTTP_FIELDS.includes(name)) {
    const meant = httpFieldFor(name);
    return `http has no field "${name}"; ${meant === undefined ? 'it has status, headers and body' : `did you mean http.${meant}?`}`;
  }
  const isOfHeaders =
    holder.type === 'Subexpression' && isField(holder.left, 'http') && isField(holder.right, 'headers');
  return isOfHeaders && name !== name.toLowerCase()
    ? `names of headers are in lower case: http.headers.${spelledName(name.toLowerCase())}`
    : undefined;
}

function httpMistake(tree: ExpressionNode, lexemes: readonly Lexeme[]): Mistake | undefined {
  for (const node of nodesInScope(tree)) {
    if (node.type !== 'Subexpression' || node.right.type !== 'Field') continue;
    const { name } = node.right;
    const what = wrongHttpField(node.left, name);
    const column = lexemes.find(({ text }) => text === name || text === JSON.stringify(name))?.at ?? 0;
    if (what !== undefined) return { column, what };
  }
  return undefined;
}

/** An expression without a field, whose value is the same for every outcome. */
function constantExpression(tree: ExpressionNode): Mistake | undefined {
  if (readsIn(tree).length > 0) return undefined;
  const isText = tree.type === 'Literal' && typeof tree.value === 'string';
  return {
    column: 0,
    what: isText
      ? 'a text in single quotes is a string, and reads nothing of the outcome; a field has no quotes, for example response.ok'
      : 'this reads nothing of the outcome, so its value is always the same; use a field, for example response.ok',
  };
}

/** Finds a name that has no meaning on any outcome, or on the outcome of an HTTP request, or that no name is read. */
export function nameMistake(
  { text, tree }: Readonly<{ text: string; tree: ExpressionNode }>,
  { invocations }: Pick<Invoked, 'invocations'>,
): Mistake | undefined {
  const lexemes = lexemesOf(text);
  const isHttp = invocations.length > 0 && invocations.every(({ http }) => http !== undefined);
  const unknown = namePlacesIn(tree).find(({ name }) => sourceOf(name) === undefined);
  return (
    earlyNegation(tree, lexemes) ??
    (unknown && {
      column: columnOf(unknown.name, lexemes),
      what: unknownName({ ...unknown, isHttp }),
    }) ??
    httpMistake(tree, lexemes) ??
    nonNumericComparison(tree, lexemes) ??
    constantExpression(tree)
  );
}

/** What the step invokes, which decides the fields of an outcome. */
export type Invoked = Readonly<{
  invocations: Invocations<InvocationKind>;
  waitForDurableExecution: boolean;
  waitForEvent?: boolean;
}>;

/** How to get a field from an Event nevertheless. */
function remedyFor(name: string, source: string | undefined): string {
  if (source === 'response') return ', or set wait_for_durable_execution: true for a durable function';
  return name === 'log_result' ? '' : ', or set wait_for_event: true';
}

/** A field that no outcome of the step can have, or that one of them can't have although all need it. */
export function absentField(
  { text, tree, input }: Readonly<{ text: string; tree: ExpressionNode; input: string }>,
  { invocations, waitForDurableExecution, waitForEvent }: Invoked,
): Mistake | undefined {
  const lexemes = lexemesOf(text);
  for (const { name } of namePlacesIn(tree)) {
    const source = sourceOf(name);
    const lacks = ({ invocationType, logType, http }: InvocationKind): boolean => {
      const isFollowed = invocationType === 'Event' && waitForDurableExecution;
      if (source === 'http') return http === undefined || invocationType !== 'RequestResponse';
      if (source === 'response') return invocationType !== 'RequestResponse' && !isFollowed;
      // If the step waits for an event, the figures come from the log.
      const hasFigures = invocationType === 'Event' && waitForEvent === true && name !== 'log_result';
      return source === 'log' && input === 'expect' && logType !== 'Tail' && !hasFigures;
    };
    const first = invocations.find(lacks);
    if (first === undefined || (input !== 'expect' && !invocations.every(lacks))) continue;
    const { invocationType, http } = first;
    const column = columnOf(name, lexemes);
    if (source === 'http' && http === undefined) {
      return { column, what: 'http needs http_request: a response to a payload is in response' };
    }
    if (invocationType === 'RequestResponse') {
      return { column, what: `${name} comes from the log: set log_type: Tail` };
    }
    const remedy = `Use RequestResponse${invocationType === 'Event' ? remedyFor(name, source) : ''}`;
    return { column, what: `invocation_type: ${invocationType} has no ${source}. ${remedy}` };
  }
  return undefined;
}
