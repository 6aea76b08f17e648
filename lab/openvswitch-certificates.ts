// Certificates for mutual TLS with a private ovsdb-server: an authority, the server's and a client's, made by openssl when
// it starts. `ovs-pki` would make the same with RSA keys, slower and in the machine's own folders.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../embedded/run-program.ts';

export interface CertificateAndKey {
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
  readonly server: CertificateAndKey;
  readonly client: CertificateAndKey;
}

/** Valid for a year: a lab that stays up is started again before. */
const DAYS = '365';

export async function makeOvsCertificates(folder: string): Promise<OvsCertificates> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const caFile = join(folder, 'ca.pem');
  const caKey = join(folder, 'ca.key');
  await openssl(['-subj', '/CN=lab switch authority', '-keyout', caKey, '-out', caFile]);
  const signed = async (name: string, extensions: readonly string[]): Promise<CertificateAndKey> => {
    const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    const more = ['basicConstraints=critical,CA:FALSE', ...extensions].flatMap((each) => ['-addext', each]);
    await openssl([
      '-CA',
      caFile,
      '-CAkey',
      caKey,
      '-subj',
      `/CN=${name}`,
      ...more,
      '-keyout',
      files.key,
      '-out',
      files.cert,
    ]);
    return { cert: await readFile(files.cert, 'utf8'), key: await readFile(files.key, 'utf8'), files };
  };
  const server = await signed('lab-switch', ['subjectAltName=IP:127.0.0.1']);
  const client = await signed('relay', ['extendedKeyUsage=clientAuth']);
  return { ca: await readFile(caFile, 'utf8'), caFile, server, client };
}

async function openssl(args: readonly string[]): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const made = await runProgram('openssl', ['req', '-x509', '-days', DAYS, ...key, ...args]);
  if (made.exitCode !== 0) throw new Error(`openssl could not make a certificate: ${made.stderr.trim()}`);
}
