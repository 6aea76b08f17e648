// A POST whose answer is read as one text.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Pool } from 'undici';
import { postText } from '../../../gateway/supergraph/post-text.ts';

let answer: (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let pool: Pool;

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { maxResponseSize: 1_000 });
});
afterEach(async () => {
  await pool.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const post = (signal = new AbortController().signal) =>
  postText(pool, { path: '/x', headers: ['x-sent', 'yes'], body: Buffer.from('{}'), signal });

test('returns status, headers and text, in several parts and without a byte order mark', async () => {
  answer = (request, response) => {
    response.writeHead(201, { 'x-got': String(request.headers['x-sent']) });
    const bytes = Buffer.from('\ufeffä漢', 'utf8');
    response.write(bytes.subarray(0, 4));
    setImmediate(() => response.end(bytes.subarray(4)));
  };
  const { statusCode, headers, text } = await post();
  expect([statusCode, headers['x-got'], text]).toEqual([201, 'yes', 'ä漢']);
});

test('an informational answer before the final one is ignored', async () => {
  answer = (_request, response) => {
    response.writeEarlyHints({ link: '</x>; rel=preload' });
    response.end('done');
  };
  expect(await post()).toMatchObject({ statusCode: 200, text: 'done' });
});

test.each(['before it is sent', 'while it is answered'])('is aborted %s, with the reason', async (when) => {
  const over = new AbortController();
  const reason = new Error('nobody waits');
  answer = (_request, response) => {
    response.write('half');
    over.abort(reason);
  };
  if (when === 'before it is sent') over.abort(reason);
  await expect(post(over.signal)).rejects.toBe(reason);
});

test('an answer that is cut off or too large fails', async () => {
  answer = (_request, response) => {
    response.write('half');
    setImmediate(() => response.destroy());
  };
  await expect(post()).rejects.toThrow();
  answer = (_request, response) => response.end('x'.repeat(1_001));
  await expect(post()).rejects.toMatchObject({ code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' });
});
