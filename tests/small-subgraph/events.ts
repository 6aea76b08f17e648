// The status events of thermometers.
import { columnOf, declareEvents } from '../../platform/events/kinds.ts';

/** Of the subjects, as `declareEvents` takes them. */
const names = { Thermometer: columnOf('thermometer') };

export const thermometerEvents = declareEvents(names, {
  'thermometer.operatingStatus': {
    subject: 'Thermometer',
    values: ['UNKNOWN', 'ONLINE', 'OFFLINE', 'DELETED'],
    meaning: 'A thermometer was created or deleted, or a check found it in another state.',
  },
  'thermometer.reading': { subject: 'Thermometer', values: ['UNREAD', 'READ'], meaning: 'A thermometer was read.' },
});
