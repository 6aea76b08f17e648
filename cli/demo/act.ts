// What an act has, and what it declares.
import type { DeviceName } from '../../lab/device.ts';
import type { GraphClient } from '../graph-client.ts';
import type { Output } from '../verb.ts';
import type { Stage } from './stage.ts';

export interface Place {
  readonly stage: Stage;
  /** During the acts. */
  readonly client: GraphClient;
  /** For cleaning up, also after an interruption. */
  readonly cleaner: GraphClient;
  /** In which it creates; undefined: that of the token. */
  readonly project: { readonly name: string; readonly id: string } | undefined;
  /** An API token, for a login at a cluster of object storage. Throws CommandFailure. */
  readonly apiToken: () => Promise<string>;
  /** The data folder of `npm start`. */
  readonly data: string;
  /** Options of commands that find the same server. */
  readonly connection: readonly string[];
  /** Of this run, so that it meets no other one: six characters. */
  readonly run: string;
  /** System packages that a part of the lab misses. */
  readonly installs: boolean;
  /** Parts of the lab that were added stay. */
  readonly keepsLab: boolean;
  /** For the steps of commands that take long. Undefined: nobody reads them. */
  readonly told: Output | undefined;
}

export interface Act {
  readonly number: number;
  readonly title: string;
  /** The part of the lab that it plays with; undefined: none. */
  readonly part: DeviceName | undefined;
  /** Without root it is left out, for this reason. */
  readonly needsRoot: string | undefined;
  /** About how long it takes, in words, with its part of the lab already there. */
  readonly takes: string;
  play(place: Place): Promise<void>;
  /** The same by hand. */
  readonly yours: readonly string[];
}
