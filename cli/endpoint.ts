// The server and the credential of a verb. The first given one of these counts: --url, TIDEGATE_URL, a context, the data folder of "npm start" on
// this machine, the default address. A context's credential goes to that context's server only. A working folder may be somebody else's checkout: the
// address in it gets what that folder itself has, and nothing else. Without encryption, credentials stay on this machine.
import { constants } from 'node:fs';
import { open, readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { isLoopback } from '../platform/net/address-block.ts';
import { ContextStore, type StoredContext } from './contexts.ts';
import { CommandFailure, UsageError } from './failures.ts';
import type { Surroundings } from './verb.ts';

export const defaultUrl = 'http://127.0.0.1:4000/graphql';
export const usualFolder = '.tidegate';
/** File of "npm start" with its address. */
const urlFile = 'url';

interface EndpointOptions {
  readonly url?: string | undefined;
  readonly context?: string | undefined;
  readonly data?: string | undefined;
}

export interface Endpoint {
  readonly url: URL;
  /** Its credential is used, unless another is given. */
  readonly context: StoredContext | undefined;
  /** The data folder in which the address was found. Undefined if the address comes from elsewhere, or is the default address. */
  readonly folder?: FolderOfAddress | undefined;
}

interface FolderOfAddress {
  readonly path: string;
  /** Named by --data. Otherwise it is in the working folder by chance. */
  readonly named: boolean;
}

/** Throws UsageError for a wrong address, and CommandFailure for a missing context. */
export async function chooseEndpoint(options: EndpointOptions, env: Surroundings['env']): Promise<Endpoint> {
  const given = options.url ?? (options.context === undefined ? env.TIDEGATE_URL : undefined);
  if (options.url !== undefined && options.context !== undefined)
    throw new UsageError('give only one of --url and --context');
  if (given !== undefined && given !== '') return { url: endpointUrl(given, '--url'), context: undefined };
  const store = new ContextStore(env);
  if (options.context !== undefined) return ofContext(await store.read(options.context));
  // A named folder takes precedence over the current context.
  if (options.data === undefined) {
    const chosen = await store.chosen();
    if (chosen !== undefined) return ofContext(chosen);
  }
  const path = options.data ?? usualFolder;
  const url = await urlOfFolder(path);
  const folder = url.href === defaultUrl ? undefined : { path, named: options.data !== undefined };
  return { url, context: undefined, folder };
}

/**
 * Protects a credential from the command line. `what`: for the message. `file`: its path. A file inside the folder belongs to the folder. Throws
 * CommandFailure if the address comes from a folder that was not named.
 */
export async function refuseForFolder({ url, folder }: Endpoint, what: string, file?: string): Promise<void> {
  if (folder === undefined || folder.named) return;
  if (file !== undefined && (await isInside(file, folder.path))) return;
  throw new CommandFailure(
    `${what} is not sent to ${url.origin}: only ${join(folder.path, urlFile)} names that address, and only a credential of that folder goes there. Name the server with --url or TIDEGATE_URL, or the folder with --data ${folder.path}`,
  );
}

/** Whether the file itself, not a link to it, is inside. */
async function isInside(file: string, folder: string): Promise<boolean> {
  const [path, base] = await Promise.all([file, folder].map((each) => realpath(each).catch(() => undefined)));
  return path !== undefined && base !== undefined && path.startsWith(`${base}${sep}`);
}

/** Throws CommandFailure if credentials would leave this machine unencrypted. `insecure`: the person allows that. */
export function refusePlain({ protocol, hostname, origin }: URL, insecure: boolean): void {
  if (insecure || protocol === 'https:' || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return;
  throw new CommandFailure(
    `${origin} would get the credential unencrypted, and everybody on the way could read it: use https, or give --insecure`,
  );
}

/** URL of the "npm start" with this data folder. */
async function urlOfFolder(folder: string): Promise<URL> {
  const path = join(folder, urlFile);
  const written = (await readFile(path, 'utf8').catch(() => '')).trim();
  return endpointUrl(written === '' ? defaultUrl : written, path);
}

/** Whether the server belongs to the default data folder, or at least runs on this machine. */
export async function isOwnServer({ hostname, origin }: URL): Promise<boolean> {
  if (isLoopback(hostname.replace(/^\[|\]$/g, ''))) return true;
  return (await urlOfFolder(usualFolder)).origin === origin;
}

function ofContext(context: StoredContext): Endpoint {
  return { url: endpointUrl(context.url, `context ${context.name}`), context };
}

/** The endpoint of an installation: /graphql, or below the path at which a proxy serves it. Its own URL stays as it is. */
export function withGraphPath(url: URL): URL {
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith('/graphql') ? path : `${path}/graphql`;
  return url;
}

/** `from`: origin of the address. Throws UsageError. */
export function endpointUrl(address: string, from: string): URL {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`${from}: '${address}' is not an http or https URL`);
  if (url.username !== '' || url.password !== '')
    throw new UsageError(`${from}: a name or password in a URL is shown to others: use --user and --password-file`);
  return withGraphPath(url);
}

/** Secrets are never arguments, because other users of the machine can see arguments. */
export async function readSecretFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new CommandFailure(`${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** The token in a data folder. Refuses a link, because it could name any file of the caller. Undefined if there is none. Throws CommandFailure. */
export async function readTokenOfFolder(folder: string): Promise<string | undefined> {
  const path = join(folder, 'admin.token');
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    return (await file.readFile('utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP')
      throw new CommandFailure(`${path} is a link, whose target is not sent: give --token-file`);
    return undefined;
  }
}
