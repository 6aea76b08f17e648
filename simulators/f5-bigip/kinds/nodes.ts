// Nodes: the addresses behind pool members.

import { isIP } from 'node:net';
import type { JsonObject } from '../rest.ts';
import { type Kind, refuse } from './kind.ts';
import { storeMonitorRule } from './monitors.ts';

export const node: Kind = {
  collection: 'ltm/node',
  kind: 'tm:ltm:node:node',
  noun: 'Node',
  addressLike: true,
  properties: {
    address: undefined,
    connectionLimit: 0,
    description: undefined,
    dynamicRatio: 1,
    fqdn: undefined,
    logging: 'disabled',
    monitor: 'default',
    rateLimit: 'disabled',
    ratio: 1,
    session: 'user-enabled',
    state: 'user-up',
  },
  fixed: ['address'],
  store(values, { fullPath, name }, config) {
    const address = values.address ?? (isIP(name) ? name : undefined);
    if (typeof address !== 'string' || isIP(address.split('%')[0] ?? '') === 0) {
      return refuse(`01070587:3: The requested monitor rule or address of node (${fullPath}) is invalid.`);
    }
    const other = config.list('ltm/node').find((each) => each.values.address === address && each.fullPath !== fullPath);
    if (other) refuse(`0107176c:3: Invalid Node, the IP address ${address} already exists.`);
    const monitor = storeMonitorRule(values.monitor, config);
    return { ...values, address, ...(monitor === undefined ? {} : { monitor }) };
  },
  checkUnused({ fullPath }, config) {
    const member = config.within('ltm/pool/').find((each) => each.values.node === fullPath);
    if (member === undefined) return;
    const pool = member.collection.split('/')[2]?.replaceAll('~', '/') ?? '';
    refuse(`01070110:3: Node address '${fullPath}' is referenced by a member of pool '${pool}'.`);
  },
  show: ({ values }) => ({ ...values, ephemeral: 'false', ...shownState(values, false) }),
};

/** `state` and `session` in reads: the monitor's finding, unless a person forced it. */
export function shownState(values: JsonObject, monitored: boolean): JsonObject {
  const forced = values.state === 'user-down';
  const enabled = values.session === 'user-enabled';
  return {
    state: forced ? 'user-down' : monitored ? 'up' : 'unchecked',
    session: enabled && monitored ? 'monitor-enabled' : values.session,
  };
}
