// A zone that is served: its names by key, its fixed records and its signer. A change replaces names in place. JavaScript is
// single-threaded, so an answer sees all of a change or none.
import type { Position } from '../../../platform/values/positions.ts';
import { type PreparedBlocks, type PreparedMap, prepareClientMap } from '../../policy/client.ts';
import { isOwnMapId } from '../../policy/client-blocks.ts';
import {
  type ClientMap,
  type NamePlan,
  regionsMapId,
  type ZoneChange,
  type ZoneHead,
  type ZonePlan,
} from '../../policy/plan.ts';
import { encodeAddress, types } from '../../wire/message.ts';
import { encodeName } from '../../wire/name.ts';
import { dsData } from '../dnssec/keys.ts';
import { type SignatureCache, ZoneSigner } from '../dnssec/zone-signer.ts';
import { keyOf, parentOf, wildcardOf } from '../query/names.ts';
import { type RecordSet, serialOf, soaData } from '../record-set.ts';
import { isLost, type NameNode, type NodeFields, nameNode, policyOf } from './name-node.ts';

export interface Found {
  readonly node: NameNode;
  /** It matched a wildcard. The owner of the answer's records is the asked name (RFC 4592 section 3.3.1). */
  readonly isWildcard: boolean;
}

export class Zone {
  readonly key: string;
  readonly #cache: SignatureCache;
  readonly #nodes = new Map<string, NameNode>();
  #head: ZoneHead;
  /** Maps of the head. */
  #maps: ReadonlyMap<string, PreparedMap>;
  /** Separate maps. */
  readonly #ownMaps: ReadonlyMap<string, PreparedBlocks>;
  readonly #history: string;
  #generation: number;
  /** SOA of answers. In denials its TTL is the negative one (RFC 9077). */
  #soa!: RecordSet;
  #negativeSoa!: RecordSet;
  #signer: ZoneSigner | undefined;

  /** Throws when a key can't be used. */
  constructor(plan: ZonePlan, cache: SignatureCache, ownMaps: ReadonlyMap<string, PreparedBlocks>) {
    this.key = keyOf(plan.zone);
    this.#cache = cache;
    this.#ownMaps = ownMaps;
    const { names, history, generation, ...head } = plan;
    this.#history = history;
    this.#head = head;
    this.#generation = generation;
    this.#maps = mapsOf(plan);
    this.#signer = this.#signerOf(plan);
    this.#setFixed();
    for (const name of names) this.#setPolicy(name);
  }

  get name(): string {
    return this.#head.zone;
  }

