// From the graph to Apache and back: the typed mode, and a rule that is mapped, verified and deleted by its mapping.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { attacks, describeWithWaf, visit } from '../../../../support/servers/apache-waf.ts';
import { call, type RelayNode, RelaySystem, registerDevice, verify } from '../../support/relay-system.ts';

describeWithWaf('a web application firewall behind the relay', (waf) => {
  let system: RelaySystem;
  let node: RelayNode;

  beforeAll(async () => {
    system = await RelaySystem.start();
    node = await system.node();
    await registerDevice(node, waf().ssh, { name: 'waf', driver: 'modsecurity' });
  });
  afterAll(() => system.stop());

  const on = { backend: { name: 'waf' }, cmpObject: { type: 'service', externalId: '7' } };

  test('the typed mutation sets the reaction to an attack', async () => {
    const set = async (policy: string, mode: string) =>
      (await node.mutate('wafModeSet', { ...on, idempotencyKey: `mode-${policy}-${mode}`, policy, mode })).operation;
    const attack = attacks['SQL injection'];
    expect(await visit(waf(), 'intranet.lab', attack)).toBe(200);
    expect(await set('intranet.lab', 'BLOCKING')).toMatchObject({ state: 'SUCCEEDED' });
    expect(await visit(waf(), 'intranet.lab', attack)).toBe(403);
    expect(await set('intranet.lab', 'OFF')).toMatchObject({ state: 'SUCCEEDED' });
    expect(await visit(waf(), 'intranet.lab', attack)).toBe(200);
    expect(await set('nowhere', 'OFF')).toMatchObject({ state: 'FAILED', deviceError: { code: 'NOT_FOUND' } });
  });

  test('a rule is created, verified, found changed by hand, and deleted by its mapping', async () => {
    const made = await call(node, 'relayCall', {
      ...{ ...on, idempotencyKey: 'rule-1', operation: 'rule.create' },
      arguments: { site: 'shop.lab', id: 42, variables: ['ARGS'], operator: 'contains', pattern: 'teapot' },
    });
    expect(made).toMatchObject({
      operation: { state: 'SUCCEEDED' },
      mapping: { mappingState: 'ACTIVE', objectKey: '42' },
    });
    expect(await visit(waf(), 'shop.lab', '/?q=teapot')).toBe(403);
    const mappingId = made.mapping?.id;
    expect(await verify(node, mappingId)).toEqual(['MATCHES']);
    const file = join(waf().configFolder, 'waf/sites/shop.lab/rules/42.conf');
    await writeFile(file, (await readFile(file, 'utf8')).replace('teapot', 'coffee'));
    expect(await verify(node, mappingId)).toEqual(['DRIFTED', 'pattern']);
    const removed = await call(node, 'delete', { idempotencyKey: 'delete-1', mappingId });
    expect(removed).toMatchObject({ operation: { state: 'SUCCEEDED' }, mapping: { mappingState: 'DELETED' } });
    expect(await visit(waf(), 'shop.lab', '/?q=teapot')).toBe(200);
  });

  test('a rule refused by Apache has FAILED, quotes Apache, and maps nothing', async () => {
    const refused = await call(node, 'relayCall', {
      ...{ ...on, idempotencyKey: 'rule-2', operation: 'rule.create' },
      arguments: { site: 'shop.lab', id: 43, variables: ['ARGS'], pattern: '(' },
    });
    expect(refused.userErrors).toEqual([]);
    expect(refused.operation).toMatchObject({
      state: 'FAILED',
      deviceError: { code: 'CONFIG_TEST_FAILED' },
      changedMappings: [],
    });
  });
});
