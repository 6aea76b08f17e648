// One node: the steps of its making, its place, and replacing it by hand.
import { useCallback } from 'react';
import {
  LoadbalancerNodeDocument,
  LoadbalancerNodeSessionsDocument,
  LoadbalancerNodeTrafficDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useEntities } from '../../context.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Countdown } from '../../view/countdown.tsx';
import { Facts } from '../../view/drawer.tsx';
import { formatWord } from '../../view/format.ts';
import { OpenedDrawer } from '../../view/opened-drawer.tsx';
import { Ago, Moment } from '../../view/time.tsx';
import { useOpened } from '../../view/use-opened.ts';
import { useRepeated } from '../../view/use-repeated.ts';
import { hostKind } from './kinds/host.ts';
import { loadBalancerKind } from './kinds/load-balancer.ts';
import { type BalancerNode, nodeKind } from './kinds/node.ts';
import { LifeBadge, OperatingBadge } from './marks.tsx';
import { stepNames } from './nodes-panel.tsx';
import { TrafficSection } from './traffic-charts.tsx';
import { useForbiddenParts, useNodeReplace } from './use-actions.ts';

interface NodeDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onShowBalancer: (id: string) => void;
  readonly onOpenHost: (id: string) => void;
}

const stepWords: Readonly<Record<(typeof stepNames)[number], string>> = {
  PLACED: 'host and addresses chosen',
  MADE: 'made by its host',
  CONFIGURED: 'load balancing configured',
  CHECKED: 'checked, and answers',
  IN_DNS: 'in DNS',
};

export function NodeDrawer({ id, onClose, onShowBalancer, onOpenHost }: NodeDrawerProps) {
  const opened = useOpened(nodeKind, LoadbalancerNodeDocument, id);
  const { entity, detail } = opened;
  const balancer = useEntities(loadBalancerKind).get(entity?.loadBalancer.id ?? '');
  const placedOn = useEntities(hostKind).get(entity?.nodeHost?.id ?? '');
  const isHostAbsent = placedOn?.presence === 'ABSENT';
  const isDraining = entity?.nodeState === 'DRAINING';
  const sessions = useSessions(id, isDraining && !isHostAbsent);
  return (
    <OpenedDrawer
      {...{ id, opened, onClose }}
      what="Node"
      title={(node) => (
        <>
          {node.name} <LifeBadge state={node.nodeState} />
          <OperatingBadge status={node.operatingStatus} />
        </>
      )}
    >
      {(node) => {
        const { nodeHost: host } = node;
        return (
          <>
            {node.nodeStateReason !== null && <p className="warning">{node.nodeStateReason}</p>}
            {isHostAbsent && (
              <p className="warning">
                Its host {placedOn.name} is not connected, last seen <Ago at={placedOn.heardAt} />: the figures below
                are that old.
              </p>
            )}
            <NodeActions key={id} node={node} />
            <section>
              <h3>Steps</h3>
              <ol className="steps">
                {stepNames.map((name) => {
                  const step = node.steps.find((each) => each.name === name);
                  return (
                    <li key={name} data-done={step !== undefined}>
                      {stepWords[name]}{' '}
                      {step === undefined ? <span className="dim">not yet</span> : <Moment at={step.doneAt} />}
                    </li>
                  );
                })}
              </ol>
            </section>
            <Facts
              facts={[
                {
                  name: 'Serves',
                  value: balancer && (
                    <button type="button" className="link" onClick={() => onShowBalancer(balancer.id)}>
                      {balancer.name}
                    </button>
                  ),
                },
                {
                  name: 'Host',
                  value: host && (
                    <button type="button" className="link" onClick={() => onOpenHost(host.id)}>
                      {host.name}
                    </button>
                  ),
                },
                { name: 'Clients', value: node.address && <code>{node.address}</code> },
                { name: 'Subnet', value: node.subnetAddress && <code>{node.subnetAddress}</code> },
                { name: 'Applied', value: `generation ${node.appliedGeneration}` },
                { name: 'Replaces', value: detail?.replaces?.name },
                { name: 'Sessions left', value: sessions?.toString() },
                {
                  name: 'Deleted',
                  value: node.deleteAt && (
                    <Countdown
                      until={node.deleteAt}
                      before={isDraining ? 'after its last session, at the latest in ' : 'unless it comes back, in '}
                    />
                  ),
                },
                { name: 'Created', value: <Moment at={node.createdAt} /> },
                { name: 'Id', value: <code>{node.id}</code> },
              ]}
            />
            <TrafficSection key={`${id} traffic`} document={LoadbalancerNodeTrafficDocument} id={id} />
          </>
        );
      }}
    </OpenedDrawer>
  );
}

const sessionsEveryMs = 2_000;

/** For a node that drains. Null if it does not drain, or its host has not reported yet. */
function useSessions(id: string, isDraining: boolean): number | null {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(LoadbalancerNodeSessionsDocument, { id })).loadBalancerNode?.sessions ?? null,
    [requester, id],
  );
  return useRepeated(isDraining ? read : null, sessionsEveryMs);
}

function NodeActions({ node }: { readonly node: BalancerNode }) {
  const isMemberOnly = useForbiddenParts(node.loadBalancer.id);
  const { control, replace } = useNodeReplace(node.id);
  const isGoing = node.nodeState === 'DRAINING' || node.nodeState === 'REPLACED' || node.nodeState === 'DELETING';
  const forbidden = isMemberOnly ?? (isGoing ? `It is ${formatWord(node.nodeState)} already.` : null);
  return (
    <div className="actions">
      <ConfirmedAction
        label="Replace"
        question={`Replace ${node.name}?`}
        forbidden={forbidden}
        control={control}
        onConfirm={replace}
      >
        A new node is created and serves before this one is deleted. This cannot be undone.
      </ConfirmedAction>
      {forbidden !== null && <span className="dim">{forbidden}</span>}
    </div>
  );
}
