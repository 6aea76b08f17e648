// From the graph to Apache and back: the typed mode, and a rule that is mapped, verified and deleted by its mapping.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { attacks, describeWithWaf, visit } from '../../../../support/servers/apache-waf.ts';
import { GraphCalls, mappedLife, refusedCall } from '../../support/mapped-life.ts';
import { RelaySystem, registerDevice } from '../../support/relay-system.ts';

describeWithWaf('a web application firewall behind the relay', (waf) => {
  let system: RelaySystem;
  let calls: GraphCalls;

  beforeAll(async () => {
    system = await RelaySystem.start();
    const node = await system.node();
    calls = new GraphCalls(node, 'waf', { type: 'service', externalId: '7' });
    await registerDevice(node, waf().ssh, { name: 'waf', driver: 'modsecurity' });
  });
  afterAll(() => system.stop());

  test('the typed mutation sets the reaction to an attack', async () => {
    const set = async (policy: string, mode: string) => (await calls.make('wafModeSet', { policy, mode })).operation;
    const attack = attacks['SQL injection'];
    expect(await visit(waf(), 'intranet.lab', attack)).toBe(200);
    expect(await set('intranet.lab', 'BLOCKING')).toMatchObject({ state: 'SUCCEEDED' });
    expect(await visit(waf(), 'intranet.lab', attack)).toBe(403);
    expect(await set('intranet.lab', 'OFF')).toMatchObject({ state: 'SUCCEEDED' });
    expect(await visit(waf(), 'intranet.lab', attack)).toBe(200);
    expect(await set('nowhere', 'OFF')).toMatchObject({ state: 'FAILED', deviceError: { code: 'NOT_FOUND' } });
  });

  test('a rule through its life', async () => {
    const visited = () => visit(waf(), 'shop.lab', '/?q=teapot');
    const file = join(waf().configFolder, 'waf/sites/shop.lab/rules/42.conf');
    await mappedLife(calls, {
      make: ['rule.create', { site: 'shop.lab', id: 42, variables: ['ARGS'], operator: 'contains', pattern: 'teapot' }],
      mapping: { objectKey: '42' },
      made: async () => expect(await visited()).toBe(403),
      drift: [async () => writeFile(file, (await readFile(file, 'utf8')).replace('teapot', 'coffee')), ['pattern']],
      gone: async () => expect(await visited()).toBe(200),
    });
  });

  test('a rule refused by Apache has FAILED, quotes Apache, and maps nothing', () =>
    refusedCall(calls, ['rule.create', { site: 'shop.lab', id: 43, variables: ['ARGS'], pattern: '(' }], {
      code: 'CONFIG_TEST_FAILED',
    }));
});
