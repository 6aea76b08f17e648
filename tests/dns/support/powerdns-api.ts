// A real PowerDNS with its HTTP API behind TLS, and with its packet cache on, which is the default.
import { TlsTerminator } from '../../../lab/neutron/tls-terminator.ts';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { type NameServer, powerdns } from './name-servers.ts';

interface ApiServer extends NameServer {
  readonly url: string;
  readonly certificateSha256: string;
  readonly apiKey: string;
}

const apiKey = 'a-key-of-the-test';

export async function powerdnsApi(): Promise<ApiServer> {
  const apiPort = await freePort();
  const server = await powerdns('127.0.0.1', [
    ...['--webserver=yes', '--webserver-address=127.0.0.1', `--webserver-port=${apiPort}`],
    ...['--webserver-allow-from=127.0.0.1', '--api=yes', `--api-key=${apiKey}`, '--default-api-rectify=no'],
    ...['--cache-ttl=20', '--primary=yes', '--gsqlite3-dnssec=yes', '--disable-axfr=no', '--allow-axfr-ips='],
  ]);
  const certificate = await makeCertificate({ commonName: 'pdns', names: ['127.0.0.1'] });
  const terminator = await TlsTerminator.start({ ...certificate, toPort: apiPort });
  return {
    ...{ place: server.place, key: server.key, keyFile: server.keyFile, apiKey },
    url: `https://127.0.0.1:${terminator.port}`,
    certificateSha256: `SHA256:${Buffer.from(certificate.sha256, 'hex').toString('base64').replace(/=+$/, '')}`,
    get pid() {
      return server.pid;
    },
    kill: () => server.kill(),
    start: () => server.start(),
    dig: (name, type) => server.dig(name, type),
    nsupdate: (...lines) => server.nsupdate(...lines),
    async remove() {
      await terminator.stop();
      await server.remove();
    },
  };
}
