// One relay as a separate process, to be paused and killed: only the relay subgraph, with its dependencies; its parent
// (relay-member.ts) calls it like a gateway would.
import { execute, parse } from 'graphql';
import { pino } from 'pino';
import { answerParent } from '../../measure/child.ts';
import type { Identity } from '../../platform/caller/identity.ts';
import type { DatabaseLocation } from '../../platform/database/database.ts';
import { readSubgraphSdl } from '../../platform/graph/sdl.ts';
import { newUuid } from '../../platform/values/ids.ts';
import type { RelaySettings } from '../../subgraphs/relay/control/settings.ts';
import { createRelaySubgraph, type RelaySubgraph } from '../../subgraphs/relay/relay.ts';
import { createTransport } from '../../subgraphs/relay/transports/factories.ts';
import { type ContextOptions, LocalContext } from '../../tests/support/product/test-context.ts';
import { FailingDatabase, type FailurePlan, failingTransports, PlannedFailure } from './moments.ts';

export interface RelayPlan {
  readonly connection: DatabaseLocation;
  readonly redis: NonNullable<ContextOptions['redis']>;
  readonly projectId: string;
  readonly leaseTtlMs: number;
  readonly settings: Partial<RelaySettings>;
  /** A key file's content: shared by all relays on one database. */
  readonly keys: NonNullable<ContextOptions['keys']>;
}

export type RelayOrder =
  | { readonly do: 'start'; readonly plan: RelayPlan }
  | { readonly do: 'run'; readonly text: string; readonly variables: Record<string, unknown> }
  | { readonly do: 'fail'; readonly plan: FailurePlan | undefined };

/** In the format of GraphQL over HTTP. */
export interface GraphAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

const connectionLimit = 8;
/** Many processes start at once, on a busy machine. */
const acquireTimeoutMs = 30_000;
const failure = new PlannedFailure();
let relay: RelaySubgraph | undefined;
let identity: Identity | undefined;

async function start(plan: RelayPlan): Promise<{ readonly owner: string }> {
  const log = pino({ level: process.env.TRIAL_LOG ?? 'silent' }, pino.destination(2));
  const db = new FailingDatabase({ connection: plan.connection, connectionLimit, acquireTimeoutMs }, failure);
  const ground = new LocalContext(db, { ...plan, log });
  const { owner } = ground;
  relay = createRelaySubgraph({
    sdl: readSubgraphSdl('relay'),
    ...ground,
    name: `relay-${owner.slice(-8)}`,
    transports: failingTransports(createTransport, failure),
    settings: plan.settings,
  });
  identity = {
    ...{ kind: 'token', id: newUuid(), name: 'trial', credentialId: newUuid(), admin: false },
    projects: { [plan.projectId]: 'OPERATOR' },
  };
  await ground.feed.start();
  await relay.start();
  return { owner };
}

async function run(text: string, variableValues: Record<string, unknown>): Promise<GraphAnswer> {
  if (relay === undefined || identity === undefined) throw new Error('the relay was not started');
  // Only an administrator may register one device several times.
  const who = text.includes('backendCreate') ? { ...identity, admin: true } : identity;
  const { data, errors } = await execute({
    ...{ schema: relay.schema, document: parse(text), variableValues },
    contextValue: { identity: who, requestId: newUuid(), loaders: new Map() },
  });
  failure.at('recorded', JSON.stringify(variableValues));
  return JSON.parse(JSON.stringify({ data, errors })) as GraphAnswer;
}

answerParent(async (order: RelayOrder): Promise<unknown> => {
  if (order.do === 'start') return start(order.plan);
  if (order.do === 'run') return run(order.text, order.variables);
  failure.plan = order.plan;
  return undefined;
});
