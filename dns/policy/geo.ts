// Places of addresses from a file in MaxMind's format (MaxMind DB 2.0; GeoLite2-City, GeoIP2-Country, DB-IP and others). The operator provides the
// file.
import { LRUCache } from 'lru-cache';
import { type CityResponse, Reader } from 'mmdb-lib';
import type { GeoSource } from './client.ts';
import type { Place } from './plan.ts';

/** Size of the cache of locations: a lookup in the file costs several microseconds. */
const mostRemembered = 65_536;

type Found = ReturnType<GeoSource['find']>;

/** `file`: the file's content, which stays in memory. Throws if it has another format. */
export function openGeo(file: Buffer): GeoSource {
  const reader = new Reader<CityResponse>(file);
  const known = new LRUCache<string, Found>({ max: mostRemembered });
  return {
    find(bytes) {
      const key = String.fromCharCode(...bytes);
      const remembered = known.get(key);
      if (remembered !== undefined) return remembered;
      const found = lookUp(reader, bytes);
      known.set(key, found);
      return found;
    },
  };
}

function lookUp(reader: Reader<CityResponse>, bytes: Uint8Array): Found {
  try {
    const [record, bits] = reader.getWithPrefixLength(textOf(bytes));
    return { place: record === null ? null : placeOf(record), bits };
  } catch {
    // A damaged record has no place, and the result must not apply to neighbours.
    return { place: null, bits: bytes.length * 8 };
  }
}

function placeOf({ continent, country, location }: Partial<CityResponse>): Place {
  return {
    continent: continent?.code ?? null,
    country: country?.iso_code ?? null,
    latitude: location?.latitude ?? null,
    longitude: location?.longitude ?? null,
  };
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[at * 2] ?? 0) * 256 + (bytes[at * 2 + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}
