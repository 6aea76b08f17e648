// What every command that talks to a running Tidegate understands: where it is, and who is asking.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Arguments, type CommandContext, CommandFailure, type CommandOption, UsageError } from '../command.ts';
import { GraphClient } from './graph-client.ts';

export const clientOptions = {
  url: { value: 'URL', help: 'Endpoint (TIDEGATE_URL, or http://127.0.0.1:4000/graphql).' },
  'token-file': { value: 'FILE', help: 'File with an API token (or set TIDEGATE_TOKEN; else DATA/admin.token).' },
  data: { value: 'DIR', help: 'Data folder of "npm start" on this machine, for its token (.tidegate).' },
  user: { value: 'NAME', help: 'Log in with a password instead of a token.' },
  'password-file': { value: 'FILE', help: 'File with the password of --user.' },
  json: { help: 'Print JSON.' },
} as const satisfies Record<string, CommandOption>;

const defaultUrl = 'http://127.0.0.1:4000/graphql';

/** Opens a client; the caller closes it. Throws UsageError or CommandFailure when there are no credentials. */
export async function openClient(args: Arguments, context: CommandContext): Promise<GraphClient> {
  const text = args.text('url') ?? context.env.TIDEGATE_URL ?? defaultUrl;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`--url: '${text}' is no http(s) address`);
  const user = args.text('user');
  if (user === undefined)
    return new GraphClient({ url, token: await readToken(args, context), signal: context.signal });
  const client = new GraphClient({ url, token: undefined, signal: context.signal });
  try {
    const password = await readSecretFile(args.requiredText('password-file'));
    return client.as(await login(client, user, password));
  } finally {
    await client.close();
  }
}

async function login(client: GraphClient, name: string, password: string): Promise<string> {
  const payload = await client.mutate<{ accessToken: string }>(
    'mutation ($input: LoginInput!) { login(input: $input) { accessToken userErrors { code message field } } }',
    { name, password },
  );
  return payload.accessToken;
}

async function readToken(args: Arguments, context: CommandContext): Promise<string> {
  const file = args.text('token-file');
  if (file !== undefined) return readSecretFile(file);
  const fromEnvironment = context.env.TIDEGATE_TOKEN?.trim();
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  const path = join(args.text('data') ?? '.tidegate', 'admin.token');
  return readSecretFile(path).catch(() => {
    throw new CommandFailure(`no token: give --token-file, set TIDEGATE_TOKEN, or start where ${path} is`);
  });
}

/** A secret never comes as an argument, where other users of the machine would see it. */
export async function readSecretFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new CommandFailure(`${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
