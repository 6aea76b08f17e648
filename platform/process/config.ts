// One schema for all settings. A setting has one dotted name: `listen.port` is `--set listen.port=…`, TIDEGATE_LISTEN_PORT and
// `listen: { port: … }` in the file. Flags take precedence over the environment, the environment over the file, the file over the defaults.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { z } from 'zod';
import { ConfigError, type ConfigFault, unusableFile } from '../errors/config-error.ts';
import { type OutsideSubgraph, queryDeadlineMs, takeOutsideSubgraphs } from '../machines/outside-subgraphs.ts';
import { canonicalAddressBlock } from '../net/address-block.ts';
import { canonicalEgressRule } from '../net/egress.ts';

/** Settings by dotted name; the description of each shape is its meaning. */
export type SettingShapes = Readonly<Record<string, z.ZodType>>;
export type SettingsOf<Shapes extends SettingShapes> = { readonly [Name in keyof Shapes]: z.output<Shapes[Name]> };

/** The settings' view of a subgraph. */
interface SettingsRow {
  readonly name: string;
  readonly oneAtATime?: boolean;
  readonly settings: SettingShapes;
  readonly uses?: readonly { readonly settings: SettingShapes }[];
  readonly roles?: readonly { readonly name: string; readonly standard: boolean }[];
}

const port = z.coerce.number().int().min(0).max(65_535);
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const text = z.string().min(1);
const file = z.string().min(1);
const flag = z.union([z.boolean(), z.stringbool()]);
const url = z.url({ protocol: /^https?$/ });
const listOf = (canonical: (text: string) => string | undefined, wanted: string) =>
  z
    .union([
      z.array(z.string()),
      z.string().transform((value) => value.split(',').filter((each) => each.trim() !== '')),
    ])
    .pipe(
      z.array(
        z.string().transform((text, context) => {
          const value = canonical(text.trim());
          if (value !== undefined) return value;
          context.addIssue({ code: 'custom', message: `${text} is not ${wanted}` });
          return z.NEVER;
        }),
      ),
    );
/** Of host names, in lower case and without a final dot (dns/names.ts). */
const zoneName = /^(?=.{1,243}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const urls = listOf((text) => (url.safeParse(text).success ? text : undefined), 'an http or https URL');
const origins = listOf(
  (text) => (url.safeParse(text).success && !text.includes('*') && new URL(text).origin === text ? text : undefined),
  'an origin as browsers write it, such as https://app.example or http://localhost:5173: no path, no final slash, no wildcard',
).refine(({ length }) => length <= 100, 'give at most 100 origins');
const blocks = listOf(canonicalAddressBlock, 'an address or CIDR block');
const hostList = z.union([z.array(z.string()), z.string().transform((value) => value.split(','))]).pipe(
  z
    .array(
      z.string().transform((text, context): ListedHost => {
        const found = listedHost(text.trim());
        if (found !== undefined) return found;
        context.addIssue({ code: 'custom', message: `${text} is not a host, or a host with a port` });
        return z.NEVER;
      }),
    )
    .min(1)
    .max(9),
);
const zoneNames = listOf((text) => (zoneName.test(text) ? text : undefined), 'the name of a zone, such as example.net');
const egressRules = listOf(
  canonicalEgressRule,
  'an address or CIDR block, with a port (192.0.2.1:22, [2001:db8::/32]:443) or without',
);

interface ListedHost {
  readonly host: string;
  /** Default: the setting for the port. */
  readonly port?: number;
}

/** `db1`, `db1:3307`, `2001:db8::1` or `[2001:db8::1]:3307`; Undefined for other text. */
function listedHost(text: string): ListedHost | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return /^[0-9a-fA-F:.]+$/.test(text) && text.includes(':') ? { host: text } : undefined;
  const host = match[1] ?? match[2] ?? '';
  if (match[3] === undefined) return { host };
  const given = port.safeParse(match[3]);
  return given.success ? { host, port: given.data } : undefined;
}

