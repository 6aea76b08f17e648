// Verbs that send requests to a cluster of object storage, with the token of `tidegate login`. Every cluster accepts the token. --cluster selects
// another cluster than the login's.
import { ClusterClient } from './cluster-client.ts';
import { type ClusterLogin, readLogin } from './cluster-login.ts';
import { CommandFailure } from './failures.ts';
import { type Options, text } from './option.ts';
import { type Printer, printerOf } from './printer.ts';
import { commonOptions, connectionOptions } from './remote-verb.ts';
import type { Call, Verb } from './verb.ts';

const clusterOptions = {
  cluster: text('NAME', 'Cluster, by name or URL; default: the cluster of the login.'),
  project: commonOptions.project,
  data: { ...connectionOptions.data, help: 'Folder with the login (.tidegate).' },
  json: commonOptions.json,
} as const;

/** Option for containers and single objects. */
export const keptBy = text(
  'OPTION',
  "How bytes are kept; default: by the container's option, for a container by the default one.",
);

type ClusterOptions = typeof clusterOptions;

interface ClusterVerbCall<O extends Options, N extends readonly string[]> extends Call<O & ClusterOptions, N> {
  readonly client: ClusterClient;
  readonly login: ClusterLogin;
  readonly printer: Printer;
}

interface ClusterVerb<O extends Options, N extends readonly string[]> extends Omit<Verb<O, N>, 'run'> {
  run(call: ClusterVerbCall<O, N>): Promise<void>;
}

export function clusterVerb<O extends Options, const N extends readonly string[]>(verb: ClusterVerb<O, N>): Verb {
  return {
    ...verb,
    options: { ...verb.options, ...clusterOptions },
    mayBeLeft: true,
    async run(call) {
      const own = call as Call<O & ClusterOptions, N>;
      const { cluster, project, data } = own.options as { cluster?: string; project?: string; data?: string };
      const login = await readLogin(data);
      const at = cluster === undefined ? login.at : placeOf(login, cluster);
      const client = new ClusterClient({ ...at, token: login.token, project, signal: call.signal });
      try {
        await verb.run({ ...own, client, login, printer: printerOf(call) });
      } finally {
        await client.close();
      }
    },
  };
}

/** Undefined if it is a name. */
export function clusterUrl(given: string): { readonly name: string; readonly urls: readonly string[] } | undefined {
  const url = URL.parse(given);
  return url !== null && /^https?:$/.test(url.protocol) ? { name: url.origin, urls: [url.origin] } : undefined;
}

function placeOf(
  { clusters }: ClusterLogin,
  given: string,
): { readonly name: string; readonly urls: readonly string[] } {
  const known = clusterUrl(given) ?? clusters.find(({ name }) => name === given);
  if (known !== undefined) return known;
  const names = clusters.map(({ name }) => name).join(', ');
  throw new CommandFailure(`there is no cluster '${given}': the login knows ${names}; log in again to learn of others`);
}
