// How long no write is acknowledged after the loss of the primary, compared with Galera with two data nodes and garbd under the same
// client; requests through the virtual address during planned switchovers; and a promotion with a million events.
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killQuietly } from '../embedded/server-process.ts';
import { monotonicMs } from '../ha/agent/clock.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { median, rounded } from '../measure/statistics.ts';
import { TrialClient } from '../trials/ha/client.ts';
import { GaleraSystem } from '../trials/ha/galera.ts';
import { type DataHost, HaNetwork } from '../trials/ha/network.ts';
import { type Pair, until } from '../trials/ha/pair.ts';
import { HaSystem } from '../trials/ha/system.ts';
import { gapMs, ratio, secondsOf } from './ha/figures.ts';
import { addEvents, promotions } from './ha/promotions.ts';
import { switchovers } from './ha/switchovers.ts';

const counts = {
  rounds: { help: 'kills and unplugs of each engine, by turns', usual: 6 },
  requests: { help: 'through the virtual address during switchovers', usual: 20_000 },
  promotions: { help: 'with no events, and as many with them', usual: 5 },
  events: { help: 'rows of status_change', usual: 1_000_000 },
  leaseMs: { help: 'of the lease: whole seconds', usual: 3_000 },
};

export const benchHa = defineBench({ counts, run });

const wholeMs = 90_000;
const warmMs = 1_500;
const unpluggedMs = 8_000;
const afterMs = 1_500;
const ledMs = 5_000;

type Engine = 'lease' | 'galera';
type Loss = 'kill' | 'unplug';

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { counts: wanted, progress, signal } = context;
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-bench-ha-'));
  await chmod(folder, 0o711);
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const place = async (engine: Engine) => {
    const own = join(folder, engine);
    await mkdir(own, { mode: 0o711 });
    const network = await HaNetwork.layOut(`${process.pid}${engine[0]}`);
    stack.defer(() => network.remove());
    return { network, options: { folder: own, leaseMs: wanted.leaseMs, skewed: false, isMigrated: true, signal } };
  };
  const [ours, theirs] = [await place('lease'), await place('galera')];
  const lease = await HaSystem.start(ours.network, ours.options);
  stack.defer(() => lease.stop());
  const galera = await GaleraSystem.start(theirs.network, theirs.options);
  stack.defer(() => galera.stop());
  const gaps: Record<Engine, Record<Loss, number[]>> = {
    lease: { kill: [], unplug: [] },
    galera: { kill: [], unplug: [] },
  };
  // By whether the leader of etcd was on that host before.
  const ledThere: Record<'there' | 'elsewhere', number[]> = { there: [], elsewhere: [] };
  for (let round = 0; round < wanted.rounds; round += 1)
    for (const loss of ['kill', 'unplug'] as const)
      for (const engine of round % 2 === 0 ? (['lease', 'galera'] as const) : (['galera', 'lease'] as const)) {
        const isLedThere = engine === 'lease' && loss === 'unplug' && round % 2 === 1;
        const gap = await gapOf(engine === 'lease' ? lease : galera, loss, isLedThere ? lease : undefined, signal);
        gaps[engine][loss].push(gap);
        if (engine === 'lease' && loss === 'unplug') ledThere[isLedThere ? 'there' : 'elsewhere'].push(gap);
        progress(`${engine}, ${loss}${isLedThere ? ', etcd led from there before' : ''}: ${Math.round(gap)} ms`);
      }
  await galera.stop();
  const planned = await switchovers(lease, wanted.requests, signal);
  progress(JSON.stringify(planned));
  const small = await promotions(lease, wanted.promotions, signal);
  await addEvents(lease, wanted.events, signal);
  const big = await promotions(lease, wanted.promotions, signal);
  const unplugMs = Math.max(
    ...Object.values(ledThere)
      .filter((each) => each.length > 0)
      .map(median),
  );
  return {
    figures: {
      killToGalera: ratio(gaps.lease.kill, gaps.galera.kill),
      unplugToGalera: ratio(gaps.lease.unplug, gaps.galera.unplug),
      unplugToLease: rounded(unplugMs / wanted.leaseMs, 2),
      ...{ switchoverRequests: planned.requests, switchoverFailed: planned.failed },
      promoteBigToSmall: ratio(big, small),
      seconds: {
        ...{ kill: secondsOf(gaps.lease.kill), galeraKill: secondsOf(gaps.galera.kill) },
        ...{ unplug: secondsOf(gaps.lease.unplug), galeraUnplug: secondsOf(gaps.galera.unplug) },
        ...{ unplugEtcdLedThere: secondsOf(ledThere.there), unplugEtcdLedElsewhere: secondsOf(ledThere.elsewhere) },
        ...{ promoteSmall: secondsOf(small), promoteBig: secondsOf(big) },
      },
      planned,
      machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
    },
    faults: [
      ...(planned.failed > 0
        ? [`${planned.failed} requests failed during switchovers: ${planned.why.join('; ')}`]
        : []),
      ...(planned.lost > 0 ? [`${planned.lost} answered writes are missing after switchovers`] : []),
    ],
  };
}

/** With one client that has been writing for some time. The host that accepted the last write is lost. */
async function gapOf(system: Pair, loss: Loss, ledFrom: HaSystem | undefined, signal: AbortSignal): Promise<number> {
  const isWhole = async () => (await system.state())?.isWhole === true;
  await until('whole', wholeMs, isWhole, signal);
  // Applies changes that a copy received while it was away. Otherwise the promotion would include leftovers of an earlier loss.
  if (system instanceof HaSystem) await allIsApplied(system);
  const client = new TrialClient(system, 1, system instanceof GaleraSystem ? 'galera' : 'semi-sync');
  try {
    await until('it is acknowledged', wholeMs, async () => client.told.length > 0, signal);
    await sleep(warmMs, undefined, { signal });
    const writer = client.told.findLast(({ key }) => key.startsWith('w'))?.host as DataHost | undefined;
    if (writer === undefined) throw new Error('nothing was acknowledged');
    if (ledFrom !== undefined) {
      // The agent keeps the leadership away from the primary's host.
      await ledFrom.leadEtcdFrom(writer);
      await sleep(ledMs, undefined, { signal });
    }
    const fromMs = monotonicMs();
    if (loss === 'kill') killQuietly((await system.pid(writer, 'mariadbd')) ?? 0, 'SIGKILL');
    else {
      await system.network.unplug(writer);
      await sleep(unpluggedMs, undefined, { signal }).finally(() => system.network.plug(writer));
    }
    await sleep(afterMs, undefined, { signal });
    // The return is included, because Galera's other node may stop again for it.
    await until('whole again', wholeMs, isWhole, signal);
    return gapMs(client.told, fromMs);
  } finally {
    await client.end();
  }
}

async function allIsApplied(system: HaSystem): Promise<void> {
  const primary = (await system.state())?.primary ?? 'a';
  if (!(await system.hasCaughtUp(primary === 'a' ? 'b' : 'a', primary, wholeMs)))
    throw new Error('the copy has not caught up');
}
