// Presigned URLs: who has one may send one request to one object, without an access key. They are signed with keys of the account that nobody
// knows but the centre and the clusters: one that may write and one that may only read. A key is used for 30 days, and revoked when the last URL
// that it signed is over. To end all URLs at once, revoke it: the next URL is signed with a new one.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectDownloadUrlInput, ObjectUploadUrlInput } from '../../../generated/graph/object-storage.ts';
import { caller, maySee, requireRole } from '../../../platform/authorise.ts';
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { refuse, type UserError } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import type { RequestContext, Role } from '../../../platform/identity.ts';
import { newUuid } from '../../../platform/ids.ts';
import type { MutationOutcome } from '../../../platform/mutation.ts';
import { refuseUnknown } from '../../../platform/refusals.ts';
import type { SubgraphGround } from '../../../platform/subgraph-row.ts';
import { documentName } from '../documents/documents.ts';
import { objectEvents } from '../events.ts';
import { presign } from '../s3/sigv4/presign.ts';
import {
  type AccessKeyRow,
  insertAccessKey,
  newAccessKeyId,
  readAccessKeys,
  revokeAccessKey,
  secretPlace,
  tellKey,
  tellRevoked,
  urlKeys,
  workingSecret,
} from './access-key-store.ts';
import { accountsOf, needAccount } from './account-store.ts';
import { type ClusterRow, liveClusters } from './cluster-store.ts';
import { decodeContainer } from './container-reads.ts';
import { controllersOf } from './controller-store.ts';
import { documentNamed } from './document-store.ts';
import { lockFederation } from './federation-store.ts';
import { takingUsers } from './users-of-clusters.ts';

export interface SignedUrl {
  readonly url: string;
  readonly method: 'GET' | 'PUT';
  /** The cluster's name. */
  readonly cluster: string;
  readonly expiresAt: Date;
}

export interface UrlOutcome {
  readonly objectUrl: SignedUrl | null;
  readonly userErrors: readonly UserError[];
  readonly commit: MutationOutcome<AccessKeyRow>['commit'];
}

export interface UrlGround extends Pick<SubgraphGround, 'db' | 'wake' | 'mutations' | 'sealer'> {
  /** For which users of clusters sign. */
  readonly region: string;
}

const longestSeconds = 7 * 86_400;
const usualSeconds = 15 * 60;
const signsForDays = 30;
/** And some hours for clocks. */
const keptDays = signsForDays + 8;
const mostNameBytes = 1_024;
/** A new key comes to a cluster in much less; a URL that a cluster does not know yet would be refused. */
const arrivalMs = 5_000;
const lookMs = 100;
/** From a cluster's database to its servers. */
const readMs = 300;

interface Wanted {
  readonly mutation: 'objectUploadUrl' | 'objectDownloadUrl';
  readonly method: SignedUrl['method'];
  readonly role: Role;
}

export class UrlService {
  readonly #ground: UrlGround;

  constructor(ground: UrlGround) {
    this.#ground = ground;
  }

  upload(context: RequestContext, input: ObjectUploadUrlInput): Promise<UrlOutcome> {
    return this.#sign(context, input, { mutation: 'objectUploadUrl', method: 'PUT', role: 'OPERATOR' });
  }

  download(context: RequestContext, input: ObjectDownloadUrlInput): Promise<UrlOutcome> {
    return this.#sign(context, input, { mutation: 'objectDownloadUrl', method: 'GET', role: 'VIEWER' });
  }

