// The main fields of each kind in the order in which a person gives them, and the others by theme. A test compares the table with the registry. No
// DOM here.

/** A draft has the shape of the input, and each value in it is a text. */
type Start = string | readonly Start[] | { readonly [name: string]: Start };

export interface Layout {
  /** Fields of one array share a row. */
  readonly main: readonly (string | readonly string[])[];
  /** The others, by the heading that they stand below. */
  readonly advanced?: Readonly<Record<string, readonly string[]>>;
  /** Fields of `advanced` that become main while another field has one of these values. */
  readonly where?: Readonly<Record<string, readonly [field: string, ...values: string[]]>>;
  /** Fields of `advanced` that refer to a kind, and become main if there are several objects of it. */
  readonly ifSeveral?: readonly string[];
  /** Fields that are shown inside another field. */
  readonly inside?: readonly string[];
  /** A list of this kind is a table with these columns. Pasted lines have the columns in this order. */
  readonly columns?: readonly string[];
  /** The values of a new object. */
  readonly start?: Readonly<Record<string, Start>>;
}

const about = ['enabled', 'tags'];
const ofPool = {
  'TLS to members': [...['tls', 'tlsVersions', 'tlsCiphers', 'tlsServerName', 'authorities', 'clientCertificateId']],
  'Members that fail': ['failOpenBelowPercent', 'ejectAfterErrors', 'slowStartMs', 'drainMs'],
};
const http = {
  main: ['path', 'expectedCodes'],
  advanced: {
    Request: ['method', 'hostHeader', 'body'],
    Answer: ['expect'],
    TLS: ['serverName', 'verify', 'caCertificates', 'minDaysLeft'],
  },
};
const neutron = {
  main: ['url', 'authUrl', 'project'],
  advanced: { Keystone: ['userDomain', 'projectDomain'], TLS: ['caCertificates', 'certificateSha256'] },
};
const policyOptions = [
  ...['count', 'geoBy', 'toleranceKm', 'tolerancePercent', 'stickyIpv4Bits', 'stickyIpv6Bits'],
] as const;

