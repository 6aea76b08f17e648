// The address that a device admits moves away from the host whose process holds the backend, as in a switchover. That
// process sends nothing more, and the process on the other host takes over.
// needs: iproute2, root
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { Admission } from '../../support/admission.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, RelaySystem } from '../../support/relay-system.ts';

/** Addresses of the first host and of the other one. */
const leaving = '198.18.77.1';
const staying = '127.0.0.77';
const longMs = 100_000;
const address = (verb: 'add' | 'del') => promisify(execFile)('ip', ['addr', verb, `${leaving}/32`, 'dev', 'lo']);

let system: RelaySystem;
let device: NftDevice;
let admission: Admission;

beforeAll(async () => {
  await address('add');
  system = await RelaySystem.start();
  device = await NftDevice.start();
  admission = new Admission(device.ssh.port, [leaving, staying]);
});
afterAll(async () => {
  await system.stop();
  admission.close();
  await device.ssh.stop();
});

test('a holder that loses the address sends nothing more, and the host that has it takes over', async () => {
  const first = await system.node({ settings: { sourceAddress: leaving } });
  await device.register(first, 'fw', { host: '127.0.0.1', port: await admission.listen() });
  const before = await call(first, 'add', element('fw', '10.1.0.1', { waitMs: longMs }));
  expect(before.operation?.state).toBe('SUCCEEDED');
  expect(new Set(admission.seen)).toEqual(new Set([leaving]));

  await address('del');
  const waiting = await call(first, 'add', element('fw', '10.1.0.2', { waitMs: 0 }));
  expect(waiting.operation?.state).toBe('PENDING');
  expect(device.timesTold('10.1.0.2')).toBe(0);
  const connections = admission.seen.length;

  await system.node({ settings: { sourceAddress: staying } });
  await waitFor('the other host', () => device.timesTold('10.1.0.2') === 1);
  const after = await call(first, 'add', element('fw', '10.1.0.3', { waitMs: longMs }));
  expect(after.operation?.state).toBe('SUCCEEDED');
  expect(new Set(admission.seen.slice(connections))).toEqual(new Set([staying]));
}, 60_000);
