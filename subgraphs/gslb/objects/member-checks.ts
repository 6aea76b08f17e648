// What members and monitors are checked against beyond their own settings: the egress policy, vantage points, their pool, and the
// schemas of parameters.
import { isIP } from 'node:net';
import type { Sql } from '../../../platform/database/database.ts';
import type { InputCheck } from '../../../platform/input.ts';
import type { JsonObject } from '../../../platform/json.ts';
import type { SchemaFault } from '../../../platform/json-schema.ts';
import { isInBlock, withoutMapping } from '../../../platform/net/address-block.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import { addressOfUrl } from '../../../platform/net/origin.ts';
import { checkedPools, checkedVantagePoints } from '../conductor/name-check-store.ts';
import { readObjects } from '../conductor/object-store.ts';
import { hostBeyond, mergedParameters, openStackTypes, watchesType } from '../conductor/targets.ts';
import { membersUsed, monitorsFor, usesOf } from '../conductor/use-store.ts';
import { parameterFaults, typesOf } from './monitor-types.ts';
import type { MemberSpec, MonitorSpec } from './specs.ts';

const mostParametersBytes = 16_384;

/** Adds EGRESS_DENIED for a host that may not be dialled, or that no vantage point may check. */
export async function checkTarget(
  sql: Sql,
  check: InputCheck,
  egress: EgressPolicy,
  { field, host, port }: { readonly field: string; readonly host: string; readonly port: number | null },
): Promise<void> {
  if (isIP(host) === 0) return;
  const address = withoutMapping(host);
  const denial = egress.denial(address, port ?? 0);
  if (denial !== undefined) return check.fault(field, denial.reason, 'EGRESS_DENIED');
  const points = await checkedVantagePoints(sql);
  const allows = points.some(
    ({ spec: { allowedBlocks, deniedBlocks } }) =>
      (allowedBlocks.length === 0 || allowedBlocks.some((block) => isInBlock(address, block))) &&
      !deniedBlocks.some((block) => isInBlock(address, block)),
  );
  if (points.length > 0 && !allows)
    check.fault(field, `no vantage point may check ${host}: their blocks deny it`, 'EGRESS_DENIED');
}

export async function checkMember(
  sql: Sql,
  check: InputCheck,
  egress: EgressPolicy,
  { id, poolId, spec }: { readonly id: string | undefined; readonly poolId: string; readonly spec: JsonObject },
): Promise<void> {
  const port = spec.port as number | null;
  for (const [at, host] of (spec.addresses as readonly string[]).entries())
    await checkTarget(sql, check, egress, { field: `addresses.${at}`, host, port });
  if (JSON.stringify(spec.parameters).length > mostParametersBytes)
    check.fault('parameters', `parameters has more than ${mostParametersBytes} characters`, 'TOO_LONG');
  else await checkWithMonitors(sql, check, { id, poolId, spec: spec as unknown as MemberSpec });
  const others = (await checkedPools(sql, [poolId])).get(poolId)?.members.filter((member) => member.id !== id) ?? [];
  const other = others.find((member) => (member.spec.cname === null) !== (spec.cname === null));
  if (other !== undefined)
    check.fault(
      'type',
      `type is ${String(spec.type)}, and the member ${other.name} of the pool is ${other.spec.type}: a pool is answered with addresses or with CNAMEs, not with both`,
    );
}

/** A member's parameters over those of each monitor that is used for it, and where the credentials of each may be sent. */
async function checkWithMonitors(
  sql: Sql,
  check: InputCheck,
  { id, poolId, spec }: { readonly id: string | undefined; readonly poolId: string; readonly spec: MemberSpec },
): Promise<void> {
  const own = id === undefined ? [] : await monitorsFor(sql, { memberId: id });
  const monitors = await readObjects(sql, 'GslbMonitor', [...(await monitorsFor(sql, { poolId })), ...own]);
  for (const monitor of monitors.values()) {
    const beyond = watchesType(spec, monitor.spec) ? hostBeyond(spec, monitor.spec) : undefined;
    if (beyond !== undefined) check.fault(hostField(spec, beyond), `${beyond} ${notNamed(monitor.name)}`);
    if (Object.keys(spec.parameters).length === 0) continue;
    const faults = parameterFaults(await typesOf(sql, monitor.spec), mergedParameters(monitor.spec, spec));
    addFaults(check, faults, ` for the monitor ${monitor.name}, which is used for it`);
  }
}

/** Why a monitor is not used for a host, in words that follow the host. */
export function notNamed(monitor: string): string {
  return `is not in authHosts of the monitor ${monitor}: its credentials may not be sent there`;
}

function hostField({ addresses, cname }: MemberSpec, host: string): string {
  return cname === host ? 'cname' : `addresses.${addresses.indexOf(host)}`;
}

/** Undefined: the parameters of the members are right over those of the monitor. */
export async function faultOfMerged(
  sql: Sql,
  monitor: MonitorSpec,
  members: readonly { readonly name: string; readonly spec: MemberSpec }[],
): Promise<{ readonly member: string; readonly fault: SchemaFault } | undefined> {
  if (members.length === 0) return undefined;
  const types = await typesOf(sql, monitor);
  for (const { name: member, spec } of members)
    for (const fault of parameterFaults(types, mergedParameters(monitor, spec))) return { member, fault };
  return undefined;
}

/** `id`: of the monitor; undefined: it is new. */
export async function checkMonitor(
  sql: Sql,
  check: InputCheck,
  egress: EgressPolicy,
  { id, spec }: { readonly id: string | undefined; readonly spec: JsonObject },
): Promise<void> {
  const { targetHost, targetPort, parameters, plugin, type } = spec;
  if (openStackTypes.includes(String(type)))
    for (const field of ['url', 'authUrl']) {
      const at = addressOfUrl(String((parameters as JsonObject)[field]));
      if (at !== undefined) await checkTarget(sql, check, egress, { field: `parameters.${field}`, ...at });
    }
  if (typeof targetHost === 'string')
    await checkTarget(sql, check, egress, { field: 'targetHost', host: targetHost, port: targetPort as number | null });
  if (JSON.stringify(parameters).length > mostParametersBytes)
    return check.fault('parameters', `parameters has more than ${mostParametersBytes} characters`, 'TOO_LONG');
  const monitor = spec as unknown as MonitorSpec;
  const types = await typesOf(sql, monitor);
  // Checkers that are away take nothing from a monitor that exists.
  if (types.length === 0 && id === undefined)
    return check.fault('plugin', `no checker has a plugin named ${String(plugin)}: see gslbMonitorTypes`, 'NOT_FOUND');
  const faults = parameterFaults(types, monitor.parameters);
  addFaults(check, faults);
  if (faults.length > 0 || id === undefined) return;
  const found = await faultOfMerged(sql, monitor, await membersUsed(sql, await usesOf(sql, id), 'WITH_PARAMETERS'));
  if (found !== undefined) addFaults(check, [found.fault], ` with those of the member ${found.member}`);
}

function addFaults(check: InputCheck, faults: readonly SchemaFault[], where = ''): void {
  for (const { path, message, tooLong } of faults) {
    const field = ['parameters', ...path].join('.');
    check.fault(field, `${field} ${message}${where}`, tooLong === true ? 'TOO_LONG' : 'INVALID_INPUT');
  }
}
