// The status checker of a vantage point: the link delivers targets, the check engine checks them, and the reporter reports
// changes. It has no database and stores nothing on disk. Without a connection it continues to check.
import type { Registry } from 'prom-client';
import { CheckEngine } from '../../../../platform/checks/check-engine.ts';
import { type CheckMetrics, createCheckMetrics } from '../../../../platform/checks/check-metrics.ts';
import type { CheckObservation, CheckTenant } from '../../../../platform/checks/check-tenant.ts';
import { MemoryLeaseTable } from '../../../../platform/checks/memory-leases.ts';
import { SelfCheck } from '../../../../platform/checks/self-check.ts';
import { StarvationGuard } from '../../../../platform/checks/starvation-guard.ts';
import { LinkClient } from '../../../../platform/link/link-client.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { dial } from '../../../../platform/net/dial.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import type { ResolveName } from '../../../../platform/net/resolve-name.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { JsonObject, JsonValue } from '../../../../platform/values/json.ts';
import type { Position } from '../../../../platform/values/positions.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import {
  batchKey,
  type CheckerFacts,
  type Grant,
  grantDocument,
  grantKey,
  stampChange,
  stampKey,
} from '../../wire/checker-wire.ts';
import { linkSilentMs } from '../../wire/link-silence.ts';
import { Beacons } from './beacons.ts';
import type { CheckPlugin, Measured } from './plugins/plugin.ts';
import { Reporter, type ReporterLoad } from './reporter.ts';
import { TargetBook } from './target-book.ts';
import { targetProbe } from './target-probe.ts';
import { OpenStack } from './tools/openstack.ts';
import { Pinger } from './tools/pinger.ts';
import { Programs } from './tools/programs.ts';
import { TargetNames } from './tools/target-names.ts';
import { VantagePolicy } from './vantage-policy.ts';

export interface CheckerOptions {
  /** Name of the vantage point. */
  readonly vantagePoint: string;
  readonly version: string;
  /** wss://HOST:PORT/link of the conductor. */
  readonly urls: readonly string[];
  readonly tls: MutualTls;
  readonly log: Logger;
  readonly registry: Registry;
  /** Default: the metrics of the registry. */
  readonly metrics?: CheckMetrics;
  readonly egress: EgressPolicy;
  readonly plugins: readonly CheckPlugin[];
  /** The deployer's custom plugins. */
  readonly own?: readonly CheckPlugin[];
  readonly resolve: ResolveName;
  /** The program. */
  readonly fping: string;
  /** Absolute paths by name. */
  readonly programs: ReadonlyMap<string, string>;
}

const selfCheckMs = 500;
const beaconMs = 1_000;
const lookMs = 1_000;
/** A starved process abstains for this long afterwards. */
const recoverMs = 1_000;
/** After this long without an acknowledgement of a batch, another connection is tried. */
const unacknowledgedMs = 15_000;

export class Checker {
  readonly #options: CheckerOptions;
  readonly #policy: VantagePolicy;
  readonly #reporter = new Reporter();
  readonly #book: TargetBook;
  readonly #beacons: Beacons;
  readonly #pinger: Pinger;
  readonly #programs: Programs;
  readonly #openStack = new OpenStack();
  readonly #guard: StarvationGuard;
  readonly #self = new SelfCheck({ timeoutMs: selfCheckMs });
  readonly #engine: CheckEngine<Measured>;
  readonly #link: LinkClient;
  readonly #look: Loop;
  #timer: NodeJS.Timeout | undefined;
  #sentAtMs: number | undefined;
  #stopped = false;

