// Calls over SSH to a real Linux firewall, and over HTTPS to a FortiGate. The devices themselves show the effect of each call.
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { inNamespace } from '../../lab/exec.ts';
import { openSshTo } from '../support/machine/lab.ts';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

interface Call {
  readonly operation: { readonly id: string; readonly state: string; readonly wireCall: string | null } | null;
  readonly mapping: { readonly id: string; readonly mappingState: string; readonly objectKey: string } | null;
}
interface Device {
  readonly backend: string;
  /** A write, and the text by which the device shows its effect. */
  write(number: number): { readonly operation: string; readonly arguments: object; readonly shows: string };
  /** How often the device has this text. */
  count(shown: string): Promise<number>;
  /** Creates the object at the device, as a person would. */
  createByHand(number: number): Promise<void>;
}

const fields = 'operation { id state wireCall } mapping { id mappingState objectKey }';
/** Identifies objects of this test run. */
const mark = randomUUID().slice(0, 8);
const cmpObject = { type: 'tenant', externalId: mark };

describeWithProduct('a call to a real device', () => {
  let product: Product;
  const closers: (() => void)[] = [];
  const devices = new Map<string, Device>();
  beforeAll(async () => {
    product = await runningProduct();
    devices.set('firewall', await firewallOf(product, closers));
    devices.set('fortigate', await fortigateOf(product));
  });
  afterAll(() => {
    for (const close of closers) close();
  });

  const deviceOf = (name: string): Device => devices.get(name) as Device;

  function call(device: Device, number: number, more: object = {}): Promise<Call> {
    const { operation, arguments: args } = device.write(number);
    const input = { idempotencyKey: randomUUID(), backend: { name: device.backend }, cmpObject, operation };
    return product.change<Call>('relayCall', { ...input, arguments: args, ...more }, fields);
  }

  const ways = [
    ['SSH', 'firewall'],
    ['HTTPS', 'fortigate'],
  ];
  test.each(ways)(
    'over %s makes the object and its mapping, and the same key has no second effect',
    async (_way, name) => {
      const device = deviceOf(name);
      const { shows } = device.write(1);
      const idempotencyKey = randomUUID();
      const made = await call(device, 1, { idempotencyKey });
      expect(made).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { mappingState: 'ACTIVE' } });
      expect(await device.count(shows)).toBe(1);
      const again = await call(device, 1, { idempotencyKey });
      expect(again.operation?.id).toBe(made.operation?.id);
      expect(await device.count(shows)).toBe(1);
      const query = `query ($id: String!) { cmpObject(type: "tenant", externalId: $id) {
      mappings { nodes { id backend { name } } } relayOperations { nodes { id } } } }`;
      const { cmpObject: seen } = await product.ask<{
        cmpObject: { mappings: { nodes: object[] }; relayOperations: { nodes: object[] } };
      }>(query, { id: cmpObject.externalId });
      expect(seen.mappings.nodes).toContainEqual({ id: made.mapping?.id, backend: { name: device.backend } });
      expect(seen.relayOperations.nodes).toContainEqual({ id: made.operation?.id });
    },
  );

  test.each(ways)('over %s that is cut ends as unknown, and one read of the device settles it', async (_way, name) => {
    const device = deviceOf(name);
    const { shows } = device.write(2);
    await product.lab('trouble', name, 'drop');
    const cut = await call(device, 2).finally(() => product.lab('trouble', name, 'none'));
    expect(cut.operation?.state).toBe('UNKNOWN');
    // The call was carried out, and nothing repeats it.
    expect(await device.count(shows)).toBe(1);
    const settled = await product.change<Call>(
      'relayOperationSettle',
      { id: cut.operation?.id },
      'operation { id state }',
    );
    expect(settled.operation).toEqual({ id: cut.operation?.id, state: 'SUCCEEDED' });
    expect(await device.count(shows)).toBe(1);
  });

  test.each(ways)('over %s that deletes removes only its own object', async (_way, name) => {
    const device = deviceOf(name);
    await device.createByHand(4);
    const made = await call(device, 3);
    const input = { idempotencyKey: randomUUID(), mappingId: made.mapping?.id };
    const deleted = await product.change<Call>('mappingObjectDelete', input, fields);
    expect(deleted).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { mappingState: 'DELETED' } });
    expect(await device.count(device.write(3).shows)).toBe(0);
    expect(await device.count(device.write(4).shows)).toBe(1);
  });

  test('drops packets: a rule on a set of addresses blocks a client from a server', async () => {
    const { CLIENT = '', CLIENT_ADDRESS, SERVER_ADDRESS = '' } = await product.part('firewall');
    const reaches = async () =>
      (await inNamespace(CLIENT, 'ping', ['-c', '1', '-W', '1', SERVER_ADDRESS])).exitCode === 0;
    expect(await reaches()).toBe(true);
    const to = { backend: { name: 'lab-firewall' }, cmpObject };
    const element = { ...to, idempotencyKey: randomUUID(), set: 'blocked', address: CLIENT_ADDRESS };
    const rule = {
      ...to,
      idempotencyKey: randomUUID(),
      name: 'drop-blocked',
      source: { set: 'blocked' },
      action: 'DROP',
    };
    const made = [
      await product.change<Call>('firewallAddressSetElementAdd', element, fields),
      await product.change<Call>('firewallRuleCreate', rule, fields),
    ];
    for (const each of made) expect(each).toMatchObject({ operation: { state: 'SUCCEEDED' } });
    expect(await reaches()).toBe(false);
    for (const { mapping } of made)
      await product.change('mappingObjectDelete', { idempotencyKey: randomUUID(), mappingId: mapping?.id }, fields);
    expect(await reaches()).toBe(true);
  });
});

