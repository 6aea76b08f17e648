// Certificates for mutual TLS with a private ovsdb-server, made when it starts: an authority, a server and a client. `ovs-pki`
// would make the same with RSA keys, slower and in the machine's own folders.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateOptions, makeCertificate } from '../platform/net/certificates.ts';

export interface StoredCertificate {
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
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, issuer.cert);
  const server = await stored({ commonName: 'lab-switch', names: ['127.0.0.1'] });
  const client = await stored({ commonName: 'relay', use: 'client' });
  return { ca: issuer.cert, caFile, server, client };
}
