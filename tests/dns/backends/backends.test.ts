// Backends and zones as an administrator creates them: checked, sealed, opened again, and kept while they are in use.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BackendSecret } from '../../../dns/backends/backend.ts';
import { type BackendInput, checkBackend } from '../../../dns/backends/backend-input.ts';
import { openSecret } from '../../../dns/backends/backend-secret.ts';
import { createBackend, removeBackend, updateBackend } from '../../../dns/backends/backend-service.ts';
import { readBackend, serversOfEach } from '../../../dns/backends/backend-store.ts';
import { BackendOpener } from '../../../dns/backends/open-backends.ts';
import { resealBackends } from '../../../dns/backends/reseal.ts';
import { createZone, removeZone, updateZone } from '../../../dns/backends/zone-service.ts';
import { createPublishQueue } from '../../../dns/publish/publish-queue.ts';
import { isPublished } from '../../../dns/records/record-set.ts';
import { declareRecords, readRecordSet, withdrawRecords } from '../../../dns/records/record-store.ts';
import { egressFrom } from '../../../platform/net/egress.ts';
import { OwedWork } from '../../../platform/owed/owed-work.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../platform/secrets/seal.ts';
import { testEgress } from '../../support/machine/egress.ts';
import { keyFile, type TestContext } from '../../support/product/test-context.ts';
import { openDnsContext } from '../support/dns-context.ts';
import { bind, type NameServer, zone } from '../support/name-servers.ts';

let ground: TestContext;
let server: NameServer;
const spec = { nameServers: [], isSigned: false, secondaries: [] };

beforeAll(async () => {
  ground = await openDnsContext();
  server = await bind();
});

beforeEach(async () => {
  for (const table of ['dns_record_set', 'dns_zone', 'dns_backend', 'dns_server', 'owed_work'])
    await ground.db.execute(`DELETE FROM ${table}`);
});

afterAll(async () => {
  await server.remove();
  await ground.stop();
});

function inputOf(change: Partial<BackendInput> = {}): BackendInput {
  const { address, port } = server.place;
  const keySecret = server.key.secret.toString('base64');
  const rfc2136 = { servers: [`${address}:${port}`], keyName: server.key.name };
  return { name: 'bind', type: 'RFC2136', rfc2136, credentials: { keySecret }, ...change };
}

function create(input = inputOf()) {
  const checked = checkBackend(input, testEgress);
  return ground.db.transaction((tx) => createBackend(tx, ground.sealer, { ...checked, name: input.name }));
}

function update(id: string, input: BackendInput) {
  const checked = checkBackend(input, testEgress);
  return ground.db.transaction((tx) => updateBackend(tx, ground, id, { ...checked, name: input.name }));
}

const makeZone = (backendId: string | null, change: object = {}) =>
  ground.db.transaction((tx) => createZone(tx, ground.wake, { name: zone, backendId, rules: [], spec, ...change }));

