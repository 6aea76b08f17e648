// Lists of revoked client certificates, made by OpenSSL.
// needs: openssl
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';

const run = promisify(execFile);

/** A certificate revocation list (RFC 5280 section 5) as PEM. */
export async function revocations(issuer: CertificateAndKey, revoked: readonly CertificateAndKey[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lb-crl-'));
  const at = (name: string) => join(folder, name);
  await writeFile(at('ca.pem'), issuer.cert);
  await writeFile(at('ca.key'), issuer.key);
  await writeFile(at('index.txt'), '');
  await writeFile(
    at('cnf'),
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('index.txt')}\ndefault_md=sha256\ndefault_crl_days=30\n`,
  );
  const ca = ['ca', '-config', at('cnf'), '-cert', at('ca.pem'), '-keyfile', at('ca.key')];
  for (const [index, each] of revoked.entries()) {
    await writeFile(at(`${index}.pem`), each.cert);
    await run('openssl', [...ca, '-revoke', at(`${index}.pem`)]);
  }
  await run('openssl', [...ca, '-gencrl', '-out', at('crl.pem')]);
  const text = await readFile(at('crl.pem'), 'utf8');
  await rm(folder, { recursive: true });
  return text;
}
