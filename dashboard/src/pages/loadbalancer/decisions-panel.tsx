// Decisions of healing and autoscaling for one load balancer, newest first, with their figures.

import { useCallback, useMemo, useState } from 'react';
import {
  LoadbalancerHealingDocument,
  LoadbalancerScalingDocument,
  type LoadbalancerScalingQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import type { Requester } from '../../graph/request.ts';
import { formatWord } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Time } from '../../view/time.tsx';
import { type Reading, useReading } from '../../view/use-reading.ts';
import type { LoadBalancer } from './kinds/load-balancer.ts';

type Scaling = NonNullable<LoadbalancerScalingQuery['loadBalancer']>['scalingDecisions']['nodes'][number];

type Decision =
  | { readonly by: 'healing'; readonly id: string; readonly at: string; readonly what: string; readonly reason: string }
  | { readonly by: 'autoscaling'; readonly id: string; readonly at: string; readonly scaling: Scaling };

/** Each new one is in the feed. */
const everyMs = 300_000;
const kinds: ReadonlySet<string> = new Set(['loadBalancerNode.decision', 'autoscalingPolicy.decision']);

export function DecisionsPanel({ balancer }: { readonly balancer: LoadBalancer }) {
  const [withKept, setWithKept] = useState(false);
  const { value: decisions, failure } = useDecisions(balancer, withKept);
  return (
    <Panel
      name="decisions"
      title="Decisions"
      tools={
        <fieldset className="states">
          <legend className="visually-hidden">Which decisions</legend>
          <button
            type="button"
            className="chip"
            aria-pressed={withKept}
            title="Decisions of the last day that changed nothing"
            onClick={() => setWithKept(!withKept)}
          >
            Show unchanged
          </button>
        </fieldset>
      }
    >
      <ScrollRegion label="Decisions of healing and autoscaling">
        {failure !== null && <Failures failures={[failure]} />}
        {decisions === undefined && failure === null && <Skeleton />}
        {decisions?.length === 0 && <p className="hint">No decisions yet.</p>}
        <ul className="decisions">
          {decisions?.map((decision) => (
            <li key={decision.id}>
              <DecisionItem decision={decision} />
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

function DecisionItem({ decision }: { readonly decision: Decision }) {
  if (decision.by === 'healing') {
    return (
      <p>
        <Time at={decision.at} /> <span className="dim">healing</span> <b>{decision.what}</b> {decision.reason}
      </p>
    );
  }
  const { action, fromNodes, toNodes, recommendedNodes, reason, dryRun, figures } = decision.scaling;
  return (
    <>
      <p>
        <Time at={decision.at} /> <span className="dim">autoscaling</span>{' '}
        <b>{action === 'KEEP' ? `keep ${fromNodes}` : `${formatWord(action)} ${fromNodes} → ${toNodes}`}</b>
        {dryRun && <span className="dim"> (dry run)</span>} {reason}
      </p>
      <details>
        <summary className="dim">
          {figures.length} {figures.length === 1 ? 'figure' : 'figures'}; they recommend {recommendedNodes}
        </summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Node</th>
              <th scope="col">Load</th>
              <th scope="col">Measured</th>
            </tr>
          </thead>
          <tbody>
            {figures.map(({ nodeName, loadPercent, measuredAt, warmingUp }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a decision's figures never change.
              <tr key={`${index} ${nodeName}`}>
                <td>{nodeName ?? 'not made yet'}</td>
                <td>
                  {loadPercent === null ? 'none' : `${Math.round(loadPercent)} %`}
                  {warmingUp && <span className="dim"> warming up</span>}
                </td>
                <td>{measuredAt === null ? '–' : <Time at={measuredAt} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

/** Read again for each new decision in the feed. */
function useDecisions({ id, project }: LoadBalancer, withKept: boolean): Reading<readonly Decision[]> {
  const { requester } = useDependencies();
  const { feed } = useLiveState();
  const projectId = project?.id ?? null;
  const newest = useMemo(() => feed.find((line) => line.type === 'change' && kinds.has(line.change.kind))?.id, [feed]);
  const read = useCallback(
    () => readDecisions(requester, id, projectId, withKept),
    [requester, id, projectId, withKept],
  );
  return useReading(read, newest, everyMs);
}

async function readDecisions(
  requester: Requester,
  id: string,
  projectId: string | null,
  withKept: boolean,
): Promise<readonly Decision[]> {
  const [{ loadBalancer }, { statusHistory }] = await Promise.all([
    requester.request(LoadbalancerScalingDocument, { id, changed: withKept ? null : true }),
    requester.request(LoadbalancerHealingDocument, { projectId }),
  ]);
  const scaled = (loadBalancer?.scalingDecisions.nodes ?? []).map(
    (scaling): Decision => ({ by: 'autoscaling', id: scaling.id, at: scaling.decidedAt, scaling }),
  );
  const healed = statusHistory.nodes.flatMap((change): readonly Decision[] => {
    const { subject } = change;
    if (subject === null || !('loadBalancer' in subject) || subject.loadBalancer.id !== id) return [];
    const what = `${formatWord(change.to)} ${subject.name}`;
    return [{ by: 'healing', id: change.id, at: change.changedAt, what, reason: change.reason ?? '' }];
  });
  return [...scaled, ...healed].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}
