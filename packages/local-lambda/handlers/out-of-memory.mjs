// Allocates memory until the heap is full.
export const handler = async () => {
  const kept = [];
  for (;;) kept.push(Array.from({ length: 100_000 }, (_value, index) => ({ index })));
};
