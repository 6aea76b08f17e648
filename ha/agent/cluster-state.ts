// State that the hosts share through etcd: the leader, the hosts with every acknowledged write, administrators' wishes, and each agent's report on
// its server.

import { type EtcdClient, EtcdError } from '../etcd.ts';
import { monotonicMs } from './clock.ts';
import { Clocks } from './clocks.ts';
import { KeyFingerprints, type KeyPlaces } from './key-fingerprints.ts';
import {
  awayValue,
  clockValue,
  type HaKeys,
  isPaused,
  leaderValue,
  lossyValue,
  membersValue,
  reportValue,
  switchoverValue,
  syncValue,
  tagsValue,
} from './keys.ts';
import type { Delays } from './state/delays.ts';
import type { HostTags } from './tags.ts';
import type { ApiState, HostReport, ServerView, View } from './view.ts';

interface ClusterStateOptions {
  readonly etcd: EtcdClient;
  readonly keys: HaKeys;
  readonly me: string;
  readonly hosts: readonly string[];
  /** Key folders of the API on this host. */
  readonly keyPlaces: KeyPlaces;
  /** Whether this host's Redis answers. Undefined if there is none. */
  readonly redisAnswers: () => boolean | undefined;
  /** Whether `tidegate serve` of this host answers. */
  readonly apiState: () => ApiState;
  readonly certificatesEndAt: (() => string) | undefined;
  readonly delays: Delays;
}

type Shared = NonNullable<View['shared']>;
interface Told {
  /** Reason why this host is not promoted. */
  readonly unfit: string | undefined;
  /** The lead for which it would connect at once with an admission account. */
  readonly asks: string | undefined;
  readonly leaderless: HostReport['leaderless'];
  readonly drainsInMs: number;
  /** Whether the host waits for an admission, which follows as soon as it has received enough. */
  readonly isAwaited: boolean;
}
const mostKeys = 100;
const reportEveryMs = 500;
/** The report interval of a host that waits for its admission. */
const reportSoonMs = 100;
const mostWhyCharacters = 500;
const notAway = { said: '', atMs: Number.NEGATIVE_INFINITY };

export class ClusterState {
  readonly #options: ClusterStateOptions;
  readonly #heard = new Map<string, { said: string; atMs: number; received: number; advancedAtMs: number }>();
  readonly #clocks = new Clocks();
  readonly fingerprints: KeyFingerprints;
  /** The last word of each host that is not a copy, and when it came. */
  readonly #heardAway = new Map<string, { readonly said: string; readonly atMs: number }>();
  #reported = { text: '', atMs: 0 };
  #isReporting = false;
  /** Undefined while it is unknown whether a reason was published. */
  #away: { readonly why: string | undefined; readonly isBack: boolean; readonly atMs: number } | undefined;
  #isTellingAway = false;

  constructor(options: ClusterStateOptions) {
    this.#options = options;
    this.fingerprints = new KeyFingerprints(options.keyPlaces);
  }

  /** `leaderRevision`: revision of the lead, which changes of `sync` must compare. Undefined if etcd does not answer. */
  async read(): Promise<
    | {
        readonly shared: Shared;
        readonly leaderRevision: number;
        readonly isToRejoin: boolean;
        /** Revision of the wish to replace this host's data. 0 if there is none. */
        readonly reinitRevision: number;
      }
    | undefined
  > {
    const { etcd, keys, me, hosts, delays } = this.#options;
    try {
      const { entries } = await delays.timed('etcd', etcd.get(keys.prefix, mostKeys));
      const find = (name: string) => entries.find(({ key }) => key === name);
      const [leader, sync, switchover] = [find(keys.leader), find(keys.sync), find(keys.switchover)];
      const lossy = find(keys.lossy);
      const reports = this.#reportsOf((host) => find(keys.report(host))?.value);
      const clocks = keys.clock('');
      for (const { key, value } of entries.filter((each) => each.key.startsWith(clocks))) {
        const { said, wallMs } = clockValue.parse(JSON.parse(value));
        this.#clocks.hear(key.slice(clocks.length), said, wallMs);
      }
      const shared = {
        leader: leader && leaderValue.parse(JSON.parse(leader.value)),
        sync: sync && { ...syncValue.parse(JSON.parse(sync.value)), revision: sync.revision },
        reports,
        clocksAheadMs: this.#clocks.aheadMs(),
        left: leftIn(find(keys.members)?.value),
        backAtMs: this.#backAtMs((host) => find(keys.away(host))?.value),
        tags: this.#tagsOf((host) => find(keys.tags(host))?.value),
        wishes: {
          reinit: hosts.filter((host) => find(keys.reinit(host)) !== undefined),
          paused: isPaused(find(keys.paused)?.value),
          switchoverTo: switchover && switchoverValue.parse(JSON.parse(switchover.value)).to,
          lossy: lossy && lossyValue.parse(JSON.parse(lossy.value)),
        },
      };
      const isToRejoin = find(keys.rejoin(me)) !== undefined;
      const reinitRevision = find(keys.reinit(me))?.revision ?? 0;
      return { shared, leaderRevision: leader?.revision ?? 0, isToRejoin, reinitRevision };
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      return undefined;
    }
  }

