// Resolvers of the audit trail.
import { createHmac } from 'node:crypto';
import type { AuditAnchorInput, Resolvers } from '../../../../generated/graph/system.ts';
import { auditSearch } from '../../../../platform/audit/audit-filter.ts';
import { type AuditAnchor, anchorShape } from '../../../../platform/audit/ends.ts';
import { type AuditEntry, readAuditEntries } from '../../../../platform/audit/trail.ts';
import { type KeptHeads, verifyAudit } from '../../../../platform/audit/verify.ts';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { CodedError } from '../../../../platform/errors/errors.ts';
import { actorOf } from '../../../../platform/graph/actor.ts';
import {
  type ConfigurationVersionRow,
  type RecordedChange,
  versionsOfChanges,
} from '../../../../platform/graph/configuration-history.ts';
import {
  adminCaller,
  caller,
  operatedProjects,
  projectsFor,
  requireOperatorsRead,
} from '../../../../platform/input/authorise.ts';
import { pageOfList } from '../../../../platform/pages/entity-list.ts';
import { loader } from '../../../../platform/pages/loader.ts';
import type { HaCluster } from '../../../../platform/process/ha-cluster.ts';
import type { PublicKeys } from '../../../../platform/secrets/key-pairs.ts';
import type { Keyring } from '../../../../platform/secrets/keyring.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { Entities } from '../entities.ts';
import { mayReadVersion } from '../history/may-read.ts';
import { nodeByKey } from '../nodes/node.ts';

const mostVerified = 100_000;
const mostCuts = 100;
const mostAnchors = 1_000;

export function auditResolvers(options: {
  db: Database;
  entities: Entities;
  keyring: Keyring;
  publicKeys: PublicKeys;
  /** The cluster of hosts, which keeps ends of the trail. Undefined if there is none. */
  cluster: HaCluster | undefined;
}): Resolvers {
  const { db, entities, keyring, publicKeys, cluster } = options;
  /** The number in the table counts the entries of all projects, so it is not shown. */
  const nameOf = (id: bigint | number): string =>
    createHmac('sha256', keyring.active('audit-entry').keyObject).update(String(id)).digest('hex').slice(0, 32);
  return {
    Query: {
      async auditEntries(_, args, context) {
        const identity = caller(context);
        requireOperatorsRead(identity, args.projectId, 'audit trail');
        const projects = projectsFor(identity, args.projectId, operatedProjects(identity));
        const { list, ...filter } = auditSearch(args, projects);
        return pageOfList(db, list, { ...args, ...filter }, (ids) => readAuditEntries(db, ids));
      },
      async auditVerification(_, { fromPosition, limit, anchors }, context) {
        adminCaller(context);
        if (limit < 1 || limit > mostVerified)
          throw new CodedError('INVALID_INPUT', `limit: ${limit} is out of range; give 1 to ${mostVerified}.`);
        const from = fromPosition == null ? {} : { fromPosition: wholeNumber('fromPosition', fromPosition) };
        const kept = cluster === undefined ? {} : { kept: await keptBy(cluster) };
        const { firstBrokenPosition, cuts, ...found } = await verifyAudit(db, {
          ...{ ...from, ...kept, limit, publicKeys },
          anchors: readAnchors(anchors ?? []),
        });
        return {
          ...found,
          firstBrokenPosition,
          cuts: cuts
            .map(({ epoch, position, entryPosition }) => ({
              ...{ epoch, position, entryPosition },
            }))
            .reverse(),
        };
      },
    },
    AuditVerification: {
      cuts({ cuts }, { limit = 20 }) {
        if (limit < 1 || limit > mostCuts)
          throw new CodedError('INVALID_INPUT', `limit: ${limit} is out of range; give 1 to ${mostCuts}.`);
        return cuts.slice(0, limit);
      },
    },
    AuditEntry: {
      id: ({ id }) => encodeId('AuditEntry', nameOf(id)),
      position: ({ position }, _, context) => (context.identity?.admin === true ? position : null),
      recordedAt: ({ at }) => at,
      actor: ({ actorKind: kind, actorId, actorName: name }) =>
        kind === 'anonymous' ? null : actorOf({ kind, id: actorId, name }),
      subject: ({ subjectType, subjectId }, _, context) =>
        subjectType === null || subjectId === null ? null : nodeByKey(entities, context, subjectType, subjectId),
      project: async ({ projectId }, _, context) =>
        projectId === null ? null : ((await entities.project(context, projectId)) ?? null),
      subjectId: ({ subjectType, subjectId }) =>
        subjectType === null || subjectId === null ? null : encodeId(subjectType, subjectId),
      details: ({ details }) => JSON.parse(details),
      version: (entry, _, context) => versionOf(db, context, entry),
    },
  };
}

/** Keyed by the entry; what it needs to be found by travels in the key. */
const versionRows = Symbol('versions by audit entry');

async function versionOf(
  db: Database,
  context: RequestContext,
  { subjectType, subjectId, requestId, action, at, outcome }: AuditEntry,
): Promise<ConfigurationVersionRow | null> {
  if (outcome !== 'ACCEPTED' || subjectType === null || subjectId === null || requestId === null) return null;
  const key = JSON.stringify([subjectType, subjectId, requestId, action, at]);
  const row = await loader(context, versionRows, key, (keys) =>
    versionsOfChanges(db, new Map(keys.map((each) => [each, changeOf(each)]))),
  );
  return row !== undefined && mayReadVersion(context.identity, row) ? row : null;
}

function changeOf(key: string): RecordedChange {
  const [subjectType, subjectId, requestId, action, at] = JSON.parse(key) as [string, string, string, string, string];
  return { subjectType, subjectId, requestId, action, at: new Date(at) };
}

async function keptBy(cluster: HaCluster): Promise<KeptHeads> {
  const [heads, moves] = await Promise.all([cluster.auditHeads(), cluster.moves()]);
  const lossEpochs = moves.flatMap(({ acceptedLoss, epoch }) =>
    acceptedLoss === null || epoch === null ? [] : [epoch],
  );
  return { heads, lossEpochs };
}

function readAnchors(given: readonly AuditAnchorInput[]): readonly AuditAnchor[] {
  if (given.length > mostAnchors)
    throw new CodedError(
      'INVALID_INPUT',
      `anchors: ${given.length} entries are too many; give at most ${mostAnchors}.`,
    );
  return given.map(({ position, hash, signature }) => {
    const read = anchorShape.safeParse({ position: wholeNumber('anchors.position', position), hash, signature });
    if (!read.success)
      throw new CodedError('INVALID_INPUT', `anchors: the anchor of position ${position} is malformed.`);
    return read.data;
  });
}

function wholeNumber(argument: string, given: bigint | string): number {
  const text = String(given);
  if (!/^\d{1,15}$/.test(text))
    throw new CodedError('INVALID_INPUT', `${argument}: ${JSON.stringify(text)} is not a position.`);
  return Number(text);
}
