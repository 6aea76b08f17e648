// A subgraph with its own database and two projects. It takes requests as the gateway sends them.
import { randomBytes } from 'node:crypto';
import { execute, type GraphQLSchema, parse } from 'graphql';
import type { Identity, Role } from '../../../platform/caller/identity.ts';
import { recordProject } from '../../../platform/edge/projects.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';
import { LocalContext } from '../../support/product/test-context.ts';
import type { TestDatabase } from '../../support/stores/database.ts';

export const projectA = '01900000-0000-7000-8000-00000000000a';
export const projectB = '01900000-0000-7000-8000-00000000000b';

export const projectId = (uuid: string): string => encodeId('Project', uuid);

export type Input = Record<string, unknown>;

export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly field: readonly string[];
}

interface GraphResult<Data> {
  readonly data: Data;
  readonly errors: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
}

/** The outcome of a mutation, with faults as `CODE path`. */
export interface Mutated {
  readonly faults: readonly string[];
  readonly told: readonly Fault[];
  readonly entity: Input | null;
}

export function identity(role: Role | 'ADMIN', project = projectA, name = role.toLowerCase()): Identity {
  const common = { kind: 'user', id: newUuid(), name, credentialId: newUuid() } as const;
  return role === 'ADMIN'
    ? { ...common, admin: true, projects: {} }
    : { ...common, admin: false, projects: { [project]: role } };
}

async function runOn<Data>(
  schema: GraphQLSchema,
  who: Identity | null,
  text: string,
  variableValues: Input = {},
): Promise<GraphResult<Data>> {
  const contextValue = { identity: who, requestId: `req-${randomBytes(4).toString('hex')}`, loaders: new Map() };
  const { data, errors = [] } = await execute({ schema, document: parse(text), variableValues, contextValue });
  return { data: data as Data, errors: errors as GraphResult<Data>['errors'] };
}

export abstract class SubgraphGraph extends LocalContext {
  abstract readonly schema: GraphQLSchema;
  readonly place: TestDatabase;

  protected constructor(place: TestDatabase, connectionLimit = 10) {
    super({ connection: place.connection, connectionLimit }, { feed: { pollMs: 50 } });
    this.place = place;
  }

  override async start(): Promise<this> {
    await super.start();
    await this.db.transaction(async (tx) => {
      await recordProject(tx, projectA, 'alpha');
      await recordProject(tx, projectB, 'beta');
    });
    return this;
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.place.drop();
  }

  run<Data = Record<string, never>>(
    who: Identity | null,
    text: string,
    variables: Input = {},
  ): Promise<GraphResult<Data>> {
    return runOn(this.schema, who, text, variables);
  }

  /** Throws on top-level errors. */
  protected async answer<Data>(who: Identity | null, text: string, variables: Input = {}): Promise<Data> {
    const { data, errors } = await this.run<Data>(who, text, variables);
    if (errors.length > 0) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** `selection`: fields of the payload besides its errors, with the object aliased to `entity`. */
  protected async send(who: Identity | null, mutation: string, input: Input, selection: string): Promise<Mutated> {
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
    const { payload } = await this.answer<{
      payload: { entity?: Input | null; deletedId?: string | null; userErrors: Fault[] };
    }>(
      who,
      `mutation ($input: ${type}!) { payload: ${mutation}(input: $input) { ${selection} userErrors { code message field } commit { token } } }`,
      { input },
    );
    const { userErrors: told, entity, deletedId } = payload;
    const deleted = deletedId == null ? null : { id: deletedId };
    return { told, faults: told.map(({ code, field }) => `${code} ${field.join('.')}`), entity: entity ?? deleted };
  }
}

/** The object that a mutation created. Throws if the mutation failed. */
export function madeBy(mutation: string, { told, entity }: Mutated): Input {
  if (entity === null || told.length > 0) throw new Error(`${mutation}: ${JSON.stringify(told)}`);
  return entity;
}
