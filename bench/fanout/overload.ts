// How far an administrator's unfiltered stream falls behind while twice as many relayed calls are offered as the machine can carry.

import { AllInOneSystem } from '../../measure/all-in-one.ts';
import { closedLoop } from '../../measure/closed-loop.ts';
import { GraphClient, type MutationAnswer, notRefused } from '../../measure/graph-client.ts';
import { type CallData, CallMaker, checkSucceeded } from '../../measure/relay/calls.ts';
import { mostConcurrency, register, startDevice } from '../../measure/relay/devices.ts';
import { percentile, rounded } from '../../measure/statistics.ts';
import { seededRandom } from '../../trials/random.ts';
import { openLoop } from '../support/open-loop.ts';
import { BareClients } from './bare-clients.ts';

const backend = 'bench-ssh';
const warmUpMs = 2_000;
const boundMs = 5_000;
const offered = 2;
const mostUnderWay = 400;
const query = 'subscription { statusChanges { cursor change { id changedAt kind from to project { name } } } }';
const logIn =
  'mutation ($input: LoginInput!) { done: login(input: $input) { accessToken userErrors { code message } } }';

export async function streamUnderOverload(forSeconds: number, seed: number, signal: AbortSignal) {
  await using stack = new AsyncDisposableStack();
  const system = await AllInOneSystem.start(stack, { withLab: false });
  const { url, token, adminPassword } = system.started;
  const client = stack.adopt(new GraphClient(url, mostUnderWay), (each) => each.close());
  const ask = client.as(token);
  const { place } = await startDevice(stack, 'ssh');
  await register(ask, { name: backend, place, concurrency: mostConcurrency });
  const maker = new CallMaker('ssh', 12);
  const call = async (): Promise<void> =>
    checkSucceeded(await ask<CallData>(maker.document, { input: maker.input(backend) }));

  await closedLoop({ clients: mostConcurrency, forMs: warmUpMs }, call);
  const borne = await closedLoop({ clients: mostConcurrency, forMs: boundMs }, call);
  const borneCalls = (borne.latenciesMs.length * 1000) / borne.elapsedMs;
  signal.throwIfAborted();

  type Login = MutationAnswer & { readonly accessToken: string };
  const { done } = await client.ask<{ done: Login }>(logIn, { input: { name: 'admin', password: adminPassword } });
  const { accessToken } = notRefused(done);
  const follower = new BareClients(stack);
  const socketUrl = `${url.replace('http', 'ws')}/graphql`;
  await follower.start({
    url: socketUrl,
    query,
    sockets: [{ token: accessToken, subscriptions: [{}] }],
    timed: true,
  });
  const before = await eventsOf(system);
  const load = { perSecond: offered * borneCalls, forMs: forSeconds * 1000, random: seededRandom(seed), mostUnderWay };
  const { latenciesMs, failed, firstFailure } = await openLoop(load, call);
  const written = (await eventsOf(system)) - before;
  await follower.all(written);
  const { changes, agesMs } = await follower.tell();
  return {
    lagP99Ms: rounded(percentile(agesMs, 0.99), 0),
    lagP50Ms: rounded(percentile(agesMs, 0.5), 0),
    overloadMissed: written - changes,
    overloadEvents: changes,
    borneCallsPerSecond: rounded(borneCalls, 0),
    offeredCallsPerSecond: rounded(load.perSecond, 0),
    overloadCalls: latenciesMs.length,
    overloadRefused: failed,
    ...(firstFailure === undefined ? {} : { overloadFirstRefusal: firstFailure.slice(0, 200) }),
  };
}

async function eventsOf(system: AllInOneSystem): Promise<number> {
  return (await system.rows()).get('status_change') ?? 0;
}
