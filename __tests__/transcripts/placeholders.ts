import path from 'node:path';
import { pathToFileURL } from 'node:url';

const CHECKOUT = path.resolve(import.meta.dirname, '../..');

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** A stack frame of Node.js or of the local Lambda, in JSON. */
const RUNTIME_FRAME = String.raw` +at [^"\\]*(?:node:|local-lambda\/)[^"\\]*`;

/** Values that differ between runs or machines, and their placeholders. */
const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`(?<=durable-execution(?:/|%2F)[\\w-]+(?:/|%2F))${UUID}`, 'g'), '{execution-id}'],
  [new RegExp(UUID, 'g'), '{request-id}'],
  // The summary shows the first eight characters of a request ID as a link.
  [/(?<=\[)[0-9a-f]{8}(?=…\])/g, '{request-id}'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '{time}'],
  // Links to the console give times in milliseconds since 1970.
  [/(?<=\$3D)\d{13}\b/g, '{time}'],
  // Only measured seconds have a fraction. Whole seconds are settings, for example a timeout.
  [/\b\d[\d,]*(?:\.\d+)?\sms\b|\b\d[\d,]*\.\d+\s(?:s|min)\b/g, '{duration}'],
  // A figure in the summary, which can be a whole number.
  [/(?<=\b(?:billed|max|p50|p95|start|time|took)\s)\d[\d,]*\s(?:s|min)\b/g, '{duration}'],
  [/(?<=_ms"?: ?)\d+(?:\.\d+)?/g, '{n}'],
  [/(?<=max_memory_used_mb"?: ?|Max Memory Used: )\d+|\b\d+(?=\sof\s\d+\sMB\b)/g, '{n}'],
  [
    new RegExp(String.raw`(,\s*(\\*"))${RUNTIME_FRAME}\2(?:\1${RUNTIME_FRAME}\2)*`, 'g'),
    '$1{frames of the runtime}$2',
  ],
  // Less than 5 ms are 0 seconds.
  [/(?<=\bran to its end in )\d\S*\ss\b/g, '{duration}'],
  // A log has durations, some with a digit more than others.
  [/(?<=Function log saved to \S+ \()[\d,]+(?= bytes\))/g, '{n}'],
  [/(?<=\{temp\}[/\\]lambda-invoke-)\w+/g, '{random}'],
];

/** Mermaid can't draw placeholders, so each bar starts where the previous one ends and has length 1. */
function steadyTimeline(timeline: string): string {
  let start = 0;
  return timeline
    .replace(/(?<=tickInterval )\d+/, '1')
    .replace(/(?<=axisFormat ).*/, '%Q ms')
    .replace(/, \d+, \d+$/gm, () => {
      start += 1;
      return `, ${start - 1}, ${start}`;
    });
}

/** Puts placeholders into a text so that it is the same in every run. `folders` are paths of the job's folder. */
export function withPlaceholders(text: string, folders: readonly string[]): string {
  const placed = folders.reduce(
    (shown, folder) =>
      shown
        .replaceAll(path.join(folder, 'workspace'), '{workspace}')
        .replaceAll(path.join(folder, 'temp'), '{temp}'),
    text,
  );
  const relative = placed
    .replaceAll(`${pathToFileURL(CHECKOUT).href}/`, '')
    .replaceAll(`${CHECKOUT}${path.sep}`, '');
  // The size of a response with a stack trace depends on the path of the checkout.
  const sized = relative === placed ? relative : relative.replace(/\b[\d,]+(?= bytes\b)/g, '{n}');
  return PLACEHOLDERS.reduce((shown, [pattern, placeholder]) => shown.replace(pattern, placeholder), sized)
    .replace(/\{(?:workspace|temp)\}\S*/g, (file) => file.replaceAll('\\', '/'))
    .replace(/```mermaid\n[\s\S]*?```/g, steadyTimeline);
}
