// One load balancer: how it is, its traffic, then its parts, nodes, decisions and changes side by side.
import { type ReactNode, useCallback, useMemo } from 'react';
import { UptimeOfBalancerDocument } from '../../../../generated/dashboard/graphql.ts';
import { useEntities, useLiveState } from '../../context.ts';
import { EditLink, HistoryLink } from '../../forms/create-link.tsx';
import type { FeedLine } from '../../live/live-state.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { formatWord } from '../../view/format.ts';
import { NotShown, reasonsOf } from '../../view/shown.tsx';
import { Uptime } from '../../view/uptime/uptime.tsx';
import { ViewButtons, viewOf } from '../../view/view-buttons.tsx';
import { DecisionsPanel } from './decisions-panel.tsx';
import type { BalancerControl } from './filters.ts';
import { type LoadBalancer, loadBalancerKind } from './kinds/load-balancer.ts';
import { memberKind } from './kinds/member.ts';
import { nodeKind } from './kinds/node.ts';
import { BalancerBadges } from './marks.tsx';
import { NodesPanel } from './nodes-panel.tsx';
import { PathPanel } from './path/path-panel.tsx';
import { StatisticsPanel } from './statistics/statistics-panel.tsx';
import { TrafficPanel } from './traffic-panel.tsx';
import { TreePanel } from './tree-panel.tsx';
import { useFailover, useForbiddenParts } from './use-actions.ts';
import { type Tree, useTree } from './use-tree.ts';

interface BalancerViewProps {
  readonly id: string;
  readonly control: BalancerControl;
}

export function BalancerView({ id, control }: BalancerViewProps) {
  const known = useEntities(loadBalancerKind).get(id);
  const { feed } = useLiveState();
  const isShown = useIsShown(id);
  // A note, too: after a break in the feed the page starts again from its lists, which have no members.
  const reading = useTree(id, feed.find(isShown)?.id);
  const { tree } = reading;
  const view = viewOf(views, control.filters.view);
  // The page lists only a bounded number.
  const balancer = known ?? tree;
  const back = useCallback(() => control.change({ shownId: null, open: null }), [control.change]);
  if (balancer === null || (known === undefined && reading.isGone))
    return <NotShown what="load balancer" reading={reading} onBack={back} />;
  return (
    <>
      <Head balancer={balancer} tree={tree} onBack={back}>
        <ViewButtons views={views} view={view} onChange={(chosen) => control.change({ view: chosen })} />
      </Head>
      {view === 'statistics' && <StatisticsPanel id={id} />}
      {view === 'path' && tree !== null && <PathPanel id={id} tree={tree} control={control} />}
      {view === 'parts' && (
        <>
          <TrafficPanel id={id} listeners={tree?.listeners ?? []} />
          <div className="column">
            {tree === null ? <p className="waiting">Loading…</p> : <TreePanel tree={tree} control={control} />}
          </div>
          <div className="column">
            <NodesPanel balancer={balancer} control={control} />
          </div>
          <div className="column">
            <DecisionsPanel balancer={balancer} />
            <FeedPanel control={control} isShown={isShown} isFolded />
          </div>
        </>
      )}
    </>
  );
}

const views = { parts: 'Parts', path: 'Path of a request', statistics: 'HAProxy’s statistics' };

interface HeadProps {
  readonly children: ReactNode;
  readonly balancer: LoadBalancer;
  readonly tree: Tree | null;
  readonly onBack: () => void;
}

function Head({ balancer, tree, onBack, children }: HeadProps) {
  const reasons = reasonsOf(balancer);
  const facts = [
    balancer.project?.name,
    formatWord(balancer.topology),
    tree?.description,
    tree !== null && tree.addresses.length > 0 ? `in DNS: ${tree.addresses.join(', ')}` : null,
    tree?.autoscaling?.enabled === true
      ? `autoscaling to ${tree.autoscaling.targetPercent} % of ${formatWord(tree.autoscaling.signal)}${tree.autoscaling.dryRun ? ' (dry run)' : ''}`
      : null,
  ].filter(Boolean);
  return (
    <section className="shown-head one-row" aria-labelledby="balancer-name">
      <button type="button" className="quiet" onClick={onBack}>
        ‹ All load balancers
      </button>
      <h2 id="balancer-name">{balancer.name}</h2>
      <BalancerBadges balancer={balancer} />
      <Uptime key={`${balancer.id} uptime`} document={UptimeOfBalancerDocument} id={balancer.id} of={balancer.name} />
      {children}
      <EditLink kind="LoadBalancer" id={balancer.id} projectId={balancer.project?.id} />
      <HistoryLink kind="LoadBalancer" id={balancer.id} />
      <FailoverAction key={balancer.id} balancer={balancer} />
      <div className="head-facts">
        {reasons !== '' && <strong className="reasons">{reasons}</strong>}
        {balancer.urls.map((url) => (
          <code key={url}>{url}</code>
        ))}
        <span className="dim">{facts.join(' · ')}</span>
      </div>
    </section>
  );
}

function FailoverAction({ balancer: { id, name } }: { readonly balancer: LoadBalancer }) {
  const forbidden = useForbiddenParts(id);
  const { control, failover } = useFailover(id);
  return (
    <ConfirmedAction
      label="Fail over"
      question={`Replace all nodes of ${name}?`}
      forbidden={forbidden}
      control={control}
      onConfirm={failover}
    >
      Nodes are replaced one at a time. Each new node serves before an old one is deleted. This cannot be undone.
    </ConfirmedAction>
  );
}

/** Changes of the load balancer, of its members and nodes, and of its autoscaling, which has its id. */
function useIsShown(id: string): (line: FeedLine) => boolean {
  const members = useEntities(memberKind);
  const nodes = useEntities(nodeKind);
  return useMemo(
    () => (line) => {
      if (line.type === 'note') return true;
      const { subjectId } = line.change;
      const owner = line.ownerId ?? (members.get(subjectId) ?? nodes.get(subjectId))?.loadBalancer.id;
      return subjectId === id || owner === id;
    },
    [id, members, nodes],
  );
}
