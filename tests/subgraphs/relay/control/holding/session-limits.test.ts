// Devices that allow few sessions. Calls wait for a session, and none fails because of the limit.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { TcpLine } from '../../../../../simulators/tcp-line.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call } from '../../support/relay-system.ts';
import { startRelay } from '../../support/start-relay.ts';

const calls = 14;

const { node } = await startRelay();

test.each([
  { what: 'two connections of one channel', connections: 2, maxChannels: 1 },
  { what: 'one connection of two channels', connections: 1, maxChannels: 2 },
])('14 calls at once on a device with two sessions ($what): each is made once, none fails', async (limits) => {
  const { connections, maxChannels } = limits;
  const device = await NftDevice.start({
    maxChannels,
    onExec: async (execution) => {
      const stdin = await execution.stdin();
      device.told.push(stdin);
      await sleep(20);
      execution.reply(stdin);
    },
  });
  const { host, port } = device.ssh;
  const line = await TcpLine.lay({ host, port }, { mostConnections: connections });
  try {
    const name = `narrow-${connections}`;
    await device.register(node, name, { port: line.port, limits: { concurrency: 16 } });
    const addresses = Array.from({ length: calls }, (_, index) => `10.0.${connections}.${index + 1}`);
    const answers = await Promise.all(addresses.map((address) => call(node, 'add', element(name, address))));
    expect(answers.map(({ operation, userErrors }) => [operation?.state, userErrors])).toEqual(
      addresses.map(() => ['SUCCEEDED', []]),
    );
    for (const address of addresses) expect(device.timesTold(`"${address}"`)).toBe(1);
    expect(device.ssh.mostRunning).toBe(2);
    const states = await node.db.query<{ state: string; count: number }>(
      'SELECT o.state, COUNT(*) AS count FROM operation o JOIN backend b ON b.id = o.backend_id WHERE b.name = ? GROUP BY o.state',
      [name],
    );
    expect(states).toEqual([{ state: 'SUCCEEDED', count: calls }]);
    const [backend] = await node.db.query('SELECT circuit_state AS circuit FROM backend WHERE name = ?', [name]);
    expect(backend).toEqual({ circuit: 'CLOSED' });
  } finally {
    await line.stop();
    await device.ssh.stop();
  }
});
