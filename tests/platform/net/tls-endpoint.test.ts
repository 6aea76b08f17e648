import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type CertificateOptions, makeCertificate } from '../../../platform/net/certificates.ts';
import type { ReserveFailure } from '../../../platform/net/send.ts';
import { readCertificate } from '../../../platform/net/tls-certificate.ts';
import { connectTlsEndpoint, type TlsEndpoint } from '../../../platform/net/tls-endpoint.ts';
import type { CryptoProfile } from '../../../platform/net/tls-profiles.ts';
import { TlsServer, type TlsServerOptions } from '../../../simulators/support/tls-server.ts';
import { pinOf } from '../../subgraphs/relay/transports/support/web-device.ts';
import { testEgress } from '../../support/machine/egress.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { makeCertificates, type TestCertificates } from '../../support/product/certificates.ts';

const owned: { stop(): Promise<void> }[] = [];
const sockets: TLSSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const thing of owned.splice(0)) await thing.stop();
});

async function server(options: TlsServerOptions = {}): Promise<TlsServer> {
  const started = await TlsServer.start(async () => ({ status: 200 }), options);
  owned.push(started);
  return started;
}

const shows = async (options: Partial<CertificateOptions>) =>
  server({ certificate: await makeCertificate({ commonName: 'device', ...options }) });

type Given = { readonly host?: string; readonly port: number } & Partial<TlsEndpoint>;

/** The protocol, cipher and certificate of the connection, or the reason for the failure. */
async function attempt(given: Given, signal = new AbortController().signal) {
  const endpoint = {
    host: '127.0.0.1',
    certificateSha256: null,
    caCertificates: null,
    cryptoProfile: 'MODERN' as const,
  };
  const connected = await connectTlsEndpoint(
    { ...endpoint, ...given },
    { egress: testEgress, timeoutMs: 5_000, signal },
  );
  if (!connected.ok) return connected.failure;
  sockets.push(connected.socket);
  return { protocol: connected.socket.getProtocol(), cipher: connected.socket.getCipher().name };
}

const failureOf = (result: Awaited<ReturnType<typeof attempt>>): ReserveFailure => {
  if ('kind' in result) return result;
  throw new Error(`It connected: ${JSON.stringify(result)}`);
};

describe('a pinned certificate', () => {
  test('is enough, whatever its other faults', async () => {
    const target = await shows({ names: [] });
    const { port, certificate } = target;
    expect(await attempt({ port, certificateSha256: pinOf(certificate.sha256) })).toMatchObject({
      protocol: 'TLSv1.3',
    });
  });

  test('that differs is refused, and the presented one is reported', async () => {
    const { port, certificate } = await server();
    const other = await makeCertificate({ commonName: 'device' });
    expect(await attempt({ port, certificateSha256: pinOf(other.sha256) })).toMatchObject({
      kind: 'NOT_SENT',
      code: 'CERTIFICATE_MISMATCH',
      presented: pinOf(certificate.sha256),
    });
  });

  test.each([
    [
      'has expired',
      { notAfter: new Date('2024-02-03T04:05:06Z'), notBefore: new Date('2020-01-01') },
      'it expired on 2024-02-03T04:05:06.000Z',
    ],
    [
      'is not valid yet',
      { notBefore: new Date('2040-02-03T04:05:06Z'), notAfter: new Date('2045-01-01') },
      'it is not valid before 2040-02-03T04:05:06.000Z',
    ],
  ])('that %s is refused with the reason', async (_what, dates, reason) => {
    const { port, certificate } = await shows(dates);
    for (const trust of [{ certificateSha256: pinOf(certificate.sha256) }, { caCertificates: certificate.cert }]) {
      const failure = failureOf(await attempt({ port, ...trust }));
      expect(failure).toMatchObject({ code: 'CERTIFICATE_INVALID', presented: pinOf(certificate.sha256) });
      expect(failure.message).toContain(reason);
    }
  });

  test('that is missing, with no accepted authority, is refused, and the presented one is reported', async () => {
    const { port, certificate } = await server();
    expect(await attempt({ port })).toMatchObject({
      code: 'CERTIFICATE_UNKNOWN',
      presented: pinOf(certificate.sha256),
    });
  });
});

