// Fields that `why` reads and shows for an object, by its type in the graph.

/** `name`: the field that names it. `state`: fields in display order. */
interface WhyFields {
  readonly name?: string;
  readonly state: readonly string[];
  /** Further selections, for its children. */
  readonly more?: string;
}

const operating = ['operatingStatus', 'operatingReason'] as const;
const provisioned = ['provisioningStatus', 'provisioningReason'] as const;
const partState = [...operating, 'provisioningStatus'] as const;
const below = 'name operatingStatus operatingReason';

export const whyFields: Readonly<Record<string, WhyFields>> = {
  Alert: {
    name: 'ruleName',
    state: ['alertState', 'severity', 'condition', 'reason', 'since', 'acknowledgedAt', 'resolvedAt', 'lastNotifiedAt'],
  },
  AlertChannel: { name: 'name', state: ['channelKind', 'destination', 'enabled', 'failingSince', 'givenUpCount'] },
  AlertRule: { name: 'name', state: ['condition', 'severity', 'enabled', 'checkedInAt'] },
  ApiToken: { name: 'name', state: ['expiresAt', 'revokedAt'] },
  AutoscalingPolicy: { state: ['dryRun'] },
  Backend: {
    name: 'name',
    state: ['enabled', 'operatingStatus', 'replayUncertain'],
    more: 'circuit { state reason } queue { waiting inFlight holder } health { checkedAt message } presented { kind sha256 }',
  },
  DnsBackend: { name: 'name', state: [] },
  DnsZone: { name: 'name', state: [] },
  Gslb: {
    name: 'fqdn',
    state: [...operating, ...provisioned, 'frozenAt', 'frozenUntil', 'frozenReason'],
  },
  GslbFlavor: { name: 'name', state: [] },
  GslbMonitor: { name: 'name', state: [] },
  GslbPool: { name: 'name', state: [] },
  GslbPoolMember: {
    name: 'name',
    state: [...operating, 'serving', 'verdict', 'verdictAt', 'undecidedAt', 'adminState', 'adminReason'],
    more: 'votes { vantagePointName verdict verdictAt message }',
  },
  GslbVantagePoint: { name: 'name', state: [] },
  HaMove: { name: 'primaryName', state: ['state', 'reason', 'startedAt', 'finishedAt'] },
  L7Policy: { name: 'name', state: partState },
  L7Rule: { state: partState },
  Listener: { name: 'name', state: partState },
  LoadBalancer: {
    name: 'name',
    state: [...operating, ...provisioned],
    more: `listeners { ${below} } pools { ${below} } nodes { name operatingStatus nodeState nodeStateReason }`,
  },
  LoadBalancerHost: { name: 'name', state: ['presence', 'cordoned', 'noNodesReason', 'heardAt'] },
  LoadBalancerNode: { name: 'name', state: ['nodeState', 'nodeStateReason', 'operatingStatus'] },
  Machine: { name: 'name', state: ['machineState', 'joinedAt', 'expiresAt', 'revokedAt'] },
  Mapping: {
    name: 'objectKey',
    state: ['mappingState'],
    more: 'backend { id name operatingStatus } cmpObject { namespace type externalId }',
  },
  ObjectAccessKey: { name: 'name', state: ['revokedAt'] },
  ObjectAccount: { state: [] },
  ObjectCluster: { name: 'name', state: ['clusterState', 'presence'] },
  ObjectContainer: { name: 'name', state: [] },
  ObjectOption: { name: 'name', state: ['endingReason'] },
  ObjectRing: { state: [] },
  ObjectRingChange: { state: ['state', 'reason', 'stepsDone', 'stepCount', 'progressPercent'] },
  Pool: { name: 'name', state: partState, more: `members(first: 20) { nodes { ${below} } }` },
  PoolHealthMonitor: { name: 'name', state: partState },
  PoolMember: { name: 'name', state: partState },
  Project: { name: 'name', state: [] },
  ProjectSubnet: { name: 'name', state: ['provisioningStatus'] },
  PublishedOperation: { name: 'name', state: [] },
  RelayOperation: {
    name: 'name',
    state: ['state', 'reason', 'stateSource', 'quietUntil', 'createdAt', 'finishedAt'],
    more: 'backend { id name operatingStatus } deviceError { code message } evidence { recordedAt source finding note }',
  },
  TlsCertificate: { name: 'name', state: [] },
  User: { name: 'name', state: [] },
};

/** The document that reads such an object. */
export function whyDocument(type: string): string {
  const { name = '', state = [], more = '' } = whyFields[type] ?? {};
  const fields = ['id', name, ...state, more].filter((each) => each !== '').join(' ');
  return `query Why($id: ID!) { node(id: $id) { __typename ... on ${type} { ${fields} } } }`;
}
