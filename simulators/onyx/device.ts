// The common state of a simulated switch's command line and JSON API, and its knobs for faults.

import type { Faults } from '../support/faults.ts';
import type { SwitchIdentity } from './shows.ts';
import type { SwitchConfig } from './state.ts';

interface JsonApiKnobs {
  /** Logins at once; further ones are refused. */
  maxWebSessions: number;
  webSessionLifetimeMs: number;
  /** `json-gw enable`, required by newer versions. */
  jsonApi: boolean;
  /** A login is answered by a page at another address, with the session's cookie, as NVIDIA's client expects it. */
  loginRedirects: boolean;
  /** Whether the commands after a refused one are skipped; the manual does not say. */
  stopsAtError: boolean;
}

export interface OnyxKnobs extends JsonApiKnobs {
  /** Command-line sessions at once; a further one gets a message and ends. */
  maxShells: number;
  /** Printed after JSON on the command line, which Ansible's onyx modules cut off. */
  jsonTrailer: string;
}

/** The common state of command line and JSON API. */
export interface OnyxDevice {
  readonly config: SwitchConfig;
  readonly identity: SwitchIdentity;
  readonly faults: Faults;
  readonly knobs: OnyxKnobs;
  isAccount(username: string, password: string): boolean;
  /** Command-line sessions: open now, the most at once, and since the start. */
  readonly shells: { now: number; most: number; total: number };
  applied(via: string, line: string): void;
  /** Makes the running configuration the startup configuration. */
  save(): void;
}