/** The settings that belong to no subgraph: shape, default and meaning. */
const platformSettings = {
  name: text.max(63).default(hostname().slice(0, 63)).describe('name of this process in health, leases and logs'),
  'listen.host': text.default('127.0.0.1').describe('address of the public endpoint'),
  'listen.port': port.default(4000).describe('port of the public endpoint; 0 takes a free one'),
  'listen.trustedProxies': blocks
    .default([])
    .describe('addresses and CIDR blocks, separated by commas, of the proxies whose X-Forwarded-For header is trusted'),
  'listen.proxyProtocol': flag
    .default(false)
    .describe('whether the proxies in listen.trustedProxies speak the PROXY protocol (version 1 or 2)'),
  'listen.corsOrigins': origins
    .default([])
    .describe(
      'origins, separated by commas, such as `https://app.example`: pages of these may use the endpoint from a browser, with a bearer token; default: only its own pages',
    ),
  'listen.maxConnections': count(100, 1_000_000)
    .default(20_000)
    .describe(
      'maximum number of connections to the public endpoint; a further one closes the oldest that no logged-in user is using',
    ),
  'listen.maxConnectionsOfNetwork': count(10, 1_000_000)
    .default(1000)
    .describe(
      'the same for one network (an IPv4 address, or an IPv6 /64), without those that logged-in users are using, and those of listen.trustedProxies',
    ),
  'listen.tls.certFile': file.optional().describe('certificate chain (PEM) of the public endpoint'),
  'listen.tls.keyFile': file.optional().describe('private key (PEM) of the public endpoint'),
  'egress.allow': egressRules
    .default([])
    .describe(
      'addresses and CIDR blocks, separated by commas, to which connections for users are allowed although a wider rule denies them; with a port (`192.0.2.1:22`, `[2001:db8::/32]:443`) for that port only',
    ),
  'egress.deny': egressRules
    .optional()
    .describe(
      'addresses and CIDR blocks to which connections for users are denied, in addition to the built-in rules (docs/security.md); of `egress.allow` and `egress.deny` the narrower rule applies; default: none, and with the lab of `npm start` all',
    ),
  'internal.host': text.default('127.0.0.1').describe('address on which this process serves its subgraphs to gateways'),
  'internal.graphPort': port
    .optional()
    .describe(
      'role gateway: port at internal.host for queries of subgraphs in other processes to the graph; 0 takes a free one; default: no such queries',
    ),
  'internal.graphUrls': urls
    .default([])
    .describe(
      'URLs, separated by commas, of gateways at their internal.graphPort, tried in turn, for queries of subgraphs in this process to the graph; not needed with the role gateway',
    ),
  'internal.tls.certFile': file.optional().describe('certificate (PEM) for mutual TLS between gateway and subgraphs'),
  'internal.tls.keyFile': file.optional().describe('private key (PEM) of that certificate'),
  'internal.tls.caFile': file.optional().describe('certificate authority (PEM) that gateway and subgraphs trust'),
  'internal.machineFolder': file
    .optional()
    .describe('folder of the credentials that "tidegate join" writes, in place of internal.tls'),
  'internal.machineUrls': urls
    .refine(({ length }) => length <= 9, 'give at most 9 URLs')
    .default([])
    .describe(
      'URLs (`https://HOST:PORT/graphql`), separated by commas, of the gateways from which such a machine gets revocations and new credentials: one is used until it fails, then the next; default: the gateway where it joined',
    ),
  'database.socketPath': file.optional().describe('Unix socket of MariaDB, in place of host and port'),
  'database.host': hostList
    .optional()
    .describe(
      'host of MariaDB, or the virtual IP of the primary; or all its hosts, separated by commas (`a,b:3307,[2001:db8::1]:3306`), of which the primary is found',
    ),
  'database.port': port.default(3306).describe('port of MariaDB'),
  'database.user': text.default('tidegate').describe('account at MariaDB; must not have SUPER or READ_ONLY ADMIN'),
  'database.password': z.string().default('').describe('password at MariaDB; prefer database.passwordFile'),
  'database.passwordFile': file.optional().describe('file whose first line is the password at MariaDB'),
  'database.name': text.max(64).default('tidegate').describe('name of the database'),
  'database.caFile': file.optional().describe('certificate authority (PEM) of MariaDB; turns TLS on'),
  'database.connections': count(5, 200)
    .default(20)
    .describe('maximum number of connections of this process to MariaDB'),
  'database.dataFolder': file
    .optional()
    .describe(
      'data folder of a MariaDB on this host: writes are refused while its disk is nearly full, and, with several hosts in database.host, the primary is on this host',
    ),
  'database.standbyHost': text
    .optional()
    .describe('host of the in-sync standby, on which replication of writes is checked'),
  'database.standbyPort': port.default(3306).describe('port of the standby'),
  'ha.host': text
    .max(63)
    .optional()
    .describe(
      'name of the data host that runs this process, as its agent knows it: when the host is lost, its leases end',
    ),
  'ha.strict': flag
    .default(false)
    .describe('whether new work is refused while commits wait for no standby; needs the servers in database.host'),
  'ha.dataFolder': file
    .optional()
    .describe(
      'data folder of "tidegate ha agent" on this host: administrators then see and control the cluster of its hosts in the graph; without database.host, the hosts of the database, database.caFile, ha.host and ha.strict come from the cluster',
    ),
  'ha.ownRedis': flag
    .default(false)
    .describe('"tidegate ha agent": whether it runs a Redis of this host at redis.path, for "tidegate serve" there'),
  'serve.quiet': flag
    .default(false)
    .describe(
      'read only, for drills and maintenance: the subgraphs of `roles` with a gateway in one process, without work, links, ports for machines, Redis and connections to anything but the database; changes are refused with QUIET_MODE. The same as `serve --quiet`',
    ),
  'serve.user': count(0, 4_294_967_294)
    .optional()
    .describe(
      'numeric id of the user and group to which "tidegate serve" switches when root starts it; 0 to stay root',
    ),
  'redis.path': file.optional().describe('Unix socket of Redis, in place of host and port'),
  'redis.sentinels': hostList
    .optional()
    .describe(
      'Sentinels, separated by commas (`a,b:26379,[2001:db8::1]`; port 26379 without one), that tell which Redis is the primary, in place of redis.host',
    ),
  'redis.sentinelName': text.default('mymaster').describe('name under which the Sentinels watch it'),
  'redis.sentinelPassword': z
    .string()
    .optional()
    .describe('password at the Sentinels; prefer redis.sentinelPasswordFile; default: they ask for none'),
  'redis.sentinelPasswordFile': file.optional().describe('file whose first line is the password at the Sentinels'),
  'redis.host': text.optional().describe('host of Redis'),
  'redis.port': port.default(6379).describe('port of Redis'),
  'redis.password': z.string().optional().describe('password at Redis; prefer redis.passwordFile'),
  'redis.passwordFile': file.optional().describe('file whose first line is the password at Redis'),
  'redis.tls': flag.default(false).describe('use TLS to Redis, and to its Sentinels'),
  'ha.address': z
    .enum(['virtual', 'dns', 'none'])
    .default('virtual')
    .describe(
      '"tidegate ha agent": virtual: the address of "tidegate ha init --vip" is at the primary; dns: the primary publishes its address at ha.dnsName; none: neither at this host, and balancers query /health/primary',
    ),
  'ha.dnsName': text
    .optional()
    .describe('with ha.address dns: the name of the primary, in lower case, without a final dot'),
  'ha.dnsZone': text.optional().describe('with ha.address dns: the zone of ha.dnsName'),
  'ha.dnsServers': hostList
    .optional()
    .describe(
      'with ha.address dns: the IP addresses of DNS servers, separated by commas (port 53 without one), that accept updates (RFC 2136) of the zone; each gets every update',
    ),
  'ha.dnsKeyFile': file
    .optional()
    .describe(
      'with ha.address dns: file with the key of the servers, as "tsig-keygen -a hmac-sha256 NAME" writes it; only its owner may read it',
    ),
  'ha.dnsAddress': text
    .optional()
    .describe('with ha.address dns: the IP address at which clients reach this host; default: its own'),
  'ha.nameServerPort': count(1, 65_535)
    .optional()
    .describe(
      '"tidegate ha agent": port at which the primary runs a PowerDNS, at its own address and the virtual one, in which "tidegate serve" publishes names; the same at each data host; default: it runs none',
    ),
  'ha.nameServerZones': zoneNames
    .refine((zones) => zones.length <= 100, 'more than 100 zones')
    .default([])
    .describe('with ha.nameServerPort: the zones in it, separated by commas; at most 100'),
  'ha.processFile': file
    .optional()
    .describe(
      'file in which "tidegate serve" notes its process for "tidegate ha agent": that process ends its clients\' connections before a planned move of the virtual address',
    ),
  'ha.rejoin': z
    .enum(['auto', 'manual'])
    .default('auto')
    .describe(
      '"tidegate ha agent": auto: a lost primary returns automatically as the other host\'s copy; manual: it stays out until "tidegate ha rejoin"',
    ),
  'ha.watchdogDevice': file
    .optional()
    .describe(
      '"tidegate ha agent": watchdog of the machine (/dev/watchdog), which resets it if a primary\'s server can\'t be ended when its lease is over; the driver decides its timeout',
    ),
  'ha.device': text
    .max(15)
    .optional()
    .describe('network interface of the virtual address; default: the interface with the address of this host'),
  'ha.copyMibPerSecond': count(1, 100_000)
    .default(100)
    .describe('MiB in a second at which this host gives another one a copy of its database'),
  'database.onSetBack': z
    .enum(['continue', 'refuse'])
    .default('continue')
    .describe(
      'what to do when the database lacks commits that were acknowledged, because a backup was restored or a failover lost them; continue: begin a lossy timeline; refuse: do not start, and report a running process as not ready',
    ),
  'database.memoryFile': file
    .optional()
    .describe(
      'file in which the processes of a host remember recent commits, to notice a database that was set back; default: database.memory in keys.folder',
    ),
  'keys.folder': file
    .optional()
    .describe('folder of the key files that "tidegate keys create" writes; each role reads only its own'),
  'keys.sealingFile': file
    .optional()
    .describe('key file that seals stored credentials; default: sealing.keys in keys.folder'),
  'log.level': z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('lowest level that is logged'),
  'log.format': z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('format of the log; auto: pretty on a terminal, otherwise json'),
  'log.slowMs': count(0, 600_000)
    .default(1000)
    .describe(
      'milliseconds after which a statement or transaction of the database, an operation at the gateway, a request to a subgraph or a call of the relay is logged as slow, without values, at most 10 lines a second; 0: none is',
    ),
  'log.access': flag
    .default(false)
    .describe(
      'role gateway: log each request of the public endpoint with its caller, the name and hash of its operation, status, milliseconds by part, and bytes; never variables or texts of operations',
    ),
  'graphql.introspection': flag.default(true).describe('allow introspection of the schema'),
  'graphql.anonymousIntrospection': flag.default(false).describe('allow introspection without a login'),
  'graph.publicSchema': flag
    .default(false)
    .describe(
      'serve the public part of the schema at /graphql/schema.graphql without a login, even if introspection is not allowed',
    ),
  'operations.accept': z
    .enum(['any', 'log', 'published'])
    .default('any')
    .describe(
      'which operations are executed: any; log: any, but unpublished ones are counted and logged; published: only operations that administrators have published',
    ),
  'graphql.maxDepth': count(1, 100).default(12).describe('maximum depth of an operation'),
  'graphql.maxAliases': count(0, 1000).default(30).describe('maximum number of aliases in a document'),
  'graphql.maxTokens': count(100, 100_000).default(4000).describe('maximum number of tokens in a document'),
  'graphql.maxAnonymousTokens': count(50, 100_000)
    .default(200)
    .describe(
      'maximum number of tokens in a document without a login; with `graphql.anonymousIntrospection`, at least the tokens of an introspection query are allowed',
    ),
  'graphql.maxCost': count(100, 10_000_000)
    .default(50_000)
    .describe(
      'highest cost of an operation: the number of fields that it can resolve, where some count more (docs/graph.md)',
    ),
  'graphql.mutationsPerMinute': count(60, 10_000_000)
    .default(30_000)
    .describe(
      'maximum number of mutations of one user per minute in each gateway, over all sessions and API tokens; as many may come at once; a token made by an administrator or on the command line counts separately',
    ),
  'graphql.refusedKibPerMinute': count(10, 1_000_000)
    .default(300)
    .describe(
      'KiB of refused documents of one user, or of new documents of one network without a login, in a minute in each gateway; beyond that, only documents that were accepted before are accepted',
    ),
  'graphql.maxBodyBytes': count(1024, 16_777_216).default(262_144).describe('maximum size of a request body'),
  'sockets.maxPerUser': count(10, 10_000)
    .default(500)
    .describe(
      'maximum number of sockets and event streams of one user in each gateway, over all sessions and API tokens; a token made by an administrator or on the command line counts separately',
    ),
  'subscriptions.max': count(10, 1_000_000).default(20_000).describe('maximum number of subscriptions in each gateway'),
  'subscriptions.maxPerUser': count(1, 1_000_000)
    .default(1000)
    .describe('maximum number of subscriptions of one user in each gateway, over all sessions and API tokens'),
  'subscriptions.maxEventCost': count(20, 1_000_000)
    .default(2000)
    .describe(
      'maximum number of fields that one event may resolve for the subscriptions of one user with the same rights; subscriptions that differ only in a filter count once, plus 10 for each further one',
    ),
  'metrics.public': flag.default(false).describe('serve /metrics to other hosts too'),
  'watch.host': text.default('127.0.0.1').describe('address of watch.port'),
  'watch.port': port
    .optional()
    .describe(
      'port at which this process answers /health/live, /health/ready and /metrics over HTTP, also without the role gateway; 0 takes a free one; default: only the public endpoint does',
    ),
  'retention.eventDays': count(1, 3650).default(30).describe('days for which status events are kept'),
  'audit.anchorFile': file
    .optional()
    .describe("file to which a worker appends the audit trail's signed end once a minute; best on another host"),
  'retention.auditDays': count(1, 36_500)
    .default(730)
    .describe('days for which audit entries and earlier settings of objects are kept'),
} as const;

