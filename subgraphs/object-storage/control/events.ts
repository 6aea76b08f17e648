// The events of object storage.
import { columnOf, declareEvents } from '../../../platform/events/kinds.ts';
import { presenceValues } from '../../../platform/events/presence.ts';
import { clusterStates } from '../wire/documents/documents.ts';

const ringChangeStates = ['RUNNING', 'PAUSED', 'SUCCEEDED', 'CANCELLED'] as const;
export type RingChangeState = (typeof ringChangeStates)[number];

const optionStates = ['CREATED', 'CHANGED', 'ENDING', 'KEPT', 'DELETED'] as const;
export type OptionState = (typeof optionStates)[number];

const serviceStates = ['READY', 'NOT_READY', 'DRAINED', 'GONE'] as const;
export type ServiceEventState = (typeof serviceStates)[number];

/** Of the subjects, as `declareEvents` takes them. */
const names = {
  ObjectCluster: columnOf('object_cluster'),
  ObjectOption: columnOf('object_option'),
  ObjectAccessKey: columnOf('object_access_key'),
  ObjectRing: ringName('object_ring'),
  ObjectRingChange: ringName('object_ring_change'),
};

export const objectEvents = declareEvents(names, {
  'objectCluster.state': {
    subject: 'ObjectCluster',
    values: [...clusterStates, 'DELETED'],
    meaning:
      'A cluster was created, began to drain, became active again, or was deleted. Only administrators see this event.',
  },
  'objectCluster.presence': {
    subject: 'ObjectCluster',
    values: presenceValues,
    meaning:
      'The first controller of a cluster connected, or the last one is gone. FLAPPING: it comes and goes. The reason is its name, and why it is absent. Only administrators see this event.',
  },
  'objectCluster.service': {
    subject: 'ObjectCluster',
    values: serviceStates,
    meaning:
      'The controllers of a cluster report that a service serves, stopped serving, is drained, or is gone; `reason` has its role and name, and the cause. At most 20 events per cluster every 5 seconds: of several changes in between, only the last is published. Only administrators see this event.',
  },
  'objectCluster.lag': {
    subject: 'ObjectCluster',
    values: ['IN_STEP', 'BEHIND'],
    meaning:
      'A cluster lacks changes that another one made over a minute ago, or has caught up; `reason` has its name, and the lag. Only administrators see this event.',
  },
  'objectCluster.replica': {
    subject: 'ObjectCluster',
    values: ['LOST', 'RECOVERING'],
    meaning:
      'The database of a cluster was restored from a backup, recreated or exchanged, so the cluster does not vote. Or the recovery of its rings began: it copies what the others have, and `objectRingChange.state` shows when that is done. Only administrators see this event.',
  },
  'objectOption.state': {
    subject: 'ObjectOption',
    values: optionStates,
    meaning:
      'An option was created or changed, or its deletion began, was called off (`reason` has the cause), or is done. Only administrators see this event.',
  },
  'objectAccessKey.state': {
    subject: 'ObjectAccessKey',
    values: ['WORKING', 'REVOKED'],
    meaning: 'An access key was created or revoked. When it was created, `reason` is its name.',
  },
  'objectRing.epoch': {
    subject: 'ObjectRing',
    values: ['MADE'],
    meaning: 'A ring was made. It has another id than the ring that it replaces. Only administrators see this event.',
  },
  'objectRingChange.state': {
    subject: 'ObjectRingChange',
    values: ringChangeStates,
    meaning: 'A change of a ring began, was paused or resumed, or ended. Only administrators see this event.',
  },
  'objectRingChange.progress': {
    subject: 'ObjectRingChange',
    values: ['MOVING', 'STEP_DONE'],
    meaning:
      'A step of a change of a ring is done, or made progress (at most one event every 5 seconds); `reason` has the progress. Only administrators see this event.',
  },
});

/** A ring is called like its option. The one without an option is the core ring. */
function ringName(table: string): string {
  return `SELECT COALESCE((SELECT o.name FROM object_option o WHERE o.number = r.number), 'core') FROM ${table} r WHERE r.id = ?`;
}
