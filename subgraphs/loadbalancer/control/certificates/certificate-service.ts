// Stores, renews and deletes certificates. A renewal is sent to the nodes of all load balancers that use the certificate.
import type {
  TlsCertificateCreateInput,
  TlsCertificateDeleteInput,
  TlsCertificateUpdateInput,
} from '../../../../generated/graph/loadbalancer.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Attempt, Effect, MutationOutcome, Mutations } from '../../../../platform/edge/mutation.ts';
import { mutationsOf } from '../../../../platform/edge/mutations-of.ts';
import { Refusal, refuse } from '../../../../platform/errors/errors.ts';
import { oneProject, requireRole } from '../../../../platform/input/authorise.ts';
import { refuseStale, refuseTaken } from '../../../../platform/input/refusals.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { changeableRow } from '../changeable-row.ts';
import { lockBalancer } from '../stores/balancer-store.ts';
import { changeBalancer } from '../stores/change-balancer.ts';
import { readParts, referencesTo } from '../stores/part-store.ts';
import type { Quotas } from '../stores/quotas.ts';
import { refuseTooLarge } from '../stores/tree-size.ts';
import { type CheckedCertificate, checkCertificate } from './certificate-input.ts';
import {
  type CertificateContent,
  type CertificateRow,
  deleteCertificate,
  insertCertificate,
  lockCertificate,
  readCertificates,
  renewCertificate,
} from './certificate-store.ts';

interface CertificateServiceOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly mutations: Mutations;
  readonly quotas: Quotas;
  readonly sealer: Sealer;
}

type Outcome = Promise<MutationOutcome<CertificateRow>>;

export class CertificateService {
  readonly #options: CertificateServiceOptions;
  readonly #run;

  constructor(options: CertificateServiceOptions) {
    this.#options = options;
    this.#run = mutationsOf<CertificateRow>(options.mutations, 'TlsCertificate', (id) => this.#read(id));
  }

  create(context: RequestContext, input: TlsCertificateCreateInput): Outcome {
    return this.#run('tlsCertificateCreate', context, input, async (attempt) => {
      attempt.check.name('name', input.name);
      const checked = checkCertificate(attempt.check, input);
      const projectId = oneProject(context.identity, input.projectId);
      attempt.projectId = projectId;
      attempt.check.throwIfAny();
      requireRole(context.identity, projectId, 'MEMBER', 'tlsCertificateCreate');
      if (checked === undefined) throw new Refusal(attempt.check.errors);
      return async (tx) => {
        await this.#options.quotas.take(tx, projectId, { CERTIFICATES: 1 });
        const id = newUuid();
        const row = { id, projectId, name: input.name, ...this.#sealed(id, checked) };
        await refuseTaken('certificate', input.name, insertCertificate(tx, row));
        return id;
      };
    });
  }

  update(context: RequestContext, input: TlsCertificateUpdateInput): Outcome {
    return this.#run('tlsCertificateUpdate', context, input, (attempt) => this.prepareUpdate(attempt, context, input));
  }

  /** The effect of an update. The caller may run it and roll it back. */
  async prepareUpdate(attempt: Attempt, context: RequestContext, input: TlsCertificateUpdateInput): Promise<Effect> {
    const checked = checkCertificate(attempt.check, input);
    const found = await this.#find(attempt, context, input.id);
    attempt.check.throwIfAny();
    if (checked === undefined) throw new Refusal(attempt.check.errors);
    return async (tx) => {
      // Locks the load balancers first, like every change of their parts.
      for (const id of await this.#users(tx, found.id)) await lockBalancer(tx, id);
      const row = await lockCertificate(tx, found.id);
      if (row === undefined) refuse('NOT_FOUND', 'the certificate was deleted', { field: ['input', 'id'] });
      refuseStale(input.expectedVersion, row);
      if (checked.chain === row.chain) return row.id;
      // With those that started to use it in the meantime. From here on there can be no more.
      const all = await this.#users(tx, found.id);
      for (const id of all) await changeBalancer(tx, this.#options.wake, id, async () => undefined);
      await renewCertificate(tx, row.id, this.#sealed(row.id, checked));
      if (checked.chain.length > row.chain.length) for (const id of all) await refuseTooLarge(tx, id);
      return row.id;
    };
  }

  delete(context: RequestContext, input: TlsCertificateDeleteInput): Outcome {
    return this.#run('tlsCertificateDelete', context, input, async (attempt) => {
      const found = await this.#find(attempt, context, input.id);
      return async (tx) => {
        const row = await lockCertificate(tx, found.id);
        if (row === undefined) refuse('NOT_FOUND', 'the certificate was deleted', { field: ['input', 'id'] });
        refuseStale(input.expectedVersion, row);
        const [user] = await referencesTo(tx, [row.id]);
        const part = user === undefined ? undefined : (await readParts(tx, [user.partId])).get(user.partId);
        if (part !== undefined)
          refuse('IN_USE', `the ${part.kind} ${encodeId(part.kind, part.id)} uses the certificate: change that first`, {
            field: ['input', 'id'],
          });
        await deleteCertificate(tx, row.id);
        return row.id;
      };
    });
  }

  /** UUIDs of the load balancers that use the certificate, in locking order. */
  async #users(tx: Transaction, id: string): Promise<readonly string[]> {
    const rows = await tx.query<{ id: string }>(
      `SELECT DISTINCT p.load_balancer_id AS id FROM lb_reference r JOIN lb_part p ON p.id = r.part_id
      JOIN lb_load_balancer b ON b.id = p.load_balancer_id AND b.provisioning_status NOT IN ('DELETING', 'DELETED')
      WHERE r.target_id = ? ORDER BY id`,
      [id],
    );
    return rows.map((row) => row.id);
  }

  #sealed(id: string, { privateKey, ...content }: CheckedCertificate): CertificateContent {
    const { keyId, sealed } = this.#options.sealer.seal(privateKey, keyPlace(id, content.sha256));
    return { ...content, keyId, sealedKey: sealed };
  }

  #find(attempt: Attempt, context: RequestContext, id: string): Promise<CertificateRow> {
    return changeableRow(attempt, context, { type: 'TlsCertificate', id }, (uuid) => this.#read(uuid));
  }

  async #read(id: string): Promise<CertificateRow | undefined> {
    return (await readCertificates(this.#options.db, [id])).get(id);
  }
}

/** Binds a sealed key to its certificate. */
export function keyPlace(id: string, sha256: string): string {
  return `lb_certificate/${id}/${sha256}`;
}
