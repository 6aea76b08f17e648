// End to end: an administrator's changes in the graph reach the controllers of clusters, and their servers apply them.
// A key that a user created works at each cluster, and a revoked key at none.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { S3TestClient } from '../../../../support/object-storage/s3-client.ts';
import { type ControlGraph, identity } from '../../support/control-graph.ts';
import { Federation } from '../../support/federation.ts';

const names = ['north', 'south', 'east'];
let federation: Federation;
let graph: ControlGraph;

beforeAll(async () => {
  federation = await Federation.start(names);
  graph = federation.graph;
}, 240_000 * patience);
afterAll(() => federation.stop(), 60_000 * patience);

interface Made {
  readonly made: { readonly objectAccessKey: { id: string; accessKeyId: string }; readonly secret: string };
}

test(
  'a key created in the graph works at every cluster until it is revoked',
  async () => {
    await graph.make('objectOptionCreate', { name: 'standard' });
    const { made } = await graph.ask<Made>(
      `mutation { made: objectAccessKeyCreate(input: { name: "backup" }) { objectAccessKey { id accessKeyId } secret } }`,
      {},
      identity('OPERATOR'),
    );
    const credentials = { accessKeyId: made.objectAccessKey.accessKeyId, secret: made.secret };
    const client = (name: string) => new S3TestClient({ url: federation.url(name), credentials });
    const put = (name: string, path: string, body = '') => client(name).send({ method: 'PUT', path, body });
    const get = (name: string, path: string) => client(name).send({ method: 'GET', path });
    await waitFor('the key, the option and the rings to be everywhere', async () => {
      const answers = await Promise.all(names.map((name) => get(name, '/')));
      return answers.every(({ status }) => status === 200) && (await put('north', '/photos')).status === 200;
    });
    expect((await put('south', '/photos/cat', 'miau')).status).toBe(200);
    expect((await get('east', '/photos/cat')).text).toBe('miau');
    await waitFor('the control plane to see all clusters', async () => {
      const { objectClusters } = await graph.ask<{ objectClusters: { nodes: { controllers: object[] }[] } }>(
        '{ objectClusters { nodes { name presence controllers { rings { number epoch } links { connected behindPartitions } services { role ready } } } } }',
      );
      const links = [
        { connected: true, behindPartitions: 0 },
        { connected: true, behindPartitions: 0 },
      ];
      return objectClusters.nodes.every(({ controllers: [controller] }) => {
        const seen = controller as { links: object[]; services: { role: string; ready: boolean }[] } | undefined;
        const ready = seen?.services.filter(({ ready: isReady }) => isReady).map(({ role }) => role);
        return JSON.stringify(seen?.links) === JSON.stringify(links) && ready?.length === 2;
      });
    });
    const { revoked } = await graph.ask<{ revoked: { userErrors: object[] } }>(
      'mutation ($id: ID!) { revoked: objectAccessKeyRevoke(input: { id: $id }) { userErrors { code } } }',
      { id: made.objectAccessKey.id },
      identity('OPERATOR'),
    );
    expect(revoked.userErrors).toEqual([]);
    await waitFor('the revocation to be everywhere', async () => {
      const answers = await Promise.all(names.map((name) => get(name, '/photos/cat')));
      return answers.every(({ status, code }) => status === 403 && code === 'InvalidAccessKeyId');
    });
  },
  180_000 * patience,
);
