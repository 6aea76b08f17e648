// Operations on members, monitors and names other than create, change and delete.

import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { storedCmpObject } from '../../../../platform/pages/cmp-object.ts';
import type { AdminState } from '../../rules/states.ts';
import { gslbEvents } from '../events.ts';
import { cmpObjectsOfPools } from '../stores/name-store.ts';
import { membersTouched, namesTouched } from '../stores/touched.ts';
import type { EntityService, NamedInput, ServiceDependencies } from './entity-service.ts';
import {
  freezeName,
  type MemberEntity,
  type MonitorEntity,
  type NameRow,
  releaseMember,
  setAdminState,
  updateEntity,
} from './entity-store.ts';
import { shortestDelay } from './handlers.ts';
import { faultOfMerged, notNamed } from './member-checks.ts';
import { memberBeyond } from './monitor-credentials.ts';
import {
  attachMonitor,
  detachMonitor,
  membersIn,
  membersUsed,
  monitorsFor,
  namesUsing,
  type UsedFor,
} from './use-store.ts';

interface Services {
  readonly names: EntityService<'Gslb'>;
  readonly pools: EntityService<'GslbPool'>;
  readonly members: EntityService<'GslbPoolMember'>;
  readonly monitors: EntityService<'GslbMonitor'>;
}

interface AttachInput {
  readonly idempotencyKey?: string | null;
  readonly monitorId: string;
  /** Exactly one of the two. */
  readonly target: { readonly poolId?: string | null; readonly memberId?: string | null };
}

interface StateInput extends NamedInput {
  readonly state: AdminState;
  readonly until?: Date | null;
  readonly reason?: string | null;
}

interface FreezeInput extends NamedInput {
  readonly until?: Date | null;
  readonly reason?: string | null;
}

const longestMs = 366 * 86_400_000;
const mostMonitors = 10;

export class MemberService {
  readonly #dependencies: ServiceDependencies;
  readonly #services: Services;

  constructor(dependencies: ServiceDependencies, services: Services) {
    this.#dependencies = dependencies;
    this.#services = services;
  }

