// Limits the number of distinct statement texts for many rows: a prepared text costs a third less. A list is padded to a power of two by
// repeating its last item, which reads or writes the same row twice and changes nothing.

interface Padded<Item> {
  readonly items: readonly Item[];
  /** Whether lists of this length are frequent enough to be prepared. */
  readonly prepared: boolean;
}

const mostPrepared = 16;
/** For larger lists the bytes cost more than the text. */
const mostBytes = 64 * 1024;
/** For `Database`: each statement of the replica in each length. */
export const preparedByReplica = 40;

/** The list has at least one item. */
export function padded<Item>(items: readonly Item[], bytes = 0): Padded<Item> {
  if (items.length > mostPrepared || bytes > mostBytes) return { items, prepared: false };
  const length = 2 ** Math.ceil(Math.log2(items.length));
  return {
    items: [...items, ...Array.from({ length: length - items.length }, () => items.at(-1) as Item)],
    prepared: true,
  };
}
