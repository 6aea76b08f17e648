// needs: openssh-client
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import ssh2 from 'ssh2';
import { runProgram } from '../../../../embedded/run-program.ts';
import { SshDevice } from '../../../../simulators/ssh-device.ts';
import { privateKeyFault } from '../../../../subgraphs/relay/transports/ssh-login.ts';
import { createSshTransport } from '../../../../subgraphs/relay/transports/ssh-transport.ts';
import { testEgress } from '../../../support/machine/egress.ts';
import { temporaryFolder } from '../../../support/machine/temporary-folder.ts';

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
  test('is not tried without its passphrase or with a wrong one', async () => {
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

/** RFC 8410: an Ed25519 key is its seed, behind this. */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');

/** PROTOCOL.key of OpenSSH: the same key as a file. */
function openSshFile(seed: Buffer, publicHalf: Buffer): string {
  const text = (bytes: Buffer | string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(bytes));
    return Buffer.concat([length, Buffer.from(bytes)]);
  };
  const kind = text('ssh-ed25519');
  const secret = Buffer.concat([
    Buffer.alloc(8),
    kind,
    text(publicHalf),
    text(Buffer.concat([seed, publicHalf])),
    text(''),
  ]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, -secret.length & 7));
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[text('none'), text('none'), text(''), Buffer.from([0, 0, 0, 1])],
    ...[text(Buffer.concat([kind, text(publicHalf)])), text(Buffer.concat([secret, padding]))],
  ]);
  return pemOf('OPENSSH PRIVATE KEY', file);
}

function pemOf(kind: string, bytes: Buffer): string {
  return `-----BEGIN ${kind}-----\n${bytes.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${kind}-----\n`;
}

// One key in 256. The generator of ssh2 drops the leading zeros, and no program reads its file.
test('a key whose public half begins with zeros is read, as ssh-keygen reads it', async () => {
  let seed: Buffer;
  let publicHalf: Buffer;
  let number = 0;
  do {
    number += 1;
    seed = Buffer.alloc(32, `seed ${number}.`);
    const key = createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: 'der', type: 'pkcs8' });
    publicHalf = createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32);
  } while (publicHalf[0] !== 0);
  const privateKey = openSshFile(seed, publicHalf);
  const folder = await temporaryFolder();
  const file = join(folder.path, 'key');
  await writeFile(file, privateKey, { mode: 0o600 });
  const shown = await runProgram('ssh-keygen', ['-y', '-f', file]);
  await folder.remove();
  expect(shown.stdout.trim().split(' ')[1]).toBe(
    Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0 ', 'latin1'), publicHalf]).toString('base64'),
  );
  expect(privateKeyFault(privateKey)).toBeUndefined();
});

const sec1 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' });
const pkcs1 = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs1', format: 'pem' });

test.each([
  ['ECDSA, OpenSSH', ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private],
  ['RSA, OpenSSH', ssh2.utils.generateKeyPairSync('rsa', { bits: 1024 }).private],
  ['ECDSA, PEM', String(sec1)],
  ['RSA, PEM', String(pkcs1)],
])('the fault of a damaged key reveals nothing of it: %s', (_kind, text) => {
  const [, kind = '', body = ''] = /BEGIN ([A-Z ]+)-----([^-]+)/.exec(text) ?? [];
  const bytes = Buffer.from(body, 'base64');
  const faults = new Set<string | undefined>();
  for (const width of [4, 32])
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes).fill(0, at, Math.min(bytes.length, at + width));
      faults.add(privateKeyFault(pemOf(kind, damaged)));
    }
  // The device detects any fault that is not detected here.
  faults.delete(undefined);
  expect([...faults]).toEqual(['it is not a readable OpenSSH or PEM private key']);
});
