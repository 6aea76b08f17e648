// What the hosts tell each other through etcd: who leads, who holds every acknowledged write, what people want, and what each agent
// says of its server.

import { type EtcdClient, EtcdError } from '../etcd.ts';
import { monotonicMs } from './clock.ts';
import { KeyFingerprints } from './key-fingerprints.ts';
import { type HaKeys, leaderValue, lossyValue, reportValue, switchoverValue, syncValue } from './keys.ts';
import type { Report, ServerView, View } from './view.ts';

export interface ClusterStateOptions {
  readonly etcd: EtcdClient;
  readonly keys: HaKeys;
  readonly me: string;
  readonly hosts: readonly string[];
  /** Of the API's key files on this host. */
  readonly keyFolder: string | undefined;
}

type Shared = NonNullable<View['shared']>;
const mostKeys = 100;
const reportEveryMs = 500;

export class ClusterState {
  readonly #options: ClusterStateOptions;
  readonly #heard = new Map<string, { said: string; atMs: number }>();
  readonly #fingerprints: KeyFingerprints;
  #reported = { text: '', atMs: 0 };
  #isReporting = false;

  constructor(options: ClusterStateOptions) {
    this.#options = options;
    this.#fingerprints = new KeyFingerprints(options.keyFolder);
  }

  /** `leaderRevision`: of the lead, to be compared by what changes `sync`. Undefined: etcd does not answer. */
  async read(): Promise<{ readonly shared: Shared; readonly leaderRevision: number } | undefined> {
    const { etcd, keys } = this.#options;
    try {
      const { entries } = await etcd.get(keys.prefix, mostKeys);
      const find = (name: string) => entries.find(({ key }) => key === name);
      const [leader, sync, switchover] = [find(keys.leader), find(keys.sync), find(keys.switchover)];
      const lossy = find(keys.lossy);
      const reports = this.#reportsOf((host) => find(keys.report(host))?.value);
      const shared = {
        leader: leader && leaderValue.parse(JSON.parse(leader.value)),
        sync: sync && { ...syncValue.parse(JSON.parse(sync.value)), revision: sync.revision },
        reports,
        wishes: {
          paused: find(keys.paused) !== undefined,
          switchoverTo: switchover && switchoverValue.parse(JSON.parse(switchover.value)).to,
          lossy: lossy && lossyValue.parse(JSON.parse(lossy.value)),
        },
      };
      return { shared, leaderRevision: leader?.revision ?? 0 };
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      return undefined;
    }
  }

  /** What others decide by is said at once when it has changed, the rest now and then. Not waited for. */
  report(server: ServerView): void {
    if (server.state !== 'up' || this.#isReporting) return;
    const { incarnation, received, replica } = server;
    const receiving = replica?.connected === true && replica.failure === undefined;
    const report = { incarnation, reign: replica?.reign, receiving };
    const text = JSON.stringify(report);
    const nowMs = monotonicMs();
    if (text === this.#reported.text && nowMs - this.#reported.atMs < reportEveryMs) return;
    this.#reported = { text, atMs: nowMs };
    this.#isReporting = true;
    this.#put({ ...report, received, said: `${process.pid}-${nowMs}` })
      .catch(() => {
        this.#reported = { text: '', atMs: 0 };
      })
      .finally(() => {
        this.#isReporting = false;
      });
  }

  async #put(report: object): Promise<void> {
    const { etcd, keys, me } = this.#options;
    const fingerprints = await this.#fingerprints.read();
    await etcd.put(keys.report(me), JSON.stringify({ ...report, keys: fingerprints, wallMs: Date.now() }));
  }

  #reportsOf(find: (host: string) => string | undefined): Record<string, Report> {
    const reports: Record<string, Report> = {};
    for (const host of this.#options.hosts) {
      const value = find(host);
      if (value === undefined || host === this.#options.me) continue;
      const { said, incarnation, reign, receiving, received } = reportValue.parse(JSON.parse(value));
      if (this.#heard.get(host)?.said !== said) this.#heard.set(host, { said, atMs: monotonicMs() });
      reports[host] = { incarnation, reign, receiving, received, heardAtMs: this.#heard.get(host)?.atMs ?? 0 };
    }
    return reports;
  }
}
