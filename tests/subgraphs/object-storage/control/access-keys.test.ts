// Accounts and access keys in the graph, in the documents of clusters, and for clusters that are added later.
import { expect, test } from '@jest/globals';
import { Keyring } from '../../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../../platform/secrets/seal.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { heldBy } from '../../../../subgraphs/object-storage/control/accounts/access-key-store.ts';
import {
  createClusterKeyQueue,
  resealAccessKeys,
} from '../../../../subgraphs/object-storage/control/accounts/cluster-key-queue.ts';
import { retireUrlKeys } from '../../../../subgraphs/object-storage/control/containers/url-service.ts';
import { connectController } from '../../../../subgraphs/object-storage/control/stores/controller-store.ts';
import { documentNamed } from '../../../../subgraphs/object-storage/control/stores/document-store.ts';
import { lockFederation } from '../../../../subgraphs/object-storage/control/stores/federation-store.ts';
import type { AccessKeyDocument } from '../../../../subgraphs/object-storage/wire/documents/documents.ts';
import { open, sealedPlace } from '../../../../subgraphs/object-storage/wire/documents/seal-for.ts';
import { readDocument } from '../../../../subgraphs/object-storage/wire/documents/signed-document.ts';
import { forTest } from '../../../support/jest/shared.ts';
import { OwedRunner } from '../../../support/product/owed-runner.ts';
import { keyFile } from '../../../support/product/test-context.ts';
import { ControlGraph, type Input, identity, projectA, projectB } from '../support/control-graph.ts';
import { clusterKeys } from '../support/scripted-controller.ts';

const graph = forTest(() => ControlGraph.open());
const operator = identity('OPERATOR');

const create = `mutation ($input: ObjectAccessKeyCreateInput!) { made: objectAccessKeyCreate(input: $input) {
  objectAccessKey { id accessKeyId canWrite revokedAt account { id project { id } } } secret userErrors { code field } } }`;

interface Made {
  readonly made: {
    readonly objectAccessKey: {
      readonly id: string;
      readonly accessKeyId: string;
      readonly account: { id: string };
    } | null;
    readonly secret: string | null;
    readonly userErrors: readonly object[];
  };
}

async function makeKey(input: Input = {}, who = operator) {
  const { made } = await graph.ask<Made>(create, { input: { name: 'backup', ...input } }, who);
  return made;
}

async function told(accessKeyId: string): Promise<AccessKeyDocument> {
  const document = await documentNamed(graph.db, `key/${accessKeyId}`);
  const read = document && readDocument(document);
  if (read?.kind !== 'key' || read.body === undefined) throw new Error(`there is no document about ${accessKeyId}`);
  return read.body;
}

/** Acts like a controller with that name that reports its cluster's key, and a worker that seals for it. */
async function tellKeyOf(cluster: string, publicKey: string): Promise<void> {
  const facts = { position: { history: '', number: 0 }, keyIds: [], publicKey, version: 'test' };
  await graph.db.transaction(async (tx) => {
    await lockFederation(tx);
    await connectController(tx, graph.wake, { machine: { id: newUuid(), name: cluster }, facts, linkedTo: 'test' });
  });
  const queue = createClusterKeyQueue({ db: graph.db, wake: graph.wake, sealer: async () => graph.sealer });
  expect(await new OwedRunner(graph.db, [queue]).runDue()).toEqual([]);
}

