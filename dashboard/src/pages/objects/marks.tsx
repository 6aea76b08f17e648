// The icons of clusters and their services.
import { MarkBadge, shapes } from '../../view/icons.tsx';
import type { Cluster, Controller } from './kinds/cluster.ts';

const { check, cross, drain } = shapes;

export function PresenceBadge({ presence }: Pick<Cluster, 'presence'>) {
  return presence === 'PRESENT' ? (
    <MarkBadge mark={{ tone: 'good', path: check }} word="connected" />
  ) : (
    <MarkBadge mark={{ tone: 'bad', path: cross }} word="not connected" />
  );
}

/** Empty while it should be a member. */
export function ClusterStateBadge({ clusterState }: Pick<Cluster, 'clusterState'>) {
  return clusterState === 'ACTIVE' ? null : <MarkBadge mark={{ tone: 'busy', path: drain }} word={clusterState} />;
}

export function ServiceBadge({ ready, drained }: Controller['services'][number]) {
  if (drained) return <MarkBadge mark={{ tone: 'busy', path: drain }} word="drained" />;
  return ready ? (
    <MarkBadge mark={{ tone: 'good', path: check }} word="ready" />
  ) : (
    <MarkBadge mark={{ tone: 'bad', path: cross }} word="not ready" />
  );
}
