// `npm run trials -- lb-changes`: the trial of changes. Several lanes change one load balancer at the same time, as fast as the changes
// take effect, while clients send requests. Each round ends with a quiet period: everything must be in effect, the clients' logs are
// judged, and all nodes are inspected from outside.
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeId } from '../platform/values/ids.ts';
import { freePort } from '../tests/support/machine/free-port.ts';
import { TestServers } from '../tests/support/stores/servers.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import {
  createCertificate,
  idsOf,
  type MemberTls,
  makeMemberTls,
  makePairs,
  type Pairs,
} from './lb-changes/certificates.ts';
import { Changes, lateMs, mayServe, to } from './lb-changes/changes.ts';
import { certificateDrift, driftOf, healthyServers, lockedOut, lookAt, type Wanted } from './lb-changes/drift.ts';
import { Lane } from './lb-changes/lane.ts';
import {
  type ListenerState,
  MemberState,
  membership,
  namesOf,
  newExpected,
  type PoolState,
  Routes,
} from './lb-changes/model.ts';
import { type Operations, operate } from './lb-changes/operations.ts';
import { Place } from './lb-changes/place.ts';
import { type Flow, nowMs, serverNames } from './lb-changes/shared.ts';
import { Traffic } from './lb-changes/traffic.ts';
import { type Fault, faultOf, handshakeFaultOf } from './lb-changes/verdict.ts';
import { type Random, seededRandom } from './random.ts';

export interface LbChangesOptions extends Required<TrialRun> {
  readonly requests: number;
  readonly changes: number;
  readonly lanes: number;
  /** For testing the oracle: called at each quiet moment before the inspection. */
  readonly sabotage?: (trial: LbChanges, round: number) => Promise<void>;
  /** One in this many writes is sent twice. */
  readonly repeatEvery?: number;
  readonly lateMs?: number;
  readonly settleMs?: number;
  readonly changesPerRound?: number;
}

export const trialLbChanges = defineTrial({
  counts: {
    requests: { help: 'requests of clients', usual: 20_000, full: 1_000_000 },
    changes: { help: 'changes meanwhile', usual: 300, full: 10_000 },
    lanes: { help: 'concurrent clients that change the load balancer', usual: 4 },
  },
  async run(given) {
    await using cleanup = new AsyncDisposableStack();
    const servers = cleanup.adopt(await TestServers.start(), (each) => each.stop());
    servers.publish(undefined);
    return await LbChanges.run(given);
  },
  mustBeZero: ['failed', 'doubledWrites', 'misrouted', 'lockedOut', 'drift'],
});

interface LbChangesResult {
  readonly requests: number;
  readonly changes: number;
  readonly failed: number;
  readonly doubledWrites: number;
  readonly misrouted: number;
  readonly lockedOut: number;
  readonly drift: number;
  readonly restarts: number;
  readonly reloads: number;
  readonly kinds: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
}

const hosts = 3;
const serversPerLane = 6;
const defaultServers = 3;
const changesPerRound = 100;
const mostInFlight = 60;
const settleMs = 60_000;
const mostFindings = 40;
/** The maximum age of logged requests when they are judged. */
const keepMs = 60_000;

type AnyFault = Fault | { readonly figure: 'drift'; readonly what: string };

export class LbChanges {
  readonly place: Place;
  readonly changes: Changes;
  readonly traffic: Traffic;
  readonly lanes: Lane[] = [];
  readonly defaultPool: PoolState;
  readonly shared: ListenerState[] = [];
  readonly #options: LbChangesOptions;
  readonly #routes = new Routes();
  readonly #random: Random;
  readonly #figures = { failed: 0, misrouted: 0, drift: 0, requests: 0 };
  readonly #findings: string[] = [];
  readonly #operations: Operations;
  /** By the name of the node. */
  readonly #reloads = new Map<string, number>();
  #rootRoutes: readonly number[] = [];
  #flows: number[] = [];
  #ended = false;
  #watching: Promise<unknown> = Promise.resolve();

  private constructor(options: LbChangesOptions, place: Place, traffic: Traffic) {
    this.#options = options;
    this.place = place;
    this.traffic = traffic;
    this.#random = seededRandom(options.seed);
    this.changes = new Changes(place, options.lateMs ?? lateMs);
    this.#operations = { place, changes: this.changes, random: seededRandom(options.seed + 1), restarts: 0 };
    this.defaultPool = {
      ...{ id: '', protocol: 'HTTP', expected: newExpected('default', true), members: new Map() },
      monitorId: undefined,
    };
  }