test('a key is shown once, and each cluster gets it sealed for itself', async () => {
  const [north, south] = [clusterKeys(), clusterKeys()];
  await graph.make('objectClusterCreate', { name: 'north' });
  await graph.make('objectClusterCreate', { name: 'south' });
  await tellKeyOf('north', north.publicKey);
  const first = await makeKey({ idempotencyKey: 'k1' });
  const key = first.objectAccessKey;
  expect(first).toMatchObject({
    objectAccessKey: { canWrite: true, revokedAt: null, account: { project: { id: encodeId('Project', projectA) } } },
    secret: expect.stringMatching(/^[\w-]{40}$/),
    userErrors: [],
  });
  expect(key?.accessKeyId).toMatch(/^TG[A-Z2-7]{18}$/);
  expect(await makeKey({ idempotencyKey: 'k1' })).toEqual({ ...first, secret: null });
  const accessKeyId = key?.accessKeyId ?? '';
  const before = await told(accessKeyId);
  expect([Object.keys(before.sealed), before.canWrite, before.isRevoked]).toEqual([['0'], true, false]);
  const opened = (body: AccessKeyDocument, cluster: number, { privateKey }: { readonly privateKey: string }) =>
    open(body.sealed[cluster] ?? '', privateKey, sealedPlace(accessKeyId, cluster));
  expect(opened(before, 0, north)).toBe(first.secret);
  expect(() => opened(before, 0, south)).toThrow('sealed for another');
  // The account is sent too, before the key.
  const account = await documentNamed(graph.db, `account/${before.accountId}`);
  expect(account && readDocument(account).body).toEqual({
    ...{ id: before.accountId, projectId: projectA, name: 'alpha', state: 'ACTIVE' },
  });
  expect(account?.generation).toBeLessThan((await documentNamed(graph.db, `key/${accessKeyId}`))?.generation ?? 0);
  // It is stored nowhere in plain text.
  for (const table of ['object_access_key', 'object_document', 'audit_entry', 'idempotency_key', 'status_change']) {
    const rows = await graph.db.query<object>(`SELECT * FROM ${table}`);
    const text = JSON.stringify(rows.map((row) => Object.values(row).map((value) => String(value))));
    expect([rows.length > 0, text.includes(first.secret ?? '?')]).toEqual([true, false]);
  }
  // A cluster that reports its key later gets it.
  await tellKeyOf('south', south.publicKey);
  const after = await told(accessKeyId);
  expect([opened(after, 0, north), opened(after, 1, south)]).toEqual([first.secret, first.secret]);
  expect(after.sealed['0']).toBe(before.sealed['0']);
});

test('each of many keys is sealed for a cluster that is added later, and revoked keys are not', async () => {
  const north = clusterKeys();
  await graph.make('objectClusterCreate', { name: 'north' });
  const made = [];
  for (let at = 0; at < 60; at += 1) made.push(await makeKey());
  const revoked = made[7]?.objectAccessKey;
  const revoke = `mutation ($input: ObjectAccessKeyRevokeInput!) { made: objectAccessKeyRevoke(input: $input) {
    objectAccessKey { id revokedAt version } secret userErrors { code } } }`;
  const input = { id: revoked?.id };
  const gone = {
    made: { objectAccessKey: { version: 2, revokedAt: expect.any(String) }, secret: null, userErrors: [] },
  };
  expect(await graph.ask(revoke, { input }, operator)).toMatchObject(gone);
  expect(await graph.ask(revoke, { input }, operator)).toMatchObject(gone);
  await tellKeyOf('north', north.publicKey);
  for (const { objectAccessKey, secret } of made) {
    const { accessKeyId = '' } = objectAccessKey ?? {};
    const { sealed, isRevoked } = await told(accessKeyId);
    if (objectAccessKey === revoked) expect([sealed, isRevoked]).toEqual([{}, true]);
    else expect(open(sealed['0'] ?? '', north.privateKey, sealedPlace(accessKeyId, 0))).toBe(secret);
  }
  expect(await heldBy(graph.db, projectA)).toEqual(['59 access keys of object storage']);
  const { userErrors } = await (async () => {
    for (let at = 0; at < 41; at += 1) await makeKey();
    return makeKey();
  })();
  expect(userErrors).toEqual([{ code: 'LIMIT_REACHED', field: [] }]);
});

