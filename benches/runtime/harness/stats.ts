// Order statistics: everything that is reported is a median or another quantile, never a mean, unless it says so.

/** The `q` quantile, between neighbours by linear interpolation. */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return NaN;
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}

export const median = (values: ArrayLike<number>): number => quantile(values, 0.5);

const QUANTILES = [0, 0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1];

/** What the JSON keeps of a sample: all of a small one, the quantiles of a large one. */
export function keep(values: ArrayLike<number>): number[] | { count: number; quantiles: Record<string, number> } {
  if (values.length <= 500) return Array.from(values);
  return {
    count: values.length,
    quantiles: Object.fromEntries(QUANTILES.map((q) => [String(q), quantile(values, q)])),
  };
}
