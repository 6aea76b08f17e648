// The table of all nouns and verbs of `tidegate`, in the order of the help: a noun is a folder of cli/commands and a line here, a
// verb alone is a file there and a line here. A `group` is for its line and those after it.
import type { Entry, Noun, Verb } from './verb.ts';

/** Plural as in the graph; singular for what exists only once. */
export const nouns: Readonly<Record<string, Entry<Noun>>> = {
  projects: {
    group: 'Projects and people:',
    summary: 'Projects, to which everything else belongs.',
    load: async () => (await import('./commands/projects/noun.ts')).projects,
  },
  users: {
    summary: 'People who log in.',
    load: async () => (await import('./commands/users/noun.ts')).users,
  },
  memberships: {
    summary: 'Which users may do what in which project.',
    load: async () => (await import('./commands/memberships/noun.ts')).memberships,
  },
  tokens: {
    summary: 'API tokens of projects.',
    load: async () => (await import('./commands/tokens/noun.ts')).tokens,
  },
  backends: {
    group: 'Calls to devices:',
    short: 'be',
    summary: 'Devices and services to which calls are relayed.',
    load: async () => (await import('./commands/backends/noun.ts')).backends,
  },
  operations: {
    short: 'op',
    summary: 'Calls relayed to backends.',
    load: async () => (await import('./commands/operations/noun.ts')).operations,
  },
  drivers: {
    summary: 'What each kind of device can do, and with which arguments.',
    load: async () => (await import('./commands/drivers/noun.ts')).drivers,
  },
  timeline: {
    summary: 'What follows when a restore or a failover lost writes of the database.',
    load: async () => (await import('./commands/timeline/noun.ts')).timeline,
  },
  mappings: {
    short: 'map',
    summary: 'Which backend object each CMP object became.',
    load: async () => (await import('./commands/mappings/noun.ts')).mappings,
  },
  loadbalancers: {
    group: 'Load balancers:',
    short: 'lb',
    summary: 'Load balancers, their steps and URLs.',
    load: async () => (await import('./commands/loadbalancers/noun.ts')).loadBalancers,
  },
  listeners: {
    short: 'lis',
    summary: 'What a load balancer accepts from clients.',
    load: async () => (await import('./commands/listeners/noun.ts')).listeners,
  },
  pools: {
    summary: 'Members that serve the same content.',
    load: async () => (await import('./commands/pools/noun.ts')).pools,
  },
  members: {
    short: 'mem',
    summary: 'The servers of a pool.',
    load: async () => (await import('./commands/members/noun.ts')).members,
  },
  'health-monitors': {
    summary: 'How the members of a pool are checked.',
    load: async () => (await import('./commands/health-monitors/noun.ts')).healthMonitors,
  },
  l7policies: {
    short: 'l7p',
    summary: 'What listeners do with requests that match.',
    load: async () => (await import('./commands/l7policies/noun.ts')).l7Policies,
  },
  l7rules: {
    short: 'l7r',
    summary: 'The conditions of L7 policies.',
    load: async () => (await import('./commands/l7rules/noun.ts')).l7Rules,
  },
  certificates: {
    short: 'cert',
    summary: 'TLS certificates of listeners and pools.',
    load: async () => (await import('./commands/certificates/noun.ts')).certificates,
  },
  subnets: {
    summary: "The projects' own networks.",
    load: async () => (await import('./commands/subnets/noun.ts')).subnets,
  },
  quotas: {
    summary: 'How many objects of load balancing a project may have.',
    load: async () => (await import('./commands/quotas/noun.ts')).quotas,
  },
  nodes: {
    summary: 'The nodes that serve a load balancer.',
    load: async () => (await import('./commands/nodes/noun.ts')).nodes,
  },
  hosts: {
    summary: 'The machines on which nodes run.',
    load: async () => (await import('./commands/hosts/noun.ts')).hosts,
  },
  gslbs: {
    group: 'DNS names that follow what is alive:',
    summary: 'DNS names whose answer follows what is alive.',
    load: async () => (await import('./commands/gslbs/noun.ts')).gslbs,
  },
  'gslb-pools': {
    summary: 'Members of GSLBs that can replace each other.',
    load: async () => (await import('./commands/gslb-pools/noun.ts')).gslbPools,
  },
  'gslb-members': {
    summary: 'Servers, load balancers and names with which GSLBs answer.',
    load: async () => (await import('./commands/gslb-members/noun.ts')).gslbMembers,
  },
  'gslb-monitors': {
    summary: 'How members of GSLBs are checked.',
    load: async () => (await import('./commands/gslb-monitors/noun.ts')).gslbMonitors,
  },
  flavors: {
    summary: 'What projects may choose for their GSLBs.',
    load: async () => (await import('./commands/flavors/noun.ts')).flavors,
  },
  'vantage-points': {
    summary: 'Places from which members of GSLBs are checked.',
    load: async () => (await import('./commands/vantage-points/noun.ts')).vantagePoints,
  },
  'dns-backends': {
    summary: 'Name servers of other software that answer for GSLBs.',
    load: async () => (await import('./commands/dns-backends/noun.ts')).dnsBackends,
  },
  zones: {
    summary: 'Zones in which GSLBs are created, and the keys that sign them.',
    load: async () => (await import('./commands/zones/noun.ts')).zones,
  },
  clusters: {
    group: 'Object storage:',
    summary: 'Clusters of object storage.',
    load: async () => (await import('./commands/clusters/noun.ts')).clusters,
  },
  rings: {
    summary: 'Which clusters of object storage hold what, and changes of that.',
    load: async () => (await import('./commands/rings/noun.ts')).rings,
  },
  options: {
    summary: 'How objects are kept: replicas, and on which clusters.',
    load: async () => (await import('./commands/options/noun.ts')).storageOptions,
  },
  'access-keys': {
    short: 'ak',
    summary: 'Credentials for S3 at the clusters of object storage.',
    load: async () => (await import('./commands/access-keys/noun.ts')).accessKeys,
  },
  containers: {
    short: 'co',
    summary: 'Containers of objects, at a cluster of object storage.',
    load: async () => (await import('./commands/containers/noun.ts')).containers,
  },
  objects: {
    short: 'obj',
    summary: 'Objects in containers, at a cluster of object storage.',
    load: async () => (await import('./commands/objects/noun.ts')).objects,
  },
  'cmp-objects': {
    group: 'All kinds of objects:',
    short: 'cmp',
    summary: 'Objects of the CMP, and what they became.',
    load: async () => (await import('./commands/cmp-objects/noun.ts')).cmpObjects,
  },
  alerts: {
    summary: 'What needs a person: alerts that fire.',
    load: async () => (await import('./commands/alerts/noun.ts')).alerts,
  },
  'alert-rules': {
    summary: 'What alerts are about.',
    load: async () => (await import('./commands/alert-rules/noun.ts')).alertRules,
  },
  'alert-channels': {
    summary: 'Where alerts are sent.',
    load: async () => (await import('./commands/alert-channels/noun.ts')).alertChannels,
  },
  events: {
    short: 'ev',
    summary: 'Status changes.',
    load: async () => (await import('./commands/events/noun.ts')).events,
  },
  audit: {
    summary: 'The audit trail: who asked for what.',
    load: async () => (await import('./commands/audit/noun.ts')).audit,
  },
  lab: {
    group: 'This installation:',
    summary: 'Devices for trying the drivers, beside a running "npm start".',
    load: async () => (await import('./commands/lab/noun.ts')).lab,
  },
  machines: {
    summary: 'Processes on other hosts, each with its own identity.',
    load: async () => (await import('./commands/machines/noun.ts')).machines,
  },
  ha: {
    summary: 'Two data hosts and a witness: who takes writes, and changes of that.',
    load: async () => (await import('./commands/ha/noun.ts')).ha,
  },
  clock: {
    summary: "The database's clock, and the time that deletions by age go by.",
    load: async () => (await import('./commands/clock/noun.ts')).clock,
  },
  keys: {
    summary: 'Key files, which sign identities and tokens and seal credentials.',
    load: async () => (await import('./commands/keys/noun.ts')).keys,
  },
  published: {
    summary: 'Operations that clients may send by the hash of their text.',
    load: async () => (await import('./commands/published/noun.ts')).published,
  },
  subgraphs: {
    summary: 'Subgraphs that another team runs beside ours.',
    load: async () => (await import('./commands/subgraphs/noun.ts')).subgraphs,
  },
  contexts: {
    group: 'This command line:',
    short: 'ctx',
    summary: 'Servers at which you have logged in, and the chosen one.',
    load: async () => (await import('./commands/contexts/noun.ts')).contexts,
  },
};

