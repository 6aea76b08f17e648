// Certificates that the openssl program makes and Node reads.
import { X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { makeCertificate } from '../../../platform/net/certificates.ts';

const read = ({ cert }: { readonly cert: string }) => new X509Certificate(cert);

test.each(['ec', 'rsa'] as const)('self-signed, with a key of type %s', async (keyType) => {
  const made = await makeCertificate({ commonName: 'fw-1.example', keyType });
  const certificate = read(made);
  expect(certificate.subject).toBe('CN=fw-1.example');
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(certificate.subjectAltName).toBeUndefined();
  expect(certificate.publicKey.asymmetricKeyType).toBe(keyType);
  expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(made.sha256);
});

test('signed by an authority, for names and addresses, for one use and a given lifetime', async () => {
  const authority = await makeCertificate({ commonName: 'an authority', use: 'authority' });
  const [notBefore, notAfter] = [new Date('2020-01-02T03:04:05Z'), new Date('2021-01-02T03:04:05Z')];
  const names = ['api.example', '192.0.2.1', '2001:db8::1'];
  const certificate = read(
    await makeCertificate({ commonName: 'gateway', names, issuer: authority, use: 'server', notBefore, notAfter }),
  );
  expect(read(authority).ca).toBe(true);
  expect(certificate.checkIssued(read(authority))).toBe(true);
  expect(certificate.verify(read(authority).publicKey)).toBe(true);
  expect([certificate.checkHost('api.example'), certificate.checkIP('192.0.2.1')]).toEqual([
    'api.example',
    '192.0.2.1',
  ]);
  expect(certificate.checkIP('2001:db8::1')).toBe('2001:db8::1');
  expect([certificate.validFromDate, certificate.validToDate]).toEqual([notBefore, notAfter]);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect((await makeCertificate({ commonName: 'x', issuer: authority })).key).not.toBe(authority.key);
});

test.each([
  { commonName: 'a\nbasicConstraints = CA:TRUE' },
  { commonName: '' },
  { commonName: '$ENV::HOME' },
  { commonName: 'x', names: ['a, DNS:b'] },
  { commonName: 'x', names: ['a\n[ca]'] },
])("no text in a name gets into openssl's configuration: %j", async (options) => {
  await expect(makeCertificate(options)).rejects.toThrow(TypeError);
});
