// What command line and JSON API of one simulated switch share, and what can be made to go wrong with it.

import type { Faults } from '../support/faults.ts';
import type { SwitchIdentity } from './shows.ts';
import type { SwitchConfig } from './state.ts';

export interface JsonApiKnobs {
  /** Log-ins at once; one more is refused. */
  maxWebSessions: number;
  webSessionLifetimeMs: number;
  /** `json-gw enable`, which newer versions need. */
  jsonApi: boolean;
  /** Of several commands, those after a refused one are left out; the manual does not say which. */
  stopsAtError: boolean;
}

export interface OnyxKnobs extends JsonApiKnobs {
  /** Command lines at once; one more is told so and ended. */
  maxShells: number;
}

/** What command line and JSON API share. */
export interface OnyxDevice {
  readonly config: SwitchConfig;
  readonly identity: SwitchIdentity;
  readonly faults: Faults;
  readonly knobs: OnyxKnobs;
  isAccount(username: string, password: string): boolean;
  /** Command lines open now, at the worst moment, and since the start. */
  readonly shells: { now: number; most: number; total: number };
  applied(via: string, line: string): void;
  /** Makes the running configuration the one that it starts with. */
  save(): void;
}