describe('authorities', () => {
  let folder: TemporaryFolder;
  let certificates: TestCertificates;
  beforeAll(async () => {
    folder = await temporaryFolder();
    certificates = await makeCertificates(folder.path, 'device');
  });
  afterAll(() => folder.remove());

  /** A server with a certificate of the authority. It may also request one. */
  async function signedServer(more: { readonly asks?: boolean } = {}): Promise<number> {
    const asks = more.asks === true ? { requestCert: true, ca: certificates.ca } : {};
    const listener = createServer({ cert: certificates.cert, key: certificates.key, ...asks }, (socket) => {
      socket.on('error', () => {});
      socket.resume();
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    owned.push({ stop: () => new Promise((resolve) => listener.close(() => resolve())) });
    return (listener.address() as AddressInfo).port;
  }

  test('that signed the certificate for its name are enough', async () => {
    const port = await signedServer();
    expect(await attempt({ port, caCertificates: certificates.ca })).toMatchObject({ protocol: 'TLSv1.3' });
    // An operator may give a bundle.
    const bundle = `${(await makeCertificate({ commonName: 'other' })).cert}${certificates.ca}`;
    expect(await attempt({ port, caCertificates: bundle })).toMatchObject({ protocol: 'TLSv1.3' });
  });

  test('that did not sign it are not enough', async () => {
    const port = await signedServer();
    const failure = failureOf(
      await attempt({ port, caCertificates: (await makeCertificate({ commonName: 'other' })).cert }),
    );
    expect(failure).toMatchObject({ code: 'CERTIFICATE_INVALID' });
    expect(failure.message).toContain('UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
  });

  test('that signed it for another name are not enough', async () => {
    const port = await signedServer();
    const failure = failureOf(await attempt({ host: 'localhost', port, caCertificates: certificates.ca }));
    expect(failure).toMatchObject({ code: 'CERTIFICATE_INVALID' });
    expect(failure.message).toContain('it is for IP Address:127.0.0.1, not for localhost');
  });

  test("can include the device's certificate itself, which is checked by its name", async () => {
    const certificate = await makeCertificate({ commonName: 'device', names: ['localhost'] });
    const { port } = await server({ certificate });
    const trust = { port, caCertificates: certificate.cert };
    expect(await attempt({ host: 'localhost', ...trust })).toMatchObject({ protocol: 'TLSv1.3' });
    expect(await attempt({ host: '127.0.0.1', ...trust })).toMatchObject({ code: 'CERTIFICATE_INVALID' });
  });

  test('do not allow a certificate other than the pinned one', async () => {
    const port = await signedServer();
    const pin = pinOf((await makeCertificate({ commonName: 'other' })).sha256);
    expect(await attempt({ port, caCertificates: certificates.ca, certificateSha256: pin })).toMatchObject({
      code: 'CERTIFICATE_MISMATCH',
    });
  });

  test("that can't be read are not enough", async () => {
    const port = await signedServer();
    expect(await attempt({ port, caCertificates: 'no PEM' })).toMatchObject({ code: 'CERTIFICATE_INVALID' });
  });

  test('a server that requests a certificate gets the one from the credentials', async () => {
    const port = await signedServer({ asks: true });
    const client = { certificate: certificates.cert, privateKey: certificates.key };
    expect(await attempt({ port, caCertificates: certificates.ca, client })).toMatchObject({ protocol: 'TLSv1.3' });
    const broken = { ...client, privateKey: 'no key' };
    const failure = failureOf(await attempt({ port, caCertificates: certificates.ca, client: broken }));
    expect(failure).toMatchObject({ kind: 'NOT_SENT', code: 'AUTH_FAILED' });
    expect(failure.message).not.toContain('no key');
  });
});

describe('crypto profiles', () => {
  interface Device {
    readonly what: string;
    readonly server: TlsServerOptions;
    readonly keyType?: 'ec' | 'rsa';
    readonly by: readonly CryptoProfile[];
  }
  const accepted: readonly Device[] = [
    { what: 'TLS 1.3', server: { minVersion: 'TLSv1.3' }, by: ['MODERN', 'COMPAT', 'LEGACY'] },
    { what: 'TLS 1.2 with AEAD', server: { maxVersion: 'TLSv1.2' }, by: ['MODERN', 'COMPAT', 'LEGACY'] },
    {
      what: 'TLS 1.2 with CBC',
      server: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA256' },
      keyType: 'rsa',
      by: ['COMPAT', 'LEGACY'],
    },
    {
      what: 'TLS 1.2 with RSA key exchange',
      server: { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
      keyType: 'rsa',
      by: ['COMPAT', 'LEGACY'],
    },
    {
      what: 'TLS 1.2 with SHA-1',
      server: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA' },
      keyType: 'rsa',
      by: ['LEGACY'],
    },
    { what: 'TLS 1.1', server: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }, by: ['LEGACY'] },
    { what: 'TLS 1.0', server: { minVersion: 'TLSv1', maxVersion: 'TLSv1' }, keyType: 'rsa', by: ['LEGACY'] },
  ];

  test.each(accepted)('a device with $what only', async ({ server: options, keyType = 'ec', by }) => {
    const certificate = await makeCertificate({ commonName: 'device', keyType });
    const { port } = await server({ ...options, certificate });
    for (const cryptoProfile of ['MODERN', 'COMPAT', 'LEGACY'] as const) {
      const result = await attempt({ port, certificateSha256: pinOf(certificate.sha256), cryptoProfile });
      if (by.includes(cryptoProfile)) {
        expect(result).toMatchObject({ protocol: options.maxVersion ?? options.minVersion });
        continue;
      }
      const failure = failureOf(result);
      expect(failure).toMatchObject({ kind: 'NOT_SENT', code: 'PROTOCOL_FAILED' });
      expect(failure.message).toMatch(/profile (MODERN|COMPAT)\): .*(alert|unsupported|version)/);
    }
  });
});

/** A listener without TLS. */
async function plain(serve: (socket: Socket) => void): Promise<number> {
  const listener = createTcpServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  owned.push({ stop: () => new Promise((resolve) => listener.close(() => resolve())) });
  return (listener.address() as AddressInfo).port;
}

describe('a peer', () => {
  test('without TLS', async () => {
    const port = await plain((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(await attempt({ port })).toMatchObject({ kind: 'NOT_SENT', code: 'PROTOCOL_FAILED' });
    await expect(readCertificate({ host: '127.0.0.1', port, egress: testEgress, timeoutMs: 2_000 })).rejects.toThrow(
      /can't be read: \S/,
    );
  });

  test('that closes the connection during the handshake', async () => {
    const port = await plain((socket) => socket.once('data', () => socket.destroy()));
    expect(await attempt({ port })).toMatchObject({ kind: 'NOT_SENT', code: 'CONNECT_FAILED' });
  });

  test('whose connection is abandoned', async () => {
    const { port } = await server();
    expect(await attempt({ port }, AbortSignal.abort())).toMatchObject({ kind: 'NOT_SENT', code: 'ABORTED' });
  });
});

describe('reading a certificate', () => {
  test.each(['TLSv1.3', 'TLSv1'] as const)('that a device with %s presents', async (version) => {
    const notBefore = new Date('2020-01-02T03:04:05Z');
    const notAfter = new Date('2021-01-02T03:04:05Z');
    const certificate = await makeCertificate({ commonName: 'fw-1', keyType: 'rsa', notBefore, notAfter });
    const { host, port } = await server({ certificate, minVersion: version, maxVersion: version });
    expect(await readCertificate({ host, port, egress: testEgress, timeoutMs: 5_000 })).toEqual({
      sha256: pinOf(certificate.sha256),
      subject: 'CN=fw-1',
      issuer: 'CN=fw-1',
      validFrom: notBefore,
      validUntil: notAfter,
    });
  });

  test('from a silent device ends at its deadline', async () => {
    const port = await plain((socket) => socket.resume());
    const reading = readCertificate({ host: '127.0.0.1', port, egress: testEgress, timeoutMs: 50 });
    await expect(reading).rejects.toThrow('no answer within 50 ms');
  });
});
