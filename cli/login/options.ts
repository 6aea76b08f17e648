// The options of `tidegate login`.
import { flag, text } from '../option.ts';
import { commonOptions, connectionOptions } from '../remote-verb.ts';

export const loginOptions = {
  as: text('NAME', 'Name of the context; default: the host of URL, with its port.'),
  cluster: text('NAME', 'Cluster at which to log in, by name or URL; the token is valid at all clusters.'),
  'keep-chosen': flag('Leave the chosen context as it is.'),
  project: commonOptions.project,
  ...connectionOptions,
  json: commonOptions.json,
} as const;