async function firewallOf(product: Product, closers: (() => void)[]): Promise<Device> {
  const { backends: page } = await product.ask<{ backends: { nodes: [{ host: string; port: number }] } }>(
    '{ backends(names: ["lab-firewall"]) { nodes { host port } } }',
  );
  const privateKeyPath = join(product.data, 'lab', 'firewall', 'keys', 'netops');
  const ssh = await openSshTo({ ...page.nodes[0], username: 'netops', privateKeyPath });
  closers.push(ssh.close);
  const nft = async (words: string) => {
    const { exitCode, stdout, stderr } = await ssh.exec(`nft ${words}`);
    expect([words, exitCode, stderr]).toEqual([words, 0, '']);
    return stdout;
  };
  const address = (number: number) => `203.0.113.${100 + number}`;
  return {
    backend: 'lab-firewall',
    write: (number) => ({
      ...{ operation: 'setElement.add', arguments: { set: 'blocked', address: address(number) } },
      shows: address(number),
    }),
    count: async (shown) => (await nft('list set inet filter blocked')).split(shown).length - 1,
    createByHand: async (number) => void (await nft(`add element inet filter blocked { ${address(number)} }`)),
  };
}

async function fortigateOf(product: Product): Promise<Device> {
  const identity = JSON.parse(
    await readFile(join(product.data, 'lab-parts', 'fortigate', 'identity.json'), 'utf8'),
  ) as { password: string; ports: { https: number } };
  const url = `https://127.0.0.1:${identity.ports.https}`;
  const name = (number: number) => `web-${number}-${mark}`;
  const given = new URLSearchParams({ username: 'admin', secretkey: identity.password, ajax: '1' }).toString();
  const answer = await sent(`${url}/logincheck`, 'POST', {}, given);
  const cookie = answer.cookies.map((each) => each.split(';')[0]).join('; ');
  const token = /ccsrftoken\w*="([^"]+)"/.exec(cookie)?.[1] ?? '';
  const addresses = `${url}/api/v2/cmdb/firewall/address`;
  const rest = async (method: string, body?: object) => {
    const headers = { cookie, 'x-csrftoken': token, 'content-type': 'application/json' };
    const { status, text } = await sent(`${addresses}?vdom=root`, method, headers, JSON.stringify(body));
    expect([method, status, text]).toEqual([method, 200, text]);
    return text;
  };
  return {
    backend: 'lab-fortigate',
    write: (number) => ({
      ...{ operation: 'address.create', arguments: { name: name(number), address: `192.0.2.${number}` } },
      shows: name(number),
    }),
    async count(shown) {
      const { results } = JSON.parse(await rest('GET')) as { results: { name: string }[] };
      return results.filter((each) => each.name === shown).length;
    },
    createByHand: async (number) =>
      void (await rest('POST', { name: name(number), type: 'ipmask', subnet: `192.0.2.${number} 255.255.255.255` })),
  };
}

/** The device has its own certificate. */
function sent(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
): Promise<{ readonly status: number; readonly cookies: readonly string[]; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, rejectUnauthorized: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, cookies: response.headers['set-cookie'] ?? [], text });
      });
    });
    asked.once('error', reject);
    asked.end(body);
  });
}
