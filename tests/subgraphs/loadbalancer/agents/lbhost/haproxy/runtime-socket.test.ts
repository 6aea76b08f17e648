// The end of an answer on HAProxy's socket: a close, or a reset if HAProxy closes without having read the whole
// command.
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { RuntimeSocket } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/runtime-socket.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../../../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let server: Server;
let take: (socket: Socket) => void;

beforeEach(async () => {
  folder = await temporaryFolder();
  // Unread data turns a close into a reset.
  server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined);
    take(socket);
  });
  await new Promise<void>((resolve) => server.listen(join(folder.path, 'socket'), resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await folder.remove();
});

const ask = () => new RuntimeSocket(join(folder.path, 'socket')).ask('show proc;quit');

test('a reset after the answer ends it', async () => {
  take = (socket) => setTimeout(() => socket.write('the answer\n', () => socket.destroy()), 100);
  await expect(ask()).resolves.toBe('the answer');
});

test('a reset without an answer is an error', async () => {
  take = (socket) => setTimeout(() => socket.destroy(), 100);
  await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' });
});
