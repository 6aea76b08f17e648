// The status events that platform writes itself.
import { declareEvents } from './kinds.ts';

/** Of the subjects, as `declareEvents` takes them. */
const names = { OwedWork: null, DatabaseTimeline: null };

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
});