type SettingName = keyof typeof platformSettings;

/** The settings by dotted name. A subgraph's own are read with `settingsOf` and `placeOf`. */
export type Config = SettingsOf<typeof platformSettings> & {
  readonly roles: readonly string[];
  readonly outsideSubgraphs: readonly OutsideSubgraph[];
};

/** All roles, and the default ones. */
export function rolesOf(rows: readonly SettingsRow[]): {
  readonly all: readonly string[];
  readonly standard: readonly string[];
} {
  const extra = rows.flatMap((row) => row.roles ?? []);
  const served = ['gateway', ...rows.map(({ name }) => name), 'worker'];
  const names = (roles: readonly { readonly name: string }[]) => roles.map(({ name }) => name);
  return {
    all: [...served, ...names(extra)],
    standard: [...served, ...names(extra.filter(({ standard }) => standard))],
  };
}

function shapesOf(rows: readonly SettingsRow[]): SettingShapes {
  const { all, standard } = rolesOf(rows);
  const roles = z
    .union([z.array(z.string()), z.string().transform((value) => value.split(',').map((role) => role.trim()))])
    .pipe(z.array(z.enum(all)).min(1))
    .default([...standard])
    .describe(`roles of this process, separated by commas: ${all.join(', ')}`);
  const own = rows.flatMap(({ name, oneAtATime, settings, uses = [] }): [string, z.ZodType][] => [
    [
      urlSetting(name),
      urls
        .refine(({ length }) => length >= 1 && length <= 9, 'give 1 to 9 URLs')
        .optional()
        .describe(
          `URL of the subgraph ${name}, or URLs of several processes that serve it, separated by commas: ${oneAtATime === true ? 'one is used until it fails, then the next' : 'a request goes to the one with the fewest requests under way, and not to one that has failed'}; default: in this process, or not part of the graph`,
        ),
    ],
    [
      deadlineSetting(name),
      queryDeadlineMs
        .default(60_000)
        .describe(
          `milliseconds after which a query is answered without the fields of the subgraph ${name} that have not arrived: SUBGRAPH_UNAVAILABLE`,
        ),
    ],
    [
      portSetting(name),
      port.optional().describe(`port on which the subgraph ${name} is served; default: in this process only`),
    ],
    ...[{ settings }, ...uses].flatMap((each) => Object.entries(each.settings)),
  ]);
  return { roles, ...platformSettings, ...Object.fromEntries(own) };
}

