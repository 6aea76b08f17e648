// Common behaviour of every noun in the program's table: its list begins with the names of the columns, even if it is empty, and the
// message for a missing object names its kind. A new noun needs a row here.
import type { Answers } from '../graph-server.ts';
import { emptyBeside } from './finding.ts';

/** There is nothing. */
export const emptyGraph: Answers = emptyBeside(
  Object.fromEntries([
    ...['node', 'backend', 'relayOperation', 'mapping', 'loadBalancer', 'loadBalancerHost', 'tlsCertificate'].map(
      (field) => [field, () => null] as const,
    ),
    ...['objectCluster', 'objectOption'].map((field) => [field, () => null] as const),
    ...['relayDrivers', 'loadBalancerQuotas'].map((field) => [field, () => []] as const),
    ['me', () => ({ projects: [] })] as const,
  ]),
);

type Row = readonly [columns: string | undefined, what?: string];
const inParent = (what: string, parent: string): Row => [
  undefined,
  `${what} 'none': name it as ${parent}/NAME, or by its id`,
];
/** It has neither of them, or none that belongs to the graph. */
const none: Row = [undefined];

/**
 * For each noun, the columns of its list, if that needs no parent. Also the message for a missing object: more than its name if it contains an
 * apostrophe.
 */
export const everyNoun: Readonly<Record<string, Row>> = {
  projects: ['NAME  DESCRIPTION  VIEWER ROLE', 'project'],
  users: ['NAME  ADMIN  ENABLED  CREATED AT', 'user'],
  memberships: none,
  tokens: ['NAME  PROJECT  ROLE  PREFIX  EXPIRES AT  LAST USED AT  REVOKED AT', 'token'],
  backends: ['NAME  DRIVER  ADDRESS  SITE  ENABLED  OPERATING  CIRCUIT  WAITING  IN FLIGHT', 'backend'],
  operations: ['ID  CREATED  BACKEND  OPERATION  STATE  FOR  BY', 'operation'],
  drivers: ['NAME  FAMILY  OPERATIONS  SUMMARY', `driver 'none': see "tidegate drivers list"`],
  timeline: none,
  mappings: ['ID  FOR  BACKEND  RESOURCE  SCOPE  KEY  STATE  FOUND  CHANGED', 'mapping'],
  loadbalancers: ['NAME  PROVISIONING  OPERATING  NODES  URLS', 'load balancer'],
  listeners: inParent('listener', 'LOADBALANCER'),
  pools: inParent('pool', 'LOADBALANCER'),
  members: inParent('member', 'POOL'),
  'health-monitors': [undefined, 'health monitor'],
  l7policies: inParent('L7 policy', 'LISTENER'),
  l7rules: inParent('L7 rule', 'L7POLICY'),
  certificates: ['NAME  HOST NAMES  EXPIRES  ISSUER  ID', 'certificate'],
  subnets: ['NAME  CIDR  PROVISIONING STATUS  ID', 'subnet'],
  quotas: ['QUOTA  USED  LIMIT'],
  nodes: none,
  hosts: ['HOST  PRESENCE  PROVIDER  NODES  ADDRESSES  SITE  NEW NODES  CONFINED', 'host'],
  gslbs: ['NAME  POLICY  PROVISIONING  OPERATING  POOLS', 'GSLB'],
  'gslb-pools': ['NAME  MIN UP  ANSWER SCOPE  FAILBACK  ID', 'GSLB pool'],
  'gslb-members': inParent('GSLB member', 'POOL'),
  'gslb-monitors': ['NAME  CHECK TYPE  INTERVAL MS  TIMEOUT MS  RISE  FALL  ID', 'GSLB monitor'],
  flavors: ['NAME  BACKEND  POLICIES  SHORTEST TTL SECONDS  SHORTEST INTERVAL MS  ID', 'flavor'],
  'vantage-points': ['NAME  REGION  LATITUDE  LONGITUDE  ID', 'vantage point'],
  'dns-backends': ['NAME  BACKEND TYPE  CREDENTIALS SET  ID', 'DNS backend'],
  zones: ['ZONE  BACKEND  TYPE  GENERATION', 'zone'],
  clusters: ['CLUSTER  NUMBER  STATE  ZONE  WEIGHT  S3  SITE', 'cluster'],
  rings: ['RING  NUMBER  EPOCH  REPLICAS  PARTITIONS'],
  options: ['OPTION  NUMBER  REPLICAS  DEFAULT  READS  CLUSTERS  RING', 'option'],
  'access-keys': ['ACCESS KEY  NAME  PROJECT  RIGHTS  CREATED  STATE', 'access key'],
  containers: none,
  objects: none,
  'cmp-objects': none,
  alerts: ['STATE  SEVERITY  RULE  SUBJECT  STATUS  SINCE  REASON  ID'],
  'alert-rules': ['NAME  CONDITION  SEVERITY  ENABLED  SILENT  PROJECT', 'alert rule'],
  'alert-channels': ['NAME  CHANNEL KIND  DESTINATION  ENABLED  DEFAULT  FAILING SINCE  PROJECT', 'alert channel'],
  events: [''],
  audit: ['AT  WHO  MUTATION  OBJECT  RESULT  REQUEST'],
  lab: none,
  machines: ['NAME  ROLE  STATE  JOINED  EXPIRES  ID', 'machine'],
  ha: none,
  clock: none,
  keys: none,
  backup: none,
  published: ['NAME  TYPE  PUBLISHED  HASH'],
  subgraphs: none,
  contexts: none,
};
