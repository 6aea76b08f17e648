// Plans: rules that hold in thousands of random lives of a load balancer, and the cases that users ask about.
import { describe, expect, test } from '@jest/globals';
import { breakerReason } from '../../../../subgraphs/loadbalancer/rules/breaker.ts';
import { type Action, planOf } from '../../../../subgraphs/loadbalancer/rules/plan.ts';
import { isUsed, serves, uncheckedReason, usualHealing } from '../../../../subgraphs/loadbalancer/rules/plan-input.ts';
import { seededRandom } from '../../../../trials/random.ts';
import { SimulatedBalancer } from '../control/reconcile/simulated-balancer.ts';

/** A load balancer with all of its nodes serving. */
function served(wantedNodes = 2, options = { hosts: 3, ttlMs: 5_000 }): SimulatedBalancer {
  const world = new SimulatedBalancer(options);
  world.balancer = { ...world.balancer, wantedNodes };
  settle(world);
  expect(world.balancer.provisioningStatus).toBe('ACTIVE');
  return world;
}

function settle(world: SimulatedBalancer, forMs = 2_000): Action[] {
  const actions: Action[] = [];
  for (let ms = 0; ms < forMs; ms += 500) {
    world.reconcile((action) => actions.push(action));
    world.work();
    world.nowMs += 500;
  }
  return actions;
}

const ids = (nodes: readonly { readonly id: string }[]) => nodes.map(({ id }) => id);
const did = (actions: readonly Action[], what: Action['do']) => actions.filter((each) => each.do === what);

describe('random lives', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));

  test.each(Array.from({ length: 40 }, (_, at) => seed + at))('seed %d', (each) => {
    const random = seededRandom(each);
    const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(random.next() * all.length)];
    const world = new SimulatedBalancer({
      hosts: 1 + Math.floor(random.next() * 4),
      ttlMs: pick([0, 1_000, 30_000]) ?? 0,
    });
    let everNamed = false;
    for (let step = 0; step < 150; step += 1) {
      const node = pick(world.nodes.filter(({ state }) => state !== 'DELETED'));
      const host = pick(world.hosts);
      const roll = random.next();
      if (roll < 0.15 && node !== undefined) world.fail(node.id);
      else if (roll < 0.35 && node?.operatingStatus === 'ERROR') world.recover(node.id);
      else if (roll < 0.4 && host !== undefined)
        Object.assign(host, { online: !host.online, since: new Date(world.nowMs) });
      else if (roll < 0.44) world.dnsWorks = !world.dnsWorks;
      else if (roll < 0.5) world.balancer = { ...world.balancer, wantedNodes: 1 + Math.floor(random.next() * 5) };
      else if (roll < 0.54) world.breaker = world.breaker === null ? 'too many are down' : null;
      else if (roll < 0.58 && node !== undefined && isUsed(node))
        world.set(node.id, { replaceReason: 'somebody wishes so' });
      else if (roll < 0.6) world.nowMs += 700_000;
      else world.work();
      world.nowMs += Math.floor(random.next() * 3_000);

      // The same state gives the same plan.
      expect(planOf(world.state())).toEqual(planOf(world.state()));
      const before = { named: new Set(ids(world.inDns())), serving: world.nodes.filter(serves).length };
      const actions: Action[] = [];
      world.reconcile((action) => actions.push(action));
      // After the plan is carried out, there is nothing left to do.
      expect(planOf(world.state()).actions).toEqual([]);

      const named = world.inDns();
      everNamed ||= named.length > 0;
      if (everNamed) expect(named).not.toEqual([]);
      for (const { state } of named) expect(['BUILDING', 'SERVING', 'DRAINING', 'REPLACED']).toContain(state);
      if (world.breaker !== null) {
        expect(did(actions, 'REPLACE')).toEqual([]);
        // No node leaves DNS, unless a user asked for it.
        const isGone = (id: string) => !named.some((one) => one.id === id);
        const lost = [...before.named].filter(isGone).map((id) => world.nodes.find((one) => one.id === id));
        expect(lost.filter((node) => node?.replaceReason === null)).toEqual([]);
      }
      // No plan removes a serving node that is needed.
      expect(world.nodes.filter(serves).length).toBeGreaterThanOrEqual(
        Math.min(before.serving, world.balancer.wantedNodes),
      );
      expect(new Set(world.decisions).size).toBe(world.decisions.length);
      const live = world.nodes.filter(({ state }) => state !== 'DELETED' && state !== 'DELETING');
      const successors = live.flatMap(({ replacesId }) => replacesId ?? []);
      expect(new Set(successors).size).toBe(successors.length);
    }
    // When all failures are over, the wanted nodes exist and nothing else.
    for (const host of world.hosts) host.online = true;
    [world.dnsWorks, world.breaker] = [true, null];
    for (let round = 0; round < 400; round += 1) {
      for (const node of world.nodes) if (node.operatingStatus === 'ERROR' && isUsed(node)) world.recover(node.id);
      world.reconcile();
      world.work();
      world.nowMs += 10_000;
    }
    const left = world.nodes.filter(({ state }) => state !== 'DELETED');
    expect(left.map(({ state }) => state)).toEqual(left.map(() => 'SERVING'));
    expect(left.length).toBe(world.balancer.wantedNodes);
    expect(ids(world.inDns())).toEqual(ids(left));
    expect(world.balancer).toMatchObject({ provisioningStatus: 'ACTIVE', provisioningReason: null });

    world.balancer = { ...world.balancer, provisioningStatus: 'DELETING' };
    settle(world, 5_000);
    expect(world.balancer.provisioningStatus).toBe('DELETED');
    expect([world.declared, world.nodes.filter(({ state }) => state !== 'DELETED')]).toEqual([false, []]);
  });
});

