// Records of hosts, as machineCreate writes them.
import type { Transaction } from '../../../../platform/database/database.ts';
import { type HostRecord, insertHostRecord } from '../../../../platform/machines/host-record.ts';
import type { MachineName } from '../../../../platform/machines/machine.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { beginEpoch, type HostRow } from '../../../../subgraphs/loadbalancer/control/stores/host-store.ts';
import type { HostClaim } from '../../../../subgraphs/loadbalancer/rules/host-grant.ts';

/** Replaces the host's record, and releases it unless `released` is false. */
export async function recordHost(
  tx: Transaction,
  machineId: string,
  record: Pick<HostRecord, 'publicRange'> & Partial<HostRecord>,
  released = true,
): Promise<void> {
  const usual = { site: null, provider: 'NETNS', managementRange: null, maxNodes: 1_000, healthPort: 8399 } as const;
  await tx.execute('DELETE FROM host_record WHERE machine_id = ?', [machineId]);
  const whole = { ...usual, ...record };
  const managementRange = whole.managementRange === whole.publicRange ? null : whole.managementRange;
  await insertHostRecord(tx, machineId, { ...whole, managementRange }, released);
}

/** A connected host that gets nodes, because its record matches its report. */
export async function connectHost(
  tx: Transaction,
  wake: Wake,
  machine: Pick<MachineName, 'id' | 'name'>,
  claim: Omit<HostClaim, 'confinementFault'>,
): Promise<HostRow> {
  await recordHost(tx, machine.id, claim);
  return beginEpoch(tx, wake, machine, { ...claim, confinementFault: null });
}
