// The environment of one fault.
import type { Random } from '../random.ts';
import type { Reach } from './reach.ts';
import type { Cluster, Site } from './site.ts';
import type { Finding } from './verdict.ts';

export interface Place {
  readonly site: Site;
  readonly random: Random;
  readonly reach: Reach;
  /** The cluster that the fault affects. */
  readonly cluster: Cluster;
  readonly found: (finding: Finding) => void;
}

/** Starts it. Returns a function that ends it. */
export type Fault = (place: Place) => Promise<() => Promise<void>>;