  get position(): Position {
    return { history: this.#history, number: this.#generation };
  }

  /** Serial of the SOA record. */
  get serial(): number {
    return serialOf(this.#head.soa, this.#generation);
  }

  get signer(): ZoneSigner | undefined {
    return this.#signer;
  }

  get head(): ZoneHead {
    return this.#head;
  }

  /** The SOA record of a denial. */
  get negativeSoa(): RecordSet {
    return this.#negativeSoa;
  }

  /** Whether the change follows this position. If not, nothing changes, and the whole plan is needed. Throws like the constructor. */
  change({ history, from, to, head, names, removedNames }: ZoneChange): boolean {
    if (history !== this.#history || from !== this.#generation || to <= from) return false;
    // Steps that can throw come first.
    const signer = head === undefined ? this.#signer : this.#signerOf(head);
    if (head !== undefined) {
      for (const key of this.#fixedSets().keys()) this.#replace(key, { fixed: new Map(), server: false });
      const before = this.#head.clientMaps;
      this.#head = head;
      this.#signer = signer;
      this.#setMaps(before);
    }
    this.#generation = to;
    for (const name of removedNames) this.#replace(keyOf(name), { held: undefined });
    for (const name of names) this.#setPolicy(name);
    if (head === undefined) this.#setSoa();
    else this.#setFixed();
    return true;
  }

  /** `key`: a key in this zone. Undefined if there is no such name. */
  find(key: string): Found | undefined {
    const node = this.#nodes.get(key);
    if (node !== undefined) return { node, isWildcard: false };
    // RFC 4592 section 3.3.1: only the wildcard at the closest encloser counts.
    for (let above = parentOf(key); above !== undefined && above.length >= this.key.length; above = parentOf(above)) {
      if (!this.#nodes.has(above)) continue;
      const wildcard = this.#nodes.get(wildcardOf(above));
      return wildcard && { node: wildcard, isWildcard: true };
    }
    return undefined;
  }

  names(): NamePlan[] {
    return [...this.#nodes.values()].flatMap(({ held }) => held?.name.plan ?? []);
  }

  /** Ids of the separate maps that its names use. */
  ownMapIds(): string[] {
    return this.names().flatMap(({ clientMapId }) =>
      clientMapId !== null && isOwnMapId(clientMapId) ? clientMapId : [],
    );
  }

  /** Whether the map of a name was missing when the name arrived, so that the name is not answered. */
  lacksMaps(): boolean {
    return [...this.#nodes.values()].some(({ held }) => held !== undefined && isLost(held.name));
  }

  /** DS records for the parent zone, if it is here too (RFC 4035 section 3.1.4.1). Empty if the zone is not signed. */
  delegationSigners(): readonly Buffer[] {
    const { zone, keys } = this.#head;
    const active = keys.filter((key) => key.active);
    const entry = active.filter(({ flags }) => flags === 257);
    return (entry.length > 0 ? entry : active).map((key) => dsData(zone, key));
  }

  #signerOf({ zone, keys }: ZoneHead): ZoneSigner | undefined {
    // The same keys keep their signatures.
    if (this.#signer !== undefined && JSON.stringify(keys) === JSON.stringify(this.#head.keys)) return this.#signer;
    return keys.length === 0 ? undefined : new ZoneSigner(keyOf(zone), keys, this.#cache);
  }

  #setSoa(): void {
    const { soa, ttlSeconds } = this.#head;
    const data = [soaData(soa, this.#generation)];
    this.#soa = { key: this.key, type: types.SOA, ttlSeconds, data };
    this.#negativeSoa = { ...this.#soa, ttlSeconds: Math.min(ttlSeconds, soa.negativeTtlSeconds) };
    const apex = this.#nodes.get(this.key);
    if (apex !== undefined) (apex.fixed as Map<number, RecordSet>).set(types.SOA, this.#soa);
  }

  #setFixed(): void {
    const servers = new Set(this.#ownServers().map(({ name }) => keyOf(name)));
    for (const [key, fixed] of this.#fixedSets()) this.#replace(key, { fixed, server: servers.has(key) });
    this.#setSoa();
  }

  /** By owner: NS and DNSKEY of the zone, and addresses of its name servers. */
  #fixedSets(): Map<string, Map<number, RecordSet>> {
    const { ttlSeconds, nameServers } = this.#head;
    const sets = new Map([[this.key, new Map<number, RecordSet>()]]);
    const add = (key: string, type: number, data: readonly Buffer[]) => {
      if (data.length === 0) return;
      const own = sets.get(key) ?? new Map<number, RecordSet>();
      sets.set(key, own.set(type, { key, type, ttlSeconds, data }));
    };
    add(
      this.key,
      types.NS,
      nameServers.map(({ name }) => encodeName(name)),
    );
    add(this.key, types.DNSKEY, this.#signer?.keyData ?? []);
    for (const { name, addresses } of this.#ownServers()) {
      if (!sets.has(keyOf(name))) sets.set(keyOf(name), new Map());
      const ofFamily = (isV6: boolean) => addresses.filter((each) => each.includes(':') === isV6).map(encodeAddress);
      add(keyOf(name), types.A, ofFamily(false));
      add(keyOf(name), types.AAAA, ofFamily(true));
    }
    return sets;
  }

  /** Name servers with names in this zone. */
  #ownServers(): ZoneHead['nameServers'] {
    const { nameServers, zone } = this.#head;
    return nameServers.filter(({ name }) => name === zone || name.endsWith(`.${zone}`));
  }

  /** A zone may have a thousand maps. Unchanged maps stay, and so do the names that use them. */
  #setMaps(before: ZoneHead['clientMaps']): void {
    const old = new Map(before.map((map) => [map.mapId, map]));
    const same = new Map<string, PreparedMap>();
    for (const map of this.#head.clientMaps) {
      const [was, prepared] = [old.get(map.mapId), this.#maps.get(map.mapId)];
      if (was !== undefined && prepared !== undefined && isSameMap(was, map)) same.set(map.mapId, prepared);
    }
    this.#maps = new Map(this.#head.clientMaps.map((map) => [map.mapId, same.get(map.mapId) ?? prepareClientMap(map)]));
    for (const name of this.names()) {
      const { clientMapId: mapId } = name;
      if (mapId !== null && !same.has(isOwnMapId(mapId) ? regionsMapId : mapId)) this.#setPolicy(name);
    }
  }

  #setPolicy(plan: NamePlan): void {
    this.#replace(keyOf(plan.fqdn), { held: policyOf(plan, { get: (mapId) => this.#mapOf(mapId) }) });
  }

  #mapOf(mapId: string): PreparedMap | undefined {
    const blocks = this.#ownMaps.get(mapId);
    return blocks === undefined
      ? this.#maps.get(mapId)
      : { ...blocks, regions: this.#maps.get(regionsMapId)?.regions ?? [] };
  }

  /** Replaces fields of a name. The name exists while it, or a name below it, has fields. */
  #replace(key: string, fields: NodeFields): void {
    const old = this.#nodes.get(key);
    const node = nameNode(key, { ...old, ...fields });
    if (hasRecords(node) || node.below > 0 || key === this.key) {
      this.#nodes.set(key, node);
      if (old === undefined) this.#count(key, 1);
    } else if (old !== undefined) {
      this.#nodes.delete(key);
      this.#count(key, -1);
    }
  }

  /** Counts a new or removed name at its parent, which then begins or ceases to exist too. */
  #count(key: string, by: 1 | -1): void {
    const above = key === this.key ? undefined : parentOf(key);
    if (above === undefined) return;
    const node = this.#nodes.get(above);
    if (node === undefined) {
      this.#nodes.set(above, nameNode(above, { below: 1 }));
      this.#count(above, 1);
      return;
    }
    node.below += by;
    if (node.below > 0 || hasRecords(node) || above === this.key) return;
    this.#nodes.delete(above);
    this.#count(above, -1);
  }
}

function mapsOf({ clientMaps }: ZoneHead): ReadonlyMap<string, PreparedMap> {
  return new Map(clientMaps.map((map) => [map.mapId, prepareClientMap(map)]));
}

function isSameMap(one: ClientMap, other: ClientMap): boolean {
  return (
    one.blocks.length === other.blocks.length &&
    one.blocks.every(
      ({ cidr, region }, at) => cidr === other.blocks[at]?.cidr && region === other.blocks[at]?.region,
    ) &&
    JSON.stringify(one.regions) === JSON.stringify(other.regions)
  );
}

function hasRecords({ fixed, server, held }: NameNode): boolean {
  return fixed.size > 0 || server || held !== undefined;
}
