import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import ssh2 from 'ssh2';
import { SshConnection } from '../../../../subgraphs/relay/transports/ssh-connection.ts';

const owned: { close(): void }[] = [];
afterEach(() => {
  for (const thing of owned.splice(0)) thing.close();
});

/** Both ends of a connection; the far one reads everything and reports how it was closed. */
async function pair(): Promise<{ near: Socket; farEnd: Promise<string> }> {
  const server = createServer();
  owned.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  near.on('error', () => {});
  const [far] = (await once(server, 'connection')) as [Socket];
  far.resume();
  const farEnd = new Promise<string>((resolve) => {
    far.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    far.once('close', () => resolve('closed'));
  });
  if (near.connecting) await once(near, 'connect');
  return { near, farEnd };
}

function connectionOn(socket: Socket): SshConnection {
  return new SshConnection({ client: new ssh2.Client(), socket, openTimeoutMs: 1_000, changed: () => {} });
}

describe('a connection that is cut', () => {
  test('is reset, and bytes that the kernel had not sent are dropped', async () => {
    const { near, farEnd } = await pair();
    const connection = connectionOn(near);
    connection.destroy();
    await connection.closed;
    expect(await farEnd).toBe('ECONNRESET');
  });

  test('is closed even while this side is already ending it', async () => {
    const { near } = await pair();
    const connection = connectionOn(near);
    near.end();
    connection.destroy();
    connection.destroy();
    await connection.closed;
    expect(near.destroyed).toBe(true);
    expect(connection.lost).toBe(true);
  });

  test('is closed even while bytes wait and the far side does not read', async () => {
    const { near } = await pair();
    const connection = connectionOn(near);
    while (near.write(Buffer.alloc(1024 * 1024)));
    near.end();
    connection.destroy();
    await connection.closed;
    expect(connection.lost).toBe(true);
  });
});
