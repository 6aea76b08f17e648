// GSLBs at the name of one of our name servers. A machine may get the name of an existing GSLB. The server's addresses are then answered instead of
// the GSLB, until the machine was revoked and resolvers have dropped the server.
import { publishedServerNames } from '../../../../dns/ownership/server-names.ts';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { oweAll } from '../../../../platform/owed/owed-work.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { namesAtServer, type PlannedName } from '../stores/name-store.ts';
import { planKind } from '../stores/touched.ts';
import { isAnswered, type ZoneRow } from '../stores/zone-store.ts';

export interface ServerAtName {
  /** Reason why the GSLB is not answered. */
  readonly fault: string;
  /** Null until the server leaves. */
  readonly until: Date | null;
}

/** A name server has connected, or left. */
export async function serverNameTouched(tx: Transaction, wake: Wake, label: string): Promise<void> {
  const ids = await namesAtServer(tx, label);
  await oweAll(
    tx,
    planKind,
    ids.map((key) => ({ key })),
    wake,
  );
}

/** The names that belong to one of our name servers now, or did until recently, by the name's UUID. */
export async function serversAtNames(
  db: Sql,
  names: readonly PlannedName[],
  zones: ReadonlyMap<string, ZoneRow>,
): Promise<ReadonlyMap<string, ServerAtName>> {
  const labelled = names.flatMap(({ id, fqdn, zone }) => {
    const label = fqdn.slice(0, -zone.length - 1);
    return isAnswered(zones.get(zone)) && label !== '' && !label.includes('.') ? [{ id, fqdn, label }] : [];
  });
  const servers = await publishedServerNames(db, [...new Set(labelled.map(({ label }) => label))]);
  return new Map(
    labelled.flatMap(({ id, fqdn, label }) => {
      const until = servers.get(label);
      return until === undefined ? [] : [[id, { fault: faultOf(fqdn, label, until), until }] as const];
    }),
  );
}

function faultOf(fqdn: string, label: string, until: Date | null): string {
  return until === null
    ? `NAME_TAKEN: ${fqdn} is one of our name servers now, and is answered with that server's addresses: create the GSLB with another name, or have an administrator revoke the machine ${label}`
    : `NAME_TAKEN: ${fqdn} was one of our name servers, and rests until ${until.toISOString()}: create the GSLB with another name, or wait`;
}
