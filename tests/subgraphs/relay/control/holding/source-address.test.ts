// A device that admits one address, which moves between two hosts. Only the host that has the address calls the device,
// and only from that address.

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { dial } from '../../../../../platform/net/dial.ts';
import { type EgressPolicy, egressFrom, egressFromSource } from '../../../../../platform/net/egress.ts';
import { HttpsClient } from '../../../../../platform/net/https-client.ts';
import { BackendChecker } from '../../../../../subgraphs/relay/control/checks/backend-checker.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { Admission } from '../../support/admission.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

/** All of 127.0.0.0/8 belongs to this host; TEST-NET-1 belongs to none. */
const virtual = '127.0.0.77';
const elsewhere = '192.0.2.77';
const longMs = 100_000;

let system: RelaySystem;
let here: RelayNode;
let away: RelayNode;
let device: NftDevice;
let admission: Admission;
const egress = egressFrom({ allow: ['127.0.0.0/8', '::1'] });

beforeAll(async () => {
  system = await RelaySystem.start();
  away = await system.node({ settings: { sourceAddress: elsewhere } });
  device = await NftDevice.start();
  admission = new Admission(device.ssh.port, [virtual]);
  await device.register(away, 'fw', { host: '127.0.0.1', port: await admission.listen() });
});
afterAll(async () => {
  await system.stop();
  admission.close();
  await device.ssh.stop();
});

test('a host without the address sends nothing: its calls wait for the host that has it, and reads are refused', async () => {
  const asked = await call(away, 'add', element('fw', '10.1.0.1', { waitMs: 0 }));
  expect(asked.operation?.state).toBe('PENDING');
  const query = `query ($input: RelayReadInput!) { relayRead(input: $input) { deviceError { code } } }`;
  const input = { backend: { name: 'fw' }, operation: 'ruleset.read', arguments: {} };
  const { data } = await away.run<{ relayRead: unknown }>(identity('MEMBER'), query, { input });
  expect(data.relayRead).toMatchObject({ deviceError: { code: 'SOURCE_MISSING' } });
  expect(admission.seen).toEqual([]);
  const [row] = await away.db.query<{ id: string }>('SELECT id FROM backend');
  const checker = new BackendChecker({ db: away.db, sealer: away.sealer, sourceAddress: elsewhere });
  const signal = new AbortController().signal;
  await expect(checker.check({ id: row?.id ?? '', timeoutMs: longMs }, { signal, egress })).rejects.toThrow(elsewhere);
  await checker.close();
  expect(admission.seen).toEqual([]);

  here = await system.node({ settings: { sourceAddress: virtual } });
  await waitFor('the other host', () => device.timesTold('10.1.0.1') === 1);
  expect((await call(here, 'add', element('fw', '10.1.0.2', { waitMs: longMs }))).operation?.state).toBe('SUCCEEDED');
  expect(new Set(admission.seen)).toEqual(new Set([virtual]));
  const [circuit] = await away.db.query('SELECT circuit_state AS state FROM backend');
  expect(circuit).toEqual({ state: 'CLOSED' });
}, 60_000);

test('every connection is bound, to an address and to a name; one from an absent address fails', async () => {
  const server = createServer((socket) => socket.end(socket.remoteAddress ?? ''));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const from = (policy: EgressPolicy, host: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = dial(policy, { host, port });
      socket.on('data', (data) => resolve(String(data)));
      socket.on('error', reject);
    });
  expect(await from(egress, '127.0.0.1')).toBe('127.0.0.1');
  expect(await from(egressFromSource(egress, virtual), '127.0.0.1')).toBe(virtual);
  expect(await from(egressFromSource(egress, virtual), 'localhost')).toBe(virtual);
  await expect(from(egressFromSource(egress, elsewhere), '127.0.0.1')).rejects.toThrow('does not have the address');
  await expect(from(egressFromSource(egress, elsewhere), 'localhost')).rejects.toThrow('does not have the address');
  // The source address is of the other family.
  expect(await from(egressFromSource(egress, '2001:db8::77'), '127.0.0.1')).toBe('127.0.0.1');
  server.close();
});

test('HTTPS connections are also bound', async () => {
  const seen: string[] = [];
  const server = createServer((socket) => {
    seen.push(socket.remoteAddress ?? '');
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const https = new HttpsClient({
    endpoint: { host: '127.0.0.1', port, certificateSha256: null, caCertificates: null, cryptoProfile: 'MODERN' },
    ...{ egress: egressFromSource(egress, virtual), concurrency: 1 },
    ...{ connectTimeoutMs: longMs },
  });
  const reserved = await https.reserve();
  expect(reserved.ok).toBe(false);
  expect(new Set(seen)).toEqual(new Set([virtual]));
  await https.close();
  server.close();
}, 30_000);
