// Creates a revocation list with the openssl program, as its users do.
// needs: openssl
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CertificateAndKey } from '../../platform/net/certificates.ts';

const run = promisify(execFile);

/** PEM. Creates `folder`. */
export async function sampleRevocations(issuer: CertificateAndKey, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const at = (name: string) => join(folder, name);
  await writeFile(at('ca.pem'), issuer.cert);
  await writeFile(at('ca.key'), issuer.key, { mode: 0o600 });
  await writeFile(at('index.txt'), '');
  const settings = `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('index.txt')}\ndefault_md=sha256\ndefault_crl_days=30\n`;
  await writeFile(at('cnf'), settings);
  const ca = ['ca', '-config', at('cnf'), '-cert', at('ca.pem'), '-keyfile', at('ca.key')];
  await run('openssl', [...ca, '-gencrl', '-out', at('crl.pem')]);
  return readFile(at('crl.pem'), 'utf8');
}