  constructor(options: CheckerOptions) {
    this.#options = options;
    const { log, plugins, egress, tls, urls, registry } = options;
    this.#policy = new VantagePolicy(egress);
    this.#beacons = new Beacons({ egress: this.#policy.beyondBlocks, timeoutMs: beaconMs });
    this.#pinger = new Pinger({ fping: options.fping, log });
    this.#programs = new Programs(options.programs);
    this.#book = new TargetBook({
      log,
      plugins: new Set(plugins.map(({ name }) => name)),
      gone: (target) => this.#reporter.forget(target),
    });
    const metrics = options.metrics ?? createCheckMetrics(registry);
    this.#guard = new StarvationGuard({ now: () => performance.now(), onLag: (lagMs) => metrics.lag(lagMs) });
    const owner = newUuid();
    this.#engine = new CheckEngine({
      tenant: this.#tenant(),
      leases: new MemoryLeaseTable().of(owner),
      ...{ owner, log, metrics, egress, guard: this.#guard },
      selfCheck: { passes: () => this.#maySay() },
    });
    this.#link = new LinkClient({
      ...{ urls, tls, log, role: 'gslb', silentMs: linkSilentMs },
      documents: {
        held: () => this.#book.held(),
        put: async (key, position, document) => this.#put(key, position, document),
        change: async (key, change) => this.#change(key, change),
        remove: async (key) => this.#book.remove(key),
      },
      whole: () => this.#book.whole(),
      facts: () => this.#connecting(),
      stored: (key) => {
        if (key !== batchKey) return;
        this.#sentAtMs = undefined;
        this.#reporter.acknowledged(performance.now());
        this.#say();
      },
    });
    this.#look = new Loop({
      name: 'beacons',
      log,
      pauseMs: () => lookMs,
      run: async () => {
        await this.#beacons.look();
        if (this.#sentAtMs !== undefined && performance.now() - this.#sentAtMs > unacknowledgedMs) {
          this.#sentAtMs = undefined;
          log.warn({}, 'the conductor acknowledges nothing: the checker reconnects');
          this.#link.reconnect();
        }
        this.#say();
        return false;
      },
    });
  }

  get connected(): boolean {
    return this.#link.connected;
  }

  get targetCount(): number {
    return this.#book.size;
  }

  /** Number of past changes that were dropped for lack of space. */
  get dropped(): number {
    return this.#reporter.dropped;
  }

  /** Null if it votes. */
  get abstains(): string | null {
    if (!this.#beacons.reached) return 'it does not reach its beacons';
    return this.#guard.starvedSince(performance.now() - recoverMs) ? 'its process was starved' : null;
  }

  async start(): Promise<void> {
    await this.#self.start();
    this.#guard.start();
    this.#engine.start();
    this.#look.start();
    this.#link.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#link.stop();
    await this.#look.stop();
    await this.#engine.stop();
    this.#guard.stop();
    this.#programs.stop();
    await this.#openStack.close();
    await this.#pinger.stop();
    await this.#self.stop();
  }

  #tenant(): CheckTenant<Measured> {
    const { plugins, resolve } = this.#options;
    const names = new TargetNames({ resolve, now: () => performance.now() });
    const tools = { dial, pinger: this.#pinger, programs: this.#programs, openStack: this.#openStack };
    return {
      name: 'gslb',
      probes: plugins.map((plugin) => targetProbe({ plugin, names, tools })),
      // One process has all of them.
      shardCount: 1,
      egress: this.#policy,
      listTargets: () => this.#book.listTargets(),
      changesAfter: (cursor) => this.#book.changesAfter(cursor),
      onChange: (listener) => this.#book.onChange(listener),
      record: async (batch) => {
        const now = performance.now();
        for (const observation of batch) this.#note(observation, now);
        this.#say();
      },
    };
  }

  #note({ targetId, status, outcome, latencyMs, message, detail }: CheckObservation<Measured>, now: number): void {
    if (status === 'UNKNOWN') return;
    const isUp = status === 'UP';
    this.#reporter.note({
      ...{ target: targetId, verdict: status },
      // The verdict counts from its recording, because the checker's own clock may jump.
      sinceMs: now,
      latencyMs: isUp && outcome === 'UP' ? (detail?.latencyMs ?? latencyMs) : null,
      message: isUp ? null : (message ?? 'it is down'),
    });
  }

  async #maySay(): Promise<boolean> {
    const [self, beacons] = await Promise.all([this.#self.passes(), this.#beacons.look()]);
    return self && beacons;
  }

  #connecting(): Readonly<Record<string, JsonValue>> {
    // A batch of an earlier connection is of an earlier incarnation.
    this.#link.withdraw(batchKey);
    this.#sentAtMs = undefined;
    this.#reporter.disconnected();
    this.#book.connected();
    const { vantagePoint, version, plugins, own = [] } = this.#options;
    return {
      ...{ vantagePoint, version, plugins: plugins.map(({ name }) => name) },
      own: own.map(({ name, needsPort, parameters }) => ({ name, needsPort, parameters: parameters as JsonObject })),
    } satisfies CheckerFacts;
  }

  #put(key: string, position: Position, document: JsonValue): void {
    if (key !== grantKey) {
      this.#book.put(key, position, document);
      return;
    }
    const grant: Grant = grantDocument.parse(document);
    this.#policy.use(grant);
    this.#beacons.use(grant.beacons);
    if (this.#reporter.grant(grant)) this.#say();
  }

  #change(key: string, change: Readonly<Record<string, JsonValue>>): boolean {
    if (key !== stampKey) return false;
    this.#reporter.stamp(stampChange.parse(change).stampMs);
    return true;
  }

  /** Sends pending reports, and schedules the next heartbeat. */
  #say(): void {
    clearTimeout(this.#timer);
    if (this.#stopped || !this.#link.connected) return;
    const now = performance.now();
    const batch = this.#reporter.next(now, this.#load());
    if (batch !== undefined) {
      this.#sentAtMs = now;
      this.#link.report(batchKey, batch as unknown as JsonValue);
    }
    const dueAtMs = this.#reporter.dueAtMs();
    if (dueAtMs !== undefined) this.#timer = setTimeout(() => this.#say(), Math.max(1, dueAtMs - now));
  }

  #load(): ReporterLoad {
    const { targets, upMs } = this.#engine.delays();
    return { targets, lateMs: Math.round(upMs), abstains: this.abstains };
  }
}
