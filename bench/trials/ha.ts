// `npm run trials -- ha`: two data hosts and a witness as network namespaces, one client, and a fault at a time; then what was
// acknowledged beside what every host holds. One JSON line.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../ha/agent/clock.ts';
import { ArgumentError } from '../arguments.ts';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { TrialClient } from './ha/client.ts';
import { faultKinds } from './ha/faults.ts';
import { GaleraSystem } from './ha/galera.ts';
import { type Acknowledgement, judge, overlapMs, type Row } from './ha/judge.ts';
import { type DataHost, HaNetwork } from './ha/network.ts';
import { type Pair, until } from './ha/pair.ts';
import { WritableSamples } from './ha/samples.ts';
import { database } from './ha/settings.ts';
import { HaSystem } from './ha/system.ts';
import { seededRandom } from './random.ts';

const counts = {
  trials: { help: 'faults', usual: 30, full: 300 },
  idleMs: { help: 'milliseconds without a fault, first: no failover', usual: 120_000, full: 600_000, least: 0 },
  leaseMs: { help: 'of the lease: whole seconds', usual: 3_000 },
  writers: { help: 'of the client', usual: 4 },
};

export const trialHa = defineBench({
  counts,
  options: {
    engine: 'semi-sync (the default) or galera: two data nodes and garbd',
    only: `faults, with commas: ${Object.keys(faultKinds).join(', ')}`,
    folder: 'keeps the logs there',
  },
  run,
});

/** From the end of a fault until both hosts are in sync again. */
const recoveryMs = 90_000;
const settleMs = 1_500;

interface Outcome {
  readonly fault: string;
  readonly gapMs: number;
  /** Writes that ended with neither an acknowledgement nor a refusal. */
  readonly unknown: number;
  readonly recoveredMs: number | undefined;
}

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, counts: wanted, options, timeIsUp, progress, signal } = context;
  const names = options.only?.split(',') ?? Object.keys(faultKinds);
  for (const name of names)
    if (faultKinds[name] === undefined) throw new ArgumentError(`--only: there is no '${name}'`);
  const { engine = 'semi-sync' } = options;
  if (!['semi-sync', 'galera'].includes(engine)) throw new ArgumentError(`--engine: there is no '${engine}'`);
  const random = seededRandom(seed);
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'tidegate-ha-')));
  await chmod(folder, 0o711);
  const network = await HaNetwork.layOut(String(process.pid));
  let system: Pair | undefined;
  try {
    system =
      engine === 'galera'
        ? await GaleraSystem.start(network, folder, signal)
        : await HaSystem.start(network, folder, wanted.leaseMs, signal);
    progress(`${engine}: both hosts are in sync; logs in ${folder}`);
    return await runTrials(system);
  } finally {
    if (system === undefined) await network.remove();
    await system?.stop();
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  }

  async function runTrials(ha: Pair): Promise<BenchResult<keyof typeof counts>> {
    const client = new TrialClient(ha, wanted.writers, engine === 'galera');
    const samples = new WritableSamples(ha);
    const outcomes: Outcome[] = [];
    const faults: string[] = [];
    await sleep(settleMs);
    const before = await ha.state();
    await sleep(wanted.idleMs, undefined, { signal });
    const falseFailovers = ((await ha.state())?.epoch ?? 0) - (before?.epoch ?? 0);
    if (falseFailovers !== 0) faults.push(`${falseFailovers} failovers without a fault`);
    for (let at = 0; at < wanted.trials && !timeIsUp() && !signal.aborted; at += 1) {
      const name = names[at % names.length] ?? '';
      const fault = faultKinds[name]?.(random);
      const state = await ha.state();
      if (fault === undefined || state === undefined) break;
      const [from, unknownBefore] = [client.told.length, client.unknown];
      await fault.run(ha, state.primary, (ms) => sleep(ms, undefined, { signal }));
      const healedMs = monotonicMs();
      const isWhole = async () => {
        const now = await ha.state();
        const writes = client.told.slice(-50).some(({ key, sentMs }) => key.startsWith('w') && sentMs > healedMs);
        return now?.isWhole === true && writes;
      };
      await sleep(settleMs);
      const recovered = await until('whole again', recoveryMs, isWhole, signal).then(
        () => true,
        () => false,
      );
      const gapMs = longest(client.told.slice(Math.max(0, from - 1)));
      outcomes.push({
        fault: fault.name,
        gapMs,
        unknown: client.unknown - unknownBefore,
        recoveredMs: recovered ? Math.round(monotonicMs() - healedMs) : undefined,
      });
      progress(JSON.stringify(outcomes.at(-1)));
      if (!recovered) {
        faults.push(`not recovered after: ${fault.name}`);
        break;
      }
    }
    await client.end();
    await samples.end();
    await sleep(settleMs);
    const primary = (await ha.state())?.primary ?? 'a';
    let held: readonly ReadonlyMap<string, Row>[] = [];
    let repeated = 0;
    const readsAll = async () => {
      held = [await rowsOf(ha, primary), await rowsOf(ha, primary === 'a' ? 'b' : 'a')];
      repeated = await repeatedIn(ha, primary);
      return true;
    };
    await until('both hosts say what they hold', recoveryMs, readsAll, signal);
    const judgement = judge(client.told, held[0] ?? new Map(), held[1] ?? new Map());
    if (judgement.lost.length > 0) faults.push(`lost: ${judgement.lost.slice(0, 10).join(', ')}`);
    if (judgement.dualAcknowledged > 0) faults.push(`${judgement.dualAcknowledged} acknowledged on two hosts`);
    if (repeated > 0) faults.push(`${repeated} writes were done more than once`);
    faults.push(...client.faults);
    return {
      figures: {
        engine,
        ...{ trials: outcomes.length, acknowledged: judgement.acknowledged, lost: judgement.lost.length },
        ...{ repeated, dualAcknowledged: judgement.dualAcknowledged, falseFailovers },
        ...{ staleReads: client.staleReads, eventGaps: client.eventGaps },
        wrongReplication: judgement.wrongReplication,
        notRecovered: outcomes.filter(({ recoveredMs }) => recoveredMs === undefined).length,
        writableOverlapMs: overlapMs(samples.of),
        outcomes,
      },
      ran: { trials: outcomes.length },
      faults,
    };
  }
}

function longest(told: readonly Acknowledgement[]): number {
  const times = told.filter(({ key }) => key.startsWith('w')).map(({ answeredMs }) => answeredMs);
  return Math.round(times.slice(1).reduce((most, at, index) => Math.max(most, at - (times[index] ?? at)), 0));
}

async function rowsOf(ha: Pair, host: DataHost): Promise<ReadonlyMap<string, Row>> {
  const session = ha.sql(host);
  const rows = await session.query<{ id: string; epoch: number; server: number }[]>(
    `SELECT id, epoch, server FROM ${database}.ha_write`,
    [],
    60_000,
  );
  session.forget();
  return new Map(rows.map(({ id, epoch, server }) => [id, { epoch, server }]));
}

/** Writes with more than one event. */
async function repeatedIn(ha: Pair, host: DataHost): Promise<number> {
  const session = ha.sql(host);
  const sql = `SELECT COUNT(*) AS several FROM (SELECT id FROM ${database}.ha_event GROUP BY id HAVING COUNT(*) > 1) AS repeated`;
  const [row] = await session.query<{ several: number }[]>(sql, [], 60_000);
  session.forget();
  return row?.several ?? 0;
}
