// The nodes of one load balancer, oldest first, with the steps of nodes in creation.
import { memo, useCallback, useMemo } from 'react';
import { useEntities } from '../../context.ts';
import { openId } from '../../filters/filters.ts';
import { formatWord } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { RowList } from '../../view/row-list.tsx';
import type { BalancerControl } from './filters.ts';
import { hostKind } from './kinds/host.ts';
import type { LoadBalancer } from './kinds/load-balancer.ts';
import { type BalancerNode, isServing, nodeKind, nodesOf } from './kinds/node.ts';
import { LifeBadge, OperatingBadge } from './marks.tsx';

interface NodesPanelProps {
  readonly balancer: LoadBalancer;
  readonly control: BalancerControl;
}

/** In their order. */
export const stepNames = ['PLACED', 'MADE', 'CONFIGURED', 'CHECKED', 'IN_DNS'] as const satisfies readonly Step[];
type Step = BalancerNode['steps'][number]['name'];

export function NodesPanel({ balancer, control }: NodesPanelProps) {
  const nodes = useEntities(nodeKind);
  const hosts = useEntities(hostKind);
  const { filters, change } = control;
  const own = useMemo(() => nodesOf(nodes, balancer.id), [nodes, balancer.id]);
  const open = useCallback((id: string) => change({ open: { type: nodeKind.typename, id } }), [change]);
  const serving = own.filter(isServing).length;
  return (
    <Panel
      name="nodes"
      title="Nodes"
      summary={`${serving} serving, ${balancer.wantedNodes} wanted (${balancer.minNodes} to ${balancer.maxNodes})`}
    >
      <div className="scroll">
        {own.length === 0 ? (
          <p className="hint">No nodes yet.</p>
        ) : (
          <RowList
            name="nodes"
            label="Nodes, oldest first"
            items={own}
            idOf={({ id }) => id}
            openId={openId(filters, nodeKind)}
          >
            {(node, row) => (
              <NodeRow
                node={node}
                isHostAbsent={hosts.get(node.nodeHost?.id ?? '')?.presence === 'ABSENT'}
                {...row}
                onOpen={open}
              />
            )}
          </RowList>
        )}
      </div>
    </Panel>
  );
}

interface NodeRowProps {
  readonly node: BalancerNode;
  readonly isHostAbsent: boolean;
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
  readonly onOpen: (id: string) => void;
}

const NodeRow = memo(function NodeRow({ node, isHostAbsent, isOpen, isTabStop, onOpen }: NodeRowProps) {
  return (
    <button
      type="button"
      className="row node-row"
      data-row={node.id}
      aria-expanded={isOpen}
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => onOpen(node.id)}
    >
      <span className="line">
        <span className="name" title={node.name}>
          {node.name}
        </span>
        {node.address !== null && <span className="mono">{node.address}</span>}
        <span className="badges">
          {node.nodeState === 'SERVING' && <OperatingBadge status={node.operatingStatus} />}
          <LifeBadge state={node.nodeState} />
        </span>
      </span>
      <span className="line facts">
        {node.nodeHost !== null && (
          <span className="dim">
            on {node.nodeHost.name}
            {isHostAbsent && ', which is not connected'}
          </span>
        )}
        <span className="fact dim" title={node.nodeStateReason ?? undefined}>
          {node.nodeState === 'BUILDING' ? (
            <>
              {node.steps.length} of {stepNames.length} steps: {formatWord(nextStep(node) ?? 'done')} is next
            </>
          ) : (
            node.nodeStateReason
          )}
        </span>
      </span>
    </button>
  );
});

/** The first step that is not done. */
function nextStep({ steps }: BalancerNode): Step | undefined {
  return stepNames.find((name) => !steps.some((step) => step.name === name));
}
