// The icons of load balancers, their parts, nodes and hosts.
import { useClock } from '../../view/clock.ts';
import { formatPresence } from '../../view/event-words.ts';
import { type Mark, MarkBadge, shapes } from '../../view/icons.tsx';
import { ProvisioningBadge } from '../../view/provisioning-badge.tsx';
import { Time } from '../../view/time.tsx';
import type { Host } from './kinds/host.ts';
import { isBeingMade, type LoadBalancer } from './kinds/load-balancer.ts';
import { drainWords, type Member } from './kinds/member.ts';
import type { BalancerNode } from './kinds/node.ts';

const { check, cross, question, clock, pause, half, drain, dash } = shapes;
const swap = 'M3 6h9L9.5 3.5M13 10H4l2.5 2.5';

const operating: Readonly<Record<LoadBalancer['operatingStatus'], Mark>> = {
  ONLINE: { tone: 'good', path: check },
  DEGRADED: { tone: 'warn', path: half },
  ERROR: { tone: 'bad', path: cross },
  DRAINING: { tone: 'busy', path: drain },
  NO_MONITOR: { tone: 'calm', path: dash },
  OFFLINE: { tone: 'calm', path: pause },
  UNKNOWN: { tone: 'calm', path: question },
};

const lives: Readonly<Record<BalancerNode['nodeState'], Mark>> = {
  BUILDING: { tone: 'busy', path: clock },
  SERVING: { tone: 'good', path: check },
  DRAINING: { tone: 'busy', path: drain },
  REPLACED: { tone: 'warn', path: swap },
  DELETING: { tone: 'warn', path: drain },
  DELETED: { tone: 'calm', path: dash },
};

interface OperatingBadgeProps {
  readonly status: LoadBalancer['operatingStatus'];
  /** Its sessions have ended. */
  readonly isDrained?: boolean;
}

export function OperatingBadge({ status, isDrained = false }: OperatingBadgeProps) {
  if (status === 'DRAINING' && isDrained) return <MarkBadge mark={{ tone: 'calm', path: drain }} word="drained" />;
  return <MarkBadge mark={operating[status]} word={status.replace('_', ' ')} />;
}

/** What is left of a draining member's sessions. */
export function DrainEnd({ member }: { readonly member: Pick<Member, 'drainUntil' | 'sessions'> }) {
  const words = useClock((nowMs) => drainWords(member, nowMs).words);
  const isDated = useClock((nowMs) => drainWords(member, nowMs).isDated);
  return (
    <>
      {words} {isDated && member.drainUntil !== null && <Time at={member.drainUntil} />}
    </>
  );
}

/** How far the last change has come, and whether it serves. */
export function BalancerBadges({ balancer }: { readonly balancer: LoadBalancer }) {
  if (isBeingMade(balancer)) return <MarkBadge mark={{ tone: 'busy', path: clock }} word="being created" />;
  return (
    <>
      {!balancer.enabled && <span className="dim">disabled</span>}
      <ProvisioningBadge status={balancer.provisioningStatus} />
      <OperatingBadge status={balancer.operatingStatus} />
    </>
  );
}

export function LifeBadge({ state }: { readonly state: BalancerNode['nodeState'] }) {
  return <MarkBadge mark={lives[state]} word={state} />;
}

export function HostBadge({ host }: { readonly host: Pick<Host, 'presence' | 'cordoned' | 'removing'> }) {
  return (
    <>
      {host.cordoned && (
        <MarkBadge mark={{ tone: 'warn', path: pause }} word={host.removing ? 'removing' : 'cordoned'} />
      )}
      <MarkBadge
        mark={host.presence === 'PRESENT' ? { tone: 'good', path: check } : { tone: 'bad', path: cross }}
        word={formatPresence(host.presence)}
      />
    </>
  );
}
