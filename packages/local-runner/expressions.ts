import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import type { FunctionDefinition } from '@actions/expressions/funcs/info';
import {
  isBasicExpression,
  isBoolean,
  isMapping,
  isNumber,
  isSequence,
  isString,
} from '@actions/workflow-parser';
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';

/** The status of the job, for `success()` and the other status functions. */
export type JobStatus = 'success' | 'failure' | 'cancelled';

/** What expressions can use: the contexts by name, and the status of the job. */
export type Scope = Readonly<{ contexts: Readonly<Record<string, unknown>>; status: JobStatus }>;

type Data = data.ExpressionData;

const toData = (value: unknown): Data => JSON.parse(JSON.stringify(value ?? null), data.reviver);
const fromData = (value: Data): unknown => JSON.parse(JSON.stringify(value, data.replacer));

function statusFunctions(status: JobStatus): Map<string, FunctionDefinition> {
  const functions = {
    success: status === 'success',
    failure: status === 'failure',
    cancelled: status === 'cancelled',
    always: true,
  };
  return new Map(
    Object.entries(functions).map(([name, value]) => [
      name,
      { name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(value) },
    ]),
  );
}

function evaluateText(text: string, { contexts, status }: Scope): Data {
  const functions = statusFunctions(status);
  const expression = new Parser(new Lexer(text).lex().tokens, Object.keys(contexts), [
    ...functions.values(),
  ]).parse();
  const pairs = Object.entries(contexts).map(([key, value]) => ({ key, value: toData(value) }));
  return new Evaluator(expression, new data.Dictionary(...pairs), functions).evaluate();
}

/** The value of a part of a workflow, with its expressions evaluated by GitHub's own library. */
export function evaluate(token: TemplateToken | undefined, scope: Scope): unknown {
  if (token === undefined) return undefined;
  if (isBasicExpression(token)) return fromData(evaluateText(token.expression, scope));
  if (isMapping(token)) {
    return Object.fromEntries(
      [...token].map(({ key, value }) => [key.toString(), evaluate(value, scope)] as const),
    );
  }
  if (isSequence(token)) return [...token].map((item) => evaluate(item, scope));
  return isString(token) || isNumber(token) || isBoolean(token) ? token.value : null;
}

/** The string that a scalar evaluates to. Empty if there is no scalar. */
export function evaluateString(token: TemplateToken | undefined, scope: Scope): string {
  return token !== undefined && isBasicExpression(token)
    ? evaluateText(token.expression, scope).coerceString()
    : String(evaluate(token, scope) ?? '');
}

/** The strings that a mapping such as `with:` or `env:` evaluates to. */
export function evaluateStrings(token: TemplateToken | undefined, scope: Scope): Record<string, string> {
  if (token === undefined || !isMapping(token)) return {};
  return Object.fromEntries(
    [...token].map(({ key, value }) => [key.toString(), evaluateString(value, scope)]),
  );
}

/** Whether an `if:` lets its job or step run. Without a status function, it also requires success. */
export function holds(condition: TemplateToken | undefined, scope: Scope): boolean {
  if (condition === undefined) return scope.status === 'success';
  const text = isBasicExpression(condition)
    ? condition.expression
    : String(evaluate(condition, scope)).replace(/^\$\{\{(.*)\}\}$/s, '$1');
  const asksForStatus = /\b(?:success|failure|cancelled|always)\s*\(/i.test(text);
  const value = evaluateText(asksForStatus ? text : `success() && (${text})`, scope);
  return !['', 'false', '0', 'null'].includes(value.coerceString());
}
