// All kinds of parts of a load balancer.
import { healthMonitor } from './health-monitor.ts';
import { l7Policy, l7Rule } from './l7-policy.ts';
import { listener } from './listener.ts';
import type { PartKind, PartName } from './part-kind.ts';
import { member, pool } from './pool.ts';

export const partKinds: Readonly<Record<PartName, PartKind>> = {
  Pool: pool,
  PoolMember: member,
  PoolHealthMonitor: healthMonitor,
  Listener: listener,
  L7Policy: l7Policy,
  L7Rule: l7Rule,
};
