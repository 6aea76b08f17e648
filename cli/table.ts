// The table of all nouns and verbs of `tidegate`, in the order of the help. A noun is a folder of cli/commands and a line here. A verb alone is a
// file there and a line here. A `group` applies to its line and the following ones.
import type { Entry, Noun, Verb } from './verb.ts';

/** Plural as in the graph. Singular if there is only one. */
export const nouns: Readonly<Record<string, Entry<Noun>>> = {
  projects: {
    group: 'Projects and people:',
    summary: 'Projects, to which everything else belongs.',
    load: async () => (await import('./commands/projects/projects.ts')).projects,
  },
  users: {
    summary: 'People who log in.',
    load: async () => (await import('./commands/users/users.ts')).users,
  },
  memberships: {
    summary: 'Which users may do what in which project.',
    load: async () => (await import('./commands/memberships/memberships.ts')).memberships,
  },
  tokens: {
    summary: 'API tokens of projects.',
    load: async () => (await import('./commands/tokens/tokens.ts')).tokens,
  },
  backends: {
    group: 'Calls to devices:',
    short: 'be',
    summary: 'Devices and services to which calls are relayed.',
    load: async () => (await import('./commands/backends/backends.ts')).backends,
  },
  operations: {
    short: 'op',
    summary: 'Calls relayed to backends.',
    load: async () => (await import('./commands/operations/operations.ts')).operations,
  },
  drivers: {
    summary: 'Operations of each kind of device, and their arguments.',
    load: async () => (await import('./commands/drivers/drivers.ts')).drivers,
  },
  timeline: {
    summary: 'Recovery after a restore or a failover that lost writes.',
    load: async () => (await import('./commands/timeline/timeline.ts')).timeline,
  },
  mappings: {
    short: 'map',
    summary: 'Which backend object each CMP object became.',
    load: async () => (await import('./commands/mappings/mappings.ts')).mappings,
  },
  loadbalancers: {
    group: 'Load balancers:',
    short: 'lb',
    summary: 'Load balancers, their steps and URLs.',
    load: async () => (await import('./commands/loadbalancers/loadbalancers.ts')).loadBalancers,
  },
  listeners: {
    short: 'lis',
    summary: 'Ports and protocols of a load balancer.',
    load: async () => (await import('./commands/listeners/listeners.ts')).listeners,
  },
  pools: {
    summary: 'Members that serve the same content.',
    load: async () => (await import('./commands/pools/pools.ts')).pools,
  },
  members: {
    short: 'mem',
    summary: 'The servers of a pool.',
    load: async () => (await import('./commands/members/members.ts')).members,
  },
  'health-monitors': {
    summary: 'How the members of a pool are checked.',
    load: async () => (await import('./commands/health-monitors/health-monitors.ts')).healthMonitors,
  },
  l7policies: {
    short: 'l7p',
    summary: 'Actions of listeners for matching requests.',
    load: async () => (await import('./commands/l7policies/l7policies.ts')).l7Policies,
  },
  l7rules: {
    short: 'l7r',
    summary: 'The conditions of L7 policies.',
    load: async () => (await import('./commands/l7rules/l7rules.ts')).l7Rules,
  },
  certificates: {
    short: 'cert',
    summary: 'TLS certificates of listeners and pools.',
    load: async () => (await import('./commands/certificates/certificates.ts')).certificates,
  },
  subnets: {
    summary: "The projects' own networks.",
    load: async () => (await import('./commands/subnets/subnets.ts')).subnets,
  },
  quotas: {
    summary: 'How many objects of load balancing a project may have.',
    load: async () => (await import('./commands/quotas/quotas.ts')).quotas,
  },
  nodes: {
    summary: 'The nodes that serve a load balancer.',
    load: async () => (await import('./commands/nodes/nodes.ts')).nodes,
  },
  hosts: {
    summary: 'The machines on which nodes run.',
    load: async () => (await import('./commands/hosts/hosts.ts')).hosts,
  },
  gslbs: {
    group: 'DNS names that follow what is alive:',
    summary: 'DNS names whose answer follows what is alive.',
    load: async () => (await import('./commands/gslbs/gslbs.ts')).gslbs,
  },
  'gslb-pools': {
    summary: 'Members of GSLBs that can replace each other.',
    load: async () => (await import('./commands/gslb-pools/gslb-pools.ts')).gslbPools,
  },
  'gslb-members': {
    summary: 'Servers, load balancers and names with which GSLBs answer.',
    load: async () => (await import('./commands/gslb-members/gslb-members.ts')).gslbMembers,
  },
  'gslb-monitors': {
    summary: 'How members of GSLBs are checked.',
    load: async () => (await import('./commands/gslb-monitors/gslb-monitors.ts')).gslbMonitors,
  },
  flavors: {
    summary: 'Limits and features of GSLBs.',
    load: async () => (await import('./commands/flavors/flavors.ts')).flavors,
  },
  'vantage-points': {
    summary: 'Places from which members of GSLBs are checked.',
    load: async () => (await import('./commands/vantage-points/vantage-points.ts')).vantagePoints,
  },
  'dns-backends': {
    summary: 'Name servers of other software that answer for GSLBs.',
    load: async () => (await import('./commands/dns-backends/dns-backends.ts')).dnsBackends,
  },
  zones: {
    summary: 'Zones in which GSLBs are created, and the keys that sign them.',
    load: async () => (await import('./commands/zones/zones.ts')).zones,
  },
  clusters: {
    group: 'Object storage:',
    summary: 'Clusters of object storage.',
    load: async () => (await import('./commands/clusters/clusters.ts')).clusters,
  },
  rings: {
    summary: 'Which clusters of object storage hold what, and changes of that.',
    load: async () => (await import('./commands/rings/rings.ts')).rings,
  },
  options: {
    summary: 'How objects are kept: replicas, and on which clusters.',
    load: async () => (await import('./commands/options/options.ts')).storageOptions,
  },
  'access-keys': {
    short: 'ak',
    summary: 'Credentials for S3 at the clusters of object storage.',
    load: async () => (await import('./commands/access-keys/access-keys.ts')).accessKeys,
  },
  containers: {
    short: 'co',
    summary: 'Containers of objects, at a cluster of object storage.',
    load: async () => (await import('./commands/containers/containers.ts')).containers,
  },
  objects: {
    short: 'obj',
    summary: 'Objects in containers, at a cluster of object storage.',
    load: async () => (await import('./commands/objects/objects.ts')).objects,
  },
  'cmp-objects': {
    group: 'All kinds of objects:',
    short: 'cmp',
    summary: 'Objects of the CMP, with their mappings.',
    load: async () => (await import('./commands/cmp-objects/cmp-objects.ts')).cmpObjects,
  },
  alerts: {
    summary: 'Alerts that need attention.',
    load: async () => (await import('./commands/alerts/alerts.ts')).alerts,
  },
  'alert-rules': {
    summary: 'Conditions that raise alerts.',
    load: async () => (await import('./commands/alert-rules/alert-rules.ts')).alertRules,
  },
  'alert-channels': {
    summary: 'Where alerts are sent.',
    load: async () => (await import('./commands/alert-channels/alert-channels.ts')).alertChannels,
  },
  events: {
    short: 'ev',
    summary: 'Status changes.',
    load: async () => (await import('./commands/events/events.ts')).events,
  },
  audit: {
    summary: 'The audit trail of requests.',
    load: async () => (await import('./commands/audit/audit.ts')).audit,
  },
  lab: {
    group: 'This installation:',
    summary: 'Devices for trying the drivers, with a running "npm start".',
    load: async () => (await import('./commands/lab/lab.ts')).lab,
  },
  machines: {
    summary: 'Processes on other hosts, each with its own identity.',
    load: async () => (await import('./commands/machines/machines.ts')).machines,
  },
  ha: {
    summary: 'Two data hosts and a witness: the primary, and its moves.',
    load: async () => (await import('./commands/ha/ha.ts')).ha,
  },
  clock: {
    summary: "The database's clock, and the time that deletions by age go by.",
    load: async () => (await import('./commands/clock/clock.ts')).clock,
  },
  keys: {
    summary: 'Key files, which sign identities and tokens and seal credentials.',
    load: async () => (await import('./commands/keys/keys.ts')).keys,
  },
  backup: {
    summary: 'Encrypted copies of the database, with its binary log.',
    load: async () => (await import('./commands/backup/backup.ts')).backup,
  },
  published: {
    summary: 'Operations that clients may send by the hash of their text.',
    load: async () => (await import('./commands/published/published.ts')).published,
  },
  subgraphs: {
    summary: 'Subgraphs that other teams run.',
    load: async () => (await import('./commands/subgraphs/subgraphs.ts')).subgraphs,
  },
  contexts: {
    group: 'This command line:',
    short: 'ctx',
    summary: 'Servers at which you have logged in, and the chosen one.',
    load: async () => (await import('./commands/contexts/contexts.ts')).contexts,
  },
};

