import { spawnSync } from 'node:child_process';
import { makeCertificate } from '../packages/local-proxy/certificate.ts';
import { type QuickLambda, startFarLambda, startQuickLambda } from './lambda-process.ts';
import { measureNode, type Usage } from './measure.ts';
import { bundleSizes } from './sizes.ts';
import { interleave, median } from './statistics.ts';
import {
  bundleSdkAlone,
  measureAction,
  measureAwsCli,
  measureFloor,
  measureSecondStep,
  ONCE,
  type Work,
} from './subjects.ts';

/** How often short and long things are measured. */
export type Effort = Readonly<{ short: number; long: number }>;

/** A measured figure with its target, and the figures that it was made of, in words. */
export type Figure = Readonly<{
  what: string;
  value: number;
  unit: 'times' | 'MB' | 'KB';
  /** None where it only explains another figure. */
  target?: Readonly<{ bound: 'at most' | 'at least'; value: number }>;
  from: string;
}>;

/** Why a row could not be measured here. */
export type Skipped = Readonly<{ skipped: string }>;

/** A row of the table. */
export type Row = Readonly<{
  name: string;
  title: string;
  measure: (effort: Effort) => Promise<readonly Figure[] | Skipped>;
}>;

const atMost = (value: number) => ({ bound: 'at most', value }) as const;
const atLeast = (value: number) => ({ bound: 'at least', value }) as const;

const walls = (usages: readonly Usage[]): number => median(usages.map(({ wallMs }) => wallMs));
const cpus = (usages: readonly Usage[]): number => median(usages.map(({ cpuMs }) => cpuMs));
const peaks = (usages: readonly Usage[]): number => median(usages.map(({ peakMb }) => peakMb));

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const against = (one: number, other: number): string => `${ms(one)}, floor ${ms(other)}`;

async function withLambda<T>(
  lambda: Promise<QuickLambda>,
  use: (lambda: QuickLambda) => Promise<T>,
): Promise<T> {
  const started = await lambda;
  try {
    return await use(started);
  } finally {
    await started.close();
  }
}

type Measure = (work: Work) => Promise<Usage>;

/** Wall and CPU time against the floor. */
function timesFloor(
  usages: readonly Usage[],
  floor: readonly Usage[],
  { suffix = '', target }: Readonly<{ suffix?: string; target?: Figure['target'] }>,
): Figure[] {
  const figure = (what: string, value: number, base: number): Figure => ({
    what: `${what} against the floor${suffix}`,
    value: value / base,
    unit: 'times',
    from: against(value, base),
    ...(target && { target }),
  });
  return [figure('wall time', walls(usages), walls(floor)), figure('CPU time', cpus(usages), cpus(floor))];
}

/** One invocation against the floor. */
async function one(
  work: Work,
  rounds: number,
  subject: { measure: Measure; most: number },
): Promise<Figure[]> {
  const [floor = [], action = []] = await interleave(rounds, [
    () => measureFloor(work),
    () => subject.measure(work),
  ]);
  return timesFloor(action, floor, { target: atMost(subject.most) });
}

const first = { measure: measureAction, most: 2 } as const;

/** One invocation, and the cost of the same invocation with the SDK's client alone. */
async function start(effort: Effort): Promise<Figure[]> {
  const sdk = bundleSdkAlone();
  try {
    return await withLambda(startQuickLambda(0), async ({ url }) => {
      const work = { ...ONCE, url };
      const [floor = [], alone = [], action = []] = await interleave(effort.short, [
        () => measureFloor(work),
        () => sdk.measure(work),
        () => first.measure(work),
      ]);
      return [
        ...timesFloor(action, floor, { target: atMost(first.most) }),
        ...timesFloor(alone, floor, { suffix: ', of the SDK alone' }),
      ];
    });
  } finally {
    sdk.dispose();
  }
}

async function overHttps(effort: Effort): Promise<readonly Figure[] | Skipped> {
  const certificate = makeCertificate(['127.0.0.1']);
  if ('missing' in certificate) return { skipped: certificate.missing };
  try {
    return await withLambda(startQuickLambda(0, certificate), ({ url }) =>
      one({ ...ONCE, url, authority: certificate.file }, effort.short, first),
    );
  } finally {
    certificate.dispose();
  }
}

/** Round trips to a region on the same continent, and to one across an ocean. */
const ROUND_TRIPS_MS = [0, 25, 90] as const;

