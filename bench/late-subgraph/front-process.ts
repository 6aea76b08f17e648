// A front of one subgraph, in its own process. It passes requests on, or misbehaves as another team's subgraph may.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { answerParent } from '../../measure/child.ts';

/** `rubbish`: each answer is a different kind of rubbish. */
export type FrontMode = 'well' | 'late' | 'never' | 'rubbish';

export type FrontOrder = { readonly subgraphUrl: string } | { readonly mode: FrontMode };

const lateMs = 2_000;
const rubbishBytes = 64 * 1024;
const deep = `{"data":${'['.repeat(rubbishBytes / 2)}${']'.repeat(rubbishBytes / 2)}}`;
const random = randomBytes(rubbishBytes);

const rubbish: readonly ((response: ServerResponse) => void)[] = [
  (response) => response.end('<!doctype html><title>Sign in</title>'),
  (response) => response.end(random),
  (response) => response.end(deep),
  (response) => response.end('{"data":{"_entities":"all of them"}}'),
  (response) => response.writeHead(500).end(random),
  (response) => response.write('{"data":', () => response.destroy()),
  ({ socket }) => socket?.end('nothing that looks like HTTP\r\n\r\n'),
];

let mode: FrontMode = 'well';
let pool: Pool | undefined;
let answered = 0;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  if (mode === 'never') return;
  if (mode === 'rubbish') return rubbish[answered++ % rubbish.length]?.(response);
  if (mode === 'late') await sleep(lateMs);
  const { 'content-length': _, connection: __, host: ___, ...headers } = request.headers;
  const path = request.url ?? '/';
  const passed = await pool?.request({ path, method: request.method === 'GET' ? 'GET' : 'POST', headers, body });
  if (passed === undefined) return;
  response.writeHead(passed.statusCode, { 'content-type': 'application/json' });
  response.end(Buffer.from(await passed.body.arrayBuffer()));
}

answerParent(async (order: FrontOrder): Promise<string | undefined> => {
  if ('mode' in order) {
    ({ mode } = order);
    return undefined;
  }
  pool = new Pool(order.subgraphUrl, { connections: 64 });
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
