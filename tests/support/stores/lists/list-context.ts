// All subgraphs on one database, with one connection for reading lists, which counts the rows that a list reads and
// sorts.
import type { DocumentNode, FormattedExecutionResult, GraphQLSchema } from 'graphql';
import { Registry } from 'prom-client';
import { forIdentity } from '../../../../platform/caller/caller.ts';
import type { Identity } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { executeOnSchema } from '../../../../platform/graph/execution.ts';
import { graphOf } from '../../../../platform/graph/sdl.ts';
import { readConfig, settingsOf } from '../../../../platform/process/config.ts';
import { Health } from '../../../../platform/process/health.ts';
import { allEventKinds, type SubgraphContext } from '../../../../platform/process/subgraph-row.ts';
import { KeyFolder } from '../../../../platform/secrets/key-folder.ts';
import { makeKeys } from '../../../../platform/secrets/make-keys.ts';
import { subgraphRows } from '../../../../subgraphs/rows.ts';
import { type TemporaryFolder, temporaryFolder } from '../../machine/temporary-folder.ts';
import { TestContext } from '../../product/test-context.ts';
import { uuid } from './rows.ts';

export const subgraphSdls = subgraphRows.map((row) => ({ row, sdl: graphOf(subgraphRows).get(row.name) ?? '' }));

export function listCaller(name: string, projects: Identity['projects'] | 'admin'): Identity {
  const admin = projects === 'admin';
  const id = uuid(900 + name.length);
  return { kind: 'user', id, name, admin, projects: admin ? {} : projects, credentialId: id };
}

export class ListContext {
  readonly #ground: TestContext;
  readonly #folder: TemporaryFolder;
  readonly #schemas: ReadonlyMap<string, GraphQLSchema>;

  private constructor(ground: TestContext, folder: TemporaryFolder, schemas: ReadonlyMap<string, GraphQLSchema>) {
    this.#ground = ground;
    this.#folder = folder;
    this.#schemas = schemas;
  }

  static async open(): Promise<ListContext> {
    // One connection for the reads of users.
    const ground = await TestContext.open({ connectionLimit: 4 });
    const folder = await temporaryFolder();
    await makeKeys(folder.path);
    return new ListContext(ground, folder, await schemasOn(ground, folder.path));
  }

  get db(): Database {
    return this.#ground.db;
  }

  get rootConnection(): TestContext['place']['rootConnection'] {
    return this.#ground.place.rootConnection;
  }

  /** Reads of `work` share the caller's connection. */
  as<Value>(caller: Identity, work: () => Promise<Value>): Promise<Value> {
    return forIdentity(caller, work);
  }

  async ask(subgraph: string, caller: Identity, document: DocumentNode): Promise<FormattedExecutionResult> {
    const schema = this.#schemas.get(subgraph);
    if (schema === undefined) throw new Error(`no subgraph ${subgraph}`);
    const context = { identity: caller, requestId: 'test', loaders: new Map() };
    return executeOnSchema(schema, { document, context }, this.#ground.log);
  }

  /** Counts of the one read connection: rows read by any handler, and rows sorted because no index has the order. */
  async rowsRead(): Promise<{ readonly read: number; readonly sorted: number }> {
    const found = await this.db.query<{ Variable_name: string; Value: string }>(
      "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Sort_rows'",
    );
    const sum = (isSort: boolean) =>
      found
        .filter(({ Variable_name: name }) => (name === 'Sort_rows') === isSort)
        .reduce((total, { Value }) => total + Number(Value), 0);
    return { read: sum(false), sorted: sum(true) };
  }

  async stop(): Promise<void> {
    await this.#ground.stop();
    await this.#folder.remove();
  }
}

async function schemasOn(ground: TestContext, keysFolder: string): Promise<ReadonlyMap<string, GraphQLSchema>> {
  const config = readConfig({ flags: { 'keys.folder': keysFolder } }, subgraphRows);
  const schemas = new Map<string, GraphQLSchema>();
  for (const { row, sdl } of subgraphSdls) {
    const whole = {
      ...ground,
      ...{ processName: 'test', sdl, host: undefined, registry: new Registry(), haCluster: undefined, roles: [] },
      eventKinds: allEventKinds(subgraphRows),
      sealer: async () => ground.sealer,
      ...{ keys: new KeyFolder({ folder: keysFolder, log: ground.log }), health: new Health() },
      redis: undefined,
      revokedMemories: () => [],
      projectHoldings: async () => [],
      projectEnd: async () => undefined,
    } as unknown as SubgraphContext;
    const { subgraph } = await row.create(whole, settingsOf(row, config));
    schemas.set(row.name, subgraph.schema);
  }
  return schemas;
}
