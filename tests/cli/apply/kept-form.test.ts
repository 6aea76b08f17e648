// Values that the server stores in another form than the file do not count as differences. Pure.
import { expect, test } from '@jest/globals';
import { isNonNullType, isObjectType } from 'graphql';
import { hasOwnNull, isChosenByServer, keptForm, withDefaults } from '../../../cli/apply/kept-form.ts';
import { appliedKinds, makeAction } from '../../../cli/apply/kind-manifest.ts';
import { shownField } from '../../../cli/kinds/as-input.ts';
import { kindOf } from '../../../cli/kinds/find-object.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import { apiSchemaOf, graphOf } from '../../../platform/graph/sdl.ts';
import type { JsonObject, JsonValue } from '../../../platform/values/json.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';

test.each<[string, string, JsonObject, JsonObject]>([
  ['GslbPool', 'GslbPoolCreateInput', { name: 'web', minUp: null }, { name: 'web', minUp: 1 }],
  [
    'GslbPool',
    'GslbPoolCreateInput',
    { quorum: { leastRegions: null, leastVoters: null } },
    {
      quorum: { leastRegions: 1, leastVoters: null },
    },
  ],
  [
    'GslbMonitor',
    'GslbMonitorCreateInput',
    { parameters: { http: { path: null, body: null } } },
    {
      parameters: { http: { path: '/', body: null } },
    },
  ],
  [
    'GslbMonitor',
    'GslbMonitorCreateInput',
    { checkType: 'SSH', parameters: null },
    { checkType: 'SSH', parameters: { ssh: { expect: null, keyExchange: true } } },
  ],
  [
    'GslbMonitor',
    'GslbMonitorCreateInput',
    { checkType: 'DNS', parameters: null },
    { checkType: 'DNS', parameters: null },
  ],
  ['ObjectCluster', 'ObjectClusterCreateInput', { zone: null, site: null }, { site: '' }],
  [
    'DnsZone',
    'DnsZoneCreateInput',
    { rights: [{ suffix: 'a.test', allows: null }] },
    {
      rights: [{ suffix: 'a.test', allows: [] }],
    },
  ],
  [
    'AlertRule',
    'AlertRuleCreateInput',
    { severity: null, repeatMs: null, lastsMs: null },
    {
      ...{ severity: 'WARNING', repeatMs: null },
    },
  ],
])('null is the default: %s', (type, input, given, wanted) => {
  expect(withDefaults(type, input, given)).toEqual(wanted);
});

test.each<[string, string, JsonValue, JsonValue, boolean]>([
  ['AlertRule', 'channelIds', ['B', 'A', 'B'], ['A', 'B'], true],
  ['AlertRule', 'channelIds', ['B'], ['A', 'B'], false],
  ['Gslb', 'poolIds', ['B', 'A'], ['A', 'B'], false],
  ['GslbPoolMember', 'cname', 'Origin.Example.test.', 'origin.example.test', true],
  ['GslbPoolMember', 'name', 'East', 'east', false],
  ['ObjectCluster', 's3Urls', ['HTTPS://S3.example.test:443/'], ['https://s3.example.test'], true],
  ['ObjectCluster', 's3Urls', ['https://s3.example.test:8443'], ['https://s3.example.test'], false],
])('%s.%s: %j and %j', (type, field, one, other, isSame) => {
  const [a, b] = [keptForm(type, field, one), keptForm(type, field, other)];
  if (isSame) expect(a).toEqual(b);
  else expect(a).not.toEqual(b);
});

test('only if the graph shows null may it be another value than the default', () => {
  const schema = apiSchemaOf(composeSupergraph(graphOf(subgraphRows)));
  const found = appliedKinds.flatMap((type) => {
    const [kind, shown] = [kindOf(type), schema.getType(type)];
    if (!isObjectType(shown)) throw new Error(`${type} is no type of the graph`);
    return (
      (registry.inputs[makeAction(kind)?.input ?? '']?.fields ?? [])
        .filter(({ default: usual }) => usual !== undefined && usual !== null && usual !== '')
        // Null means an empty list, too.
        .filter(({ default: usual }) => !(Array.isArray(usual) && usual.length === 0))
        .filter((field) => {
          const of = shown.getFields()[shownField(kind.output, field)?.name ?? '']?.type;
          return of !== undefined && !isNonNullType(of);
        })
        .map(({ name }) => `${type}.${name}`)
    );
  });
  expect(found.filter((each) => !hasOwnNull(...(each.split('.') as [string, string])))).toEqual([]);
  expect(hasOwnNull('AlertRule', 'repeatMs')).toBe(true);
});

test('if the graph never shows null and a field has no default, the server chooses', () => {
  const schema = apiSchemaOf(composeSupergraph(graphOf(subgraphRows)));
  const found = appliedKinds.flatMap((type) => {
    const [kind, shown] = [kindOf(type), schema.getType(type)];
    if (!isObjectType(shown)) throw new Error(`${type} is no type of the graph`);
    return (registry.inputs[makeAction(kind)?.input ?? '']?.fields ?? [])
      .filter((field) => field.required !== true && field.default === undefined)
      .filter((field) => {
        const of = shown.getFields()[shownField(kind.output, field)?.name ?? '']?.type;
        return of !== undefined && isNonNullType(of);
      })
      .map(({ name }) => `${type}.${name}`);
  });
  expect(found.length).toBeGreaterThan(4);
  const unknown = found.filter((each) => !isChosenByServer(...(each.split('.') as [string, string])));
  // An empty text means no text.
  expect(unknown).toEqual(['Project.description']);
});
