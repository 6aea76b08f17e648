// Reads a node's figures from HAProxy's runtime socket (`show stat`, `show info`) for its host's reports. HAProxy's own counters restart
// with each reload and each added server; these figures continue. They also continue when this process ends and another adopts the worker:
// the sums of earlier counters are on disk, and change only when HAProxy's restart.
import { z } from 'zod';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { ownConnections } from '../../../rules/haproxy/tree.ts';
import {
  type ListenerTraffic,
  type MemberTraffic,
  meanLatencyMs,
  mostMembersInReport,
  type PoolTraffic,
  type TrafficReport,
} from '../../../wire/traffic-report.ts';
import type { WantedPart } from '../../../wire/wanted-node.ts';
import { readText, writePrivate } from '../node-files.ts';
import type { RuntimeSocket } from './runtime-socket.ts';
import {
  infoOf,
  isListenerRow,
  isMemberRow,
  isPoolRow,
  latencyOf,
  numberOf,
  type StatRow,
  statRowsOf,
  textOf,
} from './show-stat.ts';
import type { StatisticsSource } from './statistics-table.ts';

interface TrafficMeterOptions {
  /** UUID of the node. */
  readonly node: string;
  readonly runtime: RuntimeSocket;
  /** The master's socket, for finding earlier workers. */
  readonly master: RuntimeSocket;
  /** Identifies the current start of HAProxy: its process ids are the node's own, and so the same after each start. */
  readonly start: () => string;
  /** Path of the file with the saved sums. */
  readonly kept: string;
  /** Parts of the node. */
  readonly parts: () => readonly WantedPart[];
}

/** The saved sums: valid for one worker. */
const keptCount = z.object({
  worker: z.string(),
  count: z.uuid(),
  bases: z.array(z.tuple([z.string(), z.number().int()])),
});

/** Every this many reports, a report has all members, changed or not. */
const allMembersEvery = 15;
const nodeCounters = ['requests', 'errors', 'bytesIn', 'bytesOut'] as const;
type NodeCounter = (typeof nodeCounters)[number];
const statuses = ['UP', 'DOWN', 'DRAIN', 'MAINT'] as const;

export class TrafficMeter {
  readonly #options: TrafficMeterOptions;
  readonly #madeAt = Date.now();
  #count: string = newUuid();
  /** Start of HAProxy, process id and start time. */
  #worker = '';
  /** The sums of earlier counters, by object and counter. */
  #bases = new Map<string, number>();
  /** HAProxy's counters in the last poll, and in this one. */
  #last = new Map<string, number>();
  #now = new Map<string, number>();
  #listeners: readonly ListenerTraffic[] = [];
  /** Counts from before this meter started are ignored. */
  #beginsAtNow = false;
  #isKept = false;
  /** Earlier workers in the last poll. At least one until known. */
  #finishing = 1;
  /** The last report of each member. */
  readonly #reported = new Map<string, string>();
  #reports = 0;
  #source: StatisticsSource | undefined;
  #from = 0;

  constructor(options: TrafficMeterOptions) {
    this.#options = options;
  }

