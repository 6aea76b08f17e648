// The object storage subgraph on a real database: requests as the gateway sends them.
import { randomBytes } from 'node:crypto';
import { execute, type GraphQLSchema, parse } from 'graphql';
import type { Identity, Role } from '../../../../platform/caller/identity.ts';
import { recordProject } from '../../../../platform/edge/projects.ts';
import { readSubgraphSdl } from '../../../../platform/graph/sdl.ts';
import type { SubgraphContext } from '../../../../platform/process/subgraph-row.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { ClusterLinks } from '../../../../subgraphs/object-storage/control/controllers/cluster-links.ts';
import { createObjectStorageSubgraph } from '../../../../subgraphs/object-storage/object-storage.ts';
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

export class ControlGraph extends LocalContext {
  readonly schema: GraphQLSchema;
  readonly place: TestDatabase;
  readonly admin = identity('ADMIN');

  private constructor(place: TestDatabase) {
    super({ connection: place.connection, connectionLimit: 10 }, { feed: { pollMs: 50 } });
    this.place = place;
    const { subgraph } = createObjectStorageSubgraph({
      ...(this as unknown as SubgraphContext),
      sdl: readSubgraphSdl('object-storage'),
      sealer: async () => this.sealer,
      region: 'us-east-1',
      revokedMemories: () => [],
      links: new ClusterLinks({ db: this.db, wake: this.wake, log: this.log, owner: this.owner }),
    });
    this.schema = subgraph.schema;
  }

  static async open(): Promise<ControlGraph> {
    const graph = await new ControlGraph(await testDatabase()).start();
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
  async ask<Data>(text: string, variableValues: Input = {}, who: Identity | null = this.admin): Promise<Data> {
    const result = await execute({
      ...{ schema: this.schema, document: parse(text), variableValues },
      contextValue: { identity: who, requestId: `req-${randomBytes(4).toString('hex')}`, loaders: new Map() },
    });
    if (result.errors !== undefined) throw new Error(JSON.stringify(result.errors));
    return result.data as Data;
  }

  /** The faults of a mutation, as `CODE path`. `entity`: what is read of it; of a deleted one only its id is left. */
  async mutate(
    mutation: string,
    input: Input,
    entity = '{ id version }',
    who: Identity = this.admin,
  ): Promise<{ readonly faults: readonly string[]; readonly told: readonly Fault[]; readonly entity: Input | null }> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const field = mutation.replace(/(Create|Update|Delete|DeleteCancel)$/, '');
    const isDeletion = mutation.endsWith('Delete');
    const shown = isDeletion && field !== 'objectOption' ? '' : `entity: ${field} ${entity}`;
    const { payload } = await this.ask<{
      payload: { entity?: Input | null; deletedId?: string | null; userErrors: Fault[] };
    }>(
      `mutation ($input: ${type}!) { payload: ${mutation}(input: $input) { ${shown} ${isDeletion ? 'deletedId' : ''}
        userErrors { code message field } commit { token } } }`,
      { input },
      who,
    );
    const faults = payload.userErrors.map(({ code, field: path }) => `${code} ${path.join('.')}`);
    const deleted = payload.deletedId == null ? null : { id: payload.deletedId };
    return { faults, told: payload.userErrors, entity: payload.entity ?? deleted };
  }

  /** Must succeed: the id. */
  async make(mutation: string, input: Input): Promise<string> {
    const { told, entity } = await this.mutate(mutation, input);
    if (entity === null || told.length > 0) throw new Error(`${mutation}: ${JSON.stringify(told)}`);
    return String(entity.id);
  }
}
