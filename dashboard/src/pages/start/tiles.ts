// What the start page says of each domain: its state in a few words, and what needs attention, since when and why. The graph's `attention` says
// that; here it only gets its words, tone and links.
import type {
  StartAlertsQuery,
  StartGslbQuery,
  StartHostsQuery,
  StartHoursFragment,
  StartLoadbalancerQuery,
  StartObjectsQuery,
  StartPartFragment,
  StartRelayQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { countText, type KindCount, whatOf } from '../../../../platform/attention/words.ts';
import { linkTo } from '../../links.ts';
import { isBeingMade } from '../loadbalancer/kinds/load-balancer.ts';

export interface Need {
  readonly id: string;
  /** `bad`: something does not serve. `odd`: an outcome is not known. */
  readonly tone: 'bad' | 'warn' | 'odd';
  readonly name: string;
  readonly what: string;
  /** Null if the server does not say. */
  readonly why: string | null;
  /** Null if it is not known. */
  readonly since: string | null;
  /** Of a date that is ahead: until. */
  readonly until?: string;
  /** Undefined: its page has no view of it. */
  readonly href: string | undefined;
}

export type Hours = NonNullable<StartHoursFragment['hours']>;

export interface TileContent {
  /** In a few words: `300 backends · 2 unavailable`. */
  readonly summary: string;
  readonly tone: 'good' | 'bad' | 'warn' | 'odd' | 'calm';
  readonly word: string;
  /** The worst first. */
  readonly needs: readonly Need[];
  /** How many there are, with those that are not listed. */
  readonly needCount: number;
  /** What the viewer may not see of it. */
  readonly hidden: readonly KindCount[];
  /** The last 24. Null: its things are neither up nor down. Undefined: they were not read this time. */
  readonly hours?: Hours | null | undefined;
}

/** A count above 10,000 is not exact. */
const manyText = 'more than 10,000';
const mostCounted = 10_001;

export function alertsTile({ alertRules, attention }: StartAlertsQuery): TileContent {
  const { alerts, database } = present(attention);
  const content = tile({ count: counted(alertRules.totalCount, 'rule'), isEmpty: alertRules.totalCount === 0 }, alerts);
  // Whoever may not see the hosts of the database has no tile of them.
  return { ...content, hidden: [...content.hidden, ...present(database).notShown] };
}

export function relayTile({ backends, attention }: StartRelayQuery): TileContent {
  const { totalCount } = backends;
  return tile({ count: counted(totalCount, 'backend'), isEmpty: totalCount === 0 }, present(attention).relay);
}

export function loadBalancerTile({ loadBalancers, unjudged, attention }: StartLoadbalancerQuery): TileContent {
  const { totalCount } = loadBalancers;
  const beingMade = unjudged.nodes.filter(isBeingMade).length;
  const count = [counted(totalCount, 'load balancer'), ...(beingMade > 0 ? [`${beingMade} being created`] : [])];
  return tile(
    {
      ...{ count: count.join(' · '), isEmpty: totalCount === 0 },
      isBeingMade: beingMade > 0 && beingMade === totalCount,
    },
    present(attention).loadBalancing,
  );
}

export function gslbTile({ gslbs: { totalCount }, attention }: StartGslbQuery): TileContent {
  return tile({ count: counted(totalCount, 'name'), isEmpty: totalCount === 0 }, present(attention).gslb);
}

export function objectsTile({ objectOptions, objectClusters, attention }: StartObjectsQuery): TileContent {
  const [listed, noun] = objectClusters == null ? [objectOptions, 'option'] : [objectClusters, 'cluster'];
  const { totalCount } = listed;
  return tile({ count: counted(totalCount, noun), isEmpty: totalCount === 0 }, present(attention).objectStorage);
}

export function hostsTile({ haStatus, attention }: StartHostsQuery): TileContent {
  const { hosts, copies } = present(haStatus);
  const count = `${counted(hosts.length, 'host')} · ${copies} ${copies === 1 ? 'copy' : 'copies'}`;
  return tile({ count, isEmpty: hosts.length === 0 }, present(attention).database);
}

interface Whole {
  readonly count: string;
  readonly isEmpty: boolean;
  /** All that there is: nothing is up or down yet. */
  readonly isBeingMade?: boolean;
}

type Part = StartPartFragment & Partial<StartHoursFragment>;

function tile({ count, isEmpty, isBeingMade = false }: Whole, read: Part | null | undefined): TileContent {
  const { totalCount, counts, needs: found, notShown, hours } = present(read);
  const needs = found.map(needOf);
  const worst = needs[0]?.tone;
  const calm = isBeingMade ? 'being created' : notShown.length > 0 ? 'not all shown' : 'none yet';
  const tone = worst ?? (isEmpty || isBeingMade || notShown.length > 0 ? 'calm' : 'good');
  const words = { bad: 'needs attention', odd: 'needs attention', warn: 'check', calm, good: 'healthy' };
  return {
    summary: [count, ...counts.map(countText)].join(' · '),
    ...{ tone, word: words[tone], needs, needCount: totalCount ?? mostCounted, hidden: notShown, hours },
  };
}

function needOf(need: StartPartFragment['needs'][number]): Need {
  const { kind, severity, subjectType: type, subjectId: id, subjectName, reason, since, endsAt } = need;
  return {
    id: `${kind} ${id ?? ''} ${subjectName} ${reason ?? ''}`,
    tone: kind === 'OUTCOME_UNKNOWN' ? 'odd' : severity === 'CRITICAL' ? 'bad' : 'warn',
    ...{ name: subjectName, what: whatOf(need), why: reason, since: since ?? null },
    ...(endsAt == null ? {} : { until: endsAt }),
    href: id == null ? undefined : linkTo(type, id),
  };
}

/** A part that is null comes with an error, which was thrown before. */
function present<Value>(value: Value | null | undefined): Value {
  if (value == null) throw new Error('The server did not say what needs attention.');
  return value;
}

function counted(totalCount: number | null | undefined, noun: string): string {
  if (totalCount == null) return `${manyText} ${noun}s`;
  return `${totalCount} ${totalCount === 1 ? noun : `${noun}s`}`;
}
