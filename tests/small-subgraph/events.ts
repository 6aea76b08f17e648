// The status events of thermometers.
import { declareEvents } from '../../platform/events/kinds.ts';

export const thermometerEvents = declareEvents({
  'thermometer.operatingStatus': {
    subject: 'Thermometer',
    values: ['UNKNOWN', 'ONLINE', 'OFFLINE', 'DELETED'],
    meaning: 'A thermometer was created or deleted, or a check found it in another state.',
  },
  'thermometer.reading': { subject: 'Thermometer', values: ['UNREAD', 'READ'], meaning: 'A thermometer was read.' },
});
