// A shorter list ends before V8 needs much memory.
const LONG_LIST = 5_000;
const OFTEN = 250;
// V8 doubles the space each time, and reports a little less than its size.
const ENOUGH_BYTES = 12 * 1024 * 1024;

/**
 * Keeps V8's two spaces for new objects at 16 MB if a list is long. Otherwise, they grow to 64 MB. Call it for each element
 * of the list, because it can only stop the growth.
 */
export function limitYoungGeneration({ at, length }: Readonly<{ at: number; length: number }>): void {
  if (length < LONG_LIST || at % OFTEN !== 0) return;
  // It is loaded only for a long list.
  const v8 = process.getBuiltinModule('node:v8');
  const space = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  if (space === undefined || space.space_used_size + space.space_available_size < ENOUGH_BYTES) return;
  // Node.js warns of flags that are set while V8 runs. V8 reads this flag only when it enlarges the space: it multiplies
  // the size by the flag (SemiSpaceNewSpace::Grow in V8's heap/new-spaces.cc).
  v8.setFlagsFromString('--semi-space-growth-factor=1');
  // Otherwise, V8 allocates objects as old that often outlive one collection. The old objects of an ended invocation keep
  // its event and its response in memory until the next collection of the whole heap.
  v8.setFlagsFromString('--no-allocation-site-pretenuring');
}
