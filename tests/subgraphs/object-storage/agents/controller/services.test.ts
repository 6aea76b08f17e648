// A cluster's reports about its services and its disk, draining and forgetting a service, and the end of a project's
// account.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { heldBy } from '../../../../../subgraphs/object-storage/control/accounts/access-key-store.ts';
import { accountEnd } from '../../../../../subgraphs/object-storage/control/accounts/account-end.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { S3TestClient } from '../../../../support/object-storage/s3-client.ts';
import { type ControlGraph, identity, projectA, projectB } from '../../support/control-graph.ts';
import { Federation } from '../../support/federation.ts';

let federation: Federation;
let graph: ControlGraph;

beforeAll(async () => {
  federation = await Federation.start(['north', 'south']);
  graph = federation.graph;
  await graph.make('objectOptionCreate', { name: 'standard' });
}, 240_000 * patience);
afterAll(() => federation.stop(), 60_000 * patience);

interface Shown {
  readonly objectClusters: {
    readonly nodes: readonly {
      readonly controllers: readonly {
        readonly disk: { readonly usedBytes: string; readonly totalBytes: string } | null;
        readonly links: readonly { readonly behindPartitions: number | null; readonly lagMs: number | null }[];
        readonly services: readonly {
          readonly role: string;
          readonly name: string;
          readonly ready: boolean;
          readonly drained: boolean;
          readonly message: string | null;
        }[];
      }[];
    }[];
  };
}

async function north() {
  const { objectClusters } = await graph.ask<Shown>(
    `{ objectClusters { nodes { controllers { disk { usedBytes totalBytes } links { behindPartitions lagMs }
      services { role name ready drained message } } } } }`,
  );
  return objectClusters.nodes[0]?.controllers[0];
}

const serverOf = async () => (await north())?.services.find(({ role }) => role === 'objectserver');

const tell = async (kind: 'Drain' | 'Undrain' | 'Remove', input: object, who = graph.admin) => {
  const { told } = await graph.ask<{ told: { userErrors: { code: string }[] } }>(
    `mutation ($input: ObjectService${kind}Input!) { told: objectService${kind}(input: $input) { userErrors { code message } } }`,
    ...[{ input: { clusterId: federation.cluster('north').id, role: 'objectserver', ...input } }, who],
  );
  return told.userErrors.map(({ code }) => code);
};

const isServed = async (name: string) => {
  const answer = await fetch(federation.url(name)).catch(() => undefined);
  return answer !== undefined;
};

test(
  'a drained server serves no users and reports it, until the drain is revoked',
  async () => {
    await waitFor('its disk and its links', async () => {
      const seen = await north();
      return seen?.disk != null && seen.links[0]?.behindPartitions === 0;
    });
    const { disk, links } = (await north()) ?? { disk: null, links: [] };
    expect([Number(disk?.usedBytes) > 0, Number(disk?.totalBytes) > Number(disk?.usedBytes)]).toEqual([true, true]);
    expect(links).toEqual([{ behindPartitions: 0, lagMs: 0 }]);
    const name = 'north-1';
    expect(await tell('Drain', { name }, identity('OPERATOR'))).toEqual(['FORBIDDEN']);
    expect(await tell('Drain', { name: 'none' })).toEqual(['NOT_FOUND']);
    expect(await tell('Drain', { name })).toEqual([]);
    await waitFor('it to be drained', async () => !(await isServed('north')) && (await serverOf())?.ready === false);
    expect(await serverOf()).toMatchObject({ drained: true, message: expect.stringContaining('drained') });
    expect(await isServed('south')).toBe(true);
    expect(await tell('Undrain', { name })).toEqual([]);
    await waitFor('it to serve', async () => (await isServed('north')) && (await serverOf())?.ready === true);
    // Only a silent service can be forgotten.
    expect(await tell('Remove', { name })).toEqual(['WRONG_STATE']);
    const { db } = federation.cluster('north');
    await db.execute(
      `INSERT INTO store_service (role, name, version, is_ready, heard_at) VALUES ('objectserver', 'old', 'test', 1, NOW(3) - INTERVAL 1 HOUR)`,
    );
    expect(await tell('Remove', { name: 'old' })).toEqual([]);
    expect(await db.query("SELECT name FROM store_service WHERE name = 'old'")).toEqual([]);
    expect(await tell('Remove', { name: 'old' })).toEqual(['NOT_FOUND']);
  },
  120_000 * patience,
);

test(
  "a project's account ends only without containers; afterwards nothing can use it",
  async () => {
    const operator = identity('OPERATOR', projectB);
    const entity = '{ id }';
    const made = await graph.mutate('objectContainerCreate', { name: 'photos' }, entity, operator);
    expect(made.faults).toEqual([]);
    const containerId = encodeId('ObjectContainer', `${encodeId('Project', projectB)}/photos`);
    const signed = async () => {
      const { objectDownloadUrlCreate } = await graph.ask<{
        objectDownloadUrlCreate: { objectUrl: { url: string } | null };
      }>(
        'mutation ($input: ObjectDownloadUrlCreateInput!) { objectDownloadUrlCreate(input: $input) { objectUrl { url } } }',
        ...[{ input: { containerId, name: 'cat' } }, operator],
      );
      return objectDownloadUrlCreate.objectUrl?.url ?? '';
    };
    const url = await signed();
    expect((await fetch(url)).status).toBe(404);
    expect(await accountEnd.look(graph, projectB)).toEqual(['1 containers of object storage']);
    expect(await accountEnd.look(graph, newUuid())).toEqual([]);
    // A user can also create a container with S3, which the control plane does not know.
    const { key } = await graph.ask<{ key: { objectAccessKey: { id: string; accessKeyId: string }; secret: string } }>(
      'mutation { key: objectAccessKeyCreate(input: { name: "backup" }) { objectAccessKey { id accessKeyId } secret } }',
      ...[{}, identity('OPERATOR', projectA)],
    );
    const credentials = { accessKeyId: key.objectAccessKey.accessKeyId, secret: key.secret };
    const client = new S3TestClient({ url: federation.url('south'), credentials });
    await waitFor('the key', async () => (await client.send({ method: 'PUT', path: '/notes' })).status === 200);
    expect(await accountEnd.look(graph, projectA)).toEqual(['1 containers of object storage']);
    expect((await graph.mutate('objectContainerDelete', { id: containerId }, entity, operator)).faults).toEqual([]);
    expect(await accountEnd.look(graph, projectB)).toEqual([]);
    // The keys of URLs do not keep the account, and end with it.
    expect(await heldBy(graph.db, projectB)).toEqual([]);
    await graph.db.transaction((tx) => accountEnd.end(tx, graph.wake, projectB));
    await waitFor('the URL to open nothing', async () => (await fetch(url)).status === 403);
    const [document] = await graph.db.query<{ body: string }>(
      "SELECT body FROM object_document WHERE name LIKE 'account/%' AND body LIKE ?",
      [`%${projectB}%`],
    );
    expect(JSON.parse(document?.body ?? '{}')).toMatchObject({ state: 'CLOSED', projectId: projectB });
    // The project stays as long as its containers can't be determined.
    for (const name of ['north', 'south']) await federation.cluster(name).controller.stop();
    await expect(accountEnd.look(graph, projectA)).rejects.toThrow(
      'UNAVAILABLE: cannot find out whether the project has containers',
    );
    expect(await accountEnd.look(graph, projectB)).toEqual([]);
  },
  120_000 * patience,
);
