// The events of load balancers, members, nodes and hosts.
import { columnOf, declareEvents, type StatusEvent } from '../../../platform/events/kinds.ts';
import { presenceValues } from '../../../platform/events/presence.ts';
import { scalingActions } from '../rules/scaling-policy.ts';
import { decisionKinds, hostPresences, nodeStates, operatingStatuses, provisioningStatuses } from '../rules/states.ts';

/** Of the subjects, as `declareEvents` takes them. */
const names = {
  LoadBalancer: columnOf('lb_load_balancer'),
  // Its name, or else its address.
  PoolMember: `SELECT COALESCE(NULLIF(JSON_VALUE(spec, '$.name'), ''), CONCAT(IF(LOCATE(':', JSON_VALUE(spec, '$.host')) > 0,
      CONCAT('[', JSON_VALUE(spec, '$.host'), ']'), JSON_VALUE(spec, '$.host')), ':', JSON_VALUE(spec, '$.port')))
    FROM lb_part WHERE id = ?`,
  LoadBalancerNode: columnOf('lb_node'),
  LoadBalancerHost: columnOf('lb_host'),
  // There is one.
  LoadBalancerHealing: null,
  // It has the UUID of its load balancer.
  AutoscalingPolicy: columnOf('lb_load_balancer'),
};

export const loadBalancerEvents = declareEvents(names, {
  'loadBalancer.provisioningStatus': {
    subject: 'LoadBalancer',
    values: provisioningStatuses,
    meaning: 'A change of a load balancer was requested, took effect, or is late; `reason` has the cause.',
  },
  'loadBalancer.operatingStatus': {
    subject: 'LoadBalancer',
    values: operatingStatuses,
    meaning: 'The operating status of a load balancer changed.',
  },
  'loadBalancer.changed': {
    subject: 'LoadBalancer',
    values: provisioningStatuses,
    meaning: 'Another change was requested while one was in progress, or a property changed that nodes do not use.',
  },
  'poolMember.operatingStatus': {
    subject: 'PoolMember',
    values: operatingStatuses,
    meaning: 'The state of a member changed, as seen by the nodes.',
  },
  'loadBalancerNode.state': {
    subject: 'LoadBalancerNode',
    values: nodeStates,
    meaning: 'A node was created, serves, drains, was replaced or deleted; `reason` has the cause.',
  },
  'loadBalancerNode.step': {
    subject: 'LoadBalancerNode',
    values: ['PLACED', 'MADE', 'CONFIGURED', 'CHECKED', 'IN_DNS'],
    meaning: 'A step in the creation of a node is done.',
  },
  'loadBalancerNode.dns': {
    subject: 'LoadBalancerNode',
    values: ['IN', 'OUT'],
    meaning:
      'The address of a node left DNS, or returned to it; `reason` has the name and the address. The first publication is the step `IN_DNS`.',
  },
  'loadBalancerNode.operatingStatus': {
    subject: 'LoadBalancerNode',
    values: operatingStatuses,
    meaning: 'The state of a node changed, as seen by the health checks.',
  },
  'loadBalancerNode.decision': {
    subject: 'LoadBalancerNode',
    values: decisionKinds,
    meaning:
      'A failed node is replaced, is taken back because it recovered in time, or is deleted because it did not; `reason` has the cause.',
  },
  'loadBalancerHealing.state': {
    subject: 'LoadBalancerHealing',
    values: ['WORKING', 'STOPPED'],
    meaning:
      'So many nodes on several hosts are down at the same time that none is replaced, or this has ended; `reason` has the figures. Only administrators see this event.',
  },
  'loadBalancerHost.presence': {
    subject: 'LoadBalancerHost',
    values: presenceValues,
    meaning:
      'A load balancer host connected, or its connection was lost. FLAPPING: it comes and goes. The reason is its name, and since when it has not reported.',
  },
  'loadBalancerHost.changed': {
    subject: 'LoadBalancerHost',
    values: hostPresences,
    meaning:
      'A load balancer host was cordoned, uncordoned or removed, or connected with other settings; `reason` has the details.',
  },
  'autoscalingPolicy.decision': {
    subject: 'AutoscalingPolicy',
    values: scalingActions,
    meaning: 'Autoscaling changed the number of nodes, or would have (`dryRun`); `reason` has the cause.',
  },
});

export type LoadBalancerEvent = StatusEvent<typeof loadBalancerEvents>;
