// Concurrent uses of one object's mappings: a call against adopting, sharing, verifying or forgetting the object, or
// deleting its backend. These are natural races without pauses. The first one wins, every call ends, and rows and
// events agree.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { until } from '../../../../support/machine/temporary-folder.ts';
import { brokenInvariants } from '../../../../support/stores/invariants.ts';
import { KeepingDevice } from '../../support/keeping-device.ts';
import { element } from '../../support/nft-device.ts';
import { call, identity, type RelayNode, RelaySystem, type UserErrorShape } from '../../support/relay-system.ts';

const races = 300;
const lanes = 12;

let system: RelaySystem;
let node: RelayNode;
let device: KeepingDevice;

beforeEach(async () => {
  system = await RelaySystem.start();
  // Outcomes must be recorded in time on a slow machine, because the test waits for each.
  node = await system.node({ settings: { deviceExecutionMs: 100 } });
  device = await KeepingDevice.start();
  await device.register(node, 'keep', { limits: { deadlineMs: 60_000, concurrency: lanes } });
  await Promise.all(
    Array.from({ length: lanes }, (_, lane) => call(node, 'add', element('keep', `10.0.0.${lane + 1}`))),
  );
});
afterEach(async () => {
  try {
    await system.stop();
  } finally {
    await device.ssh.stop();
  }
});

const owner = (externalId: string) => ({ cmpObject: { type: 'tenant', externalId } });
const addressOf = (race: number) => `10.9.${race >> 8}.${race & 255}`;
const objectAt = (address: string) => ({
  resource: 'address-set-element',
  scope: 'inet filter',
  objectKey: `blocked/${address}`,
});

interface Changed {
  readonly mapping: { readonly id: string; readonly mappingState: string } | null;
  readonly userErrors: readonly UserErrorShape[];
}

const change = (mutation: string, input: object) =>
  node.mutate<Changed>(mutation, input, 'mapping { id mappingState } userErrors { code message }');

/** Calls `run` for each number, several at once, each after a short random pause. Returns the count of each answer. */
async function inLanes(
  run: (race: number, pause: () => Promise<void>) => Promise<string>,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let next = 0;
  const pause = () => sleep(Math.random() * 12);
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < races) {
        next += 1;
        const answer = await run(next, pause);
        counts[answer] = (counts[answer] ?? 0) + 1;
      }
    }),
  );
  return counts;
}

const end = (answer: Awaited<ReturnType<typeof call>>) =>
  answer.userErrors[0]?.code ?? answer.operation?.state ?? 'nothing';
function mappingOf(made: Awaited<ReturnType<typeof call>>): string {
  if (made.mapping == null) throw new Error(`a call made no mapping: ${JSON.stringify(made)}`);
  return made.mapping.id;
}

const told = (answer: Changed) => answer.userErrors[0]?.code ?? 'ok';

test("when an object is adopted while another CMP object's call creates it, one of them gets it, and every call ends", async () => {
  const counts = await inLanes(async (race, pause) => {
    const address = addressOf(race);
    device.elements.add(address);
    const key = `adopt-${race}`;
    const adopting = change('mappingAdopt', {
      ...{ idempotencyKey: key, backend: { name: 'keep' }, ...owner('adopter'), ...objectAt(address) },
    });
    await pause();
    const answer = await call(node, 'add', element('keep', address, owner('caller')));
    return `adopt ${told(await adopting)}, call ${end(answer)}`;
  });
  const allowed = new Set([
    'adopt ok, call ALREADY_MAPPED',
    // The call had to wait for a slot, and was refused when its turn came.
    'adopt ok, call REJECTED',
    'adopt OBJECT_BUSY, call SUCCEEDED',
    'adopt ALREADY_MAPPED, call SUCCEEDED',
  ]);
  expect(Object.keys(counts).filter((each) => !allowed.has(each))).toEqual([]);
  expect(await node.db.query("SELECT id FROM operation WHERE state = 'SENT'")).toEqual([]);
  expect(await brokenInvariants(node.db)).toEqual([]);
}, 240_000);

test("an object that a call removes during the adoption's read is not adopted", async () => {
  const address = '10.2.0.2';
  device.elements.add(address);
  const release = device.holdLooks();
  const input = { idempotencyKey: 'adopt-2', backend: { name: 'keep' }, ...owner('adopter'), ...objectAt(address) };
  const adopting = change('mappingAdopt', input);
  await until(() => device.looks > 0);
  const removed = await call(node, 'remove', {
    ...{ backend: { name: 'keep' }, idempotencyKey: 'remove-2', set: 'blocked', address },
  });
  release();
  expect([told(await adopting), end(removed)]).toEqual(['OBJECT_BUSY', 'SUCCEEDED']);
  expect(await node.db.query('SELECT id FROM mapping WHERE object_key = ?', [`blocked/${address}`])).toEqual([]);
  // The same request, after the race is over.
  expect(told(await change('mappingAdopt', input))).toBe('NOT_FOUND');
});