/** One invocation over HTTPS and a network that takes its time. The floor connects when all its code is loaded. */
async function overNetwork(effort: Effort): Promise<readonly Figure[] | Skipped> {
  const certificate = makeCertificate(['127.0.0.1']);
  if ('missing' in certificate) return { skipped: certificate.missing };
  try {
    return await withLambda(startQuickLambda(0, certificate), async (lambda) => {
      const figures: Figure[] = [];
      for (const roundTripMs of ROUND_TRIPS_MS) {
        const [floor = [], action = []] = await withLambda(startFarLambda(roundTripMs, lambda), ({ url }) => {
          const work = { ...ONCE, url, authority: certificate.file };
          return interleave(effort.short, [() => measureFloor(work), () => measureAction(work)]);
        });
        figures.push({
          what: `wall time against the floor, ${roundTripMs} ms round trip`,
          value: walls(action) / walls(floor),
          unit: 'times',
          ...(roundTripMs > 0 && { target: atMost(1) }),
          from: against(walls(action), walls(floor)),
        });
      }
      return figures;
    });
  } finally {
    certificate.dispose();
  }
}

async function againstCli(effort: Effort): Promise<readonly Figure[] | Skipped> {
  const version = spawnSync('aws', ['--version'], { encoding: 'utf8' });
  if (version.status !== 0) return { skipped: 'there is no aws command on the PATH' };
  return withLambda(startQuickLambda(0), async ({ url }) => {
    const work = { ...ONCE, url };
    const [action = [], cli = []] = await interleave(Math.ceil(effort.short / 2), [
      async () => (await measureAction(work)).wallMs,
      () => measureAwsCli(work),
    ]);
    const named = version.stdout.split(' ')[0] ?? 'aws';
    return [
      {
        what: 'wall time of `aws lambda invoke` against it',
        value: median(cli) / median(action),
        unit: 'times',
        target: atLeast(6),
        from: `${ms(median(action))}, ${named} ${ms(median(cli))}`,
      },
    ];
  });
}

const WAIT_MS = 50;

async function fanOut(effort: Effort): Promise<Figure[]> {
  return withLambda(startQuickLambda(WAIT_MS), async ({ url }) => {
    const work = { ...ONCE, url, invocations: 2_000, inFlight: 50 };
    const ideal = (work.invocations * WAIT_MS) / work.inFlight;
    const [floor = [], action = []] = await interleave(effort.long, [
      () => measureFloor(work),
      () => measureAction(work),
    ]);
    return [
      {
        what: 'wall time against the ideal',
        value: walls(action) / ideal,
        unit: 'times',
        target: atMost(1.08),
        from: `${ms(walls(action))}, ideal ${ms(ideal)}, floor ${ms(walls(floor))}`,
      },
    ];
  });
}

async function many(effort: Effort): Promise<Figure[]> {
  return withLambda(startQuickLambda(WAIT_MS), async ({ url }) => {
    const work = { ...ONCE, url, invocations: 10_000, inFlight: 100 };
    const [floor = [], action = [], fewer = []] = await interleave(effort.long, [
      () => measureFloor(work),
      () => measureAction(work),
      () => measureAction({ ...work, invocations: 2_000 }),
    ]);
    const each = (usages: readonly Usage[]): number => cpus(usages) / work.invocations;
    return [
      {
        what: 'most memory resident',
        value: peaks(action),
        unit: 'MB',
        target: atMost(160),
        from: `floor ${peaks(floor).toFixed(0)} MB`,
      },
      {
        what: 'more memory than for 2,000',
        value: peaks(action) - peaks(fewer),
        unit: 'MB',
        target: atMost(10),
        from: `for 2,000 ${peaks(fewer).toFixed(0)} MB`,
      },
      {
        what: 'CPU time of one against the floor',
        value: each(action) / each(floor),
        unit: 'times',
        target: atMost(2),
        from: against(each(action), each(floor)),
      },
    ];
  });
}

/** What it costs that each request is on disk before it is sent. */
async function withJournal(effort: Effort): Promise<Figure[]> {
  return withLambda(startQuickLambda(WAIT_MS), async ({ url }) => {
    const work = { ...ONCE, url, invocations: 10_000, inFlight: 100 };
    const [without = [], kept = []] = await interleave(effort.long, [
      () => measureAction(work),
      () => measureAction({ ...work, inputs: { journal: 'journal.jsonl' } }),
    ]);
    return [
      {
        what: 'wall time with a journal against without',
        value: walls(kept) / walls(without),
        unit: 'times',
        target: atMost(1.1),
        from: `${ms(walls(kept))}, without ${ms(walls(without))}`,
      },
    ];
  });
}

const LARGE_BYTES = 6_000_000;

