// The states of GSLB entities in the terms of Octavia, and the only table of allowed transitions. An impossible transition throws.

export const provisioningStatuses = ['PENDING', 'ACTIVE', 'ERROR', 'DELETING', 'DELETED'] as const;
export type ProvisioningStatus = (typeof provisioningStatuses)[number];

const actions = ['CREATE', 'UPDATE', 'DELETE', 'NONE'] as const;
export type Action = (typeof actions)[number];

export const operatingStatuses = ['ONLINE', 'DEGRADED', 'DRAINING', 'OFFLINE', 'ERROR', 'NO_MONITOR'] as const;
export type OperatingStatus = (typeof operatingStatuses)[number];

export const adminStates = ['AUTO', 'DRAIN', 'FORCED_UP', 'FORCED_DOWN'] as const;
export type AdminState = (typeof adminStates)[number];

/** The change of an entity in progress, and its status. */
export interface Provisioning {
  readonly status: ProvisioningStatus;
  /** NONE if the entity is as desired (ACTIVE), or is gone (DELETED). */
  readonly action: Action;
}

export type ProvisioningEvent =
  /** A caller changed it. */
  | 'UPDATE_ACCEPTED'
  | 'DELETE_ACCEPTED'
  /** All servers answer as desired. After a deletion: no server answers any more. */
  | 'DONE'
  /** It was refused, or its deadline passed. The change stays desired. */
  | 'FAILED';

/** State of a newly created entity. */
export const created: Provisioning = { status: 'PENDING', action: 'CREATE' };

const active: Provisioning = { status: 'ACTIVE', action: 'NONE' };
const deleted: Provisioning = { status: 'DELETED', action: 'NONE' };
const updating: Provisioning = { status: 'PENDING', action: 'UPDATE' };
const deleting: Provisioning = { status: 'DELETING', action: 'DELETE' };

/** A creation stays one until it is done. Deleting is possible from every state, and only its end follows it. */
const provisioning: Readonly<Record<string, Readonly<Partial<Record<ProvisioningEvent, Provisioning>>>>> = {
  'PENDING CREATE': {
    ...{ UPDATE_ACCEPTED: created, DELETE_ACCEPTED: deleting, DONE: active },
    FAILED: { status: 'ERROR', action: 'CREATE' },
  },
  'PENDING UPDATE': {
    ...{ UPDATE_ACCEPTED: updating, DELETE_ACCEPTED: deleting, DONE: active },
    FAILED: { status: 'ERROR', action: 'UPDATE' },
  },
  'DELETING DELETE': { DELETE_ACCEPTED: deleting, DONE: deleted, FAILED: { status: 'ERROR', action: 'DELETE' } },
  // Published data can be lost. It is then published again.
  'ACTIVE NONE': {
    ...{ UPDATE_ACCEPTED: updating, DELETE_ACCEPTED: deleting, DONE: active },
    FAILED: { status: 'ERROR', action: 'UPDATE' },
  },
  'ERROR CREATE': {
    ...{ UPDATE_ACCEPTED: created, DELETE_ACCEPTED: deleting, DONE: active },
    FAILED: { status: 'ERROR', action: 'CREATE' },
  },
  'ERROR UPDATE': {
    ...{ UPDATE_ACCEPTED: updating, DELETE_ACCEPTED: deleting, DONE: active },
    FAILED: { status: 'ERROR', action: 'UPDATE' },
  },
  'ERROR DELETE': { DELETE_ACCEPTED: deleting, DONE: deleted, FAILED: { status: 'ERROR', action: 'DELETE' } },
  'DELETED NONE': {},
};

export function provisioningAfter(state: Provisioning, event: ProvisioningEvent): Provisioning {
  const after = provisioning[`${state.status} ${state.action}`]?.[event];
  if (after === undefined) throw new Error(`${event} can't follow ${state.status} with the action ${state.action}`);
  return after;
}

/** Whether the status changed. A null status means that there was no verdict yet, and never returns. */
export function operatingChanges(before: OperatingStatus | null, after: OperatingStatus | null): boolean {
  if (before === after) return false;
  if (after === null) throw new Error(`no status can't follow the operating status ${before ?? ''}`);
  return true;
}
