// Containers that are sealed at this cluster's replica: they are being deleted, or the process that sealed them has died. Also containers
// that are not deleted.
import type { Database } from '../../../../platform/database/database.ts';
import { toDigits } from './partition-state.ts';
import { kinds } from './register-rows.ts';

export interface SealedGate {
  readonly ring: number;
  /** 32 hexadecimal digits. */
  readonly scope: string;
  /** Version of the seal. */
  readonly version: string;
  readonly head: string;
}

const mostGates = 1_000;
const mostOpen = 16;

export interface OpenGate extends Pick<SealedGate, 'scope' | 'head'> {}

/** A few containers of a ring that are not deleted, according to this replica. */
export async function openGates(db: Database, ring: number): Promise<readonly OpenGate[]> {
  const rows = await db.query<{ scope: Buffer; head: string }>(
    `SELECT scope, head FROM store_register WHERE ring = ? AND name = '' AND kind IN (${kinds.value}, ${kinds.seal})
      AND head NOT LIKE '{"state":"DELETED"%' LIMIT ${mostOpen}`,
    [ring],
  );
  return rows.map(({ scope, head }) => ({ scope: toDigits(scope), head }));
}

/** At most 1,000: usually there is none. */
export async function sealedGates(db: Database): Promise<readonly SealedGate[]> {
  const rows = await db.query<{ ring: number; scope: Buffer; version: Buffer; head: string }>(
    `SELECT ring, scope, version, head FROM store_register WHERE kind = ${kinds.seal} LIMIT ${mostGates}`,
  );
  return rows.map(({ ring, scope, version, head }) => ({
    ...{ ring, scope: toDigits(scope), version: toDigits(version), head },
  }));
}
