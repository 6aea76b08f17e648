// A late step is an ERROR with its reason, and is tried again. A load balancer can be deleted in every state, and
// nothing of it remains.
import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { owe } from '../../../../../platform/owed/owed-work.ts';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { reconcileKind } from '../../../../../subgraphs/loadbalancer/control/stores/change-balancer.ts';
import type { NodeRow } from '../../../../../subgraphs/loadbalancer/rules/rows.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { LbWorld, type WorldHost } from '../../support/lb-world.ts';

const world = forFile(() => LbWorld.open({ dns: true, settings: { nodeDrainMs: 60_000, hostGoneMs: 10_000 } }));
let balancerId: string;
let count = 0;

beforeAll(async () => {
  for (const name of ['host-1', 'host-2']) await world.addHost(name);
}, 60_000);

beforeEach(() => waitFor('hosts', () => world.link.connected === 2));

async function begin(): Promise<void> {
  count += 1;
  balancerId = await world.create(`web${count}`, 2, await freePort());
}

async function served(): Promise<readonly [NodeRow, NodeRow]> {
  await begin();
  await world.untilActive(balancerId);
  return (await world.nodes(balancerId)) as unknown as [NodeRow, NodeRow];
}

const status = async () => (await world.balancer(balancerId)).provisioningStatus;
const operating = async () => (await world.balancer(balancerId)).operatingStatus;
const reason = async () => (await world.balancer(balancerId)).provisioningReason ?? '';

async function remove(): Promise<void> {
  const { userErrors } = await world.balancers.delete(world.context, { id: encodeId('LoadBalancer', balancerId) });
  expect(userErrors).toEqual([]);
}

async function expectNothingLeft(): Promise<void> {
  await waitFor('DELETED', async () => {
    const sql = "SELECT 1 FROM lb_load_balancer WHERE provisioning_status <> 'DELETED'";
    return (await world.ground.db.query(sql)).length === 0;
  });
  const left = await world.ground.db.query<{ n: number }>(
    `SELECT COUNT(*) AS n FROM lb_address WHERE freed_at IS NULL UNION ALL SELECT COUNT(*) FROM lb_decision UNION ALL
    SELECT COUNT(*) FROM lb_member_status UNION ALL SELECT COUNT(*) FROM lb_part WHERE deleted = 0
    UNION ALL SELECT COUNT(*) FROM lb_node WHERE state <> 'DELETED'`,
  );
  expect(left.map(({ n }) => Number(n))).toEqual([0, 0, 0, 0, 0]);
  expect(await world.answer(balancerId)).toEqual([]);
  for (const { host } of world.hosts.values()) await waitFor('its nodes are gone', () => (host?.nodeCount ?? 0) === 0);
}

async function cordonAll(cordoned: boolean): Promise<void> {
  for (const { machine } of world.hosts.values()) {
    const id = encodeId('LoadBalancerHost', machine.id);
    const change = cordoned ? world.hostService.setCordon : world.hostService.liftCordon;
    expect((await change.call(world.hostService, world.context, { id })).userErrors).toEqual([]);
  }
}

async function loseAll(): Promise<void> {
  for (const host of world.hosts.values()) await world.loseHost(host);
  await waitFor('the lost connections', async () => {
    const rows = await world.ground.db.query("SELECT 1 FROM lb_host WHERE presence = 'PRESENT'");
    return rows.length === 0;
  });
}

async function bringBack(): Promise<void> {
  for (const { name, host } of [...world.hosts.values()]) if (host === undefined) await world.addHost(name);
  await waitFor('hosts', () => world.link.connected === 2);
}

/** As if the change had been requested, and its attempts had failed, a minute earlier. */
async function later(): Promise<void> {
  const { db } = world.ground;
  const sql = 'UPDATE lb_load_balancer SET pending_since = pending_since - INTERVAL 1 MINUTE WHERE id = ?';
  await db.execute(sql, [balancerId]);
  const failing = 'UPDATE dns_record_set SET failing_since = failing_since - INTERVAL 1 MINUTE WHERE owner = ?';
  await db.execute(failing, [`loadbalancer/${balancerId}`]);
  await wake();
}

const wake = () => world.ground.db.transaction((tx) => owe(tx, reconcileKind, balancerId, {}, world.ground.wake));

interface Trouble {
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
  readonly reason: RegExp;
}

const troubles: Readonly<Record<string, Trouble>> = {
  'no host takes nodes': {
    begin: () => cordonAll(true),
    end: () => cordonAll(false),
    reason: /2 of 2 nodes have no host/,
  },
  'no host is connected': { begin: loseAll, end: bringBack, reason: /2 of 2 nodes have no host/ },
  'the name server is down': {
    begin: async () => world.dns?.kill(),
    end: async () => world.dns?.start(),
    reason: /is not in DNS yet/,
  },
};

test('a load balancer is never down while its first node is created', async () => {
  await begin();
  await world.untilActive(balancerId);
  await waitFor('that it serves', async () => (await operating()) === 'ONLINE');
  const events = await world.ground.db.query<{ from: string | null; to: string }>(
    `SELECT from_status AS \`from\`, to_status AS \`to\` FROM status_change
      WHERE subject_id = ? AND kind = 'loadBalancer.operatingStatus' ORDER BY id`,
    [balancerId],
  );
  expect(events[0]?.from).toBe('UNKNOWN');
  expect(events.map(({ to }) => to)).not.toContain('ERROR');
  expect(events.at(-1)?.to).toBe('ONLINE');
  await remove();
  await expectNothingLeft();
});