/** `object-storage` is `objectStorage` in settings. */
function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function urlSetting(subgraph: string): string {
  return `subgraphs.${camelCase(subgraph)}Url`;
}

function deadlineSetting(subgraph: string): string {
  return `subgraphs.${camelCase(subgraph)}DeadlineMs`;
}

function portSetting(subgraph: string): string {
  return `internal.${camelCase(subgraph)}Port`;
}

/** A subgraph's own settings, with the settings of the shared modules that it uses. */
export function settingsOf<Shapes extends SettingShapes>(
  row: { readonly settings: Shapes; readonly uses?: readonly { readonly settings: SettingShapes }[] },
  config: Config,
): SettingsOf<Shapes> {
  const values = config as Readonly<Record<string, unknown>>;
  const names = [row, ...(row.uses ?? [])].flatMap(({ settings }) => Object.keys(settings));
  return Object.fromEntries(names.map((name) => [name, values[name]])) as SettingsOf<Shapes>;
}

/** Where a subgraph listens, and the URLs where gateways reach it, with the deadline of their queries. */
export function placeOf(
  subgraph: string,
  config: Config,
): {
  readonly port: number | undefined;
  readonly urls: readonly [string, ...string[]] | undefined;
  readonly portSetting: string;
  readonly urlSetting: string;
  readonly queryDeadlineMs: number;
} {
  const values = config as Readonly<Record<string, unknown>>;
  const [urls, port] = [values[urlSetting(subgraph)], values[portSetting(subgraph)]];
  return {
    port: port as number | undefined,
    urls: urls as readonly [string, ...string[]] | undefined,
    portSetting: portSetting(subgraph),
    urlSetting: urlSetting(subgraph),
    queryDeadlineMs: values[deadlineSetting(subgraph)] as number,
  };
}

