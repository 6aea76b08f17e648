// Names of name servers: NAME.ZONE for each of our own servers in every zone it serves, and the names that a zone's administrator
// entered. No project owns them, from the creation of the machine until resolvers have dropped them from their caches.
import type { Sql, Transaction } from '../../platform/database/database.ts';
import { marksFor } from '../../platform/database/sql.ts';
import { trustedNow } from '../../platform/leases/trusted-clock.ts';
import { isWithin } from './name-rules.ts';

/** No TTL is longer. Until then resolvers may still ask a removed server. */
const longestTtlSeconds = 604_800;

interface ServerMachine {
  /** UUID of the machine. */
  readonly id: string;
  /** Its name, which is a DNS label. */
  readonly name: string;
}

/** A machine that may join as a name server until `joinUntil`; afterwards its name is free again, unless `keepServerName` was called. */
export async function reserveServerName(tx: Transaction, { id, name }: ServerMachine, joinUntil: Date): Promise<void> {
  await tx.execute(
    'INSERT INTO dns_server_name (machine_id, name, held_until) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE name = VALUES(name)',
    [id, name, joinUntil],
  );
}

/** Called when the machine has joined. */
export async function keepServerName(tx: Transaction, { id, name }: ServerMachine): Promise<void> {
  await tx.execute(
    `INSERT INTO dns_server_name (machine_id, name, held_until) VALUES (?, ?, NULL)
    ON DUPLICATE KEY UPDATE name = VALUES(name), held_until = NULL`,
    [id, name],
  );
}

/** Called when the machine has connected. Zones list it from now on. */
export async function publishServerName(tx: Transaction, machine: ServerMachine): Promise<void> {
  await keepServerName(tx, machine);
  await tx.execute('UPDATE dns_server_name SET named = TRUE WHERE machine_id = ?', [machine.id]);
}

/**
 * Labels that name servers use in published zones, or used recently enough for resolvers to remember, with the time until which
 * they stay reserved. Null until the server leaves.
 */
export async function publishedServerNames(
  sql: Sql,
  labels: readonly string[],
): Promise<ReadonlyMap<string, Date | null>> {
  if (labels.length === 0) return new Map();
  const rows = await sql.query<{ name: string; heldUntil: Date | null }>(
    `SELECT name, held_until AS heldUntil FROM dns_server_name
    WHERE name IN (${marksFor(labels)}) AND named = TRUE AND (held_until IS NULL OR held_until > ${trustedNow})
    ORDER BY held_until IS NULL, held_until`,
    labels,
  );
  // The last one counts, because another machine may have had the name before.
  return new Map(rows.map(({ name, heldUntil }) => [name, heldUntil]));
}

/** Called when the machine was revoked. Does nothing for a machine that is not a name server. */
export async function leaveServerName(tx: Transaction, machineId: string): Promise<void> {
  await tx.execute(
    `UPDATE dns_server_name SET held_until = NOW(3) + INTERVAL ${longestTtlSeconds} SECOND WHERE machine_id = ?`,
    [machineId],
  );
}

/** The name server at whose name, or below it, the name is. Undefined if there is none. */
export async function serverNameOver(
  sql: Sql,
  bare: string,
  zone: { readonly name: string; readonly hasOwnServers: boolean; readonly nameServers: readonly string[] },
): Promise<string | undefined> {
  const given = zone.nameServers.find((each) => isWithin(bare, each));
  if (given !== undefined || !zone.hasOwnServers || !bare.endsWith(`.${zone.name}`)) return given;
  const label =
    bare
      .slice(0, -zone.name.length - 1)
      .split('.')
      .at(-1) ?? '';
  const rows = await sql.query(
    `SELECT 1 FROM dns_server_name WHERE name = ? AND (held_until IS NULL OR held_until > ${trustedNow}) LIMIT 1`,
    [label],
  );
  return rows.length === 0 ? undefined : `${label}.${zone.name}`;
}
