// Credentials of machines, signed by an authority of the test.
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../../platform/log/log.ts';
import { machineUri } from '../../../platform/machines/machine.ts';
import { Peers } from '../../../platform/machines/peers.ts';
import type { MutualTls } from '../../../platform/machines/tls.ts';
import { type CertificateAndKey, certify, makeCertificate } from '../../../platform/net/certificates.ts';
import { newUuid } from '../../../platform/values/ids.ts';

export interface TestMachine extends MutualTls {
  /** UUID. */
  readonly id: string;
  readonly peers: Peers;
}

export function testAuthority(): Promise<CertificateAndKey> {
  return makeCertificate({ commonName: 'Machines', use: 'authority' });
}

export async function testMachine(
  authority: CertificateAndKey,
  role: string,
  name: string,
  log: Logger,
): Promise<TestMachine> {
  const id = newUuid();
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = await certify({
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    issuer: authority,
    commonName: name,
    uri: machineUri({ role, name, id }),
    days: 1,
  });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { id, cert, key, ca: authority.cert, peers: new Peers(log) };
}

/** The settings that give a process this machine's identity. Its files are in the folder. */
export async function machineSettings({ cert, key, ca }: TestMachine, folder: string): Promise<Record<string, string>> {
  const settings: Record<string, string> = {};
  for (const [name, text] of Object.entries({ cert, key, ca })) {
    const path = join(folder, `${name}.pem`);
    await writeFile(path, String(text), { mode: 0o600 });
    settings[`internal.tls.${name}File`] = path;
  }
  return settings;
}
