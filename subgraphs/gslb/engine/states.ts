// The states of GSLB objects in Kosmos' words, and the one table of what may follow what. An impossible transition throws.

export const provisioningStatuses = ['PENDING', 'ACTIVE', 'ERROR', 'DELETED'] as const;
export type ProvisioningStatus = (typeof provisioningStatuses)[number];

export const actions = ['CREATE', 'UPDATE', 'DELETE', 'NONE'] as const;
export type Action = (typeof actions)[number];

export const operatingStatuses = ['ACTIVE', 'DEGRADED', 'DOWN', 'ERROR'] as const;
export type OperatingStatus = (typeof operatingStatuses)[number];

export const adminStates = ['AUTO', 'DRAIN', 'FORCED_UP', 'FORCED_DOWN'] as const;
export type AdminState = (typeof adminStates)[number];

/** What is going on with an object, and how far it is. */
export interface Provisioning {
  readonly status: ProvisioningStatus;
  /** NONE: what is wanted is there (ACTIVE), or nothing is wanted any more (DELETED). */
  readonly action: Action;
}

export type ProvisioningEvent =
  /** A caller changed it. */
  | 'UPDATE_ACCEPTED'
  | 'DELETE_ACCEPTED'
  /** Everything answers as is wanted; after a deletion: nothing answers any more. */
  | 'DONE'
  /** It was refused, or its deadline passed. What is wanted stays wanted. */
  | 'FAILED';

/** Of an object that was just created. */
export const created: Provisioning = { status: 'PENDING', action: 'CREATE' };

const active: Provisioning = { status: 'ACTIVE', action: 'NONE' };
const deleted: Provisioning = { status: 'DELETED', action: 'NONE' };
const updating: Provisioning = { status: 'PENDING', action: 'UPDATE' };
const deleting: Provisioning = { status: 'PENDING', action: 'DELETE' };

/** A creation remains one until it is done. Deleting is possible from every state, and nothing but its end follows it. */
const provisioning: Readonly<Record<string, Readonly<Partial<Record<ProvisioningEvent, Provisioning>>>>> = {
  'PENDING CREATE': {
    ...{ UPDATE_ACCEPTED: created, DELETE_ACCEPTED: deleting, DONE: active },
    FAILED: { status: 'ERROR', action: 'CREATE' },
  },
  'PENDING UPDATE': {
    ...{ UPDATE_ACCEPTED: updating, DELETE_ACCEPTED: deleting, DONE: active },
    FAILED: { status: 'ERROR', action: 'UPDATE' },
  },
  'PENDING DELETE': { DELETE_ACCEPTED: deleting, DONE: deleted, FAILED: { status: 'ERROR', action: 'DELETE' } },
  // What is published can be lost, and is then made anew.
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

/** `NONE`: no verdict yet. In Kosmos' own table DEGRADED can't become DOWN; here only the lack of a verdict never comes back. */
const operating: Readonly<Record<OperatingStatus | 'NONE', readonly OperatingStatus[]>> = {
  NONE: ['ACTIVE', 'DEGRADED', 'DOWN', 'ERROR'],
  ACTIVE: ['DEGRADED', 'DOWN', 'ERROR'],
  DEGRADED: ['ACTIVE', 'DOWN', 'ERROR'],
  DOWN: ['ACTIVE', 'DEGRADED', 'ERROR'],
  ERROR: ['ACTIVE', 'DEGRADED', 'DOWN'],
};

/** Null: no verdict yet. True: the status changed; false: it did not. */
export function operatingChanges(before: OperatingStatus | null, after: OperatingStatus | null): boolean {
  if (before === after) return false;
  if (after === null || !operating[before ?? 'NONE'].includes(after))
    throw new Error(`the operating status ${after ?? 'NONE'} can't follow ${before ?? 'NONE'}`);
  return true;
}
