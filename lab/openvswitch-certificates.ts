// Certificates for mutual TLS with a private ovsdb-server, made with its folder: an authority, a server and a client. `ovs-pki` would
// make the same with RSA keys, slower and in the machine's own folders.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathExists } from '../embedded/find-program.ts';
import { type CertificateOptions, makeCertificate } from '../platform/net/certificates.ts';

interface StoredCertificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, not encrypted. */
  readonly key: string;
  readonly files: { readonly cert: string; readonly key: string };
}

export interface OvsCertificates {
  /** PEM of the authority. */
  readonly ca: string;
  readonly caFile: string;
  readonly server: StoredCertificate;
  readonly client: StoredCertificate;
}

export async function makeOvsCertificates(folder: string): Promise<OvsCertificates> {
  const kept = await readCertificates(folder);
  if (kept !== undefined) return kept;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const issuer = await makeCertificate({ commonName: 'lab switch authority', use: 'authority' });
  const stored = async (options: CertificateOptions): Promise<StoredCertificate> => {
    const { cert, key } = await makeCertificate({ ...options, issuer });
    const files = {
      cert: join(folder, `${options.commonName}.pem`),
      key: join(folder, `${options.commonName}.key`),
    };
    await writeFile(files.cert, cert);
    await writeFile(files.key, key, { mode: 0o600 });
    return { cert, key, files };
  };
  const server = await stored({ commonName: serverName, names: ['127.0.0.1'] });
  const client = await stored({ commonName: clientName, use: 'client' });
  const caFile = join(folder, authorityFile);
  // Last: with it the others are complete.
  await writeFile(caFile, issuer.cert);
  return { ca: issuer.cert, caFile, server, client };
}

const authorityFile = 'ca.pem';
const serverName = 'lab-switch';
const clientName = 'relay';

async function readCertificates(folder: string): Promise<OvsCertificates | undefined> {
  const caFile = join(folder, authorityFile);
  if (!(await pathExists(caFile))) return undefined;
  const stored = async (name: string): Promise<StoredCertificate> => {
    const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    return { cert: await readFile(files.cert, 'utf8'), key: await readFile(files.key, 'utf8'), files };
  };
  const ca = await readFile(caFile, 'utf8');
  return { ca, caFile, server: await stored(serverName), client: await stored(clientName) };
}
