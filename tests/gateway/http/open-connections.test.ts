// Connections that no longer belong to an HTTP request do not keep a gateway from stopping.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { makeCertificates } from '../../support/product/certificates.ts';
import { TestGateway } from '../support/gateway.ts';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A client that never closes its half of the connection. */
async function stubborn(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

test('the connection of a refused upgrade is closed, even if its client keeps it open', async () => {
  await using gateway = await new TestGateway('in-process').start();
  const socket = await stubborn(gateway.gateway.port);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.write('GET /other HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await once(socket, 'end');
  expect(answer).toContain('404 Not Found');
});

test('a client in the middle of its TLS handshake does not keep the gateway from stopping', async () => {
  const folder = await temporaryFolder();
  const gateway = await new TestGateway('in-process').start({ tls: await makeCertificates(folder.path, 'front') });
  const socket = await stubborn(gateway.gateway.port);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resume();
  // This is the header of a handshake record without its content. The server waits ten seconds for the rest.
  socket.write(Buffer.from([22, 3, 1, 2, 0]));
  const fromMs = performance.now();
  await gateway.stop();
  await closed;
  expect(performance.now() - fromMs).toBeLessThan(5_000);
  await folder.remove();
});
