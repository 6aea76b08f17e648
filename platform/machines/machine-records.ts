// The records of machines that administrators set when they create a machine. Each role that has a record has its own table.
import type { Transaction } from '../database/database.ts';
import { InputCheck } from '../input/input.ts';
import {
  type CheckerRecord,
  checkCheckerRecord,
  checkerRole,
  deleteCheckerRecord,
  setCheckerRecord,
} from './checker-record.ts';
import { checkApart, type WishedRanges } from './host-networks.ts';
import {
  checkHostRecord,
  deleteHostRecord,
  type HostRecord,
  hostRole,
  insertHostRecord,
  type NewHostRecord,
} from './host-record.ts';
import {
  checkNameServerRecord,
  deleteNameServerRecord,
  type NameServerRecord,
  nameServerRole,
  setNameServerRecord,
} from './name-server-record.ts';
import {
  checkSubgraphRecord,
  deleteSubgraphRecord,
  insertSubgraphRecord,
  type SubgraphRecord,
  subgraphRole,
} from './subgraph-record.ts';

/** As given. */
export interface NewMachineRecords {
  /** Only for a load balancer host. */
  readonly loadBalancerHost?: NewHostRecord;
  /** Only for a checker, where it is required. */
  readonly gslbChecker?: CheckerRecord;
  /** Only for a name server. Default: without addresses. */
  readonly gslbNameServer?: NameServerRecord;
  /** Only for a machine of another team's subgraph, where it is required. */
  readonly outsideSubgraph?: SubgraphRecord;
}

export interface MachineRecords {
  readonly host?: HostRecord & { readonly released: boolean };
  readonly checker?: CheckerRecord;
  readonly nameServer?: NameServerRecord;
  readonly subgraph?: SubgraphRecord;
}

/** Adds a fault for each record that is not for the role, missing or invalid. Omitted fields have their defaults. */
export function checkMachineRecords(check: InputCheck, role: string, given: NewMachineRecords): MachineRecords {
  const onlyFor = (field: keyof NewMachineRecords, itsRole: string) => {
    if (given[field] !== undefined && role !== itsRole)
      check.fault(field, `${field} is for machines with the role ${itsRole}; leave it out`);
  };
  onlyFor('loadBalancerHost', hostRole);
  onlyFor('gslbChecker', checkerRole);
  onlyFor('gslbNameServer', nameServerRole);
  onlyFor('outsideSubgraph', subgraphRole);
  const {
    loadBalancerHost,
    gslbChecker,
    outsideSubgraph,
    gslbNameServer = role === nameServerRole ? { addresses: [] } : undefined,
  } = given;
  if (role === checkerRole && gslbChecker === undefined)
    check.fault('gslbChecker', 'gslbChecker is required for a checker: give the vantage point for which it votes');
  if (role === subgraphRole && outsideSubgraph === undefined)
    check.fault('outsideSubgraph', 'outsideSubgraph is required for this role: name the subgraph for which it speaks');
  const host = loadBalancerHost && checkHostRecord(check, loadBalancerHost, 'loadBalancerHost.');
  const checker = gslbChecker && checkCheckerRecord(check, gslbChecker, 'gslbChecker.');
  const nameServer = gslbNameServer && checkNameServerRecord(check, gslbNameServer, 'gslbNameServer.');
  const subgraph = outsideSubgraph && checkSubgraphRecord(check, outsideSubgraph, 'outsideSubgraph.');
  return {
    ...(subgraph === undefined ? {} : { subgraph }),
    ...(nameServer === undefined ? {} : { nameServer }),
    ...(host === undefined ? {} : { host: { ...host, released: loadBalancerHost?.released === true } }),
    ...(checker === undefined ? {} : { checker }),
  };
}

/** Writes the record of a machine that has none yet. Refuses networks of a host that overlap those of another. */
export async function insertMachineRecords(
  tx: Transaction,
  machineId: string,
  { host, checker, nameServer, subgraph }: MachineRecords,
  holdersOf: WishedRanges['holdersOf'],
): Promise<void> {
  if (host !== undefined) {
    const check = new InputCheck();
    await checkApart(tx, check, { machineId, ranges: host, before: null, holdersOf }, 'loadBalancerHost.');
    check.throwIfAny();
    await insertHostRecord(tx, machineId, host, host.released);
  }
  if (checker !== undefined) await setCheckerRecord(tx, machineId, checker);
  if (nameServer !== undefined) await setNameServerRecord(tx, machineId, nameServer);
  if (subgraph !== undefined) await insertSubgraphRecord(tx, machineId, subgraph);
}

/** The machine never joined. */
export async function deleteMachineRecords(tx: Transaction, machineId: string): Promise<void> {
  await deleteHostRecord(tx, machineId);
  await deleteCheckerRecord(tx, machineId);
  await deleteNameServerRecord(tx, machineId);
  await deleteSubgraphRecord(tx, machineId);
}
