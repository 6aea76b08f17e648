// Where a gateway finds each subgraph, from its settings.
import { expect, test } from '@jest/globals';
import { placesOf } from '../../compose/gateway-role.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';

function placesWith(flags: Readonly<Record<string, string>>) {
  const config = readConfig({ flags: { roles: 'gateway', ...flags }, env: {} }, subgraphRows);
  return placesOf({ config, rows: subgraphRows, running: new Map() }, undefined);
}

test('of several processes all are used; of several relays only one at a time, because it holds a backend', () => {
  const urls = 'http://127.0.0.1:4101/graphql,http://127.0.0.1:4201/graphql';
  const places = placesWith({ 'subgraphs.systemUrl': urls, 'subgraphs.relayUrl': urls, 'subgraphs.gslbUrl': urls });
  const origins = ['http://127.0.0.1:4101', 'http://127.0.0.1:4201'];
  expect(places.get('system')).toMatchObject({ urls: origins, oneAtATime: false });
  expect(places.get('gslb')).toMatchObject({ urls: origins, oneAtATime: false });
  expect(places.get('relay')).toMatchObject({ urls: origins, oneAtATime: true });
});

test('each subgraph has its own deadline for queries', () => {
  const places = placesWith({
    'subgraphs.systemUrl': 'http://127.0.0.1:4101',
    'subgraphs.objectStorageUrl': 'http://127.0.0.1:4105',
    'subgraphs.objectStorageDeadlineMs': '2500',
  });
  expect(places.get('system')).toMatchObject({ queryDeadlineMs: 60_000 });
  expect(places.get('object-storage')).toMatchObject({ queryDeadlineMs: 2500 });
  for (const wrong of ['99', '600001', 'soon'])
    expect(() => placesWith({ 'subgraphs.systemDeadlineMs': wrong })).toThrow('subgraphs.systemDeadlineMs');
});
