// A private key states the cost of decrypting it. A key with too high a cost is refused before any computation, because it would block the
// whole process.
// needs: openssl
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import ssh2 from 'ssh2';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { keyCostFault } from '../../../platform/net/private-key-cost.ts';
import { handshake } from '../../../platform/net/tls-handshake.ts';
import { privateKeyFault } from '../../../subgraphs/relay/transports/ssh-login.ts';
import { testEgress } from '../../support/machine/egress.ts';

const passphrase = 'open sesame';

/** An OpenSSH key whose file claims more rounds than it was made with. */
function sshKey(rounds: number): string {
  const made = ssh2.utils.generateKeyPairSync('ecdsa', {
    bits: 256,
    cipher: 'aes256-ctr',
    passphrase,
    rounds: 16,
  }).private;
  const [head = '', ...rest] = made.trim().split('\n');
  const bytes = Buffer.from(rest.slice(0, -1).join(''), 'base64');
  const at = bytes.indexOf('bcrypt') + 'bcrypt'.length + 4;
  bytes.writeUInt32BE(rounds, at + 4 + bytes.readUInt32BE(at));
  return `${head}\n${bytes.toString('base64').replace(/.{70}/g, '$&\n')}\n${rest.at(-1)}\n`;
}

/** A key encrypted by `openssl pkcs8`. With `-iter`, opening it requires that many iterations. */
function pkcs8(args: readonly string[]): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const input = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const made = spawnSync('openssl', ['pkcs8', '-topk8', '-passout', `pass:${passphrase}`, ...args], { input });
  if (made.status !== 0) throw new Error(made.stderr.toString());
  return made.stdout.toString();
}

/** The CPU seconds of `work`. */
async function cpuSeconds(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000_000;
}

test('SSH: a key that requires 2,000 rounds is refused unopened', async () => {
  let fault: string | undefined;
  const seconds = await cpuSeconds(() => {
    fault = privateKeyFault(sshKey(2_000), passphrase);
  });
  expect(fault).toContain('2000 rounds');
  expect(seconds).toBeLessThan(3);
  expect(privateKeyFault(sshKey(16), passphrase)).toBeUndefined();
});

test('TLS: a client key that requires 3 million iterations is refused unopened', async () => {
  const privateKey = pkcs8(['-v2', 'aes-256-cbc', '-iter', '3000000']);
  const { cert } = await makeCertificate({ commonName: 'relay' });
  const client = { certificate: cert, privateKey, passphrase };
  const endpoint = { host: '127.0.0.1', port: 9, cryptoProfile: 'MODERN', caCertificates: null } as const;
  let result: unknown;
  const seconds = await cpuSeconds(async () => {
    const { signal } = new AbortController();
    result = await handshake({ ...endpoint, client, signal, egress: testEgress });
  });
  expect(result).toMatchObject({ ok: false, phase: 'settings', reason: expect.stringContaining('3000000 times') });
  expect(seconds).toBeLessThan(1);
});

test.each([
  ['PBKDF2', ['-v2', 'aes-256-cbc', '-iter', '1000'], undefined],
  ['PBKDF2', ['-v2', 'aes-256-cbc', '-iter', '1000001'], '1000001 times'],
  ['PKCS #12', ['-v1', 'PBE-SHA1-3DES', '-iter', '2048'], undefined],
  ['PKCS #12', ['-v1', 'PBE-SHA1-3DES', '-iter', '1000001'], '1000001 times'],
  ['scrypt', ['-scrypt'], undefined],
  ['scrypt', ['-scrypt', '-scrypt_N', '16384', '-scrypt_r', '8', '-scrypt_p', '9'], 'cost of 1179648'],
])('%s %j', (_kind, args, wanted) => {
  const fault = keyCostFault(pkcs8(args));
  if (wanted === undefined) expect(fault).toBeUndefined();
  else expect(fault).toContain(wanted);
});

test('a broken key, or any other text, is left to the code that opens it', () => {
  for (const text of ['', 'no key', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIH/\n-----END ENCRYPTED PRIVATE KEY-----'])
    expect(keyCostFault(text)).toBeUndefined();
  const plain = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  expect(keyCostFault(String(plain))).toBeUndefined();
});

test.each<[string, (pem: string) => string]>([
  ['a hyphen after its end', (pem) => pem.replace('\n-----END', '\n=-\n-----END')],
  [
    'its own end in its salt',
    (pem) => withSalt(pem, Buffer.from('-----END'.replaceAll('-', '+'), 'base64'), '-----END'),
  ],
  ['headers', (pem) => pem.replace('KEY-----\n', 'KEY-----\nComment: none\n\n')],
  ['another beginning', (pem) => pem.replace('\n-----END', '\n-----BEGIN X-----\n-----END')],
  ['a sign between its lines', (pem) => pem.replace('\n-----END', '\n~\n-----END')],
])('a costly key with %s is also refused unopened', async (_what, change) => {
  for (const pem of [sshKey(2_000), pkcs8(['-v2', 'aes-256-cbc', '-iter', '3000000'])]) {
    let fault: string | undefined;
    const seconds = await cpuSeconds(() => {
      fault = keyCostFault(change(pem));
    });
    expect(fault).toMatch(/no plain PEM file|cut off|2000 rounds|3000000 times/);
    expect(seconds).toBeLessThan(3);
  }
});

/** An OpenSSH key with the given text in its base64 salt. Other keys are unchanged. */
function withSalt(pem: string, bytes: Buffer, text: string): string {
  const [head = '', ...rest] = pem.trim().split('\n');
  if (!head.includes('OPENSSH')) return pem;
  const key = Buffer.from(rest.slice(0, -1).join(''), 'base64');
  const saltAt = key.indexOf('bcrypt') + 'bcrypt'.length + 8;
  // At a base64 character that starts a byte.
  bytes.copy(key, Math.ceil(saltAt / 3) * 3);
  return `${head}\n${key.toString('base64').replace(text.replaceAll('-', '+'), text)}\n${rest.at(-1)}\n`;
}

test('keys as programs write them are accepted: with carriage returns, and without a final line feed', () => {
  for (const pem of [sshKey(16), pkcs8(['-v2', 'aes-256-cbc'])])
    for (const written of [pem, pem.replaceAll('\n', '\r\n'), pem.trim(), `\n${pem}\n`])
      expect(keyCostFault(written)).toBeUndefined();
});
