// An administrator's view of a cluster, and its control, through etcd: its state, and wishes that its agents carry out.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Asker, newAct, recordOf } from './acts.ts';
import { fingerprint } from './agent/key-fingerprints.ts';
import {
  type Act,
  type AuditHead,
  actValue,
  auditHeadValue,
  awayValue,
  type Change,
  changeValue,
  clockValue,
  type HaKeys,
  haKeys,
  isPaused,
  keptActs,
  keptChanges,
  leaderValue,
  pausedValue,
  reportValue,
  type Saved,
  type Scheduled,
  savedValue,
  scheduledValue,
  switchoverValue,
  syncValue,
  tagsValue,
  type UngrantedWish,
  type Wish,
} from './agent/keys.ts';
import type { HostTags } from './agent/tags.ts';
import { type PendingWish, readUngranted, readWishes, ungrantedOf } from './agent/wishes.ts';
import { type ClusterHost, type ClusterStatus, type HostReportValue, statusOf } from './cluster-status.ts';
import { type Change as EtcdChange, type EtcdClient, EtcdError, type EtcdSnapshot } from './etcd.ts';
import { isPresent, type Member } from './host/host-file.ts';
import { listIn, moveVotes, withOneMoreVote } from './host/votes.ts';

/** A key that every data host must have before it is used. */
interface SpreadKey {
  /** The file with the key, and its content. */
  readonly file: string;
  readonly text: string;
  /** The key itself, if it is a sealing key. */
  readonly sealing?: string | undefined;
}

export class ClusterRefusal extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'ClusterRefusal';
    this.code = code;
  }
}

const mostKeys = 100;
const mostAuditHeads = 100;
/** Agents report at least twice a second. */
const reportWaitMs = 3_000;
const lookEveryMs = 200;
const detachMs = 15_000;
/** Time for another host to start its member of etcd and catch up. */
const votesMs = 60_000;
const mostScheduledDays = 31;

interface SwitchoverOptions {
  /** The host may be tagged noFailover. */
  readonly acceptNoFailover?: boolean;
  /** It grants the scheduled switchover with this id, and is taken back at `endsAt` if it has not begun. */
  readonly scheduled?: { readonly id: string; readonly endsAt: string };
}

export class Cluster {
  readonly #etcd: EtcdClient;
  readonly #keys: HaKeys;
  readonly #hosts: readonly ClusterHost[];

  constructor(etcd: EtcdClient, name: string, hosts: readonly ClusterHost[]) {
    this.#etcd = etcd;
    this.#keys = haKeys(name);
    this.#hosts = hosts;
  }

  /** It takes up to 3 s, because only the next report of an agent shows that it still reports. */
  async status(): Promise<ClusterStatus> {
    const { last, ...heard } = await this.#listen();
    return statusOf(this.#hosts, { ...last, ...heard, members: await this.#etcd.status() });
  }

  /** The hosts whose agents do not report, and how far the clocks of the others are ahead. */
  async #listen() {
    const first = await this.#read();
    const telling = this.#hosts.filter(({ kind, name }) => kind === 'data' || first.said(name) !== undefined);
    const silent = new Set(telling.map(({ name }) => name));
    const aheadMs = new Map<string, number>();
    let last = first;
    for (const endsAtMs = performance.now() + reportWaitMs; silent.size > 0 && performance.now() < endsAtMs; ) {
      await sleep(lookEveryMs);
      last = await this.#read();
      for (const name of silent) {
        const [said, before] = [last.said(name), first.said(name)];
        if (said === undefined || said.said === before?.said) continue;
        silent.delete(name);
        // It reported between the last poll and now.
        if (said.wallMs !== undefined) aheadMs.set(name, said.wallMs - Date.now() + lookEveryMs / 2);
      }
    }
    return { last, silent, aheadMs };
  }

