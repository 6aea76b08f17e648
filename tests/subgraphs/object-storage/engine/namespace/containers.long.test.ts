// A container is deleted only while it is empty, whatever is written into it at the time, through whatever cluster, and
// whichever server dies.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { VersionClock } from '../../../../../platform/registers/version.ts';
import { Containers } from '../../../../../subgraphs/object-storage/engine/namespace/containers.ts';
import { Names } from '../../../../../subgraphs/object-storage/engine/namespace/names.ts';
import type { Caller, ObjectHeaders } from '../../../../../subgraphs/object-storage/engine/namespace/namespace.ts';
import type { Objects } from '../../../../../subgraphs/object-storage/engine/namespace/objects.ts';
import { gateState, gateValue } from '../../../../../subgraphs/object-storage/engine/namespace/values.ts';
import { gateOf } from '../../../../../subgraphs/object-storage/engine/store/gate.ts';
import { ObjectError, type ObjectErrorCode } from '../../../../../subgraphs/object-storage/wire/object-error.ts';
import { type Random, seededRandom } from '../../../../../trials/random.ts';
import { until } from '../../../../support/machine/temporary-folder.ts';
import { MemoryClusters } from '../../../../support/object-storage/memory-clusters.ts';

const caller: Caller = { accountId: 'a'.repeat(32), canWrite: true, name: 'ann' };
const all = { prefix: '', after: '', limit: 10_000 };
const headers: ObjectHeaders = { contentType: 'text/plain', metadata: {} };

async function* bytes(text: string): AsyncGenerator<Buffer, void> {
  yield Buffer.from(text);
}

const put = (objects: Objects, container: string, name: string, text = name) =>
  objects.put(caller, container, name, { body: bytes(text) }, headers);

