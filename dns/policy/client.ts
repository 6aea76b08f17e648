// The client of a query: its address, its location, and how many bits of the address influenced the answer (RFC 7871).
import { addressBytes, blockBytes } from '../../platform/net/address-block.ts';
import { distanceKm, type Vector, vectorOf } from './globe.ts';
import type { ClientBlocks, ClientMap, Place } from './plan.ts';
import { PrefixTree } from './prefix-tree.ts';

export interface ClientAddress {
  /** 4 or 16, in network order. */
  readonly bytes: Uint8Array;
  /** Number of known bits. The others are 0. */
  readonly bits: number;
}

/** Throws when `text` is not an address. An IPv4-mapped IPv6 address becomes IPv4, and loses 96 of the bits. */
export function clientAddress(text: string, bits?: number): ClientAddress {
  const read = addressBytes(text);
  if (read === undefined) throw new Error(`not an address: ${text}`);
  const mapped = read.length === 16 && read.every((byte, at) => at >= 12 || byte === (at >= 10 ? 0xff : 0));
  const bytes = Uint8Array.from(mapped ? read.slice(12) : read);
  const known = Math.min(Math.max((bits ?? read.length * 8) - (mapped ? 96 : 0), 0), bytes.length * 8);
  return { bytes: masked(bytes, known), bits: known };
}

/** A copy whose bits after the first `bits` are 0. */
export function masked(bytes: Uint8Array, bits: number): Uint8Array {
  return bytes.map((byte, at) => byte & (0xff00 >> Math.min(Math.max(bits - at * 8, 0), 8)));
}

export interface GeoSource {
  /** `bits`: number of address bits that decided the result. */
  find(bytes: Uint8Array): { readonly place: Place | null; readonly bits: number };
}

/** Has no locations. */
export const noGeo: GeoSource = { find: () => ({ place: null, bits: 0 }) };

export interface PreparedBlocks {
  readonly ipv4: PrefixTree<string>;
  readonly ipv6: PrefixTree<string>;
}

export interface PreparedMap extends PreparedBlocks {
  readonly regions: readonly { readonly region: string; readonly vector: Vector }[];
}

export function prepareBlocks(blocks: ClientBlocks): PreparedBlocks {
  const map = { ipv4: new PrefixTree<string>(), ipv6: new PrefixTree<string>() };
  for (const { cidr, region } of blocks) {
    const block = blockBytes(cidr);
    if (block === undefined) throw new Error(`not a block of addresses: ${cidr}`);
    map[block.bytes.length === 4 ? 'ipv4' : 'ipv6'].add(block.bytes, block.prefix, region);
  }
  return map;
}

export function prepareClientMap({ blocks, regions }: ClientMap): PreparedMap {
  const placed = regions.flatMap(({ region, latitude, longitude }) => {
    const vector = vectorOf(latitude, longitude);
    return vector === undefined ? [] : [{ region, vector }];
  });
  return { ...prepareBlocks(blocks), regions: placed };
}

/** Client of one query. Each property is looked up once, and counts in `scopeBits` from then on. */
export class Client {
  readonly #address: ClientAddress;
  readonly #geo: GeoSource;
  readonly #map: PreparedMap | undefined;
  #scopeBits = 0;
  #blockRegion: string | null | undefined;
  #place: Place | null | undefined;
  #region: string | null | undefined;

  constructor(address: ClientAddress, geo: GeoSource, map: PreparedMap | undefined) {
    this.#address = address;
    this.#geo = geo;
    this.#map = map;
  }

  /** Largest number of bits that any used property depended on. 0 if none was used. */
  get scopeBits(): number {
    return this.#scopeBits;
  }

  /** Region of the longest matching block. */
  blockRegion(): string | null {
    if (this.#blockRegion !== undefined) return this.#blockRegion;
    const { bytes, bits } = this.#address;
    const found = this.#map?.[bytes.length === 4 ? 'ipv4' : 'ipv6'].find(bytes, bits);
    this.#uses(found?.bits ?? 0);
    this.#blockRegion = found?.value ?? null;
    return this.#blockRegion;
  }

  place(): Place | null {
    if (this.#place !== undefined) return this.#place;
    const { place, bits } = this.#geo.find(this.#address.bytes);
    this.#uses(bits);
    this.#place = place;
    return place;
  }

  vector(): Vector | undefined {
    const place = this.place();
    return place === null ? undefined : vectorOf(place.latitude, place.longitude);
  }

  /** Region of its block, or the nearest one. */
  region(): string | null {
    this.#region ??= this.blockRegion() ?? this.#nearestRegion();
    return this.#region;
  }

  /** FNV-1a of the first bits: `ipv4Bits` of an IPv4 address, `ipv6Bits` of an IPv6 one. */
  prefixHash(ipv4Bits: number, ipv6Bits: number): number {
    const { bytes, bits } = this.#address;
    const used = Math.min(bytes.length === 4 ? ipv4Bits : ipv6Bits, bits);
    this.#uses(used);
    return hashOf(masked(bytes, used));
  }

  #nearestRegion(): string | null {
    const regions = this.#map?.regions ?? [];
    const vector = regions.length === 0 ? undefined : this.vector();
    if (vector === undefined) return null;
    let [nearest, least]: [string | null, number] = [null, Number.POSITIVE_INFINITY];
    for (const each of regions) {
      const km = distanceKm(vector, each.vector);
      if (km < least) [nearest, least] = [each.region, km];
    }
    return nearest;
  }

  #uses(bits: number): void {
    this.#scopeBits = Math.max(this.#scopeBits, Math.min(bits, this.#address.bits));
  }
}

/** FNV-1a, 32 bits. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
