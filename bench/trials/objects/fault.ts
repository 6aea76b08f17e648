// What one fault is given.
import type { Random } from '../random.ts';
import type { Reach } from './reach.ts';
import type { Cluster, Site } from './site.ts';
import type { Finding } from './verdict.ts';

export interface Place {
  readonly site: Site;
  readonly random: Random;
  readonly reach: Reach;
  /** That it is about. */
  readonly cluster: Cluster;
  readonly found: (finding: Finding) => void;
}

/** Begins it; returns what ends it. */
export type Fault = (place: Place) => Promise<() => Promise<void>>;
