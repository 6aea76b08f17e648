// The status events that platform writes itself.
import { declareEvents } from './kinds.ts';

export const platformEvents = declareEvents({
  'owedWork.state': {
    subject: 'OwedWork',
    values: ['DUE', 'DEAD'],
    meaning:
      'Background work failed so often that it is now tried only once an hour. Only administrators see this event.',
  },
});