test('keys belong to the operators of their project', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const usual = await graph.make('objectOptionCreate', { name: 'usual' });
  const { objectAccessKey } = await makeKey();
  const id = objectAccessKey?.id ?? '';
  const text = `{ objectAccessKey(id: "${id}") { id } objectAccessKeys { nodes { id } totalCount } }`;
  const list = (nodes: readonly object[]) => ({ nodes, totalCount: nodes.length });
  const all = { objectAccessKey: { id }, objectAccessKeys: list([{ id }]) };
  const none = { objectAccessKey: null, objectAccessKeys: list([]) };
  expect(await graph.ask(text, {}, operator)).toEqual(all);
  expect(await graph.ask(text)).toEqual(all);
  for (const who of [identity('MEMBER'), identity('OPERATOR', projectB)])
    expect(await graph.ask(text, {}, who)).toEqual(none);
  await makeKey({ name: 'Zebra' });
  const named = `{ objectAccessKeys(text: "EB", projectId: "${encodeId('Project', projectA)}") { nodes { name } totalCount } }`;
  expect(await graph.ask(named)).toEqual({ objectAccessKeys: { nodes: [{ name: 'Zebra' }], totalCount: 1 } });
  expect(await makeKey({}, identity('MEMBER'))).toMatchObject({ secret: null, userErrors: [{ code: 'FORBIDDEN' }] });
  const project = encodeId('Project', projectB);
  expect(await makeKey({ projectId: project })).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
  expect(await makeKey({ name: '' })).toMatchObject({
    userErrors: [{ code: 'INVALID_INPUT', field: ['input', 'name'] }],
  });
  const account = `{ objectAccount(id: "${objectAccessKey?.account.id}") { project { id } } }`;
  expect(await graph.ask(account, {}, identity('VIEWER', projectB))).toEqual({ objectAccount: null });
  expect(await graph.ask(account, {}, identity('VIEWER'))).toMatchObject({ objectAccount: { project: {} } });
  // From now on clusters may hold data.
  expect((await graph.mutate('objectOptionDelete', { id: usual })).faults).toEqual(['IN_USE input.id']);
});

test('secrets are resealed with another key of the installation', async () => {
  await graph.make('objectClusterCreate', { name: 'north' });
  const { secret } = await makeKey();
  const sealer = createSealer(
    new Keyring({ active: 'k2', keys: { ...keyFile.keys, k2: Buffer.alloc(32, 9).toString('base64') } }),
  );
  const reseal = () => resealAccessKeys(graph.db, { sealer, keyId: 'k2', openOlder: false });
  expect(await reseal()).toEqual({ resealed: 1, trusted: [], failed: [] });
  expect(await reseal()).toEqual({ resealed: 0, trusted: [], failed: [] });
  const [row] = await graph.db.query<{ id: string; keyId: string; sealed: Buffer }>(
    'SELECT id, key_id AS keyId, sealed_secret AS sealed FROM object_access_key',
  );
  expect(row && sealer.open(row, `object-access-key/${row.id}/secret`)).toBe(secret);
});

test('a URL key that a user revokes while old ones are retired is revoked once', async () => {
  const { objectAccessKey: key } = await makeKey();
  await graph.db.execute('UPDATE object_access_key SET for_urls = 1, created_at = NOW(3) - INTERVAL 39 DAY');
  const racing = {
    query: graph.db.query.bind(graph.db),
    async transaction(work: Parameters<typeof graph.db.transaction>[0]) {
      await graph.ask(
        'mutation ($id: ID!) { objectAccessKeyRevoke(input: { id: $id }) { userErrors { code } } }',
        { id: key?.id },
        operator,
      );
      return graph.db.transaction(work);
    },
  };
  await retireUrlKeys({ db: racing as unknown as typeof graph.db, wake: graph.wake }, 100);
  const { objectAccessKey } = await graph.ask<{ objectAccessKey: { version: number; revokedAt: string | null } }>(
    'query ($id: ID!) { objectAccessKey(id: $id) { version revokedAt } }',
    { id: key?.id },
    operator,
  );
  expect(objectAccessKey).toEqual({ version: 2, revokedAt: expect.anything() });
  expect(await graph.db.query("SELECT 1 FROM status_change WHERE to_status = 'REVOKED'")).toHaveLength(1);
});
