// The busiest load balancers, each with its last hour. The graph has no order by traffic: the last minutes of all, up to a bound, say which these are.
import { useCallback } from 'react';
import { StartBusyDocument, StartBusyHoursDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { containsWords } from '../../filters/filters.ts';
import { readPages } from '../../graph/read-pages.ts';
import type { Requester } from '../../graph/request.ts';
import { linkTo } from '../../links.ts';
import { formatDuration } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Sparkline } from '../../view/sparkline.tsx';
import { useReading } from '../../view/use-reading.ts';
import { hourWords, requestsOfHour } from '../loadbalancer/hour.ts';
import { OperatingBadge } from '../loadbalancer/marks.tsx';
import { maxPages } from '../loadbalancer/reads.ts';
import { formatRate, rateOf } from '../loadbalancer/use-rates.ts';

const everyMs = 60_000;
const shownMost = 6;

export function BusyPanel({ text }: { readonly text: string }) {
  const { requester } = useDependencies();
  const read = useCallback(() => readBusiest(requester), [requester]);
  const { value, failure } = useReading(read, undefined, everyMs);
  const shown = value?.filter(({ name, project }) => containsWords(text, [name, project?.name]));
  return (
    <Panel name="busy" title="Busiest load balancers" summary="last hour">
      <Failures failures={failure === null ? [] : [failure]} />
      {value === undefined && failure === null && <Skeleton />}
      {shown?.length === 0 && (
        <p className="hint">{text === '' ? 'No load balancers yet.' : 'None matches the filter.'}</p>
      )}
      <ul className="rows rows-busy">
        {shown?.map((balancer) => (
          <li key={balancer.id}>
            <BusyRow balancer={balancer} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

type Busy = Awaited<ReturnType<typeof readBusiest>>[number];

function BusyRow({ balancer }: { readonly balancer: Busy }) {
  const { id, name, project, operatingStatus, requests, rate } = balancer;
  return (
    <Link className="row one-line busy-row" data-state={operatingStatus} href={linkTo('LoadBalancer', id) ?? ''}>
      <span className="line">
        <span className="name">{name}</span>
        <span className="dim">{project?.name}</span>
        <span className="badges">
          <OperatingBadge status={operatingStatus} />
        </span>
      </span>
      <span className="trend">
        <Sparkline values={requests} label={hourWords(requests, formatRate)} />
      </span>
      <span className="figure rate">
        {rate === undefined ? '–' : formatRate(rate.requestsPerSecond)}
        {rate !== undefined && <span className="dim">/s</span>}
        <span className="visually-hidden"> requests</span>
      </span>
      <span className="figure latency">
        <span className="visually-hidden">latency </span>
        {rate?.latencyMs == null ? '–' : formatDuration(rate.latencyMs)}
      </span>
    </Link>
  );
}

/** The busiest first. */
async function readBusiest(requester: Requester) {
  const all = await readPages(
    maxPages,
    null,
    async (after) => (await requester.request(StartBusyDocument, { after })).loadBalancers,
  );
  const counts = new Map(
    all.nodes.map(({ id, traffic }) => [id, traffic.reduce((sum, { requests }) => sum + Number(requests), 0)]),
  );
  const countOf = ({ id }: { readonly id: string }) => counts.get(id) ?? 0;
  const busiest = all.nodes.toSorted((one, other) => countOf(other) - countOf(one)).slice(0, shownMost);
  if (busiest.length === 0) return [];
  const names = busiest.map(({ name }) => name);
  const { loadBalancers } = await requester.request(StartBusyHoursDocument, { names });
  const nowMs = Date.now();
  // Another project may have the same name.
  const ids = new Set(busiest.map(({ id }) => id));
  return loadBalancers.nodes
    .filter(({ id }) => ids.has(id))
    .toSorted((one, other) => countOf(other) - countOf(one))
    .map(({ traffic, seconds, ...balancer }) => ({
      ...balancer,
      requests: requestsOfHour(traffic, nowMs),
      rate: seconds.length === 0 ? undefined : rateOf(seconds),
    }));
}
