// The settings of load balancers, their parts, subnets and certificates for their history. A load balancer's history has those of its parts.

import type { Sql } from '../../../platform/database/database.ts';
import type {
  Configuration,
  ConfigurationReader,
  ConfigurationReaders,
} from '../../../platform/edge/configuration-versions.ts';
import { isProtected } from '../../../platform/edge/deletion-protection.ts';
import { uniqueWords } from '../../../platform/graph/described/kind.ts';
import { inputOf } from '../../../platform/graph/described/settings-input.ts';
import { storedCmpObject } from '../../../platform/pages/cmp-object.ts';
import { encodeId } from '../../../platform/values/ids.ts';
import type { JsonObject } from '../../../platform/values/json.ts';
import { isEnding } from '../rules/operating-status.ts';
import type { BalancerRow } from '../rules/rows.ts';
import { partNames } from '../spec/part-kind.ts';
import { partKinds } from '../spec/parts.ts';
import { readCertificates } from './certificates/certificate-store.ts';
import { type PolicyRow, readPolicy } from './scaling/scaling-store.ts';
import { readBalancer } from './stores/balancer-store.ts';
import { type PartRow, partsOfGeneration, readParts } from './stores/part-store.ts';
import { readSubnets } from './subnets/subnet-store.ts';

export const configurations: ConfigurationReaders = {
  LoadBalancer: balancerSettings,
  ...Object.fromEntries(partNames.map((name) => [name, partSettings])),
  async ProjectSubnet(sql, id) {
    const row = (await readSubnets(sql, [id])).get(id);
    if (row === undefined) return [];
    const { projectId, name, version, deleted, cidr } = row;
    const settings = deleted ? null : { projectId: encodeId('Project', projectId), name, cidr };
    return [{ subject: 'ProjectSubnet', id, projectId, name, version, settings }];
  },
  async TlsCertificate(sql, id) {
    const row = (await readCertificates(sql, [id])).get(id);
    if (row === undefined) return [];
    const { projectId, name, version, deleted, chain } = row;
    const settings = deleted ? null : { projectId: encodeId('Project', projectId), name, chain };
    return [{ subject: 'TlsCertificate', id, projectId, name, version, settings }];
  },
};

/** With the parts that the last change of the load balancer touched. */
async function balancerSettings(sql: Sql, id: string): Promise<Configuration[]> {
  const row = await readBalancer(sql, id);
  if (row === undefined || isEnding(row)) return [];
  const parts = await partsOfGeneration(sql, id, row.generation);
  const policy = await readPolicy(sql, id);
  const deletionProtected = await isProtected(sql, 'LoadBalancer', id);
  return [ofBalancer(row, deletionProtected), ofPolicy(row, policy), ...parts.map(ofPart)];
}

/** With those that changed with it: a deleted pool's members, or the members of a set. */
async function partSettings(sql: Sql, id: string): ReturnType<ConfigurationReader> {
  const part = (await readParts(sql, [id])).get(id);
  if (part === undefined) return [];
  const others = await partsOfGeneration(sql, part.loadBalancerId, part.generation);
  return [part, ...others.filter((each) => each.id !== id)].map(ofPart);
}

function ofBalancer(row: BalancerRow, deletionProtected: boolean): Configuration {
  const { id, projectId, name, settingsVersion: version, description, tags, enabled, minNodes, maxNodes } = row;
  const { topology, subnetId, nodeConnections: connections, nodeThreads: threads } = row;
  const cmpObject = storedCmpObject(row);
  return {
    ...{ subject: 'LoadBalancer', id, projectId, name, version },
    settings: {
      ...{ projectId: encodeId('Project', projectId), subnetId: encodeId('ProjectSubnet', subnetId), topology },
      ...{
        cmpObject: cmpObject === null ? null : { ...cmpObject },
        name,
        description,
        tags: [...tags],
        enabled,
        minNodes,
        maxNodes,
      },
      ...{ nodeSize: { connections, threads }, deletionProtected },
    },
  };
}

function ofPolicy(row: BalancerRow, policy: PolicyRow | undefined): Configuration {
  const { id, projectId, name } = row;
  const loadBalancerId = encodeId('LoadBalancer', id);
  return {
    ...{ subject: 'AutoscalingPolicy', id, projectId, name, version: policy?.version ?? row.settingsVersion },
    settings: policy === undefined ? null : { loadBalancerId, policy: policyInput(policy) },
  };
}

function policyInput(policy: PolicyRow): JsonObject {
  const { enabled, dryRun, signal, collectdValue, requestsPerNode, targetPercent, tolerancePercent, periodMs } = policy;
  const { warmUpMs, cooldownMs, downWindowMs, timeZone, schedule } = policy;
  return {
    ...{ enabled, dryRun, signal, collectdValue, requestsPerNode, targetPercent, tolerancePercent, periodMs },
    ...{ warmUpMs, cooldownMs, downWindowMs, timeZone },
    schedule: schedule.map((window) => ({ ...window, days: [...window.days] })),
  };
}

function ofPart(row: PartRow): Configuration {
  const { id, kind: subject, projectId, loadBalancerId, parentId, spec, deleted, settingsVersion: version } = row;
  const kind = partKinds[subject];
  const parent = { [`${lower(kind.parent)}Id`]: encodeId(kind.parent, parentId) };
  const name = typeof spec.name === 'string' && spec.name !== '' ? spec.name : uniqueWords(kind, spec);
  const settings = deleted ? null : { ...parent, ...inputOf(kind, spec) };
  return { subject, id, rootId: loadBalancerId, projectId, name, version, settings };
}

function lower(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}
