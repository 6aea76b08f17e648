// One of several people who change the load balancer at the same time. Each has its own pools, an L7 policy on each of the shared
// listeners, and its own listener. Whatever it changes, each path keeps a healthy member that has been wanted for some time.

import type { MutationOutcome } from '../../platform/edge/mutation.ts';
import { encodeId } from '../../platform/values/ids.ts';
import type { PartRow } from '../../subgraphs/loadbalancer/control/stores/part-store.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';
import type { Random } from '../random.ts';
import { createCertificate, idsOf, type MemberTls, memberName, type Pairs } from './certificates.ts';
import { type Changes, type Effect, to } from './changes.ts';
import type { Outcome, Serves } from './expectations.ts';
import {
  type CertificateState,
  certificateFor,
  isReady,
  isStream,
  type ListenerState,
  MemberState,
  membership,
  namesOf,
  namesWith,
  newExpected,
  outcomeOf,
  type PolicyState,
  type PoolState,
  type Routes,
  readyMembers,
  sameOutcome,
} from './model.ts';
import type { Place } from './place.ts';
import { nowMs, serverNames } from './shared.ts';
import type { Traffic } from './traffic.ts';

interface LaneOptions {
  readonly index: number;
  readonly place: Place;
  readonly changes: Changes;
  readonly routes: Routes;
  readonly traffic: Traffic;
  readonly random: Random;
  readonly pairs: Pairs;
  readonly memberTls: MemberTls;
  /** Numbers of the servers that it may use. */
  readonly servers: readonly number[];
  readonly protocol: ListenerState['protocol'];
  /** HTTP and TERMINATED_HTTPS. */
  readonly shared: readonly ListenerState[];
}

interface PathState {
  readonly path: string;
  readonly route: number;
}

/** One lane's part of a shared listener. */
interface Slot {
  readonly listener: ListenerState;
  readonly paths: readonly PathState[];
  policy: PolicyState | undefined;
}

/** A drained member may answer at most this long after its deadline, because its host may be restarting. */
const endedMs = 10_000;
const outside = '127.0.2.9';
/** Blocks that cover all clients. With other blocks, some clients are inside and some outside. */
const blocksForAll = [['127.0.0.0/8'], ['0.0.0.0/0', '::/0'], ['127.0.0.0/9', '127.128.0.0/9', '10.0.0.0/8'], []];
const blocksWithoutOutsiders = [['127.0.0.1/32'], ['127.0.0.0/24', '192.0.2.0/24'], ['127.0.0.1', '2001:db8::/32']];

