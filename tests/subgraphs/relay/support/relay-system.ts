// A relay on a real database, with all its dependencies, and several of them on the same one: each with its own owner id, leases
// and sessions, like separate processes.
import { randomBytes } from 'node:crypto';
import { execute, parse } from 'graphql';
import type { Identity, Role } from '../../../../platform/caller/identity.ts';
import { readSubgraphSdl } from '../../../../platform/graph/sdl.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { createLocalWake, type Wake } from '../../../../platform/work/wake.ts';
import {
  createRelaySubgraph,
  type RelaySubgraph,
  type RelaySubgraphOptions,
} from '../../../../subgraphs/relay/relay.ts';
import { type TestDatabase, testDatabase } from '../../../support/database.ts';
import { checkInvariants, type InvariantOptions } from '../../../support/invariants.ts';
import { LocalContext } from '../../../support/test-context.ts';

export interface GraphResult<Data> {
  readonly data: Data;
  readonly errors: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
}

export const projectA = '01900000-0000-7000-8000-00000000000a';
export const projectB = '01900000-0000-7000-8000-00000000000b';

export function identity(role: Role | 'ADMIN', project = projectA, name = role.toLowerCase()): Identity {
  const common = { kind: 'user', id: newUuid(), name, credentialId: newUuid() } as const;
  return role === 'ADMIN'
    ? { ...common, admin: true, projects: {} }
    : { ...common, admin: false, projects: { [project]: role } };
}

type NodeOptions = Partial<RelaySubgraphOptions> & { readonly leaseTtlMs?: number };

/** The equivalent of one relay process. */
export class RelayNode extends LocalContext {
  readonly relay: RelaySubgraph;

  constructor(database: Pick<TestDatabase, 'connection'>, wake: Wake, overrides: NodeOptions) {
    const { leaseTtlMs = 5_000, db = { connection: database.connection, connectionLimit: 20 } } = overrides;
    super(db, { wake, leaseTtlMs, feed: { pollMs: 50 } });
    this.relay = createRelaySubgraph({
      sdl: readSubgraphSdl('relay'),
      ...this,
      name: `relay-${this.owner.slice(0, 8)}`,
      ...overrides,
      settings: { tickMs: 100, ...overrides.settings },
    });
  }

  override async start(): Promise<this> {
    await super.start();
    await this.relay.start();
    return this;
  }

  override async stop(): Promise<void> {
    await this.relay.stop();
    await super.stop();
  }

  async run<Data = Record<string, never>>(
    who: Identity | null,
    text: string,
    variableValues: Record<string, unknown> = {},
  ): Promise<GraphResult<Data>> {
    const result = await execute({
      schema: this.relay.schema,
      document: parse(text),
      variableValues,
      contextValue: { identity: who, requestId: `req-${randomBytes(4).toString('hex')}`, loaders: new Map() },
    });
    return { data: result.data as Data, errors: (result.errors ?? []) as GraphResult<Data>['errors'] };
  }
}

/** A database and the relays on it; `stop` ends all, and checks the final state. */
export class RelaySystem {
  readonly database: TestDatabase;
  readonly wake = createLocalWake();
  readonly #nodes: RelayNode[] = [];

  private constructor(database: TestDatabase) {
    this.database = database;
  }

  static async start(): Promise<RelaySystem> {
    return new RelaySystem(await testDatabase());
  }

  async node(overrides: NodeOptions = {}): Promise<RelayNode> {
    const node = new RelayNode(this.database, this.wake, overrides);
    this.#nodes.push(node);
    return node.start();
  }