test('found by reading: a wanted number that goes up and down never makes more than twice the maximum plus two nodes', () => {
  const world = served(1);
  const { maxNodes } = world.balancer;
  for (let times = 0; times < 12; times += 1) {
    world.balancer = { ...world.balancer, wantedNodes: maxNodes };
    settle(world, 3_000);
    world.balancer = { ...world.balancer, wantedNodes: 1 };
    settle(world, 1_000);
    expect(world.nodes.filter(({ state }) => state !== 'DELETED').length).toBeLessThanOrEqual(2 * maxNodes + 2);
  }
  world.balancer = { ...world.balancer, wantedNodes: maxNodes };
  settle(world, 60_000);
  expect(world.nodes.filter(serves)).toHaveLength(maxNodes);
});

test('nodes are spread over hosts', () => {
  const world = served(3);
  expect(new Set(world.nodes.map(({ hostId }) => hostId)).size).toBe(3);
});

test('a failed node is replaced once, and leaves DNS at once', () => {
  const world = served();
  const [first] = world.nodes;
  world.fail(first?.id ?? '');
  const actions: Action[] = [];
  world.reconcile((action) => actions.push(action));
  expect(did(actions, 'REPLACE')).toHaveLength(1);
  expect(did(actions, 'PLACE')).toMatchObject([{ replacesId: first?.id }]);
  expect(ids(world.inDns())).not.toContain(first?.id);
  expect(did(settle(world), 'PLACE')).toEqual([]);
  expect(world.nodes.filter(serves)).toHaveLength(2);
});

test('found by trial lb-changes: a new node is in DNS only when it has the configuration of the serving nodes', () => {
  const world = served();
  for (const { id } of world.nodes) world.set(id, { appliedGeneration: 7 });
  world.balancer = { ...world.balancer, generation: 8, wantedNodes: 3 };
  world.reconcile();
  const made = world.nodes[2]?.id ?? '';
  const checked = { checkedAt: new Date(world.nowMs), checkedIncarnation: made, incarnation: made };
  world.set(made, { ...checked, operatingStatus: 'ONLINE', configuredAt: new Date(world.nowMs), appliedGeneration: 6 });
  world.reconcile();
  expect(ids(world.inDns())).not.toContain(made);
  world.set(made, { appliedGeneration: 7 });
  world.reconcile();
  expect(ids(world.inDns())).toContain(made);
  // If no other node serves, it is better than none.
  for (const { id } of world.nodes) if (id !== made) world.fail(id);
  world.set(made, { appliedGeneration: 6 });
  world.reconcile();
  expect(ids(world.inDns())).toEqual([made]);
});

