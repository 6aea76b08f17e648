// Reads of certificates for the graph. Shows only what the caller may see.
import type { QueryTlsCertificatesArgs } from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { maySee, projectsFor } from '../../../../platform/input/authorise.ts';
import type { Page } from '../../../../platform/pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { type CertificateRow, readCertificates } from './certificate-store.ts';

const byId = Symbol('certificates by id');

const certificateList: ListTable = {
  table: 'lb_certificate',
  name: 'live_name',
  expiry: 'not_after',
  all: { time: 'lb_certificate_time_idx', name: 'lb_certificate_name_idx', expiry: 'lb_certificate_expiry_idx' },
  ofProject: {
    time: 'lb_certificate_project_time_idx',
    name: 'lb_certificate_project_name_idx',
    expiry: 'lb_certificate_project_expiry_idx',
  },
};

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

  /** Treats deleted certificates as missing. */
  async byGlobalId(context: RequestContext, globalId: string): Promise<CertificateRow | null> {
    const id = decodeUuid('TlsCertificate', globalId);
    const row = id === undefined ? null : await this.certificate(context, id);
    return row?.deleted === true ? null : row;
  }

  /** Without deleted ones. */
  page(context: RequestContext, args: Partial<QueryTlsCertificatesArgs>): Promise<Page<CertificateRow>> {
    const projects = projectsFor(context.identity, args.projectId);
    const filter: ListFilter = { ...args, orderBy: args.orderBy ?? 'OLDEST', projects };
    return pageOfList(this.#db, certificateList, filter, (ids) => readCertificates(this.#db, ids));
  }
}
