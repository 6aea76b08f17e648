// Request bodies with and without a stated length, complete or cut off.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { HttpError, parseJson, readBody } from '../../../platform/graph/http-body.ts';

const most = 100;
let server: Server;
/** The body of the next request. */
let taken: PromiseWithResolvers<string>;
const sockets: Socket[] = [];

beforeAll(async () => {
  server = createServer((request: IncomingMessage, response) => {
    const { promise } = taken;
    readBody(request, most)
      .then(
        (body) => taken.resolve(body.toString('utf8')),
        (error: unknown) => taken.resolve(error instanceof HttpError ? `HTTP ${error.status}` : 'failed'),
      )
      .then(async () => response.end(await promise));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** Sends the parts one after the other. If `cut` is true, it cuts the connection after the last one. */
async function send(headers: string, parts: readonly string[], cut = false): Promise<string> {
  taken = Promise.withResolvers();
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  const arrived = new Promise<void>((resolve) => server.once('request', () => resolve()));
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n`);
  await arrived;
  for (const part of parts) await new Promise((resolve) => socket.write(part, resolve));
  if (cut) socket.destroy();
  return taken.promise;
}

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

test.each([
  ['of stated length, in parts', 'content-length: 6', ['abc', 'def'], 'abcdef'],
  ['empty', 'content-length: 0', [], ''],
  ['in chunks', 'transfer-encoding: chunked', [chunk('abc'), chunk('def'), chunk('')], 'abcdef'],
  ['too long by its length', 'content-length: 101', [], 'HTTP 413'],
  ['too long in chunks', 'transfer-encoding: chunked', [chunk('x'.repeat(60)), chunk('x'.repeat(60))], 'HTTP 413'],
])('a body %s', async (_name, headers, parts, read) => {
  expect(await send(headers, parts)).toBe(read);
});

test.each(['content-length: 6', 'transfer-encoding: chunked'])('a body that is cut off fails: %s', async (headers) => {
  expect(await send(headers, [headers.startsWith('content') ? 'abc' : chunk('abc')], true)).toBe('failed');
});

test('JSON that is not UTF-8 is refused, and no character is replaced', () => {
  expect(parseJson(Buffer.from('{"a":"ä"}', 'utf8'))).toEqual({ a: 'ä' });
  for (const bytes of [Buffer.from('{"a":"ä"}', 'latin1'), Buffer.from('{"a":"\xed\xa0\x80"}', 'latin1')])
    expect(() => parseJson(bytes)).toThrow(
      expect.objectContaining({ status: 400, message: expect.stringContaining('UTF-8') }),
    );
});
