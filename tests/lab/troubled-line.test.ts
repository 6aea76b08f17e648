// The line in front of the lab's real devices: the effect of each fault on a request and its answer.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { TroubledLine } from '../../lab/devices/troubled-line.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';

let device: Server;
let line: TroubledLine;
const received: string[] = [];

beforeAll(async () => {
  device = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => {
      received.push(data.toString());
      socket.write(`answer to ${data.toString()}`);
    });
  }).listen(0, '127.0.0.1');
  await once(device, 'listening');
});
afterAll(() => {
  device.close();
});

beforeEach(async () => {
  received.length = 0;
  line = await TroubledLine.lay({ host: '127.0.0.1', port: (device.address() as AddressInfo).port }, 0);
});
afterEach(() => line.stop());

interface Client {
  readonly socket: Socket;
  readonly heard: string[];
  /** The error, if there was one. */
  readonly ended: Promise<string>;
}

async function client(): Promise<Client> {
  const socket = connect(line.port, line.host);
  const heard: string[] = [];
  let error = '';
  socket.on('data', (data: Buffer) => heard.push(data.toString()));
  socket.on('error', (each: NodeJS.ErrnoException) => {
    error = each.code ?? '';
  });
  const ended = new Promise<string>((done) => socket.on('close', () => done(error)));
  await Promise.race([once(socket, 'connect').catch(() => {}), ended]);
  return { socket, heard, ended };
}

async function usedClient(): Promise<Client> {
  const used = await client();
  used.socket.write('first');
  await waitFor('the first answer', () => used.heard.length === 1);
  return used;
}

test('without a fault everything passes', async () => {
  const { heard, socket } = await usedClient();
  expect(heard).toEqual(['answer to first']);
  socket.destroy();
});

test('hang: the request arrives, and the answer follows when the fault ends', async () => {
  const { heard, socket } = await usedClient();
  line.setTrouble('hang');
  socket.write('second');
  await waitFor('the request', () => received.includes('second'));
  expect(heard).toHaveLength(1);
  line.setTrouble('none');
  await waitFor('the answer', () => heard.includes('answer to second'));
  socket.destroy();
});

test('drop: the request arrives, and the connection breaks instead of an answer', async () => {
  const { heard, socket, ended } = await usedClient();
  line.setTrouble('drop');
  socket.write('second');
  await ended;
  expect(received).toEqual(['first', 'second']);
  expect(heard).toHaveLength(1);
});

test('late: the connection breaks, and the request arrives after that', async () => {
  const { heard, socket, ended } = await usedClient();
  line.setTrouble('late');
  socket.write('second');
  await ended;
  expect(received).toEqual(['first']);
  line.setTrouble('none');
  await waitFor('the request', () => received.includes('second'));
  expect(heard).toHaveLength(1);
});

test('refuse: connections break, and new ones are closed', async () => {
  const { ended } = await usedClient();
  line.setTrouble('refuse');
  await ended;
  await (await client()).ended;
  expect(received).toEqual(['first']);
  line.setTrouble('none');
  (await usedClient()).socket.destroy();
});
