// Two Host headers: a server refuses them before its listeners run, and every HTTP server of the product is such a server.
import { once } from 'node:events';
import { glob, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { requireOneHost } from '../../../platform/net/one-host.ts';

const root = join(import.meta.dirname, '../../..');

test('a request, a request with 100 Continue and an upgrade are refused with two Host headers, and accepted with one', async () => {
  const taken: string[] = [];
  const server = createServer((_, response) => {
    taken.push('request');
    response.end();
  });
  server.on('checkContinue', (_, response) => {
    taken.push('checkContinue');
    response.end();
  });
  server.on('upgrade', (_, socket) => {
    taken.push('upgrade');
    socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  });
  requireOneHost(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const send = async (more: string) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${more}\r\n`));
    return (await socket.setEncoding('utf8').toArray()).join('');
  };
  const kinds = [
    'Connection: close\r\n',
    'Expect: 100-continue\r\nConnection: close\r\n',
    'Upgrade: x\r\nConnection: Upgrade\r\n',
  ];
  for (const kind of kinds)
    for (const second of ['Host: a\r\n', 'HOST: b\r\n']) expect(await send(second + kind)).toMatch(/^HTTP\/1.1 400 /);
  expect(taken).toEqual([]);
  for (const kind of kinds) await send(kind);
  expect(taken).toEqual(['request', 'checkContinue', 'upgrade']);
  await new Promise((resolve) => server.close(resolve));
});

test('every HTTP server of the product refuses them', async () => {
  const without: string[] = [];
  let servers = 0;
  for (const folder of ['gateway', 'platform', 'subgraphs', 'ha', 'dns', 'compose', 'embedded', 'workers', 'cli'])
    for await (const file of glob(`${folder}/**/*.ts`, { cwd: root })) {
      const text = await readFile(join(root, file), 'utf8');
      if (!/import \{[^}]*\bcreateServer\b[^}]*\} from 'node:https?'/.test(text)) continue;
      servers += 1;
      if (!/\brequireOneHost\(/.test(text)) without.push(file);
    }
  expect([servers > 5, without]).toEqual([true, []]);
});
