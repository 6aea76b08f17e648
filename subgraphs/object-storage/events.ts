// The status events of object storage.
import { declareEvents, type StatusEvent } from '../../platform/events/kinds.ts';

export const clusterStates = ['ACTIVE', 'DRAINING'] as const;
export type ClusterState = (typeof clusterStates)[number];

export const ringChangeStates = ['RUNNING', 'PAUSED', 'DONE', 'CANCELLED'] as const;
export type RingChangeState = (typeof ringChangeStates)[number];

export const optionStates = ['CREATED', 'CHANGED', 'ENDING', 'KEPT', 'DELETED'] as const;
export type OptionState = (typeof optionStates)[number];

const serviceStates = ['READY', 'NOT_READY', 'DRAINED', 'GONE'] as const;
export type ServiceEventState = (typeof serviceStates)[number];

export const objectEvents = declareEvents({
  'objectCluster.state': {
    subject: 'ObjectCluster',
    values: [...clusterStates, 'DELETED'],
    meaning:
      'A cluster was added, is to leave all rings, is to be a member again, or was deleted. Only administrators see this event.',
  },
  'objectCluster.presence': {
    subject: 'ObjectCluster',
    values: ['PRESENT', 'ABSENT'],
    meaning: 'A controller of a cluster is heard again, or none any more. Only administrators see this event.',
  },
  'objectCluster.service': {
    subject: 'ObjectCluster',
    values: serviceStates,
    meaning:
      'A service of a cluster serves, does not, is drained, or is gone, as its controllers say; `reason` is its role and name, and why. At most 20 of a cluster every 5 seconds: what changes more often is told as it is then. Only administrators see this event.',
  },
  'objectCluster.replica': {
    subject: 'ObjectCluster',
    values: ['LOST', 'RECOVERING'],
    meaning:
      'The database of a cluster was restored from a backup, made anew or exchanged: the cluster does not vote. Or its rings were recovered: it takes over what the others have, and `objectRingChange.state` tells when that is done. Only administrators see this event.',
  },
  'objectOption.state': {
    subject: 'ObjectOption',
    values: optionStates,
    meaning:
      'An option was created or changed, its deletion began, was called off (`reason` says why), or is done. Only administrators see this event.',
  },
  'objectAccessKey.state': {
    subject: 'ObjectAccessKey',
    values: ['WORKING', 'REVOKED'],
    meaning: 'An access key was created or revoked; `reason` of the first is its name.',
  },
  'objectRing.epoch': {
    subject: 'ObjectRing',
    values: ['MADE'],
    meaning: 'A ring was made; it has another id than the one before it. Only administrators see this event.',
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
      'A step of a change of a ring went on, which is told at most every 5 seconds, or is done; `reason` says how far it is. Only administrators see this event.',
  },
});

export type ObjectEvent = StatusEvent<typeof objectEvents>;
