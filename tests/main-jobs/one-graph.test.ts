// One endpoint for everything: one query over all five subgraphs, and a stream of changes that continues after a lost connection.
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

interface Item {
  readonly cursor: string;
  readonly change: { readonly to: string; readonly subject: { readonly id: string } | null } | null;
}

describeWithProduct('the endpoint', () => {
  let product: Product;
  beforeAll(async () => {
    product = await runningProduct();
  });

  test('one query reads all five subgraphs', async () => {
    await product.part('clusters');
    const data = await product.ask(`{
      me { name projects { project { name } } }
      backends(names: ["lab-firewall"]) { nodes { name project { name } } }
      loadBalancerQuotas { used }
      gslbFlavors { nodes { name } }
      objectEndpoints { name }
    }`);
    expect(data).toEqual({
      me: { name: expect.any(String), projects: [{ project: { name: 'default' } }] },
      backends: { nodes: [{ name: 'lab-firewall', project: { name: 'default' } }] },
      loadBalancerQuotas: expect.arrayContaining([expect.objectContaining({ used: expect.any(Number) })]),
      gslbFlavors: { nodes: expect.arrayContaining([{ name: 'lab' }]) },
      objectEndpoints: expect.arrayContaining(['north', 'south', 'east'].map((name) => ({ name }))),
    });
  });

  test('a subscription whose connection is lost resumes after its cursor, and misses nothing', async () => {
    const tenant = { type: 'tenant', externalId: randomUUID() };
    const write = async (number: number) => {
      const address = `203.0.113.${200 + number}`;
      const input = { idempotencyKey: randomUUID(), backend: { name: 'lab-firewall' }, cmpObject: tenant };
      const { operation } = await product.change<{ operation: { id: string; state: string } }>(
        'firewallAddressSetElementAdd',
        { ...input, set: 'blocked', address },
        'operation { id state }',
      );
      expect(operation.state).toBe('SUCCEEDED');
      return operation.id;
    };
    const first = await follow(product, tenant, undefined);
    const begin = await first.next();
    expect(begin.change).toBeNull();
    const written = [await write(1)];
    const seen = await first.until(1);
    first.cut();
    // No client is connected for these writes.
    written.push(await write(2), await write(3));
    const second = await follow(product, tenant, seen.at(-1)?.cursor);
    written.push(await write(4));
    seen.push(...(await second.until(3)));
    second.cut();
    const succeeded = seen.filter(({ change }) => change?.to === 'SUCCEEDED').map(({ change }) => change?.subject?.id);
    expect(succeeded).toEqual(written);
  });
});

/** The states of a tenant's calls. */
async function follow(product: Product, cmpObject: object, after: string | undefined) {
  const sockets: WebSocket[] = [];
  const client = createClient({
    url: `${product.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: class extends WebSocket {
      constructor(...given: ConstructorParameters<typeof WebSocket>) {
        super(...given);
        sockets.push(this);
      }
    },
    connectionParams: { authorization: `Bearer ${product.token}` },
    retryAttempts: 0,
  });
  const query = `subscription ($after: String, $cmpObject: CmpObjectInput) {
    statusChanges(after: $after, cmpObject: $cmpObject, kinds: ["relayOperation.state"]) {
      cursor change { to subject { id } } } }`;
  const stream = client.iterate<{ statusChanges: Item }>({ query, variables: { after, cmpObject } });
  const next = async (): Promise<Item> => {
    const { value } = await stream.next();
    if (value?.data == null) throw new Error(JSON.stringify(value));
    return value.data.statusChanges;
  };
  return {
    next,
    /** Reads items until this many calls have succeeded, and returns all of them. */
    async until(count: number): Promise<Item[]> {
      const items: Item[] = [];
      while (items.filter(({ change }) => change?.to === 'SUCCEEDED').length < count) items.push(await next());
      return items;
    },
    /** Cuts the connection as a network does: the other end is not notified. */
    cut() {
      for (const socket of sockets) socket.terminate();
      stream.return?.()?.catch(() => undefined);
    },
  };
}
