// What members and monitors are checked against beyond their own settings: the egress policy, vantage points, their pool, and the
// schemas of parameters.
import { isIP } from 'node:net';
import type { Sql } from '../../../platform/database/database.ts';
import type { InputCheck } from '../../../platform/input.ts';
import type { JsonObject } from '../../../platform/json.ts';
import { validateObject } from '../../../platform/json-schema.ts';
import { isInBlock, withoutMapping } from '../../../platform/net/address-block.ts';
import type { EgressPolicy } from '../../../platform/net/egress.ts';
import { checkedPools, checkedVantagePoints } from '../conductor/name-check-store.ts';
import { monitorSchemas } from './monitor-schemas.ts';
import type { MonitorType } from './specs.ts';

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
  const others = (await checkedPools(sql, [poolId])).get(poolId)?.members.filter((member) => member.id !== id) ?? [];
  const other = others.find((member) => (member.spec.cname === null) !== (spec.cname === null));
  if (other !== undefined)
    check.fault(
      'type',
      `type is ${String(spec.type)}, and the member ${other.name} of the pool is ${other.spec.type}: a pool is answered with addresses or with CNAMEs, not with both`,
    );
}

export async function checkMonitor(sql: Sql, check: InputCheck, egress: EgressPolicy, spec: JsonObject): Promise<void> {
  const { targetHost, targetPort, parameters, type } = spec;
  if (typeof targetHost === 'string')
    await checkTarget(sql, check, egress, { field: 'targetHost', host: targetHost, port: targetPort as number | null });
  if (JSON.stringify(parameters).length > mostParametersBytes)
    return check.fault('parameters', `parameters has more than ${mostParametersBytes} characters`, 'TOO_LONG');
  const checked = validateObject(monitorSchemas[type as MonitorType], parameters);
  if (checked.ok) return;
  for (const { path, message, tooLong } of checked.faults)
    check.fault(
      ['parameters', ...path].join('.'),
      `${['parameters', ...path].join('.')} ${message}`,
      tooLong === true ? 'TOO_LONG' : 'INVALID_INPUT',
    );
}
