// What the graph does not say of its manageable kinds: their nouns, and what a table shows. All else is made from the graph.

export interface Declared {
  /** Plural, then singular. */
  readonly nouns: readonly [plural: string, singular: string];
  readonly short?: readonly string[];
  /** Fields of the create input by which people know one in its scope. Default: name. */
  readonly key?: readonly string[];
  /** Fields of the type. */
  readonly columns: readonly string[];
  /** Of a part: the type of the object that it belongs to. */
  readonly parent?: string;
  /** Further fields of the type that are read. Default: plain fields, links to kinds, and what an input sets. */
  readonly also?: readonly string[];
}

/** By type. A kind refers only to itself and to earlier ones. */
export const declaredKinds: Readonly<Record<string, Declared>> = {
  Project: { nouns: ['projects', 'project'], columns: ['name', 'description', 'viewerRole'] },
  User: { nouns: ['users', 'user'], columns: ['name', 'admin', 'enabled', 'createdAt'] },
  Membership: {
    nouns: ['memberships', 'membership'],
    key: ['userId'],
    columns: ['user', 'role', 'createdAt'],
    parent: 'Project',
  },
  ApiToken: {
    nouns: ['tokens', 'token'],
    columns: ['name', 'project', 'role', 'prefix', 'expiresAt', 'lastUsedAt', 'revokedAt'],
  },
  Machine: { nouns: ['machines', 'machine'], columns: ['name', 'machineRole', 'machineState', 'joinedAt'] },
  Backend: {
    nouns: ['backends', 'backend'],
    short: ['be'],
    columns: ['name', 'driverName', 'host', 'port', 'site', 'operatingStatus'],
  },
  ProjectSubnet: { nouns: ['subnets', 'subnet'], columns: ['name', 'cidr', 'provisioningStatus', 'id'] },
  TlsCertificate: {
    nouns: ['certificates', 'certificate'],
    short: ['cert'],
    columns: ['name', 'hostNames', 'validUntil', 'issuer', 'id'],
  },
  LoadBalancer: {
    nouns: ['loadbalancers', 'loadbalancer'],
    short: ['lb'],
    columns: ['name', 'provisioningStatus', 'operatingStatus', 'fqdn'],
  },
  Pool: {
    nouns: ['pools', 'pool'],
    columns: ['name', 'memberProtocol', 'algorithm', 'operatingStatus'],
    parent: 'LoadBalancer',
  },
  PoolMember: {
    nouns: ['members', 'member'],
    key: ['host', 'port'],
    columns: ['host', 'port', 'weight', 'operatingStatus'],
    parent: 'Pool',
  },
  PoolHealthMonitor: {
    nouns: ['health-monitors', 'health-monitor'],
    short: ['hm'],
    key: [],
    columns: ['monitorType', 'intervalMs', 'timeoutMs', 'rise', 'fall', 'id'],
    parent: 'Pool',
  },
  Listener: {
    nouns: ['listeners', 'listener'],
    key: ['port'],
    columns: ['port', 'protocol', 'defaultPool', 'operatingStatus'],
    parent: 'LoadBalancer',
  },
  L7Policy: {
    nouns: ['l7policies', 'l7policy'],
    columns: ['name', 'position', 'action', 'operatingStatus'],
    parent: 'Listener',
  },
  L7Rule: {
    nouns: ['l7rules', 'l7rule'],
    key: [],
    columns: ['ruleType', 'key', 'compareType', 'value', 'id'],
    parent: 'L7Policy',
  },
  AutoscalingPolicy: {
    nouns: ['autoscaling-policies', 'autoscaling-policy'],
    key: ['loadBalancerId'],
    columns: ['signal', 'targetPercent', 'enabled', 'dryRun'],
    also: ['schedule'],
    parent: 'LoadBalancer',
  },
  LoadBalancerQuota: {
    nouns: ['quotas', 'quota'],
    key: ['kind'],
    columns: ['kind', 'limit', 'used'],
    parent: 'Project',
  },
  LoadBalancerHost: {
    nouns: ['hosts', 'host'],
    columns: ['name', 'presence', 'provider', 'publicRange', 'site'],
  },
  DnsBackend: {
    nouns: ['dns-backends', 'dns-backend'],
    short: ['dns'],
    columns: ['name', 'backendType', 'credentialsSet', 'id'],
  },
  DnsZone: {
    nouns: ['zones', 'zone'],
    columns: ['name', 'backend', 'backendType', 'generation', 'signed'],
    also: ['keys'],
  },
  GslbVantagePoint: {
    nouns: ['vantage-points', 'vantage-point'],
    short: ['vp'],
    columns: ['name', 'region', 'latitude', 'longitude', 'id'],
  },
  GslbFlavor: {
    nouns: ['flavors', 'flavor'],
    columns: ['name', 'backend', 'policies', 'shortestTtlSeconds', 'shortestIntervalMs', 'id'],
  },
  GslbMonitor: {
    nouns: ['gslb-monitors', 'gslb-monitor'],
    short: ['gm'],
    columns: ['name', 'checkType', 'intervalMs', 'timeoutMs', 'rise', 'fall', 'id'],
  },
  GslbPool: {
    nouns: ['gslb-pools', 'gslb-pool'],
    short: ['gp'],
    columns: ['name', 'minUp', 'answerScope', 'failback', 'id'],
  },
  GslbPoolMember: {
    nouns: ['gslb-members', 'gslb-member'],
    columns: ['name', 'memberType', 'addresses', 'cname', 'weight', 'adminState', 'verdict', 'operatingStatus'],
    parent: 'GslbPool',
  },
  Gslb: {
    nouns: ['gslbs', 'gslb'],
    key: ['fqdn'],
    columns: ['fqdn', 'policy', 'provisioningStatus', 'operatingStatus', 'pools'],
  },
  ObjectCluster: {
    nouns: ['clusters', 'cluster'],
    columns: ['name', 'clusterState', 'presence', 'site', 'zone', 'weight'],
  },
  ObjectOption: {
    nouns: ['options', 'option'],
    columns: ['name', 'number', 'replicas', 'default', 'nearestReads', 'clusters'],
  },
  ObjectContainer: { nouns: ['containers', 'container'], columns: ['name', 'option', 'createdAt'] },
  ObjectAccessKey: {
    nouns: ['access-keys', 'access-key'],
    columns: ['accessKeyId', 'name', 'project', 'canWrite', 'createdAt', 'revokedAt'],
  },
  AlertChannel: {
    nouns: ['alert-channels', 'alert-channel'],
    columns: ['name', 'channelKind', 'destination', 'enabled', 'default', 'failingSince', 'project'],
  },
  AlertRule: {
    nouns: ['alert-rules', 'alert-rule'],
    columns: ['name', 'condition', 'severity', 'enabled', 'silent', 'project'],
  },
};

