// Finds faults at the end, in the answers to clients and on the disks.

import type { NearestRead } from '../objects-model/nearest.ts';
import { type Disk, type DiskObject, md5Of, readDisk } from './disks.ts';
import type { Entry } from './history.ts';
import { fitsRegister } from './register-check.ts';
import type { Cluster, Site } from './site.ts';
import { type Found, symptomsOf, symptomsOfNearest } from './symptoms.ts';

export const nothingWrong = {
  ...{ lost: 0, stale: 0, notLinearizable: 0, resurrected: 0, listWrong: 0, unreadable: 0, leakedBlobs: 0 },
  /** Replicas that voted after they were restored from a copy. */
  ...{ diverged: 0, unnoticed: 0 },
};

export type Wrong = keyof typeof nothingWrong;

export interface Finding {
  readonly figure: Wrong;
  readonly what: string;
}

/** Faults in the answers to clients. `nearest`: the answers of one cluster. */
export function toldWrong(
  log: ReadonlyMap<string, readonly Entry[]>,
  nearest: ReadonlyMap<string, readonly NearestRead[]>,
): readonly Finding[] {
  return [...log].flatMap(([name, entries]): readonly Finding[] => {
    const direct = entries.filter(({ step }) => step.kind !== 'read' || step.listed !== true);
    const found: readonly Found[] = [...symptomsOf(direct), ...symptomsOfNearest(direct, nearest.get(name) ?? [])];
    const symptoms = found.map(({ symptom, what }) => ({ figure: symptom, what: `${name}: ${what}` }));
    const fits = fitsRegister(direct);
    if (fits === 'NOT')
      return [...symptoms, { figure: 'notLinearizable', what: `${name}: no order fits ${direct.length} operations` }];
    if (fits === 'TOO_MANY')
      return [
        ...symptoms,
        { figure: 'notLinearizable', what: `${name}: too many orders of ${direct.length} operations` },
      ];
    if (direct.length === entries.length || fitsRegister(entries) === 'FITS') return symptoms;
    const [first] = symptomsOf(entries);
    return [...symptoms, { figure: 'listWrong', what: `${name}: ${first?.what ?? 'listings fit no order'}` }];
  });
}

interface Wanted {
  readonly site: Site;
  /** The container's id. */
  readonly scope: string;
  /** The value of each name that all readers got at the end. Undefined if nothing is there. */
  readonly last: ReadonlyMap<string, string | undefined>;
  /** Bodies by entity tag, which is the MD5 sum of the bytes. */
  readonly contents: ReadonlyMap<string, string>;
}

/** Faults on the disks. Some faults are temporary, because clusters that were away catch up. */
export async function disksWrong(wanted: Wanted): Promise<readonly Finding[]> {
  const { site, scope, last } = wanted;
  const disks = await Promise.all(site.clusters.map((cluster) => readDisk(cluster, scope)));
  const holders = site.holders(scope).map((number) => disks[number] as Disk);
  const names = new Set(holders.flatMap(({ objects }) => [...objects.keys()]).concat([...last.keys()]));
  return [
    ...[...names].flatMap((name) => rowWrong(name, last.get(name), holders)),
    ...[...last].flatMap(([name, etag]) => (etag === undefined ? [] : bytesWrong(name, etag, wanted, disks))),
  ];
}

function rowWrong(name: string, etag: string | undefined, holders: readonly Disk[]): readonly Finding[] {
  const rows = holders.map(({ objects }) => objects.get(name));
  const texts = new Set(rows.map((row) => row?.text));
  if (texts.size > 1) return [{ figure: 'diverged', what: `${name} is not the same at all clusters` }];
  const found = rows[0]?.etag;
  if (found === etag) return [];
  return etag === undefined
    ? [{ figure: 'resurrected', what: `${name} is on disk, and was deleted` }]
    : [{ figure: 'lost', what: `${name} is ${found ?? 'nothing'} on disk, and should be ${etag}` }];
}

/** Intact at a majority of clusters. */
function bytesWrong(
  name: string,
  etag: string,
  { site, contents }: Wanted,
  disks: readonly Disk[],
): readonly Finding[] {
  const row = disks.map(({ objects }) => objects.get(name)).find((each) => each?.etag === etag);
  if (row === undefined) return [];
  const wrong = (what: string): readonly Finding[] => [{ figure: 'unreadable', what: `${name}: ${what}` }];
  const pieces: Buffer[] = row.inline === undefined ? [] : [row.inline];
  for (const id of row.blobs) {
    const whole = disks.flatMap(({ blobs }) => {
      const blob = blobs.get(id);
      return blob?.isWhole === true ? [blob.bytes] : [];
    });
    if (whole.length < site.quorum) return wrong(`its blob ${id} is whole at ${whole.length} clusters`);
    pieces.push(whole[0] as Buffer);
  }
  return md5Of(pieces) === contents.get(etag) ? [] : wrong(`the bytes on disk are not those of ${etag}`);
}

/** Unreferenced blobs, and unfinished files that are no longer being written. */
export async function leakedNow(clusters: readonly Cluster[], scope: string): Promise<readonly Finding[]> {
  const disks = await Promise.all(clusters.map((cluster) => readDisk(cluster, scope)));
  const rows = disks.flatMap(({ objects }): readonly DiskObject[] => [...objects.values()]);
  const referred = new Set(rows.flatMap(({ blobs }) => blobs));
  return disks.flatMap(({ cluster, blobs, unfinished }) =>
    [...[...blobs.keys()].filter((id) => !referred.has(id)), ...unfinished].map((what) => ({
      figure: 'leakedBlobs' as const,
      what: `${clusters[cluster]?.name} has ${what}, and nothing refers to it`,
    })),
  );
}
