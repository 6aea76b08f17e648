// JSON Schemas of the parameters of monitors, by type: those of the plugins, and of the types that are checked by a status elsewhere.
import type { JsonObject } from '../../../platform/json.ts';
import { checkSchemas } from '../checker/plugins/schemas.ts';
import { type MonitorType, monitorTypes } from './specs.ts';

const anything: JsonObject = { type: 'object' };

export const monitorSchemas = Object.fromEntries(
  monitorTypes.map((type) => [type, (checkSchemas.get(type)?.parameters ?? anything) as JsonObject]),
) as Readonly<Record<MonitorType, JsonObject>>;
