// A mapping's wanted object as the graph shows it: in the terms of the typed mutations, and setting by setting.
import type { MappingSetting, ResolversTypes } from '../../../../generated/graph/relay.ts';
import type { Driver, JsonObject, JsonValue } from '../../drivers/driver.ts';
import { withoutHashes } from '../model/secret-arguments.ts';
import type { MappingRow } from './mapping.ts';

type MappingObject = Awaited<ResolversTypes['MappingObject']>;

/** Null if no typed mutation of the driver makes such an object. */
export function shownObject(driver: Driver | undefined, row: MappingRow): MappingObject | null {
  const values = shownValues(row);
  const { resource, scope, objectKey: key } = row;
  const typed = values === null ? undefined : driver?.objects?.[resource]?.(values, { scope, key });
  return typed === undefined ? null : ({ __typename: typed.type, ...typed.fields } as unknown as MappingObject);
}

/** Null if the wanted state is not known. */
export function shownSettings(row: MappingRow): MappingSetting[] | null {
  const values = shownValues(row);
  if (values === null) return null;
  return Object.entries(values).map(([name, value]) => ({ name, value: shownValue(value ?? null) }));
}

/** A text as it is, anything else as JSON. */
export function shownValue(value: JsonValue): string | null {
  if (value === null || typeof value === 'string') return value;
  return JSON.stringify(value);
}

function shownValues({ desired }: MappingRow): JsonObject | null {
  return desired === null ? null : (withoutHashes(JSON.parse(desired) as JsonValue) as JsonObject);
}
