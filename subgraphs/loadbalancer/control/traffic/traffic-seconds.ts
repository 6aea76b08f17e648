// The last seconds of traffic, in Redis: bounded, with expiry. If Redis is lost, only traffic of the current minute is.
import type { Redis } from 'ioredis';
import type { Counters, Figures, LastReport, NodeSecond } from './traffic-figures.ts';

/** Number of seconds that can be read. */
export const keptSeconds = 300;
/** Longer, because minutes are made from them a little later. */
const expireSeconds = keptSeconds + 120;
const lastExpireMs = 3_600_000;

/*
 * KEYS: counters of the last report (hash), the node reports of the second (hash), the load balancers with reports in the minute (set).
 * ARGV: the tag that the last report must have ('' for none), the new tag, whether everything is new (1), expiry of the first in ms, of the
 * others in s, field and value of the second, the load balancer, then fields and values of the first. Returns 1. Returns 0 if another
 * report arrived in between: then nothing is written, so that each report counts once.
 */
const recordScript = `
if (redis.call('HGET', KEYS[1], 'tag') or '') ~= ARGV[1] then return 0 end
if ARGV[3] == '1' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'tag', ARGV[2])
for at = 9, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('HSET', KEYS[2], ARGV[6], ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('SADD', KEYS[3], ARGV[8])
redis.call('EXPIRE', KEYS[3], ARGV[5])
return 1`;

interface TrafficSecondsOptions {
  readonly redis: Redis;
  readonly redisPrefix: string;
}

export class TrafficSeconds {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor({ redis, redisPrefix }: TrafficSecondsOptions) {
    this.#redis = redis;
    this.#prefix = `${redisPrefix}:lb-traffic`;
  }

  /** Counters of the last recorded report of a node. Undefined if there is none. */
  async last(node: string): Promise<LastReport | undefined> {
    const { tag, ...fields } = await this.#redis.hgetall(this.#lastKey(node));
    if (tag === undefined) return undefined;
    const [count = '', at = '0'] = tag.split(' ');
    const counters = Object.entries(fields).map(([id, text]) => [id, JSON.parse(text) as Counters] as const);
    return { count, at: Number(at), counters: new Map(counters) };
  }

  /** False if the last report was not `before`; nothing is recorded then. */
  async record(
    balancerId: string,
    entry: { readonly second: NodeSecond; readonly last: LastReport },
    before: LastReport | undefined,
    nowMs = Date.now(),
  ): Promise<boolean> {
    const { second, last } = entry;
    const isNew = before?.count !== last.count;
    const changed = [...last.counters].filter(([id, counters]) => isNew || !isSame(before.counters.get(id), counters));
    const at = Math.floor(nowMs / 1_000);
    const answer = await this.#redis.eval(
      ...[recordScript, 3, this.#lastKey(second.node), this.#secondKey(balancerId, at), this.#minuteKey(at)],
      ...[before === undefined ? '' : tagOf(before), tagOf(last), isNew ? '1' : '0', lastExpireMs, expireSeconds],
      ...[`${second.node} ${last.at}`, packed(second), balancerId],
      ...changed.flatMap(([id, counters]) => [id, JSON.stringify(counters)]),
    );
    return answer === 1;
  }

  /** By second (since 1970), from the first to the last; seconds without reports are missing. */
  async read(balancerId: string, first: number, last: number): Promise<ReadonlyMap<number, readonly NodeSecond[]>> {
    const pipeline = this.#redis.pipeline();
    for (let second = first; second <= last; second += 1) pipeline.hgetall(this.#secondKey(balancerId, second));
    const answers = (await pipeline.exec()) ?? [];
    const found = new Map<number, readonly NodeSecond[]>();
    for (const [index, [error, fields]] of answers.entries()) {
      if (error !== null) throw error;
      const reports = Object.entries(fields as Record<string, string>);
      if (reports.length > 0)
        found.set(
          first + index,
          reports.map(([field, text]) => unpacked(field, text)),
        );
    }
    return found;
  }

  /** UUIDs of the load balancers with reports in the minute that begins at this second. */
  balancersIn(minute: number): Promise<string[]> {
    return this.#redis.smembers(this.#minuteKey(minute));
  }

  #lastKey(node: string): string {
    return `${this.#prefix}:last:${node}`;
  }

  #secondKey(balancerId: string, second: number): string {
    return `${this.#prefix}:second:${balancerId}:${second}`;
  }

  #minuteKey(second: number): string {
    return `${this.#prefix}:minute:${second - (second % 60)}`;
  }
}

function tagOf({ count, at }: LastReport): string {
  return `${count} ${at}`;
}

function isSame(before: Counters | undefined, now: Counters): boolean {
  return before?.every((value, index) => value === now[index]) === true;
}

type Packed = readonly [
  ms: number,
  sessionsPercent: number,
  busyPercent: number,
  subjects: readonly (readonly [string, number, number, number | null, number, number, number, number | null])[],
];

function packed({ ms, sessionsPercent, busyPercent, subjects }: NodeSecond): string {
  const rows = [...subjects].map(([id, each]) => [
    ...[id, each.requests, each.errors, each.serverErrors, each.sessions, each.bytesIn, each.bytesOut, each.latencyMs],
  ]);
  return JSON.stringify([ms, sessionsPercent, busyPercent, rows]);
}

function unpacked(field: string, text: string): NodeSecond {
  const [node = ''] = field.split(' ');
  const [ms, sessionsPercent, busyPercent, rows] = JSON.parse(text) as Packed;
  const subjects = rows.map(
    ([id, requests, errors, serverErrors, sessions, bytesIn, bytesOut, latencyMs]): [string, Figures] => [
      id,
      { requests, errors, serverErrors, sessions, bytesIn, bytesOut, latencyMs },
    ],
  );
  return { node, ms, sessionsPercent, busyPercent, subjects: new Map(subjects) };
}
