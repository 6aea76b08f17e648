// Access keys from the local documents. A secret sealed for this cluster can be opened, and a revocation takes effect
// at once.
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { Access } from '../../../../../subgraphs/object-storage/agents/server/access.ts';
import type { AccessKeyDocument } from '../../../../../subgraphs/object-storage/wire/documents/documents.ts';
import { sealedPlace, sealFor } from '../../../../../subgraphs/object-storage/wire/documents/seal-for.ts';
import type { StoredDocument } from '../../../../../subgraphs/object-storage/wire/documents/stored-document.ts';

const accessKeyId = 'TG00000000000000000A';
const accountId = 'a'.repeat(32);
const name = `key/${accessKeyId}`;
const own = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

function documents(changed: Partial<AccessKeyDocument> = {}): Map<string, StoredDocument> {
  const sealed = { 3: sealFor(own.publicKey, 'the secret', sealedPlace(accessKeyId, 3)) };
  const bodies = {
    key: { accessKeyId, accountId, canWrite: false, sealed, isRevoked: false, ...changed },
    account: { id: accountId, projectId: '0190d000-0000-7000-8000-000000000001', name: 'alice', state: 'ACTIVE' },
  };
  const keys = { key: accessKeyId, account: accountId };
  return new Map(
    (['key', 'account'] as const).map((kind) => [
      kind,
      { kind, key: keys[kind], generation: 1, body: JSON.stringify(bodies[kind]), signature: 'k/s' },
    ]),
  );
}

function accessTo(stored: Map<string, StoredDocument>, self = 3) {
  /** Runs after a key was read and before it is returned. */
  const reading = { meanwhile: async (): Promise<void> => undefined };
  const store = {
    async find(kind: string) {
      const found = stored.get(kind);
      await reading.meanwhile();
      return found;
    },
  };
  const log = pino({ level: 'silent' });
  return { reading, access: new Access({ store, self, privateKey: own.privateKey, log }) };
}

test('a secret that is sealed for this cluster opens', async () => {
  const { access } = accessTo(documents());
  const caller = { accountId, canWrite: false, name: accessKeyId };
  expect(await access.find(accessKeyId)).toEqual({ secret: 'the secret', caller });
  expect(await access.find('TG00000000000000000B/../x')).toBeUndefined();
});

test('a secret that is sealed for another cluster, or copied from its place, does not open', async () => {
  expect(await accessTo(documents(), 4).access.find(accessKeyId)).toBeUndefined();
  const sealed = { 4: sealFor(own.publicKey, 'the secret', sealedPlace(accessKeyId, 3)) };
  expect(await accessTo(documents({ sealed }), 4).access.find(accessKeyId)).toBeUndefined();
});

test('a revoked key is not found from the moment its document is accepted', async () => {
  const stored = documents();
  const { access } = accessTo(stored);
  expect(await access.find(accessKeyId)).toBeDefined();
  const revoked = documents({ isRevoked: true }).get('key');
  if (revoked !== undefined) stored.set('key', revoked);
  access.take({ kind: 'key', name });
  expect(await access.find(accessKeyId)).toBeUndefined();
});

test('an answer that was read before a revocation is not cached after it', async () => {
  const stored = documents();
  const { access, reading } = accessTo(stored);
  reading.meanwhile = async () => {
    reading.meanwhile = async () => undefined;
    const revoked = documents({ isRevoked: true }).get('key');
    if (revoked !== undefined) stored.set('key', revoked);
    access.take({ kind: 'key', name });
  };
  await access.find(accessKeyId);
  expect(await access.find(accessKeyId)).toBeUndefined();
});

test('a cluster that was cut off for too long accepts no user', async () => {
  const { access } = accessTo(documents());
  expect(await access.find(accessKeyId)).toBeDefined();
  access.isIsolated = true;
  await expect(access.find(accessKeyId)).rejects.toMatchObject({ code: 'ISOLATED' });
  access.isIsolated = false;
  expect(await access.find(accessKeyId)).toBeDefined();
});