  /**
   * Changes that affect the decisions of other hosts are reported at once, other changes from time to time. Does not wait for the write.
   */
  report(server: ServerView, { unfit, asks, leaderless, drainsInMs, isAwaited }: Told): void {
    if (server.state !== 'up' || this.#isReporting) return;
    const { incarnation, received, position: applied, replica } = server;
    const receiving = replica?.connected === true && replica.failure === undefined;
    const { reign, admission } = replica ?? {};
    const { redisAnswers, apiState, delays } = this.#options;
    const served = { redis: redisAnswers(), api: apiState() };
    const report = { incarnation, reign, admission, asks, receiving, unfit, ...served };
    const text = JSON.stringify(report);
    const nowMs = monotonicMs();
    const everyMs = isAwaited ? reportSoonMs : reportEveryMs;
    if (text === this.#reported.text && nowMs - this.#reported.atMs < everyMs) return;
    this.#reported = { text, atMs: nowMs };
    this.#isReporting = true;
    const told = { leaderless, received, applied, drainsInMs, delays: delays.current };
    this.#put({ ...report, ...told, said: `${process.pid}-${nowMs}` })
      .catch(() => {
        this.#reported = { text: '', atMs: 0 };
      })
      .finally(() => {
        this.#isReporting = false;
      });
  }

  /**
   * Reports why this host is not a copy. Undefined if it is a copy or the primary. `isBack`: it was the primary, and would lead again at once.
   * Does not wait for the write.
   */
  tellAway(why: string | undefined, isBack: boolean): void {
    const nowMs = monotonicMs();
    const isSame = this.#away !== undefined && why === this.#away.why && isBack === this.#away.isBack;
    const isDue = why !== undefined && nowMs - (this.#away?.atMs ?? 0) >= reportEveryMs;
    if (this.#isTellingAway || (isSame && !isDue)) return;
    const { etcd, keys, me } = this.#options;
    this.#away = { why, isBack, atMs: nowMs };
    this.#isTellingAway = true;
    const value = {
      said: `${process.pid}-${nowMs}`,
      wallMs: Date.now(),
      why: why?.slice(0, mostWhyCharacters),
      isBack,
    };
    const key = keys.away(me);
    const change = why === undefined ? { delete: key } : { put: key, value: JSON.stringify(value) };
    etcd
      .transact([], [change])
      .catch(() => {
        this.#away = undefined;
      })
      .finally(() => {
        this.#isTellingAway = false;
      });
  }

  async #put(report: object): Promise<void> {
    const { etcd, keys, me, certificatesEndAt } = this.#options;
    const { files, sealing } = await this.fingerprints.read();
    const own = { keys: files, sealing, certificatesEndAt: certificatesEndAt?.(), wallMs: Date.now() };
    await etcd.put(keys.report(me), JSON.stringify({ ...report, ...own }));
  }

  #reportsOf(find: (host: string) => string | undefined): Record<string, HostReport> {
    const reports: Record<string, HostReport> = {};
    for (const host of this.#options.hosts) {
      const value = find(host);
      if (value === undefined || host === this.#options.me) continue;
      const told = reportValue.parse(JSON.parse(value));
      const { said, incarnation, reign, admission, asks, receiving, received, applied, sealing } = told;
      const { leaderless, api, drainsInMs, delays } = told;
      this.#clocks.hear(host, said, told.wallMs);
      const { atMs: heardAtMs, advancedAtMs } = this.#hear(host, said, received);
      reports[host] = {
        ...{ incarnation, reign, admission, asks, receiving, received, applied, sealing },
        ...{ leaderless, heardAtMs, advancedAtMs, api, drainsInMs, delays },
      };
    }
    return reports;
  }

  #tagsOf(find: (host: string) => string | undefined): Record<string, HostTags> {
    const told = this.#options.hosts.map((host) => [host, find(host)] as const);
    return Object.fromEntries(
      told.flatMap(([host, value]) => (value === undefined ? [] : [[host, tagsValue.parse(JSON.parse(value))]])),
    );
  }

  /** A word that was there before this agent read the keys counts as old. */
  #backAtMs(find: (host: string) => string | undefined): Record<string, number> {
    const back: Record<string, number> = {};
    for (const host of this.#options.hosts) {
      const value = find(host);
      const told = value === undefined ? undefined : awayValue.parse(JSON.parse(value));
      if (told === undefined) {
        this.#heardAway.set(host, notAway);
        continue;
      }
      const before = this.#heardAway.get(host);
      const isNew = before !== undefined && before.said !== told.said;
      const now = { said: told.said, atMs: isNew ? monotonicMs() : (before?.atMs ?? Number.NEGATIVE_INFINITY) };
      this.#heardAway.set(host, now);
      if (told.isBack === true) back[host] = now.atMs;
    }
    return back;
  }

  #hear(host: string, said: string, received: number) {
    const before = this.#heard.get(host);
    if (before?.said === said) return before;
    const atMs = monotonicMs();
    const advancedAtMs = before !== undefined && received <= before.received ? before.advancedAtMs : atMs;
    const now = { said, atMs, received, advancedAtMs };
    this.#heard.set(host, now);
    return now;
  }
}

function leftIn(members: string | undefined): readonly string[] {
  if (members === undefined) return [];
  const all = membersValue.parse(JSON.parse(members));
  return all.filter(({ left }) => left === true).map(({ name }) => name);
}
