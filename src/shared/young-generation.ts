// A shorter list ends before V8 needs much memory for it.
const LONG_LIST = 5_000;
const OFTEN = 250;
// V8 doubles the size, and what it tells is a little less than that.
const ENOUGH_BYTES = 12 * 1024 * 1024;

/**
 * Keeps V8's space for new objects at 16 MB, in two halves, where a list is long: by itself it grows to 64 MB. To be
 * called for each element of the list, since the space can only be kept from growing further.
 */
export function limitYoungGeneration({ at, length }: Readonly<{ at: number; length: number }>): void {
  if (length < LONG_LIST || at % OFTEN !== 0) return;
  // It is loaded only where a list is long.
  const v8 = process.getBuiltinModule('node:v8');
  const space = v8.getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  if (space === undefined || space.space_used_size + space.space_available_size < ENOUGH_BYTES) return;
  // Node.js warns of flags that are set while V8 runs. V8 reads the first only where it enlarges the space, and
  // multiplies the size by it (SemiSpaceNewSpace::Grow in V8's heap/new-spaces.cc).
  v8.setFlagsFromString('--semi-space-growth-factor=1');
  // V8 would place objects that outlive one collection among the old ones. Those of an invocation that has ended then
  // keep its event and its response in memory until the next collection of the whole heap.
  v8.setFlagsFromString('--no-allocation-site-pretenuring');
}
