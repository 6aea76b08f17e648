// `npm run trials -- relay-unknown`: the trial of UNKNOWN: calls whose connections are dropped, relays that are killed at every moment of a
// call, relays that are stopped and resume late, and objects that are called again at the same time. No call is executed twice, no call
// that was never sent is UNKNOWN, every settled outcome agrees with the device's own log, and no late call brings back or removes an
// object.
// needs: system
import { join } from 'node:path';
import { openDataFolder } from '../embedded/data-folder.ts';
import { startMariadb } from '../embedded/mariadb.ts';
import { startRedis } from '../embedded/redis.ts';
import { silentLog } from '../embedded/setup-log.ts';
import { startLab } from '../lab/lab.ts';
import { startNeutron, usualCacheFolder } from '../lab/neutron.ts';
import { startRouters } from '../lab/routers/routers.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { type Random, seededRandom } from './random.ts';
import { type Again, runAgain } from './relay-unknown/again.ts';
import type { TrialServers } from './relay-unknown/arena.ts';
import type { TrialDevice } from './relay-unknown/devices/device.ts';
import { FortigateGroups } from './relay-unknown/devices/fortigate-groups.ts';
import { FortiGates } from './relay-unknown/devices/fortigates.ts';
import { FrrRouter } from './relay-unknown/devices/frr-router.ts';
import { FrrRoutes } from './relay-unknown/devices/frr-routes.ts';
import { NetconfServers } from './relay-unknown/devices/netconf-servers.ts';
import { NeutronSubnets } from './relay-unknown/devices/neutron-subnets.ts';
import { NftElements } from './relay-unknown/devices/nft-elements.ts';
import { NftFirewall } from './relay-unknown/devices/nft-firewall.ts';
import { againKinds, type ObjectDevice } from './relay-unknown/devices/objects.ts';
import { SfcGroups } from './relay-unknown/devices/sfc-groups.ts';
import { type Drops, dropKinds, runDrops } from './relay-unknown/drops.ts';
import { type Kills, runKillsLane } from './relay-unknown/kills.ts';
import { planStops, runStopsLane, type Stop, type Stops } from './relay-unknown/stops.ts';
import { type SummedVerdict, spread, sumRecords, sumVerdicts } from './relay-unknown/sums.ts';
import { folderOption, someOf, wholeNumber } from './trial-options.ts';

const parts = ['drops', 'kills', 'stops', 'again'] as const;
type Part = (typeof parts)[number];
const wires = ['ssh', 'https', 'vtysh', 'netconf', 'sfc'] as const;
/** The lab's nft firewall, simulated FortiGates, one of the lab's routers, real NETCONF servers, or the lab's Neutron with networking-sfc. */
type Wire = (typeof wires)[number];

