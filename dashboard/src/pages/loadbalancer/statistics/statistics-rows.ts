// The rows of HAProxy's table of one node: its listeners, then each pool with its members.
import type { LoadbalancerStatisticsQuery } from '../../../../../generated/dashboard/graphql.ts';
import { formatBytes, formatCount } from '../../../view/format.ts';

export type NodeStatistics = NonNullable<LoadbalancerStatisticsQuery['loadBalancer']>['nodes'][number];
export type Statistics = NonNullable<NodeStatistics['statistics']>;
type Server = Statistics['servers'][number];

export interface StatisticsRow {
  readonly key: string;
  readonly kind: 'listener' | 'pool' | 'member';
  readonly name: string;
  /** Null for what has none. */
  readonly status: { readonly word: string; readonly isDown: boolean; readonly since: string | null } | null;
  readonly sessions: string;
  readonly rate: string;
  readonly requests: string;
  readonly errors: string;
  readonly hasErrors: boolean;
  readonly retries: string;
  readonly queue: string;
  readonly bytes: string;
  readonly check: { readonly words: string; readonly since: string | null } | null;
}

/** Members without a pool are those of a pool that was deleted since. */
export function rowsOf({ listeners, pools, servers }: Statistics): readonly StatisticsRow[] {
  const byPool = Map.groupBy(servers, ({ poolMember }) => poolMember?.pool.id ?? '');
  const shown = new Set<string>();
  return [
    ...listeners.map((each, index): StatisticsRow => {
      const { listener, requestErrors, denied, serverErrors } = each;
      const name = listener === null ? 'a deleted listener' : `port ${listener.port} ${listener.name}`.trim();
      const errors = [Number(requestErrors), Number(serverErrors), Number(denied)];
      return {
        ...{ ...commonOf(each), key: `listener ${index}`, kind: 'listener', name, status: null, check: null },
        errors: listed([
          [errors[0], 'no requests'],
          [errors[1], 'answers 5xx'],
          [errors[2], 'refused'],
        ]),
        ...{ hasErrors: (errors[0] ?? 0) + (errors[1] ?? 0) > 0, retries: '', queue: '' },
      };
    }),
    ...pools.flatMap((each, index) => {
      const id = each.pool?.id ?? '';
      // A pool that fails open is there twice, its members once.
      const own = shown.has(id) ? [] : (byPool.get(id) ?? []);
      shown.add(id);
      const name = each.pool === null ? 'a deleted pool' : each.pool.name || `pool ${id.slice(-6)}`;
      const row: StatisticsRow = {
        ...{ ...commonOf(each), ...towardsMembers(each), key: `pool ${index}`, kind: 'pool', name, check: null },
        status: { word: `${each.usableMembers} usable`, isDown: each.usableMembers === 0, since: null },
      };
      return [row, ...own.map((server, at) => memberRow(server, `${index} ${at}`))];
    }),
    ...(byPool.get('') ?? []).filter(() => !shown.has('')).map((server, at) => memberRow(server, `gone ${at}`)),
  ];
}

function memberRow(server: Server, key: string): StatisticsRow {
  const { poolMember, address, status, statusSince, checkCode, checkMessage, checkSince, checkDurationMs } = server;
  const took = checkDurationMs === null ? '' : ` in ${checkDurationMs} ms`;
  return {
    ...{ ...commonOf(server), ...towardsMembers(server), key: `member ${key}`, kind: 'member' },
    name: poolMember === null ? `${address}, deleted` : poolMember.name || address,
    status: { word: status.toLowerCase(), isDown: status.startsWith('DOWN'), since: statusSince },
    check: checkCode === null ? null : { words: `${checkCode}${took}: ${checkMessage ?? ''}`, since: checkSince },
  };
}

interface Common {
  readonly sessions: number;
  readonly mostSessions: number;
  readonly sessionLimit: number | null;
  readonly rate: number;
  readonly mostRate: number;
  readonly requests: string;
  readonly bytesIn: string;
  readonly bytesOut: string;
}

function commonOf({ sessions, mostSessions, sessionLimit, rate, mostRate, requests, bytesIn, bytesOut }: Common) {
  return {
    sessions: `${sessions}${sessionLimit === null ? '' : ` of ${sessionLimit}`}, most ${mostSessions}`,
    rate: `${rate}/s, most ${mostRate}`,
    requests: formatCount(Number(requests)),
    bytes: `${formatBytes(Number(bytesIn))} in, ${formatBytes(Number(bytesOut))} out`,
  };
}

type Towards = Pick<
  Server,
  'connectErrors' | 'answerErrors' | 'serverErrors' | 'retries' | 'redispatches' | 'waiting' | 'mostWaiting'
>;

function towardsMembers(each: Towards) {
  const { connectErrors, answerErrors, serverErrors, retries, redispatches, waiting, mostWaiting } = each;
  const errors: readonly (readonly [number, string])[] = [
    [Number(connectErrors), 'no connection'],
    [Number(answerErrors), 'no answer'],
    [Number(serverErrors), 'answers 5xx'],
  ];
  return {
    ...{ errors: listed(errors), hasErrors: errors.some(([count]) => count > 0) },
    retries: listed([
      [Number(retries), 'retries'],
      [Number(redispatches), 'to another'],
    ]),
    queue: waiting === 0 && mostWaiting === 0 ? '0' : `${waiting}, most ${mostWaiting}`,
  };
}

/** `0`, or `3 no connection, 1 answers 5xx`. */
function listed(all: readonly (readonly [number | undefined, string])[]): string {
  const some = all.flatMap(([count = 0, what]) => (count === 0 ? [] : [`${formatCount(count)} ${what}`]));
  return some.length === 0 ? '0' : some.join(', ');
}
