// The status events that platform writes itself.
import { columnOf, declareEvents } from './kinds.ts';

/** Of the subjects, as `declareEvents` takes them. */
const names = { OwedWork: null, DatabaseTimeline: null, Machine: columnOf('machine') };

export const platformEvents = declareEvents(names, {
  'owedWork.state': {
    subject: 'OwedWork',
    values: ['DUE', 'DEAD'],
    meaning:
      'Background work failed so often that it is now tried only once an hour. Only administrators see this event.',
  },
  'database.timeline': {
    subject: 'DatabaseTimeline',
    values: ['LOSSY', 'LIFTED'],
    meaning:
      'The database was set back by a restore or by a failover that lost commits; `reason` says what is missing. LIFTED: a person looked at every backend, and calls with unknown keys are accepted again. Only administrators see this event.',
  },
  'machine.copyRefused': {
    subject: 'Machine',
    values: ['REFUSED'],
    meaning:
      'A second process with the credentials of a connected machine was refused; `reason` contains its address. At most one event in ten minutes for each machine. Only administrators see this event.',
  },
});