describe('a backend', () => {
  test('is stored with its secret sealed, and its names are published at its servers', async () => {
    const { id } = await create();
    const [raw] = await ground.db.query<{ spec: string; secret: Buffer }>(
      'SELECT spec, sealed_secret AS secret FROM dns_backend',
    );
    const secret = server.key.secret.toString('base64');
    expect(`${raw?.spec}${raw?.secret.toString('latin1')}`).not.toContain(secret);
    await makeZone(id);
    const name = `web.${zone}`;
    const records = [{ type: 'A', value: '192.0.2.1' } as const];
    const { db, wake } = ground;
    await db.transaction((tx) => declareRecords(tx, wake, { zone, name, owner: 'gslb/1', records, ttlSeconds: 5 }));
    const backends = new BackendOpener({ db, egress: testEgress, sealer: async () => ground.sealer, timeoutMs: 2_000 });
    const queue = createPublishQueue({ db, wake, servers: [], backends });
    const set = await readRecordSet(db, { zone, name });
    const job = await new OwedWork({ db }).claim('dns-publish', set?.id ?? '');
    if (job === undefined) throw new Error('the publication is owed');
    await queue.run(job, { signal: AbortSignal.timeout(10_000) });
    expect(await server.dig(name, 'A')).toEqual(['192.0.2.1']);
    const published = await readRecordSet(db, { zone, name });
    expect(published !== undefined && isPublished(published)).toBe(true);
    const seen = await serversOfEach(db, [(await readBackend(db, id)) as never]);
    expect(seen.get(id)).toMatchObject([{ state: 'SERVING' }]);
    await backends.close();
  });

  test('has a unique name, and keeps its type', async () => {
    const { id } = await create();
    await expect(create()).rejects.toThrow('ALREADY_EXISTS');
    await expect(update(id, { name: 'bind', type: 'ANSWERER' })).rejects.toThrow('never changes');
  });

  test('gets its secret again when its servers change, and otherwise keeps it', async () => {
    const { id } = await create();
    const own = inputOf().rfc2136 as NonNullable<BackendInput['rfc2136']>;
    await update(id, inputOf({ name: 'renamed', credentials: null }));
    const moved = { ...own, servers: ['127.0.0.1:5399'] };
    await expect(update(id, inputOf({ rfc2136: moved, credentials: null }))).rejects.toThrow('CREDENTIALS_REQUIRED');
    const row = await readBackend(ground.db, id);
    expect(row).toMatchObject({ name: 'renamed', version: 2 });
    const opened: BackendSecret = openSecret(ground.sealer, row as never);
    expect(opened).toEqual({ keySecret: server.key.secret.toString('base64') });
    // Somebody changed the row by hand.
    const elsewhere = { ...row, spec: { ...row?.spec, servers: ['127.0.0.1:5399'] } };
    expect(() => openSecret(ground.sealer, elsewhere as never)).toThrow('CREDENTIALS_UNUSABLE');
  });

  test('has its secret sealed again with another key, and one that can not be opened is reported', async () => {
    const { id } = await create();
    const own = inputOf().rfc2136 as NonNullable<BackendInput['rfc2136']>;
    const { id: changed } = await create(inputOf({ name: 'changed', rfc2136: { ...own, keyName: 'other' } }));
    await ground.db.execute("UPDATE dns_backend SET spec = REPLACE(spec, 'other', 'third') WHERE id = ?", [changed]);
    const keys = { ...keyFile.keys, k2: Buffer.alloc(32, 8).toString('base64') };
    const sealer = createSealer(new Keyring({ active: 'k2', keys }));
    const options = { sealer, keyId: 'k2', openOlder: false };
    const failed = [expect.stringContaining('DNS backend changed')];
    expect(await resealBackends(ground.db, options)).toEqual({ resealed: 1, trusted: [], failed });
    const row = await readBackend(ground.db, id);
    expect(row).toMatchObject({ keyId: 'k2' });
    expect(openSecret(sealer, row as never)).toEqual(inputOf().credentials);
  });

  test('with a zone is not removed', async () => {
    const { id } = await create();
    const made = await makeZone(id);
    const remove = () => ground.db.transaction((tx) => removeBackend(tx, id));
    await expect(remove()).rejects.toThrow('IN_USE');
    await ground.db.transaction((tx) => removeZone(tx, made.id));
    await remove();
    expect(await readBackend(ground.db, id)).toBeUndefined();
  });

  const trust = { certificateSha256: `SHA256:${'A'.repeat(43)}` };
  const powerdns = { servers: [{ url: 'https://127.0.0.1:8081', dns: '127.0.0.1:53', ...trust }] };
  const credentials = { apiKey: 'k' };
  test.each<[string, Partial<BackendInput>, string]>([
    ['no fields of its type', { rfc2136: null }, 'needs rfc2136'],
    ['fields of another type', { powerdns }, 'has no powerdns'],
    ['a secret of another type', { credentials }, 'has no apiKey'],
    ['a name with a dot', { name: 'a.b' }, 'name'],
    ['no servers', { rfc2136: { servers: [], keyName: 'k' } }, '0 servers'],
    ['a server by name', { rfc2136: { servers: ['ns.example.test:53'], keyName: 'k' } }, 'ADDRESS:PORT'],
    ['a server twice', { rfc2136: { servers: ['127.0.0.1:53', '127.0.0.1:53'], keyName: 'k' } }, 'twice'],
    ['a short secret', { credentials: { keySecret: 'AAAA' } }, 'base64'],
    [
      'another algorithm',
      { rfc2136: { servers: ['127.0.0.1:53'], keyName: 'k', keyAlgorithm: 'hmac-md5' } },
      'give hmac',
    ],
    [
      'an API without TLS',
      {
        type: 'POWERDNS',
        ...{ rfc2136: null, credentials },
        powerdns: { ...powerdns, servers: [{ ...powerdns.servers[0], url: 'http://127.0.0.1', dns: '127.0.0.1:53' }] },
      },
      'https URL',
    ],
    [
      'a certificate that nobody vouches for',
      {
        type: 'POWERDNS',
        ...{ rfc2136: null, credentials },
        powerdns: { servers: [{ url: 'https://127.0.0.1', dns: '127.0.0.1:53' }] },
      },
      'fingerprint',
    ],
    [
      'a transfer key without its secret',
      { type: 'POWERDNS', rfc2136: null, credentials, powerdns: { ...powerdns, transferKeyName: 'k' } },
      'transferKeySecret is missing',
    ],
  ])('with %s is refused', (_what, change, message) => {
    expect(() => checkBackend(inputOf(change), testEgress)).toThrow(message);
  });

  test('at an address that the egress policy denies is refused', () => {
    expect(() => checkBackend(inputOf(), egressFrom({}))).toThrow('EGRESS_DENIED');
  });
});

