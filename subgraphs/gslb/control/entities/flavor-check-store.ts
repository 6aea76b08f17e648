// SQL of the names that a flavor's new settings would no longer allow. Each query returns one such name.
import type { Sql, SqlValue } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { FlavorSpec } from '../../spec/specs.ts';

interface BeyondFlavor {
  readonly fqdn: string;
  /** The value that it has. */
  readonly has: string;
}

type Bound = 'policies' | 'shortestTtlSeconds' | 'longestTtlSeconds' | 'shortestDelayMs' | 'mostMembers';

const own = 'FROM gslb g WHERE g.flavor_id = ? AND g.live_fqdn IS NOT NULL';
const ttl = "CAST(JSON_VALUE(g.spec, '$.ttlSeconds') AS INT)";
const degraded = `COALESCE(CAST(JSON_VALUE(g.spec, '$.degradedTtlSeconds') AS INT), ${ttl})`;
const policy = "JSON_VALUE(g.spec, '$.policy.preset')";
const pools = 'FROM gslb g JOIN gslb_pool_use u ON u.gslb_id = g.id';
const members = 'JOIN gslb_pool_member m ON m.pool_id = u.pool_id AND m.deleted_at IS NULL';
const delay = "CAST(JSON_VALUE(o.spec, '$.delayMs') AS INT)";
const monitors = `JOIN gslb_monitor o ON o.id = v.monitor_id WHERE g.flavor_id = ? AND g.live_fqdn IS NOT NULL AND ${delay} < ?`;

/** A name of the flavor that a bound of these settings leaves out. Undefined if there is none. */
export async function nameBeyond(
  sql: Sql,
  flavorId: string,
  bound: Bound,
  spec: Pick<FlavorSpec, Bound>,
): Promise<BeyondFlavor | undefined> {
  const [text, values] = question(flavorId, bound, spec);
  return (await sql.query<BeyondFlavor>(`${text} LIMIT 1`, values))[0];
}

function question(flavorId: string, bound: Bound, spec: Pick<FlavorSpec, Bound>): readonly [string, SqlValue[]] {
  switch (bound) {
    case 'policies':
      return [
        `SELECT g.fqdn, ${policy} AS has ${own} AND ${policy} NOT IN (${marksFor(spec.policies)})`,
        [flavorId, ...spec.policies],
      ];
    case 'shortestTtlSeconds':
      return [`SELECT g.fqdn, LEAST(${ttl}, ${degraded}) AS has ${own} HAVING has < ?`, [flavorId, spec[bound]]];
    case 'longestTtlSeconds':
      return [`SELECT g.fqdn, GREATEST(${ttl}, ${degraded}) AS has ${own} HAVING has > ?`, [flavorId, spec[bound]]];
    case 'mostMembers':
      return [
        `SELECT g.fqdn, COUNT(*) AS has ${pools} ${members} WHERE g.flavor_id = ? AND g.live_fqdn IS NOT NULL GROUP BY g.id HAVING has > ?`,
        [flavorId, spec[bound]],
      ];
    case 'shortestDelayMs':
      return [
        `SELECT g.fqdn, ${delay} AS has ${pools} JOIN gslb_monitor_use v ON v.pool_id = u.pool_id ${monitors}
        UNION SELECT g.fqdn, ${delay} ${pools} ${members} JOIN gslb_monitor_use v ON v.member_id = m.id ${monitors}`,
        [flavorId, spec[bound], flavorId, spec[bound]],
      ];
  }
}

/** A name that has more members with this pool than its flavor allows. Undefined if there is none. */
export async function nameBeyondMembers(
  sql: Sql,
  poolId: string,
): Promise<(BeyondFlavor & { readonly flavor: string; readonly most: number }) | undefined> {
  const [found] = await sql.query<BeyondFlavor & { flavor: string; most: number }>(
    `SELECT g.fqdn, f.name AS flavor, CAST(JSON_VALUE(f.spec, '$.mostMembers') AS INT) AS most, COUNT(*) AS has
    FROM gslb_pool_use w JOIN gslb g ON g.id = w.gslb_id AND g.live_fqdn IS NOT NULL JOIN gslb_flavor f ON f.id = g.flavor_id
      JOIN gslb_pool_use u ON u.gslb_id = g.id ${members}
    WHERE w.pool_id = ? GROUP BY g.id HAVING has > most LIMIT 1`,
    [poolId],
  );
  return found;
}

/** Names of a zone with their projects, in order, after a name. */
export function namesOfZone(
  sql: Sql,
  zone: string,
  after: string,
  take: number,
): Promise<readonly { readonly fqdn: string; readonly projectId: string }[]> {
  const text = `SELECT live_fqdn AS fqdn, project_id AS projectId FROM gslb WHERE zone = ? AND live_fqdn > ? ORDER BY live_fqdn LIMIT ?`;
  return sql.query(text, [zone, after, take]);
}