/** Secret settings: never shown in a list of processes or a message. */
export const secretSettings: ReadonlySet<string> = new Set<SettingName>([
  'database.password',
  'redis.password',
  'redis.sentinelPassword',
]);

type Wrong = Pick<ConfigFault, 'wrong' | 'advice'>;

/** Removed settings, and their replacements. */
const formerSettings: ReadonlyMap<string, Wrong> = new Map([
  [
    'keys.trustFile',
    {
      wrong: 'this setting no longer exists',
      advice:
        'put the file as trust.keys into a folder, run "tidegate keys create FOLDER", and set keys.folder to that folder (docs/operating.md)',
    },
  ],
  [
    'objectController.centreUrls',
    { wrong: 'this setting has another name now', advice: 'rename it to objectController.controlPlaneUrls' },
  ],
]);

export interface ConfigSources {
  /** Dotted setting name to value, from the command line. */
  readonly flags?: Readonly<Record<string, string | boolean>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of a YAML or JSON file; default: TIDEGATE_CONFIG. */
  readonly file?: string;
}

/** The environment variable of a setting, for example TIDEGATE_LISTEN_PORT. */
function environmentName(setting: string): string {
  return `TIDEGATE_${setting
    .replaceAll('.', '_')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()}`;
}

const formerVariables = new Map([...formerSettings].map(([name, fault]) => [environmentName(name), fault]));
const noSuchSetting: Wrong = { wrong: 'there is no such setting', advice: 'remove it, or correct its name' };

