// SQL of the types of monitors that a deployer's own plugins check: what checkers say of them when they connect.
import type { Sql } from '../../../platform/database/database.ts';
import { canonicalJson } from '../../../platform/json.ts';
import type { CheckerFacts, OwnPlugin } from '../wire/checker-wire.ts';

export interface OwnType extends OwnPlugin {
  /** Names of those with a checker that has it, by name. */
  readonly vantagePoints: readonly string[];
}

/**
 * One for each name. Where checkers differ, the one that joined first decides: a later one changes nothing of what others publish
 * (docs/gslb.md). Of checkers that were heard within a day: one that is restarted does not take its types with it.
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