  static async run(options: LbChangesOptions): Promise<LbChangesResult> {
    await using cleanup = new AsyncDisposableStack();
    const [pairs, memberTls] = [await makePairs(), await makeMemberTls()];
    const place = cleanup.adopt(await Place.open(hosts), (each) => each.close());
    await place.create();
    const addresses = (await place.addresses()) ?? [];
    const members = defaultServers + options.lanes * serversPerLane;
    const traffic = cleanup.adopt(
      await Traffic.start({
        ...{ seed: options.seed, requests: options.requests, members, addresses, certificate: memberTls.certificate },
        ...(options.repeatEvery === undefined ? {} : { repeatEvery: options.repeatEvery }),
      }),
      (each) => each.stop(),
    );
    const trial = new LbChanges(options, place, traffic);
    cleanup.defer(() => trial.#stopWatching());
    await trial.#start(pairs, memberTls);
    await trial.#rounds();
    return trial.#result();
  }

  async #start(pairs: Pairs, memberTls: MemberTls): Promise<void> {
    this.#watching = Promise.all([this.#watchChanges(), this.#watchMembers(), this.#watchNames()]);
    await this.#createShared(pairs);
    for (let index = 0; index < this.#options.lanes; index += 1) {
      const first = defaultServers + index * serversPerLane;
      const lane = new Lane({
        ...{ index, pairs, memberTls, place: this.place, changes: this.changes },
        ...{ routes: this.#routes, traffic: this.traffic },
        random: seededRandom(this.#options.seed + 100 + index),
        servers: Array.from({ length: serversPerLane }, (_, at) => first + at),
        protocol: (['HTTP', 'TERMINATED_HTTPS', 'TCP', 'HTTPS'] as const)[index % 4] ?? 'HTTP',
        shared: this.shared,
      });
      this.lanes.push(lane);
      await lane.start();
    }
    await this.#untilQuiet();
    // Includes first checks.
    await this.#agree();
    this.#openFlows();
    for (const lane of this.lanes) lane.openFlows();
  }

  /** A pool for all requests that no policy sends elsewhere, and the listeners on which all lanes have policies. */
  async #createShared(pairs: Pairs): Promise<void> {
    const { place, changes, defaultPool: pool } = this;
    const part = async (mutation: string, input: object, effects: Parameters<Changes['make']>[2] = []) => {
      const row = await changes.make(
        mutation,
        () => place.world.parts.change(place.world.context, mutation, input),
        effects,
      );
      if (row === undefined) throw new Error(`${mutation}: ${changes.findings.join('; ')}`);
      return row;
    };
    const common = { loadBalancerId: place.graphId };
    const persistence = { type: 'HTTP_COOKIE' };
    const { id } = await part('poolCreate', { ...common, name: 'default', memberProtocol: 'HTTP', persistence });
    Object.assign(pool, { id });
    const poolId = encodeId('Pool', pool.id);
    for (let server = 0; server < defaultServers; server += 1) {
      const member = new MemberState(server, 1);
      const input = { poolId, host: '127.0.0.1', port: this.traffic.memberPorts[server] };
      member.id = (
        await part('poolMemberCreate', input, [to(membership(pool, server), 'ALL'), member.becomesReady()])
      ).id;
      pool.members.set(server, member);
    }
    await part('poolHealthMonitorCreate', {
      poolId,
      monitorType: 'HTTP',
      intervalMs: 3_000,
      timeoutMs: 3_000,
      fall: 10,
    });
    for (const protocol of ['HTTP', 'TERMINATED_HTTPS'] as const) {
      const port = await freePort();
      const made = await Promise.all(
        (protocol === 'HTTP' ? [] : serverNames).map((name) => {
          const pair = this.#random.pick(pairs.get(name) ?? []);
          return createCertificate(place, changes, `${name}-shared`, name, pair);
        }),
      );
      const certificates = made.filter((each) => each !== undefined);
      const given = certificates.length === 0 ? {} : { certificateIds: idsOf(certificates) };
      const row = await part('listenerCreate', { ...common, protocol, port, defaultPoolId: poolId, ...given });
      this.shared.push({
        ...{ id: row.id, port, protocol, pool, enabled: true, allowsOutsiders: true, allowed: [], certificates },
        names: namesOf(certificates),
      });
    }
    this.#rootRoutes = this.shared.map(({ protocol }) => this.#routes.add(`${protocol} /`, { pool: pool.expected }));
  }

  #openFlows(): void {
    for (const [at, listener] of this.shared.entries()) {
      const paths = this.lanes.flatMap(({ slots }) =>
        slots.filter((slot) => slot.listener === listener).flatMap((slot) => slot.paths),
      );
      const routes = [
        ...paths.map(({ route, path }) => ({ id: route, path })),
        { id: this.#rootRoutes[at] ?? 0, path: '/' },
      ];
      const isTls = listener.protocol !== 'HTTP';
      const common = {
        ...{ port: listener.port, routes, isStream: false, localAddress: '127.0.0.1', pauseMs: 0, cookies: false },
        serverNames: isTls ? serverNames : [],
      };
      const flows: readonly Omit<Flow, 'id'>[] = [
        { ...common, kind: 'H1', width: isTls ? 3 : 5 },
        { ...common, kind: 'H1', width: isTls ? 3 : 5, cookies: true },
        { ...common, kind: 'H1', width: 3, pauseMs: 300 },
        { ...common, kind: 'FRESH', width: 1, pauseMs: 10 },
        ...(isTls ? [true, false].map((cookies) => ({ ...common, kind: 'H2' as const, width: 4, cookies })) : []),
      ];
      for (const flow of flows) this.#flows.push(this.traffic.open(flow));
    }
  }

  async #rounds(): Promise<void> {
    const options = this.#options;
    const { changes } = this;
    const before = changes.done;
    for (let round = 1; ; round += 1) {
      const [made, isOver] = [changes.done - before, () => options.timeIsUp() || options.signal.aborted];
      const until = before + Math.min(options.changes, made + (options.changesPerRound ?? changesPerRound));
      const goesOn = () => changes.done < until && !isOver();
      const allow = setInterval(() => this.#allow((changes.done - before) / options.changes), 20);
      await Promise.all([...this.lanes.map((lane) => this.#change(lane, goesOn)), this.#operate(goesOn)]);
      const isLast = changes.done - before >= options.changes || isOver();
      if (isLast && !isOver()) this.traffic.allow(options.requests);
      await this.#untilQuiet();
      await options.sabotage?.(this, round);
      while (isLast && this.traffic.sent < options.requests && !isOver()) await sleep(50);
      clearInterval(allow);
      if (isLast) await this.#closeFlows();
      await this.#look();
      const { failed, misrouted, drift, requests } = this.#figures;
      options.progress(
        `round ${round}: ${changes.done - before} changes, ${requests} requests, ${failed} failed, ${misrouted} misrouted, ${changes.lockedOut} locked out, ${drift} drift`,
      );
      if (isLast) return;
    }
  }

  #allow(share: number): void {
    this.traffic.allow(this.#options.requests * Math.min(1, share));
  }

  async #change(lane: Lane, goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      await lane.step();
      await sleep(this.#random.integer(0, 50));
      while (this.changes.inFlight > mostInFlight && goesOn()) await sleep(20);
    }
  }

  async #operate(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      await operate(this.#operations);
      await sleep(this.#random.integer(0, 2_000));
    }
  }

  async #watchChanges(): Promise<void> {
    while (!this.#ended) {
      // It is inspected again, because a node may be away or late.
      await this.changes.look().catch(() => undefined);
      await sleep(50);
    }
  }

  async #watchMembers(): Promise<void> {
    while (!this.#ended) {
      // As above.
      await this.#findHealthy().catch(() => undefined);
      await sleep(200);
    }
  }

