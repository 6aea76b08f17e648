// The status events of backends, operations and mappings.
import { columnOf, declareEvents, type StatusEvent } from '../../../platform/events/kinds.ts';
import { mappingStates, operationStates, verifyResults } from '../rules/states.ts';

const used = ['ENABLED', 'DISABLED'] as const;

/** Of the subjects, as `declareEvents` takes them. */
const names = {
  Backend: columnOf('backend'),
  Mapping: columnOf('mapping', 'object_key'),
  // The journal gives it: calls are many.
  RelayOperation: null,
};

export const relayEvents = declareEvents(names, {
  'relayOperation.state': {
    subject: 'RelayOperation',
    values: operationStates,
    meaning: 'An operation was created or moved to another state.',
  },
  'relayOperation.evidence': {
    subject: 'RelayOperation',
    values: operationStates,
    meaning: 'A finding about an operation was recorded. Its state is unchanged.',
  },
  'backend.provisioningStatus': {
    subject: 'Backend',
    values: ['ACTIVE', 'DELETED'],
    meaning: 'A backend was registered or deleted.',
  },
  'backend.enabled': {
    subject: 'Backend',
    values: used,
    meaning: 'A backend was enabled or disabled.',
  },
  'backend.operatingStatus': {
    subject: 'Backend',
    values: ['ONLINE', 'OFFLINE', 'UNKNOWN'],
    meaning: 'The operating status of a backend changed.',
  },
  'backend.circuit': {
    subject: 'Backend',
    values: ['CLOSED', 'OPEN', 'HALF_OPEN'],
    meaning: 'The circuit breaker of a backend opened or closed; `reason` says why.',
  },
  'backend.identity': {
    subject: 'Backend',
    values: ['HOST_KEY_ACCEPTED', 'CERTIFICATE_ACCEPTED', 'HOST_KEY_PRESENTED', 'CERTIFICATE_PRESENTED'],
    meaning: 'A host key or certificate was accepted, or the device presented one that is not accepted.',
  },
  'backend.changed': {
    subject: 'Backend',
    values: used,
    meaning:
      'Another property of a backend changed, for example its address, credentials, labels or limits, or that it takes calls again after the database lost writes.',
  },
  'mapping.state': {
    subject: 'Mapping',
    values: mappingStates,
    meaning: 'A mapping was created or moved to another state.',
  },
  'mapping.verification': {
    subject: 'Mapping',
    values: verifyResults,
    meaning: 'A verification had another result than the previous one.',
  },
  'mapping.changed': {
    subject: 'Mapping',
    values: mappingStates,
    meaning: 'Another property of a mapping changed. Its state is unchanged.',
  },
});

export type RelayEvent = StatusEvent<typeof relayEvents>;
