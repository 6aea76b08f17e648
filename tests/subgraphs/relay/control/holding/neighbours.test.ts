// One backend hangs and one is unreachable. Calls on other backends do not wait for them.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, expect, test } from '@jest/globals';
import { until } from '../../../../support/machine/temporary-folder.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { type CallShape, call, registerBackend } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

/** More than the connections of a database pool, the slots of a backend, or the sessions of a process. */
const many = 40;
const few = 20;
/** Long enough that no call times out. */
const longMs = 110_000;

let slow: NftDevice;
let quick: NftDevice;
let silent: Server;
const sockets = new Set<Socket>();

const { node } = await startRelay({ node: { settings: { connectTimeoutMs: longMs } } });
slow = await NftDevice.start();
quick = await NftDevice.start();
// Accepts connections, and never answers.
silent = createServer((socket) => sockets.add(socket.on('error', () => {})));
silent.listen(0, '127.0.0.1');
await once(silent, 'listening');
const { port } = silent.address() as { port: number };
await slow.register(node, 'slow', { limits: { concurrency: 4, deadlineMs: longMs } });
await quick.register(node, 'quick');
const credentials = { username: 'netops', password: 'secret' };
const hostKeySha256 = `SHA256:${'A'.repeat(43)}`;
await registerBackend(node, { name: 'dead', host: '127.0.0.1', port, hostKeySha256, credentials });
afterAll(async () => {
  hangUp();
  await Promise.all([slow.ssh.stop(), quick.ssh.stop()]);
});

/** From now on the unreachable device refuses connections. */
function hangUp(): void {
  silent.close();
  for (const socket of sockets) socket.destroy();
}

function calls(backend: string, count: number, ended: string[]): Promise<CallShape[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const answer = await call(node, 'add', element(backend, `10.0.0.${index + 1}`, { waitMs: longMs }));
      ended.push(backend);
      return answer;
    }),
  );
}

test('calls on a fast backend end while those on a slow and an unreachable one are in progress', async () => {
  await call(node, 'add', element('slow', '10.9.9.9'));
  slow.hold();
  slow.told.length = 0;
  const ended: string[] = [];
  const held = calls('slow', many, ended);
  const lost = calls('dead', many, ended);
  await until(() => slow.told.length >= 4 && sockets.size > 0);

  const answers = await calls('quick', few, ended);
  expect(answers.map(({ operation }) => operation?.state)).toEqual(answers.map(() => 'SUCCEEDED'));
  expect(ended).toEqual(answers.map(() => 'quick'));
  expect(slow.told).toHaveLength(4);

  slow.release();
  const late = await held;
  expect(late.map(({ operation }) => operation?.state)).toEqual(late.map(() => 'SUCCEEDED'));
  hangUp();
  for (const { operation, userErrors } of await lost) {
    // Either never sent, or refused after the circuit opened.
    expect([operation?.state ?? userErrors[0]?.code]).toEqual([expect.stringMatching(/^(REJECTED|CIRCUIT_OPEN)$/)]);
  }
});
