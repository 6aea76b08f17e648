// The roles of a cluster in a separate process with its own settings and credentials. They start before the control
// plane has sent anything, serve once it has, and keep serving without it.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type RunningProcess, startProcess } from '../../../../../compose/process.ts';
import { migrate } from '../../../../../platform/database/migrate.ts';
import { createLogger } from '../../../../../platform/log/log.ts';
import { writeMachineFile } from '../../../../../platform/machines/machine-file.ts';
import type { CertificateAndKey } from '../../../../../platform/net/certificates.ts';
import { readConfig } from '../../../../../platform/process/config.ts';
import { newKeyPair, SigningKeys } from '../../../../../platform/secrets/key-pairs.ts';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { ClusterLinks } from '../../../../../subgraphs/object-storage/control/controllers/cluster-links.ts';
import { subgraphRows } from '../../../../../subgraphs/rows.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { S3TestClient } from '../../../../support/object-storage/s3-client.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { type SystemPlace, systemPlace } from '../../../../support/product/running-system.ts';
import { storeMigrations } from '../../engine/store/store-database.ts';
import { ControlGraph, identity } from '../../support/control-graph.ts';

const cleanup = new AsyncDisposableStack();
const log = createLogger({ level: process.env.TEST_LOG ?? 'silent', pretty: false });
let authority: CertificateAndKey;
let graph: ControlGraph;
let links: ClusterLinks;

beforeAll(async () => {
  authority = await testAuthority();
  graph = await ControlGraph.open();
  cleanup.defer(() => graph.stop());
  links = new ClusterLinks({
    ...{ db: graph.db, wake: graph.wake, log, owner: graph.owner },
    place: {
      ...{ host: '127.0.0.1', port: 0, tls: await testMachine(authority, 'object-storage', 'control-plane', log) },
      signingKeys: new SigningKeys({ active: 'k1', keys: { k1: newKeyPair().privateText } }),
    },
  });
  await links.start();
  cleanup.defer(() => links.stop());
}, 120_000 * patience);
afterAll(() => cleanup.disposeAsync(), 60_000 * patience);

/** A place with a cluster's tables. */
async function clusterPlace(): Promise<SystemPlace> {
  const place = await systemPlace();
  await migrate(place.database.connection, storeMigrations);
  return place;
}

async function credentialsOf(folder: string, role: string): Promise<void> {
  const { id, cert, key, ca } = await testMachine(authority, role, 'north-1', log);
  await writeMachineFile(folder, {
    ...{ id: encodeId('Machine', id), name: 'north-1', role, endpoint: 'http://127.0.0.1:9/graphql', token: 'none' },
    ...{ expiresAt: new Date(Date.now() + 7 * 86_400_000).toISOString(), certificate: cert, key, authority: ca },
  });
}

test(
  'a cluster in a process serves the desired state, also without the control plane',
  async () => {
    const place = await clusterPlace();
    cleanup.defer(() => place.remove());
    const machines = join(place.folder.path, 'machine');
    await mkdir(machines, { mode: 0o700 });
    await credentialsOf(machines, 'objectcontroller');
    await credentialsOf(machines, 'objectserver');
    const [peerPort, s3Port] = [await freePort(), await freePort()];
    const flags = {
      ...place.settings,
      roles: 'objectcontroller,objectserver',
      'internal.machineFolder': machines,
      'objectController.controlPlaneUrls': `wss://127.0.0.1:${links.port}/link`,
      'objectStore.cluster': 'north',
      'objectStore.folder': join(place.folder.path, 'objects'),
      'objectStore.keepFreeMiB': '0',
      'objectController.port': '0',
      'objectServer.peerPort': String(peerPort),
      'objectServer.s3Port': String(s3Port),
    };
    const lines: string[] = [];
    const heard = createLogger({
      level: 'info',
      pretty: false,
      destination: { write: (line) => void lines.push(line) },
    });
    const running: RunningProcess = await startProcess(readConfig({ flags }, subgraphRows), heard);
    cleanup.defer(() => running.stop());
    await graph.make('objectClusterCreate', { name: 'north', peerUrls: [`https://127.0.0.1:${peerPort}`] });
    await graph.make('objectOptionCreate', { name: 'standard' });
    await waitFor('its public key to be known', async () => {
      const [row] = await graph.db.query<{ key: string | null }>('SELECT public_key AS `key` FROM object_cluster');
      return row?.key != null;
    });
    const { made } = await graph.ask<{ made: { objectAccessKey: { accessKeyId: string }; secret: string } }>(
      `mutation { made: objectAccessKeyCreate(input: { name: "backup" }) { objectAccessKey { accessKeyId } secret } }`,
      {},
      identity('OPERATOR'),
    );
    const credentials = { accessKeyId: made.objectAccessKey.accessKeyId, secret: made.secret };
    const client = new S3TestClient({ url: `http://127.0.0.1:${s3Port}`, credentials });
    const put = (path: string, body: string) =>
      client.send({ method: 'PUT', path, body }).then(
        ({ status }) => status,
        () => 0,
      );
    await waitFor('a container', async () => (await put('/photos', '')) === 200);
    expect(await put('/photos/cat', 'miau')).toBe(200);
    await links.stop();
    expect(await put('/photos/dog', 'wuff')).toBe(200);
    expect((await client.send({ method: 'GET', path: '/photos/cat' })).text).toBe('miau');
    expect((await client.send({ method: 'GET', path: '/photos/bird?response-cache-control=secret' })).status).toBe(404);
    const requests = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
    expect(requests.at(-2)).toMatchObject({
      ...{ operation: 'getObject', method: 'GET', path: '/photos/cat', status: 200, code: 'OK', address: '127.0.0.1' },
      ...{ caller: made.objectAccessKey.accessKeyId, requestId: expect.stringMatching(/^[0-9A-F]{16}$/) },
    });
    expect(requests.at(-2).sentBytes).toBeGreaterThan('miau'.length);
    expect(requests.at(-1)).toMatchObject({
      operation: 'getObject',
      path: '/photos/bird',
      status: 404,
      code: 'NoSuchKey',
    });
    const metrics = await running.registry.metrics();
    expect(metrics).toContain('tidegate_objects_requests_total{operation="putObject",code="OK"} 2');
    expect(metrics).toContain('tidegate_objects_requests_total{operation="getObject",code="NoSuchKey"} 1');
    expect(metrics).toMatch(/^tidegate_objects_request_seconds_count\{operation="putObject"\} 2$/m);
    expect(metrics).toMatch(/^tidegate_objects_bytes_total\{direction="received"\} [1-9]/m);
    expect(metrics).toMatch(/^tidegate_objects_disk_bytes\{of="total"\} [1-9]/m);
    expect(metrics).toMatch(/^tidegate_objects_blobs\{of="unrepaired"\} 0$/m);
    expect(metrics).toMatch(/^tidegate_objects_control_plane_connected 0$/m);
  },
  180_000 * patience,
);

test(
  'a process without credentials, or without a cluster, reports what is missing',
  async () => {
    const place = await clusterPlace();
    try {
      const start = (settings: Record<string, string>) =>
        startProcess(readConfig({ flags: { ...place.settings, ...settings } }, subgraphRows), log);
      await expect(start({ roles: 'objectserver' })).rejects.toThrow('objectStore.cluster');
      await expect(start({ roles: 'objectserver', 'objectStore.cluster': 'north' })).rejects.toThrow('tidegate join');
      await expect(start({ roles: 'objectcontroller' })).rejects.toThrow('objectController.controlPlaneUrls');
    } finally {
      await place.remove();
    }
  },
  60_000 * patience,
);
