// A load balancer host after a restore of the control plane's database. It accepts the current documents, and its
// earlier counts no longer matter.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import type { LanedSession, LinkPeer } from '../../../../../platform/link/link-server.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import type { JsonObject, JsonValue } from '../../../../../platform/values/json.ts';
import { comparePositions, type Position } from '../../../../../platform/values/positions.ts';
import { DiskDocuments } from '../../../../../subgraphs/loadbalancer/agents/lbhost/disk-documents.ts';
import { HostSessions } from '../../../../../subgraphs/loadbalancer/control/hosts/host-sessions.ts';
import { NodeDocuments, positionsOfHost } from '../../../../../subgraphs/loadbalancer/control/hosts/node-documents.ts';
import { readNodes } from '../../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { backUpTables, restoreTables } from '../../../../support/stores/restored-tables.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';

const log = pino({ level: 'silent' });
const machine = { id: newUuid(), name: 'host-1', role: 'lbhost' };
let place: BalancerPlace;
let folder: TemporaryFolder;
let documents: DiskDocuments;
const sessions: LanedSession[] = [];
let closed = 0;

beforeAll(async () => {
  place = await BalancerPlace.open();
  folder = await temporaryFolder();
  documents = await DiskDocuments.open(folder.path, log);
});
afterAll(async () => {
  for (const session of sessions) await session.closed();
  await place.close();
  await folder.remove();
});

/** The real documents of a host, without the wire. */
async function connect(): Promise<LanedSession> {
  const { db, wake, sealer } = place.ground;
  let session: LanedSession | undefined;
  let taking = Promise.resolve();
  const take = async (message: Parameters<LinkPeer['send']>[0]): Promise<void> => {
    if (message.type === 'document') await documents.put(message.key, message.position, message.document);
    else if (message.type === 'gone') await documents.remove(message.key);
    else if (message.type === 'change' && !(await documents.change(message.key, message.change)))
      session?.resend(message.key);
  };
  session = await new HostSessions({ db, wake, log, documents: new NodeDocuments({ db, sealer }) }).open({
    machine,
    facts: {
      ...{ provider: 'LOOPBACK', site: null, publicRange: '127.80.1.0/24', managementRange: '127.80.1.0/24' },
      ...{ tunnelAddress: null, maxNodes: 5, healthPort: 9_000 },
    },
    held: documents.held(),
    send: (message: Parameters<LinkPeer['send']>[0]) => {
      taking = taking.then(() => take(message));
    },
    close: () => {
      closed += 1;
    },
  } as unknown as LinkPeer);
  sessions.push(session);
  session.begin();
  return session;
}

async function change(balancer: string, times: number): Promise<void> {
  const { db } = place.ground;
  for (let count = 0; count < times; count += 1)
    await db.execute('UPDATE lb_load_balancer SET generation = generation + 1, name = ? WHERE id = ?', [
      ...[`web-${newUuid().slice(-8)}`, balancer],
    ]);
}

const has = (node: string): Position | undefined => documents.held().get(node);
const nameAtHost = (node: string) => documents.nodes().get(node)?.loadBalancer.name;

test.each([
  ['that was noticed', true],
  ['that nobody has noticed', false],
])('after a restore %s the host has the current document', async (_, lossy) => {
  const { db } = place.ground;
  const balancer = await place.balancer(`web-${newUuid().slice(-8)}`);
  const node = await place.node(balancer, `node-${newUuid().slice(-8)}`, 'SERVING');
  let session = await connect();
  await db.execute(
    "UPDATE lb_node SET host_id = ?, address = '127.80.1.7', management_address = '127.80.1.7' WHERE id = ?",
    [...[machine.id, node]],
  );
  const isThere = async () => {
    const wanted = (await positionsOfHost(db, machine.id)).find(({ id }) => id === node)?.position;
    const held = has(node);
    return wanted !== undefined && held !== undefined && comparePositions(held, wanted) === 'SAME';
  };
  await waitFor('the document', isThere);
  await backUpTables(db);
  await change(balancer, 5);
  await waitFor('the later document', isThere);
  const before = has(node);

  await restoreTables(db, { lossy });
  await change(balancer, 2);
  const [row] = await db.query<{ name: string }>('SELECT name FROM lb_load_balancer WHERE id = ?', [balancer]);
  if (lossy) {
    // Its reports belong to a connection of the earlier history.
    const report: JsonObject = { node, made: true, history: before?.history ?? null, applied: 6, document: 6 };
    const body: JsonValue = { ...report, incarnation: newUuid(), error: null, givenUp: false, sessions: null };
    await expect(session.report([{ key: `node/${node}`, body }])).rejects.toThrow('earlier connection');
    expect(closed).toBeGreaterThan(0);
    session = await connect();
    await session.report([{ key: `node/${node}`, body }]);
    expect((await readNodes(db, [node])).get(node)?.appliedGeneration).toBe(0);
  }
  await waitFor('the document of now', isThere);
  expect(nameAtHost(node)).toBe(row?.name);
  expect(documents.faultOf(node)).toBeUndefined();
});

test('a document of another history is accepted whatever its number; an older one of the same history is refused and reported', async () => {
  const [id = ''] = documents.nodes().keys();
  const node = documents.nodes().get(id);
  if (node === undefined) throw new Error('there is a document');
  const history = newUuid();
  const put = (generation: number, of: string) => {
    const document = JSON.parse(JSON.stringify({ ...node, history: of, generation })) as JsonValue;
    return documents.put(id, { history: of, number: generation }, document);
  };
  await put(1, history);
  expect(has(id)).toEqual({ history, number: 1 });
  await put(0, history);
  expect(has(id)).toEqual({ history, number: 1 });
  expect(documents.faultOf(id)).toContain('a newer generation of the same history');
});
