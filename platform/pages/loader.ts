// Batching for resolvers: keys requested in the same turn are read together. Nothing is kept after the batch, so a resolver never
// sees a row from before a write of its own request.
import type { RequestContext } from '../caller/identity.ts';

interface Batch<Key, Value> {
  readonly keys: Set<Key>;
  readonly result: Promise<ReadonlyMap<Key, Value>>;
}

/** The largest batch; further keys open another one. */
const maxBatchSize = 500;

/**
 * Loads one value; undefined when the batch has none for the key. `owner` is a symbol of the calling module, one for each kind of
 * value.
 *
 * @example loader(context, backendById, id, (ids) => store.backendsById(ids))
 */
export async function loader<Key extends string | number, Value>(
  context: RequestContext,
  owner: symbol,
  key: Key,
  load: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
): Promise<Value | undefined> {
  let batch = context.loaders.get(owner) as Batch<Key, Value> | undefined;
  if (batch === undefined || batch.keys.size >= maxBatchSize) {
    const keys = new Set<Key>();
    const close = () => {
      if (context.loaders.get(owner) === opened) context.loaders.delete(owner);
    };
    // setImmediate: runs after all resolvers that are ready in this turn.
    const result = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      close();
      return load([...keys]);
    });
    const opened: Batch<Key, Value> = { keys, result };
    batch = opened;
    context.loaders.set(owner, opened);
  }
  batch.keys.add(key);
  return (await batch.result).get(key);
}