  async #findHealthy(): Promise<void> {
    const awaited = this.#pools.flatMap((pool) =>
      [...pool.members.values()].map((member) => ({ pool, member, wish: member.awaited })),
    );
    if (awaited.every(({ wish }) => wish === undefined)) return;
    const nodes = (await this.place.nodes()).filter(mayServe);
    const healthy = await Promise.all(nodes.map((node) => healthyServers(this.place.folderOf(node))));
    if (nodes.length === 0) return;
    const at = nowMs();
    for (const { pool, member, wish } of awaited) {
      const isHealthy = healthy.every((servers) => servers.has(`p_${pool.id}/m_${member.id}`));
      if (wish === undefined || member.awaited !== wish || !isHealthy) continue;
      member.foundHealthy();
      membership(pool, member.server).change('SURE', at)(at);
    }
  }

  /** Like a resolver's cache: clients only use the last answer. */
  async #watchNames(): Promise<void> {
    while (!this.#ended) {
      const addresses = await this.place.addresses();
      if (addresses !== undefined) this.traffic.addresses(addresses);
      await sleep(200);
    }
  }

  async #stopWatching(): Promise<void> {
    this.#ended = true;
    await this.#watching;
  }

  async #untilQuiet(): Promise<void> {
    const untilMs = nowMs() + (this.#options.lateMs ?? lateMs);
    while (!(await this.changes.quiet().catch(() => false))) {
      if (nowMs() > untilMs) return this.changes.lockedOutNow();
      await sleep(50);
    }
  }

  async #closeFlows(): Promise<void> {
    await Promise.all([
      ...this.#flows.splice(0).map((flow) => this.traffic.close(flow)),
      ...this.lanes.map((lane) => lane.closeFlows()),
    ]);
    // The end of their log.
    await sleep(300);
  }

  async #look(): Promise<void> {
    for (const fault of await this.#agree()) this.#fault(fault);
    const { logged, handshakes } = this.traffic;
    [this.traffic.logged, this.traffic.handshakes] = [[], []];
    this.#figures.requests += logged.length;
    for (const each of logged) {
      const fault = faultOf(each, this.#routes.of(each.route));
      if (fault !== undefined) this.#fault(fault);
    }
    for (const each of handshakes) {
      const listener = [...this.shared, ...this.lanes.flatMap(({ own }) => own ?? [])].find(
        ({ port }) => port === each.port,
      );
      const fault = listener === undefined ? undefined : handshakeFaultOf(each, listener.names);
      if (fault !== undefined) this.#fault(fault);
    }
    const before = nowMs() - keepMs;
    for (const { outcome } of this.#routes.all) outcome.forget(before);
    for (const { expected } of this.#pools) for (const timeline of expected.members.values()) timeline.forget(before);
  }

  get #pools(): readonly PoolState[] {
    return [this.defaultPool, ...this.lanes.flatMap(({ pools }) => pools)];
  }

  /** Differences that remain after first checks, reloads and drains have had time to finish. */
  async #agree(): Promise<readonly AnyFault[]> {
    const untilMs = nowMs() + (this.#options.settleMs ?? settleMs);
    for (;;) {
      const faults = await this.#differences().catch((error: unknown) => [drift(String(error))]);
      if (faults.length === 0 || nowMs() > untilMs) return faults;
      await sleep(200);
    }
  }

  async #differences(): Promise<readonly AnyFault[]> {
    const all = [...this.shared, ...this.lanes.flatMap(({ own }) => own ?? [])];
    const listeners = all.filter(({ enabled }) => enabled);
    const wanted: Wanted = { pools: this.#pools, listeners, ports: this.traffic.memberPorts, nowMs: Date.now() };
    const faults: AnyFault[] = [];
    for (const node of (await this.place.nodes()).filter(({ state }) => state === 'SERVING')) {
      const seen = await lookAt(this.place.folderOf(node), listeners);
      this.#reloads.set(node.name, seen.reloads);
      const address = node.address ?? '';
      faults.push(...driftOf(wanted, seen).map((what) => drift(`${node.name}: ${what}`)));
      for (const listener of listeners) faults.push(...(await certificateDrift(address, listener)).map(drift));
      for (const listener of all)
        for (const what of await lockedOut(address, listener)) faults.push({ figure: 'lockedOut', what });
    }
    return faults;
  }

  get #reloadCount(): number {
    return [...this.#reloads.values()].reduce((sum, count) => sum + count, 0);
  }

  #fault({ figure, what }: AnyFault): void {
    if (figure === 'lockedOut') {
      this.#options.progress(`${figure}: ${what}`);
      this.changes.lock(what);
      return;
    }
    this.#figures[figure] += 1;
    if (this.#findings.length < mostFindings) this.#findings.push(`${figure}: ${what}`);
    if (this.#figures[figure] <= 10) this.#options.progress(`${figure}: ${what}`);
  }

  #result(): LbChangesResult {
    const { failed, misrouted, drift, requests } = this.#figures;
    return {
      ...{ requests, changes: this.changes.done, failed, doubledWrites: this.traffic.doubledWrites, misrouted },
      ...{ lockedOut: this.changes.lockedOut, drift, restarts: this.#operations.restarts, reloads: this.#reloadCount },
      kinds: Object.fromEntries([...this.changes.kinds].sort(([one], [other]) => (one < other ? -1 : 1))),
      findings: [...this.#findings, ...this.changes.findings.slice(0, mostFindings)],
    };
  }
}

function drift(what: string): AnyFault {
  return { figure: 'drift', what };
}
