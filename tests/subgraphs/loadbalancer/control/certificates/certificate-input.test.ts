// Certificates, made by openssl, that are refused before they are stored. Each error has the field and a clear message.
// needs: openssl
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';
import { InputCheck } from '../../../../../platform/input/input.ts';
import { checkCertificate } from '../../../../../subgraphs/loadbalancer/control/certificates/certificate-input.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { temporaryFolder } from '../../../../support/machine/temporary-folder.ts';

const run = promisify(execFile);
const folder = forFile(() => temporaryFolder());
const at = (name: string) => join(folder.path, name);
const text = (name: string) => readFile(at(name), 'utf8');

/** Makes a certificate NAME.pem with its key NAME.key, issued by `issuer` (self-signed if absent). */
async function issue(
  name: string,
  options: { issuer?: string; names?: readonly string[]; key?: readonly string[]; digest?: string; ca?: boolean } = {},
): Promise<void> {
  const { issuer, names = [`${name}.example.com`], key = ['EC', 'P-256'], digest = 'sha256', ca = false } = options;
  const [kind = '', size = ''] = key;
  const keyOption = kind === 'EC' ? ['ec_paramgen_curve', size] : ['rsa_keygen_bits', size];
  const algorithm = ['-algorithm', kind, '-pkeyopt', keyOption.join(':')];
  await run('openssl', ['genpkey', ...algorithm, '-out', at(`${name}.key`)]);
  const config = `[req]\ndistinguished_name=dn\nx509_extensions=v3\n[dn]\n[v3]\nbasicConstraints=critical,CA:${ca ? 'TRUE' : 'FALSE'}\nsubjectAltName=${names.map((each) => `DNS:${each}`).join(',')}\n`;
  await writeFile(at(`${name}.cnf`), config);
  const by = issuer === undefined ? [] : ['-CA', at(`${issuer}.pem`), '-CAkey', at(`${issuer}.key`)];
  await run('openssl', [
    ...['req', '-x509', '-new', '-key', at(`${name}.key`), '-subj', `/CN=${name}`, '-days', '30', `-${digest}`],
    ...['-config', at(`${name}.cnf`), '-out', at(`${name}.pem`), ...by],
  ]);
}

beforeAll(async () => {
  await issue('root', { ca: true });
  await issue('middle', { issuer: 'root', ca: true });
  await issue('leaf', { issuer: 'middle', names: ['a.example.com', 'b.example.com'] });
});

function faultsOf(chain: string, privateKey: string, now?: Date): readonly string[] {
  const check = new InputCheck();
  checkCertificate(check, { chain, privateKey }, now);
  return check.errors.map(({ field, message }) => `${field.slice(1).join('.')}: ${message}`);
}

test('a chain, leaf first, with its key is accepted', async () => {
  const check = new InputCheck();
  const chain = `${await text('leaf.pem')}${await text('middle.pem')}${await text('root.pem')}`;
  const read = checkCertificate(check, { chain, privateKey: await text('leaf.key') });
  expect(check.errors).toEqual([]);
  expect(read).toMatchObject({ hostNames: ['a.example.com', 'b.example.com'], issuer: 'CN=middle' });
});

test('an expired certificate is refused, also an intermediate one', async () => {
  const later = new Date(Date.now() + 31 * 86_400_000);
  const faults = faultsOf(`${await text('leaf.pem')}${await text('middle.pem')}`, await text('leaf.key'), later);
  expect(faults).toEqual([
    expect.stringMatching(/^chain: certificate 1 of chain expired at /),
    expect.stringMatching(/^chain: certificate 2 of chain expired at /),
  ]);
});

test('a chain in the wrong order is refused', async () => {
  const chain = `${await text('leaf.pem')}${await text('root.pem')}${await text('middle.pem')}`;
  expect(faultsOf(chain, await text('leaf.key'))).toEqual([
    'chain: certificate 1 of chain was not issued by the next one; give them leaf first',
    'chain: certificate 2 of chain was not issued by the next one; give them leaf first',
  ]);
});

test('a certificate with a weak signature is refused; a root may have any signature', async () => {
  await issue('weak', { issuer: 'root', digest: 'sha1' });
  expect(faultsOf(await text('weak.pem'), await text('weak.key'))).toEqual([
    expect.stringMatching(/^chain: certificate 1 of chain is signed with \S*SHA1\S*, which is too weak/i),
  ]);
});

test.each([
  ['RSA of 1024 bits', ['RSA', '1024']],
  ['a curve that is not accepted', ['EC', 'P-224']],
] as const)('a key is refused: %s', async (_what, key) => {
  const name = `key-${key[1].toLowerCase()}`;
  await issue(name, { key });
  expect(faultsOf(await text(`${name}.pem`), await text(`${name}.key`))).toEqual([
    expect.stringMatching(/^privateKey: privateKey is of a kind that is not accepted; give RSA with 2048 to 4096 bits/),
  ]);
});

test('too many names are refused', async () => {
  await issue('many', { names: Array.from({ length: 101 }, (_, index) => `n${index}.example.com`) });
  expect(faultsOf(await text('many.pem'), await text('many.key'))).toEqual([
    'chain: the certificate has 101 host names; at most 100 are allowed',
  ]);
});

test('a key with a passphrase is refused without opening it', async () => {
  await run('openssl', ['pkey', '-in', at('leaf.key'), '-aes256', '-passout', 'pass:x', '-out', at('locked.key')]);
  expect(faultsOf(await text('leaf.pem'), await text('locked.key'))).toEqual([
    'privateKey: privateKey has a passphrase; give the key without one',
  ]);
});