  async stop(options?: InvariantOptions): Promise<void> {
    await Promise.allSettled(this.#nodes.map((node) => node.stop()));
    await this.wake.close();
    try {
      await checkInvariants(this.database.connection, options);
    } finally {
      await this.database.drop();
    }
  }
}

export interface UserErrorShape {
  readonly code: string;
  readonly message: string;
  readonly field: readonly string[];
  readonly retry: string;
}

export interface OperationShape {
  readonly id: string;
  readonly state: string;
  readonly version: number;
  readonly deviceError: { readonly code: string; readonly message: string } | null;
  readonly result: unknown;
  readonly stateSource: string | null;
  readonly quietUntil: string | null;
  readonly evidence: readonly { readonly source: string; readonly finding: string }[];
  readonly changedMappings: readonly { readonly id: string; readonly mappingState: string }[];
}

export interface CallShape {
  readonly operation: OperationShape | null;
  readonly mapping: {
    readonly id: string;
    readonly mappingState: string;
    readonly uuid: string | null;
    readonly objectKey: string;
  } | null;
  readonly wireCall: string | null;
  readonly deviceCheck: { readonly code: string; readonly message: string } | null;
  readonly userErrors: readonly UserErrorShape[];
  readonly commit: { readonly token: string } | null;
}

export const operationFields = `id state version deviceError { code message } result stateSource quietUntil
  evidence { source finding } changedMappings { id mappingState }`;
export const callFields = `operation { ${operationFields} } mapping { id mappingState uuid objectKey } wireCall
  deviceCheck { code message } userErrors { code message field retry } commit { token }`;

export const mutations = {
  add: `mutation ($input: FirewallAddressSetElementAddInput!) { call: firewallAddressSetElementAdd(input: $input) { ${callFields} } }`,
  remove: `mutation ($input: FirewallAddressSetElementRemoveInput!) { call: firewallAddressSetElementRemove(input: $input) { ${callFields} } }`,
  ruleCreate: `mutation ($input: FirewallRuleCreateInput!) { call: firewallRuleCreate(input: $input) { ${callFields} } }`,
  delete: `mutation ($input: MappingObjectDeleteInput!) { call: mappingObjectDelete(input: $input) { ${callFields} } }`,
  relayCall: `mutation ($input: RelayCallInput!) { call: relayCall(input: $input) { ${callFields} } }`,
  settle: `mutation ($input: RelayOperationSettleInput!) { settle: relayOperationSettle(input: $input) { operation { ${operationFields} } userErrors { code message field } commit { token } } }`,
  create: `mutation ($input: BackendCreateInput!) { backend: backendCreate(input: $input) { backend { id version ordinal name } userErrors { code message field } commit { token } } }`,
} as const;

/** Runs a relaying mutation; throws on top-level errors. */
export async function call(
  node: RelayNode,
  which: 'add' | 'remove' | 'ruleCreate' | 'delete' | 'relayCall',
  input: Record<string, unknown>,
  who: Identity = identity('OPERATOR'),
): Promise<CallShape> {
  const { data, errors } = await node.run<{ call: CallShape }>(who, mutations[which], { input });
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join('; '));
  return data.call;
}

export async function settle(node: RelayNode, input: Record<string, unknown>, who: Identity = identity('OPERATOR')) {
  const { data, errors } = await node.run<{ settle: Pick<CallShape, 'operation' | 'userErrors' | 'commit'> }>(
    who,
    mutations.settle,
    { input },
  );
  if (errors.length > 0) throw new Error(errors.map((error) => error.message).join('; '));
  return data.settle;
}

/** A device that has a backend already gets another one, as if an administrator had said that they have no object in common. */
export async function registerBackend(
  node: RelayNode,
  input: Record<string, unknown>,
  who: Identity = identity('OPERATOR'),
): Promise<string> {
  const first = await tryToRegister(node, input, who);
  if (first.userErrors?.[0]?.code !== 'DEVICE_TAKEN') return idOf(first);
  const [project = projectA] = Object.keys(who.projects);
  const separate = { projectId: projectId(project), ...input, separateObjects: true };
  return idOf(await tryToRegister(node, separate, identity('ADMIN')));
}

type Registered = Awaited<ReturnType<typeof tryToRegister>>;

async function tryToRegister(node: RelayNode, input: Record<string, unknown>, who: Identity) {
  const { data, errors } = await node.run<{
    backend: { backend: { id: string } | null; userErrors: readonly UserErrorShape[] };
  }>(who, mutations.create, { input: { driver: 'linux-nftables', ...input } });
  return { errors, id: data?.backend.backend?.id, userErrors: data?.backend.userErrors };
}

function idOf({ id, errors, userErrors }: Registered): string {
  if (id === undefined) throw new Error(JSON.stringify([errors, userErrors]));
  return id;
}

export const projectId = (uuid: string): string => encodeId('Project', uuid);