/** Reads all sources and checks them; throws ConfigError with every fault. */
export function readConfig(sources: ConfigSources, rows: readonly SettingsRow[]): Config {
  const { config, faults } = readSettings(sources, rows);
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

/** Settings that are right, and the faults of the password files that they name. */
export interface ReadSettings {
  readonly config: Config;
  readonly faults: readonly ConfigFault[];
}

/** For callers that look for faults of other files too. Throws ConfigError with every fault of the settings. */
export function readSettings(sources: ConfigSources, rows: readonly SettingsRow[]): ReadSettings {
  const settings = shapesOf(rows);
  const env = sources.env ?? {};
  const faults: ConfigFault[] = [];
  const origin = new Map<string, string>();
  const values: Record<string, unknown> = {};
  const take = (name: string, value: unknown, from: string): void => {
    values[name] = value;
    origin.set(name, from);
  };

  const path = sources.file ?? env.TIDEGATE_CONFIG;
  if (path !== undefined) {
    for (const [name, value] of readFile(path, faults)) take(name, value, path);
  }
  const known = new Map(Object.keys(settings).map((name) => [environmentName(name), name]));
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('TIDEGATE_') || value === undefined || otherVariables.has(variable)) continue;
    const name = known.get(variable);
    if (name === undefined) faults.push({ settings: [variable], ...(formerVariables.get(variable) ?? noSuchSetting) });
    else take(name, value, variable);
  }
  for (const [name, value] of Object.entries(sources.flags ?? {})) take(name, value, 'command line');

  const at = (name: string): Pick<ConfigFault, 'settings' | 'from'> => {
    const from = origin.get(name);
    return { settings: [name], ...(from === undefined ? {} : { from }) };
  };
  const outside = takeOutsideSubgraphs(values, new Set(rows.map(({ name }) => name)));
  for (const { setting, wrong, advice } of outside.faults) faults.push({ ...at(setting), wrong, advice });
  const parsed = z.strictObject(settings).safeParse(values);
  for (const issue of parsed.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) faults.push({ ...at(key), ...(formerSettings.get(key) ?? noSuchSetting) });
      continue;
    }
    const name = String(issue.path[0]);
    const given = secretSettings.has(name) ? {} : { given: values[name] };
    faults.push({ ...at(name), wrong: issue.message, ...given, advice: 'docs/settings.md describes it' });
  }
  if (faults.length > 0 || !parsed.success) throw new ConfigError(faults);
  const config = { ...parsed.data, outsideSubgraphs: outside.subgraphs } as Config;
  const together = faultsTogether(config);
  if (together.length > 0) throw new ConfigError(together);
  return withPasswords(config);
}

