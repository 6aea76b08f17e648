// A system of separate processes is attacked from all sides, determined by the seed, while ordinary users work with it: by people
// without a login, by members of another project, by an operator of the same project, and by anyone who can reach the subgraphs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brokenInvariantsAt } from '../../tests/support/invariants.ts';
import { startWholeSystem, type WholeSystem } from '../support/whole-system.ts';
import { Attackers } from './hostile/attackers.ts';
import { type Decoys, startDecoys } from './hostile/decoys.ts';
import { Judge } from './hostile/judge.ts';
import { ordinaryWork } from './hostile/ordinary.ts';
import { watchEnvironment } from './hostile/slow-turns.ts';
import { Suspects } from './hostile/suspects.ts';
import { loggedIn, makeWorld, type World } from './hostile/world.ts';
import { seededRandom } from './random.ts';

export interface HostileOptions {
  readonly seed: number;
  /** By attackers, and by ordinary users. */
  readonly requests: number;
  readonly ordinary: number;
  /** A data folder, for its logs; it stays. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly timeIsUp?: () => boolean;
  readonly progress?: (line: string) => void;
}

export interface HostileResult {
  readonly requests: number;
  /** Answers with data that the caller may not see; secrets that reached a decoy; changed data of alpha. */
  readonly leaks: number;
  /** Processes that ended. */
  readonly crashes: number;
  /** Kinds of refusal that block an event loop for more than 50 ms of CPU time, without other requests. */
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

const watched = ['gateway', 'system', 'relay-1', 'relay-2', 'worker'];

export async function runHostileTrials(options: HostileOptions): Promise<HostileResult> {
  await using stack = new AsyncDisposableStack();
  const { folder, signal, progress = () => undefined } = options;
  const decoys = await startDecoys();
  stack.defer(() => decoys.stop());
  const system = await startWholeSystem({
    ...{ folder, signal, lab: true, gatewayApart: true },
    // Otherwise most of the documents would hit the same limit.
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
  const before = await world.untouchable();
  const ordinary = await ordinaryWork(world, seededRandom(options.seed + 1), judge);
  const attacks = attack.run(options.requests, () => signal.aborted || options.timeIsUp?.() === true, progress);
  const [requests, ordinaryRequests] = await Promise.all([attacks, ordinary.run(options.ordinary, attacks)]);

  progress('judged');
  if ((await world.untouchable()) !== before) judge.found('leak', `alpha was changed: ${before}`);
  await judgeDecoys(world, decoys, judge);
  await suspects.confirm();
  await judgeProcesses(system, folder, judge);
  for (const broken of await brokenInvariantsAt(system.connection)) judge.found('internal', broken);
  const { counts, findings, refused, codes } = judge;
  return {
    ...{ requests, leaks: counts.leak, crashes: counts.crash, slowRefusals: counts.slowRefusal },
    ...{ internal: counts.internal, ordinary: ordinaryRequests, ordinaryFailed: counts.ordinaryFailed },
    ...{ refused, codes, findings },
  };
}

/**
 * A decoy without input proves nothing: at the end the owner moves the prize, which is allowed, and the decoy must receive it.
 */
async function judgeDecoys(world: World, decoys: Decoys, judge: Judge): Promise<void> {
  if (decoys.denied.connections() > 0)
    judge.found('leak', `${decoys.denied.connections()} connections to where none may go`);
  if (decoys.allowed.heard().includes(world.secretMark)) judge.found('leak', 'a decoy was told stored credentials');
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
  if (!decoys.allowed.heard().includes(apiToken)) throw new Error('the decoy hears nothing: it proves nothing');
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