/** They concern the program or all kinds of objects. */
export const verbsAlone: Readonly<Record<string, Entry<Verb>>> = {
  up: {
    group: 'Verbs without a noun, to start:',
    summary: 'Start everything on this machine: databases, all roles, the lab.',
    load: async () => (await import('./commands/up.ts')).up,
  },
  serve: {
    summary: 'Run chosen roles with your own database and Redis.',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  demo: {
    summary: 'Play five acts on real parts beside a running "npm start", and clean up after them.',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  join: {
    summary: 'Make this host a machine of an installation, or a host of a cluster, with a token.',
    load: async () => (await import('./commands/join.ts')).join,
  },
  migrate: {
    summary: "Bring the database's tables up to date.",
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  grants: {
    summary: "Print the rights that the database account of the settings' roles needs, as SQL.",
    load: async () => (await import('./commands/grants.ts')).grants,
  },
  reload: {
    summary: 'Have a gateway take over the graph that its settings describe now.',
    load: async () => (await import('./commands/reload.ts')).reload,
  },
  apply: {
    group: 'Verbs without a noun, for all kinds of objects:',
    summary: 'Create and update what files of YAML or JSON, or folders of them, describe.',
    load: async () => (await import('./commands/apply.ts')).apply,
  },
  diff: {
    summary: 'Show what apply would do with files.',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  export: {
    summary: 'Write what there is as a file that apply takes.',
    load: async () => (await import('./commands/export.ts')).exportObjects,
  },
  find: {
    summary: 'Find objects by a word in their names, by an id, or by an address.',
    load: async () => (await import('./commands/find.ts')).find,
  },
  top: {
    summary: 'Show what needs a person, and all objects, live on the whole terminal.',
    load: async () => (await import('./commands/top.ts')).topOf(nouns, verbsAlone),
  },
  why: {
    summary: 'Tell why an object is in its state: its last events and calls.',
    load: async () => (await import('./commands/why.ts')).why,
  },
  call: {
    summary: 'Have a backend carry out an operation of its driver.',
    load: async () => (await import('./commands/call.ts')).call,
  },
  read: {
    summary: 'Read from a backend, by an operation of its driver.',
    load: async () => (await import('./commands/read.ts')).read,
  },
  gql: {
    summary: 'Send a GraphQL operation from a file.',
    load: async () => (await import('./commands/gql.ts')).gql,
  },
  explain: {
    summary: 'Show what the gateway would do with an operation, and its limits.',
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  'check-client': {
    summary: 'Play failures to a client of the graph, and judge what it does.',
    load: async () => (await import('./commands/check-client.ts')).checkClient,
  },
  login: {
    group: 'Verbs without a noun, for this command line:',
    summary: 'Log in at a server, or at a cluster of object storage.',
    load: async () => (await import('./commands/login.ts')).login,
  },
  complete: {
    summary: 'Print the completion script for bash, zsh or fish.',
    load: async () => (await import('./commands/complete.ts')).completeOf(nouns, verbsAlone),
  },
  'complete-names': {
    hidden: true,
    summary: 'Print the names that a completion script offers.',
    load: async () => (await import('./commands/complete-names.ts')).completeNames,
  },
};
