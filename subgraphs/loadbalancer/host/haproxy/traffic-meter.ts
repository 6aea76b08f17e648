// A node's figures from HAProxy's runtime socket (`show stat`, `show info`), as its host reports them. HAProxy's own counters begin again
// with each reload and each added server; these go on.
import { newUuid } from '../../../../platform/ids.ts';
import {
  type ListenerTraffic,
  type MemberTraffic,
  mostMembersInReport,
  type PoolTraffic,
  type TrafficReport,
} from '../../wanted/traffic-report.ts';
import type { RuntimeSocket } from './runtime-socket.ts';

export interface TrafficMeterOptions {
  /** UUID of the node. */
  readonly node: string;
  readonly runtime: RuntimeSocket;
  /** The master's socket, which knows earlier workers. */
  readonly master: RuntimeSocket;
}

/** A row of `show stat`. */
type Row = ReadonlyMap<string, string>;

/** Every so many reports all members are in one, changed or not. */
const allMembersEvery = 15;
const statuses = ['UP', 'DOWN', 'DRAIN', 'MAINT'] as const;

export class TrafficMeter {
  readonly #options: TrafficMeterOptions;
  readonly #count = newUuid();
  #worker = '';
  /** HAProxy's counters at the last look, and their sums over all workers; by object and counter. */
  #last = new Map<string, number>();
  readonly #totals = new Map<string, number>();
  /** The members as they were last reported. */
  readonly #reported = new Map<string, string>();
  #reports = 0;
  #from = 0;

  constructor(options: TrafficMeterOptions) {
    this.#options = options;
  }

