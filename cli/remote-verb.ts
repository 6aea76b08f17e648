// Verbs that send requests to a running Tidegate. Address, credentials and output are the same for all of them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { givenToken, logIn } from './credential.ts';
import { CommandFailure, UsageError } from './failures.ts';
import { GraphClient } from './graph-client.ts';
import { flag, integer, type Option, type Options, text, type Values } from './option.ts';
import { Printer } from './printer.ts';
import type { Call, Surroundings, Verb } from './verb.ts';

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

const connectionGroup = 'Connection:';
const ofConnection = <Value>(option: Option<Value>): Option<Value> => ({ ...option, group: connectionGroup });

export const connectionOptions = {
  url: ofConnection(text('URL', 'Endpoint (TIDEGATE_URL or http://127.0.0.1:4000/graphql).')),
  'token-file': ofConnection(text('FILE', 'File with an API token (TIDEGATE_TOKEN or admin.token in --data).')),
  data: ofConnection(text('DIR', 'Data folder of "npm start" on this machine, which has its token (.tidegate).')),
  user: ofConnection(text('NAME', 'Log in with a password instead of a token.')),
  'password-file': ofConnection(text('FILE', 'File with the password of --user.')),
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
        await verb.run({ ...own, client, printer: new Printer(call.stdout, call.env) });
      } finally {
        await client.close();
      }
    },
  };
}

export const defaultUrl = 'http://127.0.0.1:4000/graphql';

/** The caller closes the client. Throws UsageError or CommandFailure if there are no credentials. */
export async function openClient(
  options: Values<typeof connectionOptions>,
  around: Pick<Surroundings, 'signal' | 'env'>,
): Promise<GraphClient> {
  const { signal, env } = around;
  const address = options.url ?? env.TIDEGATE_URL ?? defaultUrl;
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--url: '${address}' is not an http or https URL`);
  const { user } = options;
  if (user === undefined)
    return new GraphClient({ url, credential: givenToken(await readToken(options, env)), signal });
  const passwordFile = options['password-file'];
  if (passwordFile === undefined) throw new UsageError('--user needs --password-file');
  const password = await readSecretFile(passwordFile);
  const anonymous = new GraphClient({ url, credential: undefined, signal });
  return new GraphClient({ url, credential: await logIn(anonymous, { name: user, password }), signal });
}

export async function readToken(options: Values<typeof connectionOptions>, env: Surroundings['env']): Promise<string> {
  const file = options['token-file'];
  if (file !== undefined) return readSecretFile(file);
  const fromEnvironment = env.TIDEGATE_TOKEN?.trim();
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  const path = join(options.data ?? '.tidegate', 'admin.token');
  return readSecretFile(path).catch(() => {
    throw new CommandFailure(
      `no token: give --token-file, set TIDEGATE_TOKEN, or name with --data the folder that has it (no ${path} here)`,
    );
  });
}

/** Secrets are never arguments, because other users of the machine can see those. */
export async function readSecretFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new CommandFailure(`${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
