// Keeps the ranges of load balancer hosts apart. Each host's addresses are assigned without regard to those of others, so two load
// balancers would get one address if ranges overlapped. Only a range that is new is checked: records that overlap already stay as they are.
import type { Transaction } from '../database/database.ts';
import type { InputCheck } from '../input/input.ts';
import { commonBlock } from '../net/address-block.ts';
import type { HostRecord } from './host-record.ts';

type Ranges = Pick<HostRecord, 'publicRange' | 'managementRange'>;
const kinds = { publicRange: 'public range', managementRange: 'management range' } as const;
const fields = ['publicRange', 'managementRange'] as const;

/** The names of those machines that still have their ranges, by UUID. `released`: it gets nodes as soon as it connects. */
type HoldersOf = (
  tx: Transaction,
  machines: readonly { readonly id: string; readonly released: boolean }[],
) => Promise<ReadonlyMap<string, string>>;

export interface WishedRanges {
  /** UUID of the machine that gets the ranges. */
  readonly machineId: string;
  readonly ranges: Ranges;
  /** Its ranges until now. Null if it has none. */
  readonly before: Ranges | null;
  readonly holdersOf: HoldersOf;
}

interface OtherHost extends Ranges {
  readonly name: string;
}

/** Adds a fault for each new range that overlaps one of another host. `at`: the path of the record in the input, with a dot at the end. */
export async function checkApart(tx: Transaction, check: InputCheck, wish: WishedRanges, at = ''): Promise<void> {
  const changed = fields.filter((field) => wish.ranges[field] !== (wish.before?.[field] ?? null));
  if (changed.every((field) => wish.ranges[field] === null)) return;
  const others = await otherHosts(tx, wish);
  for (const field of changed) {
    const fault = overlapOf(wish.ranges[field], others);
    if (fault !== undefined) check.fault(`${at}${field}`, `${at}${field} is ${wish.ranges[field]}, which ${fault}`);
  }
}

function overlapOf(range: string | null, others: readonly OtherHost[]): string | undefined {
  for (const other of others)
    for (const field of fields) {
      const held = other[field];
      if (range === null || held === null || commonBlock(range, held) === undefined) continue;
      const { name } = other;
      return `overlaps ${held}, the ${kinds[field]} of the host ${name}, so two load balancers could get one address: choose another range, change that of ${name} first (tidegate hosts set ${name}), or, if ${name} is gone, revoke its machine (tidegate machines revoke ${name})`;
    }
  return undefined;
}

/** Records of other machines. They are locked, so that of two overlapping ones that come at once one is refused. */
async function otherHosts(
  tx: Transaction,
  { machineId, holdersOf }: Pick<WishedRanges, 'machineId' | 'holdersOf'>,
): Promise<readonly OtherHost[]> {
  const records = await tx.query<Ranges & { readonly id: string; readonly released: number }>(
    `SELECT machine_id AS id, public_range AS publicRange, management_range AS managementRange, released FROM host_record
    WHERE machine_id <> ? ORDER BY machine_id FOR UPDATE`,
    [machineId],
  );
  const holders = records.map(({ id, released }) => ({ id, released: Number(released) === 1 }));
  const names = records.length === 0 ? new Map<string, string>() : await holdersOf(tx, holders);
  return records.flatMap((record) => {
    const name = names.get(record.id);
    return name === undefined ? [] : [{ ...record, name }];
  });
}
