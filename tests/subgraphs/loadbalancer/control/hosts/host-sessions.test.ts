// Reports of hosts during changes of load balancers. Each report waits for its turn, and none makes the change fail.
import { expect, test } from '@jest/globals';
import pino from 'pino';
import type { LoadBalancerCreateInput } from '../../../../../generated/graph/loadbalancer.ts';
import { readHistory } from '../../../../../platform/events/database-history.ts';
import type { LinkPeer } from '../../../../../platform/link/link-server.ts';
import { makeCertificate } from '../../../../../platform/net/certificates.ts';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import type { JsonValue } from '../../../../../platform/values/json.ts';
import { HostSessions } from '../../../../../subgraphs/loadbalancer/control/hosts/host-sessions.ts';
import { NodeDocuments } from '../../../../../subgraphs/loadbalancer/control/hosts/node-documents.ts';
import {
  nodesUnderLock,
  readNodes,
  wishReplaced,
} from '../../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { lockBalancer } from '../../../../../subgraphs/loadbalancer/control/stores/balancer-store.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { otherHistory } from '../../../../support/stores/histories.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';
import { untilItWaits } from '../../support/until-it-waits.ts';

const place = forFile(() => BalancerPlace.open());

function connect(machine: LinkPeer['machine'], peer: Partial<LinkPeer> = {}) {
  const { db, wake, sealer } = place.ground;
  const log = pino({ level: 'silent' });
  const sessions = new HostSessions({ db, wake, log, documents: new NodeDocuments({ db, sealer }) });
  return sessions.open({
    machine,
    facts: {
      ...{ provider: 'LOOPBACK', site: null, publicRange: '127.80.1.0/24', managementRange: '127.80.1.0/24' },
      ...{ tunnelAddress: null, maxNodes: 5, healthPort: 9_000 },
    },
    held: new Map(),
    send: () => undefined,
    close: () => undefined,
    ...peer,
  } as unknown as LinkPeer);
}

test("a report of a new node wakes no job before the node's first check; a report of a serving node, or of a failure, does", async () => {
  const { db } = place.ground;
  const machine = { id: newUuid(), name: 'host-2', role: 'lbhost' };
  const session = await connect(machine);
  const members = [{ host: '192.0.2.10', port: 80 }];
  const pools = [{ name: 'web', memberProtocol: 'HTTP', members }];
  const balancer = await place.balancer('new', { pools } as unknown as Partial<LoadBalancerCreateInput>);
  const node = await place.node(balancer, 'node-2', 'BUILDING');
  await db.execute('UPDATE lb_node SET host_id = ? WHERE id = ?', [machine.id, node]);
  const [member] = await db.query<{ id: string }>(
    "SELECT id FROM lb_part WHERE load_balancer_id = ? AND kind = 'PoolMember'",
    [balancer],
  );
  const owed = async () => {
    const sql = "SELECT wanted FROM owed_work WHERE kind = 'lb-reconcile' AND `key` = ?";
    return Number((await db.query<{ wanted: number }>(sql, [balancer]))[0]?.wanted);
  };
  const history = await readHistory(db);
  const report = { node, made: true, history, applied: 1, incarnation: newUuid(), error: null, givenUp: false };
  const tell = (key: string, body: JsonValue) => session.report([{ key, body }]);
  const tellMember = (status: string) =>
    tell(`member/${node}/${member?.id}`, { node, member: member?.id ?? '', status, message: status });
  const before = await owed();
  await tell(`node/${node}`, report);
  await tellMember('UP');
  expect((await readNodes(db, [node])).get(node)?.appliedGeneration).toBe(1);
  expect(await db.query('SELECT status FROM lb_member_status WHERE node_id = ?', [node])).toEqual([{ status: 'UP' }]);
  expect(await owed()).toBe(before);
  await tell(`node/${node}`, { ...report, error: 'HAProxy does not accept the configuration' });
  expect(await owed()).toBe(before + 1);
  await db.execute("UPDATE lb_node SET state = 'SERVING' WHERE id = ?", [node]);
  await tellMember('DOWN');
  expect(await owed()).toBe(before + 2);
  // An applied generation of another history is not the desired one, whatever its number.
  await tell(`node/${node}`, { ...report, history: otherHistory, applied: 7 });
  expect((await readNodes(db, [node])).get(node)?.appliedGeneration).toBe(0);
  await expect(tell(`node/${node}`, { ...report, more: 1 })).rejects.toThrow('more');
});

