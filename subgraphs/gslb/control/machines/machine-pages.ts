// SQL of checkers and name servers for the graph, with their own reports. The reports are for people: no decision depends on
// them.
import { always, type Sql } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { type CheckerRecord, checkerRecordsOf } from '../../../../platform/machines/checker-record.ts';
import { type NameServerRecord, nameServerRecordsOf } from '../../../../platform/machines/name-server-record.ts';
import type { ListTable } from '../../../../platform/pages/entity-list.ts';
import type { CheckerBatch, CheckerFacts } from '../../wire/checker-wire.ts';
import type { NameServerFacts, NameServerState } from '../../wire/dns-wire.ts';
import { type PublishedAddresses, publishedAddresses } from '../plans/published-addresses.ts';
import { databaseNow, isPresent } from '../stores/checker-store.ts';
import { silentForMs } from '../stores/name-server-store.ts';
import { type ZonePosition, zonePositions } from '../stores/zone-store.ts';

export const checkerList: ListTable = {
  ...{ table: 'gslb_checker', name: 'name', shown: always },
  all: { name: 'gslb_checker_list_idx', time: 'PRIMARY' },
};

export const nameServerList: ListTable = {
  ...{ table: 'gslb_name_server', name: 'name', shown: always },
  all: { name: 'gslb_name_server_list_idx', time: 'PRIMARY' },
};

export interface ShownChecker {
  readonly id: string;
  readonly name: string;
  readonly vantagePointId: string;
  /** Record of its machine. Undefined if it has none. */
  readonly record: CheckerRecord | undefined;
  readonly present: boolean;
  readonly abstains: boolean;
  /** The targets of its vantage point. */
  readonly shares: boolean;
  readonly incarnation: number;
  readonly heardAt: Date | null;
  readonly linkedTo: string | null;
  readonly facts: Partial<CheckerFacts>;
  readonly load: Partial<CheckerBatch['load']>;
}

type RawChecker = Omit<ShownChecker, 'record' | 'present' | 'abstains' | 'shares' | 'facts' | 'load'> &
  Readonly<Record<'abstains' | 'shares', number> & Record<'facts' | 'load', string>>;

/** Keyed by id. */
export async function readCheckers(
  db: Sql,
  ids: readonly string[],
  silenceMs: number,
): Promise<ReadonlyMap<string, ShownChecker>> {
  const rows = await db.query<RawChecker>(
    `SELECT c.id, c.name, c.vantage_point_id AS vantagePointId, c.abstains, COALESCE(c.epoch = v.epoch, 0) AS shares, c.incarnation,
      c.heard_at AS heardAt, c.linked_to AS linkedTo, c.facts, c.machine_load AS \`load\`
    FROM gslb_checker c LEFT JOIN gslb_vantage_point v ON v.id = c.vantage_point_id AND v.deleted_at IS NULL
    WHERE c.id IN (${marksFor(ids)})`,
    ids,
  );
  const records = await checkerRecordsOf(db, ids);
  const nowMs = await databaseNow(db);
  const shown = rows.map((raw) => ({
    ...raw,
    record: records.get(raw.id),
    present: isPresent(raw, nowMs, silenceMs),
    abstains: raw.abstains === 1,
    shares: raw.shares === 1,
    facts: JSON.parse(raw.facts),
    load: JSON.parse(raw.load),
  }));
  return new Map(shown.map((checker) => [checker.id, checker]));
}

export interface ShownNameServer {
  readonly id: string;
  readonly name: string;
  readonly present: boolean;
  readonly heardAt: Date | null;
  /** Maximum age of its answers. Null if it never had all zones, or has not reported yet. */
  readonly ageMs: number | null;
  readonly linkedTo: string | null;
  /** Record of its machine. Undefined if it has none. */
  readonly record: NameServerRecord | undefined;
  readonly published: PublishedAddresses;
  readonly facts: Partial<NameServerFacts>;
  readonly state: Partial<NameServerState>;
  /** The newest of all zones of ours. */
  readonly newest: readonly ZonePosition[];
}

type RawNameServer = Omit<
  ShownNameServer,
  'record' | 'published' | 'present' | 'ageMs' | 'facts' | 'state' | 'newest'
> &
  Readonly<Record<'facts' | 'state', string>>;

/** Keyed by id. */
export async function readNameServers(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, ShownNameServer>> {
  const rows = await db.query<RawNameServer>(
    `SELECT id, name, heard_at AS heardAt, linked_to AS linkedTo, facts, zones AS state FROM gslb_name_server
    WHERE id IN (${marksFor(ids)})`,
    ids,
  );
  const records = await nameServerRecordsOf(db, ids);
  const newest = await zonePositions(db);
  const nowMs = await databaseNow(db);
  const shown = rows.map((raw) => {
    const state: ShownNameServer['state'] = JSON.parse(raw.state);
    const agoMs = state.heardAgoMs ?? null;
    const facts: ShownNameServer['facts'] = JSON.parse(raw.facts);
    const record = records.get(raw.id);
    return {
      ...{ ...raw, state, newest, facts, record, published: publishedAddresses(raw.name, record, facts) },
      present: isPresent(raw, nowMs, silentForMs),
      // The age in its last report, plus the time since then, in which it may have received nothing.
      ageMs: agoMs === null || raw.heardAt === null ? null : agoMs + Math.max(0, nowMs - raw.heardAt.getTime()),
    };
  });
  return new Map(shown.map((server) => [server.id, server]));
}
