import path from 'node:path';
import type { Plan } from '../inputs/plan.ts';
import type { Clients } from '../lambda/client.ts';
import type { InvocationResult } from '../lambda/invocation.ts';
import type { InvokeContext, Sending } from '../lambda/invoker.ts';
import { REAL_TIMING } from '../lambda/timing.ts';
import type { LogsClients } from '../logs/client.ts';
import { type EventWaiting, waitForEvent } from '../logs/event.ts';
import type { LogSource } from '../logs/find.ts';
import type { FollowedLog } from '../logs/follow.ts';
import { InvocationLog, type LogReading, type LogSink } from '../logs/live.ts';
import { type DeniedLog, LostInvocations } from '../logs/lost.ts';
import type { EvaluatedInvocation } from '../outcome/evaluate.ts';
import { adviseOnUnreadableLog } from '../outcome/log-permission.ts';
import { decodeLogTail, isCut, readLogPlace } from '../outcome/log-tail.ts';
import type { SecretTexts } from '../outcome/secret-texts.ts';
import { writeForeign } from '../report/foreign-text.ts';
import { FunctionLog } from '../report/function-log.ts';
import type { ReportGuard } from '../report/guard.ts';
import { type LogThrottle, warnOfHiddenRetries, writeTry } from '../report/progress.ts';

/** The parts that are needed to read the functions' logs of a step. */
export type LogParts = Readonly<{
  plan: Pick<Plan, 'invocations' | 'expressions'>;
  clients: Clients;
  logs: LogsClients;
  secrets: SecretTexts;
  guard: ReportGuard;
  cancel: AbortSignal;
  /** Warns of a log that can't be read, if there was no such warning yet. */
  warn: (text: string) => void;
  /** The folder for the files of the logs. */
  folder: string;
}>;

const MOST_FAILURES = 20;
const SHOWN_BYTES = 64 * 1024;
// A log is usually available at once. If the server is slow, the remaining failures have only links.
const LONGEST_LIST_MS = 120_000;

/** An invocation that has ended, and its evaluation. */
type EndedInvocation = Readonly<{ ended: InvocationResult; evaluated: EvaluatedInvocation }>;

const mayHaveRun = ({ sent, invocation }: InvocationResult): boolean =>
  invocation.invocationType === 'RequestResponse' && sent.some((attempt) => attempt.mayHaveRun);

/** The functions' logs of a step. A single invocation is followed while it runs; the failures of a list are read at the end. */
export class StepLogs {
  readonly #parts: LogParts;
  readonly #reading: LogReading;
  readonly #isList: boolean;
  readonly #failures: EndedInvocation[] = [];
  #moreFailures = 0;
  #live: Readonly<{ log: InvocationLog; shown: FunctionLog }> | undefined;

  constructor(parts: LogParts) {
    const { plan, clients, logs, cancel } = parts;
    this.#parts = parts;
    this.#isList = plan.invocations.length > 1;
    this.#reading = { clients, logs, timing: REAL_TIMING, cancel };
  }

  /** The file with the log of the single invocation; undefined if nothing was read. */
  get file(): string | undefined {
    return this.#live?.shown.file;
  }

