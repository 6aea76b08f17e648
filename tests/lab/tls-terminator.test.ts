// HTTPS in front of the lab's Neutron and Keystone. It forwards requests, and can stop whatever is connected to it.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TlsTerminator } from '../../lab/neutron/tls-terminator.ts';
import { makeCertificate } from '../../platform/net/certificates.ts';

let service: Server;
let terminator: TlsTerminator;

beforeAll(async () => {
  service = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  const certificate = await makeCertificate({ commonName: 'lab', names: ['127.0.0.1'] });
  terminator = await TlsTerminator.start({ ...certificate, toPort: (service.address() as AddressInfo).port });
});
afterAll(() => new Promise((resolve) => service.close(resolve)));

test('it stops while one client is connected and another has left before its handshake', async () => {
  const { host, port } = terminator;
  const client = connectTls({ host, port, rejectUnauthorized: false });
  client.on('error', () => {});
  client.write('hello');
  expect(String((await once(client, 'data'))[0])).toBe('hello');
  const other = connect({ host, port });
  await once(other, 'connect');
  other.end();
  // By then the server has also accepted the second client and read its end.
  client.write('again');
  await once(client, 'data');
  await terminator.stop();
  if (!client.closed) await once(client, 'close');
  other.destroy();
}, 30_000);
