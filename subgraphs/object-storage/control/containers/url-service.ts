// Presigned URLs: the holder may send one request for one object, without an access key. They are signed with two keys of the account, one
// that may write and one that may only read, whose secrets only the control plane and the clusters have. A key signs for 30 days and is
// revoked when its last URL has expired. To end all URLs at once, revoke the key: the next URL is signed with a new one.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  ObjectDeleteUrlCreateInput,
  ObjectDownloadUrlCreateInput,
  ObjectUploadUrlCreateInput,
} from '../../../../generated/graph/object-storage.ts';
import type { RequestContext, Role } from '../../../../platform/caller/identity.ts';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import type { MutationOutcome } from '../../../../platform/edge/mutation.ts';
import { refuse, type UserError, unknownId } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { caller, maySee, requireRole } from '../../../../platform/input/authorise.ts';
import { refuseUnknown } from '../../../../platform/input/refusals.ts';
import { trustedNow } from '../../../../platform/leases/trusted-clock.ts';
import type { SubgraphContext } from '../../../../platform/process/subgraph-row.ts';
import { encodeId, newUuid } from '../../../../platform/values/ids.ts';
import { presign } from '../../rules/sigv4/presign.ts';
import { documentName } from '../../wire/documents/documents.ts';
import { endAccessKey } from '../accounts/access-key-end.ts';
import {
  type AccessKeyRow,
  insertAccessKey,
  lockAccessKey,
  newAccessKeyId,
  readAccessKeys,
  secretPlace,
  tellKey,
  urlKeys,
  workingSecret,
} from '../accounts/access-key-store.ts';
import { takingUsers } from '../clusters/users-of-clusters.ts';
import { objectEvents } from '../events.ts';
import { accountsOf, needAccount } from '../stores/account-store.ts';
import { type ClusterRow, liveClusters } from '../stores/cluster-store.ts';
import { controllersOf } from '../stores/controller-store.ts';
import { documentNamed } from '../stores/document-store.ts';
import { lockFederation, reachedGenerations } from '../stores/federation-store.ts';
import { decodeContainer } from './container-reads.ts';

export interface SignedUrl {
  readonly url: string;
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly cluster: ClusterRow;
  readonly expiresAt: Date;
}

interface UrlOutcome {
  readonly objectUrl: SignedUrl | null;
  readonly userErrors: readonly UserError[];
  readonly commit: MutationOutcome<AccessKeyRow>['commit'];
}

interface UrlDependencies extends Pick<SubgraphContext, 'db' | 'wake' | 'mutations' | 'sealer'> {
  /** The region that users of clusters put in signatures. */
  readonly region: string;
}

const longestMs = 7 * 86_400_000;
const usualMs = 15 * 60_000;
const signsForDays = 30;
/** Plus some hours for differences between clocks. */
const keptDays = signsForDays + 8;
const mostNameBytes = 1_024;
/** A new key reaches a cluster much sooner. A URL whose key a cluster does not have yet would be refused. */
const arrivalMs = 5_000;
const lookMs = 100;
/** Time from a cluster's database to its servers. */
const readMs = 300;

interface Wanted {
  readonly mutation: 'objectUploadUrlCreate' | 'objectDownloadUrlCreate' | 'objectDeleteUrlCreate';
  readonly method: SignedUrl['method'];
  readonly role: Role;
}

export class UrlService {
  readonly #dependencies: UrlDependencies;

  constructor(dependencies: UrlDependencies) {
    this.#dependencies = dependencies;
  }

  upload(context: RequestContext, input: ObjectUploadUrlCreateInput): Promise<UrlOutcome> {
    return this.#sign(context, input, { mutation: 'objectUploadUrlCreate', method: 'PUT', role: 'OPERATOR' });
  }

  download(context: RequestContext, input: ObjectDownloadUrlCreateInput): Promise<UrlOutcome> {
    return this.#sign(context, input, { mutation: 'objectDownloadUrlCreate', method: 'GET', role: 'VIEWER' });
  }

  delete(context: RequestContext, input: ObjectDeleteUrlCreateInput): Promise<UrlOutcome> {
    return this.#sign(context, input, { mutation: 'objectDeleteUrlCreate', method: 'DELETE', role: 'OPERATOR' });
  }

