// The system subgraph on its own database, like in one process, with functions to call it as different callers.
import { type FormattedExecutionResult, parse } from 'graphql';
import type { Mutation, Query } from '../../../../generated/graph/system.ts';
import type { Identity, RequestContext, Role } from '../../../../platform/caller/identity.ts';
import type { DatabaseOptions } from '../../../../platform/database/database.ts';
import type { ProjectEnd, ProjectHoldings } from '../../../../platform/edge/projects.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { executeOnSchema, subscribeOnSchema } from '../../../../platform/graph/execution.ts';
import { readSubgraphSdl, withOutsideNodes } from '../../../../platform/graph/sdl.ts';
import type { Authority } from '../../../../platform/machines/authority.ts';
import { rolesOf } from '../../../../platform/process/config.ts';
import type { HaCluster } from '../../../../platform/process/ha-cluster.ts';
import { allEventKinds, type OutsideNodes } from '../../../../platform/process/subgraph-row.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { subgraphRows } from '../../../../subgraphs/rows.ts';
import type { PasswordHasher } from '../../../../subgraphs/system/control/access/password-hasher.ts';
import { MemoryRateLimiter } from '../../../../subgraphs/system/control/access/rate-limiter.ts';
import { createSystemSubgraph, type SystemSubgraph } from '../../../../subgraphs/system/system.ts';
import { kindsOf } from '../../../support/product/event-kinds.ts';
import { testSigners } from '../../../support/product/signing-keys.ts';
import { TestContext } from '../../../support/product/test-context.ts';
import { type TestDatabase, testDatabase } from '../../../support/stores/database.ts';

/** A cheap hash that counts its calls. */
class CountingHasher implements PasswordHasher {
  /** If true, the queue of waiting hashes is full. */
  isBusy = false;
  verified = 0;
  hashed = 0;

  async hash(password: string): Promise<string> {
    this.hashed += 1;
    return `hash of ${password}`;
  }

  async verify(storedHash: string | null, password: string): Promise<boolean> {
    if (this.isBusy) refuse('RATE_LIMITED', 'too many concurrent logins: try again later', { retryAfterMs: 1_000 });
    this.verified += 1;
    return storedHash === `hash of ${password}`;
  }
}

const signers = testSigners();

/** The keys of access tokens. */
export const testKeys = { signingKeys: signers.signing.system, publicKeys: signers.publicKeys };

/** The keys that seal the audit trail. */
export const testAuditKeys = signers.audit;

/** The subgraph's fields. A field that was not selected, or failed, is absent. */
type Data = Query & Mutation & { readonly _entities: readonly (Readonly<Record<string, unknown>> | null)[] };

interface Answer {
  readonly data: Data;
  readonly errors: FormattedExecutionResult['errors'];
  /** Codes of top-level errors. */
  readonly codes: readonly unknown[];
}

/** Event kinds for tests, besides the declared ones. */
const ownKinds = kindsOf(['wanted', 'other', 'paged', 'unsequenced'].map((kind) => ({ kind, subjectType: 'Wanted' })));

interface SystemBenchOptions extends Partial<DatabaseOptions> {
  readonly authority?: (() => Promise<Authority | undefined>) | undefined;
  readonly projectHoldings?: ProjectHoldings;
  readonly projectEnd?: ProjectEnd;
  readonly haCluster?: HaCluster;
  readonly outsideNodes?: OutsideNodes;
}

export class SystemBench extends TestContext {
  readonly hasher = new CountingHasher();
  readonly system: SystemSubgraph;
  readonly haCluster: HaCluster | undefined;

  constructor(place: TestDatabase, options: SystemBenchOptions = {}) {
    super(place, options);
    this.haCluster = options.haCluster;
    this.system = createSystemSubgraph({
      sdl: sdlWith([...(options.outsideNodes?.values() ?? [])].flat()),
      ...this,
      sealer: async () => this.sealer,
      ...testKeys,
      passwordHasher: this.hasher,
      rateLimiter: new MemoryRateLimiter(),
      eventKinds: { ...allEventKinds(subgraphRows), ...ownKinds },
      authority: options.authority ?? (async () => undefined),
      outsideNodes: options.outsideNodes ?? new Map(),
      roles: rolesOf(subgraphRows).all,
      projectHoldings: options.projectHoldings ?? (async () => []),
      ...(options.projectEnd && { projectEnd: options.projectEnd }),
      health: async () => [{ name: 'database', ready: true, detail: null }],
    });
  }

  async ask(identity: Identity | null, document: string, variables = {}, address?: string): Promise<Answer> {
    const asked = request(identity, document, variables, address);
    const result = await executeOnSchema(this.system.schema, asked, this.log);
    const codes = (result.errors ?? []).map((error) => error.extensions?.code);
    return { data: result.data as unknown as Data, errors: result.errors, codes };
  }

  subscribe(identity: Identity | null, document: string, variables = {}): ReturnType<typeof subscribeOnSchema> {
    return subscribeOnSchema(this.system.schema, request(identity, document, variables), this.log);
  }
}

function sdlWith(nodes: readonly string[]): string {
  return withOutsideNodes(new Map([['system', readSubgraphSdl('system')]]), nodes).get('system') ?? '';
}

function request(identity: Identity | null, document: string, variables: object, address?: string) {
  const client = address === undefined ? {} : { clientAddress: address };
  const context: RequestContext = { identity, requestId: 'test-request', loaders: new Map(), ...client };
  return { document: parse(document), variables: { ...variables }, context };
}

/** Starts a system with a running feed. `sequence` numbers the events. `lost`: the database is unreachable. */
export async function systemBench({
  lost = false,
  ...options
}: Pick<SystemBenchOptions, 'authority' | 'disk' | 'projectHoldings' | 'projectEnd' | 'haCluster' | 'outsideNodes'> & {
  readonly lost?: boolean;
} = {}): Promise<SystemBench> {
  const place = await testDatabase();
  if (lost) {
    const connection = { ...place.connection, socketPath: '/nonexistent/socket' };
    return new SystemBench(place, { connection, acquireTimeoutMs: 200 });
  }
  const bench = new SystemBench(place, options);
  await bench.feed.start();
  return bench;
}

/** Creates a user by SQL and returns the identity of a login, with a session that `recheck` finds. */
export async function makeUser(
  bench: SystemBench,
  name: string,
  wish: {
    readonly admin?: boolean;
    readonly projects?: Readonly<Record<string, Role>>;
    readonly password?: string;
  } = {},
): Promise<Identity> {
  const { admin = false, projects = {}, password = 'a password that fits' } = wish;
  const id = newUuid();
  const sessionId = newUuid();
  await bench.db.execute('INSERT INTO user (id, name, password_hash, admin) VALUES (?, ?, ?, ?)', [
    id,
    name,
    `hash of ${password}`,
    admin,
  ]);
  for (const [project, role] of Object.entries(projects))
    await bench.db.execute('INSERT INTO membership (project_id, user_id, role) VALUES (?, ?, ?)', [project, id, role]);
  await bench.db.execute(
    'INSERT INTO session (id, user_id, refresh_hash, expires_at) VALUES (?, ?, ?, NOW(3) + INTERVAL 1 DAY)',
    [sessionId, id, newUuid()],
  );
  return { kind: 'user', id, name, admin, projects: admin ? {} : projects, credentialId: sessionId };
}
