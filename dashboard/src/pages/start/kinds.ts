// What the start page follows: the important events of each domain that the deployment has, and the names of their subjects.
import type { OtherSubject, Subjects } from '../../live/entity-kind.ts';

export type Domain = 'alerts' | 'relay' | 'loadbalancer' | 'gslb' | 'objects' | 'hosts';

interface Followed {
  readonly eventKinds: readonly string[];
  readonly others: readonly OtherSubject[];
}

export const followed: Readonly<Record<Domain, Followed>> = {
  alerts: {
    eventKinds: ['alert.state'],
    others: [{ typename: 'Alert', word: 'alert', nameField: 'ruleName' }],
  },
  relay: {
    eventKinds: ['backend.operatingStatus', 'backend.circuit', 'backend.identity', 'mapping.verification'],
    others: [
      { typename: 'Backend', word: 'backend', nameField: 'name' },
      { typename: 'Mapping', word: 'object', nameField: 'objectKey' },
    ],
  },
  loadbalancer: {
    eventKinds: [
      'loadBalancer.operatingStatus',
      'loadBalancerNode.decision',
      'loadBalancerHealing.state',
      'loadBalancerHost.presence',
      'autoscalingPolicy.decision',
    ],
    others: [
      { typename: 'LoadBalancer', word: 'load balancer', nameField: 'name' },
      { typename: 'LoadBalancerNode', word: 'node', nameField: 'name', ofField: 'loadBalancer' },
      { typename: 'LoadBalancerHealing', word: 'healing' },
      { typename: 'LoadBalancerHost', word: 'host', nameField: 'name' },
      { typename: 'AutoscalingPolicy', word: 'autoscaling of', ofField: 'loadBalancer' },
    ],
  },
  gslb: {
    eventKinds: ['gslb.operatingStatus', 'gslbPoolMember.verdict', 'gslbChecker.state', 'gslbNameServer.state'],
    others: [
      { typename: 'Gslb', word: 'name', nameField: 'fqdn' },
      { typename: 'GslbPoolMember', word: 'member', nameField: 'name' },
      { typename: 'GslbVantagePoint', word: 'vantage point', nameField: 'name' },
      { typename: 'GslbNameServer', word: 'name server' },
    ],
  },
  objects: {
    eventKinds: ['objectCluster.presence', 'objectCluster.state', 'objectCluster.replica', 'objectRingChange.state'],
    others: [
      { typename: 'ObjectCluster', word: 'cluster', nameField: 'name' },
      { typename: 'ObjectRingChange', word: 'ring change' },
    ],
  },
  hosts: {
    eventKinds: ['ha.primary', 'ha.copies', 'ha.promotion'],
    others: [{ typename: 'HaCluster', word: 'the database' }],
  },
};

/** Every deployment has these. The hosts are part of system, which knows their events even where the database has no hosts. */
const always: readonly Domain[] = ['alerts', 'relay', 'loadbalancer', 'hosts'];

export function subjectsFor(present: readonly Domain[]): Subjects {
  const domains = [...new Set([...always, ...present])].map((domain) => followed[domain]);
  return {
    kinds: [],
    others: domains.flatMap(({ others }) => others),
    eventKinds: domains.flatMap(({ eventKinds }) => eventKinds),
  };
}

/** Of every deployment that there may be. */
export const variants: readonly Subjects[] = [[], ['gslb'], ['objects'], ['gslb', 'objects']].map((present) =>
  subjectsFor(present as Domain[]),
);
