// Two backends are one device if they have an address, a host key, a certificate or a serial in common. Claims and mappings are
// unique in a backend, so a device, or a part of one that the driver's options select, has one backend.
import { createHash } from 'node:crypto';
import type { Identity } from '../../../../platform/caller/identity.ts';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { isDuplicateKey } from '../../../../platform/errors/database-errors.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { maySee } from '../../../../platform/input/authorise.ts';
import { canonicalText } from '../../../../platform/net/address-block.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { Driver } from '../../drivers/driver.ts';
import { withDefaults } from '../../drivers/options.ts';
import type { BackendRow } from './backend.ts';

type IdentityKind = 'ADDRESS' | 'HOST_KEY' | 'CERTIFICATE' | 'SERIAL';

type IdentifiedBackend = Pick<
  BackendRow,
  'id' | 'driver' | 'host' | 'port' | 'options' | 'hostKeySha256' | 'certificateSha256' | 'provisioningStatus'
> &
  Pick<BackendRow, 'serial' | 'separateObjects'>;

/** By slot, which is unique among all backends: SHA-256 of driver, kind, value and scope. */
type Identities = ReadonlyMap<string, IdentityKind>;

/** Empty if the backend has no object in common with others, or is deleted. */
export function identitiesOf(row: IdentifiedBackend, driver: Driver): Identities {
  if (row.separateObjects || row.provisioningStatus === 'DELETED') return new Map();
  const options = withDefaults(JSON.parse(row.options), driver);
  const scope = (driver.scopeOptions ?? []).flatMap((name) =>
    options[name] === undefined ? [] : [String(options[name])],
  );
  // An IPv4 address may be written as one of IPv6 (RFC 4291, section 2.5.5.2).
  const host = canonicalText(row.host.toLowerCase()).replace(/^::ffff:(?=[\d.]+$)/, '');
  const ports = new Set([row.port, ...Object.values((options.ports ?? {}) as Record<string, number>)]);
  const values: readonly (readonly [IdentityKind, string | null])[] = [
    ...[...ports].map((port) => ['ADDRESS', `${host} ${port}`] as const),
    ['HOST_KEY', row.hostKeySha256],
    ['CERTIFICATE', row.certificateSha256],
    ['SERIAL', row.serial],
  ];
  return new Map(
    values.flatMap(([kind, value]) => (value === null ? [] : [[slotOf([row.driver, kind, value, ...scope]), kind]])),
  );
}

/** None of the parts has a line break. */
function slotOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/** A backend that has the same identity. */
export interface DeviceHolder {
  readonly kind: IdentityKind;
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
}

const mostTries = 5;

/**
 * Takes identities that are new in `after` for the backend, and releases identities that are no longer there. Returns the backend
 * that has one of the new ones: then the transaction must not be committed, or only after `giveUp`. If two transactions do this at
 * once, the second waits for the first.
 */
export async function moveIdentities(
  tx: Transaction,
  backendId: string,
  before: Identities,
  after: Identities,
): Promise<DeviceHolder | undefined> {
  const gone = [...before.keys()].filter((slot) => !after.has(slot));
  if (gone.length > 0)
    await tx.execute(`DELETE FROM backend_identity WHERE backend_id = ? AND slot IN (${marksFor(gone)})`, [
      backendId,
      ...gone,
    ]);
  // Sorted, so that two transactions can't deadlock.
  const added = [...after]
    .filter(([slot]) => !before.has(slot))
    .sort(([one, kind], [other, otherKind]) => (kind + one < otherKind + other ? -1 : 1));
  for (const [slot, kind] of added) {
    const holder = await claimIdentity(tx, backendId, slot, kind);
    if (holder !== undefined) return holder;
  }
  return undefined;
}

/** Undefined if the backend has it now. */
async function claimIdentity(
  tx: Transaction,
  backendId: string,
  slot: string,
  kind: IdentityKind,
): Promise<DeviceHolder | undefined> {
  for (let tried = 1; ; tried += 1) {
    try {
      await tx.execute('INSERT INTO backend_identity (slot, backend_id, kind) VALUES (?, ?, ?)', [
        slot,
        backendId,
        kind,
      ]);
      return undefined;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const holder = await holderOf(tx, slot);
      if (holder?.id === backendId) return undefined;
      if (holder !== undefined) return { ...holder, kind };
      // It was given up between the two statements.
      if (tried === mostTries) throw error;
    }
  }
}

async function holderOf(sql: Sql, slot: string): Promise<Omit<DeviceHolder, 'kind'> | undefined> {
  const [row] = await sql.query<Omit<DeviceHolder, 'kind'>>(
    `SELECT b.id, b.name, b.project_id AS projectId FROM backend_identity i JOIN backend b ON b.id = i.backend_id
    WHERE i.slot = ? LOCK IN SHARE MODE`,
    [slot],
  );
  return row;
}

const whats: Readonly<Record<IdentityKind, string>> = {
  ADDRESS: 'address and port',
  HOST_KEY: 'host key',
  CERTIFICATE: 'certificate',
  SERIAL: 'serial',
};
const fields: Readonly<Record<IdentityKind, string>> = {
  ADDRESS: 'host',
  HOST_KEY: 'hostKeySha256',
  CERTIFICATE: 'certificateSha256',
  SERIAL: 'id',
};

/** Names the holder only to someone who may see it. */
export function describeHolder(holder: DeviceHolder, visible: boolean): string {
  const who = visible ? `backend ${holder.name} (${encodeId('Backend', holder.id)})` : 'a backend of another project';
  return `${who} has the same ${whats[holder.kind]}: a device is registered once. Use that backend or delete it; if the two have no object in common, an administrator can set separateObjects`;
}

/** Refuses DEVICE_TAKEN. */
export function refuseTakenDevice(holder: DeviceHolder, identity: Identity | null): never {
  refuse('DEVICE_TAKEN', describeHolder(holder, maySee(identity, holder.projectId)), {
    field: ['input', fields[holder.kind]],
  });
}
