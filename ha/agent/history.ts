// The record of each change of the primary: its cause, its times, and writes that no other host had acknowledged. Stored in etcd,
// by epoch.

import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
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
import { type Delays, delaysText } from './state/delays.ts';
import type { HostReport, View } from './view.ts';
import { readWishes, ungrantedOf } from './wishes.ts';

interface HistoryOptions {
  readonly etcd: EtcdClient;
  readonly keys: HaKeys;
  readonly log: SetupLog;
  readonly me: string;
  readonly hosts: Readonly<Record<string, unknown>>;
  readonly server: HaServer;
  readonly delays: Pick<Delays, 'current'>;
}

type Ended = z.output<typeof endedValue>;
const mostGtids = 20;
/** A lead that ended because its host was slow makes the next ones longer for this long. */
const lateForMs = 600_000;

export class HaHistory {
  readonly #options: HistoryOptions;
  #leaderlessSinceMs: number | undefined;
  #entry: Entry | undefined;
  /** Writes were opened, but the record is missing. */
  #unwritten: Entry | undefined;
  #isWriting = false;
  /** When leads ended because their hosts were slow, as this host's clock or another one's has it. */
  #lateAt: readonly number[] = [];
  /** The end of the lead before this host's. Undefined once this host has become the primary. */
  #before: Pick<Ended, 'reign' | 'why'> | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  /** A promotion counts from the moment when a data host first saw that nobody leads. That host may be another one. */
  saw(leader: string | undefined): void {
    if (leader === undefined) this.#leaderlessSinceMs ??= monotonicMs();
    else if (leader !== this.#options.me) this.#leaderlessSinceMs = undefined;
    else void this.#writeOpened();
  }

  /** This is part of the transaction that makes this host the primary. */
  async change({ me, shared, server }: View, epoch: number, isLossy: boolean): Promise<readonly Change[]> {
    const { etcd, keys, hosts } = this.#options;
    const previous = shared?.sync;
    if (previous === undefined || server.state !== 'up') return [];
    // An old report counts too, because it concerns the lead that ends here.
    for (const { leaderless, heardAtMs } of Object.values(shared?.reports ?? {}))
      if (leaderless?.reign === previous.reign)
        this.#leaderlessSinceMs = Math.min(this.#leaderlessSinceMs ?? monotonicMs(), heardAtMs - leaderless.ms);
    // Nobody can request a move between the lead and this transaction.
    const [wishes, cause] = await Promise.all([
      readWishes(etcd, keys),
      isLossy ? undefined : this.#cause(previous.reign, previous.primary, shared?.reports[previous.primary]),
    ]);
    const own = wishes.filter(({ to }) => to === me);
    const granted = own.find(({ acceptedLoss }) => (acceptedLoss !== undefined) === isLossy) ?? own[0];
    this.#before = undefined;
    this.#entry = {
      ...{ id: granted?.id ?? randomUUID(), ...(granted !== undefined && { askedAt: granted.askedAt }) },
      ...{ epoch, primary: me, previous: previous.primary, position: server.position },
      cause: cause ?? `a person accepted the loss of ${shared?.wishes.lossy?.acceptedLoss ?? 0} transactions`,
      ...(isLossy && { acceptedLoss: shared?.wishes.lossy?.acceptedLoss ?? 0 }),
      takenAt: new Date().toISOString(),
      takenAfterMs: this.#passedMs(),
    };
    const old = epoch - keptChanges;
    return [
      { put: keys.change(epoch), value: JSON.stringify(this.#entry) },
      { delete: keys.change(old) },
      ...(await ungrantedOf(
        { etcd, keys },
        wishes.filter((each) => each !== granted),
        `${me} has become the primary`,
      )),
      ...Object.keys(hosts).map((host) => ({ delete: keys.saved(old, host) })),
    ];
  }

  /** The host whose reign ended with this epoch, if it is another one. */
  async fencedBy(epoch: number): Promise<string | undefined> {
    const { etcd, keys, me } = this.#options;
    const { entries } = await etcd.get(keys.change(epoch));
    const [entry] = entries;
    const previous = entry === undefined ? me : changeValue.parse(JSON.parse(entry.value)).previous;
    return previous === me ? undefined : previous;
  }

  /** A failed write is repeated while this host leads. */
  async opened(): Promise<void> {
    const entry = this.#entry;
    this.#entry = undefined;
    if (entry === undefined) return;
    this.#unwritten = { ...entry, openedAfterMs: this.#passedMs() };
    this.#leaderlessSinceMs = undefined;
    await this.#writeOpened();
  }

  async #writeOpened(): Promise<void> {
    const entry = this.#unwritten;
    if (entry === undefined || this.#isWriting) return;
    const { etcd, keys } = this.#options;
    this.#isWriting = true;
    try {
      await etcd.put(keys.change(entry.epoch), JSON.stringify(entry));
      this.#unwritten = undefined;
    } catch {
      // The next poll repeats it.
    } finally {
      this.#isWriting = false;
    }
  }

  /** Best effort, before the lead is given up. `isLate`: the host was too slow to keep it. */
  async ended(reign: string, why: string, isLate = false): Promise<void> {
    const { etcd, keys, delays } = this.#options;
    const text = isLate ? delaysText(delays.current) : undefined;
    const lateAt = [...this.#lateAt, ...(isLate ? [Date.now()] : [])];
    // A host that gives up its lead before it is the primary is not the cause of the next move.
    const last = this.#before ?? { reign, why: text === undefined ? why : `${why}: ${text}` };
    const value: Ended = { ...last, lateAt };
    await etcd.put(keys.ended, JSON.stringify(value)).catch(() => undefined);
  }

  /** For a new lead: how many ended in the last minutes because their hosts were slow. Throws EtcdError. */
  async lateLeads(): Promise<number> {
    const { etcd, keys } = this.#options;
    const [entry] = (await etcd.get(keys.ended)).entries;
    const before = entry === undefined ? undefined : endedValue.parse(JSON.parse(entry.value));
    const { lateAt = [] } = before ?? {};
    this.#before = before && { reign: before.reign, why: before.why };
    this.#lateAt = lateAt.filter((each) => Math.abs(Date.now() - each) < lateForMs);
    return this.#lateAt.length;
  }

  /**
   * Keeps writes of this host that the primary lacks: unacknowledged writes, or writes whose loss was accepted. This happens before a start
   * as a standby rolls them back, or a copy of the primary's data replaces them.
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

  async #cause(reign: string, host: string, report: HostReport | undefined): Promise<string> {
    if (reign === setUpReign) return 'it was set up';
    const { etcd, keys } = this.#options;
    const { entries } = await etcd.get(keys.ended);
    const [entry] = entries;
    const ended = entry === undefined ? undefined : endedValue.parse(JSON.parse(entry.value));
    if (ended?.reign === reign) return ended.why;
    const text = report?.delays === undefined ? undefined : delaysText(report.delays);
    return `${host} did not renew its lease${text === undefined ? '' : `; its last report: ${text}`}`;
  }

  #passedMs(): number {
    return this.#leaderlessSinceMs === undefined ? 0 : Math.round(monotonicMs() - this.#leaderlessSinceMs);
  }
}
