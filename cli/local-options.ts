// Options of the verbs that need no running Tidegate, and the settings that they select.

import { withClusterSettings } from '../compose/ha-settings.ts';
import { type Config, readConfig } from '../platform/process/config.ts';
import { subgraphRows } from '../subgraphs/rows.ts';
import type { Surroundings } from './verb.ts';

export { configOption } from './start-options.ts';

/** `file`: the path from `--config`. Throws ConfigError. */
export function settings(
  file: string | undefined,
  env: Surroundings['env'],
  flags: Record<string, string> = {},
): Config {
  return withClusterSettings(readConfig({ flags, env, ...(file === undefined ? {} : { file }) }, subgraphRows));
}