/** Mutations that make, change or delete none of the kinds, with the reason. Calls that are relayed to a backend are known by their payload. */
export const exceptions: readonly { readonly reason: string; readonly mutations: readonly string[] }[] = [
  {
    reason: 'A session is no object that people keep.',
    mutations: ['login', 'logout', 'sessionRefresh', 'sessionStart'],
  },
  { reason: 'A machine does it, with its own token or identity.', mutations: ['machineJoin', 'machineRenew'] },
  { reason: 'A subgraph reports its own events.', mutations: ['statusEventsAdd'] },
  {
    reason: 'It changes which host takes writes.',
    mutations: ['haHostJoin', 'haPause', 'haResume', 'haSwitchover'],
  },
  { reason: 'It tries a destination that no channel has yet.', mutations: ['alertTargetTest'] },
  { reason: 'The product makes alerts itself.', mutations: ['alertAcknowledge', 'alertEnd'] },
  { reason: 'It settles a call that was relayed.', mutations: ['relayOperationSettle'] },
  {
    reason: 'A mapping follows from a call that was relayed.',
    mutations: ['mappingAdopt', 'mappingForget', 'mappingShare', 'mappingUnshare', 'mappingVerify'],
  },
  {
    reason: 'Published operations come from files of GraphQL.',
    mutations: ['publishedOperationAdd', 'publishedOperationRemove'],
  },
  {
    reason: 'A change of a ring is a long work, not an object with fields.',
    mutations: [
      ...['objectRingChangeCancel', 'objectRingChangePause', 'objectRingChangeResume', 'objectRingChangeStart'],
    ],
  },
  {
    reason: 'A service of a cluster registers itself.',
    mutations: ['objectServiceDrain', 'objectServiceRemove', 'objectServiceUndrain'],
  },
  {
    reason: 'A signed URL is not kept.',
    mutations: ['objectDeleteUrlCreate', 'objectDownloadUrlCreate', 'objectUploadUrlCreate'],
  },
  { reason: 'The product makes nodes itself.', mutations: ['loadBalancerNodeReplace', 'loadBalancerNodesReplace'] },
  {
    reason: 'It is part of the record of a machine.',
    mutations: ['gslbCheckerRecordSet', 'gslbNameServerRecordSet'],
  },
];
