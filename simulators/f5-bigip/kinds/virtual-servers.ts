// Virtual servers. 01070333 and its text as quoted in tests of f5-openstack-agent.

import { isIP } from 'node:net';
import { fromReference, splitEndpoint, toSegment } from '../names.ts';
import { isObject, type JsonObject, type JsonValue, mcpRefusal } from '../rest.ts';
import { type Kind, missing, refuse, selfLink, subcollection } from './kind.ts';

/** Profiles of the system. */
const knownProfiles = new Set(
  ['tcp', 'udp', 'http', 'fastL4', 'clientssl', 'serverssl', 'oneconnect', 'websecurity'].map(
    (name) => `/Common/${name}`,
  ),
);

export const virtualServer: Kind = {
  collection: 'ltm/virtual',
  kind: 'tm:ltm:virtual:virtual',
  noun: 'Virtual Server',
  properties: {
    connectionLimit: 0,
    description: undefined,
    destination: undefined,
    disabled: undefined,
    enabled: true,
    ipProtocol: 'any',
    mask: undefined,
    persist: undefined,
    policies: undefined,
    pool: undefined,
    profiles: undefined,
    rules: undefined,
    source: '0.0.0.0/0',
    sourceAddressTranslation: { type: 'none' },
    translateAddress: 'enabled',
    translatePort: 'enabled',
  },
  store(values, { fullPath, partition }, config) {
    const [, destination = ''] = /([^/]+)$/.exec(String(values.destination ?? '')) ?? [];
    const endpoint = splitEndpoint(destination);
    if (!endpoint || isIP(endpoint.address.split('%')[0] ?? '') === 0) {
      throw mcpRefusal(400, `01070734:3: Configuration error: destination of ${fullPath} is invalid.`);
    }
    const stored: JsonObject = {
      ...values,
      destination: `/${partition}/${destination}`,
      mask:
        values.mask ?? (isIP(endpoint.address) === 6 ? 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' : '255.255.255.255'),
    };
    const same = (other: JsonObject): boolean =>
      other.destination === stored.destination && other.ipProtocol === stored.ipProtocol;
    const twin = config.list('ltm/virtual').find((each) => each.fullPath !== fullPath && same(each.values));
    if (twin) {
      refuse(
        `01070333:3: Virtual Server ${fullPath} illegally shares destination address, source address, service port, ip-protocol, and vlan with Virtual Server ${twin.fullPath}.`,
      );
    }
    const poolPath =
      typeof values.pool === 'string' && values.pool !== '' && values.pool !== 'none' ? values.pool : undefined;
    const full = poolPath === undefined ? undefined : fromReference(poolPath, partition);
    if (full !== undefined && !config.find('ltm/pool', full)) missing('Pool', full);
    return { ...stored, pool: full, profiles: storeProfiles(values.profiles, partition) };
  },
  show({ values, fullPath }, _config, expanded) {
    const { profiles: attached, policies: _policies, ...shown } = values;
    const base = `ltm/virtual/${toSegment(fullPath)}`;
    const items = expanded ? ((attached ?? []) as readonly JsonObject[]) : undefined;
    return {
      ...shown,
      ...(typeof values.pool === 'string'
        ? { poolReference: { link: selfLink(`ltm/pool/${toSegment(values.pool)}`) } }
        : {}),
      profilesReference: subcollection(`${base}/profiles`, items),
      policiesReference: subcollection(`${base}/policies`, undefined),
    };
  },
};

/** Without any profile, 13.1 gives a virtual server fastL4. */
function storeProfiles(given: JsonValue | undefined, partition: string): readonly JsonObject[] {
  const list = Array.isArray(given) && given.length > 0 ? (given as readonly JsonValue[]) : ['/Common/fastL4'];
  return list.map((each) => {
    const reference = isObject(each) ? String(each.fullPath ?? each.name) : String(each);
    const fullPath = knownProfiles.has(`/Common/${reference}`)
      ? `/Common/${reference}`
      : fromReference(reference, partition);
    if (!knownProfiles.has(fullPath)) missing('profile', fullPath);
    const context = isObject(each) && typeof each.context === 'string' ? each.context : 'all';
    const [, inPartition = '', name = ''] = fullPath.split('/');
    return { kind: 'tm:ltm:virtual:profiles:profilesstate', name, partition: inPartition, fullPath, context };
  });
}
