// Files that OpenSSL, and therefore HAProxy, can't load are refused. A node with unloadable files could accept no
// change.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { makeCertificate } from '../../../../platform/net/certificates.ts';
import { revocationsFault } from '../../../../subgraphs/loadbalancer/spec/pem.ts';
import { sampleRevocations } from '../../../../trials/lb-config/revocations.ts';

test('found by hostile values: a revocation list with an issuer that is not valid UTF-8', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pem-'));
  const list = await sampleRevocations(await makeCertificate({ commonName: 'Clients', use: 'authority' }), folder);
  await rm(folder, { recursive: true });
  expect(revocationsFault(`${list}\n${list}`)).toBeUndefined();
  const [, base64 = ''] = /-----BEGIN X509 CRL-----([^-]+)/.exec(list) ?? [];
  const der = Buffer.from(base64, 'base64');
  der[der.indexOf('Clients')] = 0xb1;
  const damaged = `-----BEGIN X509 CRL-----\n${der.toString('base64')}\n-----END X509 CRL-----\n`;
  expect(revocationsFault(`${list}\n${damaged}`)).toBe("can't be read: number 2 of its revocation lists is damaged");
}, 30_000);