test('a replaced node that is healthy in time takes its place back, and the new one is removed', () => {
  const world = served();
  const first = world.nodes[0]?.id ?? '';
  world.fail(first);
  settle(world);
  world.recover(first);
  const actions = settle(world);
  expect(did(actions, 'TAKE_BACK')).toMatchObject([{ nodeId: first }]);
  expect(did(actions, 'LEAVE')).toMatchObject([{ nodeId: world.nodes[2]?.id }]);
  settle(world, 60_000);
  expect(world.nodes.map(({ state }) => state)).toEqual(['SERVING', 'SERVING', 'DELETED']);
});

test('a node that stays away longer is deleted, and a flapping one is not taken back', () => {
  const world = served();
  const first = world.nodes[0]?.id ?? '';
  world.fail(first);
  settle(world);
  world.takeBacks.set(first, 3);
  world.recover(first);
  expect(did(settle(world), 'TAKE_BACK')).toEqual([]);
  world.nowMs += 600_000;
  expect(did(settle(world), 'DELETE_REPLACED')).toMatchObject([
    { nodeId: first, reason: 'it failed too often to be taken back' },
  ]);
  expect(world.nodes.map(({ state }) => state)).toEqual(['DELETED', 'SERVING', 'SERVING']);
});

test('a node that sees no member where others do is not taken back until it sees them', () => {
  const world = served();
  const first = world.nodes[0]?.id ?? '';
  world.fail(first);
  settle(world);
  world.blind.add(first);
  world.recover(first);
  expect(did(settle(world), 'TAKE_BACK')).toEqual([]);
  expect(ids(world.inDns())).not.toContain(first);
  world.blind.clear();
  expect(did(settle(world), 'TAKE_BACK')).toMatchObject([{ nodeId: first }]);
});

test('a HAProxy that its host gave up counts as down at once, and its reason is reported', () => {
  const world = served();
  const first = world.nodes[0]?.id ?? '';
  world.set(first, { givenUp: true, reason: 'HAProxy ended 5 times within five minutes' });
  const actions = settle(world);
  expect(did(actions, 'REPLACE')).toMatchObject([
    { nodeId: first, keep: true, reason: 'its HAProxy ended: HAProxy ended 5 times within five minutes' },
  ]);
  expect(ids(world.inDns())).not.toContain(first);
  // HAProxy was started again and is healthy, so the node is back.
  world.set(first, { givenUp: false });
  expect(did(settle(world), 'TAKE_BACK')).toMatchObject([{ nodeId: first }]);
});

test('if a host is back in time its node takes its place again; if back too late the node is deleted there', () => {
  for (const isLate of [false, true]) {
    const world = served();
    const [first] = world.nodes;
    const host = world.hosts.find(({ id }) => id === first?.hostId);
    Object.assign(host ?? {}, { online: false, since: new Date(world.nowMs) });
    world.fail(first?.id ?? '');
    settle(world, 10_000);
    expect(world.nodes.map(({ state }) => state)).toEqual(['REPLACED', 'SERVING', 'SERVING']);
    if (isLate) {
      world.nowMs += 600_000;
      world.reconcile();
    }
    Object.assign(host ?? {}, { online: true });
    world.recover(first?.id ?? '');
    settle(world, 60_000);
    const [back, gone] = isLate ? [2, 0] : [0, 2];
    expect(world.nodes[back]?.state).toBe('SERVING');
    expect(world.nodes[gone]?.state).toBe('DELETED');
    expect(ids(world.inDns())).toEqual(ids(world.nodes.filter(serves)));
  }
});

test('if the breaker closes while a node is still down, the node is replaced then', () => {
  const world = served(4);
  const [first, second] = world.nodes;
  world.breaker = '2 of 4 nodes on 2 hosts are down together';
  for (const node of [first, second]) world.fail(node?.id ?? '');
  expect(did(settle(world), 'REPLACE')).toEqual([]);
  world.recover(second?.id ?? '');
  world.breaker = null;
  expect(did(settle(world), 'REPLACE')).toMatchObject([{ nodeId: first?.id }]);
  expect(world.nodes.filter(serves)).toHaveLength(4);
});