test('a report during a change waits for it, and does not make it fail', async () => {
  const { db } = place.ground;
  const machine = { id: newUuid(), name: 'host-1', role: 'lbhost' };
  const session = await connect(machine);
  const balancer = await place.balancer('web');
  const node = await place.node(balancer, 'node-1');
  await db.execute('UPDATE lb_node SET host_id = ? WHERE id = ?', [machine.id, node]);
  const history = await readHistory(db);
  const report = { node, made: true, history, applied: 1, incarnation: newUuid(), error: null, givenUp: false };
  let reported: Promise<void> = Promise.resolve();
  let attempts = 0;
  await db.transaction(async (tx) => {
    attempts += 1;
    await lockBalancer(tx, balancer);
    if (attempts === 1) reported = session.report([{ key: `node/${node}`, body: report }]);
    if (attempts === 1) await untilItWaits(db, 'lb_load_balancer');
    expect(await nodesUnderLock(tx, balancer)).toHaveLength(1);
    await wishReplaced(tx, node, 'it was asked for');
  });
  await reported;
  expect(attempts).toBe(1);
  expect((await readNodes(db, [node])).get(node)?.appliedGeneration).toBe(1);
});

test("a document that can't be made delays no other node's, and only afterwards does the host learn that it has all", async () => {
  const { db } = place.ground;
  const machine = { id: newUuid(), name: 'host-3', role: 'lbhost' };
  const { cert: chain, key: privateKey } = await makeCertificate({ commonName: 'www', names: ['www.test'] });
  const named = { name: 'www', projectId: encodeId('Project', place.projectId), chain, privateKey };
  const certificate = (await place.certificates.create(place.context(), named)).entity?.id ?? '';
  const certificateIds = [encodeId('TlsCertificate', certificate)];
  const listeners = [{ protocol: 'TERMINATED_HTTPS', port: 443, certificateIds }];
  const ill = await place.balancer('ill', { listeners } as unknown as Partial<LoadBalancerCreateInput>);
  const well = await place.balancer('well');
  // They are read in this order.
  const [first, second] = [await place.node(ill, 'node-3'), await place.node(well, 'node-4')];
  await db.execute("UPDATE lb_node SET host_id = ?, address = '127.80.1.7' WHERE id IN (?, ?)", [
    ...[machine.id, first, second],
  ]);
  const sql = 'SELECT sealed_key AS sealed FROM lb_certificate WHERE id = ?';
  const sealed = (await db.query<{ sealed: Buffer }>(sql, [certificate]))[0]?.sealed ?? Buffer.of();
  const seal = (bytes: Buffer) =>
    db.execute('UPDATE lb_certificate SET sealed_key = ? WHERE id = ?', [bytes, certificate]);
  await seal(Buffer.alloc(sealed.length, 1));
  const sent: string[] = [];
  const send = (message: Readonly<Record<string, unknown>>) => sent.push(`${message.type} ${message.key ?? ''}`.trim());
  const session = await connect(machine, { send, taken: async () => undefined } as unknown as Partial<LinkPeer>);
  session.begin();
  try {
    await waitFor('the other document', () => sent.length > 0);
    expect(sent).toEqual([`document ${second}`]);
    await seal(sealed);
    await waitFor('all of them', () => sent.includes('whole'));
    expect(sent).toEqual([`document ${second}`, `document ${first}`, 'whole']);
  } finally {
    await session.closed();
  }
});
