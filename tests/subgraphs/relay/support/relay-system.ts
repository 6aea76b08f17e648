// A relay on a real database with all its dependencies. Several relays can share the database, each with its own owner
// ID, leases and sessions, like separate processes.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
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
import { LocalContext } from '../../../support/product/test-context.ts';
import { type TestDatabase, testDatabase } from '../../../support/stores/database.ts';
import { checkInvariants, type InvariantOptions } from '../../../support/stores/invariants.ts';
import { pinOf } from '../transports/support/web-device.ts';
import { inputTypeOf } from './typed-inputs.ts';

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

export type NodeOptions = Partial<RelaySubgraphOptions> & { readonly leaseTtlMs?: number };

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

  /** The data of an answer without errors. */
  async ask<Data>(text: string, variables: Record<string, unknown> = {}, who = identity('VIEWER')): Promise<Data> {
    const { data, errors } = await this.run<Data>(who, text, variables);
    if (errors.length > 0) throw new Error(errors.map((error) => error.message).join('; '));
    return data;
  }

  /** The payload of a mutation. */
  async mutate<Payload = CallShape>(
    name: string,
    input: object,
    fields: string = callFields,
    who: Identity = identity('OPERATOR'),
  ): Promise<Payload> {
    const text = `mutation ($input: ${inputTypeOf(name)}!) { payload: ${name}(input: $input) { ${fields} } }`;
    return (await this.ask<{ payload: Payload }>(text, { input }, who)).payload;
  }
}

/** A database and the relays on it. `stop` ends them all, and checks the final state. */
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
const callFields = `operation { ${operationFields} } mapping { id mappingState uuid objectKey } wireCall
  deviceCheck { code message } userErrors { code message field retry } commit { token }`;

const names = {
  add: 'firewallAddressSetElementAdd',
  remove: 'firewallAddressSetElementRemove',
  ruleCreate: 'firewallRuleCreate',
  delete: 'mappingObjectDelete',
  relayCall: 'relayCall',
} as const;

export const mutations = {
  add: `mutation ($input: FirewallAddressSetElementAddInput!) { call: firewallAddressSetElementAdd(input: $input) { ${callFields} } }`,
  settle: `mutation ($input: RelayOperationSettleInput!) { settle: relayOperationSettle(input: $input) { operation { ${operationFields} } userErrors { code message field } commit { token } } }`,
} as const;

/** Runs a relaying mutation; throws on top-level errors. */
export function call(
  node: RelayNode,
  which: keyof typeof names,
  input: Record<string, unknown>,
  who?: Identity,
): Promise<CallShape> {
  return node.mutate(names[which], input, callFields, who);
}

export function settle(node: RelayNode, input: Record<string, unknown>, who?: Identity) {
  const fields = `operation { ${operationFields} } userErrors { code message field } commit { token }`;
  type Settled = Pick<CallShape, 'operation' | 'userErrors' | 'commit'>;
  return node.mutate<Settled>('relayOperationSettle', input, fields, who);
}

/** Compares a mapping with its device. Returns the result, and the paths of the differences. */
export async function verify(node: RelayNode, id: string | undefined, who?: Identity) {
  interface Verified {
    readonly mapping: { readonly lastVerification: { result: string; differences: { path: string }[] } | null } | null;
  }
  const fields = 'mapping { lastVerification { result differences { path } } }';
  const { mapping } = await node.mutate<Verified>('mappingVerify', { id }, fields, who);
  const { result, differences } = mapping?.lastVerification ?? { result: 'NONE', differences: [] };
  return [result, ...differences.map(({ path }) => path)];
}

/**
 * Registers a backend for a device that already has one, as if an administrator had declared that the two have no
 * object in common.
 */
export async function registerBackend(
  node: RelayNode,
  input: Record<string, unknown>,
  who: Identity = identity('OPERATOR'),
): Promise<string> {
  const first = await tryToRegister(node, input, who);
  if (first.userErrors[0]?.code !== 'DEVICE_TAKEN') return idOf(first);
  const [project = projectA] = Object.keys(who.projects);
  const separate = { projectId: projectId(project), ...input, separateObjects: true };
  return idOf(await tryToRegister(node, separate, identity('ADMIN')));
}

/** The address and proof of identity of a test device. Its login is that of simulated devices, unless it has a key. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly hostKeySha256?: string;
  readonly certificate?: { readonly sha256: string };
  readonly username?: string;
  readonly privateKeyPath?: string;
}

/** `more`: at least the name, and the driver unless it is linux-nftables. */
export async function registerDevice(
  node: RelayNode,
  { host, port, hostKeySha256, certificate, username = 'netops', privateKeyPath }: Place,
  more: Readonly<Record<string, unknown>>,
  who?: Identity,
): Promise<string> {
  const login =
    privateKeyPath === undefined ? { password: 'secret' } : { privateKey: await readFile(privateKeyPath, 'utf8') };
  const proof = certificate === undefined ? { hostKeySha256 } : { certificateSha256: pinOf(certificate.sha256) };
  return registerBackend(node, { host, port, ...proof, credentials: { username, ...login }, ...more }, who);
}

async function tryToRegister(node: RelayNode, input: Record<string, unknown>, who: Identity) {
  type Made = { backend: { id: string } | null; userErrors: readonly UserErrorShape[] };
  const fields = 'backend { id } userErrors { code message field }';
  const made = { driver: 'linux-nftables', ...input };
  const { backend, userErrors } = await node.mutate<Made>('backendCreate', made, fields, who);
  return { id: backend?.id, userErrors };
}

function idOf({ id, userErrors }: Awaited<ReturnType<typeof tryToRegister>>): string {
  if (id === undefined) throw new Error(JSON.stringify(userErrors));
  return id;
}

export const projectId = (uuid: string): string => encodeId('Project', uuid);
