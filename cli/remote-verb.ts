// Verbs that send requests to a running Tidegate. Address, credentials and output are the same for all of them.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { givenToken, logIn } from './credential.ts';
import {
  chooseEndpoint,
  type Endpoint,
  isOwnServer,
  readSecretFile,
  readTokenOfFolder,
  refuseForFolder,
  refusePlain,
  usualFolder,
} from './endpoint.ts';
import { CommandFailure, UsageError } from './failures.ts';
import { type Credential, GraphClient } from './graph-client.ts';
import { flag, integer, type Option, type Options, text, type Values } from './option.ts';
import { connectionGroup } from './option-at-fault.ts';
import { type Printer, printerOf } from './printer.ts';
import { withOptions } from './refused.ts';
import { storedCredential } from './stored-credential.ts';
import type { Call, Surroundings, Verb } from './verb.ts';

export { defaultUrl, readSecretFile } from './endpoint.ts';

/** Options with the same meaning for every verb. */
export const commonOptions = {
  project: text('PROJECT', 'Project, by name or id.'),
  limit: integer('N', 'Maximum number of rows, newest first (20).', { least: 1, most: 100_000 }),
  wait: integer('SECONDS', 'Wait at most this long until the write is on the standby and has taken effect.', {
    least: 1,
    most: 3_600,
  }),
  json: flag('Print JSON.'),
} as const;

const ofConnection = <Value>(option: Option<Value>): Option<Value> => ({ ...option, group: connectionGroup });

export const connectionOptions = {
  url: ofConnection(text('URL', 'Endpoint (TIDEGATE_URL, the current context, or "npm start" in --data).')),
  context: ofConnection(text('NAME', 'Server and login of "tidegate login", in place of the chosen ones.')),
  'token-file': ofConnection(
    text('FILE', 'File with an API token (TIDEGATE_TOKEN, the context, or admin.token in --data).'),
  ),
  data: ofConnection(
    text('DIR', 'Data folder of "npm start" on this machine, which has its address and token (.tidegate).'),
  ),
  user: ofConnection(text('NAME', 'Log in with a password instead of a token.')),
  'password-file': ofConnection(text('FILE', 'File with the password of --user.')),
  insecure: ofConnection(flag('Send the credential over plain http to another machine, where others can read it.')),
} as const;

type RemoteOptions = typeof connectionOptions & { readonly json: (typeof commonOptions)['json'] };

export interface RemoteCall<O extends Options = Options, N extends readonly string[] = readonly string[]>
  extends Call<O & RemoteOptions, N> {
  readonly client: GraphClient;
  readonly printer: Printer;
}

interface RemoteVerb<O extends Options, N extends readonly string[]> extends Omit<Verb<O, N>, 'run'> {
  run(call: RemoteCall<O, N>): Promise<void>;
}

/** A verb with `--json` and the options of the connection. */
export function remoteVerb<O extends Options, const N extends readonly string[]>(verb: RemoteVerb<O, N>): Verb {
  const options = { ...verb.options, json: commonOptions.json, ...connectionOptions };
  return {
    ...verb,
    options,
    mayBeLeft: true,
    async run(call) {
      const own = call as Call<O & RemoteOptions, N>;
      const client = await openClient(own.options as Values<RemoteOptions>, call);
      try {
        await verb.run({ ...own, client, printer: printerOf(call) });
      } catch (error) {
        const { takes, named = [] } = verb;
        const blamed = withOptions(error, { options, given: givenOf(own.options), takes, named });
        throw await withLoginHint(blamed, own.options as Values<RemoteOptions>);
      } finally {
        await client.close();
      }
    },
  };
}

/** Names of the options that have a value. */
function givenOf(values: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const isGiven = (value: unknown) =>
    value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  return new Set(Object.keys(values).filter((name) => isGiven(values[name])));
}

/** The token of "npm start" is an operator's. Its administrator has a password. */
async function withLoginHint(error: unknown, { user, data }: Values<RemoteOptions>): Promise<unknown> {
  const isForAdministrators = error instanceof CommandFailure && /^FORBIDDEN: .*administrator/i.test(error.message);
  if (!isForAdministrators || user !== undefined) return error;
  const file = join(data ?? usualFolder, 'admin.password');
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  const how = isThere ? `--user admin --password-file ${file}` : '--user and --password-file of one';
  const end = /[.!?]$/.test(error.message) ? '' : '.';
  return new CommandFailure(`${error.message}${end} Give ${how}, or log in with "tidegate login".`, error.exitCode);
}

