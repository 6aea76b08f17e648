// The system subgraph on a database of its own, as one process has it, with ways to ask it as this or that caller.
import { type FormattedExecutionResult, parse } from 'graphql';
import { pino } from 'pino';
import type { Mutation, Query } from '../../../../generated/graph/system.ts';
import { Commits } from '../../../../platform/commits.ts';
import { rolesOf } from '../../../../platform/config.ts';
import { Database } from '../../../../platform/database/database.ts';
import { StatusFeed } from '../../../../platform/events/feed.ts';
import { Sequencer } from '../../../../platform/events/sequencer.ts';
import { executeOnSchema, subscribeOnSchema } from '../../../../platform/graph/execution.ts';
import { readSubgraphSdl } from '../../../../platform/graph/sdl.ts';
import type { Identity, RequestContext, Role } from '../../../../platform/identity.ts';
import { newUuid } from '../../../../platform/ids.ts';
import type { Authority } from '../../../../platform/machines/authority.ts';
import { Mutations } from '../../../../platform/mutation.ts';
import { Keyring } from '../../../../platform/secrets/keyring.ts';
import { allEventKinds } from '../../../../platform/subgraph-row.ts';
import { createLocalWake } from '../../../../platform/wake.ts';
import { subgraphRows } from '../../../../subgraphs/rows.ts';
import type { PasswordHasher } from '../../../../subgraphs/system/access/password-hasher.ts';
import { MemoryRateLimiter } from '../../../../subgraphs/system/access/rate-limiter.ts';
import { createSystemSubgraph, type SystemSubgraph } from '../../../../subgraphs/system/system.ts';
import { testDatabase } from '../../../support/database.ts';
import { kindsOf } from '../../../support/event-kinds.ts';
import { testSigners } from '../../../support/signing-keys.ts';

/** A hash that costs nothing, and counts. */
export class CountingHasher implements PasswordHasher {
  verified = 0;
  hashed = 0;

  async hash(password: string): Promise<string> {
    this.hashed += 1;
    return `hash of ${password}`;
  }

  async verify(storedHash: string | null, password: string): Promise<boolean> {
    this.verified += 1;
    return storedHash === `hash of ${password}`;
  }
}

export const adminPassword = 'correct horse battery';

const signers = testSigners();

/** Of the access tokens. */
export const testKeys = { signingKeys: signers.signing.system, publicKeys: signers.publicKeys };

/** Of who seals the audit trail. */
export const testAuditKeys = signers.audit;

const testKeyring = new Keyring({ active: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64') } });

/** What may be asked of the subgraph; a field that was not selected, or failed, is not there. */
export type Data = Query & Mutation & { readonly _entities: readonly (Readonly<Record<string, unknown>> | null)[] };

export interface Answer {
  readonly data: Data;
  readonly errors: FormattedExecutionResult['errors'];
  /** Codes of top-level errors. */
  readonly codes: readonly unknown[];
}

export interface SystemBench {
  readonly db: Database;
  readonly system: SystemSubgraph;
  readonly hasher: CountingHasher;
  readonly feed: StatusFeed;
  readonly sequencer: Sequencer;
  ask(identity: Identity | null, document: string, variables?: object, address?: string): Promise<Answer>;
  subscribe(identity: Identity | null, document: string, variables?: object): ReturnType<typeof subscribeOnSchema>;
  close(): Promise<void>;
}

/** What tests here write beside the declared kinds. */
const ownKinds = kindsOf(['wanted', 'other', 'paged', 'unsequenced'].map((kind) => ({ kind, subjectType: 'Wanted' })));

/** `lost`: the database can't be reached, as in an outage. */
export async function systemBench(
  options: { readonly lost?: boolean; readonly authority?: () => Promise<Authority | undefined> } = {},
): Promise<SystemBench> {
  const { lost = false } = options;
  const place = await testDatabase();
  const connection = lost ? { ...place.connection, socketPath: '/nonexistent/socket' } : place.connection;
  const db = new Database({ connection, connectionLimit: 5, ...(lost ? { acquireTimeoutMs: 200 } : {}) });
  const log = pino({ level: process.env.TEST_LOG ?? 'silent' });
  const wake = createLocalWake();
  const commits = new Commits({ db, keyring: testKeyring, log });
  const mutations = new Mutations({ db, commits, log });
  const feed = new StatusFeed({ db, wake, log });
  const sequencer = new Sequencer({ db, wake, log });
  const hasher = new CountingHasher();
  if (!lost) await feed.start();
  const system = createSystemSubgraph({
    sdl: readSubgraphSdl('system'),
    ...{ db, feed, commits, mutations, wake, log, keyring: testKeyring, passwordHasher: hasher, ...testKeys },
    rateLimiter: new MemoryRateLimiter(),
    eventKinds: { ...allEventKinds(subgraphRows), ...ownKinds },
    authority: options.authority ?? (async () => undefined),
    roles: rolesOf(subgraphRows).all,
    health: async () => [{ name: 'database', ready: true, detail: null }],
  });
  const request = (identity: Identity | null, document: string, variables: object, address?: string) => {
    const client = address === undefined ? {} : { clientAddress: address };
    const context: RequestContext = { identity, requestId: 'test-request', loaders: new Map(), ...client };
    return { document: parse(document), variables: { ...variables }, context };
  };
  return {
    ...{ db, system, hasher, feed, sequencer },
    async ask(identity, document, variables = {}, address) {
      const result = await executeOnSchema(system.schema, request(identity, document, variables, address), log);
      const codes = (result.errors ?? []).map((error) => error.extensions?.code);
      return { data: result.data as unknown as Data, errors: result.errors, codes };
    },
    subscribe: (identity, document, variables = {}) =>
      subscribeOnSchema(system.schema, request(identity, document, variables), log),
    async close() {
      await feed.stop();
      await wake.close();
      await db.close();
      await place.drop();
    },
  };
}

/** Makes a user by SQL and gives the identity of a login, with a session that `recheck` finds. */
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

/** Gives all events that are committed a place in the stream. */
export async function sequence(bench: SystemBench): Promise<void> {
  while ((await bench.sequencer.runOnce()) > 0);
}
