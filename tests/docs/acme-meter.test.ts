// The worked example in docs/relay.md is a complete driver. The relay calls, reads, settles and checks with it as with
// any other, against a meter that behaves as its guide describes.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { acmeMeter } from '../../docs/examples/acme-meter.ts';
import { TlsServer } from '../../simulators/support/tls-server.ts';
import {
  call,
  identity,
  type RelayNode,
  RelaySystem,
  registerBackend,
  settle,
} from '../subgraphs/relay/support/relay-system.ts';

const limits = new Map<string, string>();
let system: RelaySystem;
let node: RelayNode;
let meter: TlsServer;
let breaksAfterIt = false;

beforeAll(async () => {
  meter = await TlsServer.start(async ({ method, path, headers, body, cut }) => {
    const basic = `Basic ${Buffer.from('ops:secret').toString('base64')}`;
    if (headers.authorization !== basic) return { status: 401 };
    if (path === '/api/version') return { status: 200, body: '2.1\n' };
    if (method === 'GET') {
      const limit = limits.get(path);
      return limit === undefined ? { status: 404 } : { status: 200, body: limit };
    }
    if ((JSON.parse(body) as { watts: number }).watts > 50_000)
      return { status: 422, body: 'more than the line bears' };
    limits.set(path, body);
    if (!breaksAfterIt) return { status: 200, body };
    cut();
    return undefined;
  });
  system = await RelaySystem.start();
  node = await system.node({ drivers: new Map([[acmeMeter.name, acmeMeter]]) });
  await registerBackend(node, {
    ...{ driver: 'acme-meter', name: 'meter', host: meter.host, port: meter.port },
    ...{ certificateSha256: meter.certificate.sha256, credentials: { username: 'ops', password: 'secret' } },
  });
});
afterAll(async () => {
  await system.stop();
  await meter.stop();
});

const set = (watts: number, name = 'rack-7') =>
  call(node, 'relayCall', {
    ...{ backend: { name: 'meter' }, operation: 'limit.set', arguments: { name, watts } },
    cmpObject: { type: 'rack', externalId: name },
  });

async function verify(id: string | undefined): Promise<unknown> {
  const { data } = await node.run<{ mappingVerify: { mapping: unknown } }>(
    identity('MEMBER'),
    `mutation ($input: MappingVerifyInput!) { mappingVerify(input: $input) {
      mapping { lastVerification { result differences { path wanted found } } } userErrors { message } } }`,
    { input: { id } },
  );
  return data.mappingVerify.mapping;
}

test('it sets values, is refused, and finds changes that were not made through the relay', async () => {
  const made = await set(4_000);
  expect(made).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { mappingState: 'ACTIVE' } });
  expect(await set(60_000)).toMatchObject({
    operation: { state: 'FAILED', deviceError: { code: 'DEVICE_REFUSED', message: 'more than the line bears' } },
  });
  expect(await verify(made.mapping?.id)).toEqual({ lastVerification: { result: 'MATCHES', differences: [] } });
  limits.set('/api/limits/rack-7', JSON.stringify({ watts: 9_000, note: 'by hand' }));
  expect(await verify(made.mapping?.id)).toEqual({
    lastVerification: { result: 'DRIFTED', differences: [{ path: 'watts', wanted: '4000', found: '9000' }] },
  });
});

test('a call with a lost answer is UNKNOWN, and settled by its mark', async () => {
  breaksAfterIt = true;
  const lost = await set(5_000, 'rack-8');
  breaksAfterIt = false;
  expect(lost).toMatchObject({ operation: { state: 'UNKNOWN' }, mapping: { mappingState: 'UNVERIFIED' } });
  const settled = await settle(node, { id: lost.operation?.id });
  expect(settled).toMatchObject({ userErrors: [], operation: { state: 'SUCCEEDED', stateSource: 'PROBE' } });
});
