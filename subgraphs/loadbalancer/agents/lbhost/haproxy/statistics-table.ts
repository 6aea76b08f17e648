// Makes a node's statistics report from the rows of `show stat`. It remembers since when the words of a check are the same, which HAProxy
// does not show.
import {
  mostServers,
  type ReportedPool,
  type ReportedServer,
  type StatisticsReport,
} from '../../../wire/statistics-report.ts';
import { plainWords } from './check-words.ts';
import {
  infoOf,
  isListenerRow,
  isMemberRow,
  isPoolRow,
  latencyOf,
  numberOf,
  type StatRow,
  textOf,
} from './show-stat.ts';

export interface StatisticsSource {
  readonly atMs: number;
  /** Answer of `show info`. */
  readonly info: string;
  readonly rows: readonly StatRow[];
}

const uuidLength = 36;

export class StatisticsTable {
  readonly #node: string;
  /** By server: the words of its last check, and since when they are the same. */
  #checks = new Map<string, { readonly words: string; readonly sinceMs: number }>();

  constructor(node: string) {
    this.#node = node;
  }

  read({ atMs, info, rows }: StatisticsSource): StatisticsReport {
    const servers = rows.filter(isMemberRow);
    const known = this.#checks;
    this.#checks = new Map();
    const found = servers.map((row) => this.#server(row, atMs, known));
    return {
      ...{ node: this.#node, at: atMs },
      countedSince: Number(infoOf(info, 'Start_time_sec')) * 1_000 || atMs,
      listeners: rows.filter(isListenerRow).map((row) => ({
        ...commonOf(row, textOf(row, 'pxname').slice(2)),
        ...(textOf(row, 'mode') === 'http' ? requestsOf(row) : {}),
        ...{ requestErrors: numberOf(row, 'ereq'), denied: numberOf(row, 'dreq') },
        serverErrors: numberOf(row, 'hrsp_5xx'),
      })),
      pools: rows.filter(isPoolRow).map(poolOf),
      servers: found.slice(0, mostServers),
      leftOut: Math.max(0, found.length - mostServers),
    };
  }

  #server(row: StatRow, atMs: number, known: ReadonlyMap<string, { words: string; sinceMs: number }>): ReportedServer {
    const key = `${textOf(row, 'pxname')}/${textOf(row, 'svname')}`;
    const [code, message] = [textOf(row, 'check_status').replace(/^\* /, ''), checkWordsOf(row)];
    const words = `${code} ${message}`;
    const before = known.get(key);
    const sinceMs = before?.words === words ? before.sinceMs : atMs;
    if (code !== '') this.#checks.set(key, { words, sinceMs });
    const changed = textOf(row, 'lastchg');
    return {
      ...commonOf(row, textOf(row, 'svname').slice(2, 2 + uuidLength)),
      ...towardsMembers(row),
      pool: textOf(row, 'pxname').slice(2),
      address: textOf(row, 'addr').slice(0, 64),
      status: textOf(row, 'status').slice(0, 32),
      changedAt: changed === '' ? null : atMs - Number(changed) * 1_000,
      weight: numberOf(row, 'weight'),
      check:
        code === ''
          ? null
          : {
              ...{ code: code.slice(0, 16), message, since: sinceMs, failures: numberOf(row, 'chkfail') },
              durationMs: textOf(row, 'check_duration') === '' ? null : numberOf(row, 'check_duration'),
            },
      falls: numberOf(row, 'chkdown'),
    };
  }
}

function poolOf(row: StatRow): ReportedPool {
  return {
    ...commonOf(row, textOf(row, 'pxname').slice(2)),
    ...towardsMembers(row),
    usableMembers: numberOf(row, 'act') + numberOf(row, 'bck'),
  };
}

function commonOf(row: StatRow, id: string) {
  return {
    ...{ id, open: numberOf(row, 'scur'), mostOpen: numberOf(row, 'smax'), limit: numberOf(row, 'slim') },
    ...{ rate: numberOf(row, 'rate'), mostRate: numberOf(row, 'rate_max'), requests: numberOf(row, 'stot') },
    ...{ bytesIn: numberOf(row, 'bin'), bytesOut: numberOf(row, 'bout') },
  };
}

/** An HTTP session has several requests. */
function requestsOf(row: StatRow) {
  return {
    rate: numberOf(row, 'req_rate'),
    mostRate: numberOf(row, 'req_rate_max'),
    requests: numberOf(row, 'req_tot'),
  };
}

function towardsMembers(row: StatRow) {
  return {
    ...{ connectErrors: numberOf(row, 'econ'), answerErrors: numberOf(row, 'eresp') },
    serverErrors: numberOf(row, 'hrsp_5xx'),
    ...{ retries: numberOf(row, 'wretr'), redispatches: numberOf(row, 'wredis') },
    ...{ waiting: numberOf(row, 'qcur'), mostWaiting: numberOf(row, 'qmax') },
    latencyMs: numberOf(row, 'stot') === 0 ? null : latencyOf(row),
  };
}

function checkWordsOf(row: StatRow): string {
  const [reason = '', code, info] = ['check_desc', 'check_code', 'last_chk'].map((column) => textOf(row, column));
  return plainWords(reason, code || undefined, info || undefined);
}
