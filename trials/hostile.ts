// `npm run trials -- hostile`: attacks a system of separate processes from all sides, determined by the seed, while ordinary users work
// with it. The attackers are people without a login, members of another project, an operator of the same project, and anyone who can reach
// the subgraphs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startWholeSystem, type WholeSystem } from '../measure/whole-system.ts';
import { brokenInvariantsAt } from '../tests/support/stores/invariants.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { Attackers } from './hostile/attackers.ts';
import { balancerUnderAttack } from './hostile/balancer-attacks.ts';
import { type Decoys, startDecoys } from './hostile/decoys.ts';
import { ordinaryWork } from './hostile/ordinary.ts';
import { watchEnvironment } from './hostile/slow-turns.ts';
import { Suspects } from './hostile/suspects.ts';
import { Judge } from './hostile/verdict.ts';
import { loggedIn, makeWorld, type World } from './hostile/world.ts';
import { seededRandom } from './random.ts';
import { folderOption } from './trial-options.ts';

interface HostileOptions extends TrialRun {
  /** Requests by attackers and by ordinary users. */
  readonly requests: number;
  readonly ordinary: number;
  /** Data folder with logs; it is not removed. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

interface HostileResult {
  readonly requests: number;
  /** Attacks on a load balancer by clients without a certificate. */
  readonly balancerAttacks: number;
  /** Answers with data that the caller may not see, secrets that reached a decoy, and changed data of alpha. */
  readonly leaks: number;
  /** Processes that ended. */
  readonly crashes: number;
  /** Kinds of refusal that block an event loop for more than 50 ms of CPU time even without other requests. */
  readonly slowRefusals: number;
  /** Answers INTERNAL, and errors in the logs. */
  readonly internal: number;
  readonly ordinary: number;
  readonly ordinaryFailed: number;
  /** The number of `requests` that were refused. */
  readonly refused: number;
  /** The number of answers by code. */
  readonly codes: Readonly<Record<string, number>>;
  readonly findings: readonly string[];
}

/** The number of attackers' requests to the graph for each attack on the load balancer. */
const requestsForOne = 10;
export const trialHostile = defineTrial({
  counts: {
    requests: { help: 'requests of attackers', usual: 20_000, full: 100_000 },
    ordinary: { help: 'requests of ordinary users, at least', usual: 1_000, full: 5_000 },
  },
  options: { folder: folderOption('the logs of all processes') },
  run: runHostileTrials,
  mustBeZero: ['leaks', 'crashes', 'slowRefusals', 'internal', 'ordinaryFailed'],
});

const watched = ['gateway', 'system', 'relay-1', 'relay-2', 'worker'];

export async function runHostileTrials(options: HostileOptions): Promise<HostileResult> {
  await using stack = new AsyncDisposableStack();
  const { folder, signal, progress = () => undefined } = options;
  const decoys = await startDecoys();
  stack.defer(() => decoys.stop());
  const system = await startWholeSystem({
    ...{ folder, signal, lab: true, gatewayApart: true },
    // Otherwise most documents would hit the same limit.
    settings: { 'egress.allow': decoys.allowed.host, 'graphql.refusedKibPerMinute': '1000000' },
    environment: (name) => watchEnvironment(folder, name),
  });
  stack.defer(() => system.stop());
  const world = await makeWorld(system, folder, decoys);
  stack.defer(() => world.close());
  progress('attacked from now on');

  const judge = new Judge(world);
  const suspects = new Suspects(folder, watched, judge);
  const attack = await Attackers.make(world, judge, suspects, seededRandom(options.seed));
  stack.defer(() => attack.close());
  const balancer = await balancerUnderAttack(judge, seededRandom(options.seed + 2));
  stack.defer(() => balancer.stop());
  const before = await world.untouchable();
  const ordinary = await ordinaryWork(world, seededRandom(options.seed + 1), judge);
  const isOver = () => signal.aborted || options.timeIsUp?.() === true;
  const attacks = attack.run(options.requests, isOver, progress);
  const [requests, ordinaryRequests, balancerAttacks] = await Promise.all([
    attacks,
    ordinary.run(options.ordinary, attacks),
    balancer.run(Math.ceil(options.requests / requestsForOne), isOver),
  ]);

  await balancer.prove();
  progress('judged');
  if ((await world.untouchable()) !== before) judge.found('leak', `alpha was changed: ${before}`);
  await judgeDecoys(world, decoys, judge);
  await suspects.confirm();
  await judgeProcesses(system, folder, judge);
  for (const broken of await brokenInvariantsAt(system.connection)) judge.found('internal', broken);
  const { counts, findings, refused, codes } = judge;
  return {
    ...{ requests, balancerAttacks, leaks: counts.leak, crashes: counts.crash, slowRefusals: counts.slowRefusal },
    ...{ internal: counts.internal, ordinary: ordinaryRequests, ordinaryFailed: counts.ordinaryFailed },
    ...{ refused, codes, findings },
  };
}

/**
 * A decoy without input proves nothing. So at the end the owner moves the prize, which is allowed, and the decoy must receive it.
 */
async function judgeDecoys(world: World, decoys: Decoys, judge: Judge): Promise<void> {
  if (decoys.denied.connections() > 0)
    judge.found('leak', `${decoys.denied.connections()} connections to where none may go`);
  if (decoys.allowed.heard().includes(world.secretMark)) judge.found('leak', 'a decoy received stored credentials');
  const { host, port, certificateSha256 } = decoys.allowed;
  const owner = await loggedIn(world, world.logins.owner, { address: '127.0.1.1', seesAlpha: true });
  const apiToken = `${world.secretMark}again`;
  const input = { id: world.prizeId, host, port, certificateSha256, credentials: { username: 'cmp', apiToken } };
  await owner.ask(
    'mutation ($input: BackendUpdateInput!) { backendUpdate(input: $input) { userErrors { message } } }',
    {
      input,
    },
  );
  const call = { backend: { id: world.prizeId }, operation: 'address.list', arguments: {} };
  await owner.ask('query ($input: RelayReadInput!) { relayRead(input: $input) { userErrors { message } } }', {
    input: call,
  });
  await owner.close();
  if (!decoys.allowed.heard().includes(apiToken)) throw new Error('the decoy receives nothing: it proves nothing');
}

async function judgeProcesses(system: WholeSystem, folder: string, judge: Judge): Promise<void> {
  for (const { name, lives } of system.parts)
    for (const life of lives.filter(({ endedAtMs }) => endedAtMs !== undefined))
      judge.found('crash', `${name} ended at ${new Date(life.endedAtMs ?? 0).toISOString()}`);
  for (const name of watched) {
    const lines = (await readFile(join(folder, `${name}.log`), 'utf8')).split('\n');
    for (const line of lines.filter((each) => /"level":(?:50|60)\b/.test(each)))
      judge.found('internal', `${name}: ${line}`);
  }
}
