// A project member uses a backend to reach the installation's own network: loopback, link-local and metadata addresses,
// and its own listeners. Literal addresses are refused at registration, and others at each connect.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { egressFrom } from '../../../platform/net/egress.ts';
import { readCertificate } from '../../../platform/net/tls-certificate.ts';
import { connectTlsEndpoint } from '../../../platform/net/tls-endpoint.ts';
import { createTransport } from '../../../subgraphs/relay/transports/factories.ts';
import { readHostKey } from '../../../subgraphs/relay/transports/host-key.ts';
import type { Endpoint } from '../../../subgraphs/relay/transports/session.ts';
import { identity, type RelayNode, RelaySystem } from './support/relay-system.ts';

const egress = egressFrom({ deny: ['203.0.113.0/24:8443'], own: ['192.0.2.10:3306'] });
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Counts the connections. */
async function listen(): Promise<{ port: number; guests: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.on('error', () => undefined).destroy();
  });
  servers.push(server);
  server.listen(0, '::');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, guests: () => count };
}

describe('a backend', () => {
  let system: RelaySystem;
  let node: RelayNode;
  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node({ egress });
  });
  afterAll(() => system.stop());

  let count = 0;
  const ssh = (more: object) => {
    count += 1;
    return { name: `b${count}`, driver: 'linux-nftables', credentials: { username: 'u', password: 'p' }, ...more };
  };
  const neutron = (more: object) => ({ ...ssh({}), driver: 'neutron', ...more });

  interface Answer {
    readonly backend: { readonly id: string; readonly host: string } | null;
    readonly userErrors: readonly {
      readonly code: string;
      readonly message: string;
      readonly field: readonly string[];
    }[];
  }
  async function change(mutation: 'backendCreate' | 'backendUpdate', input: object): Promise<Answer> {
    const type = mutation === 'backendCreate' ? 'BackendCreateInput' : 'BackendUpdateInput';
    const text = `mutation ($input: ${type}!) { done: ${mutation}(input: $input) { backend { id host } userErrors { code message field } } }`;
    const { data, errors } = await node.run<{ done: Answer }>(identity('OPERATOR'), text, { input });
    expect(errors).toEqual([]);
    return data.done;
  }

  test.each([
    ...['127.0.0.1', '127.5.5.5', '0.0.0.0', '169.254.169.254', '169.254.1.1', '224.0.0.1', '255.255.255.255'],
    ...['::1', '::', 'fe80::1', 'ff02::1', 'fd00:ec2::254', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '2002:7f00:1::1'],
    ...['64:ff9b::7f00:1', '::127.0.0.1'],
  ])('at %s is refused, with the field', async (host) => {
    const { backend, userErrors } = await change('backendCreate', ssh({ host }));
    expect(userErrors).toMatchObject([{ code: 'EGRESS_DENIED', field: ['input', 'host'] }]);
    expect(userErrors[0]?.message).toMatch(
      new RegExp(`^connections to ${host.replaceAll('.', '\\.')}.* port 22 are denied by .*egress\\.allow`),
    );
    expect(backend).toBeNull();
  });

  test.each([
    '127.1',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    '0177.0.0.1',
    'example.0x7f',
    '127.0.0.1.',
    'fe80::1%eth0',
    '１２７.0.0.1',
    '[::1]',
  ])('at %s, an address in an unusual notation, is refused', async (host) => {
    const { userErrors } = await change('backendCreate', ssh({ host }));
    expect(userErrors[0]).toMatchObject({ field: ['input', 'host'] });
    expect(['INVALID_INPUT', 'EGRESS_DENIED']).toContain(userErrors[0]?.code);
  });

  test('at an address of the installation itself is refused, on that port only', async () => {
    const { userErrors } = await change('backendCreate', ssh({ host: '192.0.2.10', port: 3306 }));
    expect(userErrors).toMatchObject([
      { code: 'EGRESS_DENIED', field: ['input', 'host'], message: expect.stringContaining('itself') },
    ]);
    expect(await change('backendCreate', ssh({ host: '192.0.2.10' }))).toMatchObject({ userErrors: [] });
  });

  test.each([
    'https://127.0.0.1:5000/v3',
    'https://0x7f.1/v3',
    'https://2130706433/v3',
    'https://[::ffff:7f00:1]/v3',
    'https://[fd00:ec2::254]/v3',
    'https://１２７.0.0.1/v3',
    'https://127.0.0.1./v3',
  ])('whose Keystone is %s is refused, with the option', async (authUrl) => {
    const options = { authUrl, project: 'p' };
    const { userErrors } = await change('backendCreate', neutron({ host: '192.0.2.20', options }));
    expect(userErrors).toMatchObject([{ field: ['input', 'options', 'authUrl'] }]);
    expect(['INVALID_INPUT', 'EGRESS_DENIED', 'INVALID_ARGUMENTS']).toContain(userErrors[0]?.code);
  });

  test("can't be moved there later, in one step or several", async () => {
    const { backend } = await change('backendCreate', ssh({ host: '192.0.2.10', port: 2222 }));
    const id = backend?.id;
    const { credentials } = ssh({});
    const denied = (field: string) => [{ code: 'EGRESS_DENIED', field: ['input', field] }];
    expect(await change('backendUpdate', { id, host: '127.0.0.1' })).toMatchObject({ userErrors: denied('host') });
    expect(await change('backendUpdate', { id, port: 3306 })).toMatchObject({ userErrors: denied('port') });
    expect(await change('backendUpdate', { id, port: 3307, credentials })).toMatchObject({ userErrors: [] });
    expect(await change('backendUpdate', { id, host: '203.0.113.5', credentials })).toMatchObject({ userErrors: [] });
    expect(await change('backendUpdate', { id, port: 8443 })).toMatchObject({ userErrors: denied('port') });
    expect(await change('backendUpdate', { id, site: 'ams1' })).toMatchObject({
      userErrors: [],
      backend: { host: '203.0.113.5' },
    });
  });

  test('with a denied second wire is refused, with the options', async () => {
    const wires = { driver: 'fortios', host: '203.0.113.9', options: { ports: { ssh: 8443 } } };
    expect(await change('backendCreate', ssh(wires))).toMatchObject({ userErrors: [{ code: 'EGRESS_DENIED' }] });
    const { backend } = await change('backendCreate', ssh({ ...wires, options: {} }));
    const { userErrors } = await change('backendUpdate', { id: backend?.id, options: { ports: { ssh: 8443 } } });
    expect(userErrors).toMatchObject([{ code: 'EGRESS_DENIED', field: ['input', 'options'] }]);
  });

  test('with a name is registered, but no connection goes to a denied address of the name', async () => {
    const { port, guests } = await listen();
    const host = 'localhost';
    const { backend } = await change('backendCreate', ssh({ host, port, hostKeySha256: `SHA256:${'A'.repeat(43)}` }));
    const { data } = await node.run<{ call: { operation: unknown; userErrors: { code: string; message: string }[] } }>(
      identity('OPERATOR'),
      `mutation ($input: FirewallAddressSetElementAddInput!) { call: firewallAddressSetElementAdd(input: $input) {
        operation { state deviceError { code message } } userErrors { code message } } }`,
      { input: { backend: { id: backend?.id }, idempotencyKey: 'k', set: 'blocked', address: '192.0.2.1' } },
    );
    expect(JSON.stringify(data.call)).toContain('EGRESS_DENIED');
    expect(JSON.stringify(data.call)).toContain('egress.allow');
    expect(guests()).toBe(0);
  });
});