test('the last address stays in DNS while all nodes are down', () => {
  const world = served(1);
  const first = world.nodes[0]?.id ?? '';
  world.fail(first);
  world.reconcile();
  expect(ids(world.inDns())).toEqual([first]);
  settle(world);
  expect(ids(world.inDns())).toEqual(ids(world.nodes.filter(serves)));
});

test('with an open breaker nothing is replaced, nothing leaves DNS, and the status gives the reason', () => {
  const world = served(4);
  world.breaker = '2 of 4 nodes on 2 hosts are down together';
  const [first, second] = world.nodes;
  world.fail(first?.id ?? '');
  world.fail(second?.id ?? '');
  const actions = settle(world);
  expect([did(actions, 'REPLACE'), did(actions, 'NAME'), did(actions, 'PLACE')]).toEqual([[], [], []]);
  expect(world.balancer).toMatchObject({ provisioningStatus: 'PENDING', provisioningReason: world.breaker });
  world.recover(first?.id ?? '');
  world.recover(second?.id ?? '');
  world.breaker = null;
  settle(world);
  expect(world.balancer.provisioningStatus).toBe('ACTIVE');
  expect(world.nodes).toHaveLength(4);
});

test('with an open breaker a node that is healthy again is added to DNS; its replacement is removed later', () => {
  const world = served(2);
  const first = world.nodes[0]?.id ?? '';
  world.fail(first);
  settle(world);
  const before = ids(world.inDns());
  expect(before).not.toContain(first);
  world.breaker = '2 of 4 nodes on 2 hosts are down together';
  world.recover(first);
  expect(did(settle(world), 'LEAVE')).toEqual([]);
  expect(ids(world.inDns()).sort()).toEqual([first, ...before].sort());
  world.breaker = null;
  expect(did(settle(world), 'LEAVE')).toMatchObject([{ nodeId: world.nodes[2]?.id }]);
  expect(ids(world.inDns())).toContain(first);
});

test('with an open breaker new nodes are added to DNS, and the number shrinks only after it closes', () => {
  const world = served(2);
  const old = ids(world.nodes);
  world.breaker = '2 of 4 nodes on 2 hosts are down together';
  world.balancer = { ...world.balancer, wantedNodes: 3 };
  settle(world);
  expect(ids(world.inDns())).toEqual([...old, world.nodes[2]?.id]);
  world.balancer = { ...world.balancer, wantedNodes: 1 };
  settle(world);
  expect(world.inDns()).toHaveLength(3);
  world.breaker = null;
  settle(world);
  expect(world.inDns()).toHaveLength(1);
});

test('a node that fails on its last step stays in DNS while the breaker is open', () => {
  const world = served(2);
  world.balancer = { ...world.balancer, wantedNodes: 3 };
  world.reconcile();
  world.dnsWorks = false;
  world.work();
  world.reconcile();
  const third = world.nodes[2];
  expect(third).toMatchObject({ state: 'BUILDING', named: true });
  world.breaker = '2 of 4 nodes on 2 hosts are down together';
  world.fail(third?.id ?? '');
  settle(world);
  expect(ids(world.inDns())).toContain(third?.id);
});

test('surplus nodes leave DNS, are drained after the TTL, and are then deleted', () => {
  const world = served(3);
  world.balancer = { ...world.balancer, wantedNodes: 2 };
  const youngest = world.nodes[2]?.id ?? '';
  world.dnsWorks = false;
  expect(settle(world).map((action) => action.do)).toEqual(['LEAVE', 'NAME']);
  world.dnsWorks = true;
  world.work();
  expect(did(settle(world, 3_000), 'OUT_OF_DNS')).toHaveLength(1);
  expect(did(settle(world, 6_000), 'DRAIN')).toMatchObject([{ nodeId: youngest }]);
  world.set(youngest, { sessions: 0 });
  expect(did(settle(world), 'DELETE')).toMatchObject([{ nodeId: youngest }]);
});

