// Reads of certificates for the graph. Only what the caller may see.
import { maySee, projectsFor } from '../../../platform/authorise.ts';
import type { Database } from '../../../platform/database/database.ts';
import { type Page, type PageArguments, page, pageRequest } from '../../../platform/graph/connection.ts';
import { loader } from '../../../platform/graph/loader.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import { decodeUuid } from '../../../platform/ids.ts';
import { type CertificateRow, pageOfCertificates, readCertificates } from '../stores/certificate-store.ts';

const byId = Symbol('certificates by id');

export class CertificateReads {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By UUID, including deleted ones. */
  async certificate(context: RequestContext, id: string): Promise<CertificateRow | null> {
    const row = await loader(context, byId, id, (ids) => readCertificates(this.#db, ids));
    return row !== undefined && maySee(context.identity, row.projectId) ? row : null;
  }

  /** Deleted ones do not exist. */
  async byGlobalId(context: RequestContext, globalId: string): Promise<CertificateRow | null> {
    const id = decodeUuid('TlsCertificate', globalId);
    const row = id === undefined ? null : await this.certificate(context, id);
    return row?.deleted === true ? null : row;
  }

  async page(
    context: RequestContext,
    args: PageArguments & { readonly projectId?: string | null },
  ): Promise<Page<CertificateRow>> {
    const request = pageRequest(args);
    const projects = projectsFor(context.identity, args.projectId);
    return page(await pageOfCertificates(this.#db, projects, request), request.first, ({ id }) => [id]);
  }
}
