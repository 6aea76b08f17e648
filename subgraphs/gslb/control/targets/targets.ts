// The targets of a checker: one for each monitor of each member. Pure.
import { isIP } from 'node:net';
import { canonicalAddressBlock, isInBlock, withoutMapping } from '../../../../platform/net/address-block.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import { addressOfUrl } from '../../../../platform/net/origin.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import type { MemberSpec, MonitorSpec, VantagePointSpec } from '../../spec/specs.ts';
import type { Target, TargetName } from '../../wire/checker-wire.ts';

/** Delay before the next check after a first failure. At most half the normal delay. */
const confirmMs = 200;

export interface TargetPlace {
  readonly hosts: readonly string[];
  readonly port: number | null;
}

type Checked = Pick<MemberSpec, 'addresses' | 'cname' | 'port'>;

/** Their members are OpenStack objects, so checks query OpenStack instead of the members. */
export const openStackTypes: readonly string[] = ['NEUTRON_LBAAS_V2', 'NEUTRON_PORT'];

/** Whether a monitor watches a member. A monitor that uses an external status watches members that have one. */
export function watchesType(member: Pick<MemberSpec, 'type'>, { type }: Pick<MonitorSpec, 'type'>): boolean {
  return byStatus.includes(type) ? type === member.type : true;
}

const byStatus: readonly string[] = ['LOADBALANCER', ...openStackTypes];

/** Whether the graph answers the check instead of a checker. */
export function isAskedInGraph({ type }: Pick<MonitorSpec, 'type'>): boolean {
  return type === 'LOADBALANCER';
}

/** The name of the check plugin that checks by a monitor. */
export function pluginOf({ type, plugin }: Pick<MonitorSpec, 'type' | 'plugin'>): string {
  return type === 'PLUGIN' ? (plugin ?? type) : type;
}

/** Undefined if there is no address to connect to yet, or its credentials may not be sent there. */
export function placeOf(member: Checked, monitor: MonitorSpec): TargetPlace | undefined {
  const { type, targetPort, parameters } = monitor;
  if (openStackTypes.includes(type)) {
    const at = addressOfUrl(String(parameters.url));
    return at === undefined ? undefined : { hosts: [at.host], port: at.port };
  }
  const hosts = hostsOf(member, monitor);
  if (hosts.length === 0 || hostBeyond(member, monitor) !== undefined) return undefined;
  // Credentials are for one port, which no member chooses.
  const own = (monitor.authHosts ?? []).length > 0 ? null : member.port;
  return { hosts, port: targetPort ?? own };
}

function hostsOf({ cname, addresses }: Checked, { targetHost }: Pick<MonitorSpec, 'targetHost'>): readonly string[] {
  if (targetHost !== null) return [targetHost];
  return cname === null ? addresses : [cname];
}

/** A host of the member to which the monitor's credentials may not be sent. Undefined if there is none, or it has no credentials. */
export function hostBeyond(
  member: Checked,
  monitor: Pick<MonitorSpec, 'type' | 'targetHost' | 'parameters' | 'authHosts'>,
): string | undefined {
  const { authHosts = [] } = monitor;
  if (authHosts.length === 0) return undefined;
  const namesLead = authBlocks(monitor).length > 0 || provesNames(monitor);
  return hostsOf(member, monitor).find((host) =>
    isIP(host) === 0
      ? !namesLead || !authHosts.some((allowed) => plainName(host) === plainName(allowed))
      : !authHosts.some((allowed) => isInBlock(withoutMapping(host), allowed)),
  );
}

/**
 * Addresses and blocks to which credentials may be sent. Names listed with them must resolve into these, which the checker verifies after each
 * resolution.
 */
export function authBlocks({ authHosts = [] }: Pick<MonitorSpec, 'authHosts'>): readonly string[] {
  return authHosts.filter((each) => canonicalAddressBlock(each) !== undefined);
}

/** Whether the other end has to prove its name by a certificate before anything is sent. */
export function provesNames({ type, parameters }: Pick<MonitorSpec, 'type' | 'parameters'>): boolean {
  return type === 'HTTPS' && parameters.verify !== false;
}

function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

/**
 * Whether a vantage point may check the addresses. For host names the checker decides after each resolution. A vantage point that
 * may not check does not watch, so it has no vote.
 */
export function watches(
  { allowedBlocks, deniedBlocks }: Pick<VantagePointSpec, 'allowedBlocks' | 'deniedBlocks'>,
  { hosts, port }: TargetPlace,
  egress: EgressPolicy,
): boolean {
  return hosts
    .filter((host) => isIP(host) !== 0)
    .every(
      (address) =>
        (allowedBlocks.length === 0 || allowedBlocks.some((block) => isInBlock(address, block))) &&
        !deniedBlocks.some((block) => isInBlock(address, block)) &&
        egress.denial(address, port ?? 0) === undefined,
    );
}

/**
 * The member's parameters override the monitor's. Not if credentials are sent with them: a member could then redirect them to
 * another service, or disable verification.
 */
export function mergedParameters(
  monitor: Pick<MonitorSpec, 'type' | 'parameters' | 'authHosts'>,
  member: Pick<MemberSpec, 'parameters' | 'neutronId'>,
): JsonObject {
  if (openStackTypes.includes(monitor.type)) return { ...monitor.parameters, id: member.neutronId ?? '' };
  if ((monitor.authHosts ?? []).length > 0) return monitor.parameters;
  return { ...monitor.parameters, ...member.parameters };
}

/**
 * The parts of a target's document (wire/checker-wire.ts) other than its names and place: the same for many targets of a monitor.
 */
export type Check = Omit<Target, 'member' | 'monitor' | 'hosts' | 'port'>;

/** Omits its secret. */
export function checkOf(
  member: Pick<MemberSpec, 'parameters' | 'neutronId'>,
  monitor: MonitorSpec,
  { hosts }: Pick<TargetPlace, 'hosts'>,
): Check {
  const { delayMs, timeoutMs, failures, successes } = monitor;
  const bounds = hosts.every((host) => isIP(host) !== 0) ? [] : authBlocks(monitor);
  return {
    ...{ type: pluginOf(monitor), delayMs, timeoutMs, failures, successes },
    parameters: mergedParameters(monitor, member),
    ...(bounds.length === 0 ? {} : { authBlocks: [...bounds] }),
    confirmMs: Math.max(1, Math.min(confirmMs, Math.floor(delayMs / 2))),
  };
}

/** Equal documents always have equal texts. */
export function documentOf(name: TargetName, { hosts, port }: TargetPlace, { type, ...check }: Check): Target {
  return { ...name, type, hosts: [...hosts], port, ...check };
}