  /** Starts to follow the single invocation of a step, before it is sent. */
  begin(sending: Sending): void {
    const { invocationType, functionName } = sending.invocation;
    if (this.#isList || invocationType !== 'RequestResponse') return;
    this.#live ??= this.#newLive(functionName);
    this.#live.log.begin(sending);
  }

  /** Reads the log of the single invocation to its end. */
  async readToEnd(ended: InvocationResult): Promise<FollowedLog | undefined> {
    return this.#isList ? undefined : this.#guarded(() => this.#live?.log.end(ended));
  }

  /** Writes the rest of the log of the single invocation, or keeps a failure of a list for the end. */
  async add(one: EndedInvocation, followed: FollowedLog | undefined): Promise<void> {
    if (!this.#isList) {
      if (this.#live !== undefined) await this.#show(this.#live.shown, one, followed);
    } else if (one.evaluated.masked.failsStep && mayHaveRun(one.ended)) {
      if (this.#failures.length < MOST_FAILURES) this.#failures.push(one);
      else this.#moreFailures += 1;
    }
  }

  /** Reads the logs of a list's failures, one after the other. */
  async readFailures(): Promise<void> {
    const { now } = this.#reading.timing;
    const until = now() + LONGEST_LIST_MS;
    for (const failure of this.#failures) {
      if (this.#parts.cancel.aborted) return;
      if (now() >= until) {
        this.#moreFailures += 1;
        continue;
      }
      const { index, functionName } = failure.ended.invocation;
      const shown = this.#newLog({
        file: `function-${index}.log`,
        title: `${failure.evaluated.masked.label}: Function log`,
        isLive: false,
        longestShown: SHOWN_BYTES,
      });
      const log = new InvocationLog(this.#reading, this.#sinkFor(shown, functionName));
      await this.#show(shown, failure, await this.#guarded(() => log.end(failure.ended)));
    }
    if (this.#moreFailures > 0) {
      writeForeign(
        `… and ${this.#moreFailures} more failed. The links to their logs are in the outcomes file (log_url).`,
      );
    }
  }

  /** Reads a log so that an error does not affect the outcome. */
  #guarded(read: () => Promise<FollowedLog | undefined> | undefined): Promise<FollowedLog | undefined> {
    return this.#parts.guard.run('log_file', read);
  }

  #newLive(functionName: string): Readonly<{ log: InvocationLog; shown: FunctionLog }> {
    // Masks can be applied only when the outcome is known.
    const isLive = this.#parts.plan.expressions.mask.length === 0;
    const shown = this.#newLog({ file: 'function.log', title: 'Function log', isLive });
    return { shown, log: new InvocationLog(this.#reading, this.#sinkFor(shown, functionName)) };
  }

  #newLog({ file, ...options }: Omit<ConstructorParameters<typeof FunctionLog>[0], 'hide'>): FunctionLog {
    const { folder, secrets } = this.#parts;
    return new FunctionLog({ ...options, file: path.join(folder, file), hide: (text) => secrets.hide(text) });
  }

  #sinkFor(shown: FunctionLog, functionName: string): LogSink {
    return {
      onSource: (source) => writeForeign(this.#parts.secrets.hide(sourceLine(source, functionName))),
      onEvents: (events) => void this.#parts.guard.run('log_file', () => shown.add(events)),
    };
  }

  async #show(shown: FunctionLog, one: EndedInvocation, followed: FollowedLog | undefined): Promise<void> {
    const { masked } = one.evaluated;
    const tail = this.#tailOf(one.ended);
    if (followed?.failure !== undefined) this.#warn(followed, one.ended);
    await this.#parts.guard.run('log_file', () =>
      shown.end({
        readTo: followed?.kind ?? 'unreadable',
        isShared: followed?.isShared ?? false,
        isWithheld: masked.withheld !== undefined,
        ...(tail !== undefined && { tail }),
      }),
    );
  }

  /** The log tail, without the rest of a secret at its start, and without its first line if masks can find more secrets. */
  #tailOf({ result }: InvocationResult): string | undefined {
    if (result.kind === 'failure' || result.logTail === undefined) return undefined;
    const tail = decodeLogTail(result.logTail);
    if (readLogPlace(tail) !== undefined) return undefined;
    if (!isCut(result.logTail)) return tail;
    const { plan, secrets } = this.#parts;
    return plan.expressions.mask.length > 0 ? tail.slice(tail.indexOf('\n') + 1) : secrets.hideCutStart(tail);
  }

  #warn({ source, failure }: FollowedLog, { invocation }: InvocationResult): void {
    if (failure === undefined) return;
    this.#parts.warn(unreadableText({ invocation, source, failure }));
  }
}

/** Advice on a log that could not be read, and on a configuration that could not be read either. */
function unreadableText({ invocation, source, failure }: DeniedLog): string {
  const isDenied = source.assumedFor === 'AccessDeniedException';
  return adviseOnUnreadableLog({
    ...source,
    functionName: invocation.reference.name,
    ...failure,
    deniedOnFunction: isDenied ? ['lambda:GetFunctionConfiguration'] : [],
  });
}

/** Looks into functions' logs for invocations without a response. */
export function createWitness({
  clients,
  logs,
  cancel,
  warn,
}: Pick<LogParts, 'clients' | 'logs' | 'cancel' | 'warn'>): LostInvocations['look'] {
  const onDenied = (denied: DeniedLog): void => warn(unreadableText(denied));
  const lost = new LostInvocations({ clients, logs, timing: REAL_TIMING, cancel, onDenied });
  return (ended) => lost.look(ended);
}

const sourceLine = ({ logGroup, assumedFor }: LogSource, functionName: string): string =>
  assumedFor === undefined
    ? `Reading the log of ${functionName} in log group ${logGroup}`
    : `Reading the log of ${functionName} in log group ${logGroup}, which is assumed: its configuration could not be read (${assumedFor}).`;

/** Waits for accepted events, and writes the state of their tries. */
export function eventWait(
  logs: LogsClients,
  throttle: LogThrottle,
): NonNullable<InvokeContext['waitForEvent']> {
  const waiting: EventWaiting = {
    logs,
    onTry: ({ invocation, ...happened }) =>
      throttle.write('tries of events', () => writeTry({ label: invocation.functionName, ...happened })),
    onHiddenConfiguration: ({ functionName }, { name }) =>
      throttle.write('retries that cannot be read', () =>
        warnOfHiddenRetries({ label: functionName, error: name }),
      ),
  };
  return (accepted, invocation, asked) => waitForEvent(accepted, invocation, { ...asked, ...waiting });
}
