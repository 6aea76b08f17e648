// Certificates for tests of mutual TLS.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificate } from '../../../platform/net/certificates.ts';

export interface TestCertificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** An authority and a certificate signed by it for 127.0.0.1, as PEM files in `folder`. */
export async function makeCertificates(folder: string, name: string): Promise<TestCertificates> {
  const issuer = await makeCertificate({ commonName: `${name} authority`, use: 'authority' });
  const { cert, key } = await makeCertificate({ commonName: name, names: ['127.0.0.1'], issuer });
  const file = (end: string): string => join(folder, `${name}-${end}`);
  const files = { ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem') };
  await writeFile(files.ca, issuer.cert);
  await writeFile(files.cert, cert);
  await writeFile(files.key, key);
  return { ca: issuer.cert, cert, key, files };
}
