// The first view of `tidegate top`: each domain with its count, and everything that needs attention, from the graph's `attention`. There is one
// request for each domain, so that a missing or silent domain does not hide the others.

import type { AttentionPartOfTopFragment } from '../../generated/cli/graphql.ts';
import { graphql } from '../../generated/cli/index.ts';
import { countText, type KindCount, sumText, whatOf } from '../../platform/attention/words.ts';
import { type GraphClient, GraphFailure, type GraphqlDocument } from '../graph-client.ts';
import type { DomainLine, Need, Overview } from './state.ts';

const alertsDocument = graphql(`
  query TopAlerts {
    alerts(states: [FIRING, ACKNOWLEDGED], first: 1) { totalCount }
    attention { alerts { ...AttentionPartOfTop } database { ...AttentionPartOfTop } }
  }
  fragment AttentionPartOfTop on AttentionPart {
    totalCount
    counts { kind count }
    needs { kind severity subjectType subjectId subjectName status reason since endsAt }
    notShown { kind count }
  }
`);
const relayDocument = graphql(`
  query TopRelay {
    backends(first: 1) { totalCount }
    attention { relay { ...AttentionPartOfTop } }
  }
`);
const balancersDocument = graphql(`
  query TopBalancers {
    loadBalancers(first: 1) { totalCount }
    attention { loadBalancing { ...AttentionPartOfTop } }
  }
`);
const gslbsDocument = graphql(`
  query TopGslbs {
    gslbs(first: 1) { totalCount }
    attention { gslb { ...AttentionPartOfTop } }
  }
`);
const clustersDocument = graphql(`
  query TopClusters {
    attention { objectStorage { ...AttentionPartOfTop } }
  }
`);

type Part = AttentionPartOfTopFragment;

interface Domain {
  readonly title: string;
  readonly read: (client: GraphClient) => Promise<readonly Found[]>;
}

interface Found {
  /** Default: the domain's. */
  readonly title?: string;
  /** `300`. Undefined if it has no number of its own. */
  readonly count?: string;
  readonly isEmpty: boolean;
  readonly part: Part | null | undefined;
}

const domains: readonly Domain[] = [
  domain('alerts', alertsDocument, ({ alerts, attention }) => [
    { ...counted(alerts.totalCount, 'open'), part: attention?.alerts },
    { title: 'database', isEmpty: true, part: attention?.database },
  ]),
  domain('backends', relayDocument, ({ backends, attention }) => [
    { ...counted(backends.totalCount), part: attention?.relay },
  ]),
  domain('load balancers', balancersDocument, ({ loadBalancers, attention }) => [
    { ...counted(loadBalancers.totalCount), part: attention?.loadBalancing },
  ]),
  domain('names', gslbsDocument, ({ gslbs, attention }) => [{ ...counted(gslbs.totalCount), part: attention?.gslb }]),
  domain('object storage', clustersDocument, ({ attention }) => [{ isEmpty: true, part: attention?.objectStorage }]),
];

/** Kinds of objects whose status events change the overview. */
export const overviewTypes = [
  ...['Alert', 'Backend', 'RelayOperation', 'Mapping', 'LoadBalancer', 'LoadBalancerHost', 'Gslb', 'GslbVantagePoint'],
  ...['GslbNameServer', 'ObjectCluster', 'HaCluster'],
] as const;

interface ReadPart {
  readonly line: DomainLine;
  readonly needs: readonly Need[];
  readonly needCount: number;
  readonly hidden: readonly KindCount[];
  readonly isUnknown: boolean;
}

/** Throws CommandFailure if the server can't be reached. */
export async function readOverview(client: GraphClient): Promise<Overview> {
  const read = await Promise.all(
    domains.map(async ({ title, read: readDomain }): Promise<readonly ReadPart[]> => {
      try {
        return (await readDomain(client)).flatMap((found) => partOf({ ...found, title: found.title ?? title }) ?? []);
      } catch (error) {
        if (!(error instanceof GraphFailure) || error.code === 'UNAUTHENTICATED') throw error;
        // Not in this deployment.
        if (error.code === 'GRAPHQL_VALIDATION_FAILED') return [];
        return [unknownPart(title, error.message)];
      }
    }),
  );
  const parts = read.flat();
  const needs = parts.flatMap((each) => each.needs);
  const needCount = parts.reduce((sum, each) => sum + each.needCount, 0);
  const hidden = parts.flatMap((each) => each.hidden);
  const unknown = parts.filter(({ isUnknown }) => isUnknown).map(({ line }) => line.title);
  return {
    domains: parts.map(({ line }) => line),
    needs: [...needs.filter(({ tone }) => tone === 'red'), ...needs.filter(({ tone }) => tone === 'yellow')],
    ...{ needCount, hidden, unknown, summary: sumText({ needed: needCount, unknown, hidden }) },
  };
}

function domain<Data>(
  title: string,
  document: GraphqlDocument<Data, Record<string, never>>,
  found: (data: Data) => readonly Found[],
): Domain {
  return { title, read: async (client) => found(await client.query(document, {})) };
}

function counted(totalCount: number | null | undefined, noun?: string): Pick<Found, 'count' | 'isEmpty'> {
  const number = totalCount == null ? 'more than 10,000' : String(totalCount);
  return { count: noun === undefined ? number : `${number} ${noun}`, isEmpty: totalCount === 0 };
}

/** Undefined if there is nothing to report. */
function partOf({ title = '', count, isEmpty, part }: Found): ReadPart | undefined {
  if (part == null) return unknownPart(title, 'unknown: the server did not answer');
  const { totalCount, counts, needs, notShown } = part;
  if (count === undefined && counts.length === 0 && notShown.length === 0 && title === 'database') return undefined;
  const shown = needs.map(needOf);
  const hidden = notShown.map((each) => `not shown to you: ${countText(each)}`);
  const texts = [...(count === undefined ? [] : [count]), ...counts.map(countText), ...hidden];
  const tone =
    shown.length > 0
      ? shown.some((each) => each.tone === 'red')
        ? 'red'
        : 'yellow'
      : notShown.length > 0 || (isEmpty && count !== undefined)
        ? 'grey'
        : 'green';
  return {
    line: { title, text: texts.length === 0 ? 'nothing needs attention' : texts.join(' · '), tone },
    ...{ needs: shown, needCount: totalCount ?? mostCounted, hidden: notShown, isUnknown: false },
  };
}

const mostCounted = 10_001;

function unknownPart(title: string, text: string): ReadPart {
  return { line: { title, text, tone: 'red' }, needs: [], needCount: 0, hidden: [], isUnknown: true };
}

function needOf(need: Part['needs'][number]): Need {
  const { severity, subjectType: type, subjectId, subjectName: name, since, endsAt, reason } = need;
  return {
    ...{ tone: severity === 'CRITICAL' ? 'red' : 'yellow', type, id: subjectId ?? null, name },
    cells: [whatOf(need), since ?? endsAt ?? '', reason ?? ''],
  };
}