describe('the time of a drain', () => {
  const { nodeDrainMs, hostGoneMs } = usualHealing;

  /** The youngest of three drains. Its host is away from then on. */
  function drainingAway() {
    const world = served(3);
    world.balancer = { ...world.balancer, wantedNodes: 2 };
    const id = world.nodes[2]?.id ?? '';
    const host = world.hosts.find((each) => each.id === world.nodes[2]?.hostId);
    if (host === undefined) throw new Error('a node is on a host');
    Object.assign(host, { online: false, since: new Date(world.nowMs) });
    expect(did(settle(world, 10_000), 'DRAIN')).toMatchObject([{ nodeId: id }]);
    return { world, id, host, node: () => world.nodes.find((each) => each.id === id) };
  }

  test('begins when the host drains the node, however long the host was away (found by trial lb-changes)', () => {
    const { world, host, node } = drainingAway();
    world.nowMs += hostGoneMs / 2;
    settle(world);
    expect(node()).toMatchObject({ state: 'DRAINING', sessions: null });
    host.online = true;
    settle(world, nodeDrainMs - 1_000);
    expect(node()).toMatchObject({ state: 'DRAINING', sessions: 1 });
    settle(world);
    expect(node()?.state).toBe('DELETED');
  });

  test('is not prolonged by counts that come and go', () => {
    const { world, id, host, node } = drainingAway();
    host.online = true;
    settle(world);
    const { deleteAt } = node() ?? {};
    for (const sessions of [null, 2, null, 1]) {
      world.set(id, { sessions });
      settle(world, 1_000);
    }
    expect(node()).toMatchObject({ state: 'DRAINING', deleteAt });
  });

  test('ends when the host is given up for being away, even if the node was not drained', () => {
    const { world, host, node } = drainingAway();
    const { againInMs } = planOf(world.state());
    world.nowMs = host.since.getTime() + hostGoneMs - 1;
    world.reconcile();
    expect([againInMs !== undefined && againInMs <= hostGoneMs, node()?.state]).toEqual([true, 'DRAINING']);
    expect(planOf(world.state()).againInMs).toBe(1);
    world.nowMs += 1;
    world.reconcile();
    expect(node()?.state).toBe('DELETED');
  });

  test('does not last forever if a connected host never drains the node', () => {
    const { world, host, node } = drainingAway();
    host.online = true;
    const until = node()?.deleteAt?.getTime() ?? 0;
    expect(until - world.nowMs).toBeLessThanOrEqual(hostGoneMs + nodeDrainMs);
    world.nowMs = until - 1;
    world.reconcile();
    expect(node()?.state).toBe('DRAINING');
    world.nowMs = until;
    world.reconcile();
    expect(node()?.state).toBe('DELETING');
  });
});

test('all nodes are replaced one by one, without a gap', () => {
  const world = served(3);
  const old = ids(world.nodes);
  for (const id of old) world.set(id, { replaceReason: 'somebody wishes so' });
  for (let round = 0; round < 200; round += 1) {
    settle(world, 500);
    expect(world.nodes.filter(serves).length).toBeGreaterThanOrEqual(3);
    expect(world.nodes.filter(isUsed).length).toBeLessThanOrEqual(4);
  }
  expect(world.nodes.filter(({ id }) => old.includes(id)).map(({ state }) => state)).toEqual(old.map(() => 'DELETED'));
  expect(world.nodes.filter(serves)).toHaveLength(3);
});

test('when a host is lost while a node is created there, the node is created elsewhere, and forgotten when the host stays away', () => {
  const world = new SimulatedBalancer({ hosts: 2, ttlMs: 0 });
  world.balancer = { ...world.balancer, wantedNodes: 1 };
  world.reconcile();
  const host = world.hosts.find(({ id }) => id === world.nodes[0]?.hostId);
  Object.assign(host ?? {}, { online: false, since: new Date(world.nowMs) });
  settle(world, 10_000);
  expect(world.nodes.map(({ state }) => state)).toEqual(['DELETING', 'SERVING']);
  world.nowMs += 600_000;
  settle(world);
  expect(world.nodes.map(({ state }) => state)).toEqual(['DELETED', 'SERVING']);
});

