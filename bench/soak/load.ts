// The clients of a soak: they create objects on two devices and delete them again, list operations, change projects, open and close
// subscriptions, and log users in and out.
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { SystemStarted } from '../../measure/all-in-one-process.ts';
import { GraphClient, type MutationAnswer, notRefused } from '../../measure/graph-client.ts';
import { type CallData, CallMaker, checkSucceeded, type Wire, wires } from '../../measure/relay/calls.ts';
import { mostConcurrency, register, startDevice } from '../../measure/relay/devices.ts';
import type { Random } from '../../trials/random.ts';

export interface SoakLoad {
  /** A turn of one client. Throws if any step of it fails. */
  turn(): Promise<void>;
  /** Relayed calls so far. */
  readonly calls: number;
  close(): Promise<void>;
}

type Made = CallData & { readonly call: { readonly mapping: { readonly id: string } | null } };
type Turn = () => Promise<void>;

const openSubscriptions = 20;
const connections = 64;

export async function prepareLoad(
  stack: AsyncDisposableStack,
  { url, token, adminPassword }: SystemStarted,
  random: Random,
): Promise<SoakLoad> {
  const client = new GraphClient(url, connections);
  stack.defer(() => client.close());
  const ask = client.as(token);
  for (const wire of wires)
    await register(ask, {
      name: nameOf(wire),
      place: (await startDevice(stack, wire)).place,
      concurrency: mostConcurrency,
    });
  let calls = 0;
  const relay = wires.map((wire): Turn => {
    const maker = new CallMaker(wire, 11);
    const create = maker.document.replace('operation {', 'mapping { id } operation {');
    return async () => {
      const made = await ask<Made>(create, { input: maker.input(nameOf(wire)) });
      checkSucceeded(made);
      const mappingId = made.call.mapping?.id ?? '';
      checkSucceeded(
        await ask<CallData>(deleteObject, { input: { mappingId, idempotencyKey: `delete-${mappingId}` } }),
      );
      calls += 2;
    };
  });
  const list: Turn = async () => void (await ask(operations, {}));
  const [project] = (
    await ask<{ projects: { nodes: { id: string }[] } }>('{ projects(first: 1) { nodes { id } } }', {})
  ).projects.nodes;
  let changes = 0;
  const session: Turn = async () => {
    const login = await client.ask<{ done: Login }>(logIn, { input: { name: 'admin', password: adminPassword } });
    const { accessToken } = notRefused(login.done);
    changes += 1;
    const input = { id: project?.id, description: `change ${changes}` };
    notRefused((await client.ask<{ done: MutationAnswer }>(updateProject, { input }, accessToken)).done);
    notRefused((await client.ask<{ done: MutationAnswer }>(logOut, {}, accessToken)).done);
  };
  const subscriptions: (() => Promise<void>)[] = [];
  const subscribe: Turn = async () => {
    subscriptions.push(await openSubscription(url, token));
    if (subscriptions.length > openSubscriptions) await subscriptions.shift()?.();
  };
  for (let open = 0; open < openSubscriptions; open += 1) await subscribe();

  const weighted: readonly (readonly [weight: number, turn: Turn])[] = [
    ...relay.map((turn) => [40, turn] as const),
    [40, list],
    [8, subscribe],
    [2, session],
  ];
  const turns = weighted.flatMap(([weight, turn]) => Array.from({ length: weight }, () => turn));
  return {
    turn: () => random.pick(turns)(),
    get calls() {
      return calls;
    },
    async close() {
      for (const end of subscriptions.splice(0)) await end();
    },
  };
}

interface PacedLoad {
  readonly clients: number;
  /** Total rate. A client that is behind does not catch up: on a busy machine there are fewer turns. */
  readonly perSecond: number;
  readonly forMs: number;
}

export interface PacedFigures {
  readonly latenciesMs: readonly number[];
  /** The number of failures of each kind. */
  readonly failures: ReadonlyMap<string, number>;
  readonly elapsedMs: number;
}

/** Ends with the last turn that began within `forMs`. */
export async function paced({ clients, perSecond, forMs }: PacedLoad, turn: Turn): Promise<PacedFigures> {
  const latenciesMs: number[] = [];
  const failures = new Map<string, number>();
  const everyMs = (clients * 1000) / perSecond;
  const startMs = performance.now();
  const client = async (index: number): Promise<void> => {
    let dueMs = startMs + (index * everyMs) / clients;
    for (;;) {
      await sleep(Math.max(0, dueMs - performance.now()));
      const begunMs = performance.now();
      if (begunMs - startMs >= forMs) return;
      try {
        await turn();
        latenciesMs.push(performance.now() - begunMs);
      } catch (error) {
        const failure = error instanceof Error ? error.message : String(error);
        failures.set(failure, (failures.get(failure) ?? 0) + 1);
      }
      dueMs = Math.max(dueMs + everyMs, performance.now());
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  return { latenciesMs, failures, elapsedMs: performance.now() - startMs };
}

const nameOf = (wire: Wire): string => `soak-${wire}`;

type Login = MutationAnswer & { readonly accessToken: string };

const deleteObject = `mutation ($input: MappingObjectDeleteInput!) {
  call: mappingObjectDelete(input: $input) { operation { id state deviceError { code } } userErrors { code message } commit { token } }
}`;
const operations = '{ relayOperations(first: 20) { nodes { id state backend { name } cmpObject { externalId } } } }';
const logIn =
  'mutation ($input: LoginInput!) { done: login(input: $input) { accessToken userErrors { code message } } }';
const logOut = 'mutation { done: logout { userErrors { code message } } }';
const updateProject =
  'mutation ($input: ProjectUpdateInput!) { done: projectUpdate(input: $input) { userErrors { code message } } }';

/** Resolves once the first item has arrived, with a promise for the end. */
async function openSubscription(url: string, token: string): Promise<() => Promise<void>> {
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
  const first = Promise.withResolvers<void>();
  client.subscribe(
    { query: 'subscription { statusChanges { cursor change { id to } } }' },
    { next: () => first.resolve(), error: (fault) => first.reject(fault), complete: () => undefined },
  );
  await first.promise;
  return async () => {
    await client.dispose();
  };
}
