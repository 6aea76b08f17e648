// A refusal names the option that gave the value, not the field of the graph.
import { expect, test } from '@jest/globals';
import { fieldOf, optionAtFault } from '../../cli/option-at-fault.ts';
import { nouns } from '../../cli/table.ts';
import type { Verb } from '../../cli/verb.ts';

async function verbOf(words: string): Promise<Verb> {
  const [noun = '', name = ''] = words.split(' ');
  const verb = (await nouns[noun]?.load())?.[name];
  if (verb === undefined) throw new Error(`there is no verb ${words}`);
  return verb;
}

test.each([
  ['backends create', 'input.host', '--host'],
  ['backends create', 'input.hostKeySha256', '--host-key'],
  ['backends create', 'input.labels[1].name', '--label'],
  ['backends create', 'input.credentials.privateKey', '--private-key-file'],
  ['backends create', 'input.credentials.password', '--backend-password-file'],
  ['backends create', 'input.credentials.username', '--username'],
  ['backends create', 'input.projectId', '--project'],
  ['backends create', 'input.name', 'NAME'],
  ['backends update', 'input.id', 'NAME'],
  ['backends delete', 'input.orphanMappings', '--orphan-mappings'],
  ['loadbalancers create', 'input.pools[0].members[2].port', '--member'],
  ['loadbalancers create', 'input.pools.0.healthMonitor.path', '--check'],
  ['loadbalancers create', 'input.nodeSize.threads', '--node-threads'],
  ['loadbalancers create', 'input.maxNodes', '--nodes'],
  ['loadbalancers create', 'input.cmpObject.externalId', '--cmp'],
  ['loadbalancers create', 'input.subnetId', '--subnet'],
  ['loadbalancers autoscale', 'input.policy.targetPercent', '--target'],
  ['loadbalancers autoscale', 'input.loadBalancerId', 'NAME'],
  ['loadbalancers update', 'input.enabled', '--on, --off'],
  ['pools create', 'input.monitorType', '--check'],
  ['members create', 'input.port', 'NAME'],
  ['members create', 'input.poolId', '--pool'],
  ['listeners create', 'input.port', 'NAME'],
  ['listeners create', 'input.allowedCidrs[0]', '--allow-from'],
  ['certificates create', 'input.chain', '--chain-file'],
  ['certificates create', 'input.privateKey', '--key-file'],
  ['machines create', 'input.machineRole', '--role'],
  ['machines create', 'input.gslbNameServer.addresses[0]', '--address'],
  ['mappings adopt', 'input.objectKey', '--key'],
  ['mappings adopt', 'input.cmpObject.mappingRole', '--role'],
  ['gslb-pools create', 'input.quorum.leastRegions', '--quorum-least-regions'],
])('%s: %s is %s', async (words, path, option) => {
  const { options, takes, named = [] } = await verbOf(words);
  expect(optionAtFault(fieldOf(path), { options, takes, given: new Set(), named })).toBe(option);
});

test('if several options are possible, the ones that were given are named', async () => {
  const { options, takes } = await verbOf('loadbalancers create');
  const sent = (...given: readonly string[]) => ({ options, takes, given: new Set(given) });
  const field = fieldOf('input.listeners[0].port');
  expect(optionAtFault(field, sent('https'))).toBe('--https');
  expect(optionAtFault(field, sent())).toBe('--http, --https, --tcp');
});

test('options of the connection and the output never stand for a field', async () => {
  const { options, takes } = await verbOf('backends list');
  const given = new Set(['url', 'data', 'user', 'json']);
  for (const path of ['input.url', 'input.data', 'input.user.name', 'input.json', 'input', 'input.unheardOf'])
    expect([path, optionAtFault(fieldOf(path), { options, takes, given })]).toEqual([path, undefined]);
});