test('found by trial lb-heal: a node whose first checks failed gets more time when one succeeds, and is created again when it fails again', () => {
  const world = new SimulatedBalancer({ hosts: 2, ttlMs: 0 });
  world.balancer = { ...world.balancer, wantedNodes: 1 };
  world.reconcile();
  const id = world.nodes[0]?.id ?? '';
  const at = new Date(world.nowMs);
  world.set(id, { madeAt: at, configuredAt: at, incarnation: id });
  world.fail(id);
  world.nowMs += 1_000;
  // The node is healthy after one more check.
  world.set(id, { checkedAt: new Date(world.nowMs), checkedIncarnation: id });
  world.reconcile();
  expect(world.nodes.map(({ state }) => state)).toEqual(['BUILDING']);
  world.set(id, { operatingStatus: 'ERROR', downSince: new Date(world.nowMs + 1_000) });
  world.nowMs += 1_000;
  world.reconcile();
  expect(world.nodes.map(({ state }) => state)).toEqual(['DELETING', 'BUILDING']);
});

test('unwanted nodes are removed one by one even if they are down and the breaker is open', () => {
  const world = served(2);
  const old = ids(world.nodes);
  world.breaker = '2 of 2 nodes on 2 hosts are down together';
  for (const id of old) {
    world.fail(id);
    world.set(id, { replaceReason: 'somebody wishes so' });
  }
  settle(world, 60_000);
  expect(world.nodes.map(({ state }) => state)).toEqual(['DELETED', 'DELETED', 'SERVING', 'SERVING']);
  expect(ids(world.inDns())).toEqual(ids(world.nodes.filter(serves)));
});

test('a failed unwanted node is not awaited', () => {
  const world = served(2);
  const first = world.nodes[0]?.id ?? '';
  world.fail(first);
  world.set(first, { replaceReason: 'its host is removed' });
  expect(did(settle(world), 'DELETE_REPLACED')).toMatchObject([{ nodeId: first, reason: 'its host is removed' }]);
  expect(world.nodes.map(({ state }) => state)).toEqual(['DELETED', 'SERVING', 'SERVING']);
});

test('a late step is an ERROR with the reason, and is still carried out when possible', () => {
  const world = new SimulatedBalancer({ hosts: 1, ttlMs: 0 });
  const [host] = world.hosts;
  if (host !== undefined) host.cordoned = true;
  settle(world, 65_000);
  expect(world.balancer).toMatchObject({
    provisioningStatus: 'ERROR',
    provisioningReason:
      '2 of 2 nodes have no host: no connected host can take more. For administrators, tidegate hosts list shows why',
  });
  if (host !== undefined) host.cordoned = false;
  settle(world, 10_000);
  expect(world.balancer).toMatchObject({ provisioningStatus: 'ACTIVE', provisioningReason: null });
});

