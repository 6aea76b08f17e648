// The trial of the event stream under failures. In every round, writers have a long transaction, Redis is killed and flushed, sequencers
// are killed and paused, feeds are replaced and clients dropped, all at random. Each client's own log is the oracle.
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalContext } from '../tests/support/product/test-context.ts';
import { brokenInvariantsAt } from '../tests/support/stores/invariants.ts';
import type { TrialRun } from './define-trial.ts';
import { FailureTurns, flushRedis } from './events/failure-turns.ts';
import { Feeds } from './events/feeds.ts';
import { Reader } from './events/reader.ts';
import { Sequencers } from './events/sequencers.ts';
import { startTrialServers } from './events/servers.ts';
import { kinds, Writers } from './events/writers.ts';
import { seededRandom } from './random.ts';

interface EventTrialsOptions extends TrialRun {
  /** Number of events; default 10000. */
  readonly events?: number;
  /** Events per round; default 1000. */
  readonly perRound?: number;
  /** How long one transaction of each round stays open. Default 3000. */
  readonly holdMs?: number;
  readonly writers?: number;
  readonly readers?: number;
}

interface EventTrialsResult {
  readonly seed: number;
  readonly events: number;
  readonly gaps: number;
  readonly duplicates: number;
  readonly outOfOrder: number;
  /** Broken invariants of the tables. */
  readonly invariants: number;
  readonly readers: number;
  readonly resumptions: number;
  readonly redisKills: number;
  readonly redisFlushes: number;
  readonly sequencerKills: number;
  readonly sequencerPauses: number;
  readonly feedReplacements: number;
  /** The time from the acknowledged commit to a client that reads everything, including all failures. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const settleMs = 30_000;

export async function runEventTrials(options: EventTrialsOptions): Promise<EventTrialsResult> {
  const { seed, events = 10_000, perRound = 1_000, holdMs = 3_000, writers = 8, readers = 12 } = options;
  const random = seededRandom(seed);
  await using cleanup = new AsyncDisposableStack();
  const servers = await startTrialServers();
  cleanup.defer(() => servers.stop());
  const { connection, redisPath } = servers;
  const redis = { path: redisPath, prefix: 'trials' };

  const ground = new LocalContext({ connection, connectionLimit: writers + 2 }, { redis });
  cleanup.defer(() => ground.stop());
  const writing = new Writers({ ...ground, random, writers, holdMs });
  await writing.prepare();
  const sequencers = new Sequencers({ connection, redisPath });
  cleanup.defer(() => sequencers.stop());
  await sequencers.start();
  const feeds = new Feeds({ connection, redis, random });
  cleanup.defer(() => feeds.stop());
  await feeds.start();

  const beginning = await feeds.any().currentCursor();
  const clients = Array.from({ length: readers }, (_, index) => {
    const kind = index % 3 === 0 ? undefined : kinds[index % kinds.length];
    return new Reader({ kind, random, feed: () => feeds.any(), longestMs: 600 }, beginning);
  });
  for (const client of clients) client.start();

  let [redisKills, redisFlushes] = [0, 0];
  const failures = new FailureTurns(
    [
      () => servers.killRedis().then(() => (redisKills += 1)),
      () => flushRedis(redisPath).then(() => (redisFlushes += 1)),
      () => sequencers.kill(random),
      () => sequencers.pause(random, 1_500),
      () => feeds.replace(),
    ],
    { random, longestPauseMs: 300 },
  );
  cleanup.defer(() => failures.stop());
  failures.start();
  for (let written = 0; written < events && options.timeIsUp?.() !== true; written += perRound) {
    await writing.round(Math.min(perRound, events - written));
    options.progress?.(`${writing.written.length} of ${events} events written`);
  }
  await failures.finish();

  const complete = (client: Reader) => client.received >= writing.written.filter((event) => client.wants(event)).length;
  const deadlineMs = performance.now() + settleMs;
  while (!clients.every(complete) && performance.now() < deadlineMs) await sleep(20);
  // If there are repeated events, they arrive now.
  await sleep(300);
  for (const client of clients) await client.stop();

  const verdicts = clients.map((client) => client.judge(writing.written));
  const broken = await brokenInvariantsAt(connection, { onlyPlatform: true });
  for (const each of broken) options.progress?.(each);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const arrivals = clients[0]?.arrivals() ?? new Map<string, number>();
  const delaysMs = writing.written
    .map((event) => (arrivals.get(`${event.subjectId}/${event.version}`) ?? Number.NaN) - event.committedAtMs)
    .filter((delay) => !Number.isNaN(delay))
    .sort((a, b) => a - b);
  const at = (share: number) => Math.round((delaysMs[Math.floor(delaysMs.length * share)] ?? Number.NaN) * 10) / 10;
  return {
    seed,
    events: writing.written.length,
    gaps: sum(verdicts.map((each) => each.gaps)),
    duplicates: sum(verdicts.map((each) => each.duplicates)),
    outOfOrder: sum(verdicts.map((each) => each.outOfOrder)),
    invariants: broken.length,
    readers,
    resumptions: sum(clients.map((client) => client.resumptions)),
    redisKills,
    redisFlushes,
    sequencerKills: sequencers.kills,
    sequencerPauses: sequencers.pauses,
    feedReplacements: feeds.replacements,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}
