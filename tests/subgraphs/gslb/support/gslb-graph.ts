// The GSLB subgraph on a real database, with two projects: requests as the gateway sends them, without checkers and name servers.
import { randomBytes } from 'node:crypto';
import { execute, type GraphQLSchema, parse } from 'graphql';
import type { Identity, Role } from '../../../../platform/caller/identity.ts';
import { recordProject } from '../../../../platform/edge/projects.ts';
import { readSubgraphSdl } from '../../../../platform/graph/sdl.ts';
import type { SubgraphContext } from '../../../../platform/process/subgraph-row.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { createGslbSubgraph } from '../../../../subgraphs/gslb/gslb.ts';
import { type TestDatabase, testDatabase } from '../../../support/database.ts';
import { LocalContext } from '../../../support/test-context.ts';

export const projectA = '01900000-0000-7000-8000-00000000000a';
export const projectB = '01900000-0000-7000-8000-00000000000b';

export type Input = Record<string, unknown>;

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly field: readonly string[];
}

export function identity(role: Role | 'ADMIN', project = projectA): Identity {
  const common = { kind: 'user', id: newUuid(), name: role.toLowerCase(), credentialId: newUuid() } as const;
  return role === 'ADMIN'
    ? { ...common, admin: true, projects: {} }
    : { ...common, admin: false, projects: { [project]: role } };
}

const administered = /^(gslbFlavor|gslbVantagePoint|gslbChecker|gslbNameServer|dnsZone|dnsBackend)/;

export class GslbGraph extends LocalContext {
  readonly schema: GraphQLSchema;
  readonly place: TestDatabase;

  private constructor(place: TestDatabase, quotas: number) {
    super({ connection: place.connection, connectionLimit: 10 }, { feed: { pollMs: 50 } });
    this.place = place;
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
    const graph = await new GslbGraph(await testDatabase(), quotas).start();
    await graph.db.transaction(async (tx) => {
      await recordProject(tx, projectA, 'alpha');
      await recordProject(tx, projectB, 'beta');
    });
    return graph;
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.place.drop();
  }

  /** Throws on top-level errors. */
  async ask<Data>(who: Identity | null, text: string, variableValues: Input = {}): Promise<Data> {
    const result = await execute({
      ...{ schema: this.schema, document: parse(text), variableValues },
      contextValue: { identity: who, requestId: `req-${randomBytes(4).toString('hex')}`, loaders: new Map() },
    });
    if (result.errors !== undefined) throw new Error(JSON.stringify(result.errors));
    return result.data as Data;
  }

  /** The faults of a mutation, as `CODE path`. */
  async mutate(
    mutation: string,
    input: Input,
    who: Identity = identity(administered.test(mutation) ? 'ADMIN' : 'MEMBER'),
    entity = '{ id version }',
  ): Promise<{ readonly faults: readonly string[]; readonly told: readonly Fault[]; readonly entity: Input | null }> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const selected = mutation.endsWith('Delete') ? 'deletedId' : `entity: ${fieldOf(mutation)} ${entity}`;
    const { payload } = await this.ask<{
      payload: { entity?: Input | null; deletedId?: string | null; userErrors: Fault[] };
    }>(
      ...([
        who,
        `mutation ($input: ${type}!) { payload: ${mutation}(input: $input) { ${selected}
          userErrors { code message field } commit { token } } }`,
        { input },
      ] as const),
    );
    const faults = payload.userErrors.map(({ code, field: path }) => `${code} ${path.join('.')}`);
    const deleted = payload.deletedId == null ? null : { id: payload.deletedId };
    return { faults, told: payload.userErrors, entity: payload.entity ?? deleted };
  }

  /** Must succeed: the id. */
  async make(mutation: string, input: Input, who?: Identity): Promise<string> {
    const { told, entity } = await this.mutate(mutation, input, who);
    if (entity === null || told.length > 0) throw new Error(`${mutation}: ${JSON.stringify(told)}`);
    return String(entity.id);
  }

  /** All tables of GSLB, as text: what a refused request leaves as it was. */
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

/** For tests of something else: every project may make every name. */
export function openRight(suffix: string) {
  return { suffix, allows: ['APEX', 'WILDCARDS', 'UNDERSCORES', 'OUTSIDE_PROJECT'] };
}

/** Ids of one of each, in the zone gslb.test. */
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