export interface RelayUnknownOptions extends TrialRun {
  readonly parts: readonly Part[];
  readonly wires: readonly Wire[];
  /** The number of each kind, on each protocol. */
  readonly drops: number;
  /** The number on all protocols together; also for `stops`. */
  readonly kills: number;
  readonly stops: readonly Stop[];
  /** Of each kind, on all wires together. */
  readonly again: number;
  /** Trials at once: calls for drops, pairs of relays for kills and stops, backends of each device for again. */
  readonly lanes: Readonly<Record<Part, number>>;
  /** All parts at once, and drops on all wires, instead of one after the other. */
  readonly atOnce?: boolean;
  /** Data folder; it is not removed. */
  readonly folder: string;
  readonly labFolder?: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

type Figures = Readonly<Record<string, unknown>>;

interface RelayUnknownResult extends SummedVerdict {
  readonly seed: number;
  readonly trials: number;
  readonly unexpected: number;
  /** By part, and for drops by wire. */
  readonly drops: Partial<Record<Wire, Figures>>;
  readonly kills: Figures | undefined;
  readonly stops: Figures | undefined;
  readonly again: Figures | undefined;
  readonly seconds: number;
  /** The numbers that actually ran: of `drops` (of each kind, on the wire with fewest), `kills`, `stops` and `again` (of the rarest kind). */
  readonly ran: Readonly<Record<Part, number>>;
}

export const trialRelayUnknown = defineTrial({
  counts: {
    drops: { help: 'dropped calls of each kind on each wire', usual: 300, full: 1_000 },
    kills: { help: 'relays killed', usual: 80, full: 200 },
    stops: { help: 'relays stopped', usual: 30, full: 50 },
    again: { help: 'dropped calls of each kind on objects that are called again', usual: 200, full: 3_000 },
  },
  options: {
    parts: someOf('parts of the trial', parts),
    wires: someOf('wires to devices', wires),
    lanes: wholeNumber('backends of each device for the calls again', 16),
    folder: folderOption('the logs of all processes'),
  },
  run: ({ lanes, stops, ...given }) =>
    runRelayUnknown({
      ...given,
      lanes: { drops: 8, kills: 6, stops: 8, again: lanes },
      stops: planStops(stops, seededRandom(given.seed)),
    }),
  mustBeZero: [
    ...(['repeated', 'falseUnknown', 'settledWrong', 'unsettled', 'wrongMappings', 'resurrected'] as const),
    ...(['claimsLeft', 'invariants', 'sentTooLate', 'unexpected'] as const),
  ],
  ran: ({ ran }) => ran,
});

/** All results. After a failure, throws the first error once the others have ended too, because their common parts are removed after that. */
async function together<Results extends readonly unknown[]>(
  ending: AbortController,
  work: readonly [...{ [Index in keyof Results]: Promise<Results[Index]> }],
): Promise<Results> {
  for (const each of work) each.catch(() => ending.abort());
  await Promise.allSettled(work);
  return (await Promise.all(work)) as Results;
}

const never = (): boolean => false;

interface Stage {
  readonly ending: AbortController;
  readonly options: RelayUnknownOptions;
  readonly servers: TrialServers;
  readonly devices: readonly (readonly [Wire, TrialDevice])[];
  readonly objects: readonly ObjectDevice[];
}

/** Each relay has its own connections, and there are several pairs of relays. */
const databaseConnections = 400;
/** The time of a stop besides the stop itself: the stream before and after it, recovery and settling. */
const besidesMs = 6_000;

export async function runRelayUnknown(options: RelayUnknownOptions): Promise<RelayUnknownResult> {
  const startedMs = performance.now();
  await using stack = new AsyncDisposableStack();
  const servers = await startServers(options.folder, stack, options.signal);
  const { devices, objects } = await startDevices(options, stack);
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  const stage: Stage = { ending, options: { ...options, signal }, servers, devices, objects };
  const chosen = (part: Part): boolean => options.parts.includes(part);
  const work = {
    drops: async () => (chosen('drops') ? await runAllDrops(stage) : {}),
    kills: async () => (chosen('kills') ? await runKills(stage) : []),
    stops: async () => (chosen('stops') ? await runStops(stage) : []),
    again: async () => (chosen('again') && objects.length > 0 ? await runAllAgain(stage) : []),
  };
  const [drops, kills, stops, again] = options.atOnce
    ? await together(ending, [work.drops(), work.kills(), work.stops(), work.again()])
    : [await work.drops(), await work.kills(), await work.stops(), await work.again()];
  const all = [...Object.values(drops), ...kills, ...stops, ...again];
  for (const { findings } of all) for (const finding of findings) options.progress(finding);
  return {
    seed: options.seed,
    trials: trialsOf(all),
    ...sumVerdicts(all),
    unexpected: all.reduce((sum, { unexpected }) => sum + unexpected, 0),
    drops: Object.fromEntries(Object.entries(drops).map(([wire, each]) => [wire, withoutFindings(each)])),
    kills: kills.length === 0 ? undefined : killFigures(kills),
    stops: stops.length === 0 ? undefined : stopFigures(stops),
    again: again[0] && withoutFindings(again[0]),
    seconds: Math.round((performance.now() - startedMs) / 1_000),
    ran: {
      ...{ drops: fewestDrops(drops), kills: trialsOf(kills), stops: trialsOf(stops) },
      again: Math.min(...againKinds.map((kind) => again[0]?.kinds[kind] ?? 0)),
    },
  };
}

function withoutFindings({ findings: _told, ...figures }: Drops | Again): Figures {
  return figures;
}

const trialsOf = (lanes: readonly { readonly trials: number }[]): number =>
  lanes.reduce((sum, { trials }) => sum + trials, 0);

function fewestDrops(drops: Partial<Record<Wire, Drops>>): number {
  const each = Object.values(drops).map(({ trials }) => Math.floor(trials / dropKinds.length));
  return each.length === 0 ? 0 : Math.min(...each);
}

async function startServers(path: string, stack: AsyncDisposableStack, signal: AbortSignal): Promise<TrialServers> {
  const folder = await openDataFolder(path, { version: 1 });
  stack.defer(() => folder.close());
  const extraArguments = [`--max-connections=${databaseConnections}`];
  const mariadb = await startMariadb({ folder, log: silentLog, extraArguments, signal });
  stack.defer(() => mariadb.stop());
  const redis = await startRedis({ folder, log: silentLog, signal });
  stack.defer(() => redis.stop());
  return { connection: mariadb.application, redisPath: redis.path };
}

async function startDevices(
  options: RelayUnknownOptions,
  stack: AsyncDisposableStack,
): Promise<Pick<Stage, 'devices' | 'objects'>> {
  const lanes = firstLane(options, 'stops') + options.lanes.stops;
  const devices: (readonly [Wire, TrialDevice])[] = [];
  const objects: ObjectDevice[] = [];
  const own = <Device extends { stop(): Promise<void> }>(device: Device): Device => {
    stack.defer(() => device.stop());
    return device;
  };
  if (options.wires.includes('ssh')) {
    const folder = options.labFolder ?? join(options.folder, 'lab');
    const lab = await startLab({ folder, log: silentLog, signal: options.signal });
    if (!lab.available) throw new Error(`there is no lab: ${lab.unavailable}`);
    stack.defer(() => lab.stop());
    const firewall = own(await NftFirewall.on(lab, lanes));
    devices.push(['ssh', firewall]);
    objects.push(await NftElements.on(firewall, options.lanes.again));
  }
  if (options.wires.includes('vtysh')) {
    const folder = join(options.labFolder ?? join(options.folder, 'lab'), 'routers');
    const routers = await startRouters({ folder, log: silentLog, signal: options.signal });
    if (!routers.available) throw new Error(`there are no routers: ${routers.unavailable}`);
    stack.defer(() => routers.stop());
    const router = own(await FrrRouter.on(routers.routers[0]));
    devices.push(['vtysh', router]);
    objects.push(new FrrRoutes(router, routers.routers[0]));
  }
  if (options.wires.includes('netconf')) {
    const folder = join(options.labFolder ?? join(options.folder, 'lab'), 'netconf');
    devices.push(['netconf', own(await NetconfServers.start({ folder, lanes, signal: options.signal }))]);
  }
  if (options.wires.includes('sfc')) {
    const folder = join(options.labFolder ?? join(options.folder, 'lab'), 'neutron');
    const { signal } = options;
    const neutron = await startNeutron({ folder, cacheFolder: usualCacheFolder(), log: silentLog, signal });
    if (!neutron.available) throw new Error(`there is no Neutron: ${neutron.unavailable}`);
    stack.defer(() => neutron.stop());
    devices.push(['sfc', own(await SfcGroups.on(neutron, lanes))]);
  }
  if (options.wires.includes('https')) {
    devices.push(['https', own(await FortiGates.start(lanes))]);
    const { again } = options.lanes;
    objects.push(own(await FortigateGroups.start(again)), own(await NeutronSubnets.start(again)));
  }
  return { devices, objects };
}

/** Each lane of a device belongs to one part, so calls of two parts never meet. */
function firstLane({ lanes }: RelayUnknownOptions, part: 'drops' | 'kills' | 'stops'): number {
  return { drops: 0, kills: lanes.drops, stops: lanes.drops + lanes.kills }[part];
}

/** The random choices of one lane or wire must not shift those of another. */
function randomOf({ seed }: RelayUnknownOptions, index: number): Random {
  return seededRandom(seed + index * 7_919);
}

/** The wires in turn. */
function deviceOfLane(devices: Stage['devices'], index: number): TrialDevice {
  const device = devices[index % devices.length]?.[1];
  if (device === undefined) throw new Error('there is no device');
  return device;
}

async function runAllDrops({ ending, options, servers, devices }: Stage): Promise<Partial<Record<Wire, Drops>>> {
  const { progress, signal, timeIsUp = never } = options;
  const onWire = ([, device]: Stage['devices'][number], index: number): Promise<Drops> => {
    const common = { servers, device, timeIsUp, progress, signal, random: randomOf(options, index) };
    return runDrops({ ...common, calls: options.drops, lanes: options.lanes.drops });
  };
  const drops: Drops[] = [];
  if (options.atOnce) drops.push(...(await together(ending, devices.map(onWire))));
  else for (const [index, device] of devices.entries()) drops.push(await onWire(device, index));
  return Object.fromEntries(devices.map(([wire], index) => [wire, drops[index]]));
}

function runKills({ ending, options, servers, devices }: Stage): Promise<Kills[]> {
  const { progress, signal, timeIsUp = never } = options;
  const lanes = Math.min(options.lanes.kills, options.kills);
  const share = (index: number) => Math.floor(options.kills / lanes) + (index < options.kills % lanes ? 1 : 0);
  return together(
    ending,
    Array.from({ length: lanes }, (_, index) => {
      const lane = firstLane(options, 'kills') + index;
      const common = { servers, lane, timeIsUp, progress, signal, random: randomOf(options, 100 + index) };
      return runKillsLane({ ...common, device: deviceOfLane(devices, index), trials: share(index) });
    }),
  );
}

function runStops({ ending, options, servers, devices }: Stage): Promise<Stops[]> {
  const { progress, signal, timeIsUp = never } = options;
  const lanes = Math.min(options.lanes.stops, options.stops.length);
  return together(
    ending,
    shares(options.stops, lanes).map((stops, index) => {
      const lane = firstLane(options, 'stops') + index;
      const common = { servers, lane, timeIsUp, progress, signal, random: randomOf(options, 200 + index) };
      return runStopsLane({ ...common, device: deviceOfLane(devices, index), stops });
    }),
  );
}

async function runAllAgain({ options, servers, objects }: Stage): Promise<Again[]> {
  const { progress, signal, timeIsUp = never, lanes, again } = options;
  const common = { servers, timeIsUp, progress, signal, random: randomOf(options, 300) };
  return [await runAgain({ ...common, devices: objects, calls: again, lanes: lanes.again })];
}

/** The longest first, each to the lane with the least work. */
function shares(stops: readonly Stop[], lanes: number): Stop[][] {
  const found = Array.from({ length: lanes }, (): Stop[] => []);
  const total = (lane: readonly Stop[]) => lane.reduce((sum, { durationMs }) => sum + durationMs + besidesMs, 0);
  for (const stop of stops.toSorted((a, b) => b.durationMs - a.durationMs))
    found.reduce((least, lane) => (total(lane) < total(least) ? lane : least)).push(stop);
  return found;
}

function killFigures(lanes: readonly Kills[]): Figures {
  const { findings: _told, ...summed } = sumVerdicts(lanes);
  return {
    ...summed,
    trials: trialsOf(lanes),
    kills: sumRecords(lanes.map(({ kills }) => kills)),
    missed: lanes.reduce((sum, { missed }) => sum + missed, 0),
    outcomes: sumRecords(lanes.map(({ outcomes }) => outcomes)),
    readyAgainMs: spread(lanes.flatMap(({ readyAgainMs }) => readyAgainMs)),
  };
}

function stopFigures(lanes: readonly Stops[]): Figures {
  const { findings: _told, ...summed } = sumVerdicts(lanes);
  return {
    ...summed,
    trials: trialsOf(lanes),
    atMoments: lanes.reduce((sum, { atMoments }) => sum + atMoments, 0),
    longestMs: Math.max(...lanes.map(({ longestMs }) => longestMs)),
    takenOverMs: spread(lanes.flatMap(({ takenOverMs }) => takenOverMs)),
    notTakenOver: lanes.reduce((sum, { notTakenOver }) => sum + notTakenOver, 0),
    crashes: lanes.reduce((sum, { crashes }) => sum + crashes, 0),
  };
}