describe('a zone', () => {
  const rules = [{ suffix: zone, projectIds: ['p1'] }];

  test('with names stays at its backend, and is not removed', async () => {
    const { id } = await create();
    const name = `web.${zone}`;
    const { db, wake } = ground;
    const records = [{ type: 'A', value: '192.0.2.1' } as const];
    await db.transaction((tx) => declareRecords(tx, wake, { zone, name, owner: 'gslb/1', records, ttlSeconds: 5 }));
    await expect(makeZone(id)).rejects.toThrow('IN_USE');
    // The zone came with its name, and an administrator adds rules.
    const made = await makeZone(null, { rules });
    await expect(makeZone(null)).rejects.toThrow('ALREADY_EXISTS');
    const input = { name: zone, rules: [], spec };
    const move = (backendId: string) => db.transaction((tx) => updateZone(tx, wake, made.id, { ...input, backendId }));
    await expect(move(id)).rejects.toThrow('IN_USE');
    await expect(db.transaction((tx) => removeZone(tx, made.id))).rejects.toThrow('IN_USE');
    await db.transaction((tx) => withdrawRecords(tx, wake, { zone, name, owner: 'gslb/1' }));
    await db.execute('DELETE FROM dns_record_set');
    expect(await move(id)).toMatchObject({ backendId: id, version: 3 });
  });

  test('at a backend that takes plans has no records', async () => {
    const { id } = await create({ name: 'ours', type: 'ANSWERER' });
    await makeZone(id);
    const records = [{ type: 'A', value: '192.0.2.1' } as const];
    const declare = ground.db.transaction((tx) =>
      declareRecords(tx, ground.wake, { zone, name: `web.${zone}`, owner: 'gslb/1', records, ttlSeconds: 5 }),
    );
    await expect(declare).rejects.toThrow('NOT_SUPPORTED');
  });

  test.each([
    ['signed by a backend that does not sign', { spec: { ...spec, isSigned: true } }, 'NOT_SUPPORTED'],
    ['with secondaries elsewhere', { spec: { ...spec, secondaries: ['127.0.0.1:53'] } }, 'NOT_SUPPORTED'],
    ['with a rule for another zone', { rules: [{ suffix: 'example.org', projectIds: null }] }, 'not below the zone'],
    ['with capital letters', { name: 'Example.test' }, 'is not a zone'],
  ])('%s is refused', async (_what, change, message) => {
    await expect(makeZone(null, change)).rejects.toThrow(message);
  });
});
