// The client of the benchmark of healing: it fails only when no address of the name answers.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { firstAnswer, NextAddressClient } from '../../../bench/lb-heal/client.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

const patience = { nextAfterMs: 20, wholeMs: 60_000 };
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** Answers with that status after this delay, or never. */
async function serve(host: string, port: number, { status = 200, afterMs = 0 }): Promise<number> {
  const server = createServer((_, response) => {
    if (afterMs !== Number.POSITIVE_INFINITY) setTimeout(() => response.writeHead(status).end(), afterMs);
  });
  server.listen(port, host);
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

test('found on a busy machine: requests wait for the first answer of DNS', async () => {
  const port = await serve('127.0.0.1', 0, {});
  const client = new NextAddressClient({
    port,
    addresses: async () => {
      await sleep(200);
      return [{ address: '127.0.0.1', ttl: 60 }];
    },
  });
  await client.start();
  await waitFor('requests', () => client.requests > 3);
  await client.stop();
  expect(client.failures).toEqual([]);
});

test('found on a busy machine: a slow address is not given up when the next one is tried', async () => {
  const port = await serve('127.0.0.1', 0, { afterMs: Number.POSITIVE_INFINITY });
  await serve('127.0.0.2', port, { afterMs: 10 * patience.nextAfterMs });
  expect(await firstAnswer(['127.0.0.1', '127.0.0.2'], port, patience)).toBe(1);
  expect(await firstAnswer(['127.0.0.2', '127.0.0.1'], port, patience)).toBe(0);
});

test('the next address is tried after a refusal and after an error; if none answers, the reason is reported', async () => {
  const port = await serve('127.0.0.1', 0, { status: 503 });
  await serve('127.0.0.3', port, {});
  expect(await firstAnswer(['127.0.0.1', '127.0.0.2', '127.0.0.3'], port, patience)).toBe(2);
  expect(await firstAnswer(['127.0.0.1', '127.0.0.2'], port, patience)).toBe(
    `127.0.0.1: status 503; 127.0.0.2: connect ECONNREFUSED 127.0.0.2:${port}`,
  );
  expect(await firstAnswer([], port, patience)).toBe('no address is known');
  const quick = { nextAfterMs: 10, wholeMs: 50 };
  await serve('127.0.0.4', port, { afterMs: Number.POSITIVE_INFINITY });
  expect(await firstAnswer(['127.0.0.4'], port, quick)).toBe('127.0.0.4: no answer in time');
});
