// The keys that sign URLs. A key is made when it is needed, and an existing one is used without waiting.
import { beforeEach, expect, test } from '@jest/globals';
import type { Identity } from '../../../../platform/caller/identity.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { encodeContainer } from '../../../../subgraphs/object-storage/control/containers/container-reads.ts';
import { connectController } from '../../../../subgraphs/object-storage/control/stores/controller-store.ts';
import { lockFederation } from '../../../../subgraphs/object-storage/control/stores/federation-store.ts';
import { forTest } from '../../../support/jest/shared.ts';
import { ControlGraph, identity, projectA } from '../support/control-graph.ts';
import { clusterKeys } from '../support/scripted-controller.ts';

const graph = forTest(() => ControlGraph.open());

beforeEach(async () => {
  await graph.make('objectClusterCreate', { name: 'north', s3Urls: ['https://s3.north.test'] });
  const facts = { position: { history: '', number: 0 }, keyIds: [], version: 'test', ...clusterKeys() };
  await graph.db.transaction(async (tx) => {
    await lockFederation(tx);
    await connectController(tx, graph.wake, { machine: { id: newUuid(), name: 'north' }, facts, linkedTo: 'test' });
  });
  const made = await graph.mutate('objectAccessKeyCreate', { name: 'first' }, '{ id }', identity('OPERATOR'));
  expect(made.faults).toEqual([]);
  // It has every document, even future ones, so only a new key would have to be awaited.
  const history = '(SELECT history FROM object_federation WHERE id = 1)';
  await graph.db.execute('UPDATE object_cluster SET present = 1');
  await graph.db.execute(
    `UPDATE object_controller SET state = JSON_OBJECT('position', JSON_OBJECT('history', ${history}, 'number', 1000000))`,
  );
});

const document = (mutation: string) => {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  return `mutation ($input: ${type}!) { made: ${mutation}(input: $input) { objectUrl { url } userErrors { code message } } }`;
};

/** The ID of the key that signed. */
async function signedBy(mutation: string, who: Identity): Promise<string> {
  const input = { containerId: encodeContainer({ projectId: projectA, name: 'photos' }), name: 'cat.jpg' };
  const { made } = await graph.ask<{ made: { objectUrl: { url: string } | null; userErrors: object[] } }>(
    ...([document(mutation), { input }, who] as const),
  );
  expect(made.userErrors).toEqual([]);
  const [keyId = ''] = (new URL(made.objectUrl?.url ?? '').searchParams.get('X-Amz-Credential') ?? '').split('/');
  return keyId;
}

test('a viewer signs with a known key while the federation is being changed', async () => {
  const viewer = identity('VIEWER');
  const first = await signedBy('objectDownloadUrlCreate', viewer);
  expect(first).toMatch(/^TG[A-Z2-7]{18}$/);
  await graph.db.transaction(async (tx) => {
    await lockFederation(tx);
    expect(await signedBy('objectDownloadUrlCreate', viewer)).toBe(first);
  });
});

test('concurrent requests make one key for downloads and one for uploads', async () => {
  const operator = identity('OPERATOR');
  const mutations = ['objectDownloadUrlCreate', 'objectUploadUrlCreate', 'objectDeleteUrlCreate'];
  const ids = await Promise.all(mutations.flatMap((each) => [each, each]).map((each) => signedBy(each, operator)));
  expect(new Set(ids).size).toBe(2);
  const keys = await graph.db.query('SELECT id FROM object_access_key WHERE for_urls = 1');
  expect(keys).toHaveLength(2);
});

test('a container of a project with an account is created while the federation is being changed', async () => {
  await graph.make('objectOptionCreate', { name: 'standard' });
  await graph.db.execute('DELETE FROM object_controller');
  await graph.db.transaction(async (tx) => {
    await lockFederation(tx);
    // The request gets as far as the clusters, and none is connected.
    const { faults } = await graph.mutate('objectContainerCreate', { name: 'photos' }, '{ id }', identity('OPERATOR'));
    expect(faults).toEqual(['UNAVAILABLE ']);
  });
});