export class Lane {
  readonly pools: PoolState[] = [];
  readonly slots: Slot[] = [];
  readonly #options: LaneOptions;
  own: ListenerState | undefined;
  #flows: number[] = [];
  readonly #insideRoute: number;
  readonly #outsideRoute: number;
  #made = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { routes, index } = options;
    this.#insideRoute = routes.add(`lane ${index}, own listener`, 'CLOSED');
    this.#outsideRoute = routes.add(`lane ${index}, own listener, from outside`, 'CLOSED');
  }

  /** Call it before the traffic: creates two pools of each protocol that it needs, a policy on each shared listener, and its own listener. */
  async start(): Promise<void> {
    const { protocol, shared, routes, index } = this.#options;
    for (const each of ['HTTP', 'HTTP2'] as const) await this.#createPool(each);
    if (isStream({ protocol })) for (const each of ['TCP', 'TCP'] as const) await this.#createPool(each);
    for (const listener of shared) {
      const paths = ['a', 'b'].map((name) => {
        const path = `/${index}/${name}`;
        return { path, route: routes.add(`${listener.protocol} ${path}`, { pool: listener.pool.expected }) };
      });
      const slot: Slot = { listener, paths, policy: undefined };
      this.slots.push(slot);
      await this.#createPolicy(slot);
    }
    await this.#listen();
  }

  /** Call it after `start`, when everything is in effect. */
  openFlows(): void {
    const { traffic } = this.#options;
    const own = this.own;
    if (own === undefined) return;
    const isTls = own.protocol === 'TERMINATED_HTTPS' || own.protocol === 'HTTPS';
    const common = {
      ...{ port: own.port, isStream: isStream(own), localAddress: '127.0.0.1', pauseMs: 0 },
      ...{ serverNames: isTls ? serverNames : [], cookies: !isStream(own) },
    };
    const routes = [{ id: this.#insideRoute, path: '/own' }];
    this.#flows.push(
      traffic.open({ ...common, kind: 'H1', width: 3, routes }),
      traffic.open({ ...common, kind: 'FRESH', width: 1, routes, pauseMs: 20 }),
      traffic.open({
        ...{ ...common, kind: 'FRESH', width: 1, localAddress: outside, pauseMs: 50 },
        routes: [{ id: this.#outsideRoute, path: '/own' }],
      }),
    );
    if (isTls) this.#flows.push(traffic.open({ ...common, kind: 'H2', width: 3, routes }));
  }

  async closeFlows(): Promise<void> {
    await Promise.all(this.#flows.splice(0).map((flow) => this.#options.traffic.close(flow)));
  }

  /** Makes one change, of any kind that is possible now. */
  async step(): Promise<void> {
    const { random } = this.#options;
    const before = this.#options.changes.done;
    // Disabled things are enabled again soon.
    if (this.own?.enabled === false && random.next() < 0.2) await this.#toggleListener();
    while (this.#options.changes.done === before) await random.pick(this.#kinds)();
  }

  /** Each kind may turn out to be impossible now. Frequent kinds are listed more often. */
  readonly #kinds: readonly (() => Promise<unknown>)[] = [
    ...Array.from({ length: 4 }, () => () => this.#addMember()),
    ...Array.from({ length: 4 }, () => () => this.#removeMember()),
    ...Array.from({ length: 3 }, () => () => this.#weigh()),
    ...Array.from({ length: 3 }, () => () => this.#toggleMember()),
    ...Array.from({ length: 3 }, () => () => this.#drainMember()),
    ...Array.from({ length: 3 }, () => () => this.#setMembers()),
    () => this.#renameMember(),
    () => this.#backup(),
    () => this.#monitor(),
    () => this.#monitor(),
    () => this.#poolSettings(),
    () => this.#poolSettings(),
    () => this.#persistence(),
    () => this.#createSparePool(),
    () => this.#deletePool(),
    () => this.#policy(),
    () => this.#policy(),
    () => this.#policy(),
    () => this.#rule(),
    () => this.#rule(),
    () => this.#listenerSettings(),
    () => this.#listenerSettings(),
    () => this.#listenerPool(),
    () => this.#allow(),
    () => this.#allow(),
    () => this.#certificates(),
    () => this.#certificates(),
    () => this.#renew(),
    () => this.#listenElsewhere(),
    () => this.#toggleListener(),
  ];

  #part(mutation: string, input: object, effects: readonly Effect[] = []): Promise<PartRow | undefined> {
    const { place, changes } = this.#options;
    const send = (): Promise<MutationOutcome<PartRow>> =>
      place.world.parts.change(place.world.context, mutation, input);
    return changes.make(mutation, send, effects);
  }

  #unique(name: string): string {
    this.#made += 1;
    return `${name}-${this.#made}`;
  }

  #freeServer(pool: PoolState): number | undefined {
    const free = this.#options.servers.filter((server) => !pool.members.has(server));
    return free.length === 0 ? undefined : this.#options.random.pick(free);
  }

  #port(server: number): number {
    return this.#options.traffic.memberPorts[server] ?? 0;
  }

  async #createPool(protocol: PoolState['protocol']): Promise<void> {
    const { random, index, servers, place } = this.#options;
    const name = this.#unique(`pool-${index}`);
    const isSticky = protocol !== 'TCP' && random.next() < 0.5;
    const row = await this.#part('poolCreate', {
      ...{ loadBalancerId: place.graphId, name, memberProtocol: protocol, drainMs: this.#drainMs(protocol) },
      ...(protocol === 'TCP' ? {} : random.pick(this.#memberTls)),
      ...(isSticky ? { persistence: { type: 'HTTP_COOKIE' } } : {}),
    });
    if (row === undefined) return;
    const expected = newExpected(name, isSticky);
    const pool: PoolState = { id: row.id, protocol, expected, members: new Map(), monitorId: undefined };
    for (const server of random.shuffle(servers).slice(0, 3)) await this.#insertMember(pool, server);
    await this.#createMonitor(pool);
    this.pools.push(pool);
  }

  /** Longer than a request takes. For a stream, longer than its clients keep it. */
  #drainMs(protocol: PoolState['protocol']): number {
    const [least, most] = protocol === 'TCP' ? [3_000, 5_000] : [1_000, 2_000];
    return this.#options.random.integer(least, most);
  }

  get #memberTls(): readonly object[] {
    const authorities = this.#options.memberTls.authority.cert;
    return [
      { tls: false, authorities: null, tlsServerName: null },
      { tls: true, authorities: null, tlsServerName: null },
      { tls: true, authorities, tlsServerName: null },
      { tls: true, authorities, tlsServerName: memberName },
    ];
  }

  async #createSparePool(): Promise<void> {
    if (this.pools.length < 6) await this.#createPool(this.#options.random.pick(this.pools).protocol);
  }

  #isUsed(pool: PoolState): boolean {
    return this.own?.pool === pool || this.slots.some(({ policy }) => policy?.pool === pool);
  }

  async #deletePool(): Promise<void> {
    const { random } = this.#options;
    const spare = this.pools.filter(
      (pool) => !this.#isUsed(pool) && this.pools.filter((each) => isStream(each) === isStream(pool)).length > 2,
    );
    if (spare.length === 0) return;
    const pool = random.pick(spare);
    this.pools.splice(this.pools.indexOf(pool), 1);
    const gone = [...pool.members.keys()].map((server) => to(membership(pool, server), 'NOBODY'));
    await this.#part('poolDelete', { id: encodeId('Pool', pool.id) }, gone);
  }

  /** Another pool that already answers requests. */
  #otherPool(ofStreams: boolean, than: PoolState | undefined): PoolState | undefined {
    const found = this.pools.filter((pool) => isStream(pool) === ofStreams && pool !== than && isReady(pool));
    return found.length === 0 ? undefined : this.#options.random.pick(found);
  }

  // Members.

  async #insertMember(pool: PoolState, server: number): Promise<void> {
    const member = new MemberState(server, this.#options.random.integer(1, 20));
    const effects = [to(membership(pool, server), 'ALL'), member.becomesReady()];
    const { weight } = member;
    const input = { poolId: encodeId('Pool', pool.id), host: '127.0.0.1', port: this.#port(server), weight };
    const row = await this.#part('poolMemberCreate', input, effects);
    if (row === undefined) return;
    member.id = row.id;
    pool.members.set(server, member);
  }

  async #addMember(): Promise<void> {
    const pool = this.#options.random.pick(this.pools);
    const server = this.#freeServer(pool);
    if (server !== undefined) await this.#insertMember(pool, server);
  }

  /** A member that can be removed, because the pool has another one that has been healthy for some time. */
  #dispensable(pool: PoolState): MemberState | undefined {
    const ready = readyMembers(pool);
    const found = [...pool.members.values()].filter((member) => ready.some((other) => other !== member));
    return found.length === 0 ? undefined : this.#options.random.pick(found);
  }

  async #removeMember(): Promise<void> {
    const pool = this.#options.random.pick(this.pools);
    const member = this.#dispensable(pool);
    if (member === undefined || pool.members.size < 3) return;
    pool.members.delete(member.server);
    const effects = [to(membership(pool, member.server), 'NOBODY')];
    await this.#part('poolMemberDelete', { id: encodeId('PoolMember', member.id) }, effects);
  }

  /** Changes which clients a member may answer. */
  async #change(
    pool: PoolState,
    member: MemberState,
    change: Partial<Pick<MemberState, 'weight' | 'enabled' | 'drainUntil'>>,
    mutation: string,
    input: object,
  ) {
    const was = member.serves;
    Object.assign(member, change);
    return this.#part(mutation, { id: encodeId('PoolMember', member.id), ...input }, this.#serves(pool, member, was));
  }

  #serves(pool: PoolState, member: MemberState, was: Serves): readonly Effect[] {
    const { serves, server } = member;
    if (serves === was) return [];
    const change = to(membership(pool, server), serves);
    return serves === 'ALL' ? [change, member.becomesReady()] : [change];
  }

  async #weigh(): Promise<void> {
    const { random } = this.#options;
    const pool = random.pick(this.pools);
    const member = this.#dispensable(pool);
    if (member === undefined) return;
    const weight = random.next() < 0.15 ? 0 : random.integer(1, 256);
    await this.#change(pool, member, { weight }, 'poolMemberUpdate', { weight });
  }

  async #toggleMember(): Promise<void> {
    const pool = this.#options.random.pick(this.pools);
    const member = this.#dispensable(pool);
    if (member === undefined) return;
    const enabled = !member.enabled;
    await this.#change(pool, member, { enabled }, 'poolMemberUpdate', { enabled });
  }

  async #drainMember(): Promise<void> {
    const { random } = this.#options;
    const pool = random.pick(this.pools);
    const member = this.#dispensable(pool);
    if (member === undefined) return;
    if (member.drainUntil !== undefined) {
      await this.#change(pool, member, { drainUntil: undefined }, 'poolMemberDrainCancel', {});
      return;
    }
    // Its sessions are then ended. By that time all nodes know about it, and its requests have been answered.
    const deadlineMs = random.pick([10_000, 3_600_000]);
    const row = await this.#change(pool, member, { drainUntil: new Date(0) }, 'poolMemberDrain', { deadlineMs });
    if (row?.drainUntil == null || member.drainUntil === undefined) return;
    member.drainUntil = row.drainUntil;
    const endMs = nowMs() + row.drainUntil.getTime() - Date.now();
    membership(pool, member.server).change('NOBODY', endMs)(endMs + endedMs);
  }

  async #renameMember(): Promise<void> {
    const { random } = this.#options;
    const member = random.pick([...random.pick(this.pools).members.values()]);
    const names = { name: `web-${random.integer(0, 99)}`, tags: [`tag-${random.integer(0, 9)}`] };
    await this.#part('poolMemberUpdate', { id: encodeId('PoolMember', member.id), ...names });
  }

  /** Without a member that is not a backup, the backups would answer, because both are members. */
  async #backup(): Promise<void> {
    const { random } = this.#options;
    const pool = random.pick(this.pools);
    const member = this.#dispensable(pool);
    if (member !== undefined)
      await this.#part('poolMemberUpdate', { id: encodeId('PoolMember', member.id), backup: random.next() < 0.4 });
  }

  async #setMembers(): Promise<void> {
    const { random } = this.#options;
    const pool = random.pick(this.pools);
    const ready = readyMembers(pool);
    if (ready.length === 0) return;
    const stays = random.pick(ready).server;
    const servers = [stays, ...random.shuffle(this.#options.servers.filter((each) => each !== stays))].slice(
      ...([0, random.integer(2, 5)] as const),
    );
    const before = new Map(pool.members);
    const effects: Effect[] = [];
    for (const { server, serves } of before.values())
      if (!servers.includes(server)) {
        if (serves !== 'NOBODY') effects.push(to(membership(pool, server), 'NOBODY'));
        pool.members.delete(server);
      }
    for (const server of servers) {
      const known = before.get(server);
      const was = known?.serves ?? 'NOBODY';
      const member = known ?? new MemberState(server, 1);
      // Remaining members are enabled, and still drained.
      Object.assign(member, { weight: random.integer(1, 20), enabled: true });
      effects.push(...this.#serves(pool, member, was));
      pool.members.set(server, member);
    }
    const members = servers.map((server) => {
      const weight = pool.members.get(server)?.weight ?? 1;
      return { host: '127.0.0.1', port: this.#port(server), weight };
    });
    const row = await this.#part('poolMembersSet', { id: encodeId('Pool', pool.id), members }, effects);
    if (row === undefined) return;
    const ids = await this.#memberIds(pool);
    for (const member of pool.members.values()) member.id = ids.get(this.#port(member.server)) ?? '';
  }

  async #memberIds(pool: PoolState): Promise<ReadonlyMap<number, string>> {
    const sql =
      "SELECT id, JSON_VALUE(spec, '$.port') AS port FROM lb_part WHERE parent_id = ? AND kind = 'PoolMember' AND deleted = 0";
    const rows = await this.#options.place.world.ground.db.query<{ id: string; port: string }>(sql, [pool.id]);
    return new Map(rows.map(({ id, port }) => [Number(port), id]));
  }

  // Pools.

  async #createMonitor(pool: PoolState): Promise<void> {
    const row = await this.#part('poolHealthMonitorCreate', {
      poolId: encodeId('Pool', pool.id),
      ...this.#check(pool),
    });
    pool.monitorId = row?.id;
  }

  #check({ protocol }: PoolState): object {
    const { random } = this.#options;
    // Long enough that no member counts as dead because its thread has to wait for a processor.
    const intervalMs = random.pick([2_000, 4_000]);
    const common = { intervalMs, timeoutMs: intervalMs, rise: random.integer(1, 2), fall: random.integer(8, 10) };
    const http = protocol !== 'TCP' && random.next() < 0.7;
    return http
      ? { ...common, monitorType: 'HTTP', path: `/health-${random.integer(0, 9)}` }
      : { ...common, monitorType: 'TCP' };
  }

  async #monitor(): Promise<void> {
    const { random } = this.#options;
    const pool = random.pick(this.pools);
    if (pool.monitorId === undefined) return this.#createMonitor(pool);
    const id = encodeId('PoolHealthMonitor', pool.monitorId);
    if (random.next() < 0.3) {
      pool.monitorId = undefined;
      await this.#part('poolHealthMonitorDelete', { id });
    } else await this.#part('poolHealthMonitorUpdate', { id, rise: random.integer(1, 3), fall: random.integer(8, 10) });
  }

  async #poolSettings(): Promise<void> {
    const { random } = this.#options;
    const pool = random.pick(this.pools);
    const change = random.pick([
      { drainMs: this.#drainMs(pool.protocol) },
      { algorithm: random.pick(['ROUND_ROBIN', 'LEAST_CONNECTIONS', 'SOURCE_IP']) },
      ...(isStream(pool) ? [] : [random.pick(this.#memberTls)]),
      { proxyProtocol: random.pick(['NONE', 'V1', 'V2']) },
      { failOpenBelowPercent: random.pick([0, 20, 50]) },
      { ejectAfterErrors: random.pick([null, 10]) },
      { slowStartMs: random.pick([0, 1_000]) },
      { tags: [`tag-${random.integer(0, 9)}`], description: 'changed' },
    ]);
    await this.#part('poolUpdate', { id: encodeId('Pool', pool.id), ...change });
  }

  async #persistence(): Promise<void> {
    const { random } = this.#options;
    const pool = random.pick(this.pools);
    const cookies = isStream(pool) ? [] : [{ type: 'HTTP_COOKIE' }, { type: 'APP_COOKIE', cookieName: 'session' }];
    const persistence = random.pick([null, { type: 'SOURCE_IP' }, ...cookies]);
    const { sticky } = pool.expected;
    const isSticky = persistence?.type === 'HTTP_COOKIE';
    const effects = sticky.now === isSticky ? [] : [to(sticky, isSticky)];
    await this.#part('poolUpdate', { id: encodeId('Pool', pool.id), persistence }, effects);
  }

  // L7 policies.

  #outcomes(slot: Slot): readonly Outcome[] {
    return slot.paths.map(({ path }) => outcomeOf(slot.policy, path) ?? { pool: slot.listener.pool.expected });
  }

  /** The effects of a change on the slot's paths. */
  #follows({ paths }: Slot, outcomes: readonly Outcome[]): readonly Effect[] {
    return paths.flatMap(({ route }, at) => {
      const timeline = this.#options.routes.of(route).outcome;
      const outcome = outcomes[at];
      return outcome === undefined || sameOutcome(timeline.now, outcome) ? [] : [to(timeline, outcome)];
    });
  }

  async #createPolicy(slot: Slot): Promise<void> {
    const { random, index } = this.#options;
    const { action, pool, ...input } = this.#action(undefined);
    const row = await this.#part('l7PolicyCreate', {
      ...{ listenerId: encodeId('Listener', slot.listener.id), position: random.integer(1, 1_000), action, ...input },
    });
    if (row === undefined) return;
    const policy: PolicyState = { id: row.id, action, pool, enabled: true, mainRuleId: undefined, extra: undefined };
    slot.policy = { ...policy, mainRuleId: 'soon' };
    const effects = this.#follows(slot, this.#outcomes(slot));
    slot.policy = policy;
    const rule = { ruleType: 'PATH', compareType: 'STARTS_WITH', value: `/${index}/` };
    const made = await this.#part('l7RuleCreate', { l7PolicyId: encodeId('L7Policy', row.id), ...rule }, effects);
    policy.mainRuleId = made?.id;
  }

  #action(than: PoolState | undefined) {
    const { random } = this.#options;
    const drawn = random.next();
    const pool = drawn < 0.7 ? this.#otherPool(false, than) : undefined;
    if (pool !== undefined)
      return { action: 'REDIRECT_TO_POOL' as const, pool, redirectPoolId: encodeId('Pool', pool.id) };
    if (drawn < 0.85) return { action: 'REJECT' as const, pool: undefined };
    return { action: 'REDIRECT_TO_URL' as const, pool: undefined, redirectUrl: 'http://elsewhere.test/here' };
  }

  async #policy(): Promise<void> {
    const { random } = this.#options;
    const slot = random.pick(this.slots);
    const { policy } = slot;
    if (policy === undefined) return this.#createPolicy(slot);
    const id = encodeId('L7Policy', policy.id);
    const drawn = random.next();
    if (drawn < 0.15) {
      slot.policy = undefined;
      await this.#part('l7PolicyDelete', { id }, this.#follows(slot, this.#outcomes(slot)));
    } else if (drawn < 0.3) {
      policy.enabled = !policy.enabled;
      await this.#part('l7PolicyUpdate', { id, enabled: policy.enabled }, this.#follows(slot, this.#outcomes(slot)));
    } else if (drawn < 0.45) await this.#part('l7PolicyUpdate', { id, position: random.integer(1, 1_000) });
    else {
      const { action, pool, ...input } = this.#action(policy.pool);
      Object.assign(policy, { action, pool });
      const none = { redirectPoolId: null, redirectUrl: null };
      await this.#part('l7PolicyUpdate', { id, ...none, ...input, action }, this.#follows(slot, this.#outcomes(slot)));
    }
  }

  async #rule(): Promise<void> {
    const { random, index } = this.#options;
    const slot = random.pick(this.slots);
    const { policy } = slot;
    if (policy?.mainRuleId === undefined) return;
    const rules: readonly { readonly input: object; readonly matches: (path: string) => boolean }[] = [
      { input: { ruleType: 'PATH', compareType: 'ENDS_WITH', value: '/a' }, matches: (path) => path.endsWith('/a') },
      {
        input: { ruleType: 'PATH', compareType: 'ENDS_WITH', value: '/a', invert: true },
        matches: (path) => !path.endsWith('/a'),
      },
      {
        input: { ruleType: 'PATH', compareType: 'EQUAL_TO', value: `/${index}/b` },
        matches: (path) => path.endsWith('/b'),
      },
      { input: { ruleType: 'PATH', compareType: 'REGEX', value: '^/[0-9]+/[ab]$' }, matches: () => true },
      { input: { ruleType: 'HOST_NAME', compareType: 'EQUAL_TO', value: 'web.test' }, matches: () => true },
      { input: { ruleType: 'HEADER', key: 'x-none', compareType: 'CONTAINS', value: 'x' }, matches: () => false },
    ];
    const { input, matches } = random.pick(rules);
    const { extra } = policy;
    if (extra === undefined) {
      const soon = { id: 'soon', matches };
      policy.extra = soon;
      const effects = this.#follows(slot, this.#outcomes(slot));
      const l7PolicyId = encodeId('L7Policy', policy.id);
      const row = await this.#part('l7RuleCreate', { l7PolicyId, ...input }, effects);
      policy.extra = row === undefined ? undefined : { id: row.id, matches };
      return;
    }
    const id = encodeId('L7Rule', extra.id);
    if (random.next() < 0.5) {
      policy.extra = undefined;
      await this.#part('l7RuleDelete', { id }, this.#follows(slot, this.#outcomes(slot)));
      return;
    }
    extra.matches = matches;
    const given = { key: null, invert: false, ...input };
    await this.#part('l7RuleUpdate', { id, ...given }, this.#follows(slot, this.#outcomes(slot)));
  }

  // Listeners.

  async #listen(): Promise<void> {
    const { place, protocol, random, memberTls } = this.#options;
    const ofStreams = isStream({ protocol });
    // At the start no pool has been healthy for long.
    const pool = this.#otherPool(ofStreams, undefined) ?? this.pools.find((each) => isStream(each) === ofStreams);
    if (pool === undefined) return;
    const port = await freePort();
    const certificates = protocol === 'TERMINATED_HTTPS' ? await this.#newCertificates() : [];
    const state: ListenerState = {
      ...{ id: '', port, protocol, pool, enabled: true, allowsOutsiders: true, allowed: [], certificates },
      names: protocol === 'HTTPS' ? namesWith(() => memberTls.certificate.sha256) : namesOf(certificates),
    };
    const row = await this.#part(
      'listenerCreate',
      {
        ...{ loadBalancerId: place.graphId, protocol, port, defaultPoolId: encodeId('Pool', pool.id) },
        ...(certificates.length === 0 ? {} : { certificateIds: idsOf(certificates) }),
        accessLogPercent: random.pick([0, 1, 100]),
      },
      this.#toOwn(state),
    );
    if (row !== undefined) this.own = Object.assign(state, { id: row.id });
  }

  #toOwn({ pool, enabled, allowsOutsiders }: ListenerState): readonly Effect[] {
    const { routes } = this.#options;
    const inside: Outcome = enabled ? { pool: pool.expected } : 'OFF';
    const wanted: readonly [number, Outcome][] = [
      [this.#insideRoute, inside],
      [this.#outsideRoute, enabled && !allowsOutsiders ? 'CLOSED' : inside],
    ];
    return wanted.flatMap(([route, outcome]) => {
      const timeline = routes.of(route).outcome;
      return sameOutcome(timeline.now, outcome) ? [] : [to(timeline, outcome)];
    });
  }

  async #toggleListener(): Promise<void> {
    const own = this.own;
    if (own === undefined) return;
    own.enabled = !own.enabled;
    const input = { id: encodeId('Listener', own.id), enabled: own.enabled };
    await this.#part('listenerUpdate', input, this.#toOwn(own));
  }

  /** Deletes it and creates it on another port. */
  async #listenElsewhere(): Promise<void> {
    const own = this.own;
    const { changes } = this.#options;
    if (own === undefined || !isReady(own.pool) || this.#options.random.next() < 0.5) return;
    await this.closeFlows();
    this.own = undefined;
    await this.#part('listenerDelete', { id: encodeId('Listener', own.id) });
    await this.#listen();
    await changes.untilEffective();
    this.openFlows();
  }

  async #listenerSettings(): Promise<void> {
    const { random, shared } = this.#options;
    const listener = random.pick([...shared, ...(this.own === undefined ? [] : [this.own])]);
    const http = [
      {
        insertHeaders: random
          .shuffle(['X_FORWARDED_FOR', 'X_FORWARDED_PORT', 'X_FORWARDED_PROTO'])
          .slice(0, random.integer(0, 3)),
      },
    ];
    const tls = [
      { hstsMaxAgeSeconds: random.pick([null, 60, 600]) },
      {
        alpnProtocols: random.pick([
          ['H2', 'HTTP_1_1'],
          ['HTTP_1_1', 'H2'],
        ]),
      },
      { tlsVersions: random.pick([['TLS_1_2', 'TLS_1_3'], ['TLS_1_3']]) },
    ];
    const change = random.pick([
      { connectionLimit: random.pick([null, 1_000, 2_000]) },
      { clientTimeoutMs: random.integer(10_000, 60_000) },
      { memberTimeoutMs: random.integer(15_000, 60_000) },
      { memberConnectTimeoutMs: random.integer(3_000, 6_000) },
      { accessLogPercent: random.pick([0, 1, 50, 100]) },
      { name: `listener-${random.integer(0, 99)}`, tags: ['changed'] },
      ...(isStream(listener) ? [] : http),
      ...(listener.protocol === 'TERMINATED_HTTPS' ? tls : []),
    ]);
    await this.#part('listenerUpdate', { id: encodeId('Listener', listener.id), ...change });
  }

  async #listenerPool(): Promise<void> {
    const own = this.own;
    if (own === undefined) return;
    const pool = this.#otherPool(isStream(own), own.pool);
    if (pool === undefined) return;
    own.pool = pool;
    const input = { id: encodeId('Listener', own.id), defaultPoolId: encodeId('Pool', pool.id) };
    await this.#part('listenerUpdate', input, this.#toOwn(own));
  }

  async #allow(): Promise<void> {
    const { random } = this.#options;
    const own = this.own;
    if (own === undefined) return;
    own.allowsOutsiders = random.next() < 0.5;
    own.allowed = random.pick(own.allowsOutsiders ? blocksForAll : blocksWithoutOutsiders);
    const input = { id: encodeId('Listener', own.id), allowedCidrs: own.allowed };
    await this.#part('listenerUpdate', input, this.#toOwn(own));
  }

  // Certificates.

  #newCertificate(name: string): Promise<CertificateState | undefined> {
    const { place, pairs, random, changes, index } = this.#options;
    return createCertificate(
      place,
      changes,
      this.#unique(`${name}-${index}`),
      name,
      random.pick(pairs.get(name) ?? []),
    );
  }

  async #newCertificates(): Promise<CertificateState[]> {
    const made = await Promise.all(serverNames.map((name) => this.#newCertificate(name)));
    return made.filter((each) => each !== undefined);
  }

  /** For each name, the certificate that clients get after a change of the list. */
  #named({ names }: ListenerState, certificates: readonly CertificateState[]): readonly Effect[] {
    return [...names].flatMap(([name, timeline]) => {
      const wanted = certificateFor(certificates, name);
      return timeline.now === wanted ? [] : [to(timeline, wanted)];
    });
  }

  #tlsListener(): ListenerState | undefined {
    const { index, shared, protocol } = this.#options;
    if (protocol === 'TERMINATED_HTTPS') return this.own;
    return index === 0 ? shared.find((each) => each.protocol === 'TERMINATED_HTTPS') : undefined;
  }

  /** Changes the order, removes some, or replaces one by another with the same name. */
  async #certificates(): Promise<void> {
    const { random, changes, place } = this.#options;
    const listener = this.#tlsListener();
    if (listener === undefined) return;
    const before = listener.certificates;
    let after = random.shuffle(before);
    const missing = serverNames.filter((name) => !before.some((each) => each.name === name));
    const drawn = random.next();
    if (drawn < 0.3 && after.length > 1) after = after.slice(1);
    else if (drawn < 0.8) {
      const name = missing.length > 0 ? random.pick(missing) : random.pick(before).name;
      const made = await this.#newCertificate(name);
      if (made !== undefined) after = random.shuffle([...after.filter((each) => each.name !== name), made]);
    }
    listener.certificates = after;
    const input = { id: encodeId('Listener', listener.id), certificateIds: idsOf(after) };
    await this.#part('listenerUpdate', input, this.#named(listener, after));
    const { certificates, context } = place.world;
    for (const { id } of before.filter((each) => !after.includes(each)))
      await changes.make('tlsCertificateDelete', () =>
        certificates.delete(context, { id: encodeId('TlsCertificate', id) }),
      );
  }

  async #renew(): Promise<void> {
    const { random, changes, place, pairs } = this.#options;
    const listener = this.#tlsListener();
    if (listener === undefined) return;
    const certificate = random.pick(listener.certificates);
    const pair = random.pick((pairs.get(certificate.name) ?? []).filter((each) => each !== certificate.pair));
    certificate.pair = pair;
    const { certificates, context } = place.world;
    const input = { id: encodeId('TlsCertificate', certificate.id), chain: pair.cert, privateKey: pair.key };
    const effects = this.#named(listener, listener.certificates);
    await changes.make('tlsCertificateUpdate', () => certificates.update(context, input), effects);
  }
}
