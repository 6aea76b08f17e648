// A zone that is answered for: its names by key, its fixed records and what signs it. A change replaces names in place; JavaScript runs
// one thing at a time, so that an answer sees all of a change or nothing.
import { type PreparedMap, prepareClientMap } from '../../policy/client.ts';
import type { NamePlan, ZoneChange, ZoneHead, ZonePlan } from '../../policy/plan.ts';
import { encodeAddress, types } from '../../wire/message.ts';
import { encodeName } from '../../wire/name.ts';
import { type SignatureCache, ZoneSigner } from '../dnssec/zone-signer.ts';
import { keyOf, parentOf, wildcardOf } from '../query/names.ts';
import { type NameNode, nameNode, policyOf } from './name-node.ts';
import { type RecordSet, soaData } from './record-set.ts';

export interface Found {
  readonly node: NameNode;
  /** Found by a wildcard: the answer's records are of the asked name (RFC 4592 section 3.3.1). */
  readonly isWildcard: boolean;
}

export class Zone {
  readonly key: string;
  readonly #cache: SignatureCache;
  readonly #nodes = new Map<string, NameNode>();
  #head: ZoneHead;
  #maps: ReadonlyMap<string, PreparedMap>;
  #generation: number;
  /** Of answers; in denials its TTL is the negative one (RFC 9077). */
  #soa!: RecordSet;
  #negativeSoa!: RecordSet;
  #signer: ZoneSigner | undefined;

  /** Throws when a key can't be used. */
  constructor(plan: ZonePlan, cache: SignatureCache) {
    this.key = keyOf(plan.zone);
    this.#cache = cache;
    const { names, generation, ...head } = plan;
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

  get generation(): number {
    return this.#generation;
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

  /** Whether it follows this generation; otherwise nothing changed, and the whole plan is needed. Throws as the constructor does. */
  change({ from, to, head, names, removedNames }: ZoneChange): boolean {
    if (from !== this.#generation || to <= from) return false;
    // What may throw comes first.
    const signer = head === undefined ? this.#signer : this.#signerOf(head);
    if (head !== undefined) {
      for (const key of this.#fixedSets().keys()) this.#replace(key, { fixed: new Map() });
      const before = this.#head.clientMaps;
      this.#head = head;
      this.#signer = signer;
      if (JSON.stringify(before) !== JSON.stringify(head.clientMaps)) this.#setMaps();
    }
    this.#generation = to;
    for (const name of removedNames) this.#replace(keyOf(name), { policy: undefined });
    for (const name of names) this.#setPolicy(name);
    if (head === undefined) this.#setSoa();
    else this.#setFixed();
    return true;
  }

  /** `key`: of this zone. Undefined: there is no such name. */
  find(key: string): Found | undefined {
    const node = this.#nodes.get(key);
    if (node !== undefined) return { node, isWildcard: false };
    // RFC 4592 section 3.3.1: only the wildcard of the closest name that exists counts.
    for (let above = parentOf(key); above !== undefined && above.length >= this.key.length; above = parentOf(above)) {
      if (!this.#nodes.has(above)) continue;
      const wildcard = this.#nodes.get(wildcardOf(above));
      return wildcard && { node: wildcard, isWildcard: true };
    }
    return undefined;
  }

  names(): NamePlan[] {
    return [...this.#nodes.values()].flatMap(({ policy }) => policy?.name.plan ?? []);
  }

  /** Of the NS records, for the additional section: those that are names of this zone. */
  nameServerAddresses(): readonly RecordSet[] {
    const servers = new Set(this.#head.nameServers.map(({ name }) => keyOf(name)));
    return [...servers].flatMap((key) =>
      [...(this.#nodes.get(key)?.fixed.values() ?? [])].filter(({ type }) => isAddress(type)),
    );
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
    for (const [key, fixed] of this.#fixedSets()) this.#replace(key, { fixed });
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
    for (const { name, addresses } of nameServers) {
      if (name !== this.#head.zone && !name.endsWith(`.${this.#head.zone}`)) continue;
      const ofFamily = (isV6: boolean) => addresses.filter((each) => each.includes(':') === isV6).map(encodeAddress);
      add(keyOf(name), types.A, ofFamily(false));
      add(keyOf(name), types.AAAA, ofFamily(true));
    }
    return sets;
  }

  #setMaps(): void {
    this.#maps = mapsOf(this.#head);
    for (const name of this.names()) this.#setPolicy(name);
  }

  #setPolicy(plan: NamePlan): void {
    this.#replace(keyOf(plan.fqdn), { policy: policyOf(plan, this.#maps) });
  }

  /** Puts parts of a name in the place of those it has; it exists while it has any, or a name below it has. */
  #replace(key: string, parts: Partial<Pick<NameNode, 'fixed' | 'policy'>>): void {
    const old = this.#nodes.get(key);
    const node = nameNode(key, { ...old, ...parts });
    if (hasRecords(node) || node.below > 0 || key === this.key) {
      this.#nodes.set(key, node);
      if (old === undefined) this.#count(key, 1);
    } else if (old !== undefined) {
      this.#nodes.delete(key);
      this.#count(key, -1);
    }
  }

  /** Counts a name that is new or gone at the one above it, which then begins or ends to exist too. */
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

function hasRecords({ fixed, policy }: NameNode): boolean {
  return fixed.size > 0 || policy !== undefined;
}

function isAddress(type: number): boolean {
  return type === types.A || type === types.AAAA;
}
