// Order statistics of measurements.

/** The value below which `share` (0 to 1) of the values lie, by the nearest rank; NaN for no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** For figures read by people. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