/** A list of records, as an event of that size would be. */
function largeEvent(): string {
  const records: string[] = [];
  for (let bytes = 2, id = 0; ; id += 1) {
    const record = JSON.stringify({ id, name: `customer ${id}`, orders: [id, id + 1], active: id % 2 === 0 });
    bytes += record.length + 1;
    if (bytes > LARGE_BYTES) return `[${records.join(',')}]`;
    records.push(record);
  }
}

async function large(effort: Effort): Promise<Figure[]> {
  const event = largeEvent();
  return withLambda(startQuickLambda(0), async ({ url }) => {
    const work = { ...ONCE, event, url };
    const [idle = [], floor = [], action = []] = await interleave(Math.ceil(effort.short / 2), [
      () => measureNode({ command: process.execPath, args: ['-e', ''], env: {} }),
      () => measureFloor(work),
      () => measureAction(work),
    ]);
    return [
      {
        what: 'CPU time against the floor',
        value: cpus(action) / cpus(floor),
        unit: 'times',
        target: atMost(1.5),
        from: against(cpus(action), cpus(floor)),
      },
      {
        what: 'memory over an idle Node.js',
        value: peaks(action) - peaks(idle),
        unit: 'MB',
        target: atMost(100),
        from: `${peaks(action).toFixed(0)} MB, idle ${peaks(idle).toFixed(0)} MB, floor ${peaks(floor).toFixed(0)} MB`,
      },
    ];
  });
}

const GROWTH_WAIT_MS = 20;

async function growth(effort: Effort, inputs: Readonly<Record<string, string>>): Promise<Figure[]> {
  return withLambda(startQuickLambda(GROWTH_WAIT_MS), async ({ url }) => {
    const work = { ...ONCE, url, inFlight: 20, inputs };
    const [single = [], few = [], lots = []] = await interleave(effort.long, [
      () => measureAction({ ...work, invocations: 1 }),
      () => measureAction({ ...work, invocations: 100 }),
      () => measureAction({ ...work, invocations: 10_000 }),
    ]);
    // Without the start of the process, which a hundred share and ten thousand share as well.
    const start = walls(single) - GROWTH_WAIT_MS;
    const [fewEach, lotsEach] = [(walls(few) - start) / 100, (walls(lots) - start) / 10_000];
    return [
      {
        what: 'wall time of one of 10,000 against one of 100',
        value: lotsEach / fewEach,
        unit: 'times',
        target: atMost(1.1),
        from: `${ms(lotsEach)}, of 100 ${ms(fewEach)}`,
      },
    ];
  });
}

async function sizes(): Promise<Figure[]> {
  return withLambda(startQuickLambda(0), async ({ url }) => {
    const { dist, loaded, files } = await bundleSizes({ ...ONCE, url });
    return [
      {
        what: 'what a job downloads (dist/)',
        value: dist / 1000,
        unit: 'KB',
        target: atMost(930),
        from: '',
      },
      {
        what: 'what one invocation loads',
        value: loaded / 1000,
        unit: 'KB',
        target: atMost(500),
        from: files.join(', '),
      },
    ];
  });
}

/** All that is measured, in the order of the table. */
export const ROWS: readonly Row[] = [
  { name: 'start', title: 'One invocation', measure: start },
  { name: 'https', title: 'One invocation over HTTPS', measure: overHttps },
  { name: 'network', title: 'One invocation over HTTPS and a slow network', measure: overNetwork },
  {
    name: 'second-step',
    title: 'Second step in the same job',
    measure: ({ short }) =>
      withLambda(startQuickLambda(0), ({ url }) =>
        one({ ...ONCE, url }, short, { measure: measureSecondStep, most: 1.7 }),
      ),
  },
  { name: 'aws-cli', title: 'The AWS CLI', measure: againstCli },
  { name: 'fan-out', title: '2,000 invocations of 50 ms, 50 concurrent', measure: fanOut },
  { name: 'many', title: '10,000 invocations of 50 ms, 100 concurrent', measure: many },
  {
    name: 'journal',
    title: '10,000 invocations of 50 ms, 100 concurrent, with a journal',
    measure: withJournal,
  },
  { name: 'large', title: '6 MB in and 6 MB out', measure: large },
  { name: 'growth', title: 'From 100 to 10,000 invocations', measure: (effort) => growth(effort, {}) },
  {
    name: 'growth-masked',
    title: 'From 100 to 10,000 invocations, each with a mask',
    measure: (effort) => growth(effort, { mask: '[request_id, response.order]' }),
  },
  { name: 'sizes', title: 'Sizes', measure: sizes },
];
