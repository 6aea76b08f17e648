// What is told of each change of the primary: its cause, its times, and what a host had that nobody had acknowledged. In etcd, by epoch.

import type { SetupLog } from '../../embedded/setup-log.ts';
import type { Change, EtcdClient } from '../etcd.ts';
import { monotonicMs } from './clock.ts';
import {
  changeValue,
  type Change as Entry,
  endedValue,
  type HaKeys,
  keptChanges,
  type Saved,
  setUpReign,
} from './keys.ts';
import type { HaServer } from './server.ts';
import type { View } from './view.ts';

export interface HistoryOptions {
  readonly etcd: EtcdClient;
  readonly keys: HaKeys;
  readonly log: SetupLog;
  readonly me: string;
  readonly hosts: Readonly<Record<string, unknown>>;
  readonly server: HaServer;
}

const mostGtids = 20;

export class HaHistory {
  readonly #options: HistoryOptions;
  #leaderlessSinceMs: number | undefined;
  #entry: Entry | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** A promotion is counted from the time when this host first saw that nobody leads. */
  saw(leader: string | undefined): void {
    if (leader === undefined) this.#leaderlessSinceMs ??= monotonicMs();
    else if (leader !== this.#options.me) this.#leaderlessSinceMs = undefined;
  }

  /** For the transaction by which this host becomes the primary. */
  async change({ me, shared, server }: View, epoch: number, isLossy: boolean): Promise<readonly Change[]> {
    const { keys, hosts } = this.#options;
    const previous = shared?.sync;
    if (previous === undefined || server.state !== 'up') return [];
    this.#entry = {
      ...{ epoch, primary: me, previous: previous.primary, position: server.position },
      cause: isLossy
        ? `a person accepted the loss of ${shared?.wishes.lossy?.acceptedLoss ?? 0} transactions`
        : await this.#cause(previous.reign, previous.primary),
      ...(isLossy && { acceptedLoss: shared?.wishes.lossy?.acceptedLoss ?? 0 }),
      takenAt: new Date().toISOString(),
      takenAfterMs: this.#passedMs(),
    };
    const old = epoch - keptChanges;
    return [
      { put: keys.change(epoch), value: JSON.stringify(this.#entry) },
      { delete: keys.change(old) },
      ...Object.keys(hosts).map((host) => ({ delete: keys.saved(old, host) })),
    ];
  }

  /** The host whose reign this epoch ended, if it is another one. */
  async fencedBy(epoch: number): Promise<string | undefined> {
    const { etcd, keys, me } = this.#options;
    const { entries } = await etcd.get(keys.change(epoch));
    const [entry] = entries;
    const previous = entry === undefined ? me : changeValue.parse(JSON.parse(entry.value)).previous;
    return previous === me ? undefined : previous;
  }

  /** Best effort: what fails is not told. */
  async opened(): Promise<void> {
    const entry = this.#entry;
    this.#entry = undefined;
    if (entry === undefined) return;
    const { etcd, keys } = this.#options;
    const told = { ...entry, openedAfterMs: this.#passedMs() };
    this.#leaderlessSinceMs = undefined;
    await etcd.put(keys.change(entry.epoch), JSON.stringify(told)).catch(() => undefined);
  }

  /** Best effort, before the lead is given up. */
  async ended(reign: string, why: string): Promise<void> {
    const { etcd, keys } = this.#options;
    await etcd.put(keys.ended, JSON.stringify({ reign, why })).catch(() => undefined);
  }

  /**
   * Keeps what this host has written and the primary lacks (nobody has acknowledged it, or its loss was accepted), before a start as a standby rolls it back, or a copy of the
   * primary's data replaces it.
   */
  async save(): Promise<void> {
    const { etcd, keys, me, server, log } = this.#options;
    const { entries } = await etcd.get(keys.changes, keptChanges + 1);
    const changes = entries.map(({ value }) => changeValue.parse(JSON.parse(value)));
    const fall = changes.findLast(({ previous, primary }) => previous === me && primary !== me) ?? changes[0];
    const { epoch, position } = fall ?? { epoch: 0, position: 0 };
    const { gtids, folder } = await server.save(position, epoch);
    if (gtids.length === 0) return;
    const saved: Saved = { epoch, host: me, transactions: gtids.length, gtids: gtids.slice(0, mostGtids), folder };
    await etcd.put(keys.saved(epoch, me), JSON.stringify(saved));
    log.warn(
      `ha: ${gtids.length} transactions that the primary lacks are kept in ${folder}: ${saved.gtids.join(', ')}`,
    );
  }

  async #cause(reign: string, host: string): Promise<string> {
    if (reign === setUpReign) return 'it was set up';
    const { etcd, keys } = this.#options;
    const { entries } = await etcd.get(keys.ended);
    const [entry] = entries;
    const ended = entry === undefined ? undefined : endedValue.parse(JSON.parse(entry.value));
    return ended?.reign === reign ? ended.why : `${host} did not renew its lease`;
  }

  #passedMs(): number {
    return this.#leaderlessSinceMs === undefined ? 0 : Math.round(monotonicMs() - this.#leaderlessSinceMs);
  }
}
