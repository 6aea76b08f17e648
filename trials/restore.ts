// `npm run trials -- restore`: the trial of restores: a backup, changes (including a call, a failure, a creation, a deletion and a
// revocation), and a restore of the backup, under processes that keep running or start afterwards. Each restore concerns one place: calls
// and access, names, load balancers, or object storage clusters. Devices, servers and readers are the oracle.
// needs: system
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { layOutTemplate } from '../tests/support/stores/database-template.ts';
import { TestServers } from '../tests/support/stores/servers.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { seededRandom } from './random.ts';
import { BalancersPlace } from './restore/balancers-place.ts';
import { ClustersPlace } from './restore/clusters-place.ts';
import { NamesPlace } from './restore/names-place.ts';
import type { Found, RestoredPlace } from './restore/place.ts';
import { RelayPlace } from './restore/relay-place.ts';
import { folderOption } from './trial-options.ts';

interface RestoreTrialsOptions extends TrialRun {
  /** Number of restores; the places in turn. */
  readonly trials: number;
  /** Most changes between a backup and its restore. */
  readonly changes: number;
  /** Folder of the memories outside the database. */
  readonly folder: string;
  /** Default: all. */
  readonly places?: readonly PlaceName[];
  /** False: calls and access have no guard, and the judge must notice the consequences. Default: true. */
  readonly guarded?: boolean;
}

interface RestoreTrialsResult {
  readonly seed: number;
  readonly trials: number;
  readonly changes: number;
  readonly repeatedCalls: number;
  /** Revoked tokens that work again. */
  readonly revived: number;
  /** Readers of events that continued as if nothing had happened. */
  readonly eventGaps: number;
  /** The longest time from the lossy timeline, or a later contact, until servers had the state of the database. */
  readonly staleAfterMs: number;
  /** Things that are active in the database and were not served in time. */
  readonly activeButNotServed: number;
  /** Two contents at one position, or things that are served and not in the database. */
  readonly diverged: number;
  /** The longest time from the end of the restore, or the start of a process after it, until the lossy timeline began. */
  readonly noticedAfterMs: number;
  readonly unnoticed: number;
}

const openers = {
  relay: RelayPlace.open,
  names: NamesPlace.open,
  balancers: BalancersPlace.open,
  clusters: ClustersPlace.open,
} as const;
type PlaceName = keyof typeof openers;
const placeNames = Object.keys(openers) as readonly PlaceName[];

const sums = [
  'changes',
  'unnoticed',
  'repeatedCalls',
  'revived',
  'eventGaps',
  'activeButNotServed',
  'diverged',
] as const;
const longest = ['noticedAfterMs', 'staleAfterMs'] as const;
type Figures = Record<(typeof sums)[number] | (typeof longest)[number], number>;

export const trialRestore = defineTrial({
  counts: {
    trials: { help: 'restores', usual: 50 },
    changes: { help: 'most changes between a backup and its restore', usual: 500 },
  },
  options: { folder: folderOption('the memories outside the database') },
  async run(given) {
    await using cleanup = new AsyncDisposableStack();
    const servers = cleanup.adopt(await TestServers.start(), (each) => each.stop());
    servers.publish(await layOutTemplate(servers));
    return await runRestoreTrials(given);
  },
  mustBeZero: ['repeatedCalls', 'revived', 'eventGaps', 'unnoticed', 'activeButNotServed', 'diverged'],
  ran: ({ trials }) => ({ trials }),
});

export async function runRestoreTrials(options: RestoreTrialsOptions): Promise<RestoreTrialsResult> {
  const { seed, progress, timeIsUp, places = placeNames, guarded = true } = options;
  const random = seededRandom(seed);
  const figures = Object.fromEntries([...sums, ...longest].map((name) => [name, 0])) as Figures;
  let trials = 0;
  for (const [at, name] of places.entries()) {
    const wanted = Math.floor((options.trials * (at + 1)) / places.length);
    await using cleanup = new AsyncDisposableStack();
    const folder = join(options.folder, name);
    await mkdir(folder, { recursive: true });
    const place: RestoredPlace = await openers[name](folder, guarded);
    cleanup.defer(() => place.stop());
    for (; trials < wanted && timeIsUp?.() !== true; trials += 1) {
      const found = await place.trial({ number: trials, random, most: options.changes });
      add(figures, found);
      progress?.(`${trials + 1} of ${options.trials}, ${name}: ${JSON.stringify(found)}`);
    }
  }
  return { seed, trials, ...figures };
}

function add(figures: Figures, found: Found): void {
  for (const name of sums) figures[name] += found[name] ?? 0;
  for (const name of longest) figures[name] = Math.max(figures[name], found[name] ?? 0);
}
