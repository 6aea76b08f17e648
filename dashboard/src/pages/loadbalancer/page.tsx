// The page of load balancers: all load balancers with the hosts of their nodes, or a single one with its parts.
import { useCallback } from 'react';
import { useEntities } from '../../context.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import type { Page } from '../../page.ts';
import { FeedPanel } from '../../view/feed-panel.tsx';
import { ShownChip } from '../../view/shown.tsx';
import { useAreaTitle } from '../../view/use-area-title.ts';
import { BalancerView } from './balancer-view.tsx';
import { BalancersPanel } from './balancers-panel.tsx';
import { BreakerStrip } from './breaker-strip.tsx';
import { type BalancerControl, filterFormat } from './filters.ts';
import { HostDrawer } from './host-drawer.tsx';
import { HostsPanel } from './hosts-panel.tsx';
import { hostKind } from './kinds/host.ts';
import { loadBalancerKind } from './kinds/load-balancer.ts';
import { memberKind } from './kinds/member.ts';
import { nodeKind } from './kinds/node.ts';
import { subjects } from './kinds.ts';
import { MemberDrawer } from './member-drawer.tsx';
import { NodeDrawer } from './node-drawer.tsx';
import { poll, readLists } from './reads.ts';
import '../../style/path.css';
import './loadbalancer.css';
import './statistics/statistics.css';

export const page: Page = {
  ...subjects,
  read: readLists,
  poll,
  keys: {
    firstList: 'balancers',
    groups: [
      {
        does: 'Load balancers, hosts, changes',
        focus: {
          1: '[data-list="balancers"] [data-row]',
          2: '[data-list="hosts"] [data-row]',
          3: '[data-list="changes"]',
        },
      },
      {
        does: 'Of one load balancer: members, nodes',
        focus: { m: '[data-list="members"] [data-row]', n: '[data-list="nodes"] [data-row]' },
      },
    ],
  },
  Content: LoadBalancerPage,
};

function LoadBalancerPage() {
  const control = useFilters(filterFormat);
  const { shownId } = control.filters;
  useAreaTitle('loadbalancer');
  return (
    <PageFrame
      control={control}
      className={shownId === null ? 'balancers' : 'balancer'}
      waitingFor="load balancers"
      chosen={<ChosenBalancer control={control} />}
      strips={<BreakerStrip />}
      drawer={<OpenDrawer control={control} />}
    >
      {shownId === null ? (
        <>
          <BalancersPanel control={control} />
          <div className="column">
            <HostsPanel control={control} />
            <FeedPanel control={control} isFolded />
          </div>
        </>
      ) : (
        <BalancerView key={shownId} id={shownId} control={control} />
      )}
    </PageFrame>
  );
}

/** The load balancer that the page shows. */
function ChosenBalancer({ control: { filters, change } }: { readonly control: BalancerControl }) {
  const balancers = useEntities(loadBalancerKind);
  if (filters.shownId === null) return null;
  const back = () => change({ shownId: null, open: null });
  return <ShownChip what="load balancer" name={balancers.get(filters.shownId)?.name} onBack={back} />;
}

function OpenDrawer({ control: { filters, change } }: { readonly control: BalancerControl }) {
  const close = useCallback(() => change({ open: null }), [change]);
  const { open } = filters;
  const openOther = (type: string) => (id: string) => change({ open: { type, id } });
  switch (open?.type) {
    case memberKind.typename:
      return <MemberDrawer id={open.id} onClose={close} />;
    case nodeKind.typename:
      return (
        <NodeDrawer
          id={open.id}
          onClose={close}
          onShowBalancer={(shownId) => change({ shownId, open: null })}
          onOpenHost={openOther(hostKind.typename)}
        />
      );
    case hostKind.typename:
      return <HostDrawer id={open.id} onClose={close} onOpenNode={openOther(nodeKind.typename)} />;
    default:
      return null;
  }
}
