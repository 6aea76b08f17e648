// The status events of load balancers, members, nodes and hosts.
import { declareEvents, type StatusEvent } from '../../platform/events/kinds.ts';
import { scalingActions } from './model/scaling-policy.ts';
import { decisionKinds, hostStatuses, nodeStates, operatingStatuses, provisioningStatuses } from './model/states.ts';

export const loadBalancerEvents = declareEvents({
  'loadBalancer.provisioningStatus': {
    subject: 'LoadBalancer',
    values: provisioningStatuses,
    meaning: 'A change of a load balancer was requested, took effect, or is late; `reason` says why.',
  },
  'loadBalancer.operatingStatus': {
    subject: 'LoadBalancer',
    values: operatingStatuses,
    meaning: 'What a load balancer serves changed.',
  },
  'loadBalancer.changed': {
    subject: 'LoadBalancer',
    values: provisioningStatuses,
    meaning: 'Another change was requested while one was under way, or a property changed that nodes do not know.',
  },
  'member.operatingStatus': {
    subject: 'Member',
    values: operatingStatuses,
    meaning: 'The nodes see a member in another state.',
  },
  'loadBalancerNode.state': {
    subject: 'LoadBalancerNode',
    values: nodeStates,
    meaning: 'A node was created, serves, drains, was replaced or deleted; `reason` says why.',
  },
  'loadBalancerNode.step': {
    subject: 'LoadBalancerNode',
    values: ['PLACED', 'MADE', 'CONFIGURED', 'CHECKED', 'IN_DNS'],
    meaning: 'A step in the making of a node is done.',
  },
  'loadBalancerNode.dns': {
    subject: 'LoadBalancerNode',
    values: ['IN', 'OUT'],
    meaning:
      'The address of a node left DNS, or is there again; `reason` has the name and the address. The first time is the step `IN_DNS`.',
  },
  'loadBalancerNode.operatingStatus': {
    subject: 'LoadBalancerNode',
    values: operatingStatuses,
    meaning: 'The health checks see a node in another state.',
  },
  'loadBalancerNode.decision': {
    subject: 'LoadBalancerNode',
    values: decisionKinds,
    meaning:
      'A node that failed is replaced, is taken back because it is healthy again in time, or is deleted because it is not; `reason` says why.',
  },
  'loadBalancerHealing.state': {
    subject: 'LoadBalancerHealing',
    values: ['WORKING', 'STOPPED'],
    meaning:
      'So many nodes on several hosts are down together that none is replaced, or that is over; `reason` has the figures. Only administrators see this event.',
  },
  'loadBalancerHost.status': {
    subject: 'LoadBalancerHost',
    values: hostStatuses,
    meaning: 'A load balancer host connected, or its connection was lost.',
  },
  'loadBalancerHost.changed': {
    subject: 'LoadBalancerHost',
    values: hostStatuses,
    meaning:
      'A load balancer host was cordoned, released or removed, or connected with other settings; `reason` says which.',
  },
  'autoscalingPolicy.decision': {
    subject: 'AutoscalingPolicy',
    values: scalingActions,
    meaning: 'Autoscaling changed the number of nodes, or would have (`dryRun`); `reason` says why.',
  },
});

export type LoadBalancerEvent = StatusEvent<typeof loadBalancerEvents>;
