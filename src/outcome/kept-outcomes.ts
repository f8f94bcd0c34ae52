import { DistinctList } from '../shared/distinct-list.ts';
import { NumberColumn } from '../shared/number-column.ts';
import { isHalted } from './outcome.ts';
import type { ReportedOutcome } from './step-results.ts';

/** Outcomes in the order of the plan. They can be iterated over any number of times. */
export type ReportedOutcomes = Iterable<ReportedOutcome> & Readonly<{ length: number }>;

const byIndex = (one: ReportedOutcome, other: ReportedOutcome): number => one.index - other.index;

// More than a report shows of one kind: a table of successes has at most 50 rows, and a timeline at most 20 names.
const MOST_WHOLE = 100;

/** The outcomes of one kind that are the first in the plan. */
class FirstOutcomes {
  readonly outcomes: ReportedOutcome[] = [];

  /** Adds an outcome, in any order. Returns the outcome that is no longer among the first, if there is one. */
  add(outcome: ReportedOutcome): ReportedOutcome | undefined {
    const before = this.outcomes.findLastIndex(({ index }) => index <= outcome.index);
    this.outcomes.splice(before + 1, 0, outcome);
    return this.outcomes.length > MOST_WHOLE ? this.outcomes.pop() : undefined;
  }
}

/** Fields that differ from outcome to outcome, or that no report reads of an outcome that it only counts. */
const UNCOUNTED_FIELDS = [
  ...[
    'name',
    'tenant_id',
    'request_id',
    'log_url',
    'log_result',
    'executed_version',
    'durable_execution_arn',
  ],
  ...['duration_ms', 'billed_duration_ms', 'init_duration_ms', 'restore_duration_ms'],
  ...['memory_size_mb', 'max_memory_used_mb', 'expected'],
];

/** What an outcome has in common with many others: the fields that a report counts. */
function commonOf(outcome: ReportedOutcome): ReportedOutcome {
  const common = { ...outcome, index: 0, started_at: '', elapsed_ms: 0 };
  for (const field of UNCOUNTED_FIELDS) Reflect.deleteProperty(common, field);
  // A message contains the time of its request.
  if ('error' in common) return { ...common, error: { ...common.error, message: '', advice: '' } };
  const { cause, unmet, ...counted } = common;
  return {
    ...counted,
    ...(cause && {
      cause: { message: cause.message, ...(cause.type !== undefined && { type: cause.type }) },
    }),
    ...(unmet && { unmet: unmet.slice(0, 1).map(({ expression }) => ({ expression })) }),
  };
}

/** Outcomes that a report only counts or draws. Each takes about 50 bytes instead of 700. */
class CountedOutcomes {
  readonly #indexes = new NumberColumn('float64');
  readonly #startedAt = new NumberColumn('float64');
  readonly #elapsedMs = new NumberColumn('float64');
  readonly #durationMs = new NumberColumn('float64');
  /** For each outcome, the place of its common fields. */
  readonly #kinds = new NumberColumn('uint32');
  readonly #common = new DistinctList<ReportedOutcome>();
  readonly #names = new Map<number, string>();
  readonly #tenants = new Map<number, string>();

  get length(): number {
    return this.#indexes.length;
  }

  add(outcome: ReportedOutcome, startedAt: number): void {
    const { name, tenant_id: tenant } = outcome;
    if (name !== undefined) this.#names.set(this.length, name);
    if (tenant !== undefined) this.#tenants.set(this.length, tenant);
    this.#kinds.push(this.#common.add(commonOf(outcome)));
    this.#startedAt.push(startedAt);
    this.#elapsedMs.push(outcome.elapsed_ms);
    this.#durationMs.push('status_code' in outcome ? (outcome.duration_ms ?? Number.NaN) : Number.NaN);
    this.#indexes.push(outcome.index);
  }

  /** The places of all, in the order of the plan. */
  inOrder(): Uint32Array {
    const places = Uint32Array.from({ length: this.length }, (_, place) => place);
    return places.sort((one, other) => this.#indexes.at(one) - this.#indexes.at(other));
  }

  indexAt(place: number): number {
    return this.#indexes.at(place);
  }

  /** The outcome at a place, without IDs, links, messages and figures that are not counted. */
  at(place: number): ReportedOutcome | undefined {
    const common = this.#common.values[this.#kinds.at(place)];
    if (common === undefined) return undefined;
    const index = this.#indexes.at(place);
    const startedAt = new Date(this.#startedAt.at(place)).toISOString();
    const times = { started_at: startedAt, elapsed_ms: this.#elapsedMs.at(place) };
    const duration = this.#durationMs.at(place);
    const outcome = Number.isNaN(duration)
      ? { ...common, index, ...times }
      : { ...common, index, ...times, duration_ms: duration };
    const name = this.#names.get(place);
    const tenant = this.#tenants.get(place);
    // Reports iterate several times, and spreading absent fields would take most of the time.
    if (name === undefined && tenant === undefined) return outcome;
    return {
      ...outcome,
      ...(name !== undefined && { name }),
      ...(tenant !== undefined && { tenant_id: tenant }),
    };
  }
}

/** The start time of an outcome, if its text has the usual form. The journal of an earlier run may have another form. */
function timeOf({ started_at: startedAt }: ReportedOutcome): number | undefined {
  const time = Date.parse(startedAt);
  return Number.isFinite(time) && new Date(time).toISOString() === startedAt ? time : undefined;
}

/** All outcomes of a step: whole if a report can show them, otherwise only the figures that it counts. */
export class KeptOutcomes {
  readonly #first = {
    succeeded: new FirstOutcomes(),
    halted: new FirstOutcomes(),
    failed: new FirstOutcomes(),
  };
  /** Other outcomes that a report reads completely. */
  readonly #whole: ReportedOutcome[] = [];
  readonly #counted = new CountedOutcomes();
  #order: Uint32Array = new Uint32Array();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(outcome: ReportedOutcome): void {
    this.#length += 1;
    const isSuccess = outcome.outcome === 'succeeded';
    const kind = isSuccess ? 'succeeded' : isHalted(outcome) ? 'halted' : 'failed';
    const other = this.#first[kind].add(outcome);
    if (other === undefined) return;
    const time = timeOf(other);
    // The message of a dry run says why the role can't invoke the function.
    if (time === undefined || other.invocation_type === 'DryRun') this.#whole.push(other);
    else this.#counted.add(other, time);
  }

  /** All in the order of the plan. */
  *[Symbol.iterator](): Generator<ReportedOutcome, void> {
    const { succeeded, halted, failed } = this.#first;
    const lists = [succeeded.outcomes, halted.outcomes, failed.outcomes, this.#whole];
    const whole = lists.flat().sort(byIndex);
    if (this.#order.length !== this.#counted.length) this.#order = this.#counted.inOrder();
    let next = 0;
    for (const place of this.#order) {
      const index = this.#counted.indexAt(place);
      for (let one = whole[next]; one !== undefined && one.index <= index; one = whole[next]) {
        yield one;
        next += 1;
      }
      const counted = this.#counted.at(place);
      if (counted !== undefined) yield counted;
    }
    yield* whole.slice(next);
  }
}
