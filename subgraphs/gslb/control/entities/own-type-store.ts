// SQL of the monitor types of custom plugins, as reported by checkers when they connect.
import type { Sql } from '../../../../platform/database/database.ts';
import { canonicalJson } from '../../../../platform/values/json.ts';
import type { CheckerFacts, OwnPlugin } from '../../wire/checker-wire.ts';

interface OwnType extends OwnPlugin {
  /** Names of the vantage points that have a checker for it, in order. */
  readonly vantagePoints: readonly string[];
}

/**
 * One type per name. If checkers differ, the one that joined first decides: a later one can't change a published type (docs/gslb.md). Includes
 * checkers that reported within a day, so a restarting checker keeps its types.
 */
export async function readOwnTypes(sql: Sql): Promise<readonly OwnType[]> {
  const rows = await sql.query<{ facts: string; vantagePoint: string }>(
    `SELECT c.facts, v.name AS vantagePoint FROM gslb_checker c
      JOIN gslb_vantage_point v ON v.id = c.vantage_point_id AND v.deleted_at IS NULL
    WHERE c.heard_at > NOW(3) - INTERVAL 1 DAY AND JSON_LENGTH(JSON_EXTRACT(c.facts, '$.own')) > 0
    ORDER BY c.created_at, c.id LIMIT 1000`,
  );
  const types = new Map<string, OwnPlugin & { readonly vantagePoints: Set<string> }>();
  for (const { facts, vantagePoint } of rows)
    for (const plugin of (JSON.parse(facts) as Pick<CheckerFacts, 'own'>).own ?? []) {
      const known = types.get(plugin.name) ?? { ...plugin, vantagePoints: new Set<string>() };
      types.set(plugin.name, known);
      if (isSameType(known, plugin)) known.vantagePoints.add(vantagePoint);
    }
  return [...types.values()]
    .map((type) => ({ ...type, vantagePoints: [...type.vantagePoints].sort() }))
    .sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
}

export function isSameType(one: OwnPlugin, other: OwnPlugin): boolean {
  const text = ({ name, needsPort, parameters }: OwnPlugin) => canonicalJson([name, needsPort, parameters]);
  return text(one) === text(other);
}
