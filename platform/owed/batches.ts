// Deletes many rows in statements that each hold few locks.

/** Of one statement. */
export const batchSize = 1_000;
/** Per run: the rest is deleted by the next, which is due at once. */
const usualBatches = 100;

/** What a run of retention did. */
export interface Deleted {
  readonly rows: number;
  /** It stopped at its bound, or because it was interrupted: more rows may be due. */
  readonly more: boolean;
}

/** Repeats a deletion of at most `size` rows until a batch is not full. */
export async function inBatches(
  batch: () => Promise<number>,
  signal: AbortSignal | undefined,
  { mostBatches = usualBatches, size = batchSize }: { readonly mostBatches?: number; readonly size?: number } = {},
): Promise<Deleted> {
  let rows = 0;
  for (let count = 0; count < mostBatches && signal?.aborted !== true; count += 1) {
    const deleted = await batch();
    rows += deleted;
    if (deleted < size) return { rows, more: false };
  }
  return { rows, more: true };
}
