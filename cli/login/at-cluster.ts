// `tidegate login --cluster NAME`: a token for the calls of users at the clusters of object storage.
import { graphql } from '../../generated/cli/index.ts';
import { ClusterClient } from '../cluster-client.ts';
import { type ClusterLogin, knownClusters, loginShape, writeLogin } from '../cluster-login.ts';
import { clusterUrl } from '../cluster-verb.ts';
import { refusePlain } from '../endpoint.ts';
import { CommandFailure, UsageError } from '../failures.ts';
import type { Values } from '../option.ts';
import { printerOf } from '../printer.ts';
import { openClient, readSecretFile, readToken } from '../remote-verb.ts';
import type { Call, Surroundings } from '../verb.ts';
import type { loginOptions } from './options.ts';

const endpointsDocument = graphql(`
  query LoginEndpoints { objectEndpoints { name urls } }
`);

type Given = Values<typeof loginOptions> & { readonly cluster: string };

export async function logInAtCluster(
  given: Given,
  call: Pick<Call, 'stdout' | 'signal' | 'env' | 'output'>,
): Promise<void> {
  const { signal, env } = call;
  const at = await placeOf(given, { signal, env });
  const client = new ClusterClient({ ...at, signal });
  try {
    const credentials = await credentialsOf(given, env);
    const body = JSON.stringify({ ...credentials, project: given.project });
    const headers = { 'content-type': 'application/json' };
    const answer = await client.json({ method: 'POST', path: '/-/login', headers, body: () => body }, loginShape);
    const known = answer.clusters.find(
      ({ name, urls }) => name === at.name || urls.some((url) => at.urls.includes(url)),
    );
    const file = await writeLogin(given.data, {
      ...answer,
      at: { name: known?.name ?? at.name, urls: [...at.urls] },
    });
    const printer = printerOf(call);
    const { token: _, ...shown } = answer;
    if (given.json) return printer.json({ ...shown, file });
    const names = answer.projects.map(({ name, canWrite }) => (canWrite ? name : `${name} (read only)`)).join(', ');
    return printer.line(`${answer.user} is logged in until ${answer.expiresAt}, for ${names}`);
  } finally {
    await client.close();
  }
}

/** Finds a cluster by URL, by the folder of --data with an earlier login, or by the graph. */
async function placeOf(
  given: Given,
  around: Pick<Surroundings, 'signal' | 'env'>,
): Promise<Pick<ClusterLogin['clusters'][number], 'name' | 'urls'>> {
  const url = clusterUrl(given.cluster);
  if (url !== undefined) {
    refusePlain(new URL(given.cluster), given.insecure);
    return { name: url.name, urls: [...url.urls] };
  }
  // The working folder may belong to somebody else, so its content counts only if the folder is named.
  const known = given.data === undefined ? [] : await knownClusters(given.data);
  const named = known.find(({ name }) => name === given.cluster);
  if (named !== undefined && named.urls.length > 0) return named;
  const client = await openClient(given, around);
  try {
    const { objectEndpoints } = await client.query(endpointsDocument, {});
    const found = objectEndpoints.find(({ name }) => name === given.cluster);
    if (found !== undefined && found.urls.length > 0) return { name: found.name, urls: [...found.urls] };
    const why =
      found === undefined
        ? `there is no cluster '${given.cluster}' that takes users`
        : `no address for users is known of the cluster '${given.cluster}'`;
    const names = objectEndpoints.map(({ name }) => name).join(', ');
    throw new CommandFailure(`${why}: give its URL, or one of ${names || 'those that an administrator adds'}`);
  } finally {
    await client.close();
  }
}

async function credentialsOf(given: Given, env: Surroundings['env']): Promise<object> {
  if (given.user === undefined) return { token: await readToken(given, env) };
  const file = given['password-file'];
  if (file === undefined) throw new UsageError('--user needs --password-file');
  return { username: given.user, password: await readSecretFile(file) };
}
