// A cluster whose controller can't reach the control plane gets its documents through the controllers of other
// clusters, so a revocation arrives. This does not count as contact with the control plane, and documents without the
// control plane's signature are never accepted.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newKeyPair, SigningKeys } from '../../../../../platform/secrets/key-pairs.ts';
import { DocumentStore } from '../../../../../subgraphs/object-storage/engine/store/document-store.ts';
import { documentName } from '../../../../../subgraphs/object-storage/wire/documents/documents.ts';
import { signDocument } from '../../../../../subgraphs/object-storage/wire/documents/signed-document.ts';
import { toStored } from '../../../../../subgraphs/object-storage/wire/documents/stored-document.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { stays, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { Federation } from '../../../../support/object-storage/federation.ts';
import { S3TestClient } from '../../../../support/object-storage/s3-client.ts';
import { identity } from '../../support/control-graph.ts';

const cleanup = new AsyncDisposableStack();
let federation: Federation;

beforeAll(async () => {
  federation = await Federation.open(cleanup);
  for (const name of ['north', 'south']) await federation.add(name);
  await federation.graph.make('objectOptionCreate', { name: 'standard' });
}, 180_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

interface Made {
  readonly made: {
    readonly objectAccessKey: { readonly id: string; readonly accessKeyId: string };
    readonly secret: string;
  };
}

test(
  'a revocation arrives through another cluster, and a forged document does not',
  async () => {
    const { graph, clusters } = federation;
    const [north, south] = [clusters.get('north'), clusters.get('south')];
    if (north === undefined || south === undefined) throw new Error('no cluster');
    const { made } = await graph.ask<Made>(
      'mutation { made: objectAccessKeyCreate(input: { name: "backup" }) { objectAccessKey { id accessKeyId } secret } }',
      {},
      identity('OPERATOR'),
    );
    const { accessKeyId } = made.objectAccessKey;
    const client = new S3TestClient({ url: south.url, credentials: { accessKeyId, secret: made.secret } });
    const get = () => client.send({ method: 'GET', path: '/' });
    await waitFor('the key to be at south', async () => (await get()).status === 200);
    await federation.cutOff('south');
    const documents = new DocumentStore(south.db);
    const position = await documents.position();
    await graph.ask(
      'mutation ($id: ID!) { objectAccessKeyRevoke(input: { id: $id }) { userErrors { code } } }',
      { id: made.objectAccessKey.id },
      identity('OPERATOR'),
    );
    await waitFor('the revocation to be at south', async () => (await get()).code === 'InvalidAccessKeyId');
    expect(south.controller.connected).toBe(false);
    expect(await documents.position()).toEqual(position);
    const silentMs = (await documents.controlPlaneSilentMs()) ?? 0;
    await waitFor(
      'the time without the control plane to continue',
      async () => ((await documents.controlPlaneSilentMs()) ?? 0) > silentMs + 500,
    );

    // North's database has something that the control plane did not sign. South accepts neither it nor anything after
    // it from there.
    const forged = new SigningKeys({ active: 'k1', keys: { k1: newKeyPair().privateText } });
    const key = (await documents.find('key', accessKeyId)) ?? { body: '', generation: 0 };
    const body = key.body.replace('"isRevoked":true', '"isRevoked":false');
    const name = documentName('key', accessKeyId);
    const signed = signDocument(forged, { name, generation: key.generation + 1_000, body });
    await new DocumentStore(north.db).put([toStored(signed)]);
    // South polls north every second. A refused document leaves no trace.
    const generation = async () => (await documents.find('key', accessKeyId))?.generation;
    await stays('south has the signed document', 3_000, async () => (await generation()) === key.generation);
    expect((await get()).code).toBe('InvalidAccessKeyId');
  },
  120_000 * patience,
);
