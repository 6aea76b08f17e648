// The status events of names in DNS.
import { columnOf, declareEvents } from '../../platform/events/kinds.ts';

/** Of the subjects, as `declareEvents` takes them. */
const names = { DnsBackendServer: columnOf('dns_server', 'place') };

export const dnsEvents = declareEvents(names, {
  'dnsBackendServer.state': {
    subject: 'DnsBackendServer',
    values: ['SERVING', 'FAILING', 'RETURNING'],
    meaning:
      'A server of a DNS backend failed and is left out, answers again and receives the changes it missed, or is up to date; `reason` has the server and the cause. Only administrators see this event.',
  },
});
