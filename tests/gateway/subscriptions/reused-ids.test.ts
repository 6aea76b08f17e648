// Each subscribe starts a stream of its own, whatever its id. The stream ends with its complete message or its socket, and the id can be used
// again at once.
// needs: load
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { type Random, seededRandom } from '../../../trials/random.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { modes, TestGateway } from '../support/gateway.ts';

/** 10,000 in total, for both modes. */
const messages = 5_000;
const ids = ['a', 'b', '__proto__', '1'];
/** Distinguishes frames of a stream from those of earlier streams with the same ID. */
const aliases = 64;

interface Stream {
  readonly alias: string;
  /** Cursors received. */
  readonly cursors: string[];
  /** The first item has arrived, so later events will arrive. */
  begun: boolean;
  /** The server has read this stream's `complete`. */
  gone: boolean;
}

/** A client that can send any message, and checks each frame that it receives. */
class RawClient {
  readonly faults: string[] = [];
  /** Open streams by id. */
  readonly open = new Map<string, Stream>();
  readonly #streams = new Map<string, Stream>();
  readonly #pongs: (() => void)[] = [];
  #socket!: WebSocket;
  #made = 0;

  async connect(url: string): Promise<void> {
    this.#socket = new WebSocket(url, 'graphql-transport-ws');
    const acknowledged = new Promise<void>((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.on('message', (data) => {
        const message = JSON.parse(String(data));
        if (message.type === 'connection_ack') resolve();
        else this.#take(message);
      });
    });
    this.#socket.on('close', (code) => {
      if (code !== 1005) this.faults.push(`closed with ${code}`);
    });
    await new Promise((resolve) => this.#socket.once('open', resolve));
    this.#send({ type: 'connection_init', payload: { authorization: 'Bearer token-ann' } });
    await acknowledged;
  }

  subscribe(id: string): void {
    const taken = new Set([...this.open.values()].map(({ alias }) => alias));
    do this.#made += 1;
    while (taken.has(`s${this.#made % aliases}`));
    const alias = `s${this.#made % aliases}`;
    const stream = { alias, cursors: [], begun: false, gone: false };
    this.#streams.set(alias, stream);
    this.open.set(id, stream);
    this.#send({
      type: 'subscribe',
      id,
      payload: { query: `subscription { ${alias}: thingChanges { cursor thing { id } } }` },
    });
  }

  complete(id: string): void {
    const stream = this.open.get(id);
    if (stream === undefined) return;
    this.open.delete(id);
    this.#send({ type: 'complete', id });
    // Messages are read in order, so this pong shows that the complete message was read.
    this.#pongs.push(() => {
      stream.gone = true;
    });
    this.#send({ type: 'ping' });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#socket.close();
    await closed;
    this.open.clear();
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  #take(message: { readonly type: string; readonly id?: string; readonly payload?: { readonly data?: object } }): void {
    if (message.type === 'pong') this.#pongs.shift()?.();
    else if (message.type === 'next') this.#takeItem(message.payload?.data ?? {});
    else this.faults.push(JSON.stringify(message));
  }

  #takeItem(data: object): void {
    const [[alias, item] = ['', undefined]] = Object.entries(data);
    const stream = this.#streams.get(alias);
    if (stream === undefined || item === undefined) return void this.faults.push(`no stream: ${JSON.stringify(data)}`);
    if (stream.gone) this.faults.push(`a frame of ${alias} after its complete`);
    stream.begun = true;
    if (item.thing === null) return;
    if (stream.cursors.includes(item.cursor)) this.faults.push(`the same event twice as ${alias}`);
    stream.cursors.push(item.cursor);
  }
}

describe.each(modes)('ids of subscriptions, subgraphs %s', (mode) => {
  let gateway: TestGateway;
  let url: string;
  beforeEach(async () => {
    gateway = await new TestGateway(mode).start({ socketLimits: { maxEventCost: 1_000_000 } });
    url = `${gateway.gateway.url.replace('http', 'ws')}/graphql`;
  });
  afterEach(() => gateway.stop());

  test('subscribe followed directly by complete leaves no reader', async () => {
    const client = new RawClient();
    await client.connect(url);
    for (let count = 0; count < 200; count += 1) {
      client.subscribe('x');
      client.complete('x');
    }
    client.subscribe('x');
    const [last] = client.open.values();
    await until(async () => (await gateway.metric('tidegate_gateway_subscriptions')) === 1);
    await until(() => last?.begun === true && gateway.world.log.open === 1);
    gateway.world.log.append('a');
    await until(() => last?.cursors.length === 1);
    await client.close();
    await until(() => gateway.world.log.open === 0);
    expect(await gateway.metric('tidegate_gateway_subscriptions')).toBe(0);
    expect(client.faults).toEqual([]);
  });

  test('an id in use is refused', async () => {
    const client = new RawClient();
    await client.connect(url);
    client.subscribe('x');
    client.subscribe('x');
    await until(() => client.faults.length > 0);
    expect(client.faults).toEqual(['closed with 4409']);
    await until(() => gateway.world.log.open === 0);
    expect(await gateway.metric('tidegate_gateway_subscriptions')).toBe(0);
  });

  test('after random subscribe, complete and close messages, the readers, frames and ends are right', async () => {
    const seed = Date.now() % 1_000_000;
    const random = seededRandom(seed);
    const clients = [new RawClient(), new RawClient(), new RawClient()];
    for (const client of clients) await client.connect(url);
    for (let sent = 0; sent < messages; sent += 1) await step(random, random.pick(clients), gateway, url);
    const open = clients.flatMap((client) => [...client.open.values()]);
    await until(async () => (await gateway.metric('tidegate_gateway_subscriptions')) === open.length);
    await until(() => open.every(({ begun }) => begun));
    await until(() => gateway.world.log.open === new Set(open.map(({ alias }) => alias)).size);
    const cursor = gateway.world.log.append('last');
    await until(() => open.every(({ cursors }) => cursors.at(-1) === cursor));
    for (const client of clients) await client.close();
    await until(() => gateway.world.log.open === 0);
    expect(await gateway.metric('tidegate_gateway_subscriptions')).toBe(0);
    expect({ seed, faults: clients.flatMap(({ faults }) => faults) }).toEqual({ seed, faults: [] });
  });
});

async function step(random: Random, client: RawClient, gateway: TestGateway, url: string): Promise<void> {
  const id = random.pick(ids);
  const chance = random.next();
  if (chance < 0.002) {
    await client.close();
    await client.connect(url);
  } else if (chance < 0.5) {
    if (!client.open.has(id)) client.subscribe(id);
  } else if (chance < 0.98) client.complete(id);
  else if (chance < 0.99) gateway.world.log.append('thing');
  // Occasionally everything is read, so that streams begin and events arrive.
  else await new Promise((resolve) => setTimeout(resolve, 5));
}
