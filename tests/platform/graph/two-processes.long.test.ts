// A subgraph on two hosts, one of which is killed or stands still: queries, subscriptions and credentials go to the other one; a
// mutation that may have been taken is not repeated.
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
import { waitFor } from '../../support/temporary-folder.ts';

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

const linkTo = (urls: readonly [string, ...string[]]) =>
  new HttpLink({
    ...{ name: 'test', urls, signingKeys, log: pino({ level: 'silent' }) },
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

describe.each(['SIGKILL', 'SIGSTOP'] as const)('the first one gets %s', (signal) => {
  const fault = () => first().kill(signal);

  test('queries and credentials go to the other one, also those on connections that are open', async () => {
    expect(await ask('{ name }')).toEqual({ data: { name: 'first' } });
    expect(await remote.authenticate('token')).toMatchObject({ name: 'first' });
    fault();
    expect(await ask('{ name }')).toEqual({ data: { name: 'second' } });
    expect(await remote.authenticate('token')).toMatchObject({ name: 'second' });
    expect(await ask('mutation { note }')).toEqual({ data: { note: 1 } });
    expect(await link.ready()).toBe(true);
  }, 60_000);

  test('a connection that is to be made is given up, too', async () => {
    fault();
    expect(await Promise.all(['{ name }', '{ name }'].map(ask))).toEqual([
      { data: { name: 'second' } },
      { data: { name: 'second' } },
    ]);
    expect(await remote.authenticate('token')).toMatchObject({ name: 'second' });
  }, 60_000);

  test('a mutation that it has begun ends, and is not repeated', async () => {
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

// A killed one may have ended the connection before the mutation is sent: then it goes to the other one, as it may.
test('a mutation on an open connection to one that stands still ends, and is not repeated', async () => {
  expect(await ask('mutation { note }')).toEqual({ data: { note: 1 } });
  first().kill('SIGSTOP');
  expect(await ask('mutation { note }')).toMatchObject({
    errors: [{ path: ['note'], extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
  });
  expect(await ask('mutation { note }')).toEqual({ data: { note: 1 } });
}, 60_000);

test('one that is slow is waited for', async () => {
  expect(await ask('{ slow(ms: 4000) }')).toEqual({ data: { slow: 'first' } });
}, 60_000);

test('one that answers 503 is left: queries, credentials and mutations go to the other one', async () => {
  const away = createServer((request, response) => {
    request.resume();
    response.writeHead(503).end('not now');
  });
  await new Promise<void>((resolve) => away.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(away.address() as AddressInfo).port}`;
  const urls = [url, hosts[1]?.url ?? ''] as const;
  for (const text of ['{ name }', 'mutation { note }']) {
    const other = linkTo(urls);
    expect(await other.execute(requestOf(text))).toMatchObject({ data: expect.anything() });
    await other.close();
  }
  const other = new RemoteAuthenticator({ urls, subgraph: 'test', signingKeys });
  expect(await other.authenticate('token')).toMatchObject({ name: 'second' });
  await other.close();
  away.closeAllConnections();
  away.close();
}, 60_000);