  async #sign(
    context: RequestContext,
    input: ObjectUploadUrlCreateInput | ObjectDownloadUrlCreateInput | ObjectDeleteUrlCreateInput,
    { mutation, method, role }: Wanted,
  ): Promise<UrlOutcome> {
    const { db, region } = this.#dependencies;
    const validMs = input.validMs ?? usualMs;
    let cluster: ClusterRow | undefined;
    const { entity, userErrors, commit } = await this.#dependencies.mutations.run({
      ...{ name: mutation, context, input, subject: 'ObjectAccessKey' },
      prepare: async (attempt) => {
        const { check } = attempt;
        caller(context);
        check.integer('validMs', validMs, { min: 1_000, max: longestMs });
        if (validMs % 1_000 !== 0) check.fault('validMs', 'validMs: give whole seconds, such as 900000');
        const clusterId = input.clusterId == null ? undefined : check.id('clusterId', input.clusterId, 'ObjectCluster');
        if (!isObjectName(input.name))
          check.fault('name', `name: give 1 to ${mostNameBytes} bytes of UTF-8 without NUL characters`);
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
        cluster = placeOf(clusters, await takingUsers(db, clusters, ['objectserver']), clusterId);
        return (tx) => this.#needKey(tx, projectId, method !== 'GET');
      },
      read: async (id) => (await readAccessKeys(db, [id])).get(id),
    });
    const named = decodeContainer(input.containerId);
    if (entity === null || cluster === undefined || named === undefined) return { objectUrl: null, userErrors, commit };
    await this.#untilKnown(cluster, entity.accessKeyId);
    const nowMs = Date.now();
    const signed = {
      ...{ method, origin: cluster.s3Urls[0] ?? '', container: named.name, name: input.name },
      ...{
        accessKeyId: entity.accessKeyId,
        secret: await this.#secret(entity),
        region,
        nowMs,
        validSeconds: validMs / 1_000,
      },
    };
    const expiresAt = new Date(nowMs + validMs);
    return { objectUrl: { url: presign(signed), method, cluster, expiresAt }, userErrors, commit };
  }

  /** The key that signs now. Created if there is none: only then does the request wait for changes of the federation. */
  async #needKey(tx: Transaction, projectId: string, canWrite: boolean): Promise<string> {
    const account = (await accountsOf(tx, [projectId])).get(projectId);
    const known = account && (await signingKey(tx, account.id, canWrite));
    return known?.id ?? this.#makeKey(tx, projectId, canWrite);
  }

  async #makeKey(tx: Transaction, projectId: string, canWrite: boolean): Promise<string> {
    const { wake } = this.#dependencies;
    await lockFederation(tx);
    const accountId = await needAccount(tx, wake, projectId);
    // Another request may have made it while this one waited.
    const known = await signingKey(tx, accountId, canWrite);
    if (known !== undefined) return known.id;
    const secret = randomBytes(30).toString('base64url');
    const name = canWrite ? 'URLs for uploads' : 'URLs for downloads';
    const row = { id: newUuid(), projectId, accountId, name, canWrite, forUrls: true, accessKeyId: newAccessKeyId() };
    await insertAccessKey(tx, row, (await this.#dependencies.sealer()).seal(secret, secretPlace(row.id)));
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
    const sealed = await workingSecret(this.#dependencies.db, id);
    if (sealed === undefined)
      refuse('WRONG_STATE', 'the key of this URL was revoked in the meantime: request another URL');
    return (await this.#dependencies.sealer()).open(sealed, secretPlace(id));
  }

  /** Waits until the cluster has the key, as reported by its controller, but not for longer than `arrivalMs`. */
  async #untilKnown({ id }: ClusterRow, accessKeyId: string): Promise<void> {
    const { db } = this.#dependencies;
    const document = await documentNamed(db, documentName('key', accessKeyId));
    const untilMs = performance.now() + arrivalMs;
    for (let isFirst = true; document !== undefined && performance.now() < untilMs; isFirst = false) {
      const controllers = (await controllersOf(db, [id])).get(id) ?? [];
      const positions = controllers.map(({ state }) => state?.position);
      const has = Math.max(0, ...(await reachedGenerations(db, positions)));
      if (has >= document.generation) {
        if (!isFirst) await sleep(readMs);
        return;
      }
      await sleep(lookMs);
    }
  }
}

async function signingKey(sql: Sql, accountId: string, canWrite: boolean): Promise<AccessKeyRow | undefined> {
  return (await urlKeys(sql, accountId, signsForDays)).find((key) => key.canWrite === canWrite);
}

/** The cluster with this UUID, otherwise the first present one that takes users. */
function placeOf(clusters: readonly ClusterRow[], taking: readonly ClusterRow[], id: string | undefined): ClusterRow {
  const field = ['input', 'clusterId'];
  if (id === undefined)
    return (
      taking.find(({ present, s3Urls }) => present && s3Urls.length > 0) ??
      refuse(
        'UNAVAILABLE',
        'no cluster with an address for users is connected to the control plane: name one, or try again later',
      )
    );
  const cluster = clusters.find((each) => each.id === id);
  if (cluster === undefined) refuse('NOT_FOUND', unknownId('ObjectCluster', encodeId('ObjectCluster', id)), { field });
  const { name } = cluster;
  if (!taking.includes(cluster))
    refuse('WRONG_STATE', `the servers of the cluster ${name} are drained: name another one, or none`, { field });
  if (cluster.s3Urls.length === 0)
    refuse('WRONG_STATE', `the cluster ${name} has no address for users: an administrator sets s3Urls`, { field });
  return cluster;
}

function isObjectName(name: string): boolean {
  const fits = name.length > 0 && name.length <= mostNameBytes && Buffer.byteLength(name) <= mostNameBytes;
  return fits && name.isWellFormed() && !name.includes('\0');
}

/** Revokes keys that no longer sign and whose URLs have all expired, up to `most` at once. Returns their number. */
export async function retireUrlKeys({ db, wake }: Pick<SubgraphContext, 'db' | 'wake'>, most: number): Promise<number> {
  const due = await dueUrlKeys(db, most);
  for (const row of due)
    await db.transaction(async (tx) => {
      await lockFederation(tx);
      const locked = await lockAccessKey(tx, row.id);
      // A user may have revoked it in the meantime.
      if (locked !== undefined && locked.revokedAt === null) await endAccessKey(tx, wake, locked);
    });
  return due.length;
}

async function dueUrlKeys(sql: Sql, most: number): Promise<readonly AccessKeyRow[]> {
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM object_access_key WHERE for_urls = 1 AND revoked_at IS NULL AND created_at < ${trustedNow} - INTERVAL ${keptDays} DAY LIMIT ?`,
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
