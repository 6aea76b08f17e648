// One relay as a process of its own, to be paused and killed: the relay subgraph alone, with all that it stands on, asked by
// its parent (relay-member.ts) as a gateway would.
import { execute, parse } from 'graphql';
import { pino } from 'pino';
import { Commits } from '../../../platform/commits.ts';
import type { DatabaseLocation } from '../../../platform/database/database.ts';
import { StatusFeed } from '../../../platform/events/feed.ts';
import { readSubgraphSdl } from '../../../platform/graph/sdl.ts';
import type { Identity } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import { Leases } from '../../../platform/leases.ts';
import { Mutations } from '../../../platform/mutation.ts';
import { Keyring } from '../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../platform/secrets/seal.ts';
import { createRedisWake } from '../../../platform/wake.ts';
import { createRelaySubgraph, type RelaySubgraph } from '../../../subgraphs/relay/relay.ts';
import type { RelaySettings } from '../../../subgraphs/relay/settings.ts';
import { createTransport } from '../../../subgraphs/relay/transports/factories.ts';
import { answerParent } from '../../support/child.ts';
import { FailingDatabase, type FailurePlan, failingTransports, PlannedFailure } from './moments.ts';

export interface RelayPlan {
  readonly connection: DatabaseLocation;
  readonly redisPath: string;
  readonly redisPrefix: string;
  readonly projectId: string;
  readonly leaseTtlMs: number;
  readonly settings: Partial<RelaySettings>;
  /** A key file's content: what all relays on one database share. */
  readonly keys: ConstructorParameters<typeof Keyring>[0];
}

export type RelayOrder =
  | { readonly do: 'start'; readonly plan: RelayPlan }
  | { readonly do: 'run'; readonly text: string; readonly variables: Record<string, unknown> }
  | { readonly do: 'fail'; readonly plan: FailurePlan | undefined };

/** As GraphQL over HTTP answers. */
export interface GraphAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

const connectionLimit = 8;
const failure = new PlannedFailure();
let relay: RelaySubgraph | undefined;
let identity: Identity | undefined;

async function start(plan: RelayPlan): Promise<{ readonly owner: string }> {
  const owner = newUuid();
  const log = pino({ level: process.env.TRIAL_LOG ?? 'silent' }, pino.destination(2));
  const keyring = new Keyring(plan.keys);
  const db = new FailingDatabase({ connection: plan.connection, connectionLimit }, failure);
  const wake = createRedisWake({ path: plan.redisPath }, { prefix: plan.redisPrefix, log });
  const leases = new Leases({ db, owner, log, ttlMs: plan.leaseTtlMs, renewMs: plan.leaseTtlMs / 3 });
  const feed = new StatusFeed({ db, wake, log });
  const commits = new Commits({ db, keyring, log });
  const mutations = new Mutations({ db, commits, log });
  relay = createRelaySubgraph({
    sdl: readSubgraphSdl('relay'),
    ...{ db, feed, wake, leases, commits, mutations, log, owner },
    sealer: createSealer(keyring),
    name: `relay-${owner.slice(-8)}`,
    transports: failingTransports(createTransport, failure),
    settings: plan.settings,
  });
  identity = {
    ...{ kind: 'token', id: newUuid(), name: 'trial', credentialId: newUuid(), admin: false },
    projects: { [plan.projectId]: 'OPERATOR' },
  };
  await feed.start();
  await relay.start();
  return { owner };
}

async function run(text: string, variableValues: Record<string, unknown>): Promise<GraphAnswer> {
  if (relay === undefined || identity === undefined) throw new Error('the relay was not started');
  const { data, errors } = await execute({
    ...{ schema: relay.schema, document: parse(text), variableValues },
    contextValue: { identity, requestId: newUuid(), loaders: new Map() },
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
