// Everything that makes a device the same after a restart, stored in its folder: its password, its proofs of identity and its ports.
// All are random, and created with the folder.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../../embedded/setup-error.ts';
import { type CertificateAndKey, makeCertificate } from '../../platform/net/certificates.ts';

interface Identity {
  readonly password: string;
  readonly certificate: CertificateAndKey;
  /** PEM. */
  readonly sshHostKey: string;
  /** Ports by use. 0 if not chosen yet. */
  readonly ports: Readonly<Record<string, number>>;
}

/** Starts a device with its identity on its ports. If one of them is taken, it uses other ports, and keeps those. */
export async function startAs<Device>(
  folder: string,
  start: (identity: Identity) => Promise<Device>,
  portsOf: (device: Device) => Readonly<Record<string, number>>,
): Promise<{ readonly device: Device; readonly identity: Identity }> {
  const kept = await read(folder);
  const identity = kept ?? (await make());
  const device = await start(identity).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EADDRINUSE') throw error;
    return start({ ...identity, ports: {} });
  });
  const now = { ...identity, ports: portsOf(device) };
  const path = join(folder, 'identity.json');
  await writeFile(`${path}.new`, JSON.stringify(now), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return { device, identity: now };
}

async function make(): Promise<Identity> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    password: randomBytes(18).toString('base64url'),
    certificate: await makeCertificate({ commonName: 'lab', names: ['127.0.0.1'] }),
    sshHostKey: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    ports: {},
  };
}

async function read(folder: string): Promise<Identity | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, 'identity.json'), 'utf8')) as Identity;
  } catch (error) {
    if (error instanceof SyntaxError || systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
