// The status events that platform writes itself.
import { declareEvents } from './kinds.ts';

export const platformEvents = declareEvents({
  'owedWork.state': {
    subject: 'OwedWork',
    values: ['DUE', 'DEAD'],
    meaning: 'Owed work failed so often that it is tried once an hour only; administrators see it.',
  },
});
