// Serves the built dashboard and GraphiQL. Files are read into memory once: there are a few dozen, and no request can name a path
// outside the folder.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { type CompressedFile, compressFile } from './content-encoding.ts';
import { dashboardPolicy, dataPolicy, graphiqlPolicy, uploadWorkerPolicy } from './security-headers.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
  '.graphql': 'text/plain; charset=utf-8',
};

/** Already compressed. */
const packed = new Set(['.png', '.ico', '.woff2']);

/** A larger folder is not the dashboard. */
const maxTotalBytes = 128 * 1024 * 1024;

export interface StaticFile {
  readonly body: Buffer;
  /** Undefined if it saves nothing. */
  readonly compressed: CompressedFile | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
}

export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;

  constructor(files: ReadonlyMap<string, StaticFile>) {
    this.#files = files;
  }

  /** The file for a URL path. A document's path is its name. Undefined if there is none. */
  get(path: string): StaticFile | undefined {
    return this.#files.get(path === '/' ? '/index.html' : path) ?? this.#files.get(`${path}.html`);
  }
}

/** Reads a folder. A missing folder has no files. */
export async function loadStaticFiles(folder: string): Promise<StaticFiles> {
  const files = new Map<string, StaticFile>();
  let entries: string[] = [];
  try {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    entries = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  let totalBytes = 0;
  for (const entry of entries) {
    const body = await readFile(entry);
    totalBytes += body.length;
    if (totalBytes > maxTotalBytes) throw new Error(`${folder} is larger than ${maxTotalBytes} bytes: not a dashboard`);
    const path = `/${relative(folder, entry).split(sep).join('/')}`;
    files.set(path, await staticFile(path, body));
  }
  return new StaticFiles(files);
}

/** The policy of a document: it allows only the document's own inline scripts. */
export function documentPolicy(path: string, html: string): string {
  const policy = path === '/graphiql.html' ? graphiqlPolicy : dashboardPolicy;
  const hashes = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(
    ([, script = '']) => ` 'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  );
  return policy.replace("script-src 'self'", `script-src 'self'${hashes.join('')}`);
}

/** A worker has the policy of its script. */
function scriptPolicy(path: string): string {
  return /^\/assets\/upload-worker-[\w-]+\.js$/.test(path) ? uploadWorkerPolicy : dataPolicy;
}

export async function staticFile(path: string, body: Buffer): Promise<StaticFile> {
  const extension = extname(path);
  const policy = extension === '.html' ? documentPolicy(path, body.toString()) : scriptPolicy(path);
  // Vite puts a hash of the content into the names below assets/.
  const cache = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
  return {
    body,
    compressed: packed.has(extension) ? undefined : await compressFile(body),
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    headers: {
      'content-type': contentTypes[extension] ?? 'application/octet-stream',
      'content-security-policy': policy,
      'cache-control': cache,
    },
  };
}
