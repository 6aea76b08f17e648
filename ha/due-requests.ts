// Requests of people that are tied to a time: a scheduled switchover begins, one that has not begun in time is taken back, and a pause ends. The
// primary's agent does that, because it alone can carry them out.

import { type HaKeys, isPaused, leaderValue, scheduledValue, switchoverValue } from './agent/keys.ts';
import { type Cluster, ClusterRefusal } from './cluster.ts';
import type { EtcdClient } from './etcd.ts';

interface DueRequestsOptions {
  readonly etcd: EtcdClient;
  readonly keys: HaKeys;
  readonly me: string;
  /** The cluster with its present hosts. */
  readonly cluster: () => Cluster;
}

/** A scheduled switchover that has not begun after this time is taken back. */
const beginMs = 30_000;
/** A switchover that is later than this, for example because no host led at its time, would surprise people. */
const mostLateMs = 60_000;
const mostKeys = 100;

export class DueRequests {
  readonly #options: DueRequestsOptions;

  constructor(options: DueRequestsOptions) {
    this.#options = options;
  }

  /** What was done, for the log. Undefined if nothing is due, or if another host leads. Throws EtcdError. */
  async look(): Promise<string | undefined> {
    const { etcd, keys, me, cluster } = this.#options;
    const { entries } = await etcd.get(keys.prefix, mostKeys);
    const entryOf = (wanted: string) => entries.find(({ key }) => key === wanted);
    const leader = entryOf(keys.leader);
    if (leader === undefined || leaderValue.parse(JSON.parse(leader.value)).host !== me) return undefined;
    const paused = entryOf(keys.paused);
    if (paused !== undefined && !isPaused(paused.value)) {
      await etcd.transact([{ key: keys.paused, revision: paused.revision }], [{ delete: keys.paused }]);
      return 'the pause of promotion has ended';
    }
    const wish = entryOf(keys.switchover);
    if (wish !== undefined) {
      const { id, to, endsAt } = switchoverValue.parse(JSON.parse(wish.value));
      if (endsAt === undefined || Date.now() < Date.parse(endsAt)) return undefined;
      await cluster().withdraw(`it had not begun after ${beginMs / 1_000} s, and was taken back`, id);
      return `the scheduled switchover to ${to} was taken back`;
    }
    const scheduled = entryOf(keys.scheduled);
    return scheduled === undefined ? undefined : this.#begin(scheduled.value);
  }

  async #begin(text: string): Promise<string | undefined> {
    const { id, to, at, acceptNoFailover = false } = scheduledValue.parse(JSON.parse(text));
    const lateMs = Date.now() - Date.parse(at);
    if (lateMs < 0) return undefined;
    if (lateMs > mostLateMs) return this.#expire(to, `no primary began it within ${mostLateMs / 1_000} s of its time`);
    try {
      const endsAt = new Date(Date.now() + beginMs).toISOString();
      await this.#options.cluster().switchover(to, undefined, { scheduled: { id, endsAt }, acceptNoFailover });
      return `the scheduled switchover to ${to} begins`;
    } catch (error) {
      if (!(error instanceof ClusterRefusal)) throw error;
      // It is tried again with the hosts as they are then.
      if (error.code === 'CONFLICT') return undefined;
      return this.#expire(to, error.message);
    }
  }

  async #expire(to: string, why: string): Promise<string> {
    await this.#options.cluster().unschedule(`it was scheduled, and could not begin: ${why}`);
    return `the scheduled switchover to ${to} could not begin: ${why}`;
  }
}
