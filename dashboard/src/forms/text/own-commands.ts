// Verbs of the command line that are written by hand (cli/commands), and the forms that they can express. A field without a line here has no
// option.
import { askedDeletions } from '../../../../schema/kinds/asked-deletions.ts';
import { balancerWords } from './balancer-words.ts';
import { objectWords } from './named.ts';
import { type Deed, isShownObject, Missing, Secret, type Shown, type ShownObject } from './shown.ts';

const byHand: Readonly<Record<string, readonly string[]>> = {
  Backend: ['create', 'update', 'delete'],
  TlsCertificate: ['create', 'update', 'delete'],
  LoadBalancer: ['create', 'update', 'delete'],
  Pool: ['create', 'delete'],
  PoolMember: ['create', 'update', 'delete'],
  Listener: ['create', 'update', 'delete'],
  L7Policy: ['create', 'update', 'delete'],
  L7Rule: ['create', 'update', 'delete'],
  AutoscalingPolicy: ['set', 'delete'],
  LoadBalancerQuota: ['set'],
  LoadBalancerHost: ['update', 'delete'],
  Machine: ['create', 'revoke'],
  ObjectCluster: ['create', 'update', 'delete'],
  ObjectOption: ['create', 'update', 'delete'],
  ObjectContainer: ['create', 'delete'],
  ObjectAccessKey: ['create', 'revoke'],
};

export function isByHand(type: string, verb: string): boolean {
  return byHand[type]?.includes(verb) === true;
}

/** A word that the command line does not take for a value: `-1`, or a name such as `--help`, which the graph allows. */
export function isOption(word: string): boolean {
  return word.startsWith('-');
}

/** Writes a value as words. Undefined if the value can't be written. */
type Writer = (value: Shown) => readonly string[] | undefined;

interface OwnCommand {
  readonly words: readonly string[];
  /** The field of NAME. */
  readonly name: string;
  /** By field; of one in an object: `credentials.username`. */
  readonly options: Readonly<Record<string, Writer>>;
  /** Fields without which the command does something else. */
  readonly needs?: readonly string[];
  /** At least one of these fields. */
  readonly needsOneOf?: readonly string[];
}

const text =
  (name: string): Writer =>
  (value) =>
    (typeof value === 'string' && value !== '' && !value.includes('\n')) ||
    typeof value === 'number' ||
    value instanceof Missing
      ? isOption(String(value))
        ? [`--${name}=${value}`]
        : [`--${name}`, String(value)]
      : undefined;
const flag =
  (name: string, when: boolean): Writer =>
  (value) =>
    value === when ? [`--${name}`] : value === !when ? [] : undefined;
const each =
  (name: string): Writer =>
  (value) => {
    if (!Array.isArray(value) || value.length === 0) return undefined;
    const words = (value as readonly Shown[]).map(text(name));
    return words.every((one) => one !== undefined) ? words.flat() : undefined;
  };
const file =
  (name: string, path: string): Writer =>
  (value) =>
    value instanceof Secret
      ? [`--${name}`, value.file]
      : value instanceof Missing
        ? [`--${name}`, value.word]
        : typeof value === 'string'
          ? [`--${name}`, path]
          : undefined;
const label: Writer = (value) =>
  isShownObject(value) ? text('label')(`${String(value.name)}=${String(value.value)}`) : undefined;

const project = text('project');
const credentials = {
  'credentials.username': text('username'),
  'credentials.password': file('backend-password-file', ''),
  'credentials.privateKey': file('private-key-file', ''),
  'credentials.passphrase': file('passphrase-file', ''),
  'credentials.apiToken': file('api-token-file', ''),
};
const backend = {
  ...{ host: text('host'), port: text('port'), site: text('site') },
  labels: ((value) => {
    const words = Array.isArray(value) ? (value as readonly Shown[]).map(label) : [];
    return words.length > 0 && words.every((one) => one !== undefined) ? words.flat() : undefined;
  }) satisfies Writer,
  ...{ hostKeySha256: text('host-key'), certificateSha256: text('certificate'), ...credentials },
  deletionProtected: text('deletion-protected'),
} as const;

