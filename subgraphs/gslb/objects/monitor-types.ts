// Types of monitors with the JSON Schemas of their parameters: those of the product, and a deployer's own as checkers tell of them. What
// is published is what parameters are checked by: a monitor's own, and a member's over them.
import type { Sql } from '../../../platform/database/database.ts';
import type { JsonObject } from '../../../platform/json.ts';
import { faultsBySchema, type SchemaFault, validateObject } from '../../../platform/json-schema.ts';
import { type CheckSchema, checkSchemas } from '../checker/plugins/schemas.ts';
import { readOwnTypes } from '../conductor/own-type-store.ts';
import { type MonitorSpec, type MonitorType, monitorTypes } from './specs.ts';

export interface KnownType {
  readonly type: MonitorType;
  /** The name of a deployer's own plugin; null: it is the product's. */
  readonly plugin: string | null;
  readonly schema: JsonObject;
  readonly needsPort: boolean;
  /** Names of those where it can be checked; null: everywhere. */
  readonly vantagePoints: readonly string[] | null;
}

const byStatus: CheckSchema = { parameters: { type: 'object' }, needsPort: false };

const standard = monitorTypes
  .filter((type) => type !== 'PLUGIN')
  .map((type): KnownType => {
    const { parameters, needsPort } = checkSchemas.get(type) ?? byStatus;
    return { type, plugin: null, schema: parameters as JsonObject, needsPort, vantagePoints: null };
  });

export async function knownTypes(sql: Sql): Promise<readonly KnownType[]> {
  const own = await readOwnTypes(sql);
  return [
    ...standard,
    ...own.map(({ name, needsPort, parameters: schema, vantagePoints }): KnownType => {
      return { ...{ type: 'PLUGIN', plugin: name }, ...{ schema, needsPort, vantagePoints } };
    }),
  ];
}

type Typed = Pick<MonitorSpec, 'type' | 'plugin'>;

/** Empty: no checker that was heard of late has it. */
export async function typesOf(sql: Sql, { type, plugin = null }: Typed): Promise<readonly KnownType[]> {
  if (type !== 'PLUGIN') return standard.filter((each) => each.type === type);
  return (await knownTypes(sql)).filter((each) => each.plugin === plugin && plugin !== null);
}

export function parameterFaults(types: readonly KnownType[], parameters: JsonObject): readonly SchemaFault[] {
  for (const { plugin, schema } of types) {
    const faults =
      plugin === null ? standardFaults(schema, parameters) : faultsBySchema(JSON.stringify(schema), parameters);
    if (faults.length > 0) return faults;
  }
  return [];
}

function standardFaults(schema: JsonObject, parameters: JsonObject): readonly SchemaFault[] {
  const checked = validateObject(schema, parameters);
  return checked.ok ? [] : checked.faults;
}