  async read(now = Date.now()): Promise<TrafficReport> {
    const { node, runtime } = this.#options;
    const info = await runtime.ask('show info');
    const worker = infoOf(info, 'Pid');
    const rows = rowsOf(await runtime.ask('show stat -1 7 -1'));
    if (worker !== this.#worker) {
      this.#last.clear();
      this.#worker = worker;
    }
    const listeners = rows.filter(isListener).map((row) => this.#listener(row));
    const pools = this.#pools(rows.filter(isPool));
    const members = this.#members(rows.filter(isMember));
    const sum = (field: 'requests' | 'errors' | 'bytesIn' | 'bytesOut' | 'open') =>
      listeners.reduce((total, each) => total + each[field], 0);
    return {
      ...{ node, count: this.#count, at: now, finishing: await this.#finishing() },
      ...{ open: sum('open'), mostOpen: Number(infoOf(info, 'Maxconn')) },
      idlePercent: Number(infoOf(info, 'Idle_pct')),
      ...{ requests: sum('requests'), errors: sum('errors'), bytesIn: sum('bytesIn'), bytesOut: sum('bytesOut') },
      ...{ listeners, pools, members: this.#changed(members) },
    };
  }

  #listener(row: Row): ListenerTraffic {
    const name = text(row, 'pxname');
    const count = (column: string) => this.#counted(name, row, column);
    const isHttp = text(row, 'mode') === 'http';
    const connections = count(text(row, 'conn_tot') === '' ? 'stot' : 'conn_tot');
    const answers = answersOf(count);
    return {
      ...{ id: name.slice(2), connections, requests: isHttp ? count('req_tot') : connections },
      ...{ errors: count('ereq') + answers['5xx'], bytesIn: count('bin'), bytesOut: count('bout'), answers },
      ...{ open: number(row, 'scur'), mostOpen: number(row, 'slim') },
    };
  }

  /** A pool that fails open has two backends. */
  #pools(rows: readonly Row[]): PoolTraffic[] {
    const byPool = Map.groupBy(rows, (row) => text(row, 'pxname').slice(2));
    return [...byPool].map(([id, own]) => {
      const count = (column: string) => sumOf(own, (row) => this.#counted(text(row, 'pxname'), row, column));
      return {
        ...{ id, requests: count('stot'), errors: count('econ') + count('eresp') + count('hrsp_5xx') },
        waiting: sumOf(own, (row) => number(row, 'qcur')),
        usableMembers: sumOf(own.slice(0, 1), (row) => number(row, 'act') + number(row, 'bck')),
        latencyMs: meanOf(own, 'ttime'),
      };
    });
  }

  /** A member that is named by host has a server for each address. */
  #members(rows: readonly Row[]): MemberTraffic[] {
    const byMember = Map.groupBy(rows, (row) => text(row, 'svname').slice(2, 38));
    return [...byMember].map(([id, own]) => {
      const key = (row: Row) => `${text(row, 'pxname')}/${text(row, 'svname')}`;
      const count = (column: string) => sumOf(own, (row) => this.#counted(key(row), row, column));
      const checked = own.filter((row) => text(row, 'pxname').startsWith('p_'));
      return {
        ...{ id, requests: count('stot'), errors: count('econ') + count('eresp') + count('hrsp_5xx') },
        ...{ bytesIn: count('bin'), bytesOut: count('bout'), open: sumOf(own, (row) => number(row, 'scur')) },
        ...{ connectMs: meanOf(own, 'ctime'), firstByteMs: meanOf(own, 'rtime'), latencyMs: meanOf(own, 'ttime') },
        status: statusOf(checked),
      };
    });
  }

  #changed(members: readonly MemberTraffic[]): MemberTraffic[] {
    const all = this.#reports % allMembersEvery === 0;
    this.#reports += 1;
    const ids = new Set(members.map(({ id }) => id));
    for (const id of this.#reported.keys()) if (!ids.has(id)) this.#reported.delete(id);
    const changed = members.filter((member) => all || this.#reported.get(member.id) !== JSON.stringify(member));
    // The next report begins where this one ends.
    const from = changed.length > mostMembersInReport ? this.#from % changed.length : 0;
    const some = [...changed.slice(from), ...changed.slice(0, from)].slice(0, mostMembersInReport);
    this.#from = from + some.length;
    for (const member of some) this.#reported.set(member.id, JSON.stringify(member));
    return some;
  }

  /** The sum of a counter over all workers. */
  #counted(object: string, row: Row, column: string): number {
    const key = `${object} ${column}`;
    const value = number(row, column);
    const last = this.#last.get(key) ?? 0;
    // A smaller one began again.
    const total = (this.#totals.get(key) ?? 0) + (value >= last ? value - last : value);
    this.#last.set(key, value);
    this.#totals.set(key, total);
    return total;
  }

  /** Earlier workers, which end with their last session. HAProxy 2.6 does not say how many sessions they have. */
  async #finishing(): Promise<number> {
    // Unlike a worker's, the master's socket stays open after a command.
    const answer = await this.#options.master.askMaster('show proc;quit');
    const [, earlier = ''] = answer.split('# old workers');
    return [...earlier.matchAll(/^\d+\s+worker/gm)].length;
  }
}

function answersOf(count: (column: string) => number): ListenerTraffic['answers'] {
  const of = (first: number) => count(`hrsp_${first}xx`);
  return { '1xx': of(1), '2xx': of(2), '3xx': of(3), '4xx': of(4), '5xx': of(5) };
}

/** A member with several addresses is up while one of them is. */
function statusOf(rows: readonly Row[]): MemberTraffic['status'] {
  const shown = rows.map((row) => statuses.find((each) => text(row, 'status').startsWith(each)) ?? 'UNCHECKED');
  return shown.find((each) => each === 'UP') ?? shown[0] ?? 'UNCHECKED';
}

function rowsOf(csv: string): Row[] {
  const [head = '', ...lines] = csv.split('\n');
  const columns = head.replace(/^# /, '').split(',');
  return lines
    .filter((line) => line !== '')
    .map((line) => new Map(line.split(',').map((cell, at) => [columns[at] ?? '', cell] as const)));
}

function isListener(row: Row): boolean {
  return text(row, 'type') === '0' && text(row, 'pxname').startsWith('l_');
}

function isPool(row: Row): boolean {
  return text(row, 'type') === '1' && /^[po]_/.test(text(row, 'pxname'));
}

function isMember(row: Row): boolean {
  return text(row, 'type') === '2' && text(row, 'svname').startsWith('m_');
}

function text(row: Row, column: string): string {
  return row.get(column) ?? '';
}

function number(row: Row, column: string): number {
  return Number(row.get(column) ?? 0) || 0;
}

function sumOf(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + of(row), 0);
}

/** Of those that had requests. */
function meanOf(rows: readonly Row[], column: string): number {
  const values = rows.map((row) => number(row, column)).filter((value) => value > 0);
  return values.length === 0 ? 0 : sumOf(rows, (row) => number(row, column)) / values.length;
}

function infoOf(info: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(info)?.[1] ?? '';
}
