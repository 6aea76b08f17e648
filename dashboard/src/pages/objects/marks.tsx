// The icons of clusters and their services.
import { MarkBadge, shapes } from '../../view/icons.tsx';
import type { Cluster, Controller } from './kinds/cluster.ts';

const { check, cross, drain } = shapes;

export function PresenceBadge({ isPresent }: Pick<Cluster, 'isPresent'>) {
  return isPresent ? (
    <MarkBadge mark={{ tone: 'good', path: check }} word="present" />
  ) : (
    <MarkBadge mark={{ tone: 'bad', path: cross }} word="absent" />
  );
}

/** Nothing while it is to be a member. */
export function ClusterStateBadge({ state }: Pick<Cluster, 'state'>) {
  return state === 'ACTIVE' ? null : <MarkBadge mark={{ tone: 'busy', path: drain }} word={state} />;
}

export function ServiceBadge({ isReady, isDrained }: Controller['services'][number]) {
  if (isDrained) return <MarkBadge mark={{ tone: 'busy', path: drain }} word="drained" />;
  return isReady ? (
    <MarkBadge mark={{ tone: 'good', path: check }} word="ready" />
  ) : (
    <MarkBadge mark={{ tone: 'bad', path: cross }} word="not ready" />
  );
}
