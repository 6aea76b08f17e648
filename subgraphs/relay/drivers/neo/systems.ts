// NEO itself and the switches that it manages. NVIDIA NEO REST API Guide 2.7.20, Version and Systems.

import type { Health, HttpReply, JsonObject, JsonValue } from '../driver.ts';
import { argumentsSchema, isObject } from '../json.ts';
import { get, type NeoOperation, objectsIn, readAnswer, readOutcome } from './rest.ts';
import { device } from './schema.ts';

/** The guide spells it `disply_string`. */
function versionIn(value: JsonValue): string | undefined {
  if (!isObject(value)) return undefined;
  const version = value.display_string ?? value.disply_string;
  return typeof version === 'string' ? version : undefined;
}

export const health: Health<HttpReply> = {
  render: () => get('/neo/app/version'),
  interpret(reply) {
    const answer = readAnswer(reply);
    const version = answer.kind === 'value' ? versionIn(answer.value) : undefined;
    return version === undefined ? undefined : { softwareVersion: `NEO ${version}`.slice(0, 255), serial: null };
  },
};

/** `?system_ids=10.0.0.1.system,…`; empty for all. */
export function systemsQuery(devices: readonly string[]): string {
  return devices.length === 0 ? '' : `?system_ids=${devices.map((each) => `${each}.system`).join(',')}`;
}

/** The devices of an argument, sorted; none if it was left out. */
export function devicesIn(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String).sort() : [];
}

function describe(system: JsonObject): JsonObject {
  return {
    device: system.ip ?? String(system.id ?? '').replace(/\.system$/, ''),
    name: system.name ?? null,
    status: system.status ?? null,
    health: system.healthState ?? null,
    vendor: system.vendor ?? null,
    type: system.type ?? null,
    osVersion: system.osVersion ?? null,
    serial: system.serialNumber ?? null,
    native: system,
  };
}

export const systemList: NeoOperation = {
  name: 'system.list',
  summary: 'Lists the switches that NEO manages, or one of them.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ device }),
  example: {},
  render: (args) =>
    get(args.device === undefined ? '/neo/resources/systems' : `/neo/resources/systems/${String(args.device)}.system`),
  interpret: (reply) =>
    readOutcome(reply, (value) => {
      const systems = objectsIn(value);
      return systems && { systems: systems.map(describe) };
    }),
};
