import '../realm.ts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Element, Nodes, Root } from 'hast';
import rehypeRaw from 'rehype-raw';
import rehypeSanitize from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { visit } from 'unist-util-visit';
import type { InvocationResult } from '../../../src/lambda/invocation.ts';
import { requestUrl } from '../../../src/outcome/links.ts';
import { readLogPlace } from '../../../src/outcome/log-tail.ts';
import type { Evaluation } from '../../../src/outcome/outcome.ts';
import type { ReportedOutcome } from '../../../src/outcome/step-results.ts';
import { codeSpan, table } from '../../../src/report/markdown.ts';
import { renderSummary } from '../../../src/report/summary/summary.ts';
import { SEED } from '../../seed.ts';
import { hostileText } from './arbitraries.ts';
import { onTheWire } from './capture.ts';
import { evaluating, hostileResult } from './evaluations.ts';
import { reportedBy, summaryOf } from './writers.ts';

const gitHub = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkRehype, { allowDangerousHtml: true })
  .use(rehypeRaw)
  .use(rehypeSanitize);

const render = (markdown: string): Root => gitHub.runSync(gitHub.parse(onTheWire(markdown)));

/** A tree as nested lists: the name, properties and children of an element. Text is unchanged. */
type Drawn = string | readonly Drawn[];

function draw(node: Nodes): Drawn[] {
  if (node.type === 'text') return /^\n*$/.test(node.value) ? [] : [node.value];
  if (node.type === 'root') return node.children.flatMap(draw);
  if (node.type !== 'element') return [[`a ${node.type}`]];
  const properties = Object.entries(node.properties).map(([name, value]) => `${name}=${value}`);
  return [[node.tagName, ...properties, ...node.children.flatMap(draw)]];
}

const elements = (root: Root): Element[] => {
  const found: Element[] = [];
  visit(root, 'element', (element) => {
    found.push(element);
  });
  return found;
};

/** All text outside of code, where GitHub detects mentions, references and URLs. */
function textOf(node: Nodes): string {
  if (node.type === 'text') return `${node.value}\n`;
  if (node.type === 'element' && node.tagName === 'code') return '';
  return 'children' in node ? node.children.map(textOf).join('') : '';
}

/** Foreign text as a reader sees it in a code span. */
const seen = (foreign: string): string =>
  onTheWire(foreign).replace(/\s+/g, ' ').trim().replaceAll('\u0000', '\ufffd');

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The drawn text if it is the start of the expected text, because the summary can cut long text. */
function uncut(drawn: Drawn | undefined, wanted: Drawn): Drawn {
  if (typeof wanted === 'string') {
    const isStart = typeof drawn === 'string' && drawn.endsWith('…') && wanted.startsWith(drawn.slice(0, -1));
    return isStart ? drawn : wanted;
  }
  return wanted.map((part, at) => uncut(drawn?.[at], part));
}

// Only such a word is allowed outside of code.
const BARE_WORD = /^[a-z0-9]+(?:[.-][a-z0-9]+)*$/i;

/** Replaces the foreign text in outcomes with harmless words. */
class Twins {
  readonly #words = new Map<string, string>();
  readonly #texts: string[] = [];

  word(foreign: string): string {
    if (seen(foreign) === '' || BARE_WORD.test(foreign)) return foreign;
    const known = this.#words.get(seen(foreign));
    if (known !== undefined) return known;
    const word = `word ${this.#texts.length} x`;
    this.#texts.push(foreign);
    this.#words.set(seen(foreign), word);
    return word;
  }

  /** The same outcome with harmless text. Advice is the action's own text and may quote. */
  harmless(outcome: ReportedOutcome): ReportedOutcome {
    const { request_id: id, region } = outcome;
    const isLinked = id === undefined || (region !== undefined && UUID.test(id));
    const named = { ...outcome, ...(!isLinked && { request_id: this.word(id) }) };
    if ('error' in named) {
      const { name, message, advice } = named.error;
      return { ...named, error: { name: this.word(name), message: this.word(message), advice } };
    }
    const { executed_version: version, cause, unmet } = named;
    return {
      ...named,
      ...(version !== undefined && { executed_version: this.word(version) }),
      ...(cause !== undefined && {
        cause: {
          ...cause,
          message: this.word(cause.message),
          ...(cause.type !== undefined && { type: this.word(cause.type) }),
          ...(cause.frame !== undefined && { frame: this.word(cause.frame) }),
        },
      }),
      ...(unmet !== undefined && {
        unmet: unmet.map(({ expression, actual = '' }) => ({ expression, actual: this.word(actual) })),
      }),
    };
  }

