// Statements on many rows as few texts: a text that was prepared once costs a third less. A list is filled up to a power of two with its last
// item again, which reads or writes the same row twice, and changes nothing.

export interface Padded<Item> {
  readonly items: readonly Item[];
  /** Whether lists of this length come often enough to be prepared. */
  readonly prepared: boolean;
}

const mostPrepared = 16;
/** Beyond this the bytes cost more than the text. */
const mostBytes = 64 * 1024;
/** Of `Database`: each of the replica's statements, in each length. */
export const preparedByReplica = 40;

/** Of at least one item. */
export function padded<Item>(items: readonly Item[], bytes = 0): Padded<Item> {
  if (items.length > mostPrepared || bytes > mostBytes) return { items, prepared: false };
  const length = 2 ** Math.ceil(Math.log2(items.length));
  return {
    items: [...items, ...Array.from({ length: length - items.length }, () => items.at(-1) as Item)],
    prepared: true,
  };
}
