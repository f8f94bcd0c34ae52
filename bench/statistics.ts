/** The median of some figures. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return (low + high) / 2;
}

/**
 * Measures several subjects in turns, A B A B, so that other load on the machine affects them equally. The first round
 * fills the disk cache and is not counted, unless there is only one.
 */
export async function interleave<T>(rounds: number, subjects: readonly (() => Promise<T>)[]): Promise<T[][]> {
  const measured: T[][] = subjects.map(() => []);
  for (let round = rounds > 1 ? -1 : 0; round < rounds; round += 1) {
    for (const [at, subject] of subjects.entries()) {
      const figure = await subject();
      if (round >= 0) measured[at]?.push(figure);
    }
  }
  return measured;
}
