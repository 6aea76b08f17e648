// The path of a request to one load balancer, with figures that are read every 5 seconds while it is shown.
import { useMemo } from 'react';
import { useEntities } from '../../../context.ts';
import { useClock } from '../../../view/clock.ts';
import { Panel } from '../../../view/panel.tsx';
import { PathPicture } from '../../../view/path/path-picture.tsx';
import { ScrollRegion } from '../../../view/scroll-region.tsx';
import type { BalancerControl } from '../filters.ts';
import type { LoadBalancer } from '../kinds/load-balancer.ts';
import { memberKind } from '../kinds/member.ts';
import { nodeKind, nodesOf } from '../kinds/node.ts';
import { OperatingBadge } from '../marks.tsx';
import { useStatistics } from '../statistics/use-statistics.ts';
import type { Tree } from '../use-tree.ts';
import { balancerPath, oldMs } from './balancer-path.ts';

interface PathPanelProps {
  readonly id: string;
  readonly tree: Tree;
  readonly control: BalancerControl;
}

export function PathPanel({ id, tree, control }: PathPanelProps) {
  const allNodes = useEntities(nodeKind);
  const allMembers = useEntities(memberKind);
  const statistics = useStatistics(id);
  const tick = useClock((nowMs) => Math.floor(nowMs / oldMs));
  const path = useMemo(() => {
    const nodes = nodesOf(allNodes, id);
    const members = [...allMembers.values()].filter((member) => member.loadBalancer.id === id);
    const nowMs = Math.max(Date.now(), tick * oldMs);
    return balancerPath({ tree, nodes, members, statistics, nowMs });
  }, [allNodes, allMembers, statistics, tree, id, tick]);
  return (
    <Panel name="path" title="Path of a request" summary="requests a second and latency, of all nodes together">
      <ScrollRegion label="Path of a request">
        <PathPicture
          label={`Path of a request to ${tree.name}`}
          path={path}
          badge={(status) => <OperatingBadge status={status as LoadBalancer['operatingStatus']} />}
          onOpen={(open) => control.change({ open })}
        />
      </ScrollRegion>
    </Panel>
  );
}