/** The caller closes the client. Throws UsageError or CommandFailure if there are no credentials. */
export async function openClient(
  options: Values<typeof connectionOptions>,
  around: Pick<Surroundings, 'signal' | 'env'> &
    Partial<Pick<Surroundings, 'stderr'>> & { readonly renewalMs?: number | undefined },
): Promise<GraphClient> {
  const { signal, env, stderr, renewalMs } = around;
  const onSlow = stderr && ((text: string) => void stderr.write(`tidegate: ${text}\n`));
  const endpoint = await chooseEndpoint(options, env);
  const { url, context } = endpoint;
  refusePlain(url, options.insecure || context?.insecure === true);
  const { user } = options;
  if (user === undefined)
    return new GraphClient({
      url,
      credential: await usualCredential(options, endpoint, { url, signal, env, renewalMs }),
      signal,
      onSlow,
    });
  const passwordFile = options['password-file'];
  if (passwordFile === undefined) throw new UsageError('--user needs --password-file');
  await refuseForFolder(endpoint, `the password of ${user}`, passwordFile);
  const password = await readSecretFile(passwordFile);
  const anonymous = new GraphClient({ url, credential: undefined, signal });
  return new GraphClient({ url, credential: await logIn(anonymous, { name: user, password }), signal, onSlow });
}

async function usualCredential(
  options: TokenOptions,
  endpoint: Endpoint,
  around: Parameters<typeof storedCredential>[1],
): Promise<Credential> {
  const given = await statedToken(options, endpoint, around.env);
  if (given !== undefined) return givenToken(given);
  const { context, url } = endpoint;
  return context === undefined ? givenToken(await tokenFor(url, options.data)) : storedCredential(context, around);
}

type TokenOptions = Pick<Values<typeof connectionOptions>, 'token-file' | 'data'>;

/** An API token, for a server that is not the endpoint and accepts no other login. Throws CommandFailure or UsageError. */
export async function readToken(options: Values<typeof connectionOptions>, env: Surroundings['env']): Promise<string> {
  const endpoint = await chooseEndpoint(options, env);
  const isNamed = endpoint.folder?.named === true;
  const stated = await statedToken(options, isNamed ? endpoint : { ...endpoint, folder: undefined }, env);
  if (stated !== undefined) return stated;
  const { context } = endpoint;
  if (context === undefined) return tokenOfFolder(options.data);
  if ('token' in context.credential) return context.credential.token;
  throw new UsageError(
    `context ${context.name} has the login of a user and no API token: give --user and --password-file, or --token-file`,
  );
}

/** The token from --token-file, or from the environment. The token of a folder that --data names precedes the environment's. */
async function statedToken(
  options: TokenOptions,
  endpoint: Endpoint,
  env: Surroundings['env'],
): Promise<string | undefined> {
  const file = options['token-file'];
  if (file !== undefined) {
    await refuseForFolder(endpoint, `the token of ${file}`, file);
    return readSecretFile(file);
  }
  const fromEnvironment = env.TIDEGATE_TOKEN?.trim();
  if (fromEnvironment === undefined || fromEnvironment === '' || endpoint.folder?.named === true) return undefined;
  await refuseForFolder(endpoint, 'TIDEGATE_TOKEN');
  return fromEnvironment;
}

/** The token of a folder that is here by chance is not sent to another server, only that of a named folder. */
async function tokenFor(url: URL, data: string | undefined): Promise<string> {
  const token = await tokenOfFolder(data);
  if (data !== undefined || (await isOwnServer(url))) return token;
  throw new CommandFailure(
    `no token for ${url.origin}: that of ${usualFolder} belongs to another server; give --token-file, set TIDEGATE_TOKEN, or log in with "tidegate login URL" (--data ${usualFolder} sends it all the same)`,
  );
}

async function tokenOfFolder(data: string | undefined): Promise<string> {
  const folder = data ?? usualFolder;
  const token = await readTokenOfFolder(folder);
  if (token !== undefined) return token;
  throw new CommandFailure(
    `no token: give --token-file, set TIDEGATE_TOKEN, log in with "tidegate login URL", or name with --data the folder that has it (no ${join(folder, 'admin.token')} here)`,
  );
}
