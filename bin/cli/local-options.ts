// Options shared by the verbs that need no running Tidegate, and the settings that they select.
import { type Config, readConfig } from '../../platform/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { text } from './option.ts';
import type { Surroundings } from './verb.ts';

export const configOption = text('FILE', 'Settings in YAML or JSON; TIDEGATE_… variables take precedence.');
export const logLevelOption = text('LEVEL', 'One of trace, debug, info (default), warn, error or silent.');

/** `file`: of `--config`. Throws ConfigError. */
export function settings(
  file: string | undefined,
  env: Surroundings['env'],
  flags: Record<string, string> = {},
): Config {
  return readConfig({ flags, env, ...(file === undefined ? {} : { file }) }, subgraphRows);
}