  async #sign(
    context: RequestContext,
    input: ObjectUploadUrlInput | ObjectDownloadUrlInput,
    { mutation, method, role }: Wanted,
  ): Promise<UrlOutcome> {
    const { db, region } = this.#ground;
    const validSeconds = input.validSeconds ?? usualSeconds;
    let cluster: ClusterRow | undefined;
    const { entity, userErrors, commit } = await this.#ground.mutations.run({
      ...{ name: mutation, context, input, subject: 'ObjectAccessKey' },
      prepare: async (attempt) => {
        const { check } = attempt;
        caller(context);
        check.integer('validSeconds', validSeconds, { min: 1, max: longestSeconds });
        check.text('cluster', input.cluster, { min: 1, max: 63 });
        if (!isObjectName(input.name))
          check.fault('name', `name: give 1 to ${mostNameBytes} bytes of UTF-8 that do not begin with a NUL`);
        check.throwIfAny();
        const named = decodeContainer(input.containerId);
        if (named === undefined || !maySee(context.identity, named.projectId))
          refuseUnknown('ObjectContainer', 'containerId', input.containerId);
        const { projectId } = named;
        attempt.projectId = projectId;
        requireRole(context.identity, projectId, role, mutation);
        if ((await accountsOf(db, [projectId])).get(projectId) === undefined)
          refuseUnknown('ObjectContainer', 'containerId', input.containerId);
        const clusters = await liveClusters(db);
        cluster = placeOf(clusters, await takingUsers(db, clusters, ['objectserver']), input.cluster);
        return (tx) => this.#needKey(tx, projectId, method === 'PUT');
      },
      read: async (id) => (await readAccessKeys(db, [id])).get(id),
    });
    const named = decodeContainer(input.containerId);
    if (entity === null || cluster === undefined || named === undefined) return { objectUrl: null, userErrors, commit };
    await this.#untilKnown(cluster, entity.accessKeyId);
    const nowMs = Date.now();
    const signed = {
      ...{ method, origin: cluster.s3Urls[0] ?? '', container: named.name, name: input.name },
      ...{ accessKeyId: entity.accessKeyId, secret: await this.#secret(entity), region, nowMs, validSeconds },
    };
    const expiresAt = new Date(nowMs + validSeconds * 1_000);
    return { objectUrl: { url: presign(signed), method, cluster: cluster.name, expiresAt }, userErrors, commit };
  }

  /** The one that signs now, made where there is none. */
  async #needKey(tx: Transaction, projectId: string, canWrite: boolean): Promise<string> {
    const { wake } = this.#ground;
    await lockFederation(tx);
    const accountId = await needAccount(tx, wake, projectId);
    const known = (await urlKeys(tx, accountId, signsForDays)).find((key) => key.canWrite === canWrite);
    if (known !== undefined) return known.id;
    const secret = randomBytes(30).toString('base64url');
    const name = canWrite ? 'URLs for uploads' : 'URLs for downloads';
    const row = { id: newUuid(), projectId, accountId, name, canWrite, forUrls: true, accessKeyId: newAccessKeyId() };
    await insertAccessKey(tx, row, (await this.#ground.sealer()).seal(secret, secretPlace(row.id)));
    await tellKey(tx, wake, row, secret, await liveClusters(tx));
    const subject = { projectId, subjectId: row.id, subjectVersion: 1, reason: name };
    await appendStatus(
      tx,
      objectEvents,
      [{ ...subject, kind: 'objectAccessKey.state', from: null, to: 'WORKING' }],
      wake,
    );
    return row.id;
  }

  async #secret({ id }: AccessKeyRow): Promise<string> {
    const sealed = await workingSecret(this.#ground.db, id);
    if (sealed === undefined) refuse('WRONG_STATE', 'the key of this URL was revoked meanwhile: ask for another one');
    return (await this.#ground.sealer()).open(sealed, secretPlace(id));
  }

  /** Until the cluster has the key, as its controller says, or for a while. */
  async #untilKnown({ id }: ClusterRow, accessKeyId: string): Promise<void> {
    const { db } = this.#ground;
    const document = await documentNamed(db, documentName('key', accessKeyId));
    const untilMs = performance.now() + arrivalMs;
    for (let isFirst = true; document !== undefined && performance.now() < untilMs; isFirst = false) {
      const controllers = (await controllersOf(db, [id])).get(id) ?? [];
      const has = Math.max(0, ...controllers.map(({ state }) => state?.position ?? 0));
      if (has >= document.generation) {
        if (!isFirst) await sleep(readMs);
        return;
      }
      await sleep(lookMs);
    }
  }
}

/** The named one, else the first that is heard, of those that take users. */
function placeOf(
  clusters: readonly ClusterRow[],
  taking: readonly ClusterRow[],
  name: string | null | undefined,
): ClusterRow {
  const field = ['input', 'cluster'];
  if (name == null)
    return (
      taking.find(({ present, s3Urls }) => present && s3Urls.length > 0) ??
      refuse(
        'UNAVAILABLE',
        'no cluster with an address for users is connected to the centre: name one, or try again later',
      )
    );
  const cluster = clusters.find((each) => each.name === name);
  if (cluster === undefined) refuse('NOT_FOUND', `there is no cluster ${name}`, { field });
  if (!taking.includes(cluster))
    refuse('WRONG_STATE', `the servers of the cluster ${name} are drained: name another one, or none`, { field });
  if (cluster.s3Urls.length === 0)
    refuse('WRONG_STATE', `the cluster ${name} has no address for users: an administrator sets s3Urls`, { field });
  return cluster;
}

function isObjectName(name: string): boolean {
  const fits = name.length > 0 && name.length <= mostNameBytes && Buffer.byteLength(name) <= mostNameBytes;
  return fits && name.isWellFormed() && !name.startsWith('\0');
}

/** Of those that sign no more all URLs are over: revokes them, a few at once. The number of them. */
export async function retireUrlKeys({ db, wake }: Pick<SubgraphGround, 'db' | 'wake'>, most: number): Promise<number> {
  const due = await dueUrlKeys(db, most);
  for (const row of due)
    await db.transaction(async (tx) => {
      await lockFederation(tx);
      await revokeAccessKey(tx, row.id);
      await tellRevoked(tx, wake, row);
      const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1 };
      const event = { ...subject, kind: 'objectAccessKey.state', from: 'WORKING', to: 'REVOKED' } as const;
      await appendStatus(tx, objectEvents, [event], wake);
    });
  return due.length;
}

async function dueUrlKeys(sql: Sql, most: number): Promise<readonly AccessKeyRow[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM object_access_key WHERE for_urls = 1 AND revoked_at IS NULL AND created_at < NOW(3) - INTERVAL ${keptDays} DAY LIMIT ?`,
    [most],
  );
  return [
    ...(
      await readAccessKeys(
        sql,
        rows.map(({ id }) => id),
      )
    ).values(),
  ];
}
