import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../../../embedded/run-program.ts';
import { SshDevice } from '../../../../simulators/ssh-device.ts';
import { privateKeyFault } from '../../../../subgraphs/relay/transports/ssh-login.ts';
import { createSshTransport } from '../../../../subgraphs/relay/transports/ssh-transport.ts';
import { testEgress } from '../../../support/egress.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const kinds = [
  { name: 'Ed25519', args: ['-t', 'ed25519'] },
  { name: 'Ed25519 with a passphrase', args: ['-t', 'ed25519'], passphrase: 'open sesame' },
  { name: 'RSA', args: ['-t', 'rsa', '-b', '2048'] },
  { name: 'RSA with a passphrase', args: ['-t', 'rsa', '-b', '2048'], passphrase: 'open sesame' },
  { name: 'RSA with a passphrase, PEM', args: ['-t', 'rsa', '-b', '2048', '-m', 'PEM'], passphrase: 'open sesame' },
  { name: 'ECDSA', args: ['-t', 'ecdsa', '-b', '256'] },
] as const;

describe.each(kinds)('a key from ssh-keygen: $name', ({ args, ...kind }) => {
  const passphrase = 'passphrase' in kind ? kind.passphrase : undefined;
  const secrets = passphrase === undefined ? {} : { passphrase };
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let device: SshDevice;
  let privateKey: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const file = join(folder.path, 'key');
    const made = await runProgram('ssh-keygen', ['-q', ...args, '-N', passphrase ?? '', '-C', 'test', '-f', file]);
    if (made.exitCode !== 0) throw new Error(made.stderr);
    privateKey = await readFile(file, 'utf8');
    device = await SshDevice.start({ publicKeys: [await readFile(`${file}.pub`, 'utf8')] });
  });
  afterAll(async () => {
    await device.stop();
    await folder.remove();
  });

  const attempt = async (credentials: { privateKey: string; passphrase?: string; password?: string }) => {
    const { host, port, hostKeySha256 } = device;
    const transport = createSshTransport(
      { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials: { username: 'ops', ...credentials } },
      { egress: testEgress, concurrency: 1 },
    );
    const result = await transport.send({ kind: 'exec', command: 'true' }, { deadlineMs: 10_000 });
    await transport.close();
    return result;
  };

  test('is accepted', async () => {
    expect(privateKeyFault(privateKey, passphrase)).toBeUndefined();
    device.attempts.length = 0;
    expect(await attempt({ privateKey, ...secrets })).toMatchObject({ ok: true });
    expect(device.attempts).toEqual(['publickey']);
  });

  if (passphrase === undefined) return;
  test('without its passphrase, or with a wrong one, nothing is tried', async () => {
    device.attempts.length = 0;
    for (const given of [{ privateKey }, { privateKey, passphrase: 'open barley' }]) {
      const fault = privateKeyFault(given.privateKey, given.passphrase);
      expect(fault).toMatch(/passphrase/);
      const result = await attempt(given);
      expect(result).toMatchObject({ ok: false, failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED' } });
      expect(JSON.stringify(result)).not.toContain('barley');
    }
    expect(device.attempts).toEqual([]);
  });
});

test('a refused key is offered once, and its password is not tried after it', async () => {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'key');
  await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  const privateKey = await readFile(file, 'utf8');
  const device = await SshDevice.start({ publicKeys: [] });
  const { host, port, hostKeySha256 } = device;
  const credentials = { username: 'ops', privateKey, password: 'secret' };
  const transport = createSshTransport(
    { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials },
    { egress: testEgress, concurrency: 4 },
  );
  const results = await Promise.all(
    Array.from({ length: 3 }, () => transport.send({ kind: 'exec', command: 'true' }, { deadlineMs: 10_000 })),
  );
  for (const result of results) expect(result).toMatchObject({ failure: { kind: 'NOT_SENT', code: 'AUTH_FAILED' } });
  expect(device.connections).toBe(1);
  expect(device.attempts).toEqual([]);
  await transport.close();
  await device.stop();
  await folder.remove();
});

test.each([
  ['nothing', ''],
  ['a text', 'secret'],
  ['a public key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3k1b7m3h6p0n1b7vA4m3yq1Q2o3m4n5p6q7r8s9t0u test'],
  [
    'a truncated key',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
  ],
])('%s is not a private key', (_what, text) => {
  expect(privateKeyFault(text)).toEqual(expect.any(String));
});
