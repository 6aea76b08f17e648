// The parts of a new load balancer as options of `tidegate loadbalancers create`, which knows one pool with checks, and listeners for it.
import { isShownObject, Missing, type Shown, type ShownObject } from './shown.ts';

interface BalancerWords {
  readonly words: readonly string[];
  /** Fields that have no option. */
  readonly others: ShownObject;
}

const pool = 'default';
const listening: Readonly<Record<string, string>> = { HTTP: 'http', TERMINATED_HTTPS: 'https', TCP: 'tcp' };
const checks: Readonly<Record<string, string>> = { HTTP: 'http', HTTPS: 'https', TCP: 'tcp', TLS_HELLO: 'tls' };

/** Undefined if the options can't express the input. */
export function balancerWords(shown: ShownObject): BalancerWords | undefined {
  const { pools, listeners, minNodes, maxNodes, autoscaling, ...others } = shown;
  const nodes = nodeWords(minNodes, maxNodes, autoscaling);
  if (pools === undefined && listeners === undefined)
    return minNodes === undefined && maxNodes === undefined && autoscaling === undefined
      ? { words: [], others }
      : nodes && { words: nodes, others };
  const of = { listeners: listenerWords(listeners), pool: poolWords(pools, listeners) };
  if (nodes === undefined || of.listeners === undefined || of.pool === undefined) return undefined;
  return { words: [...of.listeners, ...of.pool, ...nodes], others };
}

function objectsIn(value: Shown | undefined): readonly ShownObject[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value as readonly Shown[];
  return items.every(isShownObject) ? items : undefined;
}

function hasOnly(object: ShownObject, names: readonly string[]): boolean {
  return Object.keys(object).every((name) => names.includes(name));
}

function listenerWords(value: Shown | undefined): readonly string[] | undefined {
  const listeners = objectsIn(value);
  if (listeners === undefined || listeners.length === 0) return undefined;
  const kinds = listeners.map(({ protocol }) => listening[String(protocol)]);
  // In the order in which the command makes them.
  const order = Object.values(listening).filter((name) => kinds.includes(name));
  if (kinds.some((kind, at) => kind === undefined || kind !== order[at])) return undefined;
  const words = listeners.map((listener, at) => {
    const { port, defaultPool, certificateIds } = listener;
    const isKnown = hasOnly(listener, ['protocol', 'port', 'defaultPool', 'certificateIds']) && defaultPool === pool;
    if (!isKnown || port === undefined) return undefined;
    const certificates = Array.isArray(certificateIds) ? (certificateIds as readonly Shown[]).map(String) : [];
    if ((kinds[at] === 'https') !== certificates.length > 0) return undefined;
    return [`--${kinds[at]}`, String(port), ...certificates.flatMap((each) => ['--tls-certificate', each])];
  });
  return words.every((each) => each !== undefined) ? words.flat() : undefined;
}

function poolWords(value: Shown | undefined, listeners: Shown | undefined): readonly string[] | undefined {
  const [only, ...further] = objectsIn(value) ?? [];
  if (only === undefined || further.length > 0) return undefined;
  const { name, memberProtocol, members = [], healthMonitor } = only;
  const isTcp = objectsIn(listeners)?.some(({ protocol }) => protocol === 'TCP') === true;
  const isKnown = hasOnly(only, ['name', 'memberProtocol', 'members', 'healthMonitor']) && name === pool;
  if (!isKnown || memberProtocol !== (isTcp ? 'TCP' : 'HTTP')) return undefined;
  const ofMembers = objectsIn(members)?.map(memberWords);
  const ofCheck = healthMonitor === undefined ? [] : checkWords(healthMonitor);
  if (ofMembers === undefined || ofCheck === undefined) return undefined;
  return ofMembers.every((each) => each !== undefined) ? [...ofMembers.flat(), ...ofCheck] : undefined;
}

function memberWords(member: ShownObject): readonly string[] | undefined {
  const { host, port } = member;
  if (!hasOnly(member, ['host', 'port']) || host === undefined || port === undefined) return undefined;
  const text = String(host);
  return ['--member', `${text.includes(':') ? `[${text}]` : text}:${String(port)}`];
}

function checkWords(monitor: Shown): readonly string[] | undefined {
  if (!isShownObject(monitor) || !hasOnly(monitor, ['monitorType', 'path'])) return undefined;
  const { monitorType, path } = monitor;
  if (monitorType instanceof Missing) return ['--check', String(monitorType)];
  const kind = checks[String(monitorType)];
  if (kind === undefined) return undefined;
  if (path === undefined) return ['--check', kind];
  return kind.startsWith('http') && !String(path).includes('\n') ? ['--check', `${kind}:${String(path)}`] : undefined;
}

/** `--nodes 2`, or `--nodes 2..4` with autoscaling. */
function nodeWords(
  least: Shown | undefined,
  most: Shown | undefined,
  autoscaling: Shown | undefined,
): readonly string[] | undefined {
  if (least === undefined && most === undefined) return autoscaling === undefined ? [] : undefined;
  const [from, to] = [least ?? 2, most ?? least];
  const isRange = typeof from === 'number' && typeof to === 'number' && from < to;
  if (autoscaling === undefined) return isRange ? undefined : from === to ? ['--nodes', String(from)] : undefined;
  if (!isRange || !isShownObject(autoscaling) || !hasOnly(autoscaling, ['requestsPerNode'])) return undefined;
  const { requestsPerNode } = autoscaling;
  const ofRequests = requestsPerNode === undefined ? [] : ['--requests-per-node', String(requestsPerNode)];
  return ['--nodes', `${from}..${to}`, ...ofRequests];
}
