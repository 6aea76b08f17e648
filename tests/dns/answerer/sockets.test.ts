// The running server, as dig(1) and TCP clients of any kind meet it.
// needs: bind9-dnsutils

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { Answerer } from '../../../dns/answerer/answerer.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { forFile } from '../../support/jest/shared.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { question, read, types, uint16 } from './support/packets.ts';
import { member, namePlan, zone, zonePlan } from './support/plans.ts';
import { testServer } from './support/server.ts';

const many = Array.from({ length: 60 }, (_, index) => `2001:db8::${(index + 1).toString(16)}`);
const plan = zonePlan([namePlan('shop'), namePlan('large', { members: [member('m1', { addresses: many })] })]);
const tcp = { connections: 20, connectionsPerNetwork: 20, idleMs: 1_000, closeMs: 500 };

const server = forFile(() => testServer(plan, { tcp }));

const sockets: Socket[] = [];
async function client(port = server.port): Promise<{ socket: Socket; got: () => Buffer; closed: () => boolean }> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let [got, closed] = [Buffer.alloc(0), false];
  socket.on('data', (part) => {
    got = Buffer.concat([got, part]);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  await once(socket, 'connect');
  return { socket, got: () => got, closed: () => closed };
}

const framed = (packet: Buffer) => Buffer.concat([uint16(packet.length), packet]);
const shop = framed(question(`shop.${zone}`));

describe('dig', () => {
  test.each([
    ['over UDP', ['+short', `shop.${zone}`, 'A'], /^192\.0\.2\.1\n$/],
    ['over TCP', ['+tcp', '+short', `shop.${zone}`, 'A'], /^192\.0\.2\.1\n$/],
    ['over TCP where it was truncated', ['+short', `large.${zone}`, 'AAAA'], /2001:db8::3c/],
    ['with a cookie that it gets and gives back', ['+qr', `shop.${zone}`], /COOKIE: [0-9a-f]{48} \(good\)/],
    ['the name of the server', ['+nsid', `shop.${zone}`], /NSID: .*\("ns-a"\)/],
    ['a subnet', ['+subnet=198.51.100.0/24', `shop.${zone}`], /CLIENT-SUBNET: 198\.51\.100\.0\/24\/0/],
    ['a transfer', [zone, 'AXFR'], /Transfer failed/],
    ['another version of EDNS', ['+edns=1', '+noednsneg', `shop.${zone}`], /BADVERS/],
    ['a status request', ['+opcode=STATUS', `shop.${zone}`], /NOTIMP/],
    ['the age', ['age.tidegate.', 'CH', 'TXT', '+short'], /"age unknown, zones 1"/],
  ])('%s', async (_what, words, expected) => {
    expect(await server.dig(...words)).toMatch(expected);
  });

  test('over IPv6, with the address of the client', async () => {
    const failed = () => undefined;
    const answerer = await Answerer.start({ listen: [{ address: '::1', port: 0 }], name: 'six', failed });
    try {
      answerer.put(plan);
      const [port = 0] = answerer.ports;
      const { stdout } = await runProgram('dig', ['@::1', '-p', String(port), '+norecurse', '+short', `shop.${zone}`]);
      expect(stdout).toBe('192.0.2.1\n');
    } finally {
      await answerer.close();
    }
  });
});

test('a failing source of locations costs answers, not the server', async () => {
  const failures: string[] = [];
  const geo = {
    find: () => {
      throw new Error('the file is damaged');
    },
  };
  const steps = [
    { step: 'PROXIMITY', toleranceKm: 1 },
    { step: 'FIRST', count: 1 },
  ] as const;
  const at = (latitude: number) => ({ continent: null, country: null, latitude, longitude: 1 });
  const near = namePlan('near', { members: [member('m1', { place: at(1) }), member('m2', { place: at(50) })], steps });
  const other = await testServer(zonePlan([near, namePlan('shop')]), {
    geo,
    failed: (what) => void failures.push(what),
  });
  try {
    expect(await other.dig('+time=1', '+tries=2', `near.${zone}`)).toContain('no servers could be reached');
    expect(await other.dig('+short', `shop.${zone}`)).toBe('192.0.2.1\n');
    expect(failures).toEqual(['a question could not be answered']);
  } finally {
    await other.close();
  }
});

describe('TCP', () => {
  const noneOpen = () => waitFor('no connection', () => server.answerer.stats().connections === 0);

  test('questions that arrive together or in pieces are answered in order', async () => {
    const { socket, got } = await client();
    socket.write(Buffer.concat([shop, shop, shop.subarray(0, 5)]));
    socket.write(shop.subarray(5));
    const length = 2 + (await waitFor('an answer', () => got().length > 2 && got().readUInt16BE(0)));
    await waitFor('three answers', () => got().length === 3 * length);
    for (const index of [0, 1, 2])
      expect(read(got().subarray(index * length + 2, (index + 1) * length)).answers).toHaveLength(1);
    // It has sent all queries: the last answers arrive, then the end.
    socket.end(shop);
    await noneOpen();
    expect(got().length).toBe(4 * length);
  });

  test('a client that sends too slowly, nothing, or no query is disconnected', async () => {
    const [slow, idle, wrong, long] = [await client(), await client(), await client(), await client()];
    wrong.socket.write(framed(Buffer.alloc(20, 0xff)));
    long.socket.write(uint16(5_000));
    let at = 0;
    const drip = setInterval(() => slow.socket.write(shop.subarray(at, ++at)), 100);
    try {
      await waitFor('all to be closed', () => [slow, idle, wrong, long].every(({ closed }) => closed()));
    } finally {
      clearInterval(drip);
    }
    expect(slow.got()).toHaveLength(0);
  });

  test('a client that does not read its answers is not read from, then disconnected', async () => {
    await noneOpen();
    const { socket } = await client();
    socket.pause();
    const ask = framed(question(`large.${zone}`, { type: types.AAAA }));
    const before = server.answerer.stats().counts.overTcp;
    for (let count = 0; count < 20_000; count += 1) socket.write(ask);
    await waitFor('it to be closed', () => server.answerer.stats().connections === 0);
    expect(server.answerer.stats().counts.overTcp - before).toBeLessThan(19_000);
  });

  test('a network may have a number of connections, and the next is closed', async () => {
    const other = await testServer(plan, { tcp: { connectionsPerNetwork: 2, idleMs: 600_000 } });
    try {
      const [one, two] = [await client(other.port), await client(other.port)];
      const third = await client(other.port);
      await waitFor('the third to be closed', third.closed);
      expect([one.closed(), two.closed()]).toEqual([false, false]);
      one.socket.destroy();
      await waitFor('a place', async () => {
        const next = await client(other.port);
        next.socket.write(shop);
        return waitFor('an answer or the end', () => (next.got().length > 0 ? 'answer' : next.closed() && 'end')).then(
          (what) => what === 'answer',
        );
      });
    } finally {
      await other.close();
    }
  });

  test('closing completes, even with clients that stay', async () => {
    const other = await testServer(plan, { tcp });
    const socket = connect(other.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(shop);
    await once(socket, 'data');
    await other.close();
    await expect(once(connect(other.port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
  });
});