test('events of a load balancer and its nodes name its CMP object to the end', async () => {
  await begin();
  const { db } = world.ground;
  const sql = "UPDATE lb_load_balancer SET cmp_namespace = 'default', cmp_type = 'tenant', cmp_id = '42' WHERE id = ?";
  await db.execute(sql, [balancerId]);
  await world.untilActive(balancerId);
  // A deletion ends the operating status.
  await waitFor('that it serves', async () => (await operating()) === 'ONLINE');
  await remove();
  await expectNothingLeft();
  const events = await db.query<{ kind: string; to: string; cmpId: string | null }>(
    `SELECT kind, to_status AS \`to\`, cmp_id AS cmpId FROM status_change WHERE from_status IS NOT NULL AND
      (subject_id = ? OR subject_id IN (SELECT id FROM lb_node WHERE load_balancer_id = ?)
        OR subject_id IN (SELECT id FROM lb_part WHERE load_balancer_id = ?))`,
    [balancerId, balancerId, balancerId],
  );
  expect(events.filter(({ cmpId }) => cmpId !== '42')).toEqual([]);
  const told = events.map(({ kind, to }) => `${kind} ${to}`);
  expect(told).toEqual(
    expect.arrayContaining([
      'loadBalancer.provisioningStatus ACTIVE',
      'loadBalancer.operatingStatus ONLINE',
      'loadBalancerNode.state SERVING',
      'loadBalancerNode.state DELETED',
      'loadBalancer.provisioningStatus DELETED',
    ]),
  );
});

describe.each(Object.entries(troubles))('%s', (_what, trouble) => {
  test('after being refused for a minute, it is an ERROR with the reason; it keeps trying, and becomes ACTIVE', async () => {
    await trouble.begin();
    await begin();
    await waitFor('the reason', async () => trouble.reason.test(await reason()));
    expect(await status()).toBe('PENDING');
    expect(await operating()).toBe('UNKNOWN');
    await later();
    await waitFor('ERROR', async () => (await status()) === 'ERROR');
    await waitFor('that it does not serve', async () => (await operating()) === 'ERROR');
    expect(await reason()).toMatch(trouble.reason);
    await trouble.end();
    await world.untilActive(balancerId);
    expect(await reason()).toBe('');
    await remove();
    await expectNothingLeft();
  }, 120_000);

  test('it can be deleted before it is created, and as an ERROR', async () => {
    await trouble.begin();
    for (const isLate of [false, true]) {
      await begin();
      await waitFor('the reason', async () => trouble.reason.test(await reason()));
      if (isLate) {
        await later();
        await waitFor('ERROR', async () => (await status()) === 'ERROR');
      }
      await remove();
      await waitFor('DELETING', async () => ['DELETING', 'DELETED'].includes(await status()));
    }
    await trouble.end();
    await expectNothingLeft();
  }, 120_000);

  test('it can be deleted after it has served', async () => {
    await served();
    await trouble.begin();
    await remove();
    await waitFor('DELETING', async () => ['DELETING', 'DELETED'].includes(await status()));
    await trouble.end();
    await expectNothingLeft();
  }, 120_000);
});

const steps: Readonly<Record<string, (nodes: readonly NodeRow[]) => boolean>> = {
  requested: () => true,
  placed: (nodes) => nodes.length > 0,
  made: (nodes) => nodes.some(({ madeAt }) => madeAt !== null),
  configured: (nodes) => nodes.some(({ configuredAt }) => configuredAt !== null),
  checked: (nodes) => nodes.some(({ checkedAt }) => checkedAt !== null),
  'named in DNS': (nodes) => nodes.some(({ named }) => named),
};

test.each(Object.entries(steps))(
  'it can be deleted when its nodes are %s',
  async (_step, is) => {
    await begin();
    await waitFor('the step', async () => is(await world.nodes(balancerId)));
    await remove();
    await expectNothingLeft();
  },
  60_000,
);

test('it can be deleted while a node drains', async () => {
  const [first] = await served();
  const { userErrors } = await world.nodeService.replace(world.context, { id: encodeId('LoadBalancerNode', first.id) });
  expect(userErrors).toEqual([]);
  await waitFor('a node that drains', async () =>
    (await world.nodes(balancerId)).some(({ state, deleteAt }) => state === 'DRAINING' && deleteAt !== null),
  );
  await remove();
  await expectNothingLeft();
}, 60_000);

test('it can be deleted while a replaced node is awaited, and while the new one is created', async () => {
  const [first] = await served();
  await world.signal(first, 'SIGSTOP');
  await waitFor('the replacement', async () =>
    (await world.nodes(balancerId)).some(({ state }) => state === 'REPLACED'),
  );
  await remove();
  await waitFor('DELETING', async () => ['DELETING', 'DELETED'].includes(await status()));
  await world.signal(first, 'SIGCONT').catch(() => undefined);
  await expectNothingLeft();
}, 60_000);

test('it can be deleted while the breaker is open', async () => {
  const nodes = await served();
  await world.signal(nodes, 'SIGSTOP');
  await waitFor('the breaker', async () => /down together/.test(await reason()));
  await remove();
  await expectNothingLeft();
}, 60_000);

test('nodes of a permanently lost host are forgotten, and removed when it comes back', async () => {
  const [first] = await served();
  const host: WorldHost = world.hostOf(first);
  await world.loseHost(host);
  await remove();
  await waitFor('DELETED', async () => (await status()) === 'DELETED');
  await world.addHost(host.name);
  await waitFor('hosts', () => world.link.connected === 2);
  await expectNothingLeft();
}, 120_000);
