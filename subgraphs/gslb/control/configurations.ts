// The settings of GSLB entities and DNS backends for their history. A pool's history has those of its members.
import { readBackend } from '../../../dns/backends/backend-store.ts';
import type { Sql } from '../../../platform/database/database.ts';
import type { Configuration, ConfigurationReaders } from '../../../platform/edge/configuration-versions.ts';
import { isProtected } from '../../../platform/edge/deletion-protection.ts';
import { inputOf } from '../../../platform/graph/described/settings-input.ts';
import { storedCmpObject } from '../../../platform/pages/cmp-object.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import type { JsonObject } from '../../../platform/values/json.ts';
import { parametersInput, typeOfParameters } from '../spec/check-parameters.ts';
import type { GslbKind } from '../spec/kind.ts';
import { gslbKinds } from '../spec/kinds.ts';
import { backendSettings } from './entities/dns-backend-service.ts';
import {
  type EntityRows,
  type EntityType,
  type MemberEntity,
  type MonitorEntity,
  type NameRow,
  readEntities,
} from './entities/entity-store.ts';
import { settingsOf } from './entities/shown-settings.ts';
import { poolUses } from './entities/use-store.ts';

export const configurations: ConfigurationReaders = {
  ...Object.fromEntries(gslbKinds.map((kind) => [kind.name, (sql: Sql, id: string) => entitySettings(sql, kind, id)])),
  async DnsBackend(sql, id) {
    const row = await readBackend(sql, id);
    if (row === undefined) return [];
    const { name, version } = row;
    return [{ subject: 'DnsBackend', id, projectId: null, name, version, settings: backendSettings(row) }];
  },
};

async function entitySettings(sql: Sql, kind: GslbKind, id: string): Promise<Configuration[]> {
  const type = kind.name as EntityType;
  const row = (await readEntities(sql, type, [id])).get(id);
  if (row === undefined) return [];
  const projectId = 'projectId' in row ? row.projectId : null;
  const place: Record<string, string> = projectId === null ? {} : { projectId: encodeId('Project', projectId) };
  const shown = await shownSettings(sql, type, row);
  const isGuarded = kind.updateFields?.deletionProtected !== undefined;
  const guard = isGuarded ? { deletionProtected: await isProtected(sql, type, id) } : {};
  if ('poolId' in row) {
    delete place.projectId;
    place.poolId = encodeId('GslbPool', row.poolId);
  }
  return [
    {
      ...{ subject: type, id, projectId, version: row.settingsVersion },
      ...('poolId' in row ? { rootId: row.poolId } : {}),
      name: 'fqdn' in row ? row.fqdn : row.name,
      settings: row.deleted
        ? null
        : { ...place, ...inputOf(givenFieldsOf(kind), shown), ...forCmpObject(row), ...guard },
    },
  ];
}

function givenFieldsOf({ fields, hidden = [] }: GslbKind): Pick<GslbKind, 'fields'> {
  return { fields: Object.fromEntries(Object.entries(fields).filter(([name]) => !hidden.includes(name))) };
}

function forCmpObject(row: EntityRows[EntityType]): JsonObject {
  if (!('fqdn' in row)) return {};
  const cmpObject = storedCmpObject(row);
  return { cmpObject: cmpObject === null ? null : { ...cmpObject } };
}

async function shownSettings(sql: Sql, type: EntityType, row: EntityRows[EntityType]): Promise<JsonObject> {
  if ('fqdn' in row) return nameSettings(sql, row);
  const settings = settingsOf(type, row);
  if (type === 'GslbPoolMember') return memberSettings(row as MemberEntity, settings);
  if (type === 'GslbMonitor') return monitorSettings(row as MonitorEntity, settings);
  return settings;
}

async function nameSettings(sql: Sql, row: NameRow): Promise<JsonObject> {
  const uses = await poolUses(sql, [row.id]);
  const pools = uses.filter(({ fallback }) => !fallback).map(({ poolId }) => poolId);
  return settingsOf('Gslb', row, pools);
}

/** The addresses of a load balancer are followed: nobody set them. */
function memberSettings({ spec: { parameters, parametersFor } }: MemberEntity, settings: JsonObject): JsonObject {
  const { addresses, ...rest } = settings;
  const type = parametersFor ?? typeOfParameters(parameters);
  const isNone = Object.keys(parameters).length === 0;
  const own = settings.memberType === 'LOADBALANCER' ? {} : { addresses: addresses ?? [] };
  return { ...rest, ...own, parameters: isNone ? null : parametersInput(type, parameters, { filled: false }) };
}

function monitorSettings({ spec: { type, parameters } }: MonitorEntity, settings: JsonObject): JsonObject {
  return { ...settings, parameters: parametersInput(type, parameters, { filled: true }) };
}
