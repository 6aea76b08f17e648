// Options of the verbs that need no running Tidegate, and the settings that they select.

import { withClusterSettings } from '../compose/ha-settings.ts';
import { ConfigError } from '../platform/errors/config-error.ts';
import { type Config, type ReadSettings, readSettings } from '../platform/process/config.ts';
import { subgraphRows } from '../subgraphs/rows.ts';
import type { Surroundings } from './verb.ts';

export { configOption } from './start-options.ts';

/** `file`: the path from `--config`. Throws ConfigError. */
export function settings(
  file: string | undefined,
  env: Surroundings['env'],
  flags: Record<string, string> = {},
): Config {
  const { config, faults } = givenSettings(file, env, flags);
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

/** The same, with the faults of password files. */
export function givenSettings(
  file: string | undefined,
  env: Surroundings['env'],
  flags: Record<string, string>,
): ReadSettings {
  const { config, faults } = readSettings({ flags, env, ...(file === undefined ? {} : { file }) }, subgraphRows);
  return { config: withClusterSettings(config), faults };
}
