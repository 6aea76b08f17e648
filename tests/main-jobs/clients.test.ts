// The clients of docs/clients.md, run as a reader would. Each client blocks an address at the firewall and follows its call to the end,
// although answers and streams are lost on the way. When it is started again, it makes no second call. The Go client runs if Go is installed.
// needs: python3
import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { patience } from '../support/machine/patience.ts';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

const run = promisify(execFile);
const folder = join(import.meta.dirname, '../../docs/examples/clients');
const mark = randomUUID().slice(0, 8);

const clients: readonly (readonly [string, string, readonly string[]])[] = [
  ['Python', 'python3', [join(folder, 'block_address.py')]],
  ['TypeScript', process.execPath, [join(folder, 'block-address.ts')]],
  ['Go', 'go', ['run', join(folder, 'block_address.go')]],
];
const hasGo = spawnSync('go', ['version']).status === 0;

/**
 * The answer parts that are lost, by their number over all connections: 2 is the answer of the mutation, 3 is the stream's first part, and 5 is
 * a part after the stream was resumed.
 */
const losses: readonly (readonly [string, readonly number[]])[] = [
  ['the answer is lost', [2]],
  ['the stream is lost', [3, 5]],
];
const runs = clients.flatMap(([language, program, words]) =>
  losses.map(([what, cutParts]) => ({ language, program, words, what, cutParts })),
);

/**
 * A proxy between a client and the product. It cuts the connection when one of these parts arrives, so that the client can't know the
 * outcome.
 */
async function lossyProxy(target: URL, cutParts: readonly number[]) {
  let parts = 0;
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const close = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', close).on('close', close);
    client.pipe(upstream);
    upstream.on('data', (data) => {
      parts += 1;
      if (!cutParts.includes(parts)) return client.write(data);
      cuts += 1;
      return close();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/graphql`, cuts: () => cuts, close: () => server.close() };
}

describeWithProduct('a client', () => {
  let product: Product;
  const closers: (() => void)[] = [];
  beforeAll(async () => {
    product = await runningProduct();
  });
  afterAll(() => {
    for (const close of closers) close();
  });

  test.each(runs)(
    'in $language, where $what',
    async ({ language, program, words, cutParts }) => {
      if (language === 'Go' && !hasGo) return console.warn('The client in Go was not run: there is no Go.');
      const proxy = await lossyProxy(new URL(product.url), cutParts);
      closers.push(proxy.close);
      const tenant = `${language}-${cutParts[0]}-${mark}`;
      const address = `203.0.113.${60 + runs.findIndex((each) => each.language === language && each.cutParts === cutParts)}`;
      const start = async () => {
        const args = [...words, proxy.url, join(product.data, 'admin.token'), tenant, address];
        const { stdout } = await run(program, args, { timeout: 60_000 * patience });
        return stdout.trim().split('\n');
      };
      const last = (await start()).at(-1);
      expect(last).toMatch(/^[\w-]+ SUCCEEDED$/);
      expect(proxy.cuts()).toBeGreaterThanOrEqual(1);

      // The state is already final when the client starts.
      expect(await start()).toEqual([last]);
      const query =
        'query ($id: String!) { cmpObject(type: "tenant", externalId: $id) { relayOperations { nodes { id state } } } }';
      const { cmpObject } = await product.ask<{ cmpObject: { relayOperations: { nodes: readonly object[] } } }>(query, {
        id: tenant,
      });
      expect(cmpObject.relayOperations.nodes).toEqual([{ id: last?.split(' ')[0], state: 'SUCCEEDED' }]);
      return undefined;
    },
    180_000,
  );
});
