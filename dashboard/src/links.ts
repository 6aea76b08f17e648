// The addresses of entities: pages link to each other without loading each other's code.

const places: Readonly<Record<string, string>> = {
  Backend: '/relay?show=',
  RelayOperation: '/relay?operation=',
  Mapping: '/relay?mapping=',
  LoadBalancer: '/loadbalancer?balancer=',
  LoadBalancerNode: '/loadbalancer?node=',
  LoadBalancerHost: '/loadbalancer?host=',
  PoolMember: '/loadbalancer?member=',
  AutoscalingPolicy: '/loadbalancer?balancer=',
  Gslb: '/gslb?gslb=',
  GslbPoolMember: '/gslb?member=',
  ObjectCluster: '/objects?cluster=',
  ObjectContainer: '/container?id=',
  User: '/people?user=',
  Project: '/people?show=',
  ApiToken: '/people?token=',
  Alert: '/alerts?alert=',
  AlertRule: '/alerts?rule=',
  AlertChannel: '/alerts?channel=',
};

/** Undefined if no page shows entities of this type. */
export function linkTo(typename: string, id: string): string | undefined {
  const place = places[typename];
  return place === undefined ? undefined : `${place}${encodeURIComponent(id)}`;
}