/** By the name of the kind, or of another input without its ending. */
export const layouts: Readonly<Record<string, Layout>> = {
  Project: { main: ['name', 'description'] },
  User: { main: ['name', 'currentPassword', 'password', 'admin'], advanced: { State: ['enabled'] } },
  Membership: { main: ['projectId', 'userId', 'role'] },
  ApiToken: { main: ['projectId', 'name', 'role'], advanced: { Limits: ['expiresAt', 'operationHashes'] } },
  Machine: {
    main: ['name', 'machineRole'],
    advanced: { Records: ['loadBalancerHost', 'gslbChecker', 'gslbNameServer', 'outsideSubgraph'] },
    where: {
      loadBalancerHost: ['machineRole', 'LBHOST'],
      gslbChecker: ['machineRole', 'CHECKER'],
      gslbNameServer: ['machineRole', 'DNS'],
    },
  },
  MachineHostRecord: {
    main: [['publicRange', 'maxNodes']],
    advanced: { Network: ['managementRange', 'healthPort'], Placement: ['site', 'provider', 'released'] },
  },
  Backend: {
    main: ['projectId', 'name', 'driver', ['host', 'port'], 'credentials'],
    advanced: {
      Identity: ['dropCredentials', 'hostKeySha256', 'certificateSha256', 'caCertificates', 'cryptoProfile'],
      Placement: ['site', 'labels'],
      Calls: ['enabled', 'limits', 'allowInit', 'separateObjects', 'options'],
      Protection: ['deletionProtected'],
    },
  },
  BackendCredentials: {
    main: [['username', 'password']],
    advanced: { 'Other credentials': ['privateKey', 'passphrase', 'apiToken', 'clientCertificate'] },
  },
  BackendLabel: { main: [['name', 'value']], columns: ['name', 'value'] },
  ProjectSubnet: { main: ['projectId', ['name', 'cidr']] },
  TlsCertificate: { main: ['projectId', 'name', 'chain', 'privateKey'] },
  LoadBalancer: {
    main: ['projectId', 'name', 'listeners', ['minNodes', 'maxNodes']],
    inside: ['pools'],
    advanced: {
      Nodes: ['autoscaling', 'nodeSize', 'topology', 'subnetId'],
      About: ['description', ...about, 'cmpObject'],
      Protection: ['deletionProtected'],
    },
    start: {
      listeners: [{ protocol: 'HTTP', port: '80', defaultPool: 'default' }],
      pools: [{ name: 'default', memberProtocol: 'HTTP', members: [{}], healthMonitor: { monitorType: 'TCP' } }],
    },
  },
  Listener: {
    main: ['loadBalancerId', ['protocol', 'port', 'defaultPool'], 'defaultPoolId'],
    advanced: {
      Certificates: ['certificateIds'],
      TLS: ['tlsVersions', 'tlsCiphers', 'alpnProtocols'],
      'Client certificates': ['clientAuthentication', 'clientAuthorities', 'clientRevocations'],
      'Strict transport security': ['hstsMaxAgeSeconds', 'hstsIncludeSubdomains', 'hstsPreload'],
      Clients: ['allowedCidrs', 'connectionLimit'],
      Requests: ['insertHeaders', 'l7Policies', 'accessLogPercent'],
      Timeouts: ['clientTimeoutMs', 'memberConnectTimeoutMs', 'memberTimeoutMs', 'inspectTimeoutMs'],
      About: ['name', 'description', ...about],
    },
    where: { certificateIds: ['protocol', 'TERMINATED_HTTPS'] },
  },
  Pool: {
    main: ['loadBalancerId', ['name', 'memberProtocol']],
    advanced: {
      Balancing: ['algorithm', 'persistence', 'proxyProtocol'],
      ...ofPool,
      About: ['description', ...about],
    },
  },
  // A pool of a new load balancer. Its protocol follows from its listener.
  PoolTree: {
    main: ['members', 'healthMonitor'],
    advanced: {
      Balancing: ['name', 'memberProtocol', 'algorithm', 'persistence', 'proxyProtocol'],
      ...ofPool,
      About: ['description', ...about],
    },
  },
  PoolMember: {
    main: ['poolId', ['host', 'port', 'weight']],
    advanced: { Checks: ['monitorHost', 'monitorPort'], Traffic: ['backup'], About: ['name', ...about] },
    columns: ['host', 'port', 'weight', 'backup'],
  },
  PoolHealthMonitor: {
    main: ['poolId', ['monitorType', 'path']],
    advanced: {
      Request: ['method', 'hostHeader', 'expectedCodes'],
      Times: ['intervalMs', 'timeoutMs', 'rise', 'fall'],
      About: ['name', ...about],
    },
  },
  L7Policy: {
    main: ['listenerId', 'name', 'action', 'l7Rules'],
    advanced: {
      Target: ['redirectPoolId', 'redirectPool', 'redirectUrl', 'redirectPrefix', 'redirectCode'],
      Order: ['position'],
      About: ['description', ...about],
    },
    where: {
      redirectPoolId: ['action', 'REDIRECT_TO_POOL'],
      redirectPool: ['action', 'REDIRECT_TO_POOL'],
      redirectUrl: ['action', 'REDIRECT_TO_URL'],
      redirectPrefix: ['action', 'REDIRECT_PREFIX'],
    },
  },
  L7Rule: {
    main: ['l7PolicyId', ['ruleType', 'compareType'], ['key', 'value']],
    advanced: { Match: ['invert'], About: about },
  },
  AutoscalingPolicy: {
    main: ['loadBalancerId', 'policy', 'requestsPerNode', 'targetPercent'],
    advanced: {
      Signal: ['signal', 'collectdValue', 'tolerancePercent'],
      Times: ['periodMs', 'warmUpMs', 'cooldownMs', 'downWindowMs'],
      Schedule: ['schedule', 'timeZone'],
      State: ['enabled', 'dryRun'],
    },
  },
  LoadBalancerQuota: { main: ['projectId', ['kind', 'limit']] },
  LoadBalancerHost: {
    main: [['publicRange', 'maxNodes']],
    advanced: { Network: ['managementRange', 'healthPort'], Placement: ['site', 'provider'] },
  },
  DnsBackend: {
    main: ['name', 'backendType', 'credentials'],
    advanced: { Servers: ['rfc2136', 'powerdns', 'designate'] },
    where: {
      rfc2136: ['backendType', 'RFC2136'],
      powerdns: ['backendType', 'POWERDNS'],
      designate: ['backendType', 'DESIGNATE'],
    },
  },
  DnsBackendDesignate: {
    main: ['url', 'authUrl', 'username', 'project'],
    advanced: {
      Keystone: ['userDomain', 'projectDomain'],
      'Name servers': ['nameServers'],
      TLS: ['certificateSha256', 'caCertificates'],
    },
  },
  DnsZone: {
    main: ['name', 'rights'],
    advanced: {
      Servers: ['backendId', 'nameServers', 'secondaries'],
      DNSSEC: ['signed'],
      About: ['description'],
      Protection: ['deletionProtected'],
    },
  },
  GslbVantagePoint: {
    main: [
      ['name', 'region'],
      ['latitude', 'longitude'],
    ],
    advanced: { Checks: ['allowedBlocks', 'deniedBlocks', 'beacons'], About: ['description'] },
  },
  GslbBeacon: { main: [['host', 'port']], columns: ['host', 'port'] },
  GslbFlavor: {
    main: ['name'],
    advanced: {
      Servers: ['backendId', 'vantagePointNames'],
      Limits: [
        ...['policies', 'shortestIntervalMs', 'shortestTtlSeconds', 'longestTtlSeconds', 'mostNames', 'mostMembers'],
      ],
      About: ['description'],
    },
  },
  GslbMonitor: {
    main: ['projectId', 'name', 'checkType'],
    advanced: {
      Check: ['parameters', 'targetHost', 'targetPort', 'plugin'],
      Times: ['intervalMs', 'timeoutMs', 'fall', 'rise'],
      Credentials: ['authHosts', 'auth'],
      About: ['description'],
    },
  },
  GslbMonitorParameters: {
    main: [],
    advanced: {
      'Parameters of the check': [
        ...['tcp', 'udp', 'http', 'https', 'ssh', 'grpc', 'dns', 'exec', 'neutronLbaasV2', 'neutronPort', 'plugin'],
      ],
    },
  },
  GslbPoolMemberParameters: {
    main: [],
    advanced: { 'Parameters of the check': ['tcp', 'udp', 'http', 'https', 'ssh', 'grpc', 'dns', 'exec', 'plugin'] },
  },
  GslbHttpParameters: http,
  GslbHttpsParameters: http,
  GslbHttpOverrides: http,
  GslbHttpsOverrides: http,
  GslbNeutronLbaasV2Parameters: neutron,
  GslbNeutronPortParameters: neutron,
  GslbPool: {
    main: ['projectId', 'name', 'members', 'monitors'],
    advanced: { Availability: ['minUp', 'quorum', 'answerScope', 'failback'], About: ['description'] },
  },
  GslbPoolMember: {
    main: ['poolId', ['name', 'addresses', 'servicePort', 'memberRegion']],
    advanced: {
      'Other kinds of members': ['memberType', 'cname', 'loadBalancerId', 'neutronId'],
      Choice: ['weight', 'priority', 'place'],
      Checks: ['parameters'],
      About: ['description'],
    },
    columns: ['name', 'addresses', 'servicePort', 'memberRegion', 'weight'],
  },
  Gslb: {
    main: ['projectId', 'fqdn', 'policy', 'pools', 'poolIds'],
    advanced: {
      Flavor: ['flavorId'],
      'TTL and failures': ['ttlSeconds', 'degradedTtlSeconds', 'noneUp', 'fallbackPoolId', 'fallbackCname'],
      'Policy in detail': ['policyOptions', 'steps', 'clientBlocks'],
      Sharing: ['sharedWithProjectIds', 'applianceId'],
      About: ['description', 'cmpObject'],
      Protection: ['deletionProtected'],
    },
    ifSeveral: ['flavorId'],
    start: { pools: [{ members: [{}] }] },
  },
  GslbPolicyOptions: { main: policyOptions },
  GslbPolicyStep: { main: ['step'], advanced: { Options: policyOptions } },
  GslbClientBlock: { main: [['cidr', 'region']], columns: ['cidr', 'region'] },
  ObjectCluster: {
    main: ['name', ['zone', 'weight'], 'site'],
    advanced: {
      Addresses: ['peerUrls', 'controllerUrls', 's3Urls'],
      State: ['clusterState'],
      Protection: ['deletionProtected'],
    },
  },
  ObjectOption: {
    main: ['name', 'replicas'],
    advanced: { Placement: ['clusterIds', 'preset', 'nearestReads'], State: ['default'] },
  },
  ObjectContainer: { main: ['projectId', 'name'], advanced: { Storage: ['optionId'], About: ['cmpObject'] } },
  ObjectAccessKey: { main: ['projectId', 'name', 'canWrite'] },
  AlertChannel: {
    main: ['projectId', 'name', 'target'],
    advanced: {
      Delivery: ['enabled', 'default', 'groupMs', 'caCertificates'],
      'Quiet times': ['quietTimes', 'timeZone'],
    },
  },
  AlertMail: {
    main: [['host', 'port'], 'sender', 'recipients'],
    advanced: { 'Log-in': ['security', 'userName', 'password'] },
  },
  AlertRule: {
    main: ['projectId', 'name', ['condition', 'severity'], 'channelIds'],
    advanced: {
      Subject: ['watchedSubjectId'],
      Times: ['lastsMs', 'withinMs', 'resolveAfterMs', 'repeatMs'],
      State: ['enabled'],
    },
  },
};
