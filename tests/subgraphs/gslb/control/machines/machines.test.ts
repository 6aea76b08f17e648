// Checkers, name servers, zone keys and votes as the graph shows them.
import { beforeAll, expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { identity, type World } from '../../support/gslb-graph.ts';
import { ServedGraph } from '../../support/served-graph.ts';

const admin = identity('ADMIN');

const served = forFile(() => ServedGraph.open());
let world: World;

beforeAll(async () => {
  world = served.world;
});

test('a name server reports its zones and their maximum age', async () => {
  const server = await served.serve('ns1');
  interface Shown {
    readonly name: string;
    readonly state: string;
    readonly ageMs: number | null;
    readonly linkedTo: string | null;
    readonly addresses: readonly string[];
    readonly zones: readonly {
      readonly zoneName: string;
      readonly generation: number;
      readonly newestGeneration: number;
    }[];
  }
  const query =
    '{ gslbNameServers { nodes { name presence ageMs linkedTo addresses zones { zoneName generation newestGeneration } } } }';
  const shown = await waitFor('a name server with its zone', async () => {
    const { gslbNameServers } = await served.graph.ask<{ gslbNameServers: { nodes: Shown[] } }>(admin, query);
    const [one] = gslbNameServers.nodes;
    const [zone] = one?.zones ?? [];
    return zone !== undefined && zone.generation === zone.newestGeneration && one?.ageMs !== null && one;
  });
  expect(shown).toMatchObject({ name: 'ns1', presence: 'PRESENT', zones: [{ zoneName: 'gslb.test' }] });
  expect(shown.linkedTo).toBe(served.graph.owner);
  expect(shown.addresses).toEqual([`127.0.0.1:${server.answerer.ports[0]}`]);
});

test("the graph shows the DS record of a signed zone's entry key for the parent", async () => {
  const query = 'query ($id: ID!) { dnsZone(id: $id) { ds keys { keyTag use keyState } } }';
  interface Shown {
    readonly ds: readonly string[];
    readonly keys: readonly { readonly keyTag: number; readonly use: string; readonly keyState: string }[];
  }
  const { ds, keys } = await waitFor('keys', async () => {
    const { dnsZone } = await served.graph.ask<{ dnsZone: Shown }>(admin, query, { id: world.zone });
    return dnsZone.keys.length > 0 && dnsZone;
  });
  expect(keys.map(({ use, keyState }) => `${use} ${keyState}`).sort()).toEqual(['ENTRY ACTIVE', 'PLAIN ACTIVE']);
  expect(ds).toHaveLength(1);
  expect(ds[0]?.split(' ')[0]).toBe(String(keys.find(({ use }) => use === 'ENTRY')?.keyTag));
});

test('a checker, and a vote for each vantage point that watches a member, including silent ones', async () => {
  const id = newUuid();
  await served.checker(id, 'eu');
  const far = { name: 'far', region: 'us', latitude: 40, longitude: -70 };
  await served.graph.make('gslbVantagePointCreate', far);
  const query = `{ gslbCheckers { nodes { name presence shares linkedTo version plugins vantagePoint { name } } } }`;
  expect(await served.graph.ask(admin, query)).toEqual({
    gslbCheckers: {
      nodes: [
        {
          ...{ name: 'checker-eu', presence: 'PRESENT', shares: true, linkedTo: served.graph.owner },
          ...{ version: '1.2.3', plugins: ['HTTP', 'TCP'], vantagePoint: { name: 'eu' } },
        },
      ],
    },
  });
  const nobodys = `{ gslbCheckers(vantagePointId: "${world.pool}") { nodes { id } } }`;
  expect(await served.graph.ask(admin, nobodys)).toEqual({ gslbCheckers: { nodes: [] } });
  const votes =
    'query ($id: ID!) { gslbPoolMember(id: $id) { votes { vantagePointName verdict count dissents ageMs monitor { name } } } }';
  const vote = { verdict: null, dissents: false, ageMs: null, monitor: { name: 'web' } };
  expect(await served.graph.ask(identity('VIEWER'), votes, { id: world.member })).toEqual({
    gslbPoolMember: {
      votes: [
        { ...vote, vantagePointName: 'eu', count: 'NO_VERDICT' },
        { ...vote, vantagePointName: 'far', count: 'ABSENT' },
      ],
    },
  });
});

interface Part {
  readonly totalCount: number;
  readonly needs: readonly { readonly kind: string; readonly subjectName: string; readonly since: string | null }[];
  readonly notShown: readonly { readonly kind: string; readonly count: number }[];
  readonly hours: readonly { readonly state: string }[] | null;
}

test('a machine that does not report needs attention; a caller who may not see it gets only the count', async () => {
  const gone = newUuid();
  await served.graph.db.execute(
    "INSERT INTO gslb_name_server (id, name, heard_at) VALUES (?, 'ns-gone', NOW(3) - INTERVAL 13 MINUTE)",
    [gone],
  );
  const attention = async (who = admin) => {
    const representation = { __typename: 'Attention', id: 'now' };
    const document = `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Attention {
      gslb { totalCount needs { kind subjectName since } notShown { kind count } hours { state } } } } }`;
    const { _entities } = await served.graph.ask<{ _entities: readonly [{ readonly gslb: Part }] }>(who, document, {
      representations: [representation],
    });
    return _entities[0].gslb;
  };
  const seen = await attention();
  const absent = seen.needs.filter(({ kind }) => kind === 'NAME_SERVER_ABSENT');
  expect(absent).toMatchObject([{ subjectName: 'ns-gone' }]);
  expect(Date.now() - Date.parse(absent[0]?.since ?? '')).toBeGreaterThan(12 * 60_000);
  expect(seen.totalCount).toBe(seen.needs.length);
  expect(seen.notShown).toEqual([]);
  // The events never recorded it as present.
  expect(seen.hours?.slice(0, 22).every(({ state }) => state === 'UNKNOWN')).toBe(true);
  const hidden = await attention(identity('VIEWER'));
  expect(hidden.needs.some(({ kind }) => kind.endsWith('ABSENT'))).toBe(false);
  expect(hidden.notShown).toContainEqual({ kind: 'NAME_SERVER_ABSENT', count: 1 });
  await served.graph.db.execute('DELETE FROM gslb_name_server WHERE id = ?', [gone]);
});