  /** Rejects if HAProxy does not give all of its figures. */
  async read(now = Date.now()): Promise<TrafficReport> {
    const { node, runtime } = this.#options;
    // In one connection, because hundreds of nodes are polled each second.
    const { info, figures } = wholeAnswer(await runtime.ask('show stat -1 7 -1;show info'));
    const rows = statRowsOf(figures);
    this.#source = { atMs: now, info, rows };
    await this.#workerIs(info);
    this.#now = new Map();
    const pools = this.#pools(rows.filter(isPoolRow));
    const used = poolsByListener(this.#options.parts());
    const listeners = rows.filter(isListenerRow).map((row) => this.#listener(row, pools, used));
    const members = this.#members(rows.filter(isMemberRow));
    this.#forget(listeners);
    // Earlier workers appear only after a reload, which starts a new worker.
    if (this.#finishing > 0) this.#finishing = (await this.#options.master.earlierWorkers()).length;
    await this.#keep();
    const sum = (field: NodeCounter | 'open') => listeners.reduce((total, each) => total + each[field], 0);
    const counted = (field: NodeCounter) => sum(field) + (this.#bases.get(field) ?? 0);
    return {
      ...{ node, count: this.#count, at: now, finishing: this.#finishing },
      ...{ open: sum('open'), mostOpen: Math.max(0, Number(infoOf(info, 'Maxconn')) - ownConnections) },
      idlePercent: Number(infoOf(info, 'Idle_pct')),
      ...{ requests: counted('requests'), errors: counted('errors') },
      ...{ bytesIn: counted('bytesIn'), bytesOut: counted('bytesOut') },
      ...{ listeners, pools, members: this.#changed(members) },
    };
  }

  /** What the last figures were read from. */
  get source(): StatisticsSource | undefined {
    return this.#source;
  }

  /** Client sessions now, including those that earlier workers are finishing. */
  async sessions(): Promise<number> {
    const { runtime, master } = this.#options;
    const frontends = 'show stat -1 1 -1';
    let sum = sessionsIn(await runtime.ask(frontends));
    for (const worker of await this.#options.master.earlierWorkers())
      sum += sessionsIn(await master.askMaster(`@!${worker} ${frontends};quit`));
    return sum;
  }

  /** HAProxy's counters start at 0 with each worker. */
  async #workerIs(info: string): Promise<void> {
    const startedAt = Number(infoOf(info, 'Start_time_sec'));
    const worker = `${this.#options.start()} ${infoOf(info, 'Pid')} ${startedAt}`;
    this.#beginsAtNow = false;
    if (worker === this.#worker) return;
    this.#isKept = false;
    if (this.#worker === '') {
      const kept = keptIn(await readText(this.#options.kept));
      if (kept?.worker === worker) {
        [this.#count, this.#bases, this.#isKept] = [kept.count, new Map(kept.bases), true];
      } else this.#beginsAtNow = startedAt < Math.floor(this.#madeAt / 1_000);
    }
    for (const [key, value] of this.#last) this.#add(key, value);
    this.#last.clear();
    this.#worker = worker;
    this.#finishing = 1;
  }

  /** An object whose row has disappeared starts at 0 when it returns. The node's totals keep what was counted. */
  #forget(listeners: readonly ListenerTraffic[]): void {
    for (const gone of this.#listeners)
      if (!listeners.some(({ id }) => id === gone.id)) for (const field of nodeCounters) this.#add(field, gone[field]);
    for (const key of this.#bases.keys())
      if (!this.#now.has(key) && !nodeCounters.some((field) => field === key)) {
        this.#bases.delete(key);
        this.#isKept = false;
      }
    this.#listeners = listeners;
    this.#last = this.#now;
  }

  /** A full disk does not stop the figures: saving is tried again with the next ones. */
  async #keep(): Promise<void> {
    if (this.#isKept) return;
    const kept = { worker: this.#worker, count: this.#count, bases: [...this.#bases] };
    this.#isKept = await writePrivate(this.#options.kept, JSON.stringify(kept)).then(
      () => true,
      () => false,
    );
  }

  #add(key: string, value: number): void {
    if (value === 0) return;
    this.#bases.set(key, (this.#bases.get(key) ?? 0) + value);
    this.#isKept = false;
  }

  #listener(
    row: StatRow,
    pools: readonly PoolTraffic[],
    used: ReadonlyMap<string, ReadonlySet<string>>,
  ): ListenerTraffic {
    const name = textOf(row, 'pxname');
    const id = name.slice(2);
    const count = (column: string) => this.#counted(name, row, column);
    const isHttp = textOf(row, 'mode') === 'http';
    const connections = count(textOf(row, 'conn_tot') === '' ? 'stot' : 'conn_tot');
    const answers = answersOf(count);
    return {
      ...{ id, connections, requests: isHttp ? count('req_tot') : connections },
      ...{ errors: count('ereq') + answers['5xx'], bytesIn: count('bin'), bytesOut: count('bout'), answers },
      ...{ open: numberOf(row, 'scur'), mostOpen: numberOf(row, 'slim') },
      // HAProxy measures no request times per listener.
      latencyMs: meanLatencyMs(pools.filter((pool) => used.get(id)?.has(pool.id))),
    };
  }

  /** A pool that fails open has two backends. */
  #pools(rows: readonly StatRow[]): PoolTraffic[] {
    const byPool = Map.groupBy(rows, (row) => textOf(row, 'pxname').slice(2));
    return [...byPool].map(([id, own]) => {
      const count = (column: string) => sumOf(own, (row) => this.#counted(textOf(row, 'pxname'), row, column));
      return {
        ...{ id, requests: count('stot'), errors: count('econ') + count('eresp') + count('hrsp_5xx') },
        waiting: sumOf(own, (row) => numberOf(row, 'qcur')),
        usableMembers: sumOf(own.slice(0, 1), (row) => numberOf(row, 'act') + numberOf(row, 'bck')),
        latencyMs: meanLatency(own),
      };
    });
  }

  /** A member with a host name has one server per address. */
  #members(rows: readonly StatRow[]): MemberTraffic[] {
    const byMember = Map.groupBy(rows, (row) => textOf(row, 'svname').slice(2, 38));
    return [...byMember].map(([id, own]) => {
      const key = (row: StatRow) => `${textOf(row, 'pxname')}/${textOf(row, 'svname')}`;
      const count = (column: string) => sumOf(own, (row) => this.#counted(key(row), row, column));
      const checked = own.filter((row) => textOf(row, 'pxname').startsWith('p_'));
      return {
        ...{ id, requests: count('stot'), errors: count('econ') + count('eresp') + count('hrsp_5xx') },
        ...{ bytesIn: count('bin'), bytesOut: count('bout'), open: sumOf(own, (row) => numberOf(row, 'scur')) },
        ...{ latencyMs: meanLatency(own), status: statusOf(checked) },
      };
    });
  }

  #changed(members: readonly MemberTraffic[]): MemberTraffic[] {
    const all = this.#reports % allMembersEvery === 0;
    this.#reports += 1;
    const ids = new Set(members.map(({ id }) => id));
    for (const id of this.#reported.keys()) if (!ids.has(id)) this.#reported.delete(id);
    const changed = members.filter((member) => all || this.#reported.get(member.id) !== JSON.stringify(member));
    // The next report starts where this one ends.
    const from = changed.length > mostMembersInReport ? this.#from % changed.length : 0;
    const some = [...changed.slice(from), ...changed.slice(0, from)].slice(0, mostMembersInReport);
    this.#from = from + some.length;
    for (const member of some) this.#reported.set(member.id, JSON.stringify(member));
    return some;
  }

  /** The sum of a counter over all workers. */
  #counted(object: string, row: StatRow, column: string): number {
    const key = `${object} ${column}`;
    const value = numberOf(row, column);
    const last = this.#last.get(key) ?? 0;
    if (this.#beginsAtNow) this.#add(key, -value);
    // A smaller value means that the counter restarted.
    if (value < last) this.#add(key, last);
    this.#now.set(key, value);
    return value + (this.#bases.get(key) ?? 0);
  }
}

/**
 * A worker that ends, or that a reload replaces, may answer nothing, or only the beginning. Missing figures are not figures of 0: counters
 * would begin anew, and what was counted would count again with the next answer. So `show info` comes last, and must be whole.
 */
function wholeAnswer(answer: string): { readonly figures: string; readonly info: string } {
  const at = answer.search(/^Name: /m);
  const [figures, info] = [answer.slice(0, at), answer.slice(at)];
  const isWhole = at > 0 && ['Pid', 'Maxconn', 'Idle_pct', 'Start_time_sec'].every((name) => infoOf(info, name) !== '');
  if (!isWhole || !figures.startsWith('# pxname')) throw new Error('HAProxy did not give all of its figures');
  return { figures: figures.trimEnd(), info };
}

function keptIn(text: string | undefined): z.output<typeof keptCount> | undefined {
  try {
    return keptCount.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}

function answersOf(count: (column: string) => number): ListenerTraffic['answers'] {
  const of = (first: number) => count(`hrsp_${first}xx`);
  return { '1xx': of(1), '2xx': of(2), '3xx': of(3), '4xx': of(4), '5xx': of(5) };
}

/** A member with several addresses is up while one of them is. */
function statusOf(rows: readonly StatRow[]): MemberTraffic['status'] {
  const shown = rows.map((row) => statuses.find((each) => textOf(row, 'status').startsWith(each)) ?? 'UNCHECKED');
  return shown.find((each) => each === 'UP') ?? shown[0] ?? 'UNCHECKED';
}

function sumOf(rows: readonly StatRow[], of: (row: StatRow) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}

/** Throws if the text is not an answer: the worker may have ended. */
function sessionsIn(answer: string): number {
  if (!answer.startsWith('# pxname')) throw new Error(`HAProxy does not show its sessions: ${answer.slice(0, 200)}`);
  return sumOf(statRowsOf(answer).filter(isListenerRow), (row) => numberOf(row, 'scur'));
}

function meanLatency(rows: readonly StatRow[]): number {
  const times = rows.map(latencyOf);
  const known = times.filter((time) => time > 0);
  return known.length === 0 ? 0 : known.reduce((sum, time) => sum + time) / known.length;
}

function poolsByListener(parts: readonly WantedPart[]): ReadonlyMap<string, ReadonlySet<string>> {
  const used = new Map<string, Set<string>>();
  const use = (listener: string, pool: unknown) => {
    used.set(listener, (used.get(listener) ?? new Set()).add(String(pool)));
  };
  for (const { kind, id, parentId, spec } of parts) {
    if (kind === 'Listener') use(id, spec.defaultPool);
    if (kind === 'L7Policy') use(parentId, spec.redirectPool);
  }
  return used;
}
