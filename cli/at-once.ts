// Concurrent requests of one command: a few at once, with results in the order of the items.
import { Turns } from '../platform/work/turns.ts';

/** The most concurrent requests of a command. */
export const mostAtOnce = 4;

/** Work begins in the order of the items. Rejects with the first failure, while other work that has begun continues. */
export function allAtOnce<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<Result>,
  width: number = mostAtOnce,
): Promise<Result[]> {
  const turns = new Turns(width);
  let isFailed = false;
  const one = async (item: Item): Promise<Result> => {
    if (isFailed) throw new Error('an earlier one has failed');
    return work(item).catch((error: unknown) => {
      isFailed = true;
      throw error;
    });
  };
  return Promise.all(Array.from(items, (item) => turns.run(() => one(item))));
}

/** Parts of a list, each with at most `size` items. */
export function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}
