import { makeCertificate } from '../packages/local-proxy/certificate.ts';
import { type QuickLambda, startFarLambda, startQuickLambda } from './lambda-process.ts';
import type { Usage } from './measure.ts';
import { bundleSizes } from './sizes.ts';
import { interleave, median } from './statistics.ts';
import {
  awsCommands,
  bundleSdkAlone,
  measureAction,
  measureAwsCli,
  measureFloor,
  measureGagoar,
  measureSecondStep,
  ONCE,
  type SdkAlone,
  type Work,
} from './subjects.ts';

/** How many rounds short and long measurements have. */
export type Effort = Readonly<{ short: number; long: number }>;

/** A measured figure with its target, and the figures behind it in words. */
export type Figure = Readonly<{
  what: string;
  value: number;
  unit: 'times' | 'MB' | 'KB';
  /** Absent if the figure only explains another one. */
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
const mb = (value: number): string => `${value.toFixed(0)} MB`;
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

/** Wall and CPU time against another subject that was measured in turns, each with or without a target. */
function timesOf(
  usages: readonly Usage[],
  base: Readonly<{ name: string; usages: readonly Usage[] }>,
  targets: Readonly<{ wall?: Figure['target']; cpu?: Figure['target'] }>,
): Figure[] {
  const figure = (
    what: string,
    time: (usages: readonly Usage[]) => number,
    target: Figure['target'],
  ): Figure => ({
    what: `${what} against ${base.name}`,
    value: time(usages) / time(base.usages),
    unit: 'times',
    from: `${ms(time(usages))}, ${base.name} ${ms(time(base.usages))}`,
    ...(target && { target }),
  });
  return [figure('wall time', walls, targets.wall), figure('CPU time', cpus, targets.cpu)];
}

/** Does something with the SDK's client alone. */
async function withSdkAlone<T>(use: (sdk: SdkAlone) => Promise<T>): Promise<T> {
  const sdk = bundleSdkAlone();
  try {
    return await use(sdk);
  } finally {
    sdk.dispose();
  }
}

// The SDK's client sends the request and parses the response. The action also checks its inputs, evaluates the outcome
// and writes the log, the outputs, the summary and the outcomes file.
const SDK_LIMIT = atMost(1.5);

/** One invocation against the floor, and against the SDK's client alone, which is the limit of every user of the SDK. */
const againstSdk = (effort: Effort, work: Work): Promise<Figure[]> =>
  withSdkAlone(async (sdk) => {
    const [floor = [], alone = [], action = []] = await interleave(effort.short, [
      () => measureFloor(work),
      () => sdk.measure(work),
      () => measureAction(work),
    ]);
    return [
      ...timesOf(action, { name: 'the floor', usages: floor }, {}),
      ...timesOf(action, { name: 'the SDK alone', usages: alone }, { wall: SDK_LIMIT, cpu: SDK_LIMIT }),
    ];
  });

const start = (effort: Effort): Promise<Figure[]> =>
  withLambda(startQuickLambda(0), ({ url }) => againstSdk(effort, { ...ONCE, url }));

/** The second step of a job against the first. Nothing is kept between steps, so it should take as long. */
async function secondStep(effort: Effort): Promise<Figure[]> {
  return withLambda(startQuickLambda(0), async ({ url }) => {
    const work = { ...ONCE, url };
    const [firstStep = [], second = []] = await interleave(effort.short, [
      () => measureAction(work),
      () => measureSecondStep(work),
    ]);
    return timesOf(second, { name: 'the first', usages: firstStep }, { wall: atMost(1.1), cpu: atMost(1.1) });
  });
}

/** Does something with a certificate for loopback, where one can be made here. */
async function withCertificate(
  use: (certificate: Readonly<{ keyFile: string; file: string }>) => Promise<readonly Figure[]>,
): Promise<readonly Figure[] | Skipped> {
  const certificate = makeCertificate(['127.0.0.1']);
  if ('missing' in certificate) return { skipped: certificate.missing };
  try {
    return await use(certificate);
  } finally {
    certificate.dispose();
  }
}

const overHttps = (effort: Effort): Promise<readonly Figure[] | Skipped> =>
  withCertificate((certificate) =>
    withLambda(startQuickLambda(0, certificate), ({ url }) =>
      againstSdk(effort, { ...ONCE, url, authority: certificate.file }),
    ),
  );

/** Round trips on loopback, to a region on the same continent, and to one across an ocean. */
const ROUND_TRIPS_MS = [0, 25, 90] as const;

/** One invocation over HTTPS and a network that takes its time, against another program that does the same. */
const overNetwork = (
  effort: Effort,
  { name, measure }: Readonly<{ name: string; measure: (work: Work) => Promise<Usage> }>,
): Promise<readonly Figure[] | Skipped> =>
  withCertificate((certificate) =>
    withLambda(startQuickLambda(0, certificate), async (lambda) => {
      const figures: Figure[] = [];
      for (const roundTripMs of ROUND_TRIPS_MS) {
        const [other = [], action = []] = await withLambda(startFarLambda(roundTripMs, lambda), ({ url }) => {
          const work = { ...ONCE, url, authority: certificate.file };
          return interleave(effort.short, [() => measure(work), () => measureAction(work)]);
        });
        figures.push({
          what: `wall time against ${name}, ${roundTripMs} ms round trip`,
          value: walls(action) / walls(other),
          unit: 'times',
          ...(roundTripMs > 0 && { target: atMost(1) }),
          from: `${ms(walls(action))}, ${name} ${ms(walls(other))}`,
        });
      }
      return figures;
    }),
  );

/** The floor connects when all its code is loaded. */
const againstFloor = (effort: Effort): Promise<readonly Figure[] | Skipped> =>
  overNetwork(effort, { name: 'the floor', measure: measureFloor });

const againstCli =
  (major: string): Row['measure'] =>
  async (effort) => {
    const found = awsCommands().get(major);
    if (found === undefined) return { skipped: `there is no aws command of version ${major} on the PATH` };
    return withLambda(startQuickLambda(0), async ({ url }) => {
      const work = { ...ONCE, url };
      const [action = [], cli = []] = await interleave(Math.ceil(effort.short / 2), [
        async () => (await measureAction(work)).wallMs,
        () => measureAwsCli(work, found.command),
      ]);
      return [
        {
          what: `wall time of \`aws lambda invoke\` against the action`,
          value: median(cli) / median(action),
          unit: 'times',
          target: atLeast(1),
          from: `${ms(median(action))}, ${found.version} ${ms(median(cli))}`,
        },
      ];
    });
  };

async function againstGagoar(effort: Effort): Promise<readonly Figure[] | Skipped> {
  const checkout = process.env['GAGOAR_CHECKOUT'];
  if (checkout === undefined) {
    return { skipped: 'GAGOAR_CHECKOUT does not name a checkout of gagoar/invoke-aws-lambda' };
  }
  return overNetwork(effort, { name: 'its bundle', measure: (work) => measureGagoar(work, checkout) });
}

const WAIT_MS = 50;

async function fanOut(effort: Effort): Promise<Figure[]> {
  return withLambda(startQuickLambda(WAIT_MS), async ({ url }) => {
    const work = { ...ONCE, url, invocations: 2_000, concurrency: 50 };
    const ideal = (work.invocations * WAIT_MS) / work.concurrency;
    const [floor = [], action = []] = await interleave(effort.long, [
      () => measureFloor(work),
      () => measureAction(work),
    ]);
    return [
      {
        what: 'wall time against the floor',
        value: walls(action) / walls(floor),
        unit: 'times',
        target: atMost(1.2),
        from: `${against(walls(action), walls(floor))}, waiting alone ${ms(ideal)}`,
      },
    ];
  });
}

/** Against the floor, and against the SDK's client alone, which builds and signs each request in the same way. */
const many = (effort: Effort): Promise<Figure[]> =>
  withSdkAlone((sdk) =>
    withLambda(startQuickLambda(WAIT_MS), async ({ url }) => {
      const work = { ...ONCE, url, invocations: 10_000, concurrency: 100 };
      const fewer = { ...work, invocations: 2_000 };
      const [floor = [], alone = [], action = [], fewerOfAction = []] = await interleave(effort.long, [
        () => measureFloor(work),
        () => sdk.measure(work),
        () => measureAction(work),
        () => measureAction(fewer),
      ]);
      const each = (usages: readonly Usage[]): number => cpus(usages) / work.invocations;
      const figure = (what: string, [value, base]: readonly [number, number], from: string): Figure => ({
        what,
        value: value / base,
        unit: 'times',
        from,
      });
      const memory = [mb(peaks(action)), mb(peaks(floor)), mb(peaks(alone)), mb(peaks(fewerOfAction))];
      const time = [ms(each(action)), ms(each(floor)), ms(each(alone))];
      return [
        figure(
          'peak memory against the floor',
          [peaks(action), peaks(floor)],
          `${memory[0]}, floor ${memory[1]}, with 2,000 invocations ${memory[3]}`,
        ),
        {
          ...figure(
            'peak memory against the SDK alone',
            [peaks(action), peaks(alone)],
            `${memory[0]}, the SDK alone ${memory[2]}`,
          ),
          target: atMost(1),
        },
        figure(
          'CPU time per invocation against the floor',
          [each(action), each(floor)],
          `${time[0]}, floor ${time[1]}`,
        ),
        {
          ...figure(
            'CPU time per invocation against the SDK alone',
            [each(action), each(alone)],
            `${time[0]}, the SDK alone ${time[2]}`,
          ),
          target: SDK_LIMIT,
        },
      ];
    }),
  );

/** The cost of writing each request to disk before it is sent. */
async function withJournal(effort: Effort): Promise<Figure[]> {
  return withLambda(startQuickLambda(WAIT_MS), async ({ url }) => {
    const work = { ...ONCE, url, invocations: 10_000, concurrency: 100 };
    const [without = [], kept = []] = await interleave(effort.long, [
      () => measureAction(work),
      () => measureAction({ ...work, inputs: { journal: 'journal.jsonl' } }),
    ]);
    return [
      {
        what: 'wall time with a journal against no journal',
        value: walls(kept) / walls(without),
        unit: 'times',
        target: atMost(1.1),
        from: `${ms(walls(kept))}, without a journal ${ms(walls(without))}`,
      },
    ];
  });
}

const LARGE_BYTES = 6_000_000;

/** A list of records, like a real event of that size. */
function largeEvent(): string {
  const records: string[] = [];
  for (let bytes = 2, id = 0; ; id += 1) {
    const record = JSON.stringify({ id, name: `customer ${id}`, orders: [id, id + 1], active: id % 2 === 0 });
    bytes += record.length + 1;
    if (bytes > LARGE_BYTES) return `[${records.join(',')}]`;
    records.push(record);
  }
}

/** 6 MB against plain Node.js that checks the event, parses the response and writes it. Handling the JSON is the limit. */
async function large(effort: Effort): Promise<Figure[]> {
  const event = largeEvent();
  return withLambda(startQuickLambda(0), async ({ url }) => {
    const work = { ...ONCE, event, url };
    const [plain = [], action = []] = await interleave(Math.ceil(effort.short / 2), [
      () => measureFloor(work, { keeps: true }),
      () => measureAction(work),
    ]);
    return [
      {
        what: 'CPU time against plain Node.js that handles the same JSON',
        value: cpus(action) / cpus(plain),
        unit: 'times',
        target: atMost(3.5),
        from: `${ms(cpus(action))}, plain ${ms(cpus(plain))}`,
      },
      {
        what: 'peak memory against plain Node.js that handles the same JSON',
        value: peaks(action) / peaks(plain),
        unit: 'times',
        target: atMost(2),
        from: `${mb(peaks(action))}, plain ${mb(peaks(plain))}`,
      },
    ];
  });
}

const ENTRY_BYTES = 1_950;

/** How memory grows with a list in a file: 2 MB and 200 MB. */
async function list(effort: Effort): Promise<Figure[]> {
  return withLambda(startQuickLambda(0), async ({ url }) => {
    const event = JSON.stringify({ text: 'x'.repeat(ENTRY_BYTES) });
    const work = { ...ONCE, url, event, concurrency: 50, isList: true };
    const [few = [], lots = []] = await interleave(effort.long, [
      () => measureAction({ ...work, invocations: 1_000 }),
      () => measureAction({ ...work, invocations: 100_000 }),
    ]);
    return [
      {
        what: 'more peak memory than with 1,000 entries',
        value: peaks(lots) - peaks(few),
        unit: 'MB',
        target: atMost(100),
        from: `${mb(peaks(lots))}, with 1,000 ${mb(peaks(few))}`,
      },
    ];
  });
}

const GROWTH_WAIT_MS = 20;

async function growth(effort: Effort, inputs: Readonly<Record<string, string>>): Promise<Figure[]> {
  return withLambda(startQuickLambda(GROWTH_WAIT_MS), async ({ url }) => {
    const work = { ...ONCE, url, concurrency: 20, inputs };
    const [single = [], few = [], lots = []] = await interleave(effort.long, [
      () => measureAction({ ...work, invocations: 1 }),
      () => measureAction({ ...work, invocations: 100 }),
      () => measureAction({ ...work, invocations: 10_000 }),
    ]);
    // Without the start of the process, which takes the same time for a hundred and for ten thousand.
    const start = walls(single) - GROWTH_WAIT_MS;
    const [fewEach, lotsEach] = [(walls(few) - start) / 100, (walls(lots) - start) / 10_000];
    return [
      {
        what: 'wall time per invocation of 10,000 against 100',
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
    const { archive, loaded, files } = await bundleSizes({ ...ONCE, url });
    return [
      {
        what: 'what a job downloads (the archive of HEAD)',
        value: archive / 1000,
        unit: 'KB',
        target: atMost(300),
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

/** All rows, in the order of the table. */
export const ROWS: readonly Row[] = [
  { name: 'start', title: 'One invocation', measure: start },
  { name: 'https', title: 'One invocation over HTTPS', measure: overHttps },
  { name: 'network', title: 'One invocation over HTTPS and a slow network', measure: againstFloor },
  {
    name: 'second-step',
    title: 'Second step in the same job',
    measure: secondStep,
  },
  { name: 'aws-cli-1', title: 'The AWS CLI, version 1', measure: againstCli('1') },
  { name: 'aws-cli-2', title: 'The AWS CLI, version 2', measure: againstCli('2') },
  { name: 'gagoar', title: 'gagoar/invoke-aws-lambda', measure: againstGagoar },
  { name: 'fan-out', title: '2,000 invocations of 50 ms, 50 concurrent', measure: fanOut },
  { name: 'many', title: '10,000 invocations of 50 ms, 100 concurrent', measure: many },
  {
    name: 'journal',
    title: '10,000 invocations of 50 ms, 100 concurrent, with a journal',
    measure: withJournal,
  },
  { name: 'large', title: '6 MB in and 6 MB out', measure: large },
  { name: 'list', title: '100,000 entries from a file of 200 MB', measure: list },
  { name: 'growth', title: 'From 100 to 10,000 invocations', measure: (effort) => growth(effort, {}) },
  {
    name: 'growth-masked',
    title: 'From 100 to 10,000 invocations, each with a mask',
    measure: (effort) => growth(effort, { mask: '[request_id, response.order]' }),
  },
  { name: 'sizes', title: 'Sizes', measure: sizes },
];