test("when the object's mapping belongs to another CMP object, a verdict is written with evidence and without a mapping", async () => {
  const slow = await KeepingDevice.start({ workMs: 500 });
  try {
    await slow.register(node, 'slow');
    const running = call(node, 'add', element('slow', '10.2.0.1', owner('caller')));
    await until(async () => (await node.db.query("SELECT id FROM operation WHERE state = 'SENT'")).length > 0);
    // No mutation can do this, so the test writes the row without the claim.
    await node.db.execute(
      `INSERT INTO mapping (id, project_id, namespace, cmp_type, cmp_id, backend_id, resource, scope, object_key, object_hash,
        owner_slot, state) SELECT UUID(), project_id, 'n', 't', 'other', backend_id, resource, scope, object_key, object_hash, '',
        'ACTIVE' FROM operation WHERE state = 'SENT'`,
    );
    const { operation } = await running;
    expect(operation).toMatchObject({
      state: 'SUCCEEDED',
      evidence: [{ source: 'MAPPING', finding: 'CONFLICT' }],
      changedMappings: [{ mappingState: 'UNVERIFIED' }],
    });
    expect(await node.db.query("SELECT cmp_id FROM mapping WHERE object_key = 'blocked/10.2.0.1'")).toEqual([
      { cmp_id: 'other' },
    ]);
  } finally {
    await slow.ssh.stop();
  }
});

test('when a call removes an object while its mapping is verified, the mapping is DELETED', async () => {
  let alive = 0;
  await inLanes(async (race, pause) => {
    const address = addressOf(race);
    const made = await call(node, 'add', element('keep', address, owner('owner')));
    // The read finds a difference, so the mapping changes.
    device.elements.delete(address);
    const verifying = change('mappingVerify', { idempotencyKey: `verify-${race}`, id: mappingOf(made) });
    await pause();
    const removed = await call(node, 'remove', {
      ...{ backend: { name: 'keep' }, idempotencyKey: `remove-${race}`, set: 'blocked', address },
    });
    const verified = await verifying;
    const rows = await node.db.query<{ state: string }>('SELECT state FROM mapping WHERE object_key = ?', [
      `blocked/${address}`,
    ]);
    if (rows[0]?.state !== 'DELETED') alive += 1;
    return `verify ${told(verified)}, remove ${end(removed)}`;
  });
  expect(alive).toBe(0);
  expect(await brokenInvariants(node.db)).toEqual([]);
}, 240_000);

test('a mapping stops being shared while it is being shared with another CMP object', async () => {
  await inLanes(async (race, pause) => {
    const address = addressOf(race);
    const made = await call(node, 'add', element('keep', address, { ...owner('first'), shared: true }));
    const unsharing = (async () => {
      await pause();
      return change('mappingUnshare', { idempotencyKey: `share-${race}`, id: mappingOf(made) });
    })();
    const second = { ...owner('second'), shared: true };
    const joining =
      race % 2 === 0
        ? call(node, 'add', element('keep', address, { ...second, idempotencyKey: `second-${race}` })).then(end)
        : change('mappingAdopt', {
            ...{ idempotencyKey: `adopt-${race}`, backend: { name: 'keep' }, ...second, ...objectAt(address) },
          }).then(told);
    return `share ${told(await unsharing)}, other ${await joining}`;
  });
  expect(await brokenInvariants(node.db)).toEqual([]);
}, 240_000);

test('a mapping is forgotten while a call updates its object', async () => {
  await inLanes(async (race, pause) => {
    const address = addressOf(race);
    const made = await call(node, 'add', element('keep', address, owner('owner')));
    const forgetting = change('mappingForget', { idempotencyKey: `forget-${race}`, id: mappingOf(made) });
    await pause();
    const again = await call(node, 'add', element('keep', address, { ...owner('owner'), idempotencyKey: `a-${race}` }));
    return `forget ${told(await forgetting)}, call ${end(again)}`;
  });
  expect(await node.db.query("SELECT id FROM operation WHERE state = 'SENT'")).toEqual([]);
  expect(await brokenInvariants(node.db)).toEqual([]);
}, 240_000);

test('when a backend is deleted while calls create objects on it, their mappings are orphans', async () => {
  const backends = 25;
  const names = Array.from({ length: backends }, (_, index) => `brief-${index}`);
  for (const name of names) {
    const id = await device.register(node, name, { limits: { deadlineMs: 60_000, concurrency: 4 } });
    await call(node, 'add', element(name, '10.1.0.1', owner('first')));
    const calls = Array.from({ length: 8 }, async (_, index) => {
      await sleep(Math.random() * 15);
      return end(await call(node, 'add', element(name, `10.1.1.${index}`, owner(`tenant-${index}`))));
    });
    await sleep(Math.random() * 15);
    const { data } = await node.run<{ gone: { userErrors: readonly UserErrorShape[] } }>(
      identity('OPERATOR'),
      'mutation ($input: BackendDeleteInput!) { gone: backendDelete(input: $input) { userErrors { code message } } }',
      { input: { id, orphanMappings: true } },
    );
    expect(data.gone.userErrors).toEqual([]);
    await Promise.all(calls);
  }
  expect(await brokenInvariants(node.db)).toEqual([]);
}, 240_000);