  /** Default: the host that is in sync. Resolves with the move, the previous epoch and the new primary when the request is stored. */
  async switchover(
    to?: string,
    asker?: Asker,
    { scheduled, acceptNoFailover = false }: SwitchoverOptions = {},
  ): Promise<{ readonly id: string; readonly epoch: number; readonly to: string }> {
    const { leader, sync, paused, switchoverTo, leaderRevision, reports, ...seen } = await this.#read();
    if (to !== undefined) this.#refuseUnknown(to);
    if (switchoverTo !== null) throw new ClusterRefusal('IN_PROGRESS', `a switchover to ${switchoverTo} is under way`);
    if (paused) throw new ClusterRefusal('PAUSED', 'promotion is paused: "tidegate ha resume" ends that');
    if (leader === undefined || leader.reign !== sync.reign)
      throw new ClusterRefusal('NO_PRIMARY', 'no host takes writes now: see "tidegate ha status"');
    if (to === sync.primary) throw new ClusterRefusal('ALREADY', `${to} is the primary`);
    const [member] = sync.members;
    // A spare becomes the member first, if there is a member now that acknowledges.
    const isSpare = to !== undefined && member !== undefined && this.#canBeMember(to, reports, sync.reign);
    if (member === undefined || (to !== undefined && member.host !== to && !isSpare))
      throw new ClusterRefusal(
        'NOT_IN_SYNC',
        this.#isAsynchronous(to)
          ? `${to} is asynchronous, and lacks writes: a switchover would lose them`
          : `${to ?? 'no other host'} is ${to === undefined ? '' : 'not '}in sync: a switchover would lose writes`,
      );
    const chosen = to ?? member.host;
    this.#refuseNoFailover(chosen, seen.tags(chosen), acceptNoFailover);
    const unfit = reports[chosen]?.unfit;
    if (unfit !== undefined) throw new ClusterRefusal('UNFIT', `${chosen} is not promoted: ${unfit}`);
    if (reports[chosen]?.api === 'SILENT')
      throw new ClusterRefusal('NO_API', `no client would be served: "tidegate serve" on ${chosen} does not answer`);
    const isScheduled = scheduled !== undefined && seen.scheduled?.id === scheduled.id;
    const wish = { ...newWish(chosen, sync.primary), ...(isScheduled && scheduled) };
    const { done } = await this.#etcd.transact(
      [
        { key: this.#keys.switchover, revision: 0 },
        { key: this.#keys.leader, revision: leaderRevision },
        { key: this.#keys.sync, revision: sync.revision },
        ...(isScheduled ? [{ key: this.#keys.scheduled, revision: seen.scheduledRevision }] : []),
      ],
      [
        { put: this.#keys.switchover, value: JSON.stringify(wish) },
        ...(isScheduled ? [{ delete: this.#keys.scheduled }] : []),
        ...(await this.#record(asker, 'haSwitchover', { to: chosen, moveId: wish.id })),
      ],
    );
    if (!done)
      throw new ClusterRefusal(
        'CONFLICT',
        'the hosts have changed in the meantime: check "tidegate ha status" and try again',
      );
    return { id: wish.id, epoch: sync.epoch, to: chosen };
  }

  /** Requests a switchover at a later time. The primary's agent checks then whether the hosts are fit for it. */
  async schedule(to: string | undefined, at: Date, asker: Asker, acceptNoFailover = false): Promise<Scheduled> {
    const { leader, sync, scheduled, tags } = await this.#read();
    if (to !== undefined) this.#refuseUnknown(to);
    refuseBadTime(at);
    if (scheduled !== null)
      throw new ClusterRefusal(
        'IN_PROGRESS',
        `a switchover to ${scheduled.to} at ${scheduled.at} is scheduled: "tidegate ha switchover --cancel" cancels it`,
      );
    const chosen = to ?? sync.members[0]?.host;
    if (leader === undefined || chosen === undefined)
      throw new ClusterRefusal('NOT_IN_SYNC', 'no other host is in sync: choose the host with --to');
    if (chosen === sync.primary) throw new ClusterRefusal('ALREADY', `${chosen} is the primary`);
    if (this.#isAsynchronous(chosen))
      throw new ClusterRefusal(
        'NOT_IN_SYNC',
        `${chosen} is asynchronous, and lacks writes: a switchover would lose them`,
      );
    this.#refuseNoFailover(chosen, tags(chosen), acceptNoFailover);
    const by = `${asker.user}@${asker.host}`;
    const wish: Scheduled = { ...newWish(chosen, sync.primary), at: at.toISOString(), by, acceptNoFailover };
    const act = { to: chosen, scheduledFor: wish.at, moveId: wish.id };
    const { done } = await this.#etcd.transact(
      [{ key: this.#keys.scheduled, revision: 0 }],
      [{ put: this.#keys.scheduled, value: JSON.stringify(wish) }, ...(await this.#record(asker, 'haSwitchover', act))],
    );
    if (!done)
      throw new ClusterRefusal(
        'CONFLICT',
        'another switchover was scheduled in the meantime: see "tidegate ha status"',
      );
    return wish;
  }

  /** Ends the scheduled switchover. `why`: for the history. Refuses if there is none. */
  async unschedule(why: string, asker?: Asker): Promise<Scheduled> {
    const { scheduled, scheduledRevision } = await this.#read();
    if (scheduled === null)
      throw new ClusterRefusal('NOT_FOUND', 'no switchover is scheduled: "tidegate ha status" would show it');
    const wish = { ...scheduled, key: this.#keys.scheduled, revision: scheduledRevision, acceptedLoss: undefined };
    const { done } = await this.#etcd.transact(
      [{ key: this.#keys.scheduled, revision: scheduledRevision }],
      [
        { delete: this.#keys.scheduled },
        ...(await ungrantedOf({ etcd: this.#etcd, keys: this.#keys }, [wish], why)),
        ...(await this.#record(asker, 'haSwitchoverCancel', { to: scheduled.to, moveId: scheduled.id })),
      ],
    );
    if (!done)
      throw new ClusterRefusal('CONFLICT', 'the switchover has begun in the meantime: see "tidegate ha status"');
    return scheduled;
  }

  #refuseNoFailover(name: string, { noFailover }: HostTags, isAccepted: boolean): void {
    if (noFailover && !isAccepted)
      throw new ClusterRefusal(
        'NO_FAILOVER',
        `${name} is tagged noFailover: choose another host, or add --accept-no-failover to "tidegate ha switchover"`,
      );
  }

  /** Throws unless it is a data host. */
  #refuseUnknown(name: string): void {
    if (!this.#hosts.some((each) => each.name === name && each.kind === 'data'))
      throw new ClusterRefusal('NOT_FOUND', `there is no data host ${name}`);
  }

  #isAsynchronous(name: string | undefined): boolean {
    return this.#hosts.some((each) => each.name === name && each.asynchronous === true);
  }

  /** Whether it follows this primary. The primary itself decides whether it is close enough. */
  #canBeMember(name: string, reports: Readonly<Record<string, HostReportValue>>, reign: string): boolean {
    const report = reports[name];
    return report?.receiving === true && report.reign === reign && !this.#isAsynchronous(name);
  }

  /** Withdraws the wish for this move, if it was not granted. `why`: recorded in the history of moves. */
  async withdraw(why: string, id: string): Promise<void> {
    const wishes = (await readWishes(this.#etcd, this.#keys)).filter((each) => each.id === id);
    if (wishes.length === 0) return;
    const store = { etcd: this.#etcd, keys: this.#keys };
    // Leaves a wish alone that was granted in the meantime.
    await this.#etcd.transact(
      wishes.map(({ key, revision }) => ({ key, revision })),
      [...wishes.map(({ key }) => ({ delete: key })), ...(await ungrantedOf(store, wishes, why))],
    );
  }

  /**
   * Promotes a host that lacks acknowledged writes after the permanent loss of the primary. `acceptedLoss`: the transactions that
   * it lacks, as far as the primary has reported them. Resolves with the move and the previous epoch when the request is stored.
   */
  async promoteLossy(
    to: string,
    acceptedLoss: number,
    asker?: Asker,
  ): Promise<{ readonly id: string; readonly epoch: number }> {
    const { hosts } = await this.status();
    const host = hosts.find(({ name, kind }) => name === to && kind === 'data');
    if (host === undefined) throw new ClusterRefusal('NOT_FOUND', `there is no data host ${to}`);
    const { leader, sync, reports } = await this.#read();
    if (leader !== undefined || to === sync.primary)
      throw new ClusterRefusal(
        'PRIMARY_LIVES',
        `${leader?.host ?? to} ${leader === undefined ? 'was the last primary: start it' : 'leads'}: nothing has to be lost`,
      );
    if (host.state === 'SILENT')
      throw new ClusterRefusal('SILENT', `the agent of ${to} does not report: it can't be promoted`);
    if (sync.members.some((each) => each.host === to && each.incarnation === reports[to]?.incarnation))
      throw new ClusterRefusal(
        'IN_SYNC',
        `${to} has every acknowledged write, and takes over by itself without a loss`,
      );
    if (host.unfit !== null) throw new ClusterRefusal('UNFIT', `${to} is not promoted: ${host.unfit}`);
    const loss = Math.max(0, (reports[sync.primary]?.received ?? 0) - (reports[to]?.received ?? 0));
    if (acceptedLoss !== loss)
      throw new ClusterRefusal(
        'WRONG_LOSS',
        `${to} lacks ${loss} transactions that ${sync.primary} reported, and its writes of the last half second: give --accept-loss ${loss}`,
      );
    const wish = { ...newWish(to, sync.primary), syncRevision: sync.revision, acceptedLoss };
    const { done } = await this.#etcd.transact(
      [
        { key: this.#keys.leader, revision: 0 },
        { key: this.#keys.sync, revision: sync.revision },
      ],
      [
        { put: this.#keys.lossy, value: JSON.stringify(wish) },
        ...(await this.#record(asker, 'haPromote', { to, acceptedLoss, moveId: wish.id })),
      ],
    );
    if (!done)
      throw new ClusterRefusal(
        'CONFLICT',
        'the hosts have changed in the meantime: check "tidegate ha status" and try again',
      );
    return { id: wish.id, epoch: sync.epoch };
  }

  /**
   * Removes a host. Another one may then join in its place, and another host gets its vote. Removing the last host ends the cluster. The
   * host's agent does the rest. `known`: all hosts of a host file, including those that have left, first host first.
   */
  async leave(name: string, known: readonly Member[], asker?: Asker): Promise<{ readonly endsCluster: boolean }> {
    const { hosts, primary } = await this.status();
    const { sync, switchoverTo, membersRevision, listed } = await this.#read();
    const members = listed ?? known;
    const host = members.find((each) => each.name === name && isPresent(each));
    const others = members.filter((each) => each !== host && isPresent(each));
    const isLast = others.length === 0;
    // A repeated request continues with the remaining steps.
    const hasLeft = host === undefined && members.some((each) => each.name === name);
    if (host === undefined && !hasLeft) throw new ClusterRefusal('NOT_FOUND', `there is no host ${name}`);
    if (host !== undefined) {
      if (host === members[0] && !isLast)
        throw new ClusterRefusal(
          'FIRST',
          `${name} admits the other hosts, so it leaves last: ${others.map((each) => each.name).join(', ')} have not left`,
        );
      const isPrimary = primary === name || sync.primary === name;
      if (!isLast && isPrimary)
        throw new ClusterRefusal('PRIMARY', `${name} is the primary: "tidegate ha switchover" first`);
      if (isLast && !isPrimary)
        throw new ClusterRefusal('PRIMARY', `${sync.primary} is the primary: "tidegate ha switchover" first`);
      if (switchoverTo !== null)
        throw new ClusterRefusal('IN_PROGRESS', `a switchover to ${switchoverTo} is under way`);
      const silent = hosts.find((each) => each.name !== name && (each.etcd === 'SILENT' || each.etcd === 'JOINS'));
      if (silent !== undefined && host.vote !== false)
        throw new ClusterRefusal(
          'SILENT',
          `without ${name} and ${silent.name}, whose etcd ${silent.etcd === 'JOINS' ? 'has no vote yet' : 'is silent'}, there is no majority`,
        );
      const without = members.map((each) => (each === host ? { ...each, left: true } : each));
      const lives = (other: string) => hosts.some((each) => each.name === other && each.state !== 'SILENT');
      const { done } = await this.#etcd.transact(
        [
          { key: this.#keys.members, revision: membersRevision },
          { key: this.#keys.switchover, revision: 0 },
          { key: this.#keys.sync, revision: sync.revision },
        ],
        [
          { put: this.#keys.members, value: JSON.stringify(withOneMoreVote(without, lives) ?? without) },
          ...(await this.#record(asker, 'haLeave', { host: name })),
        ],
      );
      if (!done)
        throw new ClusterRefusal(
          'CONFLICT',
          'the hosts have changed in the meantime: check "tidegate ha status" and try again',
        );
    }
    if (isLast) return { endsCluster: true };
    await this.#isDetached(name);
    await this.#votesMoved(name);
    await this.#etcd.transact(
      [],
      (['report', 'clock', 'away', 'tags', 'reinit', 'renew'] as const).map((each) => ({
        delete: this.#keys[each](name),
      })),
    );
    return { endsCluster: false };
  }

  /** Moves etcd's members to the wanted hosts. The primary's agent continues if this process ends. */
  async #votesMoved(name: string): Promise<void> {
    let still: string | undefined = 'etcd was not asked';
    for (const endsAtMs = performance.now() + votesMs; performance.now() < endsAtMs; await sleep(lookEveryMs)) {
      // Another process may do the same concurrently, or etcd may hold an election.
      still = await moveVotes(this.#etcd, this.#keys).catch((error: unknown) => {
        if (error instanceof EtcdError) return error.message;
        throw error;
      });
      if (still === undefined) return;
    }
    throw new ClusterRefusal(
      'LATE',
      `${name} has left, and etcd has not its new members yet: ${still}. The primary's agent continues; "tidegate ha status" shows it`,
    );
  }

  /** Resolves when commits no longer wait for the host. */
  async #isDetached(name: string): Promise<void> {
    for (const endsAtMs = performance.now() + detachMs; ; ) {
      const { sync } = await this.#read();
      // It may have been promoted before it was removed.
      if (sync.primary !== name && !sync.members.some(({ host }) => host === name)) return;
      if (performance.now() >= endsAtMs)
        throw new ClusterRefusal('LATE', `${sync.primary} still counts on ${name}: repeat it when a primary leads`);
      await sleep(lookEveryMs);
    }
  }

  /** Lets a host return that was lost as the primary and waits for this request. Ignores a host that returns by itself. */
  async rejoin(name: string, asker?: Asker): Promise<void> {
    const { hosts } = await this.status();
    const host = hosts.find((each) => each.name === name && each.kind === 'data');
    if (host === undefined) throw new ClusterRefusal('NOT_FOUND', `there is no data host ${name}`);
    if (host.state === 'PRIMARY') throw new ClusterRefusal('ALREADY', `${name} is the primary`);
    if (host.state === 'SILENT')
      throw new ClusterRefusal(
        'SILENT',
        `the agent of ${name} does not report: start "tidegate ha agent" there, then repeat this`,
      );
    if (host.state !== 'RETURNING') return;
    const record = await this.#record(asker, 'haHostJoin', { host: name });
    await this.#etcd.transact([], [{ put: this.#keys.rejoin(name), value: '{}' }, ...record]);
  }

  /**
   * Has a host's data replaced by a new copy of the primary's. `acceptOneCopy`: the host may be the only one that has every write besides the
   * primary.
   */
  async reinit(name: string, asker?: Asker, acceptOneCopy = false): Promise<void> {
    this.#refuseUnknown(name);
    const { hosts, primary, switchoverTo } = await this.status();
    const host = hosts.find((each) => each.name === name);
    if (primary === name)
      throw new ClusterRefusal(
        'PRIMARY',
        `${name} is the primary, whose data the others copy: "tidegate ha switchover" first`,
      );
    if (primary === null)
      throw new ClusterRefusal(
        'NO_PRIMARY',
        'no host takes writes now, so there is nothing to copy: see "tidegate ha status"',
      );
    if (host === undefined || host.state === 'SILENT')
      throw new ClusterRefusal('SILENT', `the agent of ${name} does not report, so it could not make a copy`);
    if (switchoverTo !== null) throw new ClusterRefusal('IN_PROGRESS', `a switchover to ${switchoverTo} is under way`);
    const hasSpare = hosts.some(({ state, asynchronous }) => state === 'FOLLOWS' && asynchronous !== true);
    if (host.state === 'IN_SYNC' && !hasSpare && !acceptOneCopy)
      throw new ClusterRefusal(
        'LAST_COPY',
        `only ${name} has every write besides ${primary}: until its new copy is made, there is one copy, and if ${primary} is lost, writes wait for it; give --accept-one-copy`,
      );
    await this.#etcd.transact(
      [],
      [
        { put: this.#keys.reinit(name), value: '{}' },
        // A host that waits for a person returns as well.
        ...(host.state === 'RETURNING' ? [{ put: this.#keys.rejoin(name), value: '{}' }] : []),
        ...(await this.#record(asker, 'haReinit', { host: name })),
      ],
    );
  }

  /** Has hosts renew their certificates. Default: all. Resolves with their names. A host that is away does it when it is back. */
  async renewCertificates(name: string | undefined, asker?: Asker): Promise<readonly string[]> {
    const names = this.#hosts.map((host) => host.name).filter((each) => name === undefined || each === name);
    if (names.length === 0) throw new ClusterRefusal('NOT_FOUND', `there is no host ${name}`);
    const record = await this.#record(asker, 'haRenewCertificates', { hosts: names.join(', ') });
    const wishes = names.map((each) => ({ put: this.#keys.renew(each), value: '{}' }));
    await this.#etcd.transact([], [...wishes, ...record]);
    return names;
  }

  /** The hosts that have not renewed their certificates since it was requested. */
  async renewing(): Promise<readonly string[]> {
    const { entries } = await this.#etcd.get(this.#keys.renew(''), mostKeys);
    return entries.map(({ key }) => key.slice(this.#keys.renew('').length));
  }

  /** Sets tags of a data host. Omitted ones keep their values. */
  async tag(name: string, tags: Partial<HostTags>, asker?: Asker): Promise<HostTags> {
    this.#refuseUnknown(name);
    const key = this.#keys.tags(name);
    const [found] = (await this.#etcd.get(key)).entries;
    const changed = { ...tagsValue.parse(JSON.parse(found?.value ?? '{}')), ...tags };
    const details = { host: name, noFailover: String(changed.noFailover), priority: changed.priority };
    const { done } = await this.#etcd.transact(
      [{ key, revision: found?.revision ?? 0 }],
      [{ put: key, value: JSON.stringify(changed) }, ...(await this.#record(asker, 'haTag', details))],
    );
    if (!done) throw new ClusterRefusal('CONFLICT', 'the tags were changed in the meantime: see "tidegate ha status"');
    return changed;
  }

  /** `until`: the pause ends by itself then. If omitted, it lasts until `resume`. */
  async pause(asker?: Asker, until?: Date): Promise<void> {
    const ends = until === undefined ? {} : { until: until.toISOString() };
    const record = await this.#record(asker, 'haPause', ends);
    await this.#etcd.transact([], [{ put: this.#keys.paused, value: JSON.stringify(ends) }, ...record]);
  }

  async resume(asker?: Asker): Promise<void> {
    const record = await this.#record(asker, 'haResume');
    await this.#etcd.transact([], [{ delete: this.#keys.paused }, ...record]);
  }

  /** Administrative requests made on the hosts, newest last. */
  async acts(): Promise<readonly Act[]> {
    const { entries } = await this.#etcd.get(this.#keys.acts, 2 * keptActs);
    return entries.map(({ value }) => actValue.parse(JSON.parse(value)));
  }

  /** Moves of the primary and wishes for one, the newest last. */
  async history(): Promise<{
    readonly changes: readonly Change[];
    readonly saved: readonly Saved[];
    readonly waiting: readonly PendingWish[];
    readonly ungranted: readonly UngrantedWish[];
  }> {
    // This is read first, because a wish that is granted in the meantime then appears as a move.
    const waiting = await readWishes(this.#etcd, this.#keys);
    const ungranted = await readUngranted({ etcd: this.#etcd, keys: this.#keys });
    const values = async (prefix: string, limit: number) =>
      (await this.#etcd.get(prefix, limit)).entries.map(({ value }): unknown => JSON.parse(value));
    const changes = await values(this.#keys.changes, keptChanges + 1);
    const saved = await values(this.#keys.saves, (keptChanges + 1) * this.#hosts.length);
    return {
      changes: changes.map((each) => changeValue.parse(each)),
      saved: saved.map((each) => savedValue.parse(each)),
      ...{ waiting, ungranted },
    };
  }

  /** The data hosts whose last report does not contain the key, including absent hosts that have not left. */
  async hostsLacking({ file, text, sealing }: SpreadKey): Promise<readonly string[]> {
    const { reports } = await this.#read();
    const lacks = ({ name }: ClusterHost): boolean => {
      const report = reports[name];
      if (sealing !== undefined) return report?.sealing?.known.includes(fingerprint(sealing)) !== true;
      return report?.keys?.[file] !== fingerprint(text);
    };
    return this.#hosts.filter((host) => host.kind === 'data' && lacks(host)).map(({ name }) => name);
  }

  async auditHeads(): Promise<readonly AuditHead[]> {
    const { entries } = await this.#etcd.get(this.#keys.auditHeads, mostAuditHeads);
    return entries.map(({ value }) => auditHeadValue.parse(JSON.parse(value)));
  }

  async keepAuditHead(head: AuditHead, replaced: readonly AuditHead[]): Promise<void> {
    const removed = replaced.slice(0, mostAuditHeads).map((each) => ({ delete: this.#keys.auditHead(each) }));
    await this.#etcd.transact([], [{ put: this.#keys.auditHead(head), value: JSON.stringify(head) }, ...removed]);
  }

  /** Part of the transaction of a wish. Calls through the graph do not name the requester, because the graph has its own audit record. */
  async #record(asker: Asker | undefined, action: string, details: Act['details'] = {}): Promise<EtcdChange[]> {
    return asker === undefined ? [] : recordOf(this.#etcd, this.#keys, newAct(asker, action, details));
  }

  async #read() {
    const snapshot = await this.#etcd.get(this.#keys.prefix, mostKeys);
    const sync = entryOf(snapshot, this.#keys.sync);
    if (sync === undefined)
      throw new ClusterRefusal(
        'NOT_SET_UP',
        'the cluster has no primary yet: "tidegate ha agent" must run on all its hosts',
      );
    const leader = entryOf(snapshot, this.#keys.leader);
    const switchover = entryOf(snapshot, this.#keys.switchover);
    const [paused, scheduled] = [this.#keys.paused, this.#keys.scheduled].map((key) => entryOf(snapshot, key));
    const reports = this.#hosts.flatMap(({ name }) => {
      const entry = entryOf(snapshot, this.#keys.report(name));
      return entry === undefined ? [] : [[name, reportValue.parse(JSON.parse(entry.value))] as const];
    });
    const away = (name: string) => {
      const entry = entryOf(snapshot, this.#keys.away(name));
      return entry === undefined ? undefined : awayValue.parse(JSON.parse(entry.value));
    };
    return {
      membersRevision: entryOf(snapshot, this.#keys.members)?.revision ?? 0,
      listed: listIn(snapshot, this.#keys)?.members,
      leader: leader === undefined ? undefined : leaderValue.parse(JSON.parse(leader.value)),
      leaderRevision: leader?.revision ?? 0,
      sync: { ...syncValue.parse(JSON.parse(sync.value)), revision: sync.revision },
      reports: Object.fromEntries(reports),
      said: (name: string): { readonly said: string; readonly wallMs?: number | undefined } | undefined => {
        const clock = entryOf(snapshot, this.#keys.clock(name));
        if (clock !== undefined) return clockValue.parse(JSON.parse(clock.value));
        const [report, told] = [Object.fromEntries(reports)[name], away(name)];
        if (told === undefined) return report;
        return { said: `${report?.said} ${told.said}`, wallMs: told.wallMs };
      },
      away,
      certificatesEndAt: (name: string) => {
        const clock = entryOf(snapshot, this.#keys.clock(name));
        const own = clock === undefined ? undefined : clockValue.parse(JSON.parse(clock.value));
        return own?.certificatesEndAt ?? Object.fromEntries(reports)[name]?.certificatesEndAt;
      },
      tags: (name: string) => tagsValue.parse(JSON.parse(entryOf(snapshot, this.#keys.tags(name))?.value ?? '{}')),
      isToReinit: (name: string) => entryOf(snapshot, this.#keys.reinit(name)) !== undefined,
      paused: isPaused(paused?.value),
      pausedUntil: paused !== undefined && isPaused(paused.value) ? untilOf(paused.value) : null,
      switchoverTo: switchover === undefined ? null : switchoverValue.parse(JSON.parse(switchover.value)).to,
      scheduled: scheduled === undefined ? null : scheduledValue.parse(JSON.parse(scheduled.value)),
      scheduledRevision: scheduled?.revision ?? 0,
    };
  }
}

function refuseBadTime(at: Date): void {
  const inMs = at.getTime() - Date.now();
  if (inMs <= 0)
    throw new ClusterRefusal(
      'BAD_TIME',
      `${at.toISOString()} has passed: give a time to come, in UTC, or leave out --at`,
    );
  if (inMs > mostScheduledDays * 86_400_000)
    throw new ClusterRefusal(
      'BAD_TIME',
      `${at.toISOString()} is more than ${mostScheduledDays} days away: give an earlier time`,
    );
}

function untilOf(paused: string): string | null {
  return pausedValue.parse(JSON.parse(paused)).until ?? null;
}

function newWish(to: string, from: string): Wish {
  return { id: randomUUID(), to, from, askedAt: new Date().toISOString() };
}

function entryOf({ entries }: EtcdSnapshot, wanted: string) {
  return entries.find(({ key }) => key === wanted);
}
