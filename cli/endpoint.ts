// Which server a verb talks to, and with whose credential. The first that is given counts: --url, TIDEGATE_URL, a context, the data folder of
// "npm start" on this machine, the usual address. A context's credential goes to that context's server only.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ContextStore, type StoredContext } from './contexts.ts';
import { CommandFailure, UsageError } from './failures.ts';
import type { Surroundings } from './verb.ts';

export const defaultUrl = 'http://127.0.0.1:4000/graphql';
export const usualFolder = '.tidegate';
/** Written by "npm start": its address. */
const urlFile = 'url';

interface EndpointOptions {
  readonly url?: string | undefined;
  readonly context?: string | undefined;
  readonly data?: string | undefined;
}

interface Endpoint {
  readonly url: URL;
  /** Whose credential is used, unless another is given. */
  readonly context: StoredContext | undefined;
}

/** Throws UsageError for a wrong address, CommandFailure for a context that is not there. */
export async function chooseEndpoint(options: EndpointOptions, env: Surroundings['env']): Promise<Endpoint> {
  const given = options.url ?? (options.context === undefined ? env.TIDEGATE_URL : undefined);
  if (options.url !== undefined && options.context !== undefined)
    throw new UsageError('give only one of --url and --context');
  if (given !== undefined && given !== '') return { url: endpointUrl(given, '--url'), context: undefined };
  const store = new ContextStore(env);
  if (options.context !== undefined) return ofContext(await store.read(options.context));
  // A folder that is named is meant, whatever context was chosen before.
  if (options.data === undefined) {
    const chosen = await store.chosen();
    if (chosen !== undefined) return ofContext(chosen);
  }
  return { url: await urlOfFolder(options.data ?? usualFolder), context: undefined };
}

/** Of the "npm start" with this data folder. */
async function urlOfFolder(folder: string): Promise<URL> {
  const path = join(folder, urlFile);
  const written = (await readFile(path, 'utf8').catch(() => '')).trim();
  return endpointUrl(written === '' ? defaultUrl : written, path);
}

/** Whether the server is that of the usual data folder, or at least on this machine. */
export async function isOwnServer({ hostname, origin }: URL): Promise<boolean> {
  if (hostname === 'localhost' || hostname === '[::1]' || /^127\.[\d.]+$/.test(hostname)) return true;
  return (await urlOfFolder(usualFolder)).origin === origin;
}

function ofContext(context: StoredContext): Endpoint {
  return { url: endpointUrl(context.url, `context ${context.name}`), context };
}

/** An address without a path is that of the endpoint below it. `from`: who says so. Throws UsageError. */
export function endpointUrl(address: string, from: string): URL {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`${from}: '${address}' is not an http or https URL`);
  if (url.username !== '' || url.password !== '')
    throw new UsageError(`${from}: a name or password in a URL is shown to others: use --user and --password-file`);
  if (url.pathname === '/') url.pathname = '/graphql';
  return url;
}

/** Secrets are never arguments, because other users of the machine can see those. */
export async function readSecretFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new CommandFailure(`${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
