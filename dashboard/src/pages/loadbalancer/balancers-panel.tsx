// All load balancers, those in trouble first.
import { memo, useCallback, useMemo } from 'react';
import { useEntities, useLiveState } from '../../context.ts';
import { CreateLink } from '../../forms/create-link.tsx';
import { hrefOf } from '../../route.ts';
import { NoMatch } from '../../view/empty.tsx';
import { formatDuration } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { RowHeads } from '../../view/row-heads.tsx';
import { RowList } from '../../view/row-list.tsx';
import { countsOf, reasonsOf } from '../../view/shown.tsx';
import { Sparkline } from '../../view/sparkline.tsx';
import { Age } from '../../view/time.tsx';
import { type BalancerControl, matchesBalancer } from './filters.ts';
import { hourWords } from './hour.ts';
import { isBeingMade, type LoadBalancer, loadBalancerKind } from './kinds/load-balancer.ts';
import { nodeKind, servingByBalancer } from './kinds/node.ts';
import { BalancerBadges } from './marks.tsx';
import { maxPages } from './reads.ts';
import { formatRate, type Hour, type Rate, useHours, useRates } from './use-rates.ts';

const collator = new Intl.Collator('en', { numeric: true });
const maxBalancers = 100 * maxPages;

export function BalancersPanel({ control }: { readonly control: BalancerControl }) {
  const { cursor } = useLiveState();
  const balancers = useEntities(loadBalancerKind);
  const nodes = useEntities(nodeKind);
  const rates = useRates();
  const hours = useHours();
  const { filters, change } = control;
  const serving = useMemo(() => servingByBalancer(nodes), [nodes]);
  const shown = useMemo(
    () =>
      [...balancers.values()]
        .filter((balancer) => matchesBalancer(filters, balancer))
        .sort((a, b) => rank(a) - rank(b) || collator.compare(a.name, b.name)),
    [balancers, filters],
  );
  const open = useCallback((id: string) => change({ shownId: id, open: null }), [change]);
  return (
    <Panel
      name="balancers"
      title="Load balancers"
      summary={countsOf(shown.map(stateOf))}
      tools={
        <CreateLink kind="LoadBalancer" look="primary">
          Create
        </CreateLink>
      }
    >
      {shown.length > 0 && (
        <RowHeads of="balancer" heads={['Requests a second, last hour', 'Latency', 'Nodes', 'Since']} />
      )}
      <div className="scroll">
        {shown.length > 0 && (
          <RowList
            name="balancers"
            label="Load balancers, those in trouble first"
            items={shown}
            idOf={({ id }) => id}
            openId={null}
          >
            {(balancer, { isTabStop }) => (
              <BalancerRow
                balancer={balancer}
                serving={serving.get(balancer.id) ?? 0}
                rate={rates?.get(balancer.id)}
                hour={hours?.get(balancer.id)}
                isTabStop={isTabStop}
                onOpen={open}
              />
            )}
          </RowList>
        )}
        {shown.length === 0 &&
          cursor !== null &&
          (balancers.size === 0 ? <NoBalancers /> : <NoMatch what="load balancer" onClear={control.clear} />)}
        {balancers.size >= maxBalancers && <p className="hint">This page shows {maxBalancers} load balancers.</p>}
      </div>
    </Panel>
  );
}

interface BalancerRowProps {
  readonly balancer: LoadBalancer;
  /** Nodes. */
  readonly serving: number;
  /** Undefined if no node reported. */
  readonly rate: Rate | undefined;
  /** Undefined until it is read. */
  readonly hour: Hour | undefined;
  readonly isTabStop: boolean;
  readonly onOpen: (id: string) => void;
}

const BalancerRow = memo(function BalancerRow(props: BalancerRowProps) {
  const { balancer, serving, rate, hour, isTabStop, onOpen } = props;
  const { id, name, project, urls, wantedNodes } = balancer;
  const reasons = reasonsOf(balancer);
  return (
    <button
      type="button"
      className="row one-line balancer-row"
      data-row={id}
      data-state={stateOf(balancer)}
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => onOpen(id)}
    >
      <span className="line">
        <span className="name" title={name}>
          {name}
        </span>
        <span className="dim">{project?.name}</span>
        <span className="badges">
          <BalancerBadges balancer={balancer} />
        </span>
        <span className="fact" title={reasons || urls.join(' ')}>
          {reasons || urls.join(' ')}
        </span>
      </span>
      <span className="trend">
        {hour !== undefined && <Sparkline values={hour.requests} label={hourWords(hour.requests, formatRate)} />}
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
      <span className="figure count" data-short={serving < wantedNodes}>
        {serving}/{wantedNodes} nodes
      </span>
      <span className="figure since dim">
        {hour?.since == null ? (
          ''
        ) : (
          <>
            <span className="visually-hidden">for </span>
            <Age at={hour.since} />
          </>
        )}
      </span>
    </button>
  );
});

function stateOf(balancer: LoadBalancer): string {
  if (!balancer.enabled) return 'disabled';
  return isBeingMade(balancer) ? 'being created' : balancer.operatingStatus;
}

function rank({ operatingStatus, provisioningStatus, enabled }: LoadBalancer): number {
  if (!enabled) return 5;
  if (operatingStatus === 'ERROR') return 0;
  if (provisioningStatus === 'ERROR') return 1;
  if (operatingStatus === 'DEGRADED') return 2;
  return provisioningStatus === 'ACTIVE' ? 4 : 3;
}

function NoBalancers() {
  return (
    <div className="empty">
      <h3>No load balancers yet</h3>
      <p>
        Create one with the mutation <code>loadBalancerCreate</code> in <a href={hrefOf('/graphiql')}>GraphiQL</a>, or
        on the command line:
      </p>
      <pre>tidegate loadbalancers --help</pre>
    </div>
  );
}
