// Checks of members and monitors beyond their own settings: the egress policy, vantage points, their pool, and the schemas of
// parameters.
import { isIP } from 'node:net';
import type { Sql } from '../../../../platform/database/database.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import type { SchemaFault } from '../../../../platform/input/json-schema.ts';
import { isInBlock, withoutMapping } from '../../../../platform/net/address-block.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import { addressOfUrl } from '../../../../platform/net/origin.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { parametersPath } from '../../spec/check-parameters.ts';
import type { MemberSpec, MonitorSpec } from '../../spec/specs.ts';
import { hostBeyond, mergedParameters, openStackTypes, watchesType } from '../targets/targets.ts';
import { readEntities } from './entity-store.ts';
import { parameterFaults, typesOf } from './monitor-types.ts';
import { checkedPools, checkedVantagePoints } from './name-check-store.ts';
import { membersUsed, monitorsFor, usesOf } from './use-store.ts';

const mostParametersBytes = 16_384;

/** Adds EGRESS_DENIED for a host that may not be dialled, or that no vantage point may check. */
async function checkTarget(
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
      'memberType',
      `memberType is ${String(spec.type)}, and the member ${other.name} of the pool is ${other.spec.type}: a pool is answered with addresses or with CNAMEs, not with both`,
    );
}

/** Checks a member's parameters together with each of its monitors, and where their credentials may be sent. */
async function checkWithMonitors(
  sql: Sql,
  check: InputCheck,
  { id, poolId, spec }: { readonly id: string | undefined; readonly poolId: string; readonly spec: MemberSpec },
): Promise<void> {
  const own = id === undefined ? [] : await monitorsFor(sql, { memberId: id });
  const monitors = await readEntities(sql, 'GslbMonitor', [...(await monitorsFor(sql, { poolId })), ...own]);
  for (const monitor of monitors.values()) {
    const beyond = watchesType(spec, monitor.spec) ? hostBeyond(spec, monitor.spec) : undefined;
    if (beyond !== undefined) check.fault(hostField(spec, beyond), `${beyond} ${notNamed(monitor.name)}`);
    if (Object.keys(spec.parameters).length === 0) continue;
    const faults = parameterFaults(await typesOf(sql, monitor.spec), mergedParameters(monitor.spec, spec));
    addFaults(check, spec.parametersFor, faults, ` for the monitor ${monitor.name}, which is used for it`);
  }
}

/** Explains why a monitor is not used for a host, in words that follow the host. */
export function notNamed(monitor: string): string {
  return `is not in authHosts of the monitor ${monitor}: its credentials may not be sent there`;
}

function hostField({ addresses, cname }: MemberSpec, host: string): string {
  return cname === host ? 'cname' : `addresses.${addresses.indexOf(host)}`;
}

/** Undefined if the merged parameters of all members are valid. */
export async function faultOfMerged(
  sql: Sql,
  monitor: MonitorSpec,
  members: readonly { readonly name: string; readonly spec: MemberSpec }[],
): Promise<{ readonly member: string; readonly field: string; readonly fault: SchemaFault } | undefined> {
  if (members.length === 0) return undefined;
  const types = await typesOf(sql, monitor);
  for (const { name: member, spec } of members)
    for (const fault of parameterFaults(types, mergedParameters(monitor, spec)))
      return { member, fault, field: parametersPath(spec.parametersFor ?? '', fault.path).join('.') };
  return undefined;
}

/** `id`: the monitor's. Undefined if it is new. */
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
      if (at !== undefined)
        await checkTarget(sql, check, egress, { field: parametersPath(String(type), [field]).join('.'), ...at });
    }
  if (typeof targetHost === 'string')
    await checkTarget(sql, check, egress, { field: 'targetHost', host: targetHost, port: targetPort as number | null });
  if (JSON.stringify(parameters).length > mostParametersBytes)
    return check.fault('parameters', `parameters has more than ${mostParametersBytes} characters`, 'TOO_LONG');
  const monitor = spec as unknown as MonitorSpec;
  const types = await typesOf(sql, monitor);
  // An existing monitor keeps its type while checkers are absent.
  if (types.length === 0 && id === undefined)
    return check.fault('plugin', `no checker has a plugin named ${String(plugin)}: see gslbMonitorTypes`, 'NOT_FOUND');
  const faults = parameterFaults(types, monitor.parameters);
  addFaults(check, monitor.type, faults);
  if (faults.length > 0 || id === undefined) return;
  const found = await faultOfMerged(sql, monitor, await membersUsed(sql, await usesOf(sql, id), 'WITH_PARAMETERS'));
  if (found !== undefined) addFaults(check, monitor.type, [found.fault], ` with those of the member ${found.member}`);
}

/** `checkType`: its entry of the input contains the parameters. */
function addFaults(
  check: InputCheck,
  checkType: string | null | undefined,
  faults: readonly SchemaFault[],
  where = '',
): void {
  for (const { path, message, tooLong } of faults) {
    const field = parametersPath(checkType ?? '', path).join('.');
    check.fault(field, `${field} ${message}${where}`, tooLong === true ? 'TOO_LONG' : 'INVALID_INPUT');
  }
}
