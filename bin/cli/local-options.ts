// Options shared by the verbs that need no running Tidegate, and the settings that they select.
import { type Config, readConfig } from '../../platform/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { withClusterSettings } from '../compose/ha-settings.ts';
import type { Surroundings } from './verb.ts';

export { configOption, logLevelOption } from './start-options.ts';

/** `file`: of `--config`. Throws ConfigError. */
export function settings(
  file: string | undefined,
  env: Surroundings['env'],
  flags: Record<string, string> = {},
): Config {
  return withClusterSettings(readConfig({ flags, env, ...(file === undefined ? {} : { file }) }, subgraphRows));
}