/** By mutation. */
const commands: Readonly<Record<string, OwnCommand>> = {
  backendCreate: {
    ...{ words: ['backends', 'create'], name: 'name' },
    options: { ...backend, driver: text('driver'), allowInit: flag('allow-init', true), projectId: project },
    needs: ['credentials.username'],
    needsOneOf: ['credentials.password', 'credentials.privateKey', 'credentials.apiToken'],
  },
  backendUpdate: { words: ['backends', 'update'], name: 'id', options: backend },
  backendDelete: {
    ...{ words: ['backends', 'delete'], name: 'id', options: { orphanMappings: flag('orphan-mappings', true) } },
  },
  tlsCertificateCreate: {
    ...{ words: ['certificates', 'create'], name: 'name' },
    options: { chain: file('chain-file', 'chain.pem'), privateKey: file('key-file', ''), projectId: project },
  },
  tlsCertificateUpdate: {
    ...{ words: ['certificates', 'update'], name: 'id' },
    options: { chain: file('chain-file', 'chain.pem'), privateKey: file('key-file', '') },
  },
  tlsCertificateDelete: { words: ['certificates', 'delete'], name: 'id', options: {} },
  loadBalancerCreate: {
    ...{ words: ['loadbalancers', 'create'], name: 'name' },
    options: {
      ...{ description: text('description'), tags: each('tag'), subnetId: text('subnet'), topology: text('topology') },
      ...{ 'nodeSize.connections': text('node-connections'), 'nodeSize.threads': text('node-threads') },
      ...{ projectId: project, deletionProtected: text('deletion-protected') },
    },
  },
  loadBalancerDelete: { words: ['loadbalancers', 'delete'], name: 'id', options: {} },
  poolCreate: {
    ...{ words: ['pools', 'create'], name: 'name', needs: ['name'] },
    options: {
      ...{ loadBalancerId: text('loadbalancer'), algorithm: text('algorithm') },
      memberProtocol: (value) =>
        value instanceof Missing || ['HTTP', 'HTTP2', 'TCP'].includes(String(value))
          ? text('protocol')(value)
          : undefined,
    },
  },
  objectOptionCreate: {
    ...{ words: ['options', 'create'], name: 'name' },
    options: {
      ...{ replicas: text('replicas'), clusterIds: each('cluster') },
      preset: (value) => text('preset')(String(value).toLowerCase()),
      ...{ nearestReads: flag('nearest-reads', true), default: flag('as-default', true) },
    },
  },
  objectOptionDelete: { words: ['options', 'delete'], name: 'id', options: {} },
  objectAccessKeyCreate: {
    ...{ words: ['access-keys', 'create'], name: 'name' },
    options: { canWrite: flag('read-only', false), projectId: project },
  },
  objectAccessKeyRevoke: { words: ['access-keys', 'revoke'], name: 'id', options: {} },
  loadBalancerHostUpdate: {
    ...{ words: ['hosts', 'set'], name: 'id' },
    options: {
      ...{ site: text('site'), publicRange: text('public-range'), managementRange: text('management-range') },
      ...{ maxNodes: text('nodes'), healthPort: text('health-port') },
    },
  },
  loadBalancerHostDelete: { words: ['hosts', 'delete'], name: 'id', options: {} },
  loadBalancerQuotaSet: {
    ...{ words: ['quotas', 'update'], name: 'kind', options: { limit: text('quota'), projectId: project } },
    needs: ['limit'],
  },
};

/** Verbs that find an object by its name in a project. */
const inProjects: ReadonlySet<string> = new Set(['backendUpdate', 'backendDelete', 'loadBalancerDelete']);

/** Undefined if no verb can express the input. */
export function ownArguments(deed: Deed, shown: ShownObject): readonly string[] | undefined {
  const { mutation } = deed.action;
  const command = commands[mutation];
  const parts = mutation === 'loadBalancerCreate' ? balancerWords(shown) : { words: [], others: shown };
  if (command === undefined || parts === undefined) return undefined;
  const { [command.name]: name, ...others } = parts.others;
  const given = leavesOf(others);
  const { needs = [], needsOneOf } = command;
  const isNamed = name instanceof Missing || (typeof name === 'string' && !isOption(name));
  if (!isNamed || needs.some((need) => need !== command.name && !(need in given))) return undefined;
  if (needsOneOf !== undefined && !needsOneOf.some((need) => need in given)) return undefined;
  const names = command.name === 'id' && inProjects.has(mutation) ? objectWords(deed) : [String(name)];
  const words: string[] = ['tidegate', ...command.words, ...names, ...parts.words];
  // The form has asked.
  if (deed.verb === 'delete' && askedDeletions.has(deed.kind.type)) words.push('--yes');
  for (const [path, value] of Object.entries(given)) {
    if (path === 'idempotencyKey' || path === 'expectedVersion' || path === 'id') continue;
    const written = command.options[path]?.(value);
    if (written === undefined) return undefined;
    words.push(...written);
  }
  return words;
}

function leavesOf(value: ShownObject, before = ''): Readonly<Record<string, Shown>> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      isShownObject(member) && Object.keys(member).length > 0
        ? Object.entries(leavesOf(member, `${before}${name}.`))
        : [[`${before}${name}`, member]],
    ),
  );
}
