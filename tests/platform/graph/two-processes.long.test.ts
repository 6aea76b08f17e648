// A subgraph on two hosts, one of which is killed or hangs. Queries, subscriptions and credentials go to the other one, and a mutation that
// may have been accepted is not repeated. Unless a test says otherwise, one host is used until it fails.
// needs: processes
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'graphql';
import { pino } from 'pino';
import { HttpLink } from '../../../gateway/supergraph/http-link.ts';
import type { LinkRequest } from '../../../gateway/supergraph/subgraph-link.ts';
import { RemoteAuthenticator } from '../../../platform/graph/remote-authenticator.ts';
import { newKeyPair, SigningKeys } from '../../../platform/secrets/key-pairs.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

const { privateText, publicText } = newKeyPair();
const signingKeys = new SigningKeys({ active: 'k1', keys: { k1: privateText } });
const keys = JSON.stringify({ gateway: { k1: publicText }, system: {}, audit: {}, objects: {} });
const program = new URL('./support/subgraph-process.ts', import.meta.url).pathname;
const long = 600_000;

interface Host {
  readonly url: string;
  readonly child: ChildProcessByStdio<null, Readable, null>;
}

let hosts: Host[] = [];
let link: HttpLink;
let remote: RemoteAuthenticator;

async function start(name: string): Promise<Host> {
  const child = spawn(process.execPath, [program, name, keys], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: String(line).trim(), child };
}

beforeEach(async () => {
  hosts = await Promise.all([start('first'), start('second')]);
  const urls = hosts.map(({ url }) => url) as [string, string];
  link = linkTo(urls);
  remote = new RemoteAuthenticator({ urls, subgraph: 'test', signingKeys, deadlineMs: long });
});
afterEach(async () => {
  for (const { child } of hosts) child.kill('SIGKILL');
  await Promise.all([link.close(), remote.close()]);
});

function first() {
  const [host] = hosts;
  if (host === undefined) throw new Error('no host has started');
  return host.child;
}

const linkTo = (urls: readonly [string, ...string[]], oneAtATime = true) =>
  new HttpLink({
    ...{ name: 'test', urls, oneAtATime, signingKeys, log: pino({ level: 'silent' }) },
    ...{ queryDeadlineMs: long, mutationDeadlineMs: long },
  });
const requestOf = (text: string): LinkRequest => ({
  ...{ text, document: parse(text), variables: {}, operationName: undefined },
  context: { identity: null, requestId: 'r', loaders: new Map() },
});
const ask = (text: string) => link.execute(requestOf(text));
async function names() {
  const stream = await link.subscribe(requestOf('subscription { names }'));
  if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream));
  return stream;
}