async function textOf(objects: Objects, container: string, name: string): Promise<string> {
  const { body } = await objects.get(caller, container, name);
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function codeOf(work: Promise<unknown>): Promise<ObjectErrorCode | 'DONE'> {
  try {
    await work;
    return 'DONE';
  } catch (error) {
    if (error instanceof ObjectError) return error.code;
    throw error;
  }
}

describe('containers', () => {
  test('a container created at one cluster exists at another, with one unplugged', async () => {
    const clusters = new MemoryClusters();
    const [north, south] = [clusters.objects(0), clusters.objects(1)];
    await north.createContainer(caller, 'photos');
    await put(north, 'photos', 'cat.jpg');
    clusters.unplugged.add(0);
    expect(await textOf(south, 'photos', 'cat.jpg')).toBe('cat.jpg');
    expect((await south.containers(caller, all)).map(({ name, option }) => [name, option])).toEqual([
      ['photos', 'standard'],
    ]);
    expect(await codeOf(south.createContainer(caller, 'photos'))).toBe('CONTAINER_EXISTS');
    await south.delete(caller, 'photos', 'cat.jpg');
    clusters.unplugged.clear();
    expect(await codeOf(textOf(north, 'photos', 'cat.jpg'))).toBe('NO_OBJECT');
  });

  test('a client that gives the ID creates one container, even at two clusters at once, and its ID is used once', async () => {
    const clusters = new MemoryClusters();
    const [north, south] = [clusters.objects(0), clusters.objects(1)];
    const id = 'c'.repeat(32);
    const made = await Promise.all([north, south].map((each) => each.createContainer(caller, 'photos', { id })));
    expect(made.map((container) => container.id)).toEqual([id, id]);
    await put(south, 'photos', 'cat.jpg');
    expect((await north.createContainer(caller, 'photos', { id })).id).toBe(id);
    expect(await codeOf(north.createContainer(caller, 'photos', { id: 'd'.repeat(32) }))).toBe('CONTAINER_EXISTS');
    expect(await textOf(north, 'photos', 'cat.jpg')).toBe('cat.jpg');
    await north.delete(caller, 'photos', 'cat.jpg');
    await south.deleteContainer(caller, 'photos');
    // Otherwise a client that is about to free the first container's name would free that of the second, with its
    // objects.
    expect(await codeOf(north.createContainer(caller, 'photos', { id }))).toBe('NO_CONTAINER');
    expect((await north.createContainer(caller, 'photos')).id).not.toBe(id);
  });

  test('without a majority everything is refused, with the reason', async () => {
    const clusters = new MemoryClusters();
    const north = clusters.objects(0);
    await north.createContainer(caller, 'photos');
    clusters.unplugged.add(1).add(2);
    expect(await codeOf(put(north, 'photos', 'x'))).toBe('FATE_UNKNOWN');
    expect(await codeOf(north.stat(caller, 'photos', 'x'))).toBe('NO_QUORUM');
    expect(await codeOf(north.list(caller, 'photos', { prefix: '', delimiter: '', after: '', limit: 10 }))).toBe(
      'NO_QUORUM',
    );
  });

  test('a container with an object is not deleted; one with only a multipart upload is', async () => {
    const objects = new MemoryClusters().objects(0);
    await objects.createContainer(caller, 'photos');
    await put(objects, 'photos', 'x');
    expect(await codeOf(objects.deleteContainer(caller, 'photos'))).toBe('CONTAINER_NOT_EMPTY');
    await put(objects, 'photos', 'y');
    await objects.delete(caller, 'photos', 'x');
    await objects.delete(caller, 'photos', 'y');
    const id = await objects.beginUpload(caller, 'photos', 'z', headers);
    await objects.deleteContainer(caller, 'photos');
    expect(await codeOf(objects.statContainer(caller, 'photos'))).toBe('NO_CONTAINER');
    expect(await codeOf(objects.abortUpload(caller, 'photos', 'z', id))).toBe('NO_CONTAINER');
  });

  test('a cluster that knew a container before it was deleted and created again reads the new one', async () => {
    const clusters = new MemoryClusters();
    const [north, south] = [clusters.objects(0), clusters.objects(1)];
    await north.createContainer(caller, 'photos');
    expect(await codeOf(south.stat(caller, 'photos', 'x'))).toBe('NO_OBJECT');
    await north.deleteContainer(caller, 'photos');
    await north.createContainer(caller, 'photos', { option: 'other' });
    await put(north, 'photos', 'x', 'new');
    expect(await textOf(south, 'photos', 'x')).toBe('new');
    await put(south, 'photos', 'y');
    expect(await textOf(north, 'photos', 'y')).toBe('y');
  });

  test('the next writer opens a seal whose owner died', async () => {
    const clusters = new MemoryClusters();
    let dead = false;
    const dying = clusters.objects(0, () => dead);
    const south = clusters.objects(1);
    await dying.createContainer(caller, 'photos');
    const [replica] = clusters.replicas;
    const list = replica?.list.bind(replica);
    Object.assign(replica ?? {}, {
      list: (request: Parameters<NonNullable<typeof list>>[0]) => {
        if (request.sealed !== undefined) dead = true;
        return list?.(request);
      },
    });
    void dying.deleteContainer(caller, 'photos');
    await until(() => dead);
    await put(south, 'photos', 'x');
    expect(await textOf(south, 'photos', 'x')).toBe('x');
  });

  for (const seed of [1, 2, 3, 4, 5, 6])
    test(`no acknowledged object is lost to a deletion of its container (seed ${seed})`, async () => {
      expect(await storm(seededRandom(seed))).toEqual([]);
    }, 60_000);

  test('of a concurrent deletion and object creation, one is refused', async () => {
    const random = seededRandom(7);
    let certain = 0;
    for (let round = 0; round < 10; round += 1) {
      // They mostly wait.
      const races = await Promise.all(Array.from({ length: 6 }, () => race(random, new MemoryClusters())));
      expect(races.flatMap(({ fault }) => fault ?? [])).toEqual([]);
      certain += races.filter(({ isCertain }) => isCertain).length;
    }
    expect(certain).toBeGreaterThan(20);
  }, 60_000);

  test.each([true, false])(
    'an object is written after its container was found empty; replicas check gates: %s',
    async (looks) => {
      const clusters = new MemoryClusters(3, looks);
      const [north, south] = [clusters.objects(0), clusters.objects(1)];
      await north.createContainer(caller, 'hot');
      await codeOf(south.stat(caller, 'hot', 'x'));
      let stored: Promise<unknown> | undefined;
      clusters.listed = async ({ sealed }) => {
        if (sealed === undefined) return;
        stored ??= codeOf(put(south, 'hot', 'x'));
        await stored;
      };
      const deleted = await codeOf(north.deleteContainer(caller, 'hot'));
      expect([await stored, deleted, await codeOf(south.stat(caller, 'hot', 'x'))]).toEqual(
        looks ? ['DONE', 'CONTAINER_NOT_EMPTY', 'DONE'] : ['DONE', 'DONE', 'NO_CONTAINER'],
      );
    },
  );
});

/** Returns the fault as text. `isCertain`: both answers came. */
async function race(random: Random, clusters: MemoryClusters) {
  const [north, south] = [clusters.objects(0), clusters.objects(1)];
  await north.createContainer(caller, 'hot');
  await codeOf(south.stat(caller, 'hot', 'x'));
  clusters.weather = { loss: 0, mostDelayMs: 4, random: () => random.next() };
  const wait = sleep(random.integer(0, 60));
  const [stored, deleted] = await Promise.all([
    wait.then(() => codeOf(put(south, 'hot', 'x'))),
    codeOf(north.deleteContainer(caller, 'hot')),
  ]);
  clusters.weather = { loss: 0, mostDelayMs: 0, random: () => random.next() };
  const found = await codeOf(north.stat(caller, 'hot', 'x'));
  // An answer that did not come in time allows both outcomes.
  const mayBe = (code: string, outcome: string) => code === outcome || code === 'FATE_UNKNOWN';
  const isKept = mayBe(deleted, 'CONTAINER_NOT_EMPTY');
  const isStored = found === 'DONE' && isKept && mayBe(stored, 'DONE');
  const isRefused = found === 'NO_CONTAINER' && mayBe(deleted, 'DONE') && stored !== 'DONE';
  const isLost = found === 'NO_OBJECT' && isKept && stored === 'FATE_UNKNOWN';
  const fault = `put ${stored}, deletion ${deleted}, found ${found}`;
  return {
    fault: isStored || isRefused || isLost ? undefined : fault,
    isCertain: stored !== 'FATE_UNKNOWN' && deleted !== 'FATE_UNKNOWN',
  };
}

/**
 * Clients at each cluster put and delete objects, delete the container and create it, while messages are lost and
 * coordinators die. Returns the faults as text.
 */
async function storm(random: Random, clusters = new MemoryClusters()): Promise<readonly string[]> {
  clusters.weather = { loss: 0.05, mostDelayMs: 3, random: () => random.next() };
  const wrong: string[] = [];
  /** The state that a client knows of names that only it writes. */
  const known = new Map<string, 'THERE' | 'GONE' | 'UNKNOWN'>();
  const deadlineMs = 4_000;
  const within = async (work: Promise<unknown>) =>
    Promise.race([codeOf(work), sleep(deadlineMs, 'FATE_UNKNOWN' as const, { ref: false })]);
  const clients = Array.from({ length: 6 }, async (_, client) => {
    let objects = clusters.objects(client % 3);
    for (let step = 0; step < 40; step += 1) {
      const name = `${client}-${random.integer(0, 2)}`;
      const kind = random.next();
      if (kind < 0.1) {
        await within(objects.createContainer(caller, 'hot'));
      } else if (kind < 0.3) {
        await within(objects.deleteContainer(caller, 'hot'));
      } else if (kind < 0.6) {
        known.set(name, 'UNKNOWN');
        const code = await within(put(objects, 'hot', name));
        if (code === 'DONE') known.set(name, 'THERE');
        else if (code === 'NO_CONTAINER') known.set(name, 'GONE');
      } else if (kind < 0.85) {
        const before = known.get(name);
        known.set(name, 'UNKNOWN');
        const code = await within(objects.delete(caller, 'hot', name));
        if (code === 'DONE') known.set(name, 'GONE');
        else if (code === 'NO_CONTAINER' && before === 'THERE')
          wrong.push(`step ${step}: the container of ${name} is gone`);
        else if (code === 'NO_CONTAINER') known.set(name, 'GONE');
      } else if (kind < 0.95) {
        const before = known.get(name);
        const code = await within(objects.stat(caller, 'hot', name));
        if (before === 'THERE' && (code === 'NO_OBJECT' || code === 'NO_CONTAINER'))
          wrong.push(`step ${step}: ${name} is lost: ${code}`);
        if (before === 'GONE' && code === 'DONE') wrong.push(`step ${step}: ${name} is there again`);
      } else {
        // The client dies in the middle of a deletion, and another takes its place.
        const own = { isDead: false };
        objects = clusters.objects(client % 3, () => own.isDead);
        void objects.deleteContainer(caller, 'hot').catch(() => undefined);
        await sleep(random.integer(0, 12));
        own.isDead = true;
        objects = clusters.objects(client % 3);
      }
    }
  });
  await Promise.all(clients);
  clusters.weather = { loss: 0, mostDelayMs: 0, random: () => random.next() };
  const last = clusters.objects(0);
  for (const [name, state] of known) {
    const code = await codeOf(last.stat(caller, 'hot', name));
    if (state === 'THERE' && code !== 'DONE') wrong.push(`at the end ${name} is lost: ${code}`);
    if (state === 'GONE' && code === 'DONE') wrong.push(`at the end ${name} is there again`);
  }
  return wrong;
}

describe('while an option is being deleted', () => {
  const id = 'd'.repeat(32);
  const gate = gateOf({ ring: 2, scope: id });
  const unnamed = { ring: 2, id, account: caller.accountId, name: 'photos' };

  const partsOf = (clusters: MemoryClusters, self: number, isEnding: () => boolean = () => false) => {
    const topology = { ...clusters.topology(self, () => false), isEnding };
    const clock = new VersionClock({ cluster: self, nowMs: Date.now, chance: () => '0123456789ab' });
    const names = new Names({ topology, clock });
    return { names, containers: new Containers({ names, topology }) };
  };

  test('no container gets it, not even one that was just being created', async () => {
    const clusters = new MemoryClusters();
    for (const looks of [0, 1]) {
      let left = looks;
      const { names, containers } = partsOf(clusters, 0, () => {
        left -= 1;
        return left < 0;
      });
      expect(await codeOf(containers.create(caller, 'photos', { option: 'other', id }))).toBe('NO_OPTION');
      expect(await containers.list(caller, all)).toEqual([]);
      const { value } = await names.read(gate);
      expect(value && gateState(value)).toBe(looks === 0 ? undefined : 'DELETED');
    }
  });

  test('an unknown gate is closed, and that of a container stays open', async () => {
    const clusters = new MemoryClusters();
    const { names, containers } = partsOf(clusters, 0);
    const { id: ofContainer } = await containers.create(caller, 'films', { option: 'other' });
    expect(await containers.endUnnamed({ ...unnamed, id: ofContainer, name: 'films' })).toBe(false);
    expect((await containers.stat(caller, 'films')).id).toBe(ofContainer);
    await names.write(gate, gateValue({ state: 'OPEN', account: caller.accountId, container: 'photos' }));
    expect(await containers.endUnnamed(unnamed)).toBe(true);
    const { value } = await names.read(gate);
    expect(value && gateState(value)).toBe('DELETED');
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'the container either exists with the option and is found, or is refused (seed %d)',
    async (seed) => {
      const random = seededRandom(seed);
      for (let round = 0; round < 12; round += 1) {
        const clusters = new MemoryClusters();
        clusters.weather = { loss: 0, mostDelayMs: 3, random: () => random.integer(0, 999) / 1_000 };
        const [one, other] = [partsOf(clusters, 0), partsOf(clusters, 1)];
        const creating = one.containers.create(caller, 'photos', { option: 'other', id }).then(
          () => true,
          () => false,
        );
        await sleep(random.integer(0, 20));
        const isGone = await other.containers.endUnnamed(unnamed);
        const isMade = await creating;
        const isThere = (await one.containers.list(caller, all)).length === 1;
        expect([seed, round, isGone, isMade && !isThere]).toEqual([seed, round, !isThere, false]);
        const { value } = await one.names.read(gate);
        expect(value && gateState(value)).toBe(isGone ? 'DELETED' : 'OPEN');
      }
    },
  );
});