describe('every connection for a user', () => {
  const credentials = { username: 'u', password: 'p' };
  const endpointOf = (host: string, port: number): Endpoint => ({
    ...{ host, port, hostKeySha256: `SHA256:${'A'.repeat(43)}`, certificateSha256: `SHA256:${'A'.repeat(43)}` },
    ...{ caCertificates: null, cryptoProfile: 'MODERN', credentials },
  });
  const hosts = ['127.0.0.1', 'localhost', '0x7f.1', '::ffff:127.0.0.1'];

  test.each(
    (['ssh', 'https', 'ovsdb', 'netconf'] as const).flatMap((kind) => hosts.map((host) => [kind, host] as const)),
  )('the %s transport does not reach %s', async (kind, host) => {
    const { port, guests } = await listen();
    const transport = createTransport(kind, endpointOf(host, port), { egress, concurrency: 1 });
    const reservation = await transport.reserve();
    await transport.close();
    expect(reservation).toMatchObject({ ok: false, failure: { kind: 'NOT_SENT', code: 'EGRESS_DENIED' } });
    expect(guests()).toBe(0);
  });

  test('the command line over SSH does not reach a denied address', async () => {
    const { port, guests } = await listen();
    const { onyx } = await import('../../../subgraphs/relay/drivers/onyx/driver.ts');
    const { cli } = onyx;
    if (cli === undefined) throw new Error('onyx has a command line');
    const transport = createTransport('ssh', endpointOf('127.0.0.1', port), { egress, concurrency: 1, cli });
    expect(await transport.reserve()).toMatchObject({ ok: false, failure: { code: 'EGRESS_DENIED' } });
    await transport.close();
    expect(guests()).toBe(0);
  });

  test('a login does not reach another denied origin, wherever its address comes from', async () => {
    const { port, guests } = await listen();
    const options = { authUrl: `https://localhost:${port}/v3`, project: 'p' };
    const { neutron } = await import('../../../subgraphs/relay/drivers/neutron/driver.ts');
    const transport = createTransport('https', endpointOf('192.0.2.20', 443), {
      ...{ egress, concurrency: 1, connectTimeoutMs: 2_000 },
      ...(neutron.https === undefined ? {} : { https: neutron.https }),
      backend: { transport: 'https', options, softwareVersion: null },
    });
    const sent = await transport.send(
      { kind: 'http', method: 'GET', path: '/', origin: options.authUrl },
      { deadlineMs: 2_000 },
    );
    await transport.close();
    expect(sent).toMatchObject({ ok: false });
    expect(JSON.stringify(sent)).toContain('built-in rule');
    expect(guests()).toBe(0);
  });

  test.each(hosts)('no host key and no certificate is read at %s', async (host) => {
    const { port, guests } = await listen();
    const at = { host, port, egress, timeoutMs: 2_000 };
    await expect(readHostKey(at)).rejects.toThrow('denied by the built-in rule');
    await expect(readHostKey({ ...at, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    await expect(readCertificate(at)).rejects.toThrow('denied by the built-in rule');
    const endpoint = { host, port, certificateSha256: null, caCertificates: null, cryptoProfile: 'MODERN' as const };
    const { signal } = new AbortController();
    expect(await connectTlsEndpoint(endpoint, { egress, timeoutMs: 2_000, signal })).toMatchObject({
      failure: { code: 'EGRESS_DENIED' },
    });
    expect(guests()).toBe(0);
  });
});