describe('slow nodes have not failed', () => {
  /** Its nodes are never ready, for this reason from their host. Returns the statuses that its owner sees, in order. */
  function waiting(reason: string | null, forMs: number): SimulatedBalancer & { readonly seen: string[] } {
    const world = Object.assign(new SimulatedBalancer({ hosts: 1, ttlMs: 0 }), { seen: [] as string[] });
    for (let ms = 0; ms <= forMs; ms += 5_000) {
      world.reconcile();
      for (const { id, state } of world.nodes)
        world.set(id, state === 'DELETING' ? { state: 'DELETED' } : { reason, madeAt: new Date(world.nowMs) });
      const { provisioningStatus } = world.balancer;
      if (world.seen.at(-1) !== provisioningStatus) world.seen.push(provisioningStatus);
      world.nowMs += 5_000;
    }
    return world;
  }

  test('a first node that a busy machine creates slowly is PENDING with the reason, and becomes ACTIVE without an ERROR', () => {
    const world = waiting(null, 90_000);
    expect(world.balancer).toMatchObject({
      provisioningStatus: 'PENDING',
      provisioningReason: '2 of 2 nodes are being created. It takes longer than usual',
    });
    settle(world);
    expect(world.balancer).toMatchObject({ provisioningStatus: 'ACTIVE', provisioningReason: null });
    expect(world.seen).toEqual(['PENDING']);
  });

  test('it is an ERROR after three attempts, with the reason, and stays one until it serves', () => {
    const { nodeBuildMs } = usualHealing;
    expect(waiting(null, 3 * nodeBuildMs - 10_000).seen).toEqual(['PENDING']);
    const world = waiting(null, 3 * nodeBuildMs + 60_000);
    expect(world.seen).toEqual(['PENDING', 'ERROR']);
    expect(world.balancer.provisioningReason).toBe('2 of 2 nodes are being created. Not done within 360 s');
    settle(world);
    expect(world.balancer.provisioningStatus).toBe('ACTIVE');
  });

  test('a refusal of the host is an ERROR after a minute', () => {
    const world = waiting('HAProxy does not accept the configuration', 65_000);
    expect(world.seen).toEqual(['PENDING', 'ERROR']);
    expect(world.balancer.provisioningReason).toMatch(/: HAProxy does not accept the configuration$/);
  });

  test.each([
    [10_000, 'PENDING'],
    [30_000, 'ERROR'],
  ])('a DNS server that has failed for %d ms: %s', (failsForMs, status) => {
    const world = new SimulatedBalancer({ hosts: 1, ttlMs: 0 });
    world.dnsWorks = false;
    settle(world, 65_000);
    expect(world.balancer.provisioningStatus).toBe('PENDING');
    world.dnsError = { message: 'TIMED_OUT: no answer', since: new Date(world.nowMs - failsForMs) };
    world.reconcile();
    expect(world.balancer.provisioningStatus).toBe(status);
  });

  test('a change that a busy node applies slowly is PENDING; a refused change is an ERROR', () => {
    for (const reason of [null, 'HAProxy does not accept the configuration']) {
      const world = served(1);
      world.balancer = {
        ...world.balancer,
        ...{ generation: 2, provisioningStatus: 'PENDING', pendingSince: new Date(world.nowMs) },
      };
      for (const { id } of world.nodes) world.set(id, { reason });
      world.nowMs += 61_000;
      world.reconcile();
      expect(world.balancer.provisioningStatus).toBe(reason === null ? 'PENDING' : 'ERROR');
    }
  });
});

test.each([
  [{ nodes: 10, down: 1, hosts: 1 }, false],
  [{ nodes: 3, down: 1, hosts: 1 }, false],
  [{ nodes: 10, down: 3, hosts: 3 }, false],
  [{ nodes: 10, down: 4, hosts: 2 }, true],
  [{ nodes: 10, down: 10, hosts: 1 }, false],
  [{ nodes: 2, down: 2, hosts: 2 }, true],
])('breaker: %j', (figures, open) => {
  expect(breakerReason(figures) !== null).toBe(open);
});

test('a node that failed before the clock was set back is still replaced', () => {
  const world = served();
  const [node] = world.nodes;
  if (node === undefined) throw new Error('it has no node');
  world.fail(node.id);
  // Its verdict would be due in a day.
  world.set(node.id, { judgeAt: new Date(world.nowMs + 86_400_000) });
  expect(did(settle(world), 'REPLACE')).toMatchObject([{ nodeId: node.id }]);
  // A verdict that is due soon is awaited.
  const [, other] = world.nodes;
  if (other === undefined) throw new Error('it has one node');
  world.fail(other.id);
  world.set(other.id, { judgeAt: new Date(world.nowMs + 10_000) });
  expect(did(settle(world), 'REPLACE')).toEqual([]);
});

test('a new node whose checks are not made is not replaced when its time is over; one that is only slow is', () => {
  const late = (reason: string | null) => {
    const world = new SimulatedBalancer({ hosts: 3, ttlMs: 5_000 });
    world.reconcile(() => undefined);
    expect(world.nodes.map(({ state }) => state)).toContain('BUILDING');
    for (const { id } of world.nodes) world.set(id, { reason });
    world.nowMs += 2 * usualHealing.nodeBuildMs;
    const actions: Action[] = [];
    world.reconcile((action) => actions.push(action));
    return did(actions, 'REPLACE').length;
  };
  expect(late(null)).toBeGreaterThan(0);
  expect(late(uncheckedReason('connections to 192.0.2.9 are denied'))).toBe(0);
});
