// A container whose deleting cluster died is open again soon, even without a request for it. A slow deletion still ends
// well.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Containers } from '../../../../../subgraphs/object-storage/engine/namespace/containers.ts';
import { Names } from '../../../../../subgraphs/object-storage/engine/namespace/names.ts';
import type { Caller } from '../../../../../subgraphs/object-storage/engine/namespace/namespace.ts';
import { Seals } from '../../../../../subgraphs/object-storage/engine/namespace/seals.ts';
import { type SealedGate, sealedGates } from '../../../../../subgraphs/object-storage/engine/store/sealed-gates.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { MemoryClusters } from '../../../../support/object-storage/memory-clusters.ts';
import { makeContainer, RealClusters } from '../../../../support/object-storage/real-clusters.ts';
import { clockOf, StoreProcess } from '../store/store-database.ts';

const log = pino({ level: 'silent' });
const caller: Caller = { accountId: 'a'.repeat(32), canWrite: true, name: 'ann' };

const cleanup = new AsyncDisposableStack();
let clusters: RealClusters;
beforeAll(async () => {
  clusters = await RealClusters.start(cleanup);
}, 120_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

test(
  'a seal that was left at one cluster is opened everywhere, without a request for the container',
  async () => {
    const north = clusters.get('north');
    await makeContainer(north.client(), 'left');
    const [{ head = '', scope = Buffer.alloc(0) } = {}] = await north.db.query<{ head: string; scope: Buffer }>(
      "SELECT head, scope FROM store_register WHERE ring = 1 AND name = '' LIMIT 1",
    );
    const key = { ring: 1, scope: scope.toString('hex'), name: '' };
    await using south = new StoreProcess(clusters.get('south').location, 1);
    const sealed = south.clock.next();
    const seal = JSON.stringify({ ...(JSON.parse(head) as object), state: 'SEALED' });
    expect(await south.accept(key, sealed, seal)).toMatchObject({ done: true });
    const states = () =>
      Promise.all(
        clusters.clusters.map(async ({ db }) => {
          const sql = 'SELECT head, version FROM store_register WHERE ring = 1 AND scope = ? AND name = ?';
          const [row] = await db.query<{ head: string; version: Buffer }>(sql, [scope, '']);
          const isLater = (row?.version.toString('hex') ?? '') > sealed;
          return isLater ? (JSON.parse(row?.head ?? '{}') as { state: string }).state : 'BEFORE';
        }),
      );
    await waitFor('the gate to be open', async () => (await states()).every((state) => state === 'OPEN'));
    for (const { db } of clusters.clusters) expect(await sealedGates(db)).toEqual([]);
  },
  90_000 * patience,
);

/** The seals of a cluster in memory, with their own clock. */
function sealsOf(memory: MemoryClusters, self: number) {
  const topology = memory.topology(self, () => false);
  const names = new Names({ topology, clock: clockOf(self) });
  const containers = new Containers({ names, topology });
  const time = { ms: 0 };
  const sealed = async (): Promise<readonly SealedGate[]> =>
    [...(memory.replicas[self]?.rows ?? [])].flatMap(([name, { version, value }]) => {
      const [ring = '', scope = '', rest = ''] = name.split('/');
      const isSealed = rest === '' && ring !== '0' && value?.head.includes('"SEALED"') === true;
      return isSealed ? [{ ring: Number(ring), scope, version, head: value.head }] : [];
    });
  const settle: Containers['settle'] = (container) => containers.settle(container);
  return { time, seals: new Seals({ log, sealed, settle, nowMs: () => time.ms }) };
}

test('clients that open the seal of a slow deletion do not harm it', async () => {
  const memory = new MemoryClusters();
  const north = memory.objects(0);
  await north.createContainer(caller, 'photos');
  const { seals, time } = sealsOf(memory, 1);
  let opened = 0;
  // The deletion pauses during its listing, twice, longer than any client waits for it.
  memory.listed = async ({ sealed }) => {
    if (sealed === undefined || opened === 2) return;
    opened += 1;
    await seals.look();
    time.ms += 10_000;
    expect(await seals.look()).toBe(1);
  };
  await north.deleteContainer(caller, 'photos');
  expect(opened).toBe(2);
  await expect(memory.objects(2).statContainer(caller, 'photos')).rejects.toMatchObject({ code: 'NO_CONTAINER' });
  time.ms += 10_000;
  expect(await seals.look()).toBe(0);
});

test('a changing seal is in use; without a majority it is tried again', async () => {
  const memory = new MemoryClusters();
  const north = memory.objects(0);
  let dead = false;
  await north.createContainer(caller, 'photos');
  memory.listed = async ({ sealed }) => {
    if (sealed !== undefined) dead = true;
  };
  void memory.objects(0, () => dead).deleteContainer(caller, 'photos');
  await waitFor('a seal', () => dead);
  const { seals, time } = sealsOf(memory, 1);
  expect(await seals.look()).toBe(0);
  time.ms = 4_000;
  expect(await seals.look()).toBe(0);
  time.ms = 6_000;
  memory.unplugged.add(0).add(2);
  expect(await seals.look()).toBe(0);
  memory.unplugged.clear();
  expect(await seals.look()).toBe(1);
});

test('a name can be used again if the process deleting its container died before it released the name', async () => {
  const memory = new MemoryClusters();
  const north = memory.objects(0);
  await north.createContainer(caller, 'photos');
  let dead = false;
  const [replica] = memory.replicas;
  const ask = replica?.ask.bind(replica);
  Object.assign(replica ?? {}, {
    ask: (request: Parameters<NonNullable<typeof ask>>[0]) => {
      const isDeleted =
        request.op === 'accept' &&
        request.written.value?.head.includes('"DELETED"') === true &&
        request.key.name === '';
      if (isDeleted) void Promise.resolve().then(() => (dead = true));
      return ask?.(request);
    },
  });
  void memory.objects(0, () => dead).deleteContainer(caller, 'photos');
  await waitFor('the death', () => dead);
  const created = await memory.objects(1).createContainer(caller, 'photos');
  expect((await memory.objects(2).statContainer(caller, 'photos')).id).toBe(created.id);
});
