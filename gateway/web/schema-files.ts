// GET /schema.graphql and /schema/admin.graphql: the SDL that this gateway serves, with descriptions, for generators of clients. It is for
// those who may read it by introspection.
import { type Audience, clientSdl } from '../../platform/graph/client-sdl.ts';
import { type StaticFile, staticFile } from './static-files.ts';

const audiences: ReadonlyMap<string, Audience> = new Map([
  ['/schema.graphql', 'public'],
  ['/schema/admin.graphql', 'admin'],
]);

/** Whose schema is at this path; undefined for other paths. */
export const schemaAudience = (path: string): Audience | undefined => audiences.get(path);

/** Each is made when it is first asked for. */
export class SchemaFiles {
  readonly #supergraphSdl: string;
  readonly #files = new Map<Audience, Promise<StaticFile>>();

  constructor(supergraphSdl: string) {
    this.#supergraphSdl = supergraphSdl;
  }

  get(audience: Audience): Promise<StaticFile> {
    const file = this.#files.get(audience) ?? this.#make(audience);
    this.#files.set(audience, file);
    return file;
  }

  async #make(audience: Audience): Promise<StaticFile> {
    const file = await staticFile('/schema.graphql', Buffer.from(clientSdl(this.#supergraphSdl, audience)));
    return { ...file, headers: { ...file.headers, 'cache-control': 'private, no-cache' } };
  }
}
