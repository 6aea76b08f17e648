// The GSLB subgraph on a real database with two projects. It takes requests as the gateway sends them, without checkers
// and name servers.
import type { GraphQLSchema } from 'graphql';
import type { Identity } from '../../../../platform/caller/identity.ts';
import { readSubgraphSdl } from '../../../../platform/graph/sdl.ts';
import type { SubgraphContext } from '../../../../platform/process/subgraph-row.ts';
import { createGslbSubgraph } from '../../../../subgraphs/gslb/gslb.ts';
import { type TestDatabase, testDatabase } from '../../../support/stores/database.ts';
import { type Input, identity, type Mutated, madeBy, SubgraphGraph } from '../../support/subgraph-graph.ts';

export { type Input, identity, projectA, projectB } from '../../support/subgraph-graph.ts';

export const administered = /^(gslbFlavor|gslbVantagePoint|gslbChecker|gslbNameServer|dnsZone|dnsBackend)/;

export class GslbGraph extends SubgraphGraph {
  readonly schema: GraphQLSchema;

  private constructor(place: TestDatabase, quotas: number) {
    super(place);
    const { subgraph } = createGslbSubgraph({
      ...(this as unknown as SubgraphContext),
      sdl: readSubgraphSdl('gslb'),
      sealKeys: this.sealer,
      heartbeatMs: 600,
      voting: { silenceMs: 600_000, freshMs: 600_000 },
      links: { start: async () => undefined, drain: async () => undefined, stop: async () => undefined },
      quotas: { Gslb: quotas, GslbPool: quotas, GslbPoolMember: quotas, GslbMonitor: quotas },
    });
    this.schema = subgraph.schema;
  }

  static async open({ quotas = 1_000 }: { readonly quotas?: number } = {}): Promise<GslbGraph> {
    return new GslbGraph(await testDatabase(), quotas).start();
  }

  /** Throws on top-level errors. */
  ask<Data>(who: Identity | null, text: string, variables: Input = {}): Promise<Data> {
    return this.answer(who, text, variables);
  }

  /** Runs a mutation and returns its faults as `CODE path`. */
  mutate(
    mutation: string,
    input: Input,
    who: Identity = identity(administered.test(mutation) ? 'ADMIN' : 'MEMBER'),
    entity = '{ id version }',
  ): Promise<Mutated> {
    const selected = mutation.endsWith('Delete') ? 'deletedId' : `entity: ${fieldOf(mutation)} ${entity}`;
    return this.send(who, mutation, input, selected);
  }

  /** Runs a mutation that must succeed, and returns the ID. */
  async make(mutation: string, input: Input, who?: Identity): Promise<string> {
    return String(madeBy(mutation, await this.mutate(mutation, input, who)).id);
  }

  /** All tables of GSLB as text. A refused request must leave this unchanged. */
  async everything(): Promise<string> {
    const tables = await this.db.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND (table_name LIKE 'gslb%' OR table_name LIKE 'dns%') ORDER BY 1",
    );
    const rows: unknown[] = [];
    for (const { name } of [...tables, { name: 'owed_work' }, { name: 'status_change' }]) {
      const found = await this.db.query<object>(`SELECT * FROM ${name}`);
      // The sequencer numbers an event some time after the request that wrote it.
      rows.push(name, found.map((row) => JSON.stringify({ ...row, seq: undefined })).sort());
    }
    return JSON.stringify(rows);
  }
}

function fieldOf(mutation: string): string {
  if (/^gslbPoolMonitor/.test(mutation)) return 'gslbMonitor';
  if (/^gslb(Freeze|Unfreeze)$/.test(mutation)) return 'gslb';
  if (mutation.endsWith('RecordSet')) return mutation.replace(/Set$/, '');
  return mutation.replace(/(Create|Update|Delete|AdminStateSet|Release|KeyRoll(Begin|Confirm|Cancel))$/, '');
}

/** A right that lets every project create every name, for tests of other features. */
export function openRight(suffix: string) {
  return { suffix, allows: ['APEX', 'WILDCARDS', 'UNDERSCORES', 'OUTSIDE_PROJECT'] };
}

/** The IDs of one object of each kind, in the zone gslb.test. */
export interface World {
  readonly zone: string;
  readonly flavor: string;
  readonly vantagePoint: string;
  readonly monitor: string;
  readonly pool: string;
  readonly member: string;
  readonly gslb: string;
}

export async function makeWorld(graph: GslbGraph, who = identity('MEMBER')): Promise<World> {
  const zone = await graph.make('dnsZoneCreate', { name: 'gslb.test', rights: [openRight('gslb.test')] });
  const place = { region: 'eu', latitude: 50, longitude: 8 };
  const vantagePoint = await graph.make('gslbVantagePointCreate', {
    ...{ name: 'eu', ...place, deniedBlocks: ['203.0.113.128/25'] },
  });
  const flavor = await graph.make('gslbFlavorCreate', {
    name: 'usual',
    shortestIntervalMs: 500,
    shortestTtlSeconds: 5,
  });
  const monitor = await graph.make(
    ...(['gslbMonitorCreate', { name: 'web', checkType: 'HTTP', intervalMs: 1_000, timeoutMs: 500 }, who] as const),
  );
  const pool = await graph.make('gslbPoolCreate', { name: 'web' }, who);
  const member = await graph.make(
    ...([
      'gslbPoolMemberCreate',
      { poolId: pool, name: 'one', addresses: ['203.0.113.7'], servicePort: 80 },
      who,
    ] as const),
  );
  await graph.make('gslbPoolMonitorAttach', { monitorId: monitor, target: { poolId: pool } }, who);
  const cmpObject = { type: 'tenant', externalId: '42' };
  const gslb = await graph.make(
    ...(['gslbCreate', { fqdn: 'shop.gslb.test', flavorId: flavor, poolIds: [pool], cmpObject }, who] as const),
  );
  return { zone, flavor, vantagePoint, monitor, pool, member, gslb };
}
