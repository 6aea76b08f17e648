// SQL of checkers and name servers as the graph shows them, with what each said of itself. What they said is for people: nothing is decided
// by it.
import type { Sql } from '../../../platform/database/database.ts';
import type { PageRequest } from '../../../platform/graph/connection.ts';
import type { CheckerBatch, CheckerFacts } from '../wire/checker-wire.ts';
import type { NameServerFacts, NameServerState } from '../wire/dns-wire.ts';
import { databaseNow, isPresent } from './checker-store.ts';
import { silentForMs } from './name-server-store.ts';
import { type ZoneGeneration, zoneGenerations } from './zone-store.ts';

export interface ShownChecker {
  readonly id: string;
  readonly name: string;
  readonly vantagePointId: string;
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

type RawChecker = Omit<ShownChecker, 'present' | 'abstains' | 'shares' | 'facts' | 'load'> &
  Readonly<Record<'abstains' | 'shares', number> & Record<'facts' | 'load', string>>;

/** By id. `vantagePointId`: only of this one. */
export async function pageOfCheckers(
  db: Sql,
  { vantagePointId, silenceMs }: { readonly vantagePointId?: string; readonly silenceMs: number },
  { after, take }: PageRequest,
): Promise<readonly ShownChecker[]> {
  const rows = await db.query<RawChecker>(
    `SELECT c.id, c.name, c.vantage_point_id AS vantagePointId, c.abstains, COALESCE(c.epoch = v.epoch, 0) AS shares, c.incarnation,
      c.heard_at AS heardAt, c.linked_to AS linkedTo, c.facts, c.machine_load AS \`load\`
    FROM gslb_checker c LEFT JOIN gslb_vantage_point v ON v.id = c.vantage_point_id AND v.deleted_at IS NULL
    WHERE c.id > ? AND (? IS NULL OR c.vantage_point_id = ?) ORDER BY c.id LIMIT ?`,
    [after?.[0] ?? '', vantagePointId ?? null, vantagePointId ?? null, take],
  );
  const nowMs = await databaseNow(db);
  return rows.map((raw) => ({
    ...raw,
    present: isPresent(raw, nowMs, silenceMs),
    abstains: raw.abstains === 1,
    shares: raw.shares === 1,
    facts: JSON.parse(raw.facts),
    load: JSON.parse(raw.load),
  }));
}

export interface ShownNameServer {
  readonly id: string;
  readonly name: string;
  readonly present: boolean;
  readonly heardAt: Date | null;
  /** How old its answers may be; null: it never had all, or reported nothing yet. */
  readonly ageMs: number | null;
  readonly linkedTo: string | null;
  readonly facts: Partial<NameServerFacts>;
  readonly state: Partial<NameServerState>;
  /** The newest of all zones of ours. */
  readonly newest: readonly ZoneGeneration[];
}

type RawNameServer = Omit<ShownNameServer, 'present' | 'ageMs' | 'facts' | 'state' | 'newest'> &
  Readonly<Record<'facts' | 'state', string>>;

/** By name, then by id. */
export async function pageOfNameServers(db: Sql, { after, take }: PageRequest): Promise<readonly ShownNameServer[]> {
  const [name = '', id = ''] = after ?? [];
  const rows = await db.query<RawNameServer>(
    `SELECT id, name, heard_at AS heardAt, linked_to AS linkedTo, facts, zones AS state FROM gslb_name_server
    WHERE name > ? OR (name = ? AND id > ?) ORDER BY name, id LIMIT ?`,
    [name, name, id, take],
  );
  const newest = await zoneGenerations(db);
  const nowMs = await databaseNow(db);
  return rows.map((raw) => {
    const state: ShownNameServer['state'] = JSON.parse(raw.state);
    const agoMs = state.heardAgoMs ?? null;
    return {
      ...{ ...raw, state, newest, facts: JSON.parse(raw.facts) },
      present: isPresent(raw, nowMs, silentForMs),
      // What it said when it was last heard; since then it may have been told nothing.
      ageMs: agoMs === null || raw.heardAt === null ? null : agoMs + Math.max(0, nowMs - raw.heardAt.getTime()),
    };
  });
}
