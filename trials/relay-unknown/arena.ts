// The environment of a trial: a private database, two relays that compete for its backends, and functions to call them.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mariadb';
import { ownersOf } from '../../compose/owners.ts';
import type { Database } from '../../platform/database/database.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { connectionOptions, type DatabaseLocation } from '../../platform/database/server-pools.ts';
import { encodeId, newUuid } from '../../platform/values/ids.ts';
import type { RelaySettings } from '../../subgraphs/relay/control/settings.ts';
import type { JsonObject, JsonValue } from '../../subgraphs/relay/drivers/driver.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { LocalContext } from '../../tests/support/product/test-context.ts';
import { type Reply, read } from '../calls/gateway-client.ts';
import type { DeviceCall } from './devices/device.ts';
import { MemberGoneError, MemberSilentError, RelayMember } from './relay-member.ts';
import type { GraphAnswer, RelayPlan } from './relay-process.ts';

export interface TrialServers {
  /** An account that may create further databases. */
  readonly connection: DatabaseLocation;
  readonly redisPath: string;
}

interface ArenaOptions {
  readonly servers: TrialServers;
  readonly leaseTtlMs: number;
  readonly settings: Partial<RelaySettings>;
}

export interface Ended {
  readonly state: 'SUCCEEDED' | 'FAILED' | 'UNKNOWN';
  /** UUID. */
  readonly operationId: string;
  readonly result: JsonValue;
}

interface Settled {
  readonly state: string;
  /** The probe's finding. Undefined if there was none, because the call was already settled, or because of the reason in `refusal`. */
  readonly finding: string | undefined;
  readonly refusal: string | undefined;
}

interface CallData {
  readonly call: { readonly operation: { readonly result: JsonValue } | null } | null;
}

interface SettleData {
  readonly settle: {
    readonly operation: { readonly state: string; readonly evidence: readonly { readonly finding: string }[] } | null;
    readonly userErrors: readonly { readonly code: string; readonly message: string }[];
  };
}

const documents = {
  register:
    'mutation ($input: BackendCreateInput!) { made: backendCreate(input: $input) { userErrors { code message } } }',
  call: `mutation ($input: RelayCallInput!) { call: relayCall(input: $input) {
    operation { id state result deviceError { code message } } userErrors { code message retry retryAfterMs } } }`,
  settle: `mutation ($input: RelayOperationSettleInput!) { settle: relayOperationSettle(input: $input) {
    operation { state evidence { finding } } userErrors { code message } } }`,
};
const answerDeadlineMs = 10_000;
/** For the start of new processes. */
const setUpDeadlineMs = 150_000;
const pauseMs = 50;

