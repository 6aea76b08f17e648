// The shard of a target, and the number of shards for a worker: pure arithmetic, the same in every worker.
import { createHash } from 'node:crypto';

export function shardOf(targetId: string, shardCount: number): number {
  return createHash('sha1').update(targetId).digest().readUInt32BE(0) % shardCount;
}

/** The same in SQL: the shard of a column, with `?` for the number of shards. */
export function shardSql(column: string): string {
  return `CONV(LEFT(SHA1(${column}), 8), 16, 10) % ?`;
}

interface ShardPlanInput {
  readonly shardCount: number;
  /** Only these are taken or kept. Default: all. */
  readonly used?: ReadonlySet<number> | undefined;
  readonly held: ReadonlySet<number>;
  /** Shards held by other live workers. */
  readonly heldByOthers: ReadonlySet<number>;
  /** Number of live workers, including this one. */
  readonly workers: number;
  /** Where the search for free shards begins: different for each worker, so that they do not compete for the same ones. */
  readonly offset: number;
}

interface ShardPlan {
  readonly acquire: readonly number[];
  readonly release: readonly number[];
}

/** Every worker takes up to ceil(used shards / workers) and releases the others, so that a new worker gets its share. */
export function planShards(input: ShardPlanInput): ShardPlan {
  const isUsed = (shard: number) => input.used?.has(shard) ?? true;
  const share = Math.ceil((input.used?.size ?? input.shardCount) / Math.max(1, input.workers));
  const all = [...input.held].sort((a, b) => a - b);
  const held = all.filter(isUsed);
  const release = [...all.filter((shard) => !isUsed(shard)), ...held.slice(share)];
  if (release.length > 0) return { acquire: [], release };
  const acquire: number[] = [];
  for (let step = 0; step < input.shardCount && held.length + acquire.length < share; step += 1) {
    const shard = (input.offset + step) % input.shardCount;
    if (isUsed(shard) && !input.held.has(shard) && !input.heldByOthers.has(shard)) acquire.push(shard);
  }
  return { acquire, release: [] };
}
