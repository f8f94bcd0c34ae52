import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Watches a process until it closes. The returned function gives its peak resident memory in MB; Linux only. */
export function followPeak(child: ChildProcess): () => number {
  let peak = 0;
  const poll = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      clearInterval(poll);
    }
  }, 5);
  child.once('close', () => clearInterval(poll));
  return () => peak;
}