  attach(context: RequestContext, input: AttachInput) {
    return this.#use('gslbPoolMonitorAttach', context, input, async (tx, monitor, used, poolId) => {
      if ((await monitorsFor(tx, used)).length >= mostMonitors)
        refuse('LIMIT_REACHED', `it has ${mostMonitors} monitors; more are not allowed: detach one first`, {
          field: ['input', 'monitorId'],
        });
      const shortest = await shortestDelay(tx, [poolId]);
      if (shortest !== undefined && monitor.spec.delayMs < shortest.delayMs)
        refuse(
          'INVALID_INPUT',
          `the monitor has intervalMs ${monitor.spec.delayMs}; the flavor ${shortest.flavor} of a name that uses the pool allows ${shortest.delayMs} and more`,
          { field: ['input', 'monitorId'] },
        );
      const ids =
        'poolId' in used ? { poolIds: [used.poolId], memberIds: [] } : { poolIds: [], memberIds: [used.memberId] };
      const wrong = await faultOfMerged(tx, monitor.spec, await membersUsed(tx, ids, 'WITH_PARAMETERS'));
      if (wrong !== undefined)
        refuse(
          'INVALID_INPUT',
          `${wrong.field} of the member ${wrong.member} ${wrong.fault.message} for the monitor ${monitor.name}`,
          { field: ['input', 'monitorId'] },
        );
      const beyond = await memberBeyond(tx, monitor.spec, ids);
      if (beyond !== undefined)
        refuse('INVALID_INPUT', `the member ${beyond.member}: ${beyond.host} ${notNamed(monitor.name)}`, {
          field: ['input', 'monitorId'],
        });
      return attachMonitor(tx, monitor.id, used);
    });
  }

  detach(context: RequestContext, input: AttachInput) {
    return this.#use('gslbPoolMonitorDetach', context, input, (tx, { id }, used) => detachMonitor(tx, id, used));
  }

  setState(context: RequestContext, input: StateInput) {
    const { members } = this.#services;
    const { wake } = this.#dependencies;
    return members.run('gslbPoolMemberAdminStateSet', context, input, async (attempt) => {
      const { check } = attempt;
      const { until = null, reason = null, state } = input;
      checkUntil(check, until);
      if (state === 'AUTO' && until !== null) check.fault('until', 'until is not for the state AUTO, which has no end');
      check.text('reason', reason, { max: 255 });
      await members.find(attempt, context, input.id);
      check.throwIfAny();
      return async (tx) => {
        const row = await members.lock(tx, input);
        await setAdminState(tx, row.id, { state, until, reason });
        const cmpObject = (await cmpObjectsOfPools(tx, [row.poolId])).get(row.poolId) ?? null;
        const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1, cmpObject };
        const event = {
          ...subject,
          kind: 'gslbPoolMember.adminState',
          from: row.adminState,
          to: state,
          reason,
        } as const;
        await appendStatus(tx, gslbEvents, [event], wake);
        await membersTouched(tx, wake, [row.id]);
        return row.id;
      };
    });
  }

  release(context: RequestContext, input: NamedInput) {
    const { members } = this.#services;
    return members.run('gslbPoolMemberRelease', context, input, async (attempt) => {
      await members.find(attempt, context, input.id);
      attempt.check.throwIfAny();
      return async (tx) => {
        const row = await members.lock(tx, input);
        if (!(await releaseMember(tx, row.id)))
          refuse('WRONG_STATE', `the member ${row.name} does not wait for its release: ${waiting(row)}`, {
            field: ['input', 'id'],
          });
        await membersTouched(tx, this.#dependencies.wake, [row.id]);
        return row.id;
      };
    });
  }

  freeze(context: RequestContext, input: FreezeInput) {
    const { until = null, reason = null } = input;
    return this.#setFrozen('gslbFreeze', context, input, { until, reason });
  }

  unfreeze(context: RequestContext, input: Omit<FreezeInput, 'until'>) {
    return this.#setFrozen('gslbUnfreeze', context, input, undefined);
  }

  #setFrozen(
    mutation: string,
    context: RequestContext,
    input: FreezeInput,
    frozen: { readonly until: Date | null; readonly reason: string | null } | undefined,
  ) {
    const { names } = this.#services;
    const { wake } = this.#dependencies;
    return names.run(mutation, context, input, async (attempt) => {
      const { check } = attempt;
      const { reason = null } = input;
      checkUntil(check, frozen?.until ?? null);
      check.text('reason', reason, { max: 255 });
      await names.find(attempt, context, input.id);
      check.throwIfAny();
      return async (tx) => {
        const row: NameRow = await names.lock(tx, input);
        await freezeName(tx, row.id, frozen);
        const cmpObject = storedCmpObject(row);
        const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1, cmpObject };
        const from = row.frozenAt === null ? 'RELEASED' : 'FROZEN';
        const to = frozen === undefined ? 'RELEASED' : 'FROZEN';
        await appendStatus(tx, gslbEvents, [{ ...subject, kind: 'gslb.answer', from, to, reason }], wake);
        await namesTouched(tx, wake, [row.id]);
        return row.id;
      };
    });
  }

  #use(
    mutation: string,
    context: RequestContext,
    input: AttachInput,
    write: (
      tx: Parameters<typeof attachMonitor>[0],
      monitor: MonitorEntity,
      used: UsedFor,
      poolId: string,
    ) => Promise<boolean>,
  ) {
    const { monitors, pools, members } = this.#services;
    const { wake } = this.#dependencies;
    return monitors.run(mutation, context, input, async (attempt) => {
      const { check } = attempt;
      const { poolId, memberId } = input.target;
      const monitor = await monitors.find(attempt, context, input.monitorId, 'monitorId');
      const target =
        poolId == null
          ? await members.find(attempt, context, memberId ?? '', 'target.memberId')
          : await pools.find(attempt, context, poolId, 'target.poolId');
      if (target.projectId !== monitor.projectId)
        check.fault('monitorId', 'the monitor belongs to another project', 'NOT_FOUND');
      check.throwIfAny();
      return async (tx) => {
        const row = await monitors.lock(tx, { id: input.monitorId }, 'monitorId');
        if (poolId == null) await members.lock(tx, { id: memberId ?? '' }, 'memberId');
        else await pools.lock(tx, { id: poolId }, 'poolId');
        const used = poolId == null ? { memberId: target.id } : { poolId: target.id };
        const usedPool = 'poolId' in target ? (target as MemberEntity).poolId : target.id;
        if (await write(tx, row, used, usedPool)) {
          await updateEntity(tx, 'GslbMonitor', row.id, {});
          await membersTouched(tx, wake, 'memberId' in used ? [target.id] : await membersIn(tx, [target.id]));
          await namesTouched(tx, wake, await namesUsing(tx, [usedPool]));
        }
        return row.id;
      };
    });
  }
}

function checkUntil(check: InputCheck, until: Date | null): void {
  if (until === null) return;
  const aheadMs = until.getTime() - Date.now();
  if (aheadMs <= 0) check.fault('until', `until is ${until.toISOString()}, which is past`);
  else if (aheadMs > longestMs) check.fault('until', `until is ${until.toISOString()}; give a time within a year`);
}

function waiting({ verdict, serving }: MemberEntity): string {
  if (serving) return 'it serves';
  return verdict === null ? 'it has no verdict yet' : 'it is down';
}
