// A gateway behind nginx and HAProxy, with the samples of docker/systemd and short timeouts: sockets and event streams that are silent for
// longer than the proxy waits, its reloads, clients' addresses, and what the command line says of the proxy's own answers.
// needs: haproxy, nginx-light
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { type ClientOptions, WebSocket } from 'ws';
import { GraphClient } from '../../cli/graph-client.ts';
import { TypedDocumentString } from '../../generated/cli/graphql.ts';
import { type TemporaryFolder, temporaryFolder, until, waitFor } from '../support/machine/temporary-folder.ts';
import { startHaproxy } from '../support/servers/haproxy.ts';
import { type Nginx, startNginx } from '../support/servers/nginx.ts';
import { stream } from './support/event-client.ts';
import { Collector, TestGateway } from './support/gateway.ts';

const path = '/tidegate/';
/** Of the proxies, in place of 200 s. */
const silenceMs = 2_000;
const starts: Readonly<Record<string, (given: { folder: string; gateway: string }) => Promise<Nginx>>> = {
  nginx: (given) =>
    startNginx({
      ...{ ...given, path, more: 'client_max_body_size 2k;' },
      changes: [['proxy_read_timeout 200s', `proxy_read_timeout ${silenceMs}ms`]],
    }),
  HAProxy: (given) =>
    startHaproxy({
      ...given,
      changes: [
        ['timeout client 200s', `timeout client ${silenceMs}ms`],
        ['timeout server 200s', `timeout server ${silenceMs}ms`],
        [
          'default_backend',
          'option http-buffer-request\n  http-request deny deny_status 413 if { req.body_size gt 2000 }\n  default_backend',
        ],
      ],
    }),
};
const refusals: Readonly<Record<string, number>> = { nginx: 502, HAProxy: 503 };

describe.each(Object.keys(starts))('behind %s', (name) => {
  let folder: TemporaryFolder;
  let gateway: TestGateway;
  let proxy: Nginx;
  beforeEach(async () => {
    folder = await temporaryFolder();
    gateway = new TestGateway('in-process');
  });
  afterEach(async () => {
    await gateway.stop();
    await proxy[Symbol.asyncDispose]();
    await folder.remove();
  });

  async function start(options: Parameters<TestGateway['start']>[0]): Promise<void> {
    await gateway.start(options);
    proxy = await (starts[name] as (typeof starts)[string])({
      folder: folder.path,
      gateway: new URL(gateway.gateway.url).host,
    });
  }

  /** A subscription on a socket, with the number of pings that came. */
  function socket() {
    const seen = { pings: 0 };
    const { ca } = proxy;
    const client = gateway.client('token-ann', {
      url: `${proxy.origin.replace('https', 'wss')}${path}graphql`,
      webSocketImpl: class extends WebSocket {
        constructor(url: string, protocol: string) {
          super(url, protocol, { ca } satisfies ClientOptions);
          this.on('error', () => {});
          this.on('ping', () => {
            seen.pings += 1;
          });
        }
      },
    });
    return Object.assign(seen, { collector: new Collector(client, stream) });
  }

  /** The same as an event stream, with its text. */
  async function events() {
    const { body } = await request(`${proxy.origin}${path}graphql`, {
      ...{ dispatcher: proxy.agent, method: 'POST', body: JSON.stringify({ query: stream }) },
      headers: { authorization: 'Bearer token-ann', accept: 'text/event-stream', 'content-type': 'application/json' },
    });
    const seen = { text: '', done: false, cancel: () => body.destroy() };
    body.setEncoding('utf8').on('data', (part: string) => {
      seen.text += part;
    });
    body
      .on('error', () => undefined)
      .on('close', () => {
        seen.done = true;
      });
    return seen;
  }

  test('silent streams outlive its timeouts and its reload, and an event comes at once', async () => {
    await start({ socketLimits: { pingIntervalMs: silenceMs / 8 } });
    const [one, other] = [socket(), await events()];
    await waitFor('both streams', async () => one.collector.items.length > 0 && other.text.includes('event: next'));
    await proxy.reload();
    const beats = () => other.text.split('\n\n:\n\n').length - 1;
    // Longer than the timeout, twice.
    await waitFor('silence', async () => one.pings >= 17 && beats() >= 17);
    gateway.world.log.append('a');
    await until(() => one.collector.ids.length === 1 && other.text.includes('"id":"a"'));
    expect([one.collector.done, other.done]).toEqual([false, false]);
    other.cancel();
  });

  test('without the pings of the gateway its timeouts end silent streams', async () => {
    await start({ socketLimits: { pingIntervalMs: 600_000 } });
    const [one, other] = [socket(), await events()];
    await waitFor('both streams', async () => one.collector.items.length > 0 && other.text.includes('event: next'));
    await waitFor('their end', async () => one.collector.done && other.done);
  });

  test('the client has the address from which it connects to the proxy, whatever it claims', async () => {
    await start({ trustedProxies: ['127.0.0.1'] });
    const agent = new Agent({ connect: { ca: proxy.ca }, localAddress: '127.0.0.9' });
    const { body } = await request(`${proxy.origin}${path}graphql`, {
      ...{ dispatcher: agent, method: 'POST', body: JSON.stringify({ query: '{ clientAddress }' }) },
      headers: {
        ...{ authorization: 'Bearer token-ann', 'content-type': 'application/json' },
        'x-forwarded-for': '198.51.100.9',
      },
    });
    expect(await body.json()).toMatchObject({ data: { clientAddress: '127.0.0.9' } });
    await agent.close();
  });

  test('the command line says what its refusals mean', async () => {
    await start({});
    const credential = { token: async () => 'token-ann', inPlaceOf: async () => undefined, close: async () => {} };
    const client = new GraphClient({
      ...{ url: new URL(`${proxy.origin}${path}graphql`), credential, ca: proxy.ca },
      signal: new AbortController().signal,
    });
    const answerTo = (query: string) =>
      client.query(new TypedDocumentString<object, object>(query), {}).catch((error: Error) => error.message);
    expect(await answerTo('{ caller }')).toEqual({ caller: 'ann' });
    expect(await answerTo(`{ caller ${' '.repeat(3000)} }`)).toContain('allows no request of this size');
    expect(await answerTo('{ slow }')).toContain('got no answer in time');
    gateway.world.release();
    await gateway.gateway.stop();
    expect(await answerTo('{ caller }')).toContain(`can't reach it: try again later (HTTP ${refusals[name]})`);
    await client.close();
  });
});
