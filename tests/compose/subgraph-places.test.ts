// Where a gateway finds each subgraph, from its settings.
import { expect, test } from '@jest/globals';
import { placesOf } from '../../compose/gateway-role.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';

function placesWith(flags: Readonly<Record<string, string>>) {
  const config = readConfig({ flags: { roles: 'gateway', ...flags }, env: {} }, subgraphRows);
  return placesOf({ config, rows: subgraphRows, running: new Map() }, undefined);
}

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