/** TIDEGATE_ variables that are not settings: the file's path, and variables of the command line client and the tests. */
const otherVariables = new Set([
  'TIDEGATE_CONFIG',
  'TIDEGATE_TOKEN',
  'TIDEGATE_JOIN_TOKEN',
  'TIDEGATE_URL',
  'TIDEGATE_TEST_SERVERS',
]);

/** The configuration as text lines `name: value`, secrets hidden. */
export function printableConfig(config: Config): string {
  const shown = Object.entries(config).map(([name, value]) => {
    const hidden = secretSettings.has(name) && value !== '' && value !== undefined;
    return `${name}: ${hidden ? '(hidden)' : JSON.stringify(value)}`;
  });
  return `${shown.join('\n')}\n`;
}

/** Name, environment variable, default and meaning of every setting, for help and docs. */
export function describeSettings(
  rows: readonly SettingsRow[],
): { name: string; variable: string; default: string; meaning: string }[] {
  return Object.entries(shapesOf(rows)).map(([name, shape]) => {
    const fallback = shape.safeParse(undefined);
    const standard =
      name === 'name'
        ? "the host's name"
        : fallback.success && fallback.data !== undefined
          ? String(fallback.data)
          : '';
    return { name, variable: environmentName(name), default: standard, meaning: shape.description ?? '' };
  });
}

const require = createRequire(import.meta.url);

