// Pools and their members. Message of 01070265 as in K23011574.

import { isIP } from 'node:net';
import { splitEndpoint, toSegment } from '../names.ts';
import { mcpRefusal } from '../rest.ts';
import { defaultsOf, type Kind, missing, refuse, subcollection, view } from './kind.ts';
import { shownRule, storeMonitorRule } from './monitors.ts';
import { node, shownState } from './nodes.ts';

const collection = 'ltm/pool';

/** The pool of a collection of members. */
const poolOf = (members: string): string => members.split('/')[2]?.replaceAll('~', '/') ?? '';

export const pool: Kind = {
  collection,
  kind: 'tm:ltm:pool:pool',
  noun: 'Pool',
  properties: {
    allowNat: 'yes',
    allowSnat: 'yes',
    description: undefined,
    loadBalancingMode: 'round-robin',
    minActiveMembers: 0,
    monitor: undefined,
    queueDepthLimit: 0,
    reselectTries: 0,
    serviceDownAction: 'none',
    slowRampTime: 10,
  },
  store(values, _name, config) {
    const modes = [
      'round-robin',
      'ratio-member',
      'least-connections-member',
      'least-connections-node',
      'observed-member',
    ];
    const mode = String(values.loadBalancingMode);
    if (!modes.includes(mode) && !mode.endsWith('-node') && !mode.endsWith('-member')) {
      throw mcpRefusal(400, `invalid property value "load-balancing-mode":"${mode}"`, 26_214_401);
    }
    // The empty text takes a pool's monitor away; `/Common/none` is for nodes (f5-ansible, bigip_pool).
    if (values.monitor === '/Common/none') missing('Monitor', '/Common/none');
    return { ...values, monitor: storeMonitorRule(values.monitor, config) };
  },
  checkUnused({ fullPath }, config) {
    const user = config.list('ltm/virtual').find((each) => each.values.pool === fullPath);
    if (user) {
      refuse(
        `01070265:3: The Pool (${fullPath}) cannot be deleted because it is in use by a Virtual Server (${user.fullPath}).`,
      );
    }
  },
  show({ values, fullPath }, config, expanded) {
    const link = `${collection}/${toSegment(fullPath)}/members`;
    const members = config.list(link).map((each) => view(memberKind(link), each, config, false));
    return {
      ...values,
      monitor: shownRule(values.monitor),
      membersReference: subcollection(link, expanded ? members : undefined),
    };
  },
};

/** Members are in their pool's collection; their name includes the port: `web-1:80`. */
export function memberKind(members: string): Kind {
  return {
    collection: members,
    kind: 'tm:ltm:pool:members:members',
    noun: 'Pool Member',
    // By the parts of its key: `/Common/web /Common/10.0.0.1 80`.
    nameIn(fullPath) {
      const [, partition, name = ''] = fullPath.split('/');
      const { address = name, port = 0 } = splitEndpoint(name) ?? {};
      return `${poolOf(members)} /${partition}/${address} ${port}`;
    },
    addressLike: true,
    properties: {
      address: undefined,
      connectionLimit: 0,
      description: undefined,
      inheritProfile: 'enabled',
      logging: 'disabled',
      monitor: 'default',
      priorityGroup: 0,
      rateLimit: 'disabled',
      ratio: 1,
      session: 'user-enabled',
      state: 'user-up',
    },
    fixed: ['address'],
    store(values, { fullPath, name, partition }, config) {
      const endpoint = splitEndpoint(name);
      if (!endpoint || endpoint.port > 65_535) {
        return refuse(`01070088:3: The requested object name (${fullPath}) is invalid.`);
      }
      const nodePath = `/${partition}/${endpoint.address}`;
      const known = config.find(node.collection, nodePath);
      const address =
        known?.values.address ?? values.address ?? (isIP(endpoint.address) ? endpoint.address : undefined);
      if (typeof address !== 'string') return missing('Node', nodePath);
      if (!known)
        config.add(
          node.collection,
          { fullPath: nodePath, partition, name: endpoint.address },
          { ...defaultsOf(node), address },
        );
      return { ...values, address, node: nodePath };
    },
    show({ values, collection: inside }, config) {
      const monitored = config.find(collection, poolOf(inside))?.values.monitor !== undefined;
      const { node: _node, ...shown } = values;
      return { ...shown, ephemeral: 'false', fqdn: { autopopulate: 'disabled' }, ...shownState(values, monitored) };
    },
  };
}