describe.each(['SIGKILL', 'SIGSTOP'] as const)('the first process gets %s', (signal) => {
  const fault = () => first().kill(signal);

  test('queries and credentials go to the other process, even from connections that are open', async () => {
    expect(await ask('{ name }')).toEqual({ data: { name: 'first' } });
    expect(await remote.authenticate('token')).toMatchObject({ name: 'first' });
    fault();
    expect(await ask('{ name }')).toEqual({ data: { name: 'second' } });
    expect(await remote.authenticate('token')).toMatchObject({ name: 'second' });
    expect(await ask('mutation { note }')).toEqual({ data: { note: 1 } });
    expect(await link.ready()).toBe(true);
  }, 60_000);

  test('a connection attempt is abandoned too', async () => {
    fault();
    expect(await Promise.all(['{ name }', '{ name }'].map(ask))).toEqual([
      { data: { name: 'second' } },
      { data: { name: 'second' } },
    ]);
    expect(await remote.authenticate('token')).toMatchObject({ name: 'second' });
  }, 60_000);

  test('a mutation that has started there fails, and is not repeated', async () => {
    const begun = once(first().stdout, 'data');
    const asked = ask(`mutation { note(ms: ${long}) }`);
    await begun;
    fault();
    expect(await asked).toMatchObject({
      errors: [{ path: ['note'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
    });
    expect(await ask('mutation { note }')).toEqual({ data: { note: 1 } });
  }, 60_000);

  test('a subscription ends, and the next one is at the other host', async () => {
    const stream = await names();
    expect((await stream.next()).value).toEqual({ data: { names: 'first' } });
    fault();
    let last: unknown;
    for await (const item of stream) last = item;
    expect(last).toMatchObject({ errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] });
    let next: unknown;
    await waitFor('the other host', async () => {
      const again = await names();
      next = (await again.next()).value;
      await again.return();
      return JSON.stringify(next) === '{"data":{"names":"second"}}';
    });
  }, 60_000);
});

// A killed process may have ended the connection before the mutation is sent. The mutation then goes to the other process, which is allowed.
test('a mutation on an open connection to a hung process ends, and is not repeated', async () => {
  expect(await ask('mutation { note }')).toEqual({ data: { note: 1 } });
  first().kill('SIGSTOP');
  expect(await ask('mutation { note }')).toMatchObject({
    errors: [{ path: ['note'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
  });
  expect(await ask('mutation { note }')).toEqual({ data: { note: 1 } });
}, 60_000);

test('a slow process is waited for', async () => {
  expect(await ask('{ slow(ms: 4000) }')).toEqual({ data: { slow: 'first' } });
}, 60_000);

/** Answers each request with 503 and this text. */
async function startAway(text: string) {
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.method === 'POST') asked += 1;
    request.resume();
    response.writeHead(503).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe.each([true, false])('one process answers 503, in the mode with one at a time: %s', (oneAtATime) => {
  test('queries and credentials go to the other process', async () => {
    const away = await startAway('not now');
    const urls = [away.url, hosts[1]?.url ?? ''] as const;
    const other = linkTo(urls, oneAtATime);
    expect(await other.execute(requestOf('{ name }'))).toEqual({ data: { name: 'second' } });
    expect(away.asked()).toBe(1);
    // Mutations follow, although the first process is still probed from time to time.
    expect(await other.execute(requestOf('mutation { note }'))).toEqual({ data: { note: 1 } });
    await other.close();
    const credentials = new RemoteAuthenticator({ urls, subgraph: 'test', signingKeys });
    expect(await credentials.authenticate('token')).toMatchObject({ name: 'second' });
    await credentials.close();
    away.stop();
  }, 60_000);

  test.each([
    ['not now', { errors: [{ path: ['note'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] }],
    ['{"executed":false}', { data: { note: 1 } }],
  ])(
    'a mutation goes to the other process only if the first one says that it did nothing: %s',
    async (text, answer) => {
      const away = await startAway(text);
      const other = linkTo([away.url, hosts[1]?.url ?? ''], oneAtATime);
      expect(await other.execute(requestOf('mutation { note }'))).toMatchObject(answer);
      expect(away.asked()).toBe(1);
      await other.close();
      away.stop();
    },
    60_000,
  );
});

describe('requests are spread over both processes', () => {
  let spread: HttpLink;
  beforeEach(() => {
    spread = linkTo(hosts.map(({ url }) => url) as [string, string], false);
  });
  afterEach(() => spread.close());
  const name = async () => (await spread.execute(requestOf('{ name }'))).data?.name;

  test('in turn while nothing is under way, and past a slow process', async () => {
    expect(new Set([await name(), await name(), await name()])).toEqual(new Set(['first', 'second']));
    const slow = spread.execute(requestOf('{ slow(ms: 2000) }'));
    const others = [await name(), await name(), await name()];
    expect(new Set(others).size).toBe(1);
    expect(others).not.toContain((await slow).data?.slow);
  }, 60_000);

  test.each(['SIGKILL', 'SIGSTOP'] as const)(
    '%s of one process: no query fails, and the other one gets them all',
    async (signal) => {
      await Promise.all([name(), name()]);
      first().kill(signal);
      for (let round = 0; round < 5; round += 1)
        expect(await Promise.all([name(), name(), name()])).toEqual(['second', 'second', 'second']);
    },
    60_000,
  );

  test('a process that hung is used again', async () => {
    await Promise.all([name(), name()]);
    first().kill('SIGSTOP');
    expect(await Promise.all([name(), name()])).toEqual(['second', 'second']);
    first().kill('SIGCONT');
    await waitFor('the first one', async () => (await name()) === 'first');
  }, 60_000);
});