function readFile(path: string, faults: ConfigFault[]): [string, unknown][] {
  // Only with a file: its 70 modules take a tenth of a process's start.
  const { parse, YAMLParseError } = require('yaml') as typeof import('yaml');
  try {
    const content: unknown = parse(readFileSync(path, 'utf8'));
    return content === null || content === undefined ? [] : flatten('', content);
  } catch (error) {
    // The parser's own message shows lines of the file, which may contain a password.
    const fault = unusableFile([], path, error);
    const isParsers = error instanceof YAMLParseError;
    const why = isParsers ? `line ${error.linePos?.[0].line} is not valid YAML or JSON` : fault.wrong;
    faults.push({ ...fault, wrong: `the settings file: ${why}` });
    return [];
  }
}

function flatten(prefix: string, value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[prefix, value]];
  return Object.entries(value).flatMap(([key, inner]) => flatten(prefix === '' ? key : `${prefix}.${key}`, inner));
}

function faultsTogether(config: Config): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const both = (first: SettingName, second: SettingName): void => {
    if ((config[first] === undefined) !== (config[second] === undefined))
      faults.push({ settings: [first, second], wrong: 'only one of them is given', advice: 'give both or neither' });
  };
  const either = (first: SettingName, second: SettingName): void => {
    if (config[first] !== undefined && config[second] !== undefined)
      faults.push({ settings: [first, second], wrong: 'both are given', advice: 'give one' });
  };
  both('listen.tls.certFile', 'listen.tls.keyFile');
  both('internal.tls.certFile', 'internal.tls.keyFile');
  both('internal.tls.certFile', 'internal.tls.caFile');
  either('internal.tls.certFile', 'internal.machineFolder');
  either('database.socketPath', 'database.host');
  either('redis.path', 'redis.host');
  either('redis.path', 'redis.sentinels');
  either('redis.host', 'redis.sentinels');
  if (config['ha.ownRedis'] && config['redis.path'] === undefined)
    faults.push({
      settings: ['ha.ownRedis', 'redis.path'],
      wrong: 'it is not known where the Redis of this host listens',
      advice: 'give redis.path, or leave ha.ownRedis out',
    });
  if (config['ha.nameServerPort'] !== undefined && config['ha.nameServerZones'].length === 0)
    faults.push({
      settings: ['ha.nameServerZones'],
      wrong: 'ha.nameServerPort is given, and there is no zone',
      advice: 'name the zones in which names are published',
    });
  const ofDns = ['ha.dnsName', 'ha.dnsZone', 'ha.dnsServers', 'ha.dnsKeyFile'] as const;
  for (const setting of config['ha.address'] === 'dns' ? ofDns : [])
    if (config[setting] === undefined)
      faults.push({ settings: [setting], wrong: 'ha.address is dns, and it is not given', advice: 'give it' });
  if (config['ha.strict'] && config['ha.dataFolder'] === undefined && (config['database.host'] ?? []).length < 2)
    faults.push({
      settings: ['ha.strict', 'database.host'],
      wrong: 'without a list of servers it is not known how many copies a write has',
      advice: 'name the servers in database.host, separated by commas, or leave ha.strict out',
    });
  return faults;
}

function withPasswords(config: Config): ReadSettings {
  const faults: ConfigFault[] = [];
  const password = (
    setting: 'database.passwordFile' | 'redis.passwordFile' | 'redis.sentinelPasswordFile',
  ): string | undefined => {
    const path = config[setting];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path, 'utf8').split('\n', 1)[0] ?? '';
    } catch (error) {
      faults.push(unusableFile([setting], path, error));
      return undefined;
    }
  };
  const [database, redis] = [password('database.passwordFile'), password('redis.passwordFile')];
  const sentinel = password('redis.sentinelPasswordFile');
  const passwords = {
    ...(database === undefined ? {} : { 'database.password': database }),
    ...(redis === undefined ? {} : { 'redis.password': redis }),
    ...(sentinel === undefined ? {} : { 'redis.sentinelPassword': sentinel }),
  };
  return { config: { ...config, ...passwords }, faults };
}
