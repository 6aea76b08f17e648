// Zones publish only those addresses of a name server that are in its machine's record. Administrators set the record;
// the server's own report does not.
import { expect, test } from '@jest/globals';
import { setNameServerRecord } from '../../../../../platform/machines/name-server-record.ts';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { identity } from '../../support/gslb-graph.ts';
import { ServedGraph } from '../../support/served-graph.ts';

const admin = identity('ADMIN');
const served = forFile(() => ServedGraph.open());

const set = (machineId: string, addresses: readonly string[], who = admin) =>
  served.graph.mutate(
    'gslbNameServerRecordSet',
    { machineId: encodeId('Machine', machineId), addresses },
    who,
    '{ machine { id } addresses }',
  );

// Runs before any name server connects, because a connection changes the row.
test('only administrators set a record, for machines that are name servers', async () => {
  const id = newUuid();
  await served.graph.db.transaction((tx) => setNameServerRecord(tx, id, { addresses: [] }));
  const { db } = served.graph;
  await waitFor('every zone to have its keys', async () => {
    const zones = await db.query('SELECT id FROM gslb_zone WHERE keys_sealed IS NULL');
    return zones.length === 0;
  });
  const before = await served.graph.everything();
  for (const who of ['VIEWER', 'MEMBER', 'OPERATOR'] as const)
    expect((await set(id, ['198.51.100.1'], identity(who))).faults).toEqual(['FORBIDDEN ']);
  for (const bad of ['0.0.0.0', '::', 'ns1', '198.51.100.0/24', ''])
    expect((await set(id, ['198.51.100.1', bad])).faults).toEqual(['INVALID_INPUT input.addresses.1']);
  const many = Array.from({ length: 17 }, (_, at) => `198.51.100.${at + 1}`);
  expect((await set(id, many)).faults).toEqual([expect.stringMatching(/input\.addresses$/)]);
  expect((await set(newUuid(), ['198.51.100.1'])).faults).toEqual(['NOT_FOUND input.machineId']);
  expect(await served.graph.everything()).toBe(before);
  const twice = ['2001:DB8::1', '2001:db8:0::1'];
  expect((await set(id, twice)).entity).toMatchObject({ addresses: ['2001:db8::1'] });
});

test('a name server that reports an address outside its record is published without it', async () => {
  const { id, answerer } = await served.serve('ns1');
  const published = (...addresses: string[]) =>
    waitFor(`${addresses} to be published`, () => {
      const [server] = answerer.plan('gslb.test.')?.nameServers ?? [];
      return server?.name === 'ns1.gslb.test.' && server.addresses.join() === addresses.join();
    });
  const query =
    '{ gslbNameServers { nodes { publishedAddresses noAddressesReason record { machine { id } addresses } } } }';
  const shown = async () => {
    const { gslbNameServers } = await served.graph.ask<{ gslbNameServers: { nodes: object[] } }>(admin, query);
    return gslbNameServers.nodes;
  };
  // The server reports 127.0.0.1.
  await published();
  const reason = 'its record has no addresses: tidegate machines update ns1 --address IP';
  expect(await shown()).toEqual([{ publishedAddresses: [], noAddressesReason: reason, record: null }]);
  const machine = { id: encodeId('Machine', id) };
  const both = ['198.51.100.53', '127.0.0.1'];
  expect((await set(id, both)).entity).toEqual({ machine, addresses: both });
  await published('127.0.0.1');
  expect(await shown()).toEqual([
    { publishedAddresses: ['127.0.0.1'], noAddressesReason: null, record: { machine, addresses: both } },
  ]);
  expect((await set(id, ['198.51.100.53'])).faults).toEqual([]);
  await published();
  expect(await shown()).toMatchObject([{ noAddressesReason: expect.stringContaining('it answers at 127.0.0.1, and') }]);
});
