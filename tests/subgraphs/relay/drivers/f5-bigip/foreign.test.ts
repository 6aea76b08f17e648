// Foreign objects on a simulated BIG-IP stay untouched (../../support/foreign-objects.ts).
import { afterAll, beforeAll } from '@jest/globals';
import { BigIp } from '../../../../../simulators/f5-bigip/bigip.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { f5BigIp } from '../../../../../subgraphs/relay/drivers/f5-bigip/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';
import { type Creation, type ForeignCase, foreignObjects } from '../../support/foreign-objects.ts';

let device: BigIp;
let driver: DriverCaller;

const byHand = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: JsonObject, module = 'ltm') =>
  driver.ask({ kind: 'http', method, path: `/mgmt/tm/${module}/${path}`, ...(body && { body }) });

beforeAll(async () => {
  device = await BigIp.start();
  driver = new DriverCaller(f5BigIp, webEndpoint(device.server));
  await byHand('POST', 'pool', { name: 'farm', partition: 'Common' });
});
afterAll(async () => {
  await driver.stop();
  await device.stop();
});

function foreign(place: string, create: Creation, change: JsonObject, another: JsonObject, name = 'ours'): ForeignCase {
  const [operation, settings] = create;
  const { pool, type, address, port } = settings;
  const naming = place.startsWith('pool/') ? { pool, address, port } : type === undefined ? { name } : { name, type };
  return {
    create: [operation, { ...settings, ...naming } as JsonObject],
    updates: { [operation.replace('create', 'update')]: () => ({ ...naming, ...change }) as JsonObject },
    async put(what) {
      await byHand('DELETE', `${place}/~Common~${encodeURIComponent(name)}`);
      if (what === 'another') await byHand('POST', place, { name, partition: 'Common', ...another });
    },
    state: async () => {
      const reply = await byHand('GET', `${place}?expandSubcollections=true`);
      return reply.kind === 'http' && (JSON.parse(reply.body) as JsonObject).items;
    },
  };
}

const policies = async () => {
  const reply = await byHand('GET', 'policies', undefined, 'asm');
  return reply.kind === 'http' ? (JSON.parse(reply.body) as { items: JsonObject[] }).items : [];
};
const policyWith =
  (setting: JsonObject) =>
  ({ uuid }: { readonly uuid: string | null }) => ({ policy: uuid, name: 'ours', ...setting });

foreignObjects(f5BigIp, () => driver, {
  node: foreign('node', ['node.create', { address: '10.0.0.1' }], { ratio: 3 }, { address: '10.0.0.2' }),
  pool: foreign('pool', ['pool.create', { monitor: 'http' }], { monitor: 'tcp' }, { description: 'ADMINISTRATOR' }),
  'pool-member': foreign(
    'pool/~Common~farm/members',
    ['poolMember.create', { pool: 'farm', address: '10.0.0.7', port: 80, ratio: 2 }],
    { ratio: 5 },
    { ratio: 9 },
    '10.0.0.7:80',
  ),
  monitor: foreign(
    'monitor/http',
    ['monitor.create', { type: 'http', receive: '200' }],
    { receive: '201' },
    { recv: '500' },
  ),
  'virtual-server': foreign(
    'virtual',
    ['virtualServer.create', { address: '203.0.113.80', port: 443, protocol: 'tcp' }],
    { enabled: false },
    { destination: '/Common/203.0.113.81:80', mask: '255.255.255.255', ipProtocol: 'tcp' },
  ),
  'asm-policy': {
    create: [
      'asmPolicy.import',
      { name: 'ours', file: '<?xml version="1.0"?>\n<policy description="tenant"></policy>' },
    ],
    updates: {
      'asmPolicy.apply': policyWith({}),
      'asmPolicy.setMode': policyWith({ mode: 'blocking' }),
      'asmPolicy.setVirtualServers': policyWith({ virtualServers: [] }),
    },
    async put(what) {
      for (const { id } of await policies()) await byHand('DELETE', `policies/${String(id)}`, undefined, 'asm');
      const another = { fullPath: '/Common/ours', description: 'ADMINISTRATOR' };
      if (what === 'another') await byHand('POST', 'policies', another, 'asm');
    },
    state: policies,
    several: true,
    refusal: 'COPY_MADE',
  },
});
