// Types of monitors with the JSON Schemas of their parameters: the built-in ones, and custom ones reported by checkers.
// Parameters are checked against the published schemas: the monitor's own, and those merged with a member's.
import type { Sql } from '../../../../platform/database/database.ts';
import { faultsBySchema, type SchemaFault, validateObject } from '../../../../platform/input/json-schema.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { type CheckType, checkTypes } from '../../spec/check-types.ts';
import { type MonitorSpec, type MonitorType, monitorTypes } from '../../spec/specs.ts';
import { readOwnTypes } from './own-type-store.ts';

export interface KnownType {
  readonly type: MonitorType;
  /** Name of a custom plugin. Null for a built-in type. */
  readonly plugin: string | null;
  readonly schema: JsonObject;
  readonly needsPort: boolean;
  /** Names of the vantage points that can check it. Null for all. */
  readonly vantagePoints: readonly string[] | null;
}

/** Uses the status of a load balancer, and has no parameters. */
const byStatus: Omit<CheckType, 'name'> = { parameters: { type: 'object' }, needsPort: false };
const checked = new Map<string, CheckType>(Object.entries(checkTypes));

const standard = monitorTypes
  .filter((type) => type !== 'PLUGIN')
  .map((type): KnownType => {
    const { parameters, needsPort } = checked.get(type) ?? byStatus;
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

/** Empty if no checker with the type has reported recently. */
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