export class Arena {
  readonly db: Database;
  readonly members: readonly [RelayMember, RelayMember];
  /** Answers that the retry contract does not allow. */
  readonly unexpected: string[] = [];
  readonly #projectId: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    db: Database,
    members: readonly [RelayMember, RelayMember],
    projectId: string,
    stack: AsyncDisposableStack,
  ) {
    this.db = db;
    this.#projectId = encodeId('Project', projectId);
    this.members = members;
    this.#stack = stack;
  }

  static async open(options: ArenaOptions): Promise<Arena> {
    const stack = new AsyncDisposableStack();
    try {
      const plan = await planOf(options);
      const { connection, redis } = plan;
      const ground = new LocalContext({ connection, connectionLimit: 4 }, { redis });
      stack.defer(() => ground.stop());
      // It is independent of the relays, because it must continue while they are paused.
      ground.sequencer.start();
      const members = await Promise.all([RelayMember.start(plan, stack), RelayMember.start(plan, stack)]);
      return new Arena(ground.db, members, plan.projectId, stack);
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  /** Ends its processes; the server's owner removes the database. */
  close(): Promise<void> {
    return this.#stack.disposeAsync();
  }

  async register(name: string, backend: JsonObject, limits: object): Promise<void> {
    // Lanes share a device but have no object in common.
    const input = {
      idempotencyKey: newUuid(),
      name,
      ...backend,
      limits,
      projectId: this.#projectId,
      separateObjects: true,
    };
    const untilMs = performance.now() + setUpDeadlineMs;
    for (;;) {
      const { data, errors } = await this.members[0].run(documents.register, { input }, setUpDeadlineMs);
      const refusal = (data?.made as { userErrors: { code: string; message: string }[] } | undefined)?.userErrors[0];
      const fault = errors?.[0]?.message ?? refusal?.message;
      if (fault === undefined) return;
      // This happens on a machine that is too busy.
      if (refusal?.code !== 'UNAVAILABLE' || performance.now() > untilMs)
        throw new Error(`backend ${name} was not registered: ${fault}`);
      await sleep(pauseMs);
    }
  }

  /** One attempt. */
  async ask(member: RelayMember, input: JsonObject, deadlineMs: number): Promise<Reply & { result?: JsonValue }> {
    const again = (why: string): Reply => ({ kind: 'again', afterMs: pauseMs, why });
    try {
      const answer = await member.run(documents.call, { input }, deadlineMs);
      const { call } = (answer.data ?? {}) as Partial<CallData>;
      const reply = read(answer as Parameters<typeof read>[0]);
      return { ...reply, result: call?.operation?.result ?? null };
    } catch (error) {
      if (error instanceof MemberGoneError || error instanceof MemberSilentError) return again(error.message);
      throw error;
    }
  }

  /**
   * Follows the retry contract and calls the relay from `next()` each time, until the call has ended. Undefined if it does not end by the deadline.
   */
  async untilEnded(
    next: () => RelayMember,
    input: JsonObject,
    deadlines: { readonly attemptMs: number; readonly allMs: number },
  ): Promise<Ended | undefined> {
    const untilMs = performance.now() + deadlines.allMs;
    while (performance.now() < untilMs) {
      const reply = await this.ask(next(), input, deadlines.attemptMs);
      switch (reply.kind) {
        case 'ended':
          return { state: reply.state, operationId: reply.operationId, result: reply.result ?? null };
        case 'unexpected':
          this.unexpected.push(`${String(input.idempotencyKey)}: ${reply.what}`);
          return undefined;
        case 'again':
          await sleep(Math.min(reply.afterMs, 500));
      }
    }
    return undefined;
  }

  /** Makes a relay check the effect of a call. It never gives a verdict itself. */
  async settle(member: RelayMember, operationId: string): Promise<Settled> {
    const input = { id: encodeId('RelayOperation', operationId) };
    let answer: GraphAnswer;
    try {
      answer = await member.run(documents.settle, { input }, answerDeadlineMs);
    } catch (error) {
      if (error instanceof MemberGoneError || error instanceof MemberSilentError)
        return { state: 'UNKNOWN', finding: undefined, refusal: error.message };
      throw error;
    }
    const settled = (answer.data as SettleData | null | undefined)?.settle;
    const operation = settled?.operation;
    if (operation == null) {
      // Another process did it first.
      if (settled?.userErrors[0]?.code === 'WRONG_STATE')
        return { state: 'SETTLED', finding: undefined, refusal: undefined };
      const refusal = settled?.userErrors[0]?.message ?? answer.errors?.[0]?.message ?? 'no answer';
      return { state: 'UNKNOWN', finding: undefined, refusal };
    }
    return { state: operation.state, finding: operation.evidence.at(-1)?.finding, refusal: undefined };
  }

  /** The relay that holds the backend now, according to the lease. */
  async holderOf(backend: string): Promise<RelayMember | undefined> {
    const [row] = await this.db.query<{ owner: string }>(
      `SELECT l.owner FROM lease l JOIN backend b ON l.name = CONCAT('relay/backend/', b.id)
      WHERE b.name = ? AND l.expires_at > NOW(3)`,
      [backend],
    );
    return this.members.find((member) => member.up && member.owner === row?.owner);
  }
}

/** The input of `relayCall`; the key is also the CMP object's id. */
export function inputOf(backend: string, key: string, call: DeviceCall, more: JsonObject = {}): JsonObject {
  return {
    ...{ idempotencyKey: key, backend: { name: backend }, operation: call.operation, arguments: call.arguments },
    cmpObject: { namespace: 'trials', type: 'call', externalId: key },
    ...more,
  };
}

async function planOf({ servers, leaseTtlMs, settings }: ArenaOptions): Promise<RelayPlan> {
  const suffix = randomBytes(4).toString('hex');
  const connection = { ...servers.connection, database: `tidegate_${suffix}` };
  const admin = await createConnection(connectionOptions(servers.connection));
  try {
    await admin.query(`CREATE DATABASE \`${connection.database}\``);
  } finally {
    await admin.end();
  }
  await migrate(connection, ownersOf(['system', 'relay', 'worker'], subgraphRows));
  return {
    ...{ connection, redis: { path: servers.redisPath, prefix: `{${suffix}}` }, projectId: newUuid() },
    ...{ leaseTtlMs, settings },
    keys: { active: 'k1', keys: { k1: randomBytes(32).toString('base64') } },
  };
}
