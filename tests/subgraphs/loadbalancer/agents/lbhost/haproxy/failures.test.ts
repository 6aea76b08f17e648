// Members are killed, stop answering, or are all gone. The tests check which clients notice, and which status they get.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import type { WantedPart } from '../../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { streamMember, type TestMember, webMember } from '../../../support/members.ts';

type Method = 'GET' | 'POST';

/** Clients that send requests one after another on kept connections, and count the results: a status, or CLOSED. */
class Clients {
  readonly seen = new Map<string, number>();
  /** Number of answers by member name. */
  readonly answers = new Map<string, number>();
  readonly #agents: Agent[] = [];
  readonly #loops: Promise<void>[];
  #ended = false;

  constructor(port: number, method: Method, count: number) {
    this.#loops = Array.from({ length: count }, () => this.#loop(port, method));
  }

  async #loop(port: number, method: Method): Promise<void> {
    const agent = new Agent({ connections: 1, pipelining: 1, allowH2: false });
    this.#agents.push(agent);
    const body = method === 'POST' ? 'body' : null;
    while (!this.#ended) {
      const kind = await request(`http://127.0.0.1:${port}/`, { method, body, dispatcher: agent }).then(
        async (answer) => {
          const text = await answer.body.text();
          if (answer.statusCode === 200) this.answers.set(text, (this.answers.get(text) ?? 0) + 1);
          return String(answer.statusCode);
        },
        () => 'CLOSED',
      );
      this.seen.set(kind, (this.seen.get(kind) ?? 0) + 1);
    }
  }

  /** Waits for this many further answers of the member. */
  async until(name: string, more: number): Promise<void> {
    const before = this.answers.get(name) ?? 0;
    await waitFor(`answers of ${name}`, async () => (this.answers.get(name) ?? 0) >= before + more);
  }

  /** Waits for this many further results of this kind. */
  async untilSeen(kind: string, more: number): Promise<void> {
    const before = this.seen.get(kind) ?? 0;
    await waitFor(`${kind}`, async () => (this.seen.get(kind) ?? 0) >= before + more);
  }

  /** Number of failed requests by kind. */
  get failures(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.seen].filter(([kind]) => kind !== '200'));
  }

  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#loops);
    await Promise.all(this.#agents.map((agent) => agent.destroy()));
  }
}

const perMethod = 4;
let node: HaproxyNode;
let port: number;
let good: TestMember;
let gets: Clients;
let posts: Clients;
/** The other member. Tests can change how it handles requests. */
let other: Awaited<ReturnType<typeof streamMember>>;
let isSilent: boolean;
let pool: WantedPart;
let silent: WantedPart;

beforeEach(async () => {
  isSilent = false;
  good = await webMember('good');
  other = await streamMember((socket) =>
    socket.on('data', (chunk) => {
      if (isSilent) return;
      const isCheck = chunk.toString('latin1').includes(' /health ');
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nother');
      if (isCheck) socket.end();
    }),
  );
  node = await HaproxyNode.make();
  pool = node.pool();
  node.member(pool, good.port);
  silent = node.member(pool, other.port);
  node.monitor(pool, { path: '/health' });
  ({ port } = await node.listener({ defaultPool: pool.id }));
  await node.start();
  gets = new Clients(port, 'GET', perMethod);
  posts = new Clients(port, 'POST', perMethod);
  await Promise.all([gets.until('other', 20), posts.until('other', 20)]);
});
afterEach(async () => {
  await Promise.all([gets.end(), posts.end()]);
  await node.stop();
  await good.stop();
  await other.stop();
});

test('when a member is killed, no GET fails, POSTs in progress get 502 or a closed connection, and no later request fails', async () => {
  await other.stop();
  await Promise.all([gets.until('good', 200), posts.until('good', 200)]);
  expect(gets.failures).toEqual({});
  const { 502: told = 0, CLOSED: closed = 0, ...others } = posts.failures;
  expect(others).toEqual({});
  expect(told + closed).toBeLessThanOrEqual(perMethod);
  await posts.until('good', 200);
  expect(posts.failures).toEqual({ ...(told > 0 ? { 502: told } : {}), ...(closed > 0 ? { CLOSED: closed } : {}) });
}, 60_000);

test('when a member stops answering, requests waiting for it end with its check, once per client, and no later request fails', async () => {
  isSilent = true;
  const target = [`p_${pool.id}`, `m_${silent.id}`] as const;
  await waitFor('the member is down', async () =>
    (await node.haproxy.runtime.ask('show stat'))
      .split('\n')
      .some((line) => line.startsWith(`${target.join(',')},`) && line.split(',')[17] === 'DOWN'),
  );
  // As the host does when the log reports it.
  await node.haproxy.endSessions(...target);
  for (const clients of [gets, posts]) {
    await clients.until('good', 100);
    const before = { ...clients.failures };
    const { 502: bad = 0, 503: none = 0, 504: late = 0, CLOSED: closed = 0, ...others } = before;
    expect(others).toEqual({});
    expect(bad + none + late + closed).toBeLessThanOrEqual(perMethod);
    await clients.until('good', 200);
    expect(clients.failures).toEqual(before);
  }
}, 60_000);

test('when all members are gone every request gets 503 at once, and when one is back every request is answered', async () => {
  await other.stop();
  good.health = 500;
  await Promise.all([gets.untilSeen('503', 50), posts.untilSeen('503', 50)]);
  good.health = 200;
  await Promise.all([gets.until('good', 100), posts.until('good', 100)]);
  expect(Object.keys(gets.failures)).toEqual(['503']);
  for (const kind of Object.keys(posts.failures)) expect(['502', '503', 'CLOSED']).toContain(kind);
  const before = [gets.failures, posts.failures];
  await Promise.all([gets.until('good', 100), posts.until('good', 100)]);
  expect([gets.failures, posts.failures]).toEqual(before);
}, 60_000);