  /** A harmless drawing with the foreign text restored in its code. */
  restored(drawn: Drawn): Drawn {
    if (typeof drawn === 'string') return drawn;
    const [name, text, ...more] = drawn;
    const isSpan = name === 'code' && typeof text === 'string' && more.length === 0;
    if (!isSpan) return drawn.map((part) => this.restored(part));
    return ['code', seen(text.replace(/word (\d+) x/g, (word, at) => this.#texts[Number(at)] ?? word))];
  }
}

// Renderers differ on a backslash before an escaped pipe: GitHub keeps both in the cell, but remark ends the cell.
const disagreeing = (text: string): boolean => text.replace(/\s+/g, ' ').includes('\\|');
const textsIn = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(textsIn)
      : [];

const judge = await evaluating(
  { expect: "response != 'never'", query: 'response' },
  { failOnFunctionError: false },
);
const agreed = hostileResult.filter((ended) => !textsIn(reportedBy([judge(ended)])).some(disagreeing));
const judgeAll = (deliveries: readonly InvocationResult[]): Evaluation[] =>
  deliveries.map((ended) => judge(ended));

describe('the summary', () => {
  test('has its own structure, with foreign text only in code, whatever a function or a third party wrote', () => {
    let foreign = 0;
    const all = fc.property(fc.array(agreed, { minLength: 1, maxLength: 4 }), (deliveries) => {
      const judgements = judgeAll(deliveries);
      const twins = new Twins();
      const harmless = reportedBy(judgements).map((outcome) => twins.harmless(outcome));
      const drawn = draw(render(summaryOf(judgements)));
      const wanted = draw(render(renderSummary(harmless))).map((part) => twins.restored(part));
      expect(drawn).toEqual(uncut(drawn, wanted));
      foreign += JSON.stringify(drawn).split('["code"').length - 1;
    });
    fc.assert(all, { seed: SEED, numRuns: 80 });
    expect(foreign).toBeGreaterThan(150);
  });

  test('has one heading and a row per invocation, each with as many cells as the header', () => {
    const all = fc.property(fc.array(agreed, { minLength: 1, maxLength: 4 }), (deliveries) => {
      const tree = render(summaryOf(judgeAll(deliveries)));
      const found = elements(tree);
      const named = (name: string): Element[] => found.filter(({ tagName }) => tagName === name);
      expect(found.filter(({ tagName }) => /^h\d$/.test(tagName))).toHaveLength(1);
      const cellsIn = (element: Element): number[] =>
        elements({ type: 'root', children: [element] })
          .filter(({ tagName }) => tagName === 'tr')
          .map(({ children }) => children.filter(({ type }) => type === 'element').length);
      const tables = named('table').map(cellsIn);
      const tablesIn = (element: Element): number[][] =>
        elements({ type: 'root', children: [element] })
          .filter(({ tagName }) => tagName === 'table')
          .map(cellsIn);
      for (const cells of tables) expect(new Set(cells).size).toBe(1);
      const rows = named('details').flatMap((fold) => tablesIn(fold).map((cells) => cells.length - 1));
      expect(rows.reduce((sum, count) => sum + count, 0)).toBe(deliveries.length > 1 ? deliveries.length : 0);
      expect(named('blockquote').length).toBeLessThanOrEqual(deliveries.length > 1 ? 0 : 1);
      const known = 'h3 p pre table thead tbody tr th td code a strong br blockquote details summary'.split(
        ' ',
      );
      expect(named('pre').length).toBeLessThanOrEqual(1);
      expect(found.filter(({ tagName }) => !known.includes(tagName))).toEqual([]);
      expect(textOf(tree)).not.toMatch(/@|#\d|GH-\d|:\/\/|www\.|[0-9a-f]{40}|\$|:\w+:|</i);
    });
    fc.assert(all, { seed: SEED, numRuns: 80 });
  });

  test('links only to the CloudWatch console', () => {
    let links = 0;
    const all = fc.property(agreed, (ended) => {
      const evaluation = judge(ended);
      const { outcome } = evaluation;
      const { region = '', function_name: functionName, request_id: requestId = '' } = outcome;
      const log = 'log_result' in outcome ? outcome.log_result : undefined;
      const logGroup = readLogPlace(log ?? '')?.logGroup;
      for (const { tagName, properties } of elements(render(summaryOf([evaluation])))) {
        if (tagName !== 'a') continue;
        const href = String(properties['href']);
        const url = new URL(href);
        // Advice for an unknown outcome links to the log of a time range.
        const isPeriod = /\/log-events\$3Fstart\$3D\d+\$26end\$3D\d+$/.test(href);
        if (!isPeriod) expect(href).toBe(requestUrl({ functionName, region, requestId, logGroup }));
        expect(url.protocol).toBe('https:');
        expect(url.host).toMatch(
          /^[a-z0-9-]+\.console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com|amazonaws-eusc\.eu)$/,
        );
        expect(url.host.split('.')[0]).toBe(region);
        if (isPeriod) continue;
        const place = decodeURIComponent(decodeURIComponent(url.hash.replaceAll('$', '%')));
        expect(place).toMatch(
          /^#logsV2:log-groups\/log-group\/[\w./#-]+\/log-events\?filterPattern="[0-9a-f-]{36}"$/i,
        );
        if (logGroup === undefined) expect(place).toContain(`/aws/lambda/${functionName}/log-events?`);
        links += 1;
      }
    });
    fc.assert(all, { seed: SEED, numRuns: 200 });
    expect(links).toBeGreaterThan(30);
  });

  test('contains neither the log, nor a foreign response, nor the response of a success', () => {
    const all = fc.property(agreed, hostileText, (ended, text) => {
      const judged = judge(ended);
      // The location of a log is not a log, and links point to it.
      const outcome =
        'log_result' in judged.outcome ? { ...judged.outcome, log_result: 'log' } : judged.outcome;
      const quiet = { ...judged, outcome };
      const loud = {
        ...quiet,
        foreignText: text,
        queryProblem: text,
        unmet: [{ expectation: { expression: text, met: false, value: text }, why: text }],
        outcome:
          'error' in outcome
            ? { ...outcome, query_result: text }
            : {
                ...outcome,
                query_result: text,
                log_result: text,
                ...(outcome.outcome === 'succeeded' && { response: { text } }),
              },
      };
      expect(summaryOf([loud])).toBe(summaryOf([quiet]));
      expect(summaryOf([loud, quiet])).toBe(summaryOf([quiet, quiet]));
    });
    fc.assert(all, { seed: SEED, numRuns: 80 });
  });
});

const drawnCell = (text: string): Drawn[] => draw(render(table(['a', 'b'], [[codeSpan(text), 'b']])));
const cellWith = (...cell: Drawn[]): Drawn[] => [
  ['table', ['thead', ['tr', ['th', 'a'], ['th', 'b']]], ['tbody', ['tr', ['td', ...cell], ['td', 'b']]]],
];

describe('a code span', () => {
  test('shows foreign text unchanged and ends with it', () => {
    const all = fc.property(
      hostileText.filter((text) => !disagreeing(text)),
      (text) => {
        const shown = seen(text);
        expect(drawnCell(text)).toEqual(shown === '' ? cellWith() : cellWith(['code', shown]));
      },
    );
    fc.assert(all, { seed: SEED, numRuns: 300 });
  });

  test('ends with its text in every renderer, even with a backslash before a pipe', () => {
    const all = fc.property(hostileText, hostileText, (before, after) => {
      const drawn = JSON.stringify(drawnCell(`${before}\\|${after}`));
      const [start = '', end = ''] = JSON.stringify(cellWith(['code', 'TEXT'])).split('TEXT');
      expect(drawn.startsWith(start) && drawn.endsWith(end)).toBe(true);
      // The text itself can be shown with another character between the two.
      expect(drawn.slice(start.length, -end.length)).not.toMatch(/(?<!\\)"/);
    });
    fc.assert(all, { seed: SEED, numRuns: 80 });
  });
});
