// GET /graphql/schema.graphql and /graphql/schema/admin.graphql: the SDL that this gateway serves, with descriptions, for generators of clients.
// Callers need the rights for introspection. The first file is for everybody if `graph.publicSchema` is set.
import { type Audience, clientSdl } from '../../platform/graph/client-sdl.ts';
import { type StaticFile, staticFile } from './static-files.ts';

export const schemaPath = '/graphql/schema.graphql';

const audiences: ReadonlyMap<string, Audience> = new Map([
  [schemaPath, 'public'],
  ['/graphql/schema/admin.graphql', 'admin'],
]);

/** Audience of the schema at this path. Undefined for other paths. */
export const schemaAudience = (path: string): Audience | undefined => audiences.get(path);

interface SchemaFilesOptions {
  readonly supergraphSdl: string;
  /** Whether a cache that several people share may keep the public schema. */
  readonly publicSchema: boolean;
}

/** Makes each file at the first request. */
export class SchemaFiles {
  readonly #options: SchemaFilesOptions;
  readonly #files = new Map<Audience, Promise<StaticFile>>();

  constructor(options: SchemaFilesOptions) {
    this.#options = options;
  }

  get(audience: Audience): Promise<StaticFile> {
    const file = this.#files.get(audience) ?? this.#make(audience);
    this.#files.set(audience, file);
    return file;
  }

  async #make(audience: Audience): Promise<StaticFile> {
    const { supergraphSdl, publicSchema } = this.#options;
    const file = await staticFile(schemaPath, Buffer.from(clientSdl(supergraphSdl, audience)));
    // A reload may change it at any time, so caches revalidate it by its ETag.
    const cache = publicSchema && audience === 'public' ? 'public, no-cache' : 'private, no-cache';
    return { ...file, headers: { ...file.headers, 'cache-control': cache } };
  }
}