/** Verbs for the program, or for all kinds of objects. */
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
  setup: {
    summary: 'Make the settings, units, keys and machines of all hosts of an installation from a hosts file.',
    load: async () => (await import('./commands/setup.ts')).setup,
  },
  demo: {
    summary: 'Play five acts on real parts with a running "npm start", and clean up after them.',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  join: {
    summary: 'Make this host a machine of an installation, or a host of a cluster, with a token.',
    load: async () => (await import('./commands/join.ts')).join,
  },
  doctor: {
    summary: 'Look for what is wrong with this host, and print what mends it.',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  migrate: {
    summary: "Bring the database's tables up to date.",
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  upgrade: {
    summary: 'Take an installation that serves to this version, one process after the other, or back.',
    load: async () => (await import('./commands/upgrade.ts')).upgrade,
  },
  processes: {
    summary: 'List the processes that use the database, with their versions.',
    load: async () => (await import('./commands/processes.ts')).processes,
  },
  grants: {
    summary: "Print the rights that the database account of the settings' roles needs, as SQL.",
    load: async () => (await import('./commands/grants.ts')).grants,
  },
  restore: {
    summary: 'Restore a backup into an empty data folder for MariaDB.',
    load: async () => (await import('./commands/restore.ts')).restore,
  },
  reload: {
    summary: 'Have a gateway take over the graph that its settings describe now.',
    load: async () => (await import('./commands/reload.ts')).reload,
  },
  apply: {
    group: 'Verbs without a noun, for all kinds of objects:',
    summary: 'Create and update the objects in YAML or JSON files or folders.',
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
  history: {
    summary: 'List who changed which settings, and when.',
    load: async () => (await import('./commands/history.ts')).history,
  },
  compare: {
    summary: 'Compare the settings of an object with those of an earlier time.',
    load: async () => (await import('./commands/compare.ts')).compare,
  },
  undo: {
    summary: 'Take a change of settings back.',
    load: async () => (await import('./commands/undo.ts')).undo,
  },
  find: {
    summary: 'Find objects by a word in their names, by an id, or by an address.',
    load: async () => (await import('./commands/find.ts')).find,
  },
  top: {
    summary: 'Show what needs attention, and all objects, live on the whole terminal.',
    load: async () => (await import('./commands/top.ts')).topOf(nouns, verbsAlone),
  },
  why: {
    summary: 'Explain the state of an object: its last events and calls.',
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
    summary: 'Play failures to a client of the graph, and judge its behaviour.',
    load: async () => (await import('./commands/check-client.ts')).checkClient,
  },
  login: {
    group: 'Verbs without a noun, for this command line:',
    summary: 'Log in at a server, or at a cluster of object storage.',
    load: async () => (await import('./commands/login.ts')).login,
  },
  complete: {
    also: ['completion'],
    summary: 'Print the completion script for bash, zsh or fish.',
    load: async () => (await import('./commands/complete.ts')).completeOf(nouns, verbsAlone),
  },
  'complete-names': {
    hidden: true,
    summary: 'Print the names that a completion script offers.',
    load: async () => (await import('./commands/complete-names.ts')).completeNames,
  },
};
