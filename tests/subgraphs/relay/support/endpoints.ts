// Endpoints of test devices for the relay: address, proof of identity and credentials.
import { readFile } from 'node:fs/promises';
import type { TlsServer } from '../../../../simulators/support/tls-server.ts';
import type { Credentials } from '../../../../subgraphs/relay/drivers/driver.ts';
import type { Endpoint } from '../../../../subgraphs/relay/transports/session.ts';
import { pinOf } from '../transports/support/web-device.ts';

/** A simulated device with its web interface, with the current certificate accepted. */
export function webEndpoint(server: TlsServer, credentials: Partial<Credentials> = {}): Endpoint {
  return {
    ...{ host: server.host, port: server.port, hostKeySha256: null, cryptoProfile: 'MODERN' },
    certificateSha256: pinOf(server.certificate.sha256),
    credentials: { username: 'admin', password: 'secret', ...credentials },
  };
}

/** A real device of the lab behind OpenSSH. */
export async function sshEndpoint(device: {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly privateKeyPath: string;
  readonly hostKeySha256: string;
}): Promise<Endpoint> {
  const { host, port, username, privateKeyPath, hostKeySha256 } = device;
  const privateKey = await readFile(privateKeyPath, 'utf8');
  return { host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials: { username, privateKey } };
}
