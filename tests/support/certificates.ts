// Certificates for tests of TLS, made by openssl.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestCertificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** An authority and one certificate of it for 127.0.0.1, as PEM files in `folder`. */
export function makeCertificates(folder: string, name: string): TestCertificates {
  const file = (end: string): string => join(folder, `${name}-${end}`);
  const newKey = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', [...newKey, ...args], { stdio: 'ignore' });
  };
  const files = { ca: file('ca.pem'), cert: file('cert.pem'), key: file('key.pem') };
  openssl('-keyout', file('ca.key'), '-out', files.ca, '-subj', `/CN=${name} authority`);
  openssl(
    ...['-CA', files.ca, '-CAkey', file('ca.key'), '-keyout', files.key, '-out', files.cert, '-subj', `/CN=${name}`],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE'],
  );
  const read = (path: string): string => readFileSync(path, 'utf8');
  return { ca: read(files.ca), cert: read(files.cert), key: read(files.key), files };
}
