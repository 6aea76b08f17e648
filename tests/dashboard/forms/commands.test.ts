// The CLI tab of a form: one command where the command line can express it, with names in place of IDs.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildASTSchema, coerceInputValue, type GraphQLInputType } from 'graphql';
import type { DraftObject } from '../../../dashboard/src/forms/draft.ts';
import { commandText } from '../../../dashboard/src/forms/text/command.ts';
import { type Deed, wholeInput } from '../../../dashboard/src/forms/text/shown.ts';
import { clientDocument } from '../../../platform/graph/client-sdl.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';
import { runCommand } from '../../cli/commands/run-command.ts';
import { NotingServer } from './noting-server.ts';
import { type Case, cases, deedOf, idOfSample } from './samples.ts';
import { argumentsOf } from './shell.ts';

const schema = buildASTSchema(clientDocument(readSupergraph(), 'admin'), { assumeValidSDL: true });
let server: NotingServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-forms-'));
  server = await NotingServer.start();
});

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** With defaults, without the key that only one program adds, and with the server's values for omitted bounds. */
function coerced(value: unknown): unknown {
  const made = coerceInputValue(value, schema.getType('LoadBalancerCreateInput') as GraphQLInputType);
  const { idempotencyKey: _key, ...others } = JSON.parse(JSON.stringify(made ?? {}));
  return others;
}

const oneLine = (text: string) => text.replaceAll(/ \\\n\s+/g, ' ');

describe('the form of a load balancer', () => {
  const each = cases.find(({ title }) => title === 'loadBalancerCreate') as Case;
  const member = { host: '192.0.2.1', port: '80' };
  const pool = { name: 'default', memberProtocol: 'HTTP', members: [member, { host: '2001:db8::1', port: '8080' }] };
  const listener = { protocol: 'HTTP', port: '80', defaultPool: 'default' };
  const https = {
    protocol: 'TERMINATED_HTTPS',
    port: '443',
    defaultPool: 'default',
    certificateIds: [idOfSample('TlsCertificate')],
  };
  const base = { name: 'web', listeners: [listener] };
  const http = { ...pool, healthMonitor: { monitorType: 'HTTP', path: '/' } };
  const tcp = { ...pool, memberProtocol: 'TCP', healthMonitor: { monitorType: 'TCP' } };

  test.each<[object, string]>([
    [{ ...base, pools: [pool] }, '--http 80 --member 192.0.2.1:80 --member'],
    [{ ...base, pools: [http], minNodes: '3', maxNodes: '3' }, '--check http:/ --nodes 3'],
    [{ ...base, listeners: [{ ...listener, protocol: 'TCP' }], pools: [tcp] }, '--tcp 80 --member'],
    [{ ...base, listeners: [listener, https], pools: [pool] }, '--https 443 --tls-certificate'],
    [
      { ...base, pools: [pool], minNodes: '2', maxNodes: '4', autoscaling: { requestsPerNode: '50' } },
      '--nodes 2..4 --requests-per-node 50',
    ],
  ])('%j is one command that sends the same input', async (draft, words) => {
    const deed = deedOf(each, draft as DraftObject);
    const text = commandText(deed);
    expect(oneLine(text)).toMatch(/^tidegate loadbalancers create web /);
    expect(oneLine(text)).toContain(words);
    server.sent = undefined;
    await runCommand([...(await argumentsOf(text, folder, {})), '--url', server.url], {
      env: { TIDEGATE_TOKEN: 'tg_good' },
    });
    expect(coerced(server.sent)).toEqual(coerced(wholeInput(deed)));
  });

  test.each<[string, object]>([
    ['a weight', { ...base, pools: [{ ...pool, members: [{ ...member, weight: '2' }] }] }],
    [
      'another name of the pool',
      { ...base, listeners: [{ ...listener, defaultPool: 'x' }], pools: [{ ...pool, name: 'x' }] },
    ],
    ['a listener without its pool', { ...base, listeners: [{ protocol: 'HTTP', port: '80' }], pools: [pool] }],
    ['two pools', { ...base, pools: [pool, { ...pool, name: 'b' }] }],
    ['two listeners of one protocol', { ...base, listeners: [listener, { ...listener, port: '81' }], pools: [pool] }],
    ['bounds without autoscaling', { ...base, pools: [pool], minNodes: '2', maxNodes: '4' }],
  ])('only the mutation can express %s', (_, draft) => {
    expect(commandText(deedOf(each, draft as DraftObject))).toMatch(/^tidegate gql /);
  });
});

test('the command line has names where they identify the object, and IDs elsewhere', () => {
  const text = (title: string, draft: DraftObject, more: Partial<Deed> = {}) => {
    const deed = deedOf(cases.find((one) => one.title === title) as Case, draft);
    const names = new Map([
      [idOfSample('Project'), 'default'],
      [idOfSample('GslbPool'), 'sites'],
      [idOfSample('GslbFlavor'), 'the usual'],
    ]);
    return oneLine(commandText({ ...deed, names, ...more }));
  };
  const projectId = idOfSample('Project');
  expect(text('gslbPoolCreate', { name: 'sites', projectId })).toBe(
    'tidegate gslb-pools create sites --project default\n',
  );
  const pools = { fqdn: 'shop.test', poolIds: [idOfSample('GslbPool')] };
  expect(text('gslbCreate', { ...pools, projectId })).toBe(
    'tidegate gslbs create shop.test --project default --pool sites\n',
  );
  // Without the project the name may belong to another project's object.
  expect(text('gslbCreate', pools)).toContain(`--pool ${idOfSample('GslbPool')}`);
  // A name with a space is not a single word for a user.
  expect(text('gslbCreate', { ...pools, flavorId: idOfSample('GslbFlavor') })).toContain(idOfSample('GslbFlavor'));
  const object = { id: idOfSample('GslbPool'), version: 3, name: 'sites', project: 'default' };
  expect(text('gslbPoolUpdate', { minUp: '2' }, { object })).toBe(
    'tidegate gslb-pools update sites --project default --min-up 2\n',
  );
  expect(text('loadBalancerDelete', {}, { object: { ...object, name: 'web' } })).toBe(
    'tidegate loadbalancers delete web --project default --yes\n',
  );
  expect(text('gslbPoolDelete', {}, { object: { ...object, name: 'a/b' } })).toContain(idOfSample('GslbPool'));
});
